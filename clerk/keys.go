package clerk

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// The life of the keys:
//
//	fetch              5 min                          fetch
//	  ├──── a known kid: from here, no fetch ───────────┤
//	  │        │            │
//	  │     an unknown kid: fetch,   the next within 30 s: refused
//	  │
//	a fetch that fails: the next request that needs a key fetches again;
//	while that fails too, the error stands for 125 ms, 250 ms, 500 ms, 1 s, and 2 s
//
// Clerk rotates keys seldom, and takes one back at once when it has leaked: that is
// why the set has an end that no use of it moves. An unknown kid may be a new key,
// or anybody's invention, which must not become a flood at Clerk.
const (
	keysLife  = 5 * time.Minute
	missPause = 30 * time.Second // between fetches for key ids that nobody knows
	failPause = 2 * time.Second  // after a fetch that failed, at most
	failFirst = failPause / 16   // after the second in a row
	minKeyLen = 2048             // bits: RFC 7518 3.3
)

// keyCache holds the keys of one instance. A fetch replaces the set, so that a
// key that Clerk removes is gone after keysLife; no hit prolongs that. Concurrent
// callers share one fetch, which outlives the request that began it. Once the set is
// too old and Clerk's API does not answer, no token can be verified.
type keyCache struct {
	now   func() time.Time
	fetch func(context.Context) ([]byte, error)

	mu       sync.Mutex
	keys     map[string]*rsa.PublicKey
	fetched  time.Time     // when keys were
	missed   time.Time     // when an unknown key id last caused a fetch that succeeded
	err      error         // of the last fetch
	failures int           // in a row
	again    time.Time     // when to fetch again after them
	flight   chan struct{} // closed when the fetch that is under way ends
}

// get returns the key named id, claim "kid" of a token's header: RFC 7515 4.1.4. The
// error is tokenUnknownKey, or wraps errUnreachable.
func (c *keyCache) get(ctx context.Context, id string) (*rsa.PublicKey, error) {
	for tried := false; ; tried = true {
		c.mu.Lock()
		now := c.now()
		fresh := c.keys != nil && now.Sub(c.fetched) < keysLife
		key := c.keys[id]
		switch {
		case fresh && key != nil:
			c.mu.Unlock()
			return key, nil
		case c.err != nil && (tried || now.Before(c.again)):
			err := c.err
			c.mu.Unlock()
			return nil, err
		case fresh && (tried || now.Sub(c.missed) < missPause):
			c.mu.Unlock()
			return nil, tokenUnknownKey
		}
		flight := c.flight
		if flight == nil {
			flight = make(chan struct{})
			c.flight = flight
			go c.load(context.WithoutCancel(ctx), flight, fresh)
		}
		c.mu.Unlock()
		select {
		case <-flight:
		case <-ctx.Done():
			return nil, unreachable("%w", ctx.Err())
		}
	}
}

// load fetches the set and ends flight. The lock is not held meanwhile. missed says that
// a key id is wanted which the set that is there has not.
func (c *keyCache) load(ctx context.Context, flight chan struct{}, missed bool) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	body, err := c.fetch(ctx)
	var keys map[string]*rsa.PublicKey
	if err == nil {
		keys, err = parseKeys(body)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	c.err = err
	if err != nil {
		if c.again = now; c.failures > 0 {
			c.again = now.Add(min(failFirst<<min(c.failures-1, 9), failPause))
		}
		c.failures++
	} else {
		c.keys, c.fetched, c.failures = keys, now, 0
		if missed {
			c.missed = now
		}
	}
	c.flight = nil
	close(flight)
}

// strong reports whether signatures by key say anything: RFC 7518 3.3, RFC 8017 3.1.
// With an exponent of 1 every message is its own signature, and an even one has no
// private key. @clerk/backend leaves both to WebCrypto.
func strong(key *rsa.PublicKey) bool {
	return key.N.BitLen() >= minKeyLen && key.E >= 3 && key.E%2 == 1
}

// parseKeys takes the RSA keys for signatures out of a set: RFC 7517 5. Others, weak
// ones, and those of more than 4096 bits, which go-jose refuses, are passed over: one
// bad key must not spoil the rest. Only RS256 verifies, so that a key for another
// algorithm is none.
func parseKeys(body []byte) (map[string]*rsa.PublicKey, error) {
	var set struct{ Keys []json.RawMessage }
	if json.Unmarshal(body, &set) != nil || set.Keys == nil {
		return nil, unreachable("the key set is no JSON Web Key Set")
	}
	keys := map[string]*rsa.PublicKey{}
	for _, raw := range set.Keys {
		var k jose.JSONWebKey
		if json.Unmarshal(raw, &k) != nil || k.Use != "" && k.Use != "sig" || k.Algorithm != "" && k.Algorithm != "RS256" {
			continue
		}
		if key, ok := k.Key.(*rsa.PublicKey); ok && strong(key) {
			keys[k.KeyID] = key
		}
	}
	return keys, nil
}

// parsePEM reads a public key, RFC 7468 13, with or without armour, with line breaks
// as they are or escaped: environment variables and YAML do that to them.
func parsePEM(text string) (*rsa.PublicKey, error) {
	bad := errors.New("clerk: JWTKey is no RSA public key of 2048 bits or more: want the PEM that Clerk's dashboard shows under API keys, JWKS public key")
	text = strings.ReplaceAll(strings.TrimSpace(text), `\n`, "\n")
	var der []byte
	if block, _ := pem.Decode([]byte(text)); block != nil {
		der = block.Bytes
	} else {
		var err error
		if der, err = base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), "")); err != nil {
			return nil, bad
		}
	}
	parsed, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, bad
	}
	key, ok := parsed.(*rsa.PublicKey)
	if !ok || !strong(key) {
		return nil, bad
	}
	return key, nil
}
