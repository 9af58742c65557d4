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
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", addr)
			if err != nil {
				client.Close()
				continue
			}
			var asked atomic.Bool
			go pass(server, client, func() {
				if !asked.Swap(true) {
					c.n.Add(1)
				}
			})
			go pass(client, server, func() { asked.Store(false) })
		}
	}()
	return l.Addr().String()
}

// pass copies what from says to to, and calls said before each piece of it.
func pass(to, from net.Conn, said func()) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 16<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			said()
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
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
