package accesscode_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/accesscode"
)

const (
	testSecret = "kY3nC0p9V1xJm5Q8sT2wZ7bL4hF6gD0aR3eU9iOqXyE="
	rightCode  = "tulip-anvil-harbour-17"
)

var (
	ctx   = context.Background()
	alice = netip.MustParseAddr("192.0.2.1")
)

// clock is a time that a test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time          { c.mu.Lock(); defer c.mu.Unlock(); return c.now }
func (c *clock) advance(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.now = c.now.Add(d) }

func newGate(t testing.TB, change func(*accesscode.Config)) (*accesscode.Gate, *clock) {
	at := &clock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	c := accesscode.Config{
		Codes:   []accesscode.Code{{Text: auth.NewSecret(rightCode), Label: "board", Groups: []string{"board"}}},
		Secrets: []auth.Secret{auth.NewSecret(testSecret)},
		Now:     at.Now,
	}
	if change != nil {
		change(&c)
	}
	g, err := accesscode.New(c)
	require.NoError(t, err)
	return g, at
}

// newTimedGate is one for a bubble, where the clock of the process is the test's.
func newTimedGate(t testing.TB, change func(*accesscode.Config)) *accesscode.Gate {
	g, _ := newGate(t, func(c *accesscode.Config) {
		c.Now = time.Now
		if change != nil {
			change(c)
		}
	})
	return g
}

// flood takes all that the ceiling lets through at once.
func flood(g *accesscode.Gate) {
	for i := range 100 {
		_, _ = g.Verify(ctx, stranger(i), "wrong")
	}
}

func limited(err error) (wait time.Duration) {
	var l *auth.LimitError
	if errors.As(err, &l) {
		return l.RetryAfter
	}
	return 0
}

func TestWhichCodesCount(t *testing.T) { // AC-07, AC-14
	for text, want := range map[string]bool{
		rightCode:                           true,
		"":                                  false,
		"null":                              false,
		" " + rightCode:                     true, // white space around it is ignored
		rightCode + " ":                     true,
		rightCode + "\n":                    true,
		rightCode[:3] + " " + rightCode[3:]: false,
		rightCode + "\x00":                  false,
		strings.ToUpper(rightCode):          false,
		rightCode[:len(rightCode)-1]:        false,
		rightCode + "7":                     false,
		"cafe\u0301-noir-1":                 true, // as it is stored
		"caf\u00e9-noir-1":                  false,
		strings.Repeat(rightCode, 1000):     false,
		"first-of-several,second-of-many":   false,
	} {
		g, _ := newGate(t, func(c *accesscode.Config) {
			c.Codes = append(c.Codes, accesscode.Code{Text: auth.NewSecret("cafe\u0301-noir-1")})
		})
		id, err := g.Verify(ctx, alice, text)
		require.Equal(t, want, err == nil, "%.40q", text)
		if !want {
			require.ErrorIs(t, err, auth.ErrWrongCode)
			continue
		}
		require.Equal(t, accesscode.Issuer, id.Issuer)
		require.Empty(t, id.Email)
	}
}

func TestIdentity(t *testing.T) { // AC-10, AC-13
	g, _ := newGate(t, func(c *accesscode.Config) {
		c.Codes = append(c.Codes, accesscode.Code{Text: auth.NewSecret("another-code-entirely")})
	})
	one, err := g.Verify(ctx, alice, rightCode)
	require.NoError(t, err)
	require.Equal(t, "board", one.Name)
	require.Equal(t, []string{"board"}, one.Groups)
	one.Groups[0] = "changed"
	again, err := g.Verify(ctx, alice, rightCode)
	require.NoError(t, err)
	require.Equal(t, []string{"board"}, again.Groups, "an identity is its own")
	groups := []string{"board"}
	kept, _ := newGate(t, func(c *accesscode.Config) { c.Codes[0].Groups = groups })
	groups[0] = "changed"
	again, err = kept.Verify(ctx, alice, rightCode)
	require.NoError(t, err)
	require.Equal(t, []string{"board"}, again.Groups, "a gate keeps nothing of its Config")
	require.Equal(t, one.Subject, again.Subject)
	two, err := g.Verify(ctx, alice, "another-code-entirely")
	require.NoError(t, err)
	require.Equal(t, "access code", two.Name)
	require.NotEqual(t, one.Subject, two.Subject)
	other, _ := newGate(t, func(c *accesscode.Config) {
		c.Secrets = []auth.Secret{auth.NewSecret("another secret of 32 bytes or more, surely")}
	})
	foreign, err := other.Verify(ctx, alice, rightCode)
	require.NoError(t, err)
	require.NotEqual(t, one.Subject, foreign.Subject, "without the secret nobody can try codes against a subject")
}

