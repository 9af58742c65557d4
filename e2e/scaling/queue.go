package main

import (
	"math/rand/v2"
	"slices"
	"time"
)

// events are what happens at some time, the next first. It is a heap.
type events[T any] struct {
	list []event[T]
	n    uint64
}

type event[T any] struct {
	at   time.Duration
	n    uint64 // of two at once, the one that was put in first
	what T
}

func (e event[T]) before(o event[T]) bool { return e.at < o.at || e.at == o.at && e.n < o.n }

func (q *events[T]) put(at time.Duration, what T) {
	q.n++
	q.list = append(q.list, event[T]{at, q.n, what})
	for i := len(q.list) - 1; i > 0; {
		up := (i - 1) / 2
		if !q.list[i].before(q.list[up]) {
			return
		}
		q.list[i], q.list[up] = q.list[up], q.list[i]
		i = up
	}
}

func (q *events[T]) take() (first event[T], ok bool) {
	if len(q.list) == 0 {
		return first, false
	}
	first = q.list[0]
	last := len(q.list) - 1
	q.list[0] = q.list[last]
	q.list = q.list[:last]
	for i := 0; ; {
		down := 2*i + 1
		if down >= last {
			return first, true
		}
		if down+1 < last && q.list[down+1].before(q.list[down]) {
			down++
		}
		if !q.list[down].before(q.list[i]) {
			return first, true
		}
		q.list[i], q.list[down] = q.list[down], q.list[i]
		i = down
	}
}

// server has one processor and does one thing after the other.
type server struct{ free time.Duration }

// serve is when something is done that comes then and takes so long.
func (s *server) serve(at, takes time.Duration) time.Duration {
	s.free = max(s.free, at) + takes
	return s.free
}

// around is a duration that is mean on the average, and any otherwise.
func around(r *rand.Rand, mean time.Duration) time.Duration {
	return time.Duration(r.ExpFloat64() * float64(mean))
}

// percentile is that of list, which it sorts; 0 of none.
func percentile(list []time.Duration, p float64) time.Duration {
	if len(list) == 0 {
		return 0
	}
	slices.Sort(list)
	return list[min(len(list)-1, int(float64(len(list))*p))]
}
