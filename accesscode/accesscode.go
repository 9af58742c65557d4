package accesscode

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/session"
)

// Issuer is what Issuer of an [auth.Identity], and of its session, is for whoever
// knows a code. It is a name, and no address to ask.
const Issuer = "urn:sallyport:access-code"

const (
	minLength  = 6       // characters: fewer is an error
	goodLength = 16      // characters: fewer is a warning
	maxLength  = 1 << 10 // bytes

	// maxCodes bounds the time of a comparison, which is with all of them.
	maxCodes = 1000
)

// Code is one code, and what sessions of those who know it are given.
type Code struct {
	// Text is the code as people type it: 6 characters at least, and 1024 bytes at
	// most. 16 random ones or more are good. White space around it is ignored.
	Text auth.Secret

	// Label is what logs, events and sessions call the code, such as "board".
	// People who sign in see it; it is no secret. If empty, "access code".
	Label string

	// Groups are those of the identity. If nil, it has none.
	Groups []string

	// Expires is when the code and its sessions end; at that very time they are
	// over. If zero, never.
	Expires time.Time
}

// Config describes a gate. Codes and Secrets are required; the zero value of
// every other field is the safe default.
type Config struct {
	// Codes are 1 to 1000, each different from the others.
	Codes []Code

	// Secrets are those of [auth.Config]: of them and a code is its session's
	// subject made. The first makes, all are recognized.
	Secrets []auth.Secret

	// Store counts the attempts of each client for all nodes that have the same store
	// and the same first secret, in the place of this process's memory. The sessions
	// may be in it too. If nil, and Limiter is, each node counts for itself.
	Store session.Replacer

	// Limiter counts by rules of its own, in the place of Store.
	Limiter Limiter

	// MaxClients bounds how many clients are remembered for wrong codes, how many
	// sites and providers, and how many clients for right ones; those not heard of
	// for longest are forgotten first. Each takes about 250 bytes. To push one out
	// that sent wrong codes, somebody has to send as many from elsewhere, and unless
	// all codes are strong the ceiling bounds those. If 0, 10,000.
	MaxClients int

	// Now is the clock. It has to be safe for concurrent use. If nil, time.Now.
	Now func() time.Time
}

// Gate is an [auth.CodeVerifier]: it knows the codes, and counts the attempts.
// [New] makes one. It is safe for concurrent use.
type Gate struct {
	strong, weak []code               // that nobody guesses, and the others
	subjects     map[string]time.Time // of the codes under each secret, and when they expire
	macs         sync.Pool            // of HMAC-SHA-256 under a key of this process
	secrets      []auth.Secret
	shared       Limiter
	now          func() time.Time

	mu      sync.Mutex // guards the following
	counts  counts
	ceiling ceiling
}

type code struct {
	digest   [sha256.Size]byte
	identity auth.Identity
	expires  time.Time
}

var _ auth.CodeVerifier = (*Gate)(nil)

// New checks c and returns the gate. It does no I/O and starts nothing. The error
// joins every problem of c, names codes by their place in the list, and shows none.
// The gate keeps no reference to what c points to.
func New(c Config) (*Gate, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.MaxClients == 0 {
		c.MaxClients = 10_000
	}
	c.Codes = slices.Clone(c.Codes)
	for i := range c.Codes {
		c.Codes[i].Text = auth.NewSecret(strings.TrimSpace(c.Codes[i].Text.Reveal()))
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	key := make([]byte, sha256.Size)
	_, _ = rand.Read(key) // never fails: it ends the program instead
	g := &Gate{
		subjects: make(map[string]time.Time, len(c.Codes)),
		secrets:  slices.Clone(c.Secrets),
		shared:   c.Limiter,
		now:      c.Now,
		counts:   newCounts(c.MaxClients),
	}
	if c.Store != nil {
		g.shared = &storeLimiter{store: c.Store, secret: c.Secrets[0], now: c.Now}
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
		group := &g.weak
		if strong(one.Text.Reveal()) {
			group = &g.strong
		}
		*group = append(*group, code{g.digest(one.Text.Reveal()), auth.Identity{
			Issuer: Issuer, Subject: subject(c.Secrets[0], one.Text), Name: label, Groups: slices.Clone(one.Groups),
		}, one.Expires})
	}
	return g, nil
}

// check joins every problem of c.
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
		if wrong := unfit(text); wrong != "" {
			problem("code %d of %d %s: make one with `openssl rand -hex 16`", i+1, len(c.Codes), wrong)
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
	if c.Store != nil && c.Limiter != nil {
		problem("Store and Limiter are both set: leave one of them out")
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

// digest has one length for codes of every length. It is keyed so that nobody can
// choose texts by the digests that they have.
func (g *Gate) digest(text string) (d [sha256.Size]byte) {
	mac := g.macs.Get().(hash.Hash)
	defer g.macs.Put(mac)
	mac.Reset()
	mac.Write([]byte(text))
	mac.Sum(d[:0])
	return d
}

// find compares with every one of codes that counts, whichever is right, and
// returns its index or -1. No code has the digest of an empty text. Which codes
// have expired is no secret, so that those may be left out.
func find(codes []code, digest *[sha256.Size]byte, now time.Time) (found int) {
	found = -1
	for i := range codes {
		if over(codes[i].expires, now) {
			continue
		}
		equal := subtle.ConstantTimeCompare(digest[:], codes[i].digest[:])
		found = subtle.ConstantTimeSelect(equal, i, found)
	}
	return found
}

// over reports whether something that ends at expires has ended.
func over(expires, now time.Time) bool { return !expires.IsZero() && !now.Before(expires) }

// Valid implements [auth.CodeVerifier]: it reports whether subject is that of a
// code which has not expired, under any of Config.Secrets. It is a look into a map.
func (g *Gate) Valid(subject string) bool {
	expires, ok := g.subjects[subject]
	return ok && !over(expires, g.now())
}
