package session

import (
	"context"
	"errors"
	"fmt"
)

// errNothingRevokes says that sessions are in cookies alone.
var errNothingRevokes = fmt.Errorf("session: sessions that are in cookies alone cannot be taken back: set Config.Revocations, or a Config.Store that is a Lister: %w", errors.ErrUnsupported)

// CanRevoke reports whether [Manager.Revoke] works: it takes a [Store] that is a
// [Lister], or [Config].Revocations.
func (m *Manager) CanRevoke() bool { return m.CanList() || m.config.Revocations != nil }

// Revoke ends the sessions that w means, on all nodes with their next request. One that
// begins meanwhile may be ended or not. That there are none is no error.
//
// With a [Store] they are deleted; with [Config].Revocations it is written down that those
// have ended which began until now. Of a [Database] a user's alone are found, [OfUser], where
// [Config].UserID is the subject; of others the error wraps [errors.ErrUnsupported]. A session that Auth.js began, and that it writes anew
// with another time, does not end for good.
//
// ctx alone limits how long it takes: the store is called a few times, and twice for each
// session. The error wraps [ErrStore], and some may have ended then; call it again. Where
// [Manager.CanRevoke] is false, it wraps [errors.ErrUnsupported].
func (m *Manager) Revoke(ctx context.Context, w Whose) error {
	switch {
	case w.owner == owner{}:
		return nil
	case m.config.Store != nil:
		return m.revokeStored(ctx, w)
	case m.config.Database != nil:
		return m.revokeRows(ctx, w)
	case m.config.Revocations == nil:
		return errNothingRevokes
	}
	return m.revokeInCookies(ctx, w)
}

// revokeStored deletes the sessions that w means.
func (m *Manager) revokeStored(ctx context.Context, w Whose) error {
	if w.logout != 0 {
		if err := m.noteLogout(ctx, w); err != nil {
			return err
		}
	}
	return m.each(ctx, w, func(key string, s *Session) error {
		if s == nil && w.which == only {
			return nil // which it is only the node knows that wrote it
		}
		return m.endKey(ctx, key, s)
	})
}

// endKey deletes what the store has under key, the session s, which may be nil. It is
// remembered first, for renewals that are under way; not if the store fails.
func (m *Manager) endKey(ctx context.Context, key string, s *Session) error {
	now := m.now()
	m.ended.add(key, s, now.Add(renewing), now)
	if err := m.config.Store.Delete(ctx, key); err != nil {
		m.ended.remove(key)
		return fmt.Errorf("%w: %w", ErrStore, err)
	}
	m.delist(ctx, s, key)
	return nil
}