func TestRotation(t *testing.T) { // AC-10, JE-10
	before, _ := newGate(t, nil)
	id, err := before.Verify(ctx, alice, rightCode)
	require.NoError(t, err)
	for name, test := range map[string]struct {
		change func(*accesscode.Config)
		want   bool
	}{
		"the same on another node": {nil, true},
		"a code is added": {func(c *accesscode.Config) {
			c.Codes = append([]accesscode.Code{{Text: auth.NewSecret("a-new-code-in-front")}}, c.Codes...)
		}, true},
		"the code is changed": {func(c *accesscode.Config) { c.Codes[0].Text = auth.NewSecret(rightCode + "8") }, false},
		"a new secret in front": {func(c *accesscode.Config) {
			c.Secrets = append([]auth.Secret{auth.NewSecret(strings.Repeat("n3w-", 10))}, c.Secrets...)
		}, true},
		"another secret": {func(c *accesscode.Config) { c.Secrets[0] = auth.NewSecret(strings.Repeat("n3w-", 10)) }, false},
	} {
		node, _ := newGate(t, test.change)
		require.Equal(t, test.want, node.Valid(id.Subject), name)
	}
	require.False(t, before.Valid(""))
	require.False(t, before.Valid(rightCode))
}

func TestExpiry(t *testing.T) { // AC-10
	g, at := newGate(t, func(c *accesscode.Config) { c.Codes[0].Expires = c.Now().Add(time.Hour) })
	id, err := g.Verify(ctx, alice, rightCode)
	require.NoError(t, err)
	at.advance(time.Hour - 1)
	require.True(t, g.Valid(id.Subject))
	at.advance(1)
	require.False(t, g.Valid(id.Subject))
	_, err = g.Verify(ctx, alice, rightCode)
	require.ErrorIs(t, err, auth.ErrWrongCode)
}

func TestOneClientIsBounded(t *testing.T) { // AC-01
	g, at := newGate(t, nil)
	guesses, each := 0, 10
	if testing.Short() {
		each = 1
	}
	for range 24 * 3600 { // ten a second for a day
		for range each {
			if _, err := g.Verify(ctx, alice, "wrong-wrong-wrong"); errors.Is(err, auth.ErrWrongCode) {
				guesses++
			}
		}
		at.advance(time.Second)
	}
	require.LessOrEqual(t, guesses, 160)
	require.Greater(t, guesses, 20, "a person who forgot is not locked out for a day")
	_, err := g.Verify(ctx, alice, rightCode)
	require.Positive(t, limited(err), "a limited client is refused before its code is looked at")
	at.advance(15 * time.Minute)
	_, err = g.Verify(ctx, alice, rightCode)
	require.NoError(t, err)
}

func TestDelaysGrow(t *testing.T) { // AC-01
	g, at := newGate(t, nil)
	for range 5 {
		_, err := g.Verify(ctx, alice, "wrong")
		require.ErrorIs(t, err, auth.ErrWrongCode)
	}
	for _, want := range []time.Duration{15, 30, 60, 120, 240, 480, 900, 900} {
		_, err := g.Verify(ctx, alice, "wrong")
		require.Equal(t, want*time.Second, limited(err))
		at.advance(want*time.Second - 1)
		_, err = g.Verify(ctx, alice, "wrong")
		require.Equal(t, time.Duration(1), limited(err))
		at.advance(1)
		_, err = g.Verify(ctx, alice, "wrong")
		require.ErrorIs(t, err, auth.ErrWrongCode, "at %v", want)
		if want >= 480 { // one was forgotten meanwhile
			break
		}
	}
	at.advance(24 * time.Hour)
	for range 5 {
		_, err := g.Verify(ctx, alice, "wrong")
		require.ErrorIs(t, err, auth.ErrWrongCode, "a day later everything is forgotten")
	}
}

func TestRightCodeForgivesOnlyItself(t *testing.T) { // AC-01
	g, _ := newGate(t, nil)
	for range 4 {
		_, err := g.Verify(ctx, alice, "wrong")
		require.ErrorIs(t, err, auth.ErrWrongCode)
		_, err = g.Verify(ctx, alice, rightCode)
		require.NoError(t, err)
	}
	_, err := g.Verify(ctx, alice, "wrong")
	require.ErrorIs(t, err, auth.ErrWrongCode)
	_, err = g.Verify(ctx, alice, "wrong")
	require.Positive(t, limited(err), "somebody who knows one code cannot try others without end")
}

