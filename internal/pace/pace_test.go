package pace_test

import (
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/internal/pace"
)

func TestBuckets(t *testing.T) { // RL-03
	now := time.Unix(1_800_000_000, 0)
	p := pace.New(3, 10*time.Second, func() time.Time { return now })
	a, b := netip.MustParseAddr("203.0.113.1"), netip.MustParseAddr("203.0.113.2")
	for range 3 {
		require.Zero(t, p.Wait(a))
		p.Take(a)
	}
	require.Equal(t, 10*time.Second, p.Wait(a))
	require.Zero(t, p.Wait(b), "another client")
	p.Take(a)
	require.Equal(t, 10*time.Second, p.Wait(a), "an empty bucket stays empty")
	now = now.Add(9 * time.Second)
	require.Equal(t, time.Second, p.Wait(a))
	now = now.Add(time.Second)
	require.Zero(t, p.Wait(a))
	p.Take(a)
	require.Equal(t, 10*time.Second, p.Wait(a), "one came back, and no more")
	now = now.Add(time.Hour)
	for range 3 {
		require.Zero(t, p.Wait(a))
		p.Take(a)
	}
	require.NotZero(t, p.Wait(a), "it holds no more than three")
	now = now.Add(-time.Hour)
	require.Zero(t, p.Wait(a), "a clock that is set back locks nobody out")
}

func TestClientsAreNetworks(t *testing.T) { // AC-02
	for _, test := range []struct {
		one, other string
		same       bool
	}{
		{"203.0.113.1", "::ffff:203.0.113.1", true},
		{"2001:db8::1", "2001:db8::ffff:1", true},
		{"2001:db8::1", "2001:db8::8000:0:0:1", true},
		{"2001:db8::1", "2001:db8:0:1::1", false},
		{"fe80::1%eth0", "fe80::2%eth1", true},
		{"203.0.113.1", "203.0.113.2", false},
	} {
		p := pace.New(1, time.Hour, time.Now)
		p.Take(netip.MustParseAddr(test.one))
		require.Equal(t, test.same, p.Wait(netip.MustParseAddr(test.other)) > 0, "%s and %s", test.one, test.other)
		require.Zero(t, p.Wait(netip.Addr{}))
	}
	p := pace.New(1, time.Hour, time.Now)
	p.Take(netip.Addr{})
	require.NotZero(t, p.Wait(netip.Addr{}), "those without an address share one")
}

// TestManyClients: memory is bounded, and whoever is remembered is so for as long as
// it matters.
func TestManyClients(t *testing.T) { // ST-14
	now := time.Unix(1_800_000_000, 0)
	p := pace.New(1, time.Minute, func() time.Time { return now })
	first := netip.MustParseAddr("192.0.2.1")
	p.Take(first)
	for i := range 1 << 14 {
		p.Take(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}))
	}
	require.NotZero(t, p.Wait(first), "the generation before is asked too")
	for i := range 1 << 15 {
		p.Take(netip.AddrFrom4([4]byte{11, byte(i >> 16), byte(i >> 8), byte(i)}))
	}
	require.Zero(t, p.Wait(first))
}

// TestRememberedWhileItMatters: as long as a bucket takes to fill, however many others
// come meanwhile.
func TestRememberedWhileItMatters(t *testing.T) { // RL-03, ST-14
	now := time.Unix(1_800_000_000, 0)
	p := pace.New(3, 10*time.Second, func() time.Time { return now })
	a, b := netip.MustParseAddr("203.0.113.1"), netip.MustParseAddr("203.0.113.2")
	for range 3 {
		p.Take(a)
	}
	for range 2 {
		now = now.Add(11 * time.Second)
		p.Take(b)
	}
	p.Take(a)
	p.Take(a)
	require.NotZero(t, p.Wait(a), "two came back, and no more")
}

// TestTwoGenerations: each has 16384 clients, and the one before the last is forgotten.
func TestTwoGenerations(t *testing.T) { // ST-14
	now := time.Unix(1_800_000_000, 0)
	p := pace.New(1, time.Minute, func() time.Time { return now })
	first := netip.MustParseAddr("192.0.2.1")
	p.Take(first)
	for i := range 2<<14 - 1 {
		p.Take(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}))
	}
	require.NotZero(t, p.Wait(first))
	p.Take(netip.MustParseAddr("192.0.2.2"))
	require.Zero(t, p.Wait(first))
}

// TestClockSetBack: whoever came in the hour that is to come again does not pay for it
// twice.
func TestClockSetBack(t *testing.T) { // RL-03
	now := time.Unix(1_800_000_000, 0)
	p := pace.New(1, time.Minute, func() time.Time { return now })
	a, b := netip.MustParseAddr("203.0.113.1"), netip.MustParseAddr("203.0.113.2")
	p.Take(a)
	now = now.Add(-time.Hour)
	p.Take(b)
	now = now.Add(2 * time.Minute)
	p.Take(b)
	now = now.Add(58*time.Minute + time.Second)
	require.Zero(t, p.Wait(a))
}

func TestConcurrentUse(t *testing.T) {
	p := pace.New(10, time.Hour, time.Now)
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			for j := range 100 {
				client := netip.MustParseAddr(fmt.Sprintf("192.0.2.%d", (i+j)%4))
				p.Wait(client)
				p.Take(client)
			}
		})
	}
	wait.Wait()
	require.NotZero(t, p.Wait(netip.MustParseAddr("192.0.2.0")))
}

func TestNoMoreGetInThanThereAreTokens(t *testing.T) { // RL-03
	now := time.Unix(1_800_000_000, 0)
	p := pace.New(3, 10*time.Second, func() time.Time { return now })
	client := netip.MustParseAddr("203.0.113.1")
	var in atomic.Int32
	var wait sync.WaitGroup
	for range 50 {
		wait.Go(func() {
			if p.Enter(client) == 0 {
				in.Add(1)
			}
		})
	}
	wait.Wait()
	require.EqualValues(t, 3, in.Load())
	require.Equal(t, 10*time.Second, p.Enter(client))
	p.Leave(client)
	require.Zero(t, p.Enter(client), "one was put back")
	require.NotZero(t, p.Enter(client))
	for range 9 {
		p.Leave(client)
	}
	for range 3 {
		require.Zero(t, p.Enter(client))
	}
	require.NotZero(t, p.Enter(client), "a bucket holds no more than three")
}
