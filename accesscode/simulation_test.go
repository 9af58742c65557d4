package accesscode_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/accesscode"
)

// A scene is an attacker and 50 people with the right code.
type scene struct {
	name    string
	network func(i int) netip.Addr // the attacker's i-th
	n       int                    // how many there are
	code    string
	known   bool          // the people came before
	start   time.Duration // of the attack, before the first of them comes
	length  time.Duration
	rate    time.Duration // between the attacker's guesses
	bound   bound
}

// bound is what the attacker's networks may guess in all.
type bound struct {
	burst int
	after time.Duration // one more
}

const people = 50

// outcome of a scene.
type outcome struct {
	in, total             int // people on addresses of their own
	nearIn, nearTotal     int // people next door to the attacker, in one /24 or /48
	sharedIn, sharedTotal int // people on the attacker's
	slowest               time.Duration
	guesses               int
}

func (o outcome) String() string {
	return fmt.Sprintf("%3d %% | %3d %% | %3d %% | %5.2f s | %6d", 100*o.in/o.total, 100*o.nearIn/o.nearTotal, 100*o.sharedIn/o.sharedTotal, o.slowest.Seconds(), o.guesses)
}

// play has the attacker guess all the time, and the people come one after the
// other. Of 50, 35 type the right code, 25 of them twice; 5 make a mistake first;
// 5 live next door to the attacker, and 5 have the attacker's first address.
// Whoever is refused tries again after Retry-After, if that is within 10 seconds.
func (s scene) play(t *testing.T) (o outcome) {
	synctest.Test(t, func(t *testing.T) {
		g := newTimedGate(t, func(c *accesscode.Config) { c.Codes[0].Text = auth.NewSecret(s.code) })
		home := func(i int) netip.Addr { // far from each other, and from the attacker's allocations
			if i%2 == 0 {
				return netip.MustParseAddr(fmt.Sprintf("2a0%x:%x:1:1::1", i%8, 0x1000+i*37))
			}
			return netip.AddrFrom4([4]byte{byte(80 + i), byte(i * 37), 7, 7})
		}
		devices := map[netip.Addr]string{}
		if s.known {
			for i := range people {
				for _, from := range []netip.Addr{home(i), nextDoor(s.network(0), i), s.network(0)} {
					_, device, err := g.VerifyDevice(ctx, from, "", s.code)
					require.NoError(t, err)
					devices[from] = device
				}
			}
		}
		var mu sync.Mutex
		end := time.Now().Add(s.start + s.length)
		go func() {
			for i := 0; time.Now().Before(end); i++ {
				go func() {
					_, err := g.Verify(ctx, s.network(i%s.n), fmt.Sprint("guess-", i))
					if errors.Is(err, auth.ErrWrongCode) {
						mu.Lock()
						o.guesses++
						mu.Unlock()
					}
				}()
				time.Sleep(s.rate)
			}
		}()
		time.Sleep(s.start)
		mu.Lock()
		o.guesses = 0
		mu.Unlock()
		for i := range people {
			time.Sleep(s.length / (people + 1))
			go func() {
				from, shared, near, mistake := home(i), i%10 == 9, i%10 == 7, i%10 == 4
				switch {
				case shared:
					from = s.network(0)
				case near:
					from = nextDoor(s.network(0), i)
				}
				if mistake {
					_, _, _ = g.VerifyDevice(ctx, from, devices[from], "a mistake")
					time.Sleep(3 * time.Second)
				}
				took, in := arrive(g, from, devices[from], s.code)
				if in && i%2 == 0 && !mistake { // once more
					more, again := arrive(g, from, devices[from], s.code)
					took, in = max(took, more), again
				}
				mu.Lock()
				defer mu.Unlock()
				if shared {
					o.sharedTotal++
					if in {
						o.sharedIn++
					}
					return
				}
				if near {
					o.nearTotal++
					if in {
						o.nearIn++
					}
					return
				}
				o.total++
				if in {
					o.in++
					o.slowest = max(o.slowest, took)
				}
			}()
		}
		time.Sleep(time.Until(end) + time.Minute) // the last have their answers
	})
	return o
}

// nextDoor is another client of the site of addr.
func nextDoor(addr netip.Addr, i int) netip.Addr {
	if addr.Is4() {
		b := addr.As4()
		b[3] += byte(100 + i)
		return netip.AddrFrom4(b)
	}
	b := addr.As16()
	b[6], b[7] = 0xff, byte(i)
	return netip.AddrFrom16(b)
}

