package session

import (
	"container/heap"
	"context"
	"math/rand/v2"
	"runtime"
	"sync"
	"time"
)

const (
	// sweepEvery is how often a [MemoryStore] looks for what has expired.
	sweepEvery = time.Minute

	// sweepStep is how many entries it removes while others wait: some 100 us.
	sweepStep = 64

	// roomSample is how many entries it looks at for the one that makes room.
	roomSample = 32
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
	entries map[string]*memoryEntry
	ends    endHeap                // of the same entries
	lists   map[string]*membership // by name, the first of each
	timer   *time.Timer            // runs while there are entries
	closed  bool
}

// memoryEntry is what there is under a key.
type memoryEntry struct {
	key, data string
	expiry    time.Time
	place     int // in the heap
	lists     []*membership
}

// NewMemoryStore returns an empty store of at most max sessions. If max is 0 or
// less, it is 100,000, which is some 170 MB with sessions of 500 bytes. When the
// store is full, a sample of it is looked at and the session in it that would end
// first makes room: that person is signed out. If now is nil, it is [time.Now].
func NewMemoryStore(max int, now func() time.Time) *MemoryStore {
	if max <= 0 {
		max = 100_000
	}
	if now == nil {
		now = time.Now
	}
	m := &MemoryStore{now: now, max: max}
	m.empty()
	return m
}

// empty makes maps that are small: those that were large stay so.
func (m *MemoryStore) empty() {
	m.entries, m.ends, m.lists = map[string]*memoryEntry{}, nil, map[string]*membership{}
}

// Close forgets every session and ends the sweeping. Nothing that is put into the store
// afterwards is kept. The error is nil; it may be called twice.
func (m *MemoryStore) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	m.empty()
	if m.timer != nil {
		m.timer.Stop()
		m.timer = nil
	}
	return nil
}

// Find implements [Store]. The data is a copy.
func (m *MemoryStore) Find(_ context.Context, key string) ([]byte, bool, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	e := m.found(key)
	if e == nil {
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
	if m.found(key) != nil {
		return false, nil
	}
	m.put(key, data, expiry)
	return true, nil
}

// Replace implements [Replacer]. It keeps a copy of data.
func (m *MemoryStore) Replace(_ context.Context, key string, old, data []byte, expiry time.Time) (swapped bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.found(key)
	if e == nil || e.data != string(old) {
		return false, nil
	}
	m.put(key, data, expiry)
	return true, nil
}

// Delete implements [Store].
func (m *MemoryStore) Delete(_ context.Context, key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e := m.entries[key]; e != nil {
		m.drop(e)
	}
	return nil
}

// found is what there is under key and has not expired, or nil. m.mu is held.
func (m *MemoryStore) found(key string) *memoryEntry {
	if e := m.entries[key]; e != nil && e.expiry.After(m.now()) {
		return e
	}
	return nil
}

// put sets key, which stays on its lists. m.mu is held.
func (m *MemoryStore) put(key string, data []byte, expiry time.Time) {
	if m.closed {
		return
	}
	e := m.entries[key]
	if e != nil {
		e.data, e.expiry = string(data), expiry
		heap.Fix(&m.ends, e.place)
		return
	}
	if len(m.entries) >= m.max {
		m.makeRoom()
	}
	e = &memoryEntry{key: key, data: string(data), expiry: expiry}
	m.entries[key] = e
	heap.Push(&m.ends, e)
	if m.timer == nil {
		m.timer = time.AfterFunc(sweepEvery, m.sweep)
	}
}

// drop removes e, and takes it off its lists. m.mu is held.
func (m *MemoryStore) drop(e *memoryEntry) {
	for _, on := range e.lists {
		m.unlist(on)
	}
	heap.Remove(&m.ends, e.place)
	delete(m.entries, e.key)
}

// makeRoom drops what has expired, or else, of a sample, what would end first. Of all that
// is there, that would be whatever somebody has put in for a short time. m.mu is held.
func (m *MemoryStore) makeRoom() {
	first := m.ends[0]
	if first.expiry.After(m.now()) {
		at := rand.IntN(len(m.ends)) // #nosec G404 -- it decides nothing that is to be kept secret
		first = m.ends[at]
		for i := range min(roomSample, len(m.ends)) {
			if e := m.ends[(at+i)%len(m.ends)]; e.expiry.Before(first.expiry) {
				first = e
			}
		}
	}
	m.drop(first)
}

// sweep removes what has expired, and has itself called again while there is anything.
func (m *MemoryStore) sweep() {
	for m.sweepSome() {
		runtime.Gosched() // or whoever waits for the lock would find it taken again
	}
}

// sweepSome removes sweepStep of what has expired, or all of it. more says that there may be more.
func (m *MemoryStore) sweepSome() (more bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	for range sweepStep {
		if len(m.ends) == 0 || m.ends[0].expiry.After(now) {
			m.swept()
			return false
		}
		m.drop(m.ends[0])
	}
	return true
}

// swept has sweep called again, unless there is nothing left. m.mu is held.
func (m *MemoryStore) swept() {
	switch {
	case m.closed:
	case len(m.entries) == 0:
		m.empty()
		m.timer = nil
	default:
		m.timer.Reset(sweepEvery)
	}
}
