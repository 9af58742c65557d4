package session

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// knownFor is how long a store knows somebody who does not come back.
const knownFor = 400 * 24 * time.Hour

// ofAccount is whoever a provider knows by a subject.
const ofAccount = "account"

// account names s as the provider has it.
func (s *Session) account() owner {
	who := s.providerSubject()
	return owner{ofAccount + " " + s.Provider, s.Issuer, who}
}

// CanKnow reports whether [Manager.Known] and [Manager.Know] work: it takes a [Config].Store
// or Revocations that outlasts this process, and so is no [MemoryStore].
func (m *Manager) CanKnow() bool {
	_, here := m.asked().(*MemoryStore)
	return m.asked() != nil && !here
}

// Known reports whether [Manager.Know] was called, on any node, for whom Provider, Issuer
// and Subject of s are, or ProviderSubject where that is set. A store forgets who has not
// come back for 400 days. The error wraps [ErrStore], or [errors.ErrUnsupported] where
// [Manager.CanKnow] is false.
func (m *Manager) Known(ctx context.Context, s *Session) (bool, error) {
	if !m.CanKnow() {
		return false, errUnknowable
	}
	ctx, done := m.limited(ctx)
	defer done()
	for _, name := range m.names.of(s.account()) {
		data, found, err := m.asked().Find(ctx, name)
		if err != nil {
			return false, fmt.Errorf("%w: %w", ErrStore, err)
		}
		if !found {
			continue
		}
		if _, ok := m.openRecord(data, name); ok || ofNewerNode(data) {
			return true, nil
		}
	}
	return false, nil
}

// Know has [Manager.Known] report true for s from now on. The errors are the same.
func (m *Manager) Know(ctx context.Context, s *Session) error {
	if !m.CanKnow() {
		return errUnknowable
	}
	ctx, done := m.limited(ctx)
	defer done()
	name := m.names.of(s.account())[0]
	data, err := m.sealRecord(nil, name)
	if err != nil {
		return err
	}
	if err := m.asked().Commit(ctx, name, data, m.now().Add(knownFor)); err != nil {
		return fmt.Errorf("%w: %w", ErrStore, err)
	}
	return nil
}

var errUnknowable = fmt.Errorf("session: nothing here remembers people: %w", errors.ErrUnsupported)
