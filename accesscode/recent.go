package accesscode

import (
	"container/list"
	"net/netip"
)

// recent is a map of at most max networks: a list beside it says which of them was
// touched least lately, and that one is forgotten first.
type recent[V any] struct {
	max     int
	entries map[netip.Prefix]*list.Element
	order   list.List // of *entry[V], the last touched in front
}

type entry[V any] struct {
	key   netip.Prefix
	value V
}

func newRecent[V any](max int) recent[V] {
	return recent[V]{max: max, entries: make(map[netip.Prefix]*list.Element)}
}

// get is the value of key, or nil. It touches nothing.
func (r *recent[V]) get(key netip.Prefix) *V {
	if e := r.entries[key]; e != nil {
		return &e.Value.(*entry[V]).value
	}
	return nil
}

// touch is the value of key, a zero one if there is none yet.
func (r *recent[V]) touch(key netip.Prefix) *V {
	e := r.entries[key]
	if e == nil {
		if r.order.Len() >= r.max {
			oldest := r.order.Back()
			delete(r.entries, oldest.Value.(*entry[V]).key)
			r.order.Remove(oldest)
		}
		e = r.order.PushFront(&entry[V]{key: key})
		r.entries[key] = e
	}
	r.order.MoveToFront(e)
	return &e.Value.(*entry[V]).value
}
