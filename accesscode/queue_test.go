package accesscode_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/accesscode"
)

// strongCode is as `openssl rand -hex 16` makes one.
const strongCode = "d4f0c81b72e95a3600bd1f68a9e7c354"

// outcomes are of attempts that a test makes at once.
type outcomes struct{ right, wrong, refused atomic.Int32 }

func (o *outcomes) verify(ctx context.Context, g *accesscode.Gate, client netip.Addr, text string) {
	_, err := g.Verify(ctx, client, text)
	switch {
	case err == nil:
		o.right.Add(1)
	case errors.Is(err, auth.ErrWrongCode):
		o.wrong.Add(1)
	case limited(err) > 0:
		o.refused.Add(1)
	}
}

func TestParallelRightCodesInTheQueue(t *testing.T) { // AC-03, AC-05
	synctest.Test(t, func(t *testing.T) {
		g := newTimedGate(t, nil)
		for range 4 {
			g.Wrong(alice)
		}
		flood(g)
		var o outcomes
		for range 500 {
			go o.verify(ctx, g, alice, rightCode)
		}
		synctest.Wait()
		require.Equal(t, 1, g.Waiting(), "one text of one client waits once")
		time.Sleep(50 * time.Millisecond)
		synctest.Wait()
		require.EqualValues(t, 500, o.right.Load())
		require.Zero(t, g.Wrong(alice), "none of them counted")
		require.Positive(t, g.Wrong(alice), "the wrong ones before do")
	})
}

func TestRightCodesTakeNoRoom(t *testing.T) { // AC-03
	synctest.Test(t, func(t *testing.T) {
		g := newTimedGate(t, nil)
		flood(g)
		g.Wrong(stranger(2000)) // who goes last
		var o outcomes
		for i := range 150 {
			go o.verify(ctx, g, stranger(1000+i), rightCode)
		}
		go o.verify(ctx, g, stranger(2000), "wrong")
		synctest.Wait()
		require.Equal(t, 151, g.Waiting())
		time.Sleep(50 * time.Millisecond)
		synctest.Wait()
		require.EqualValues(t, 150, o.right.Load(), "all at the first turn")
		require.EqualValues(t, 1, o.wrong.Load(), "which was still there for the wrong one")
	})
}

