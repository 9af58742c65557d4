package auth

import (
	"context"

	"github.com/sallyport/auth/session"
)

// Sessions returns the sessions that w means, the last begun first: of a user, of a
// subject at an issuer, of a session at a provider. What is in them is what the person's
// own requests bring; [session.Session] says where from, in Device, and since when.
//
//	list, err := a.Sessions(ctx, session.OfUser(a.UserID(s)))
//
// It takes a [session.Config].Store that is a [session.Lister]; without one the error
// wraps [errors.ErrUnsupported]. Otherwise it wraps [ErrStore].
func (a *Authenticator) Sessions(ctx context.Context, w session.Whose) ([]*session.Session, error) {
	return a.sessions.List(ctx, w)
}

// Revoke ends the sessions that w means, with their next request and on all nodes. That
// there are none is no error. Who has been signed out that way may sign in again: what
// keeps somebody out is [Config].Policy or [session.Config].Revalidate.
//
//	err := a.Revoke(ctx, session.OfUser(id))                   // everywhere
//	err := a.Revoke(ctx, session.OfUser(id).Only(other.ID))    // one of them
//	err := a.Revoke(ctx, session.OfSubject(issuer, subject))   // as the provider knows them
//
// It takes a [session.Config].Store that is a [session.Lister], or Revocations; without
// either the error wraps [errors.ErrUnsupported]. Otherwise it wraps [ErrStore], and some
// of the sessions may have ended.
func (a *Authenticator) Revoke(ctx context.Context, w session.Whose) error {
	return a.sessions.Revoke(ctx, w)
}

// Ready returns nil when it can be told who is signed in: always where sessions are in
// cookies, and with a [session.Store] when that answers, within 5 seconds. It is for
// health checks; requests of people are answered 503 as long as it is not so. The error
// wraps [ErrStore].
func (a *Authenticator) Ready(ctx context.Context) error { return a.sessions.Ready(ctx) }
