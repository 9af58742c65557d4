package session

import (
	"bytes"
	"context"
	"sync"
	"time"
)

// Store keeps sessions on the server: in a database, a cache, a file. Its methods
// take standard types only, so that an implementation need not import this
// package. Applications do not call them; a [Manager] does.
//
// # Keys and data
//
// A session's key is the SHA-256 of its cookie's value, in 64 lower-case
// hexadecimal digits. It may be logged: no cookie can be made of it. Other packages
// of this module keep what they have to remember in the same store, under keys of at
// most 64 ASCII letters, digits, hyphens and underscores.
//
// Data is opaque bytes, some 1,000 for most people, and is sealed with the secrets: a
// copy of the store tells nobody who somebody is, and data under another key than its own
// counts for nothing. It has at most 1 MiB, with many groups or with what an application
// sets; a store should take 64 KiB, and return an error for what it does not take rather
// than cut it.
//
// # How often
//
// Find is called once for each request that brings a session cookie, up to 180
// times, one after the other, where it brings several of the one name, and once more
// before a renewal. Commit is called at each sign-in, and once in UpdateAge for a
// session that is used. Delete is called at sign-out, at a new sign-in in the same
// browser, as often as Find is.
//
// Between Find and Commit of a renewal, another node may sign the person out. Commit
// then brings the session back, which nobody notices. A store that can compare
// and write in one step should be a [Replacer], so that it does not.
//
// # Duties
//
// All methods are called concurrently: by many requests and, where nodes share the
// store, by many nodes. Once Commit or Delete has returned, Find sees what it did, on
// every node. A replica that has not heard of a sign-out lets the session in for
// as long.
//
// A call ends when ctx does, with an error. ctx is the request's, and has a limit of 5
// seconds for all calls of it.
//
// What has expired is not found. It is also the store's to remove in the end, for
// nobody else will. The Manager checks the time that is within data as well.
//
// Package sessiontest holds an implementation to all of this.
//
// An error means that the store itself failed, and nothing that a browser can send
// may cause one. Requests are then answered 503, neither let in nor asked to sign
// in. The error is logged, and so must not hold the store's password.
type Store interface {
	// Find returns the data that was committed under key last, byte for byte. A
	// key that is not there, or whose expiry is not after now, is no error: found
	// is false and data is nil. The caller may change data.
	Find(ctx context.Context, key string) (data []byte, found bool, err error)

	// Commit puts data under key until expiry, in the place of what is there: data
	// and expiry are replaced as one. An expiry that has passed is no error; Find
	// does not return it. expiry may have a fraction of a second and any location. A
	// store that rounds it rounds down. Commit must not keep data itself, which the
	// caller may use again.
	Commit(ctx context.Context, key string, data []byte, expiry time.Time) error

	// Delete removes key. One that is not there is no error, so that it may be
	// called twice.
	Delete(ctx context.Context, key string) error
}

// Replacer is a [Store] that changes what it has only as long as it is what the
// caller has seen. Renewals then call Replace where they would have called Commit.
// A store that wraps another one should have it if the other one has.
type Replacer interface {
	Store

	// Replace is Commit if the data under key is old, byte for byte, and is not
	// expired, and otherwise does nothing; swapped says which. Comparing and
	// writing are one step, for all nodes. It must keep neither old nor data. That
	// there is nothing to replace is no error.
	Replace(ctx context.Context, key string, old, data []byte, expiry time.Time) (swapped bool, err error)
}

// MemoryStore is a [Store], and a [Replacer], in this process's memory: for one node, and for
// sessions that may end with it. It is safe for concurrent use and starts no
// goroutine. No method of it returns an error or looks at its context: none waits
// for anything but a lock.
//
// What has expired is removed when it is asked for and when room is needed, so
// that a store that was once full keeps that size. The zero value is not usable;
// use [NewMemoryStore].
type MemoryStore struct {
	now func() time.Time
	max int

	mu      sync.Mutex
	entries map[string]memoryEntry
}

type memoryEntry struct {
	data   []byte
	expiry time.Time
}

// NewMemoryStore returns an empty store of at most max sessions. If max is 0 or
// less, it is 100,000, which is some 100 MB with sessions of 500 bytes. When the
// store is full, a sample of it is looked at and the session in it that would end
// first makes room: that person is signed out. If now is nil, it is [time.Now].
func NewMemoryStore(max int, now func() time.Time) *MemoryStore {
	if max <= 0 {
		max = 100_000
	}
	if now == nil {
		now = time.Now
	}
	return &MemoryStore{now: now, max: max, entries: map[string]memoryEntry{}}
}

// Find implements [Store]. The data is a copy.
func (m *MemoryStore) Find(_ context.Context, key string) ([]byte, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.entries[key]
	if !ok || !e.expiry.After(m.now()) {
		delete(m.entries, key)
		return nil, false, nil
	}
	return append([]byte(nil), e.data...), true, nil
}

// Commit implements [Store]. It keeps a copy of data.
func (m *MemoryStore) Commit(_ context.Context, key string, data []byte, expiry time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.entries[key]; !ok && len(m.entries) >= m.max {
		m.makeRoom()
	}
	m.entries[key] = memoryEntry{append([]byte(nil), data...), expiry}
	return nil
}

// Replace implements [Replacer]. It keeps a copy of data.
func (m *MemoryStore) Replace(_ context.Context, key string, old, data []byte, expiry time.Time) (swapped bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.entries[key]
	if !ok || !e.expiry.After(m.now()) || !bytes.Equal(e.data, old) {
		return false, nil
	}
	m.entries[key] = memoryEntry{append([]byte(nil), data...), expiry}
	return true, nil
}

// makeRoom looks at a sample, for maps are walked in random order: what has
// expired goes, and if nothing has, the one that ends first. The sample bounds
// what a sign-in costs in a full store. m.mu is held.
func (m *MemoryStore) makeRoom() {
	now, first, seen := m.now(), "", 0
	for k, e := range m.entries {
		if !e.expiry.After(now) {
			delete(m.entries, k)
		} else if first == "" || e.expiry.Before(m.entries[first].expiry) {
			first = k
		}
		if seen++; seen == 32 {
			break
		}
	}
	if len(m.entries) >= m.max {
		delete(m.entries, first)
	}
}

// Delete implements [Store].
func (m *MemoryStore) Delete(_ context.Context, key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.entries, key)
	return nil
}