func TestOneClientInTheQueue(t *testing.T) { // AC-05
	synctest.Test(t, func(t *testing.T) {
		g := newTimedGate(t, nil)
		flood(g)
		var o outcomes
		for i := range 50 {
			go o.verify(ctx, g, alice, fmt.Sprint("wrong-", i))
		}
		synctest.Wait()
		require.Equal(t, 5, g.Waiting(), "no more wait than may be wrong")
		require.EqualValues(t, 45, o.refused.Load())
		for range 3 {
			g.Wrong(alice)
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		require.EqualValues(t, 2, o.wrong.Load(), "who is closed out meanwhile is not compared")
		require.EqualValues(t, 48, o.refused.Load())
	})
}

func TestHangingUp(t *testing.T) { // AC-03, AC-05
	synctest.Test(t, func(t *testing.T) {
		g := newTimedGate(t, nil)
		flood(g)
		gone, cancel := context.WithCancel(ctx)
		var o outcomes
		for i := range 200 {
			go o.verify(gone, g, stranger(1000+i), "wrong")
		}
		go o.verify(gone, g, stranger(1000), "wrong")
		go o.verify(ctx, g, stranger(1001), "wrong")
		synctest.Wait()
		require.Equal(t, 200, g.Waiting())
		cancel()
		synctest.Wait()
		require.EqualValues(t, 201, o.refused.Load())
		require.Equal(t, 1, g.Waiting(), "who hangs up leaves the queue, and takes nobody along")
		for range 5 {
			require.Zero(t, g.Wrong(stranger(1000)), "what was not compared is not counted")
		}
		time.Sleep(50 * time.Millisecond)
		synctest.Wait()
		require.EqualValues(t, 1, o.wrong.Load())
	})
}

func TestNobodyWaitsForLonger(t *testing.T) { // AC-01
	synctest.Test(t, func(t *testing.T) {
		g := newTimedGate(t, nil)
		flood(g)
		g.Wrong(alice)
		var others outcomes
		go func() { // who come before, all the time, and do not fill the queue
			for i := range 300 {
				go others.verify(ctx, g, stranger(1000+i), "wrong")
				time.Sleep(40 * time.Millisecond)
			}
		}()
		time.Sleep(time.Second)
		start := time.Now()
		_, err := g.Verify(ctx, alice, "wrong again")
		require.Equal(t, time.Second, limited(err))
		require.Equal(t, 10*time.Second, time.Since(start))
		time.Sleep(time.Minute)
	})
}

func TestFullQueue(t *testing.T) { // AC-01, AC-03
	synctest.Test(t, func(t *testing.T) {
		g := newTimedGate(t, nil)
		for i := range 201 {
			g.Wrong(stranger(1000 + i))
		}
		flood(g)
		var crowd, late, clean outcomes
		for i := range 200 {
			go crowd.verify(ctx, g, stranger(1000+i), "wrong")
		}
		synctest.Wait()
		require.Equal(t, 200, g.Waiting())
		g.Wrong(stranger(1200))
		late.verify(ctx, g, stranger(1200), "wrong")
		require.EqualValues(t, 1, late.refused.Load(), "who is worse than the last is refused at once")
		go clean.verify(ctx, g, alice, rightCode)
		synctest.Wait()
		require.EqualValues(t, 1, crowd.refused.Load(), "who is better takes the place of the last")
		require.Equal(t, 200, g.Waiting())
		time.Sleep(50 * time.Millisecond)
		synctest.Wait()
		require.EqualValues(t, 1, clean.right.Load())
		time.Sleep(10 * time.Second)
		synctest.Wait()
		require.EqualValues(t, 199, crowd.wrong.Load())
	})
}

func TestWhoGoesFirst(t *testing.T) { // AC-03
	addr := netip.MustParseAddr
	for name, test := range map[string]struct {
		before        func(g *accesscode.Gate)
		first, second netip.Addr // the second comes first
	}{
		"no wrong code": {func(g *accesscode.Gate) { g.Wrong(addr("198.51.100.7")) }, alice, addr("198.51.100.7")},
		"none nearby":   {func(g *accesscode.Gate) { g.Wrong(addr("198.51.100.7")) }, alice, addr("198.51.100.8")},
		"none in a /48": {func(g *accesscode.Gate) { g.Wrong(addr("2001:db8:1:1::1")) }, addr("2001:db8:2::1"), addr("2001:db8:1:2::1")},
		"none in a /16": {func(g *accesscode.Gate) { g.Wrong(addr("198.51.100.7")) }, alice, addr("198.51.7.8")},
		"none in a /32": {func(g *accesscode.Gate) { g.Wrong(addr("2001:db8:1:1::1")) }, addr("2001:db9::1"), addr("2001:db8:7:2::1")},
		"one, and the /48 many": {func(g *accesscode.Gate) {
			g.Wrong(alice)
			for i := range 10 {
				g.Wrong(addr(fmt.Sprintf("2001:db8:1:%x::1", i)))
			}
		}, alice, addr("2001:db8:1:ff::1")},
		"known, in spite of a wrong one": {func(g *accesscode.Gate) {
			_, _ = g.Verify(ctx, alice, rightCode)
			g.Wrong(alice)
		}, alice, addr("198.51.100.7")},
		"known, whatever the neighbours do": {func(g *accesscode.Gate) {
			_, _ = g.Verify(ctx, alice, rightCode)
			for i := range 50 {
				g.Wrong(addr(fmt.Sprintf("192.0.2.%d", 100+i)))
			}
		}, alice, addr("198.51.100.7")},
		"known, and no worse for the neighbours than others who are": {func(g *accesscode.Gate) {
			_, _ = g.Verify(ctx, alice, rightCode)
			_, _ = g.Verify(ctx, addr("198.51.100.7"), rightCode)
			for i := range 10 {
				g.Wrong(addr(fmt.Sprintf("192.0.2.%d", 100+i)))
			}
		}, alice, addr("198.51.100.7")},
	} {
		synctest.Test(t, func(t *testing.T) {
			g := newTimedGate(t, nil)
			test.before(g)
			flood(g)
			var first, second outcomes
			go second.verify(ctx, g, test.second, "wrong")
			synctest.Wait()
			go first.verify(ctx, g, test.first, "wrong")
			synctest.Wait()
			require.Equal(t, 2, g.Waiting(), name)
			time.Sleep(50 * time.Millisecond)
			synctest.Wait()
			require.EqualValues(t, 1, first.wrong.Load(), name)
			require.Zero(t, second.wrong.Load(), name)
			time.Sleep(50 * time.Millisecond)
			synctest.Wait()
			require.EqualValues(t, 1, second.wrong.Load(), name)
		})
	}
}

func TestWhoCameLastGoesFirst(t *testing.T) { // AC-03
	synctest.Test(t, func(t *testing.T) {
		g := newTimedGate(t, nil)
		flood(g)
		var before, after outcomes
		go before.verify(ctx, g, netip.MustParseAddr("198.51.100.7"), "wrong")
		synctest.Wait()
		go after.verify(ctx, g, alice, "wrong")
		synctest.Wait()
		time.Sleep(50 * time.Millisecond)
		synctest.Wait()
		require.EqualValues(t, 1, after.wrong.Load())
		require.Zero(t, before.wrong.Load())
		time.Sleep(50 * time.Millisecond)
	})
}

func TestSeenClientsGoLast(t *testing.T) { // AC-03, AC-04
	synctest.Test(t, func(t *testing.T) {
		g := newTimedGate(t, func(c *accesscode.Config) { c.MaxClients = 10 })
		first := func(one, other netip.Addr) bool {
			flood(g)
			var a, b outcomes
			go b.verify(ctx, g, other, "wrong")
			synctest.Wait()
			go a.verify(ctx, g, one, "wrong")
			synctest.Wait()
			time.Sleep(50 * time.Millisecond)
			synctest.Wait()
			was := a.wrong.Load() == 1
			time.Sleep(time.Minute)
			return was
		}
		g.Wrong(alice)
		require.False(t, first(alice, netip.MustParseAddr("198.51.100.7")), "forgotten by the counts, and yet not new")
		time.Sleep(13 * time.Hour)
		g.Wrong(stranger(1)) // the next generation
		require.False(t, first(alice, netip.MustParseAddr("198.51.101.7")), "it remembers for two generations at most")
		time.Sleep(13 * time.Hour)
		g.Wrong(stranger(1))
		time.Sleep(13 * time.Hour)
		g.Wrong(stranger(1))
		require.True(t, first(alice, netip.MustParseAddr("198.51.102.7")))
	})
}

func TestSeenIsBounded(t *testing.T) { // AC-04
	var s accesscode.Seen
	now := time.Now()
	require.False(t, s.Has(alice))
	const n = 1 << 20
	for i := range n {
		s.Add(stranger(i), now)
	}
	for i := n - 1<<18; i < n; i++ {
		require.True(t, s.Has(stranger(i)), i)
	}
	mistaken := 0
	for i := range 10_000 {
		if s.Has(stranger(n + i)) {
			mistaken++
		}
	}
	require.Less(t, mistaken, 1500, "few strangers are taken for somebody seen, however many there were")
}

func TestTheQueueIsFairToNetworks(t *testing.T) { // AC-03
	synctest.Test(t, func(t *testing.T) {
		g := newTimedGate(t, nil)
		flood(g)
		var crowd, other outcomes
		for i := range 100 { // of one site, none of which was wrong before
			go crowd.verify(ctx, g, netip.MustParseAddr(fmt.Sprintf("2001:db8:1:%x::1", i)), "wrong")
		}
		synctest.Wait()
		go other.verify(ctx, g, alice, "wrong")
		synctest.Wait()
		time.Sleep(100 * time.Millisecond)
		synctest.Wait()
		require.EqualValues(t, 1, other.wrong.Load())
		require.EqualValues(t, 1, crowd.wrong.Load(), "the first of it, which came before")
		time.Sleep(10 * time.Second)
		synctest.Wait()
		require.EqualValues(t, 40, crowd.wrong.Load(), "it is one site")
		require.EqualValues(t, 60, crowd.refused.Load())
	})
}

func TestWiderNetworksAreOneAttacker(t *testing.T) { // AC-01, AC-02
	for name, test := range map[string]struct {
		address func(i int) string
		burst   int
		refill  time.Duration
		near    string // refused too
		far     string // not
	}{
		"/24": {func(i int) string { return fmt.Sprintf("192.0.2.%d", i%250) }, 40, time.Minute, "192.0.2.253", "192.0.3.1"},
		"/16": {func(i int) string { return fmt.Sprintf("192.0.%d.1", i%250) }, 320, 10 * time.Second, "192.0.2.253", "192.1.0.1"},
		"/48": {func(i int) string { return fmt.Sprintf("2001:db8:0:%x::", i) }, 40, time.Minute, "2001:db8:0:ffff::", "2001:db8:1::"},
		"/32": {func(i int) string { return fmt.Sprintf("2001:db8:%x::", i) }, 320, 10 * time.Second, "2001:db8:ffff::", "2001:db9::"},
	} {
		g, at := newGate(t, func(c *accesscode.Config) {
			c.Codes = append(c.Codes, accesscode.Code{Text: auth.NewSecret(strongCode)})
		})
		for i := range test.burst {
			require.Zero(t, g.Wrong(netip.MustParseAddr(test.address(i))), name)
		}
		_, err := g.Verify(ctx, netip.MustParseAddr(test.near), rightCode)
		require.Equal(t, test.refill, limited(err), name)
		_, err = g.Verify(ctx, netip.MustParseAddr(test.near), "wrong")
		require.Equal(t, test.refill, limited(err), name)
		_, err = g.Verify(ctx, netip.MustParseAddr(test.far), rightCode)
		require.NoError(t, err, name)
		_, err = g.Verify(ctx, netip.MustParseAddr(test.near), strongCode)
		require.NoError(t, err, "%s: a code that nobody guesses is no matter of the neighbours", name)
		_, err = g.Verify(ctx, netip.MustParseAddr(test.near), rightCode)
		require.NoError(t, err, "%s: who is known passes", name)
		other := netip.MustParseAddr(test.near).Prev()
		at.advance(test.refill)
		_, err = g.Verify(ctx, other, rightCode)
		require.NoError(t, err, name)
	}
}

func TestWhoIsClosedOutDoesNotWait(t *testing.T) { // AC-03
	synctest.Test(t, func(t *testing.T) {
		g := newTimedGate(t, nil)
		flood(g)
		for i := range 40 {
			g.Wrong(netip.MustParseAddr(fmt.Sprintf("192.0.2.%d", 100+i)))
		}
		start := time.Now()
		_, err := g.Verify(ctx, alice, rightCode)
		require.Equal(t, time.Minute, limited(err), "the site has no wrong code left")
		require.Zero(t, time.Since(start))
	})
}

func TestKnownClientsHaveTheirOwnLimit(t *testing.T) { // AC-01
	g, at := newGate(t, nil)
	_, err := g.Verify(ctx, alice, rightCode)
	require.NoError(t, err)
	for range 5 {
		_, err := g.Verify(ctx, alice, "wrong")
		require.ErrorIs(t, err, auth.ErrWrongCode)
	}
	_, err = g.Verify(ctx, alice, rightCode)
	require.Equal(t, 15*time.Second, limited(err), "whoever knows one code cannot try others without end")
	at.advance(time.Hour)
	for i := range 50 {
		g.Wrong(netip.MustParseAddr(fmt.Sprintf("192.0.2.%d", 100+i)))
	}
	_, err = g.Verify(ctx, alice, rightCode)
	require.NoError(t, err)
	at.advance(30 * 24 * time.Hour)
	for i := range 50 {
		g.Wrong(netip.MustParseAddr(fmt.Sprintf("192.0.2.%d", 100+i)))
	}
	_, err = g.Verify(ctx, alice, rightCode)
	require.Positive(t, limited(err), "a month later nobody is known")
}

func TestExpiredCodesMakeNobodyKnown(t *testing.T) { // AC-10
	g, at := newGate(t, func(c *accesscode.Config) {
		c.Codes[0].Expires = c.Now().Add(time.Hour)
		c.Codes = append(c.Codes, accesscode.Code{Text: auth.NewSecret("another-weak-code")})
	})
	_, err := g.Verify(ctx, alice, rightCode)
	require.NoError(t, err)
	at.advance(time.Hour)
	for i := range 50 {
		g.Wrong(netip.MustParseAddr(fmt.Sprintf("192.0.2.%d", 100+i)))
	}
	_, err = g.Verify(ctx, alice, "another-weak-code")
	require.Positive(t, limited(err))
}

func TestStrongCodesKnowNoCeiling(t *testing.T) { // AC-01, AC-03
	synctest.Test(t, func(t *testing.T) {
		soon := time.Now().Add(time.Hour)
		g := newTimedGate(t, func(c *accesscode.Config) {
			c.Codes[0].Expires = soon
			c.Codes = append(c.Codes, accesscode.Code{Text: auth.NewSecret(strongCode), Label: "strong"})
		})
		flood(g)
		start := time.Now()
		id, err := g.Verify(ctx, alice, strongCode)
		require.NoError(t, err)
		require.Equal(t, "strong", id.Name)
		require.Zero(t, time.Since(start))
		_, err = g.Verify(ctx, stranger(1000), "wrong")
		require.ErrorIs(t, err, auth.ErrWrongCode)
		require.Positive(t, time.Since(start), "there is a code to be guessed")
		time.Sleep(time.Hour)
		start = time.Now()
		for i := range 1000 {
			_, err = g.Verify(ctx, netip.MustParseAddr(fmt.Sprintf("2001:db8:0:%x::", i)), "wrong")
			require.ErrorIs(t, err, auth.ErrWrongCode)
		}
		require.Zero(t, time.Since(start), "there is none")
		for range 4 {
			_, err = g.Verify(ctx, netip.MustParseAddr("2001:db8::"), "wrong")
			require.ErrorIs(t, err, auth.ErrWrongCode)
		}
		_, err = g.Verify(ctx, netip.MustParseAddr("2001:db8::"), strongCode)
		require.Equal(t, 15*time.Second, limited(err), "a client is limited all the same")
	})
}

func TestStrong(t *testing.T) { // AC-08
	for text, want := range map[string]bool{
		strongCode:                             true,
		"D4F0C81B72E95A3600BD1F68A9E7C354":     true,
		strongCode + strongCode:                true,
		"d4f0c81b72e95a3600bd1f68a9e7c35":      false, // a digit less
		"d4f0c81b72e95a3600bd1f68a9e7c35g":     false,
		"00000000000000000000000000000000":     false,
		"0123456789abcdef0123456789abcdef":     false,
		"deadbeefdeadbeefdeadbeefdeadbeef0123": false,
		"550e8400-e29b-41d4-a716-446655440000": false,
		"correct-horse-battery-staple-and-so-": false,
		"":                                     false,
	} {
		require.Equal(t, want, accesscode.Strong(text), text)
	}
}

func TestClockSetBackStopsNobody(t *testing.T) { // AC-03
	g, at := newGate(t, nil)
	flood(g)
	for i := range 50 {
		g.Wrong(netip.MustParseAddr(fmt.Sprintf("198.51.100.%d", 100+i)))
	}
	for range 8 {
		at.advance(15 * time.Minute)
		g.Wrong(alice)
		g.Wrong(alice)
		g.Wrong(alice)
	}
	at.advance(-24 * time.Hour)
	_, err := g.Verify(ctx, netip.MustParseAddr("203.0.113.1"), rightCode)
	require.NoError(t, err, "at the ceiling")
	_, err = g.Verify(ctx, alice, rightCode)
	require.NoError(t, err, "a client")
	_, err = g.Verify(ctx, netip.MustParseAddr("198.51.100.7"), rightCode)
	if err != nil {
		require.LessOrEqual(t, limited(err), 11*time.Minute)
	}
	at.advance(15 * time.Minute)
	_, err = g.Verify(ctx, netip.MustParseAddr("198.51.100.7"), rightCode)
	require.NoError(t, err, "a site")
}

func TestEvictionResetsNothing(t *testing.T) { // AC-04
	synctest.Test(t, func(t *testing.T) {
		g := newTimedGate(t, func(c *accesscode.Config) { c.MaxClients = 100 })
		const seconds = 60
		var o outcomes
		for i := range seconds * 100 {
			go o.verify(ctx, g, stranger(i%1000), fmt.Sprint("wrong-", i))
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(10 * time.Second)
		require.LessOrEqual(t, int(o.wrong.Load()), 100+(seconds+10)*20+1, "whoever rotates addresses is held by the ceiling, evictions or not")
		require.Equal(t, 100, g.Remembered())
	})
}

func TestSharedLimiterAndTheCeiling(t *testing.T) { // AC-03, AC-05
	synctest.Test(t, func(t *testing.T) {
		l := &sharedLimiter{taken: map[netip.Prefix]int{}}
		g := newTimedGate(t, func(c *accesscode.Config) { c.Limiter = l })
		me := netip.PrefixFrom(alice, 32)
		l.err = errors.New("connection refused")
		for range 1000 { // whom the limiter could not count takes no turn
			_, err := g.Verify(ctx, alice, "wrong")
			require.ErrorIs(t, err, auth.ErrStore)
		}
		l.err = nil
		l.taken[me] = 5
		for range 1000 { // nor whom it refuses
			_, err := g.Verify(ctx, alice, "wrong")
			require.Equal(t, time.Minute, limited(err))
		}
		l.taken[me] = 0
		start := time.Now()
		flood(g)
		require.Zero(t, time.Since(start))
		_, err := g.Verify(ctx, stranger(100), "wrong")
		require.ErrorIs(t, err, auth.ErrWrongCode)
		require.Equal(t, 50*time.Millisecond, time.Since(start), "each node has its ceiling")
		gone, cancel := context.WithCancel(ctx)
		cancel()
		_, err = g.Verify(gone, alice, "wrong")
		require.Positive(t, limited(err))
		require.Zero(t, l.taken[me], "what was not compared is given back")
		_, err = g.Verify(ctx, alice, rightCode)
		require.NoError(t, err)
		require.Zero(t, l.taken[me])
		_, err = g.Verify(ctx, alice, "wrong")
		require.ErrorIs(t, err, auth.ErrWrongCode)
		require.Equal(t, 1, l.taken[me])
	})
}
