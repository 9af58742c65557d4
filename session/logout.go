package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Somebody signs out at the provider while a sign-in with the session there is under way:
// the answer is on its way through the browser, or this server redeems its code. Whichever
// is first, there is no session afterwards. In a store:
//
//	logout    Find of the token's name, Find and Commit of a notice of the logout, the steps
//	          of Revoke, Commit of the token's name
//	sign-in   the steps of a sign-in, Find of the notices that may be about it
//
// So a sign-in that sees no notice has put its session on the lists before the logout reads
// them. In cookie mode a sign-in comes after no logout that may be about it: see revocation.

const (
	// logoutKept is how long a store has a notice of a logout, and the name of a logout
	// token.
	logoutKept = 10 * time.Minute

	ofLogout      = "logout of "
	ofLogoutToken = "logout token"
)

// Logout is what a provider says of somebody who has signed out there, in a logout token
// (OpenID Connect Back-Channel Logout 1.0, 2.4).
type Logout struct {
	Issuer string // "iss"

	// Subject is the person, as the provider knows them: "sub". Where there is no SessionID,
	// all of their sessions are meant.
	Subject string

	// SessionID means the sessions that began in that one at the provider: "sid". Where there
	// is a Subject too, only those of them that are that person's.
	SessionID string

	// TokenID is "jti": no other token of Issuer has it.
	TokenID string

	// IssuedAt is "iat", by the provider's clock. A token that is 10 minutes old must have
	// been refused.
	IssuedAt time.Time
}

// whose are the sessions that l means.
func (l Logout) whose() Whose {
	if l.SessionID == "" {
		w := OfSubject(l.Issuer, l.Subject)
		w.logout = l.IssuedAt.Unix()
		return w
	}
	w := OfProviderSession(l.Issuer, l.SessionID)
	w.subject, w.logout = l.Subject, maxTime // nobody signs in with it any more
	return w
}

// ProviderLogout ends the sessions that l means, on all nodes with their next request. For 10
// minutes from then on, none begins that l would have ended: [Manager.Start] returns
// [ErrLoggedOut] for whoever signs in with the provider's session l.SessionID, or, where l
// has none, with an ID token of the time of l or before.
//
// It takes a [Config].Store that is a [Lister], or Revocations; without either the error wraps
// [errors.ErrUnsupported]. It is [ErrLogoutUsed] for a token that was brought before,
// and otherwise wraps [ErrStore]: nobody can tell then whether all of the sessions have
// ended, and the provider may send the token again. ctx alone limits how long it takes.
func (m *Manager) ProviderLogout(ctx context.Context, l Logout) error {
	if l.Issuer == "" || l.TokenID == "" || l.Subject == "" && l.SessionID == "" {
		return errors.New("session: a logout of nobody: want an Issuer, a TokenID, and a Subject or a SessionID")
	}
	if m.config.Database != nil || !m.CanRevoke() {
		return errNothingRevokes
	}
	names := m.names.of(owner{ofLogoutToken, l.Issuer, l.TokenID})
	for _, name := range names {
		switch _, used, err := m.asked().Find(ctx, name); {
		case err != nil:
			return fmt.Errorf("%w: %w", ErrStore, err)
		case used:
			return ErrLogoutUsed
		}
	}
	if err := m.Revoke(ctx, l.whose()); err != nil {
		return err
	}
	// At the end, so that a token that came to nothing may come again.
	return m.note(ctx, names[0], nil)
}

// noteLogout leaves a notice of w, a logout, for sign-ins that are under way.
func (m *Manager) noteLogout(ctx context.Context, w Whose) error {
	about := w.owner
	about.kind = ofLogout + about.kind
	name := m.names.of(about)[0]
	before, err := m.revocation(ctx, name)
	if err != nil {
		return err
	}
	payload, err := json.Marshal(before.with(w, 0))
	if err != nil {
		return err
	}
	return m.note(ctx, name, payload)
}

// note keeps payload under name for as long as a logout counts.
func (m *Manager) note(ctx context.Context, name string, payload []byte) error {
	data, err := m.sealRecord(payload, name)
	if err != nil {
		return err
	}
	if err := m.asked().Commit(ctx, name, data, m.now().Add(logoutKept)); err != nil {
		return fmt.Errorf("%w: %w", ErrStore, err)
	}
	return nil
}

// loggedOut returns [ErrLoggedOut] if the store has a notice of a logout that ends s, which
// has just begun.
func (m *Manager) loggedOut(ctx context.Context, s *Session) error {
	if s.ProviderTime.IsZero() {
		return nil
	}
	for _, o := range m.owners(s) {
		if o.kind == ofUser {
			continue
		}
		o.kind = ofLogout + o.kind
		for _, name := range m.names.of(o) {
			notice, err := m.revocation(ctx, name)
			if err != nil {
				return err
			}
			if notice.there && (notice.broken || notice.bars(s)) {
				return ErrLoggedOut
			}
		}
	}
	return nil
}
