package session

import (
	"context"
	"slices"
	"time"
)

// membership is that of an entry on a list: most lists have one or two, for which a map
// each would be large, and some have thousands, which have to be left one by one.
type membership struct {
	list       string
	entry      *memoryEntry
	until      time.Time
	prev, next *membership // of the same list
}

// Add implements [Lister]. A key that there is nothing under is left out.
func (m *MemoryStore) Add(_ context.Context, list, key string, expiry time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.entries[key]
	if e == nil {
		return nil
	}
	for _, on := range e.lists {
		if on.list == list {
			if on.until.Before(expiry) {
				on.until = expiry
			}
			return nil
		}
	}
	on := &membership{list: list, entry: e, until: expiry, next: m.lists[list]}
	if on.next != nil {
		on.next.prev = on
	}
	m.lists[list] = on
	e.lists = append(e.lists, on)
	return nil
}

// List implements [Lister].
func (m *MemoryStore) List(_ context.Context, list string) (keys []string, err error) {
	now := m.now()
	m.mu.RLock()
	defer m.mu.RUnlock()
	for on := m.lists[list]; on != nil; on = on.next {
		if on.until.After(now) {
			keys = append(keys, on.entry.key)
		}
	}
	return keys, nil
}

// Remove implements [Lister].
func (m *MemoryStore) Remove(_ context.Context, list, key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.entries[key]
	if e == nil {
		return nil
	}
	for i, on := range e.lists {
		if on.list == list {
			m.unlist(on)
			e.lists = slices.Delete(e.lists, i, i+1)
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
