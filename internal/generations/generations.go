// Package generations remembers what may be forgotten.
package generations

import "sync"

// Map is a map of bounded cost: when the young half is full, the old half
// is forgotten and the young one becomes the old. It is safe for concurrent
// use, and its zero value is empty.
type Map[K comparable, V any] struct {
	mu         sync.RWMutex
	young, old map[K]V
	cost       int // of the young
}

// Get is what was put under k, unless it was forgotten.
func (m *Map[K, V]) Get(k K) (v V, ok bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if v, ok = m.young[k]; !ok {
		v, ok = m.old[k]
	}
	return v, ok
}

// Put sets k, which costs cost, in the young half, which holds at most max. A key
// that is there already is taken to cost what it did.
func (m *Map[K, V]) Put(k K, v V, cost, max int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, there := m.young[k]; there {
		m.young[k] = v
		return
	}
	if m.young == nil || m.cost+cost > max {
		m.old, m.young, m.cost = m.young, make(map[K]V), 0
	}
	m.young[k] = v
	m.cost += cost
}