func TestAddressesOfOneClient(t *testing.T) { // AC-02
	g, at := newGate(t, nil)
	ip := netip.MustParseAddr("2001:db8:0:1::").As16()
	guesses := 0
	for i := range 1 << 16 {
		binary.BigEndian.PutUint16(ip[14:], uint16(i))
		if _, err := g.Verify(ctx, netip.AddrFrom16(ip), "wrong"); errors.Is(err, auth.ErrWrongCode) {
			guesses++
		}
	}
	require.Equal(t, 5, guesses)
	require.Equal(t, 1, g.Clients())
	_, err := g.Verify(ctx, netip.MustParseAddr("2001:db8:0:2::1"), "wrong")
	require.ErrorIs(t, err, auth.ErrWrongCode, "the network beside it is another client")
	at.advance(time.Minute)
	for range 5 {
		_, _ = g.Verify(ctx, netip.MustParseAddr("::ffff:192.0.2.9"), "wrong")
	}
	_, err = g.Verify(ctx, netip.MustParseAddr("192.0.2.9"), "wrong")
	require.Positive(t, limited(err), "an IPv4 address in IPv6 clothes is the same")
	for range 5 {
		_, _ = g.Verify(ctx, netip.MustParseAddr("fe80::1%eth0"), "wrong")
	}
	_, err = g.Verify(ctx, netip.MustParseAddr("fe80::2%eth1"), "wrong")
	require.Positive(t, limited(err))
	for range 5 {
		_, _ = g.Verify(ctx, netip.Addr{}, "wrong")
	}
	_, err = g.Verify(ctx, netip.Addr{}, "wrong")
	require.Positive(t, limited(err), "peers without an address are one client")
}

// stranger is the i-th of many clients.
func stranger(i int) netip.Addr {
	var b [4]byte
	// Neighbours in number are far apart in the world.
	binary.BigEndian.PutUint32(b[:], bits.Reverse32(uint32(i))>>4|16<<24)
	return netip.AddrFrom4(b)
}

func TestManyClientsAreHeldByTheCeiling(t *testing.T) { // AC-01, AC-03
	synctest.Test(t, func(t *testing.T) {
		g := newTimedGate(t, nil)
		const seconds = 60
		var guesses atomic.Int32
		for i := range seconds * 100 { // a hundred new addresses a second
			go func() {
				if _, err := g.Verify(ctx, stranger(i), "wrong"); errors.Is(err, auth.ErrWrongCode) {
					guesses.Add(1)
				}
			}()
			time.Sleep(10 * time.Millisecond)
			require.LessOrEqual(t, g.Waiting(), 200)
		}
		synctest.Wait()
		require.InDelta(t, 100+seconds*20, guesses.Load(), 2, "a burst, and 20 a second")
		require.InDelta(t, 200, g.Waiting(), 1)
		time.Sleep(10 * time.Second)
		require.Zero(t, g.Waiting())
		require.LessOrEqual(t, int(guesses.Load()), 100+(seconds+10)*20)
	})
}

func TestFreshClientGetsInMeanwhile(t *testing.T) { // AC-03
	synctest.Test(t, func(t *testing.T) {
		g := newTimedGate(t, nil)
		flood(g)
		for i := range 100 { // whose second guess it is
			go func() { _, _ = g.Verify(ctx, stranger(i), "wrong again") }()
		}
		synctest.Wait()
		require.Equal(t, 100, g.Waiting())
		start := time.Now()
		_, err := g.Verify(ctx, alice, rightCode)
		require.NoError(t, err)
		require.Equal(t, 50*time.Millisecond, time.Since(start), "who sent no wrong code goes first")
		for range 1000 {
			_, err = g.Verify(ctx, alice, rightCode)
			require.NoError(t, err)
		}
		time.Sleep(10 * time.Second)
		start = time.Now()
		for range 1000 {
			_, err := g.Verify(ctx, alice, rightCode)
			require.NoError(t, err)
		}
		require.Zero(t, time.Since(start), "right codes slow nobody down")
	})
}

func TestMemoryIsBounded(t *testing.T) { // AC-04
	n := 1_000_000
	if testing.Short() {
		n = 50_000
	}
	g, _ := newGate(t, nil)
	for i := range n {
		g.Wrong(stranger(i))
	}
	require.Equal(t, 10_000, g.Remembered())
}

