// Package pace bounds how often one client may cost something: a call to an
// identity provider, say. Each client has a bucket of tokens, which fill up again
// with time.
//
//	Wait    how long until there is a token; 0 for now
//	Take    uses one up
//	Enter   uses one up if there is one, and says how long to wait if not
//	Leave   puts it back, for what turned out to cost nothing
//
// A client is a network: an IPv4 address, or the /64 of an IPv6 one, which is what
// one customer has at least. Clients of which no address is known share a bucket.
package pace

import (
	"net/netip"
	"sync"
	"time"
)

// maxClients bounds the clients in each of two generations, at about 100 bytes each.
const maxClients = 1 << 14

// Pacer has a bucket for each client. It is safe for concurrent use.
type Pacer struct {
	burst int
	every time.Duration
	now   func() time.Time

	mu         sync.Mutex
	young, old map[netip.Prefix]time.Time // when a client's bucket was empty, or would have been
	since      time.Time
}

// New makes buckets of burst tokens, of which one comes back in every.
func New(burst int, every time.Duration, now func() time.Time) *Pacer {
	return &Pacer{burst: burst, every: every, now: now}
}

// Wait returns how long client has to wait for a token, and 0 where it has one.
func (p *Pacer) Wait(client netip.Addr) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	return max(0, p.empty(networkOf(client), now).Add(p.every).Sub(now))
}

// Take uses up a token of client's. It may be called without [Pacer.Wait]: an empty
// bucket stays empty.
func (p *Pacer) Take(client netip.Addr) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now, network := p.now(), networkOf(client)
	empty := p.empty(network, now).Add(p.every)
	if empty.After(now) {
		empty = now
	}
	p.set(network, empty, now)
}

func (p *Pacer) set(network netip.Prefix, empty, now time.Time) {
	if full := p.every * time.Duration(p.burst); p.young == nil || len(p.young) >= maxClients || now.Sub(p.since) > full || now.Before(p.since) {
		// Whoever is not seen for as long as a bucket takes to fill has a full one.
		p.old, p.young, p.since = p.young, make(map[netip.Prefix]time.Time), now
	}
	p.young[network] = empty
}

// Enter takes a token and returns 0, or returns how long client has to wait for one.
// However many call it at once, no more get in than there are tokens.
func (p *Pacer) Enter(client netip.Addr) (wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now, network := p.now(), networkOf(client)
	empty := p.empty(network, now).Add(p.every)
	if empty.After(now) {
		return empty.Sub(now)
	}
	p.set(network, empty, now)
	return 0
}

// Leave puts back the token that Enter took.
func (p *Pacer) Leave(client netip.Addr) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now, network := p.now(), networkOf(client)
	p.set(network, p.empty(network, now).Add(-p.every), now)
}

// empty is when the bucket of network was empty: burst tokens ago for a full one.
func (p *Pacer) empty(network netip.Prefix, now time.Time) time.Time {
	full := now.Add(-p.every * time.Duration(p.burst))
	at, ok := p.young[network]
	if !ok {
		at, ok = p.old[network]
	}
	if !ok || at.Before(full) || at.After(now) { // the clock was set back
		return full
	}
	return at
}

// networkOf is the zero prefix for a client of which no address is known.
func networkOf(client netip.Addr) netip.Prefix {
	client = client.Unmap().WithZone("")
	bits := 64
	if client.Is4() {
		bits = 32
	}
	network, _ := client.Prefix(bits)
	return network
}
