// Package accesscode lets in whoever knows a code: a password for the service,
// or several. Attempts are limited for each client and in total.
//
//	codes, err := accesscode.New(accesscode.Config{
//		Secrets: secrets,
//		Codes:   []accesscode.Code{{Text: auth.NewSecret(text), Label: "board"}},
//	})
//	a, err := auth.New(auth.Config{Secrets: secrets, AccessCode: codes})
//
// Codes are compared byte by byte, without Unicode normalization: a code with
// letters outside ASCII may be typed in another form than it is stored.
package accesscode

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"net/netip"
	"sync"
	"time"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/session"
)

// Issuer is the [auth.Identity]'s for whoever knows a code.
const Issuer = "urn:sallyport:access-code"

const (
	minLength  = 8  // bytes; fewer is an error
	goodLength = 16 // fewer is a warning
	maxLength  = 1 << 10
	maxCodes   = 1000
)

// Code is one code.
type Code struct {
	Text    auth.Secret // 8 to 1024 bytes; 16 random ones or more are good
	Label   string      // what logs and sessions call it: "board". If empty, "access code"
	Groups  []string    // for the sessions
	Expires time.Time   // when it and its sessions end. If zero, never
}

// Config describes a gate.
type Config struct {
	Codes []Code // at least one, at most 1000, each different

	// Secrets are those of [auth.Config]: of them and a code is its session's
	// subject made. The first makes, all are recognized.
	Secrets []auth.Secret

	// Limiter counts attempts in the place of this process's memory, for several
	// nodes. If nil, each node counts for itself.
	Limiter Limiter

	// MaxClients bounds how many clients are remembered; those not seen for
	// longest are forgotten first. If 0, 10,000.
	MaxClients int

	Now func() time.Time // If nil, time.Now
}

// Gate is an [auth.CodeVerifier]. It is safe for concurrent use.
type Gate struct {
	codes    []code
	subjects map[string]time.Time // of the codes, and when they expire
	macs     sync.Pool            // keyed for this process
	clients  *memoryLimiter
	shared   Limiter
	ceiling  ceiling
	now      func() time.Time
	sleep    func(context.Context, time.Duration) error
}

type code struct {
	digest   [sha256.Size]byte
	identity auth.Identity
	expires  time.Time
}

var _ auth.CodeVerifier = (*Gate)(nil)

// New checks c and returns the gate. The error joins every problem, and shows no
// code.
func New(c Config) (*Gate, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.MaxClients == 0 {
		c.MaxClients = 10_000
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	key := make([]byte, sha256.Size)
	_, _ = rand.Read(key) // never fails: it ends the program instead
	g := &Gate{
		subjects: make(map[string]time.Time, len(c.Codes)),
		clients:  newMemoryLimiter(c.MaxClients, c.Now),
		shared:   c.Limiter,
		now:      c.Now,
		sleep:    sleep,
	}
	g.macs.New = func() any { return hmac.New(sha256.New, key) }
	for _, one := range c.Codes {
		label := one.Label
		if label == "" {
			label = "access code"
		}
		for _, s := range c.Secrets {
			g.subjects[subject(s, one.Text)] = one.Expires
		}
		g.codes = append(g.codes, code{g.digest(one.Text.Reveal()), auth.Identity{
			Issuer: Issuer, Subject: subject(c.Secrets[0], one.Text), Name: label, Groups: one.Groups,
		}, one.Expires})
	}
	return g, nil
}

func (c *Config) check() error {
	var err error
	problem := func(format string, args ...any) {
		err = errors.Join(err, fmt.Errorf("accesscode: "+format, args...))
	}
	if len(c.Codes) == 0 || len(c.Codes) > maxCodes {
		problem("%d codes: want 1 to %d", len(c.Codes), maxCodes)
	}
	seen := map[string]int{}
	for i, one := range c.Codes {
		text := one.Text.Reveal()
		if len(text) < minLength || len(text) > maxLength {
			problem("code %d of %d is not of %d to %d bytes: make one with `openssl rand -hex 16`", i+1, len(c.Codes), minLength, maxLength)
		}
		if first, twice := seen[text]; twice {
			problem("code %d is the same as code %d", i+1, first)
		}
		seen[text] = i + 1
	}
	if len(c.Secrets) == 0 {
		problem("Secrets is empty: give it those of auth.Config")
	}
	for _, s := range c.Secrets {
		if e := session.CheckSecret(s); e != nil {
			problem("Secrets: %w", e)
		}
	}
	if c.MaxClients < 1 {
		problem("MaxClients is negative")
	}
	return err
}

// subject names a code in sessions and logs. Without the secret nobody can try
// codes against it, however short they are.
func subject(s, code auth.Secret) string {
	mac := hmac.New(sha256.New, []byte(s.Reveal()))
	mac.Write([]byte("sallyport access code\x00"))
	mac.Write([]byte(code.Reveal()))
	return "code_" + base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:16])
}

