package accesscode

import (
	"container/list"
	"context"
	"net/netip"
	"sync"
	"time"
)

// What one client may do:
//
//	wrong code   1  2  3  4  5    6    7    8     9    10    11   12 ...
//	then waits   -  -  -  -  15s  30s  1m   2m    4m   8m    15m  15m
//
// and one wrong code less for each 10 minutes. A client that always guesses as soon
// as it may settles at one guess for each 10 minutes.
const (
	// burst is how many wrong codes a client may send in a row.
	burst = 5

	// The last of burst brings the first delay before the next attempt; each
	// wrong code after that doubles it.
	firstDelay = 15 * time.Second
	maxDelay   = 15 * time.Minute

	// forgetAfter is how long it takes until one wrong code is forgotten.
	forgetAfter = 10 * time.Minute
)

// A Limiter counts attempts for several nodes, in a store that they share. A
// client is an IPv4 address (/32), an IPv6 network of 64 bits (/64), or the zero
// prefix for all peers that have no address. A Limiter has to be safe for
// concurrent use.
//
// How many attempts a client has, and when they come back, is the implementation's
// to decide; the 5 attempts and the growing delays of this package are those of the
// count in memory. The gate makes no more than one Take for an attempt, and one
// GiveBack after it if the code was right; there is none when the process dies in
// between, so counts have to expire by themselves.
type Limiter interface {
	// Take counts an attempt, before the code is looked at. If client has to wait
	// first, it says how long, and counts nothing. It has to look and count in one
	// atomic step: guesses that come at the same time, on several nodes, must not
	// all pass. An error refuses the attempt, as [auth.ErrStore].
	Take(ctx context.Context, client netip.Prefix) (wait time.Duration, err error)

	// GiveBack takes back one attempt: the code was right. It must take back no
	// other, and should not count below zero. An error refuses the attempt too.
	GiveBack(ctx context.Context, client netip.Prefix) error
}

// networkOf is what counts as one client: whoever has an IPv6 address has 2^64
// of them (RFC 4291 2.5.1). An IPv4 address is the same when it comes mapped into
// IPv6, and a zone is left out.
func networkOf(client netip.Addr) netip.Prefix {
	client = client.Unmap().WithZone("")
	bits := 64
	if client.Is4() {
		bits = 32
	}
	p, _ := client.Prefix(bits) // the zero address, of a Unix socket, has the zero prefix
	return p
}

// memoryLimiter is a Limiter in memory, for at most max clients: a map to find
// them, and a list to forget those first that sent no wrong code for longest. Only
// wrong codes make a client known.
type memoryLimiter struct {
	max int
	now func() time.Time

	mu      sync.Mutex
	clients map[netip.Prefix]*list.Element
	recent  list.List // of *counter, the last seen in front
}

// counter is one client's. Guarded by the limiter's mu.
type counter struct {
	client netip.Prefix
	wrong  int
	until  time.Time // when the next attempt counts
	since  time.Time // when wrong was last brought up to date
}

func newMemoryLimiter(max int, now func() time.Time) *memoryLimiter {
	return &memoryLimiter{max: max, now: now, clients: make(map[netip.Prefix]*list.Element)}
}

// blocked says how long client has to wait, at the cost of a look into a map. It
// spares a flood the digest, and the ceiling the flood.
func (l *memoryLimiter) blocked(client netip.Prefix) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.wait(client)
}

// wait is blocked with mu held. What is not positive is no wait.
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

// add counts a wrong code, after those that have been forgotten meanwhile. What
// is left of an interval counts towards the next.
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
