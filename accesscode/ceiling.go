package accesscode

import (
	"sync"
	"time"
)

// Each wrong code moves ceiling.free on by one interval; the clock catches up with
// it. Where free lies after that says what becomes of the attempt:
//
//	  now - burst            now              now + queue
//	-------|------------------|--------------------|--------->
//	  idle       no wait             waits             refused
//
// An idle ceiling does not fall behind by more than a burst.
const (
	// Wrong codes from everywhere together: so many at once, and then one for
	// each interval.
	ceilingBurst    = 100
	ceilingInterval = 50 * time.Millisecond

	// maxQueue is how long an attempt may have to wait for its turn.
	maxQueue = 10 * time.Second
)

// ceiling slows attempts down, whoever makes them, while too many wrong codes
// come: the generic cell rate algorithm (ITU-T I.371), with the excess waiting its
// turn. It holds an attacker with many addresses to 20 guesses a second, at the
// cost of one time for all clients. It is safe for concurrent use, and its zero
// value is an empty queue.
type ceiling struct {
	mu   sync.Mutex
	free time.Time // when the queue is empty
}

// reserve takes a turn and says how long it is until then. ok is false when the
// queue is full: nothing is taken then, and wait is how long it takes until there
// is room.
func (c *ceiling) reserve(now time.Time) (wait time.Duration, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	free := c.free
	if earliest := now.Add(-ceilingBurst * ceilingInterval); free.Before(earliest) {
		free = earliest
	}
	free = free.Add(ceilingInterval)
	if wait = max(0, free.Sub(now)); wait > maxQueue {
		return wait - maxQueue, false
	}
	c.free = free
	return wait, true
}

// giveBack returns a turn that brought no wrong code. Whoever waits already waits
// on; the next attempt finds the queue shorter.
func (c *ceiling) giveBack() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.free = c.free.Add(-ceilingInterval)
}
