package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Sessions in cookies that have ended, in [Config].Revocations:
//
//	request   Find under the names of the session's id, its user, its subject and its
//	          provider session: all at once
//	sign-in   the same without the id
//	sign-out  Find, Insert or Replace under the name of the session's id
//	Revoke    the same under that of an owner
//
// What is there is sealed as a record is, and says that sessions have ended that began until
// some time, which is a little ahead, by as much as clocks of nodes may differ. Whoever
// signs in within that knows which revocations they came after, in the claim
// signin_after. Nobody comes after a logout at the provider who signed in there before it.
// Whatever cannot be read ends all sessions: somebody revoked something.

// signedInAfter is the claim.
const signedInAfter = "signin_after"

// revocation is what is written down about an owner. Times are seconds since 1970.
type revocation struct {
	// ID is another one after each change.
	ID string `json:"id"`

	// All is when the last of the sessions began that have ended.
	All int64 `json:"all,omitempty"`

	// Others is the same for all sessions but Except.
	Others int64  `json:"others,omitempty"`
	Except string `json:"except,omitempty"`

	// Logout is until when the provider issued ID tokens with which nobody signs in after
	// this: the person has signed out there.
	Logout int64 `json:"logout,omitempty"`

	// Subject is whose sessions this is about, of those of a provider's session. If empty,
	// all.
	Subject string `json:"sub,omitempty"`
}

// bars reports whether s, which is about to begin, comes too late: its person has signed out
// at the provider since.
func (r revocation) bars(s *Session) bool {
	about := r.Subject == "" || r.Subject == s.providerSubject()
	return about && !s.ProviderTime.IsZero() && s.ProviderTime.Unix() <= r.Logout
}

// ends reports whether r is about s.
func (r revocation) ends(s *Session) bool {
	if r.Subject != "" && r.Subject != s.providerSubject() {
		return false
	}
	begun := s.begun()
	if begun.Unix() > r.All && (begun.Unix() > r.Others || s.ID == r.Except) {
		return false
	}
	var after []string
	_, err := s.Claim(signedInAfter, &after)
	return err != nil || !slices.Contains(after, r.ID)
}

// with is r after all sessions that began until then were revoked, or all but one. Of
// those that had ended none counts again.
func (r revocation) with(w Whose, until int64) revocation {
	if r.ID == "" {
		r.Subject = w.subject
	} else if r.Subject != w.subject {
		r.Subject = ""
	}
	r.Logout = max(r.Logout, w.logout)
	switch {
	case w.which != except:
		r.All = max(r.All, until)
	case w.id == r.Except:
		r.Others = max(r.Others, until)
	default:
		r.All, r.Others, r.Except = max(r.All, r.Others), until, w.id
	}
	r.ID = newID()
	return r
}

// written is what there is under a name.
type written struct {
	name string
	revocation
	data  []byte
	there bool
	// broken: it is not one of ours, or of a later release; newer says the latter.
	broken, newer bool
}

// revoked reports whether s, which a cookie brought, was taken back.
func (m *Manager) revoked(ctx context.Context, s *Session) (bool, error) {
	owners := m.owners(s)
	if s.ID != "" {
		owners = append(owners, owner{ofSession, s.ID, ""})
	}
	list, err := m.revocationsOf(ctx, owners)
	for _, x := range list {
		if x.broken || x.ends(s) {
			return true, nil
		}
	}
	return false, err
}

// revocationsOf are those of owners, and the error if one of them cannot be told. All are
// asked for at once, but where no question waits for an answer.
func (m *Manager) revocationsOf(ctx context.Context, owners []owner) (list []written, err error) {
	ctx, done := m.limited(ctx)
	defer done()
	var names []string
	for _, o := range owners {
		names = append(names, m.names.of(o)...)
	}
	type answer struct {
		written
		err error
	}
	answers := make(chan answer, len(names))
	ask := func(name string) {
		a := answer{err: errPanic}
		defer func() {
			_ = recover() // in a goroutine of ours nobody else would
			answers <- a
		}()
		a.written, a.err = m.revocation(ctx, name)
	}
	_, here := m.config.Revocations.(*MemoryStore)
	for _, name := range names {
		if here {
			ask(name)
		} else {
			go ask(name)
		}
	}
	for range names {
		switch a := <-answers; {
		case a.err != nil:
			err = a.err
		case a.there:
			list = append(list, a.written)
		}
	}
	return list, err
}

