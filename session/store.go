package session

import (
	"context"
	"sync"
	"time"
)

// Store keeps sessions on the server. Its methods take standard types only, so
// that an implementation need not import this package. It is safe for concurrent
// use and honours ctx.
//
// An error means that the store itself failed: requests are then answered 503,
// neither let in nor asked to sign in.
type Store interface {
	// Find returns the data under key. A key that is not there, or has
	// expired, is no error: found is false.
	Find(ctx context.Context, key string) (data []byte, found bool, err error)

	// Commit puts data under key until expiry, in the place of what is there.
	Commit(ctx context.Context, key string, data []byte, expiry time.Time) error

	// Delete removes key. One that is not there is no error.
	Delete(ctx context.Context, key string) error
}

// MemoryStore is a [Store] in this process's memory: for one node, and for
// sessions that may end with it. It is safe for concurrent use and starts no
// goroutine.
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

// NewMemoryStore keeps at most max sessions; when that is too few, the one that
// would end first makes room. If max is 0, it is 100,000. If now is nil, it is
// [time.Now].
func NewMemoryStore(max int, now func() time.Time) *MemoryStore {
	if max <= 0 {
		max = 100_000
	}
	if now == nil {
		now = time.Now
	}
	return &MemoryStore{now: now, max: max, entries: map[string]memoryEntry{}}
}

// Find implements [Store].
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

// Commit implements [Store].
func (m *MemoryStore) Commit(_ context.Context, key string, data []byte, expiry time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.entries[key]; !ok && len(m.entries) >= m.max {
		m.makeRoom()
	}
	m.entries[key] = memoryEntry{append([]byte(nil), data...), expiry}
	return nil
}

// makeRoom looks at a sample, for maps are walked in random order: what has
// expired goes, and if nothing has, the one that ends first.
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
