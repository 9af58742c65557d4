package session

import (
	"context"
	"time"
)

// membership is that of an entry on a list: most lists have one or two, for which a map
// each would be large, and some have thousands, which have to be left one by one. A list is
// known by the hash of its name, under a seed of the process: of two lists one in 2^64 is
// taken for the other, and [Manager] looks whose the sessions are that it finds.
type membership struct {
	list       uint64 // the hash of its name
	until      int64
	entry      *memoryEntry
	prev, next *membership // of the same list
	other      *membership // of the same entry
}

// Add implements [Lister]. A key that there is nothing under is left out.
func (m *MemoryStore) Add(_ context.Context, list, key string, expiry time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, hash := m.entry(key), m.hash(list)
	if e == nil {
		return nil
	}
	for on := e.lists; on != nil; on = on.other {
		if on.list == hash {
			on.until = max(on.until, nanoseconds(expiry))
			return nil
		}
	}
	on := &membership{list: hash, entry: e, until: nanoseconds(expiry), next: m.lists[hash], other: e.lists}
	if on.next != nil {
		on.next.prev = on
	}
	m.lists[hash], e.lists = on, on
	return nil
}

// List implements [Lister].
func (m *MemoryStore) List(_ context.Context, list string) (keys []string, err error) {
	now := nanoseconds(m.now())
	m.mu.RLock()
	defer m.mu.RUnlock()
	for on := m.lists[m.hash(list)]; on != nil; on = on.next {
		if on.until > now {
			keys = append(keys, on.entry.key())
		}
	}
	return keys, nil
}

// Remove implements [Lister].
func (m *MemoryStore) Remove(_ context.Context, list, key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, hash := m.entry(key), m.hash(list)
	if e == nil {
		return nil
	}
	for at := &e.lists; *at != nil; at = &(*at).other {
		if on := *at; on.list == hash {
			m.unlist(on)
			*at = on.other
			break
		}
	}
	return nil
}

// unlist takes an entry off a list. m.mu is held.
func (m *MemoryStore) unlist(on *membership) {
	if on.next != nil {
		on.next.prev = on.prev
	}
	switch {
	case on.prev != nil:
		on.prev.next = on.next
	case on.next != nil:
		m.lists[on.list] = on.next
	default:
		delete(m.lists, on.list)
	}
}
