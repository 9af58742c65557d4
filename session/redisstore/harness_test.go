package redisstore_test

import (
	"net"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/session/redisstore"
)

// key has the form of all that a Manager uses.
const key = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

// at is where the store keeps key.
const at = "sallyport:session:" + key

// list has the form of all that a Manager uses, and listAt is where the store keeps it.
const (
	list   = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"
	listAt = "sallyport:session:list:" + list
)

// newStore returns a store on a server of its own, whose clock stands still but for FastForward
// where keys expire.
func newStore(t *testing.T, c redisstore.Config) (*redisstore.Store, *miniredis.Miniredis) {
	t.Helper()
	server := miniredis.RunT(t)
	return storeAt(t, server.Addr(), c), server
}

func storeAt(t *testing.T, addr string, c redisstore.Config) *redisstore.Store {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: addr})
	t.Cleanup(func() { client.Close() })
	store, err := redisstore.New(client, c)
	require.NoError(t, err)
	return store
}

// proxy stands between a client and a server and does to the server's answers what
// its fault says.
type proxy struct {
	addr string

	mu    sync.Mutex
	fault func(answer []byte) (instead []byte, cut bool)
	conns []net.Conn
}

func newProxy(t *testing.T, server string) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &proxy{addr: listener.Addr().String()}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			behind, err := net.Dial("tcp", server)
			if err != nil {
				client.Close()
				continue
			}
			p.mu.Lock()
			p.conns = append(p.conns, client, behind)
			p.mu.Unlock()
			running.Go(func() { p.copy(behind, client, false) })
			running.Go(func() { p.copy(client, behind, true) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		p.cut()
		running.Wait()
	})
	return p
}

// copy hands on what from says, until one of the two ends.
func (p *proxy) copy(to, from net.Conn, answers bool) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 1<<16)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		said, cut := buf[:n], false
		p.mu.Lock()
		fault := p.fault
		p.mu.Unlock()
		if answers && fault != nil {
			said, cut = fault(said)
		}
		if _, err := to.Write(said); err != nil || cut {
			return
		}
	}
}

// set has all answers go through fault from now on.
func (p *proxy) set(fault func([]byte) ([]byte, bool)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = fault
}

// cut ends all connections.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		c.Close()
	}
	p.conns = nil
}

// within fails the test if f takes much longer than limit.
func within(t *testing.T, limit time.Duration, f func()) {
	t.Helper()
	began := time.Now()
	f()
	require.Less(t, time.Since(began), limit+500*time.Millisecond)
}
