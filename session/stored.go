package session

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// A session in a store:
//
//	cookie   N=kT1bm...               32 random bytes, in 43 characters
//	store    SHA-256 of these 43  ->  the session, sealed for that key: see record.go
//
// Whoever reads the store learns when sessions end, and nothing of whose they are.
//
// The cookie's value stays the same until the session ends. What a node does:
//
//	request   Find, for each value until one holds
//	renewal   Find, Replace or Commit; Delete if it was signed out of meanwhile
//	sign-in   Find, Commit under a new key, Delete of what was there before
//	sign-out  Find, Delete, for each value
//
// lists.go has what is done beside that where the store is a [Lister].

const (
	// keyText is the length of a cookie's value, and keyLength that of a store's key.
	keyText   = 43
	keyLength = 2 * sha256.Size

	// maxUnreadable bounds the keys that are remembered for that in each half.
	maxUnreadable = 1000

	// storeLimit is how long the calls of a store may take that one request needs.
	storeLimit = 5 * time.Second

	// maxSwaps is how often a renewal is tried against others that run at once.
	maxSwaps = 8

	// renewing is longer than any store takes between two calls of one renewal. So
	// long a key that was signed out of is remembered.
	renewing = time.Hour
)

// loadStored is Load with a store: the first value counts that has a session
// which holds. The session knows which that is.
func (m *Manager) loadStored(r *http.Request, secure bool) (s *Session, err error) {
	var f found
	find(r.Header, m.cookieName(secure), &f)
	if !f.any && !m.HasToken(r) {
		return nil, nil
	}
	ctx, done := m.limited(r.Context())
	defer done()
	f.keys(func(value string) (more bool) {
		s, err = m.read(ctx, storeKey(value))
		return s == nil && err == nil
	})
	if s == nil && err == nil {
		s, err = m.readIssued(ctx, r.Header)
	}
	return s, err
}

// limited is ctx with the limit of a request's calls. What is in memory needs none.
func (m *Manager) limited(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, here := m.asked().(*MemoryStore); here {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, storeLimit)
}

// Ready returns nil when sessions can be read: always where they are in cookies alone, and
// with a [Config].Store, Database or Revocations when that answers. It is for health checks. The
// error wraps [ErrStore].
func (m *Manager) Ready(ctx context.Context) error {
	if m.config.Database != nil {
		return m.readyRow(ctx)
	}
	store := m.asked()
	if store == nil {
		return nil
	}
	ctx, done := m.limited(ctx)
	defer done()
	if _, _, err := store.Find(ctx, storeKey("")); err != nil {
		return fmt.Errorf("%w: %w", ErrStore, err)
	}
	return nil
}

// asked is the store that requests wait for, or nil.
func (m *Manager) asked() Store {
	if m.config.Store != nil {
		return m.config.Store
	}
	return m.config.Revocations
}

// read returns the session that the store has under key, or nil when it has none
// that holds. What is not sealed by one of the secrets may be somebody else's, and is
// left alone.
func (m *Manager) read(ctx context.Context, key string) (*Session, error) {
	data, ok, err := m.config.Store.Find(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrStore, err)
	}
	if !ok {
		return nil, nil
	}
	s := m.unsealed(data, key)
	if s == nil {
		m.tellOfUnreadable(ctx, data, key)
		return nil, nil
	}
	if !m.current(s, m.now()) {
		return nil, nil
	}
	return s, nil
}

// tellOfUnreadable tells the operator of data under key that is no session to this node,
// once: whoever has the cookie sends it with each request.
func (m *Manager) tellOfUnreadable(ctx context.Context, data []byte, key string) {
	if _, told := m.unreadable.Get(key); told {
		return
	}
	m.unreadable.Put(key, struct{}{}, 1, maxUnreadable)
	why := "it was sealed with none of the secrets, or was changed"
	if ofNewerNode(data) {
		why = "a node of a later release wrote it"
	}
	m.config.Logger.WarnContext(ctx, "auth: what the session store has under a key cannot be read; whoever has its cookie is not signed in here, and it is left alone", "key", key, "bytes", len(data), "cause", why)
}

// unsealed is the session of data, which the store has under key, or nil. It may have
// expired, or ended.
func (m *Manager) unsealed(data []byte, key string) *Session {
	payload, ok := m.openRecord(data, key)
	if !ok {
		return nil
	}
	s, ok := sessionOf(string(payload))
	if !ok {
		return nil
	}
	s.key = key
	m.bound(s)
	return s
}

// replace writes s, which the store had, in the place of what it has now, and
// returns the cookie's value; none if s has been signed out of, or if r does not
// bring it. What is compared is what the store has now, not what was loaded: of two
// changes at once the later one stays, and a renewal loses to a deletion alone. But
// tokens that s has not changed are those that the store has now: the ones that s was
// loaded with may have been used up since.
func (m *Manager) replace(r *http.Request, s *Session, secure bool) (value string, err error) {
	if value = m.valueOf(r, s, secure); value == "" {
		return "", nil
	}
	ctx, done := m.limited(r.Context())
	defer done()
	if err := m.enlist(ctx, s, s.key); err != nil {
		return "", err
	}
	written, err := m.change(ctx, s.key, func(now *Session) *Session {
		if now != nil && s.ProviderTokens == s.given {
			s.ProviderTokens, s.given = now.ProviderTokens, now.ProviderTokens
		}
		return s
	})
	if !written {
		return "", err
	}
	return value, nil
}