func TestParallelGuesses(t *testing.T) { // AC-05
	g, _ := newGate(t, nil)
	var guesses, right atomic.Int32
	var wg sync.WaitGroup
	for i := range 500 {
		wg.Add(2)
		go func() {
			defer wg.Done()
			if _, err := g.Verify(ctx, alice, fmt.Sprint("wrong-", i)); errors.Is(err, auth.ErrWrongCode) {
				guesses.Add(1)
			}
		}()
		go func() {
			defer wg.Done()
			if _, err := g.Verify(ctx, netip.MustParseAddr("192.0.2.77"), rightCode); err == nil {
				right.Add(1)
			}
		}()
	}
	wg.Wait()
	require.EqualValues(t, 5, guesses.Load())
	require.EqualValues(t, 500, right.Load(), "right codes in parallel are all let in")
}

func TestCountedOnceBlockedStaysBlocked(t *testing.T) { // AC-05
	g, _ := newGate(t, nil)
	for range 5 {
		require.Zero(t, g.Wrong(alice))
	}
	for range 3 {
		require.Equal(t, 15*time.Second, g.Wrong(alice), "whoever got past the first look is held at the second")
	}
	strong, _ := newGate(t, func(c *accesscode.Config) { c.Codes[0].Text = auth.NewSecret(strongCode) })
	for _, one := range []*accesscode.Gate{g, strong} {
		closeOut(one, alice)
		for _, text := range []string{rightCode, strongCode, "wrong"} {
			require.Equal(t, 15*time.Second, limited(one.Enter(alice, text)))
		}
	}
}

// sharedLimiter is a Limiter for two nodes.
type sharedLimiter struct {
	mu    sync.Mutex
	taken map[netip.Prefix]int
	err   error

	giveBackErr error
}

func (l *sharedLimiter) Take(_ context.Context, client netip.Prefix) (time.Duration, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return 0, l.err
	}
	if l.taken[client] >= 5 {
		return time.Minute, nil
	}
	l.taken[client]++
	return 0, nil
}

func (l *sharedLimiter) GiveBack(ctx context.Context, client netip.Prefix) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	l.taken[client]--
	return l.giveBackErr
}

func TestSharedLimiter(t *testing.T) { // AC-05, SE-06
	l := &sharedLimiter{taken: map[netip.Prefix]int{}}
	one, _ := newGate(t, func(c *accesscode.Config) { c.Limiter = l })
	two, _ := newGate(t, func(c *accesscode.Config) { c.Limiter = l })
	for _, node := range []*accesscode.Gate{one, two, one, two, one} {
		_, err := node.Verify(ctx, alice, rightCode)
		require.NoError(t, err)
		_, err = node.Verify(ctx, alice, "wrong")
		require.ErrorIs(t, err, auth.ErrWrongCode)
	}
	_, err := two.Verify(ctx, alice, rightCode)
	require.Equal(t, time.Minute, limited(err))
	l.err = errors.New("connection refused")
	id, err := one.Verify(ctx, stranger(1), rightCode)
	require.ErrorIs(t, err, auth.ErrStore)
	require.ErrorIs(t, err, l.err)
	require.Nil(t, id, "who cannot be counted is not let in")
	l.err = nil
	gone, cancel := context.WithCancel(ctx)
	cancel()
	_, err = one.Verify(gone, stranger(3), rightCode)
	require.NoError(t, err, "the limiter answered, and nothing was waited for")
	l.giveBackErr = errors.New("connection reset")
	id, err = one.Verify(ctx, stranger(2), rightCode)
	require.ErrorIs(t, err, auth.ErrStore)
	require.Nil(t, id)
}

func TestForgetting(t *testing.T) { // AC-01
	g, at := newGate(t, nil)
	for range 4 {
		g.Wrong(alice)
	}
	at.advance(25 * time.Minute) // two are forgotten, and half of the third
	g.Wrong(alice)
	at.advance(5 * time.Minute) // the third
	g.Wrong(alice)
	g.Wrong(alice)
	_, err := g.Verify(ctx, alice, "wrong")
	require.ErrorIs(t, err, auth.ErrWrongCode, "this is the fifth")
	_, err = g.Verify(ctx, alice, "wrong")
	require.Equal(t, 15*time.Second, limited(err))
	bob := netip.MustParseAddr("192.0.2.2")
	g.Wrong(bob)
	at.advance(15 * time.Minute) // it is forgotten, and nothing of the next
	g.Wrong(bob)
	at.advance(5 * time.Minute)
	for range 4 {
		require.Zero(t, g.Wrong(bob))
	}
	require.Positive(t, g.Wrong(bob))
	at.advance(-time.Hour) // the clock is set back
	g.Wrong(stranger(1))
	at.advance(-time.Hour)
	for range 4 {
		require.Zero(t, g.Wrong(stranger(1)))
	}
	require.Positive(t, g.Wrong(stranger(1)), "what lies ahead forgets nothing and adds nothing")
}