// revocation is what there is under name.
func (m *Manager) revocation(ctx context.Context, name string) (x written, err error) {
	x.name = name
	if x.data, x.there, err = m.asked().Find(ctx, name); err != nil {
		return x, fmt.Errorf("%w: %w", ErrStore, err)
	}
	if !x.there {
		return x, nil
	}
	payload, ok := m.openRecord(x.data, name)
	if !ok || json.Unmarshal(payload, &x.revocation) != nil {
		x.revocation, x.broken, x.newer = revocation{}, true, ofNewerNode(x.data)
	}
	return x, nil
}

// comesAfter has s, a session that begins, know the revocations that it comes after. What
// nobody can read gives way to a revocation of all sessions until now. The error may be
// [ErrLoggedOut].
func (m *Manager) comesAfter(ctx context.Context, s *Session) error {
	list, err := m.revocationsOf(ctx, m.owners(s))
	if err != nil {
		return err
	}
	var after []string
	for _, x := range list {
		if x.broken {
			if x.revocation, err = m.write(ctx, x.name, Whose{}, m.lastBegun(), m.endsBy(nil)); err != nil {
				return err
			}
		}
		if x.bars(s) {
			return ErrLoggedOut
		}
		if x.ends(s) {
			after = append(after, x.ID)
		}
	}
	if after == nil {
		return nil
	}
	return s.SetClaim(signedInAfter, after)
}

// lastBegun is when any session may have begun that has begun by now, by the clock of any
// node.
func (m *Manager) lastBegun() int64 { return m.now().Add(tolerance).Unix() + 1 }

// revokeInCookies writes down that the sessions that w means have ended.
func (m *Manager) revokeInCookies(ctx context.Context, w Whose) error {
	if w.which == only {
		return m.revokeOne(ctx, w.id, m.endsBy(nil))
	}
	_, err := m.write(ctx, m.names.of(w.owner)[0], w, m.lastBegun(), m.endsBy(nil))
	return err
}

// revokeOne writes down that the session id has ended, until then.
func (m *Manager) revokeOne(ctx context.Context, id string, until time.Time) error {
	_, err := m.write(ctx, m.names.of(owner{ofSession, id, ""})[0], Whose{}, maxTime, until)
	return err
}

// errPanic stands for the panic of a store.
var errPanic = fmt.Errorf("%w: it panicked", ErrStore)

// errNewer says that a node of a later release has written what is to be changed.
var errNewer = errors.New("a node of a later release has written a revocation that this one cannot read")

// write adds to the revocation under name, which counts until then, and returns what it is
// now. Of two nodes that do so at once neither's is lost, where the store is a [Replacer].
func (m *Manager) write(ctx context.Context, name string, w Whose, last int64, until time.Time) (revocation, error) {
	for range maxSwaps {
		x, err := m.revocation(ctx, name)
		if err != nil {
			return revocation{}, err
		}
		if x.newer {
			return revocation{}, fmt.Errorf("%w: %w", ErrStore, errNewer)
		}
		next := x.with(w, last)
		payload, err := json.Marshal(next)
		if err != nil {
			return revocation{}, err
		}
		data, err := m.sealRecord(payload, name)
		if err != nil {
			return revocation{}, err
		}
		done := true
		switch store, ok := m.config.Revocations.(Replacer); {
		case !ok:
			err = m.config.Revocations.Commit(ctx, name, data, until)
		case x.there:
			done, err = store.Replace(ctx, name, x.data, data, until)
		default:
			done, err = store.Insert(ctx, name, data, until)
		}
		if err != nil {
			return revocation{}, fmt.Errorf("%w: %w", ErrStore, err)
		}
		if done {
			return next, nil
		}
	}
	return revocation{}, fmt.Errorf("%w: %w", ErrStore, errContended)
}