// change writes what next makes of what the store has under key in the place of that,
// which is nil where this node cannot read it; nothing, if next makes nothing. It reports
// whether it has: what was signed out of stays so, and is no error.
func (m *Manager) change(ctx context.Context, key string, next func(now *Session) *Session) (written bool, err error) {
	for range maxSwaps {
		old, there, err := m.config.Store.Find(ctx, key)
		if err != nil {
			return false, fmt.Errorf("%w: %w", ErrStore, err)
		}
		// What was deleted in the meantime stays deleted.
		if !there || ofNewerNode(old) || m.ended.has(key) {
			return false, nil
		}
		s := next(m.unsealed(old, key))
		if s == nil {
			return false, nil
		}
		data, err := m.sealSession(s, key)
		if err != nil {
			return false, err
		}
		swapped := true
		if store, ok := m.config.Store.(Replacer); ok {
			swapped, err = store.Replace(ctx, key, old, data, s.ExpiresAt)
		} else {
			err = m.config.Store.Commit(ctx, key, data, s.ExpiresAt)
		}
		if err != nil {
			return false, fmt.Errorf("%w: %w", ErrStore, err)
		}
		if !swapped {
			continue
		}
		// A sign-out that came after Find is remembered before it deletes, so that it
		// is seen here if its Delete came before Commit.
		if !m.ended.has(key) {
			return true, nil
		}
		if err := m.config.Store.Delete(ctx, key); err != nil {
			return false, fmt.Errorf("%w: %w", ErrStore, err)
		}
		return false, nil
	}
	return false, fmt.Errorf("%w: %w", ErrStore, errContended)
}

// errContended is not the store's fault, but like one of its failures: nothing was
// written, and the request may be sent again.
var errContended = errors.New("the session was changed by others again and again")

// valueOf is the cookie's value that r brings for s: not always the first, for
// somebody else may have planted one before it.
func (m *Manager) valueOf(r *http.Request, s *Session, secure bool) (value string) {
	var f found
	find(r.Header, m.cookieName(secure), &f)
	f.keys(func(v string) (more bool) {
		if storeKey(v) == s.key {
			value = v
		}
		return value == ""
	})
	return value
}

// commit puts s, which is new, into the store, for whoever brings value. A cookie with it
// is set afterwards: one without a record would sign the person out, a record without a
// cookie only expires.
func (m *Manager) commit(ctx context.Context, s *Session, value string) error {
	key := storeKey(value)
	data, err := m.sealSession(s, key)
	if err != nil {
		return err
	}
	ctx, done := m.limited(ctx)
	defer done()
	if err := m.config.Store.Commit(ctx, key, data, s.ExpiresAt); err != nil {
		return fmt.Errorf("%w: %w", ErrStore, err)
	}
	// A session that nobody could find, to end it, is none.
	if err := m.enlist(ctx, s, key); err != nil {
		_ = m.config.Store.Delete(ctx, key)
		return err
	}
	if err := m.loggedOut(ctx, s); err != nil {
		_ = m.config.Store.Delete(ctx, key)
		m.delist(ctx, s, key)
		return err
	}
	return nil
}

// endStored deletes all that r brings a value for: a planted one before ours must
// not take its place, nor one of a newer node outlive its cookie. who is the one
// that holds, or nil. Each is remembered first, for renewals that are under way;
// nothing is, if the store fails, but what it deleted.
func (m *Manager) endStored(r *http.Request, who *Session, secure bool) (err error) {
	var f found
	find(r.Header, m.cookieName(secure), &f)
	ctx, done := m.limited(r.Context())
	defer done()
	end := func(key string) (more bool) {
		whose := who
		if who != nil && key != who.key {
			whose = nil
		}
		err = m.endKey(ctx, key, whose)
		return err == nil
	}
	f.keys(func(value string) (more bool) { return end(storeKey(value)) })
	if key := m.issuedKey(r.Header); key != "" && err == nil {
		end(key)
	}
	return err
}

// storeKey is a hash: whoever reads the store cannot make a cookie of it.
func storeKey(value string) string {
	sum := sha256.Sum256([]byte(value))
	var text [keyLength]byte
	hex.Encode(text[:], sum[:])
	return string(text[:])
}

// newKeyText is a new cookie's value: 256 random bits in 43 characters.
func newKeyText() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails: it ends the program instead
	return b64.EncodeToString(b[:])
}

// isKeyText reports whether value may be one of [newKeyText]: 43 characters of
// base64url (RFC 4648 5), with none but zero bits at the end. Anything else in a
// cookie was planted, or is a token of a time without a store.
func isKeyText(value string) bool {
	var b [32]byte
	if len(value) != keyText {
		return false
	}
	n, err := b64.Decode(b[:], []byte(value))
	return err == nil && n == len(b)
}