// arrive types the right code, and again as long as there is time.
func arrive(g *accesscode.Gate, from netip.Addr, device, text string) (took time.Duration, in bool) {
	start := time.Now()
	for {
		_, _, err := g.VerifyDevice(ctx, from, device, text)
		took = time.Since(start)
		wait := limited(err)
		if err == nil || wait <= 0 {
			return took, err == nil && took <= 10*time.Second
		}
		wait = wait.Truncate(time.Second) + time.Second // as Retry-After has it, or later
		if took+wait > 10*time.Second {
			return took, false
		}
		time.Sleep(wait)
	}
}

// world is one of 2^16 networks that have nothing in common, which each scene
// shuffles in its own way.
func world6(i int) netip.Addr {
	return netip.MustParseAddr(fmt.Sprintf("26%02x:%x:1::1", i>>8, i&0xff<<4))
}

func world4(i int) netip.Addr {
	r := rand.New(rand.NewPCG(4, uint64(i)))
	return netip.AddrFrom4([4]byte{byte(1 + i%220), byte(r.IntN(256)), byte(r.IntN(256)), byte(i / 220)})
}

func in48(i int) netip.Addr { return netip.MustParseAddr(fmt.Sprintf("2001:db8:0:%x::1", i)) }
func in32(i int) netip.Addr { return netip.MustParseAddr(fmt.Sprintf("2001:db8:%x::1", i)) }
func in24(i int) netip.Addr { return netip.AddrFrom4([4]byte{198, 51, 100, byte(i)}) }
func in16(i int) netip.Addr { return netip.AddrFrom4([4]byte{198, 51, byte(i >> 8), byte(i)}) }

// Which promises hold of which people, and how much an attacker guesses. With -v an
// hour is played instead of two minutes, and the table of docs/access-code.md is
// written.
func TestSimulation(t *testing.T) { // AC-01, AC-03
	length, rate := 2*time.Minute, 10*time.Millisecond
	switch {
	case testing.Short():
		length = 30 * time.Second
	case testing.Verbose():
		length = time.Hour
	}
	one, aSite, aProvider, everybody := bound{15, 10 * time.Minute}, bound{40, time.Minute}, bound{320, 10 * time.Second}, bound{100, 50 * time.Millisecond}
	attackers := []scene{
		{name: "1 address", network: in24, n: 1, bound: one},
		{name: "2^8 of one /24", network: in24, n: 1 << 8, bound: aSite},
		{name: "2^16 of one /16", network: in16, n: 1 << 16, bound: aProvider},
		{name: "2^8 of the world", network: world4, n: 1 << 8, bound: everybody},
		{name: "2^16 of the world", network: world4, n: 1 << 16, bound: everybody},
		{name: "1 /64", network: in48, n: 1, bound: one},
		{name: "2^8 /64 of one /48", network: in48, n: 1 << 8, bound: aSite},
		{name: "2^16 /64 of one /48", network: in48, n: 1 << 16, bound: aSite},
		{name: "2^8 /48 of one /32", network: in32, n: 1 << 8, bound: aProvider},
		{name: "2^16 /48 of one /32", network: in32, n: 1 << 16, bound: aProvider},
		{name: "2^8 /32 of the world", network: world6, n: 1 << 8, bound: everybody},
		{name: "2^16 /48 of the world", network: world6, n: 1 << 16, bound: everybody},
		{name: "2^16 /48, an hour later", network: world6, n: 1 << 16, bound: everybody, start: time.Hour},
	}
	for _, kind := range []struct {
		name, code string
		known      bool
	}{
		{"strong code", strongCode, false},
		{"other code, known", rightCode, true},
		{"other code, new", rightCode, false},
	} {
		for _, s := range attackers {
			if s.start > 0 && length < time.Hour {
				continue
			}
			s.code, s.known, s.length, s.rate = kind.code, kind.known, length, rate
			o := s.play(t)
			t.Logf("| %-17s | %-23s | %v |", kind.name, s.name, o)
			switch {
			case kind.known:
				require.Equal(t, people, o.in+o.nearIn+o.sharedIn, s.name)
				require.LessOrEqual(t, o.slowest, 100*time.Millisecond, s.name)
			case kind.code == strongCode, s.bound != everybody, s.n < 1<<16:
				require.Equal(t, o.total, o.in, s.name)
			case s.start > 0:
				require.GreaterOrEqual(t, o.in, o.total-people/10, "%s: but for who makes a mistake", s.name)
			}
			if kind.code != strongCode && !kind.known {
				require.LessOrEqual(t, o.guesses, s.bound.burst+int((s.length+time.Minute)/s.bound.after)+50, s.name)
			}
		}
	}
}
