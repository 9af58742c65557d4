package accesscode

import (
	"net/netip"
	"time"
)

// Strong is what tells codes that nobody guesses.
var Strong = strong

// Seen is the filter of clients that were wrong.
type Seen struct{ seen }

func (s *Seen) Add(addr netip.Addr, now time.Time) { s.add(networksOf(addr)[client], now) }
func (s *Seen) Has(addr netip.Addr) bool           { return s.has(networksOf(addr)[client]) }

// Compare is what the time of a comparison is made of.
func (g *Gate) Compare(text string) int {
	digest, now := g.digest(text), g.now()
	return max(find(g.strong, &digest, now), find(g.weak, &digest, now))
}

// Clients counts those that are remembered for wrong codes.
func (g *Gate) Clients() int { return len(g.counts.wrong[client].entries) }

// Remembered is the most that there is of any one kind.
func (g *Gate) Remembered() int {
	n := len(g.counts.known.entries)
	for l := range levels {
		n = max(n, len(g.counts.wrong[l].entries))
	}
	return n
}

// Enter is Verify past the first look at the client.
func (g *Gate) Enter(addr netip.Addr, text string) error {
	from, digest := networksOf(addr), g.digest(text)
	g.mu.Lock()
	defer g.mu.Unlock()
	_, _, err := g.enter(&from, &digest, g.now())
	return err
}

// Waiting counts who is in the queue.
func (g *Gate) Waiting() int { g.mu.Lock(); defer g.mu.Unlock(); return len(g.ceiling.queue) }

// Wrong counts a wrong code past the ceiling, and says how long it has to wait.
func (g *Gate) Wrong(addr netip.Addr) time.Duration {
	from, now := networksOf(addr), g.now()
	g.mu.Lock()
	defer g.mu.Unlock()
	if wait := g.closed(&from, now); wait > 0 {
		return wait
	}
	g.counts.add(&from, provider, now)
	return 0
}

// StoreKey is where Config.Store has the count of a client.
func (g *Gate) StoreKey(addr netip.Addr) string {
	return g.shared.(*storeLimiter).key(networksOf(addr)[client])
}

// Newer is the count data, under key, as if a later release had written it.
func (g *Gate) Newer(key string, data []byte) []byte {
	body := append([]byte{countVersion + 1}, data[countMAC+1:]...)
	return append(g.shared.(*storeLimiter).mac("data", key, string(body))[:countMAC], body...)
}
