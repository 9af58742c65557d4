package accesscode_test

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/accesscode"
)

// keep signs in from client and returns what the browser is to keep.
func keep(t *testing.T, g *accesscode.Gate, client netip.Addr, device string) string {
	t.Helper()
	id, kept, err := g.VerifyDevice(ctx, client, device, rightCode)
	require.NoError(t, err)
	require.True(t, g.Valid(id.Subject))
	require.Regexp(t, `^[A-Za-z0-9_.-]{60,150}$`, kept)
	return kept
}

// closeOut takes all wrong codes that addr has.
func closeOut(g *accesscode.Gate, addr netip.Addr) {
	for range 6 {
		g.Wrong(addr)
	}
}

func TestDevicePassesBesideAnAttacker(t *testing.T) { // AC-03
	g, at := newGate(t, nil)
	device := keep(t, g, alice, "")
	closeOut(g, alice)
	_, kept, err := g.VerifyDevice(ctx, alice, "", rightCode)
	require.Positive(t, limited(err), "a limited client whose right code passes would make the limit void")
	require.Empty(t, kept)
	keep(t, g, alice, device)
	for range 5 {
		_, kept, err := g.VerifyDevice(ctx, alice, device, "wrong")
		require.ErrorIs(t, err, auth.ErrWrongCode)
		require.Empty(t, kept)
	}
	_, _, err = g.VerifyDevice(ctx, alice, device, rightCode)
	require.Positive(t, limited(err), "a device that is stolen has wrong codes of its own, and no more")
	id, _, err := g.VerifyDevice(ctx, stranger(1), device, rightCode)
	require.NoError(t, err, "where it has none left, the address counts")
	require.Equal(t, "board", id.Name)
	closeOut(g, stranger(1))
	_, _, err = g.VerifyDevice(ctx, stranger(1), device, rightCode)
	require.Positive(t, limited(err))
	at.advance(time.Hour)
	for i := range 50 {
		g.Wrong(netip.MustParseAddr(fmt.Sprintf("198.51.100.%d", 100+i)))
	}
	keep(t, g, netip.MustParseAddr("198.51.100.7"), device) // whose site is closed out
}

func TestDevicesDoNotMultiply(t *testing.T) { // AC-01
	g, _ := newGate(t, nil)
	guesses := 0
	for range 20 { // signing in again and again, with nothing and with what the last gave
		for _, device := range []string{keep(t, g, alice, ""), keep(t, g, stranger(1), keep(t, g, alice, ""))} {
			if _, _, err := g.VerifyDevice(ctx, stranger(2), device, "wrong"); err != nil && limited(err) == 0 {
				guesses++
			}
		}
		if limited(func() error { _, err := g.Verify(ctx, stranger(2), rightCode); return err }()) > 0 {
			break
		}
	}
	require.Equal(t, 10, guesses, "those of one device, and those of the address")
}

func TestDevicesAreNotRemembered(t *testing.T) { // AC-04
	g, _ := newGate(t, func(c *accesscode.Config) { c.MaxClients = 1 })
	device := keep(t, g, stranger(1), "")
	keep(t, g, alice, "")
	keep(t, g, stranger(1), device)
	for i := range 50 {
		g.Wrong(netip.MustParseAddr(fmt.Sprintf("192.0.2.%d", 100+i)))
	}
	_, err := g.Verify(ctx, alice, rightCode)
	require.NoError(t, err, "who is known is not pushed out by browsers that are known anyway")
}

func TestDevicesGoFirst(t *testing.T) { // AC-03
	synctest.Test(t, func(t *testing.T) {
		g := newTimedGate(t, nil)
		device := keep(t, g, alice, "")
		elsewhere := stranger(5000)
		flood(g)
		g.Wrong(elsewhere)
		for i := range 200 {
			go func() { _, _ = g.Verify(ctx, stranger(1000+i), "wrong") }()
		}
		synctest.Wait()
		start := time.Now()
		keep(t, g, elsewhere, device)
		require.Equal(t, 50*time.Millisecond, time.Since(start))
		time.Sleep(time.Minute)
	})
}