func TestOldestIsForgottenFirst(t *testing.T) { // AC-04
	g, _ := newGate(t, func(c *accesscode.Config) { c.MaxClients = 2 })
	for range 5 {
		g.Wrong(alice)
	}
	for range 4 {
		g.Wrong(stranger(1))
	}
	g.Wrong(stranger(2)) // pushes alice out
	require.Equal(t, 2, g.Clients())
	require.Zero(t, g.Wrong(stranger(1)))
	require.Positive(t, g.Wrong(stranger(1)), "who was seen lately is kept")
	require.Zero(t, g.Wrong(alice)) // pushes stranger 2 out
	require.Positive(t, g.Wrong(stranger(1)))
	one, _ := newGate(t, func(c *accesscode.Config) { c.MaxClients = 1 })
	one.Wrong(alice)
	one.Wrong(stranger(1))
	require.Equal(t, 1, one.Clients())
}

func TestLengths(t *testing.T) { // AC-06, AC-08
	for _, n := range []int{6, 1024} {
		text := strings.Repeat("z", n)
		g, _ := newGate(t, func(c *accesscode.Config) { c.Codes[0].Text = auth.NewSecret(text) })
		_, err := g.Verify(ctx, alice, text)
		require.NoError(t, err, n)
		_, err = g.Verify(ctx, alice, text+"x")
		require.ErrorIs(t, err, auth.ErrWrongCode, n)
	}
	g, _ := newGate(t, nil)
	require.Equal(t, 0, g.Compare(rightCode))
	require.Equal(t, -1, g.Compare(""))
	require.Equal(t, -1, g.Compare("wrong"))
}

func TestEveryProblemIsNamed(t *testing.T) { // AC-07
	_, err := accesscode.New(accesscode.Config{
		Codes:      []accesscode.Code{{Text: auth.NewSecret(rightCode)}, {Text: auth.NewSecret("hunt2")}, {Text: auth.NewSecret(rightCode)}},
		MaxClients: -1,
	})
	require.EqualError(t, err, "accesscode: code 2 of 3 has fewer than 6 characters: make one with `openssl rand -hex 16`\n"+
		"accesscode: code 3 is the same as code 1\naccesscode: Secrets is empty: give it those of auth.Config\naccesscode: MaxClients is negative")
	many := make([]accesscode.Code, 1000)
	for i := range many {
		many[i].Text = auth.NewSecret(fmt.Sprint("code-number-", i))
	}
	g, _ := newGate(t, func(c *accesscode.Config) { c.Codes = many })
	_, err = g.Verify(ctx, alice, "code-number-999")
	require.NoError(t, err)
	many = append(many, accesscode.Code{Text: auth.NewSecret("code-number-1000")})
	_, err = accesscode.New(accesscode.Config{Codes: many, Secrets: []auth.Secret{auth.NewSecret(testSecret)}})
	require.EqualError(t, err, "accesscode: 1001 codes: want 1 to 1000")
}

func TestConfig(t *testing.T) { // AC-07, AC-08
	good := accesscode.Code{Text: auth.NewSecret(rightCode)}
	for name, change := range map[string]func(*accesscode.Config){
		"no code":         func(c *accesscode.Config) { c.Codes = nil },
		"an empty code":   func(c *accesscode.Config) { c.Codes[0] = accesscode.Code{} },
		"a short code":    func(c *accesscode.Config) { c.Codes[0].Text = auth.NewSecret("hunte") },
		"only spaces":     func(c *accesscode.Config) { c.Codes[0].Text = auth.NewSecret("        ") },
		"a public sample": func(c *accesscode.Config) { c.Codes[0].Text = auth.NewSecret("lobe66") },
		"a huge code":     func(c *accesscode.Config) { c.Codes[0].Text = auth.NewSecret(strings.Repeat("x", 1025)) },
		"the same twice":  func(c *accesscode.Config) { c.Codes = append(c.Codes, good) },
		"too many":        func(c *accesscode.Config) { c.Codes = make([]accesscode.Code, 1001) },
		"no secret":       func(c *accesscode.Config) { c.Secrets = nil },
		"a weak secret":   func(c *accesscode.Config) { c.Secrets[0] = auth.NewSecret("hunter2") },
		"fewer than none": func(c *accesscode.Config) { c.MaxClients = -1 },
	} {
		c := accesscode.Config{Codes: []accesscode.Code{good}, Secrets: []auth.Secret{auth.NewSecret(testSecret)}}
		change(&c)
		_, err := accesscode.New(c)
		require.Error(t, err, name)
		require.NotContains(t, err.Error(), "hunter2")
	}
}
