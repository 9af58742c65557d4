package session

import (
	"container/heap"
	"context"
	"hash/maphash"
	"math"
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

	seed maphash.Seed
	mask uint64 // what counts of a hash: all of it, but in a test

	mu      sync.RWMutex
	entries map[uint64]*memoryEntry // by the hash of their keys, the first of each
	ends    endHeap                 // of the same entries
	lists   map[uint64]*membership  // by the hash of their names, the first of each
	timer   *time.Timer             // runs while there are entries
	closed  bool
}

// NewMemoryStore returns an empty store of at most max sessions. If max is 0 or
// less, it is 100,000, which is some 65 MB with sessions of 350 bytes. When the
// store is full, a sample of it is looked at and the session in it that would end
// first makes room: that person is signed out. If now is nil, it is [time.Now].
func NewMemoryStore(max int, now func() time.Time) *MemoryStore {
	if max <= 0 {
		max = 100_000
	}
	if now == nil {
		now = time.Now
	}
	m := &MemoryStore{now: now, max: max, seed: maphash.MakeSeed(), mask: math.MaxUint64}
	m.empty()
	return m
}

// empty makes maps that are small: those that were large stay so.
func (m *MemoryStore) empty() {
	m.entries, m.ends, m.lists = map[uint64]*memoryEntry{}, nil, map[uint64]*membership{}
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
	return []byte(e.data()), true, nil
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
	if e == nil || e.data() != string(old) {
		return false, nil
	}
	m.put(key, data, expiry)
	return true, nil
}

// Delete implements [Store].
func (m *MemoryStore) Delete(_ context.Context, key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e := m.entry(key); e != nil {
		m.drop(e)
	}
	return nil
}

// found is what there is under key and has not expired, or nil. m.mu is held.
func (m *MemoryStore) found(key string) *memoryEntry {
	if e := m.entry(key); e != nil && e.after(m.now()) {
		return e
	}
	return nil
}

// put sets key, which stays on its lists. m.mu is held.
func (m *MemoryStore) put(key string, data []byte, expiry time.Time) {
	if m.closed {
		return
	}
	e := m.entry(key)
	if e != nil {
		e.keep(key, data, expiry)
		heap.Fix(&m.ends, int(e.place))
		return
	}
	if len(m.ends) >= m.max {
		m.makeRoom()
	}
	hash := m.hash(key)
	e = &memoryEntry{next: m.entries[hash]}
	e.keep(key, data, expiry)
	m.entries[hash] = e
	heap.Push(&m.ends, e)
	if m.timer == nil {
		m.timer = time.AfterFunc(sweepEvery, m.sweep)
	}
}

// drop removes e, and takes it off its lists. m.mu is held.
func (m *MemoryStore) drop(e *memoryEntry) {
	for on := e.lists; on != nil; on = on.other {
		m.unlist(on)
	}
	heap.Remove(&m.ends, int(e.place))
	hash := m.hash(e.key())
	first := m.entries[hash]
	switch {
	case first != e:
		for first.next != e {
			first = first.next
		}
		first.next = e.next
	case e.next != nil:
		m.entries[hash] = e.next
	default:
		delete(m.entries, hash)
	}
}

// makeRoom drops what has expired, or else, of a sample, what would end first. Of all that
// is there, that would be whatever somebody has put in for a short time. m.mu is held.
func (m *MemoryStore) makeRoom() {
	first := m.ends[0]
	if first.after(m.now()) {
		at := rand.IntN(len(m.ends)) // #nosec G404 -- it decides nothing that is to be kept secret
		first = m.ends[at]
		for i := range min(roomSample, len(m.ends)) {
			if e := m.ends[(at+i)%len(m.ends)]; e.expiry < first.expiry {
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
		if len(m.ends) == 0 || m.ends[0].after(now) {
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
	case len(m.ends) == 0:
		m.empty()
		m.timer = nil
	default:
		m.timer.Reset(sweepEvery)
	}
}
