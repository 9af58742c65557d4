package accesscode

import (
	"math"
	"net/netip"
	"time"
)

// The networks that an address belongs to, from the narrowest to the widest.
const (
	client   = iota // who has one address, or an IPv6 network of 64 bits
	site            // who has one allocation
	provider        // who sells allocations
	levels
)

type networks [levels]netip.Prefix

// kinds says of each level how wide its networks are, and how many wrong codes they
// have.
var kinds = [levels]struct {
	bits4, bits6 int
	allowance    int           // wrong codes at once
	forgetAfter  time.Duration // until one of them is forgotten
	weight       int           // of one in a rank: allowance times weight is the same everywhere
}{
	client:   {32, 64, 5, 10 * time.Minute, 64},
	site:     {24, 48, 40, time.Minute, 8},
	provider: {16, 32, 320, 10 * time.Second, 1},
}

// networksOf is what counts as one client, one site and one provider. Whoever has
// an IPv6 address has 2^64 of them (RFC 4291 2.5.1), and whoever has several such
// networks has up to 2^16 (RFC 6177). An IPv4 address is the same when it comes
// mapped into IPv6, and a zone is left out.
func networksOf(addr netip.Addr) (n networks) {
	addr = addr.Unmap().WithZone("")
	for l := range kinds {
		bits := kinds[l].bits6
		if addr.Is4() {
			bits = kinds[l].bits4
		}
		n[l], _ = addr.Prefix(bits) // the zero address, of a Unix socket, has zero prefixes
	}
	return n
}

// What one client may do:
//
//	wrong code   1  2  3  4  5    6    7    8     9    10    11   12 ...
//	then waits   -  -  -  -  15s  30s  1m   2m    4m   8m    15m  15m
//
// and one wrong code less for each 10 minutes. A client that always guesses as soon
// as it may settles at one guess for each 10 minutes.
const (
	firstDelay = 15 * time.Second
	maxDelay   = 15 * time.Minute
)

// knownFor is how long a right code makes its client one that is known.
const knownFor = 30 * 24 * time.Hour

// counts are the wrong codes of networks, and the clients that right ones came
// from. A network is remembered for wrong codes only, and a client as known for a
// right one only: no guess makes the gate forget who is known.
type counts struct {
	wrong [levels]recent[counter]
	known recent[success]
	seen  seen
}

// counter is of the wrong codes of one network.
type counter struct {
	wrong int
	since time.Time // when wrong was last brought up to date
	until time.Time // for a client, when the next attempt counts
}

// success is the last right code that a client sent.
type success struct {
	at      time.Time
	expires time.Time // of the code
}

func newCounts(max int) (c counts) {
	for l := range c.wrong {
		c.wrong[l] = newRecent[counter](max)
	}
	c.known = newRecent[success](max)
	return c
}

// closed says how long a client has to wait, at the cost of a look into a map. What
// is not positive is no wait.
func (c *counts) closed(one netip.Prefix, now time.Time) time.Duration {
	n := c.wrong[client].get(one)
	if n == nil {
		return 0
	}
	return n.closed(now)
}

// exhausted says how long the site and the provider of from have to wait.
func (c *counts) exhausted(from *networks, now time.Time) (wait time.Duration) {
	for l := site; l < levels; l++ {
		if n := c.wrong[l].get(from[l]); n != nil {
			n.forget(kinds[l].forgetAfter, now)
			if more := n.wrong - kinds[l].allowance; more >= 0 {
				wait = max(wait, n.since.Add(time.Duration(more+1)*kinds[l].forgetAfter).Sub(now))
			}
		}
	}
	return wait
}

// isKnown reports whether a right code came from one lately, which still counts. It
// did from a device.
func (c *counts) isKnown(one netip.Prefix, now time.Time) bool {
	if isDevice(one) {
		return true
	}
	s := c.known.get(one)
	return s != nil && now.Before(s.at.Add(knownFor)) && !over(s.expires, now)
}

// rank is the larger, the more of its allowance any network of from has used,
// attempts ahead included. A known client is ranked before all others, and its
// wider networks say nothing of it.
func (c *counts) rank(from *networks, ahead [levels]int, known bool, now time.Time) (rank int) {
	for l := range levels {
		used := ahead[l]
		if n := c.wrong[l].get(from[l]); n != nil {
			n.forget(kinds[l].forgetAfter, now)
			used += n.wrong
		} else if l == client && c.seen.has(from[l]) {
			used++
		}
		if l == client || !known {
			rank = max(rank, used*kinds[l].weight)
		}
	}
	if known {
		rank += math.MinInt / 2
	}
	return rank
}

// add counts a wrong code of from, as far as the level upTo.
func (c *counts) add(from *networks, upTo int, now time.Time) {
	if upTo > client {
		c.seen.add(from[client], now)
	}
	for l := range upTo + 1 {
		c.wrong[l].touch(from[l]).add(l, now)
	}
}

// closed says how long the client has to wait. What is not positive is no wait. No
// wait is longer than maxDelay, unless the clock was set back.
func (n *counter) closed(now time.Time) time.Duration {
	if n.until.After(now.Add(maxDelay)) {
		return 0
	}
	return n.until.Sub(now)
}

// add counts a wrong code of a network of that level.
func (n *counter) add(level int, now time.Time) {
	n.forget(kinds[level].forgetAfter, now)
	n.wrong++
	if more := n.wrong - kinds[level].allowance; level == client && more >= 0 {
		n.until = now.Add(min(firstDelay<<min(more, 16), maxDelay))
	}
}

// forget leaves out what is over. What is left of an interval counts towards the
// next. A clock that was set back forgets nothing, and begins anew.
func (n *counter) forget(after time.Duration, now time.Time) {
	if now.Before(n.since) {
		n.since = now
	}
	forgotten := int(now.Sub(n.since) / after)
	if n.wrong -= forgotten; n.wrong <= 0 {
		n.wrong, n.since = 0, now
	} else {
		n.since = n.since.Add(time.Duration(forgotten) * after)
	}
}
