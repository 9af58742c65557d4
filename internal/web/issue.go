package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/sallyport/auth/internal/fault"
	"github.com/sallyport/auth/session"
)

// tokenAsked is how long a program's token, which is never renewed, goes on after the
// application has been asked about its person.
const tokenAsked = time.Hour

// IssueToken begins a session for a program with what who's has.
func (s *Server) IssueToken(ctx context.Context, who *session.Session, label string, expires time.Time) (token session.Secret, id string, err error) {
	switch {
	case s.readOnly:
		err = fmt.Errorf("auth: with Config.ReadOnly sessions are begun elsewhere: %w", errors.ErrUnsupported)
	case who.Provider == session.AccessCode:
		err = errors.New("auth: no token is made for somebody who signed in with an access code: they could not find it again; programs can send the code, see Config.AccessCodeHeaders")
	case !s.stillOffered(who):
		err = fmt.Errorf("auth: no request would find the session of the token: Provider %q, with Issuer %q, is no way in of this configuration", who.Provider, who.Issuer)
	default:
		token, id, err = s.sessions.Issue(ctx, who, label, expires)
	}
	if err != nil {
		return session.Secret{}, "", err
	}
	e := eventOf(TokenIssued, who)
	e.Label = label
	s.publish(ctx, e)
	return token, id, nil
}

// lookAtIssued sees to what is special about a program's token. One that does not count is
// an answer of its own: to sign in would not help whoever sent it.
func (s *Server) lookAtIssued(r *http.Request, v *visit) {
	switch {
	case v.session != nil && v.session.TokenLabel != "":
		v.foreign, v.token = true, true
	case v.session == nil && v.err == nil && s.sessions.HasToken(r):
		v.err = fmt.Errorf("%w: a program's", fault.ErrInvalidToken)
	}
}
