package session

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
)

// Sessions in a store are found by lists of their keys, one for each owner:
//
//	sign-in   Commit, then Add to each list
//	renewal   Find, Add to each list, Replace: the user's id, or the first secret, may
//	          have changed
//	sign-out  Delete, then Remove from each list
//
// A key is on a list until no session can be under it, whatever renews it. One that is
// found no more is taken off when its list is read.

// errNoLists says that nobody can tell which sessions are somebody's.
var errNoLists = fmt.Errorf("session: sessions cannot be found by whose they are: it takes a Config.Store that is a Lister, or a Config.Database that is a DatabaseLister: %w", errors.ErrUnsupported)

// CanList reports whether [Manager.List] works: it takes a [Store] that is a [Lister], or a
// [Database] that is a [DatabaseLister].
func (m *Manager) CanList() bool {
	_, stored := m.config.Store.(Lister)
	_, rows := m.config.Database.(DatabaseLister)
	return stored || rows
}

// List returns the sessions that w means and that hold, the last begun first. Nothing
// bounds how many there are. They are copies: to change one changes nothing.
//
// The error wraps [ErrStore], or [errors.ErrUnsupported] where [Manager.CanList] is false.
func (m *Manager) List(ctx context.Context, w Whose) ([]*Session, error) {
	var list []*Session
	err := m.each(ctx, w, func(_ string, s *Session) error {
		if s != nil && m.current(s, m.now()) {
			list = append(list, s)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(list, func(a, b *Session) int {
		return cmp.Or(b.begun().Compare(a.begun()), cmp.Compare(a.ID, b.ID))
	})
	return list, nil
}

// each calls visit with each session that w means, and its key. It is nil where a node of
// a newer release wrote it, which this one cannot read: it is somebody's of w's, and nobody
// knows which.
func (m *Manager) each(ctx context.Context, w Whose, visit func(key string, s *Session) error) error {
	if m.config.Database != nil {
		return m.eachRow(ctx, w, visit)
	}
	store, ok := m.config.Store.(Lister)
	if !ok {
		return errNoLists
	}
	for _, name := range m.names.of(w.owner) {
		keys, err := store.List(ctx, name)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrStore, err)
		}
		for _, key := range keys {
			data, found, err := store.Find(ctx, key)
			if err != nil {
				return fmt.Errorf("%w: %w", ErrStore, err)
			}
			if !found {
				// Nobody sees it, and the next one who reads the list tries again.
				_ = store.Remove(ctx, name, key)
				continue
			}
			s := m.unsealed(data, key)
			if s != nil && !m.means(w, s) || s == nil && !ofNewerNode(data) {
				continue
			}
			if err := visit(key, s); err != nil {
				return err
			}
		}
	}
	return nil
}

// enlist puts s, which the store has under key, on its lists.
func (m *Manager) enlist(ctx context.Context, s *Session, key string) error {
	store, ok := m.config.Store.(Lister)
	if !ok {
		return nil
	}
	for _, o := range m.owners(s) {
		if err := store.Add(ctx, m.names.of(o)[0], key, m.last(s)); err != nil {
			return fmt.Errorf("%w: %w", ErrStore, err)
		}
	}
	return nil
}

// delist takes s, which was under key, off its lists. That it fails harms nobody.
func (m *Manager) delist(ctx context.Context, s *Session, key string) {
	store, ok := m.config.Store.(Lister)
	if !ok || s == nil {
		return
	}
	for _, o := range m.owners(s) {
		for _, name := range m.names.of(o) {
			if store.Remove(ctx, name, key) != nil {
				return
			}
		}
	}
}
