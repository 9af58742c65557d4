package accesscode

import (
	"crypto/sha256"
	"slices"
	"time"

	"github.com/sallyport/auth"
)

const (
	// Wrong codes from everywhere together: so many at once, and then one for
	// each interval.
	ceilingBurst    = 100
	ceilingInterval = 50 * time.Millisecond

	// maxQueue is how long an attempt waits, and maxWaiting how many do at once:
	// as many as the ceiling lets through in that time.
	maxQueue   = 10 * time.Second
	maxWaiting = int(maxQueue / ceilingInterval)
)

// ceiling holds an attacker with many networks to 20 guesses a second: the generic
// cell rate algorithm (ITU-T I.371), with a queue before it.
//
// Nothing is compared in the queue, and nothing counted: whoever leaves it has
// learnt nothing and used up nothing. When the ceiling has room, the first of the
// queue is compared, and only a wrong code takes the room, so that the next comes
// at once after a right one. The first is not who came first, but whose networks
// have used the least of their allowances, and of several such, who came last.
type ceiling struct {
	free  time.Time // moved on by one interval for each wrong code; the clock catches up
	queue []*waiter // by rank, the last to come before the others
	timer *time.Timer
}

// waiter is an attempt in the queue. Who sends the same text several times at once
// has one waiter: a guess repeated is no new guess, and a program that sends the
// right code with each of many requests needs no more.
type waiter struct {
	from    networks
	digest  [sha256.Size]byte
	rank    int
	waiting int // attempts

	done chan struct{} // closed when the following are set
	code *code
	err  error
}

// room says how long it takes until a wrong code may be let through; what is not
// positive is no wait. A clock that was set back makes nobody wait.
func (c *ceiling) room(now time.Time) time.Duration {
	if c.free.After(now) {
		c.free = now.Add(-ceilingInterval)
	}
	if earliest := now.Add(-ceilingBurst * ceilingInterval); c.free.Before(earliest) {
		c.free = earliest
	}
	return c.free.Add(ceilingInterval).Sub(now)
}

func (c *ceiling) take() { c.free = c.free.Add(ceilingInterval) }

// ahead counts who waits of each network of from, and finds who waits with the
// same text.
func (c *ceiling) ahead(from *networks, digest *[sha256.Size]byte) (n [levels]int, same *waiter) {
	for _, w := range c.queue {
		for l := range levels {
			if w.from[l] == from[l] {
				n[l]++
			}
		}
		if w.from[client] == from[client] && w.digest == *digest {
			same = w
		}
	}
	return n, same
}

// put adds w before those of the same rank: when more come than can be served, those
// who are served are served at once, and the others know soon that they are not. It
// refuses the last of the queue if too many wait, or w if that would be the last.
func (c *ceiling) put(w *waiter) bool {
	if len(c.queue) >= maxWaiting {
		last := c.queue[len(c.queue)-1]
		if w.rank > last.rank {
			return false
		}
		c.queue = c.queue[:len(c.queue)-1]
		last.answer(nil, &auth.LimitError{RetryAfter: time.Second})
	}
	i := len(c.queue)
	for i > 0 && c.queue[i-1].rank >= w.rank {
		i--
	}
	c.queue = slices.Insert(c.queue, i, w)
	return true
}

// leave takes back one attempt of w.
func (c *ceiling) leave(w *waiter) {
	if w.waiting--; w.waiting == 0 {
		if i := slices.Index(c.queue, w); i >= 0 {
			c.queue = slices.Delete(c.queue, i, i+1)
		}
	}
}

func (w *waiter) answer(code *code, err error) {
	w.code, w.err = code, err
	close(w.done)
}
