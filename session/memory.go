package session

import (
	"context"
	"slices"
	"sync"
	"time"
)

const (
	// sweepEvery is how often a [MemoryStore] looks for what has expired.
	sweepEvery = time.Minute

	// sweepStep is how many entries it looks at while others wait: some 50 us.
	sweepStep = 256
)

// MemoryStore is a [Store], a [Replacer] and a [Lister] in this process's memory: for one
// node, and for sessions that may end with it. It is safe for concurrent use. No method of
// it returns an error or looks at its context: none waits for anything but a lock.
//
// What has expired is not found, and is removed within a minute or two, a few entries at
// a time, so that no request waits for that. [MemoryStore.Close] ends it. No goroutine
// waits in between. The zero value is not usable; use [NewMemoryStore].
type MemoryStore struct {
	now func() time.Time
	max int

	mu      sync.RWMutex
	entries map[string]memoryEntry
	lists   map[string]map[string]time.Time // by name, of keys
	timer   *time.Timer                     // runs while there are entries
	closed  bool
}

// memoryEntry is what there is under a key. Its data is never changed in place.
type memoryEntry struct {
	data   string
	expiry time.Time
	lists  []string // on which the key is, or was
}

// NewMemoryStore returns an empty store of at most max sessions. If max is 0 or
// less, it is 100,000, which is some 120 MB with sessions of 500 bytes. When the
// store is full, a sample of it is looked at and the session in it that would end
// first makes room: that person is signed out. If now is nil, it is [time.Now].
func NewMemoryStore(max int, now func() time.Time) *MemoryStore {
	if max <= 0 {
		max = 100_000
	}
	if now == nil {
		now = time.Now
	}
	return &MemoryStore{now: now, max: max, entries: map[string]memoryEntry{}, lists: map[string]map[string]time.Time{}}
}

// Close forgets every session and ends the sweeping. Nothing that is put into the store
// afterwards is kept. The error is nil; it may be called twice.
func (m *MemoryStore) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	m.entries, m.lists = map[string]memoryEntry{}, map[string]map[string]time.Time{}
	if m.timer != nil {
		m.timer.Stop()
		m.timer = nil
	}
	return nil
}

// Find implements [Store]. The data is a copy.
func (m *MemoryStore) Find(_ context.Context, key string) ([]byte, bool, error) {
	m.mu.RLock()
	e, ok := m.entries[key]
	m.mu.RUnlock()
	if !ok || !e.expiry.After(m.now()) {
		return nil, false, nil
	}
	return []byte(e.data), true, nil
}

// Commit implements [Store]. It keeps a copy of data.
func (m *MemoryStore) Commit(_ context.Context, key string, data []byte, expiry time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.put(key, data, expiry)
	return nil
}

// Insert implements [Replacer]. It keeps a copy of data.
func (m *MemoryStore) Insert(_ context.Context, key string, data []byte, expiry time.Time) (inserted bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e, ok := m.entries[key]; ok && e.expiry.After(m.now()) {
		return false, nil
	}
	m.put(key, data, expiry)
	return true, nil
}

// Replace implements [Replacer]. It keeps a copy of data.
func (m *MemoryStore) Replace(_ context.Context, key string, old, data []byte, expiry time.Time) (swapped bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.entries[key]
	if !ok || !e.expiry.After(m.now()) || e.data != string(old) {
		return false, nil
	}
	m.put(key, data, expiry)
	return true, nil
}

// Delete implements [Store].
func (m *MemoryStore) Delete(_ context.Context, key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.drop(key)
	return nil
}

// Add implements [Lister]. A key that there is nothing under is left out.
func (m *MemoryStore) Add(_ context.Context, list, key string, expiry time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.entries[key]
	if !ok {
		return nil
	}
	keys := m.lists[list]
	if keys == nil {
		keys = map[string]time.Time{}
		m.lists[list] = keys
	}
	if !slices.Contains(e.lists, list) {
		e.lists = append(slices.Clip(e.lists), list)
		m.entries[key] = e
	}
	if expiry.After(keys[key]) {
		keys[key] = expiry
	}
	return nil
}

// List implements [Lister].
func (m *MemoryStore) List(_ context.Context, list string) (keys []string, err error) {
	now := m.now()
	m.mu.RLock()
	defer m.mu.RUnlock()
	for key, until := range m.lists[list] {
		if until.After(now) {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

// Remove implements [Lister].
func (m *MemoryStore) Remove(_ context.Context, list, key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.unlist(list, key)
	return nil
}

// put sets key, which stays on its lists. m.mu is held.
func (m *MemoryStore) put(key string, data []byte, expiry time.Time) {
	if m.closed {
		return
	}
	e, there := m.entries[key]
	if !there && len(m.entries) >= m.max {
		m.makeRoom()
	}
	e.data, e.expiry = string(data), expiry
	m.entries[key] = e
	if m.timer == nil {
		m.timer = time.AfterFunc(sweepEvery, m.sweep)
	}
}

// drop removes key, and takes it off its lists. m.mu is held.
func (m *MemoryStore) drop(key string) {
	for _, list := range m.entries[key].lists {
		m.unlist(list, key)
	}
	delete(m.entries, key)
}

// unlist takes key off list. m.mu is held.
func (m *MemoryStore) unlist(list, key string) {
	if delete(m.lists[list], key); len(m.lists[list]) == 0 {
		delete(m.lists, list)
	}
}

// makeRoom looks at a sample, for maps are walked in random order: what has
// expired goes, and if nothing has, the one that ends first. The sample bounds
// what a sign-in costs in a full store. m.mu is held.
func (m *MemoryStore) makeRoom() {
	now, first, seen := m.now(), "", 0
	for k, e := range m.entries {
		if !e.expiry.After(now) {
			m.drop(k)
		} else if first == "" || e.expiry.Before(m.entries[first].expiry) {
			first = k
		}
		if seen++; seen == 32 {
			break
		}
	}
	if len(m.entries) >= m.max {
		m.drop(first)
	}
}

// sweep removes what has expired, and has itself called again while there is anything.
// Others may use the map whenever its lock is free: what they add or remove meanwhile is
// seen or not, which makes no difference.
func (m *MemoryStore) sweep() {
	m.mu.Lock()
	defer m.mu.Unlock()
	now, seen := m.now(), 0
	for k, e := range m.entries {
		if !e.expiry.After(now) {
			m.drop(k)
		}
		if seen++; seen%sweepStep == 0 {
			m.mu.Unlock()
			m.mu.Lock()
		}
	}
	switch {
	case m.closed:
	case len(m.entries) == 0:
		m.entries = map[string]memoryEntry{} // a map that was large stays so
		m.timer = nil
	default:
		m.timer.Reset(sweepEvery)
	}
}