// digest has one length for codes of every length.
func (g *Gate) digest(text string) (d [sha256.Size]byte) {
	mac := g.macs.Get().(hash.Hash)
	defer g.macs.Put(mac)
	mac.Reset()
	mac.Write([]byte(text))
	mac.Sum(d[:0])
	return d
}

// find compares with every code that counts, whichever is right, and returns
// its index or -1. No code has the digest of an empty text.
func (g *Gate) find(digest [sha256.Size]byte) (found int) {
	now := g.now()
	found = -1
	for i := range g.codes {
		if over(g.codes[i].expires, now) {
			continue
		}
		equal := subtle.ConstantTimeCompare(digest[:], g.codes[i].digest[:])
		found = subtle.ConstantTimeSelect(equal, i, found)
	}
	return found
}

func over(expires, now time.Time) bool { return !expires.IsZero() && !now.Before(expires) }

// Verify implements [auth.CodeVerifier]. It counts the attempt, waits while too
// many wrong codes come from everywhere, and only then compares. A right code
// takes back its own attempt and no other. ctx ends the wait; the attempt then
// stays counted, so that nobody fills the queue by hanging up.
func (g *Gate) Verify(ctx context.Context, client netip.Addr, text string) (*auth.Identity, error) {
	if len(text) > maxLength {
		text = "" // counted, and wrong
	}
	network := networkOf(client)
	if wait := g.clients.blocked(network); wait > 0 {
		return nil, &auth.LimitError{RetryAfter: wait}
	}
	digest := g.digest(text)
	found := -1
	right := func() bool {
		// A right code gives its turn back as it is found: however many come at
		// once, they do not slow each other down.
		if found = g.find(digest); found >= 0 {
			g.ceiling.giveBack()
		}
		return found >= 0
	}
	if err := g.try(ctx, network, right); err != nil {
		return nil, err
	}
	if found < 0 {
		return nil, auth.ErrWrongCode
	}
	id := g.codes[found].identity
	id.Groups = append([]string(nil), id.Groups...)
	return &id, nil
}

// try has right compare, once it is the turn of client and of the attempt among
// everybody's.
func (g *Gate) try(ctx context.Context, client netip.Prefix, right func() bool) error {
	var turn time.Duration // until the attempt's
	var entered bool       // whether it has one
	enter := func() bool {
		turn, entered = g.ceiling.reserve(g.now())
		return entered && turn == 0
	}
	limiter := g.shared
	if limiter == nil {
		limiter = g.clients
		if blocked := g.clients.attempt(client, enter, right); blocked > 0 {
			return &auth.LimitError{RetryAfter: blocked}
		}
	} else {
		enter()
	}
	switch {
	case !entered:
		return &auth.LimitError{RetryAfter: turn}
	case g.shared == nil && turn == 0:
		return nil
	}
	blocked, err := g.attempt(ctx, limiter, client, turn, right)
	switch {
	case err != nil && ctx.Err() != nil:
		return &auth.LimitError{RetryAfter: time.Second}
	case err != nil:
		return fmt.Errorf("%w: access code limiter: %w", auth.ErrStore, err)
	case blocked > 0:
		g.ceiling.giveBack()
		return &auth.LimitError{RetryAfter: blocked}
	}
	return nil
}

// attempt counts with l, waits its turn, and compares.
func (g *Gate) attempt(ctx context.Context, l Limiter, client netip.Prefix, turn time.Duration, right func() bool) (blocked time.Duration, err error) {
	if blocked, err = l.Take(ctx, client); err != nil || blocked > 0 {
		return blocked, err
	}
	if turn > 0 {
		if err := g.sleep(ctx, turn); err != nil {
			return 0, err
		}
	}
	if !right() {
		return 0, nil
	}
	return 0, l.GiveBack(ctx, client)
}

// Valid implements [auth.CodeVerifier].
func (g *Gate) Valid(subject string) bool {
	expires, ok := g.subjects[subject]
	return ok && !over(expires, g.now())
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
