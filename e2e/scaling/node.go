package main

import (
	"math/rand/v2"
	"time"
)

// nodeTimes simulates one node of so many, and returns how long requests wait for a processor and have it, and how
// much of its processors is used.
func nodeTimes(w way, nodes int, length time.Duration) (times []time.Duration, used float64) {
	r := rand.New(rand.NewPCG(1, uint64(nodes)))
	between := time.Duration(float64(time.Second) * float64(nodes) / rate)
	var cores [nodeCores]server
	var worked time.Duration
	for at := around(r, between); at < length; at += around(r, between) {
		next := &cores[0]
		for i := range cores {
			if cores[i].free < next.free {
				next = &cores[i]
			}
		}
		takes := around(r, w.each())
		worked += takes
		times = append(times, next.serve(at, takes)-at)
	}
	return times, worked.Seconds() / length.Seconds() / nodeCores
}
