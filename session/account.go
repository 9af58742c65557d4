package session

import (
	"context"
	"errors"
	"fmt"
	"net/http"
)

// Account is what a provider gave at a sign-in, for a [Database] to keep with a new
// account, as Auth.js's adapters do.
type Account struct {
	Type string // Auth.js's word for the provider's protocol: "oidc" or "oauth"
	ProviderTokens
}

// StartWithAccount is [Manager.Start] for somebody who came by an account at a provider:
// s.Provider, and s.Subject as the provider has it. Only a [Database] makes something of
// a. s is afterwards as the database has it, with the user's id as Subject. The error is
// or wraps [ErrNotLinked] where somebody else has the e-mail address.
func (m *Manager) StartWithAccount(w http.ResponseWriter, r *http.Request, s *Session, a Account, secure bool) error {
	if m.config.Database == nil {
		return m.Start(w, r, s, secure)
	}
	next, token := copyOf(s), newID()
	next.AuthTime = m.now()
	m.stamp(next)
	if err := m.startRow(r.Context(), token, next, a); err != nil {
		return err
	}
	lines, err := m.written(r, token, next.ExpiresAt, secure)
	if err != nil {
		return err
	}
	add(w, lines)
	m.keep(next, token)
	*s = *next
	return m.endRows(r, secure)
}

func (m *Manager) startRow(ctx context.Context, token string, s *Session, a Account) error {
	ctx, done := m.limited(ctx)
	defer done()
	err := m.config.Database.Start(ctx, token, s, a)
	if err != nil && !errors.Is(err, ErrNotLinked) {
		return fmt.Errorf("%w: %w", ErrStore, err)
	}
	return err
}
