package accesscode

import (
	"container/list"
	"context"
	"net/netip"
	"sync"
	"time"
)

const (
	// burst is how many wrong codes a client may send in a row.
	burst = 5

	// Each wrong code after that doubles the delay before the next attempt.
	firstDelay = 15 * time.Second
	maxDelay   = 15 * time.Minute

	// forgetAfter is how long it takes until one wrong code is forgotten.
	forgetAfter = 10 * time.Minute
)

// A Limiter counts attempts for several nodes. A client is an IPv4 address or an
// IPv6 network of 64 bits. It is safe for concurrent use.
type Limiter interface {
	// Take counts an attempt, atomically, and before the code is looked at. If
	// client has to wait first, it says how long, and counts nothing. An error
	// refuses the attempt.
	Take(ctx context.Context, client netip.Prefix) (wait time.Duration, err error)

	// GiveBack takes back one attempt: the code was right.
	GiveBack(ctx context.Context, client netip.Prefix) error
}

// networkOf is what counts as one client: whoever has an IPv6 address has 2^64
// of them.
func networkOf(client netip.Addr) netip.Prefix {
	client = client.Unmap().WithZone("")
	bits := 64
	if client.Is4() {
		bits = 32
	}
	p, _ := client.Prefix(bits) // the zero address, of a Unix socket, has the zero prefix
	return p
}

// memoryLimiter is a Limiter in memory, for at most max clients.
type memoryLimiter struct {
	max int
	now func() time.Time

	mu      sync.Mutex
	clients map[netip.Prefix]*list.Element
	recent  list.List // of *counter, the last seen in front
}

type counter struct {
	client netip.Prefix
	wrong  int
	until  time.Time // when the next attempt counts
	since  time.Time // when wrong was last brought up to date
}

func newMemoryLimiter(max int, now func() time.Time) *memoryLimiter {
	return &memoryLimiter{max: max, now: now, clients: make(map[netip.Prefix]*list.Element)}
}

// blocked says how long client has to wait, at the cost of a look into a map.
func (l *memoryLimiter) blocked(client netip.Prefix) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.wait(client)
}

func (l *memoryLimiter) wait(client netip.Prefix) time.Duration {
	if e := l.clients[client]; e != nil {
		return e.Value.(*counter).until.Sub(l.now())
	}
	return 0
}

// Take implements [Limiter].
func (l *memoryLimiter) Take(_ context.Context, client netip.Prefix) (time.Duration, error) {
	return l.attempt(client, func() bool { return true }, func() bool { return false }), nil
}

// GiveBack implements [Limiter].
func (l *memoryLimiter) GiveBack(_ context.Context, client netip.Prefix) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e := l.clients[client]; e != nil {
		// Whoever may attempt had nothing to wait for, and has nothing now.
		c := e.Value.(*counter)
		c.wrong, c.until = max(0, c.wrong-1), time.Time{}
	}
	return nil
}

// attempt counts and compares in one step, so that neither parallel guesses get
// past the bound nor parallel right codes run into it. Nothing is counted or
// compared unless enter says that it is the attempt's turn.
func (l *memoryLimiter) attempt(client netip.Prefix, enter, right func() bool) (wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if wait := l.wait(client); wait > 0 {
		return wait
	}
	if !enter() || right() {
		return 0
	}
	e := l.clients[client]
	if e == nil {
		if l.recent.Len() >= l.max {
			oldest := l.recent.Back()
			delete(l.clients, oldest.Value.(*counter).client)
			l.recent.Remove(oldest)
		}
		e = l.recent.PushFront(&counter{client: client, since: l.now()})
		l.clients[client] = e
	}
	l.recent.MoveToFront(e)
	e.Value.(*counter).add(l.now())
	return 0
}

// add counts a wrong code.
func (c *counter) add(now time.Time) {
	forgotten := max(0, int(now.Sub(c.since)/forgetAfter))
	if c.wrong -= forgotten; c.wrong <= 0 {
		c.wrong, c.since = 0, now
	} else {
		c.since = c.since.Add(time.Duration(forgotten) * forgetAfter)
	}
	if c.wrong++; c.wrong >= burst {
		c.until = now.Add(min(firstDelay<<min(c.wrong-burst, 16), maxDelay))
	}
}