func TestWhichDevicesCount(t *testing.T) { // AC-10
	strong := accesscode.Code{Text: auth.NewSecret(strongCode)}
	before, _ := newGate(t, func(c *accesscode.Config) { c.Codes = append(c.Codes, strong) })
	device := keep(t, before, alice, "")
	part := strings.Split(device, ".")
	foreign, err := before.Verify(ctx, alice, strongCode)
	require.NoError(t, err)
	secret := func(text string) auth.Secret { return auth.NewSecret(strings.Repeat(text, 10)) }
	for name, test := range map[string]struct {
		device string
		change func(*accesscode.Config)
		later  time.Duration
		want   bool
	}{
		"as it was given": {device, nil, 0, true},
		"a new secret":    {device, func(c *accesscode.Config) { c.Secrets = append([]auth.Secret{secret("n3w-")}, c.Secrets...) }, 0, true},
		"another secret":  {device, func(c *accesscode.Config) { c.Secrets[0] = secret("n3w-") }, 0, false},
		"withdrawn":       {device, func(c *accesscode.Config) { c.Codes[0] = accesscode.Code{Text: auth.NewSecret("another-code")} }, 0, false},
		"expired":         {device, func(c *accesscode.Config) { c.Codes[0].Expires = c.Now().Add(time.Hour) }, time.Hour, false},
		"of 90 days":      {device, nil, 90*24*time.Hour - time.Second, true},
		"too old":         {device, nil, 90 * 24 * time.Hour, false},
		"of another code": {strings.Join([]string{foreign.Subject, part[1], part[2], part[3]}, "."), nil, 0, false},
		"prolonged":       {strings.Join([]string{part[0], "99999999999", part[2], part[3]}, "."), nil, 0, false},
		"another id":      {strings.Join([]string{part[0], part[1], "AAAAAAAAAAAAAAAAAAAAAA", part[3]}, "."), nil, 0, false},
		"no id":           {strings.Join([]string{part[0], part[1], "", part[3]}, "."), nil, 0, false},
		"no MAC":          {strings.Join([]string{part[0], part[1], part[2], ""}, "."), nil, 0, false},
		"half a MAC":      {device[:len(device)-8], nil, 0, false},
		"no base64":       {device[:len(device)-1] + "!", nil, 0, false},
		"no time":         {strings.Join([]string{part[0], "x", part[2], part[3]}, "."), nil, 0, false},
		"more parts":      {device + ".x", nil, 0, false},
		"too long":        {device + strings.Repeat(".", 4096), nil, 0, false},
		"nothing":         {"", nil, 0, false},
	} {
		g, at := newGate(t, func(c *accesscode.Config) {
			c.Codes = append(c.Codes, strong)
			if test.change != nil {
				test.change(c)
			}
		})
		at.advance(test.later)
		closeOut(g, alice)
		_, _, err := g.VerifyDevice(ctx, alice, test.device, strongCode)
		require.Equal(t, test.want, err == nil, name)
	}
}

func TestDeviceOfAnotherCode(t *testing.T) { // AC-10
	g, _ := newGate(t, func(c *accesscode.Config) {
		c.Codes = append(c.Codes, accesscode.Code{Text: auth.NewSecret(strongCode)})
	})
	id := func(device string) string { return strings.Split(device, ".")[2] }
	_, other, err := g.VerifyDevice(ctx, stranger(1), "", strongCode)
	require.NoError(t, err)
	first := keep(t, g, alice, "")
	require.NotEqual(t, id(other), id(first))
	require.Equal(t, id(first), id(keep(t, g, stranger(2), first)), "it moves with its browser")
	require.Equal(t, id(first), id(keep(t, g, alice, other)), "it is of the code that was sent")
}

func TestDevicesAndASharedLimiter(t *testing.T) { // AC-05
	l := &sharedLimiter{taken: map[netip.Prefix]int{}}
	g, _ := newGate(t, func(c *accesscode.Config) { c.Limiter = l })
	device := keep(t, g, alice, "")
	l.taken[netip.PrefixFrom(alice, 32)] = 5
	_, _, err := g.VerifyDevice(ctx, alice, "", rightCode)
	require.Equal(t, time.Minute, limited(err))
	for range 5 {
		_, _, err = g.VerifyDevice(ctx, alice, device, "wrong")
		require.ErrorIs(t, err, auth.ErrWrongCode)
	}
	require.Len(t, l.taken, 2)
	_, _, err = g.VerifyDevice(ctx, alice, device, rightCode)
	require.Equal(t, time.Minute, limited(err))
	_, _, err = g.VerifyDevice(context.Background(), stranger(1), device, rightCode)
	require.NoError(t, err, "where the device has none left, the address counts")
	require.Zero(t, l.taken[netip.PrefixFrom(stranger(1), 32)])
}
