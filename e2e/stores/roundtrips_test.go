package stores_test

import (
	"net"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// turns stands before a server and counts round trips: how often a client said something
// after an answer, in however many packets.
type turns struct{ n atomic.Int64 }

// before returns the address at which connections to addr are counted.
func (c *turns) before(t testing.TB, addr string) string {
	t.Helper()
	return between(t, addr, func(client, server net.Conn) { c.count(client, server, func() bool { return true }) })
}

// count hands on what hand lets pass, and counts.
func (c *turns) count(client, server net.Conn, hand func() bool) {
	var asked atomic.Bool
	go pass(server, client, func() bool {
		if !asked.Swap(true) {
			c.n.Add(1)
		}
		return hand()
	})
	go pass(client, server, func() bool {
		asked.Store(false)
		return hand()
	})
}

// A request that reads its session waits for its store once, and so it does with scs. SQLite
// and memory are in the process.
func TestOneRoundTripPerRequest(t *testing.T) { // SE-09, SE-10
	counts := map[string]*turns{}
	all := places(t, func(name, addr string) string {
		counts[name] = &turns{}
		return counts[name].before(t, addr)
	})
	require.Len(t, counts, 3)
	for _, p := range all {
		c := counts[p.name]
		if c == nil {
			continue
		}
		ours, _ := ourSites(t, p.ours, 1)
		for name, site := range map[string]*site{"ours": ours, "scs": scsSite(t, p.scs, 1)} {
			site.next(t) // prepares the statement
			site.next(t)
			before := c.n.Load()
			for range 100 {
				site.next(t)
			}
			require.Equal(t, int64(100), c.n.Load()-before, "%s in %s", name, p.name)
		}
	}
}
