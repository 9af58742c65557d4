package oidc

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sallyport/auth/internal/strictjson"
	"github.com/sallyport/auth/internal/upstream"
	"github.com/sallyport/auth/providers/internal/codegrant"
)

const (
	// A token that fits no key makes the set be fetched again, so often at once and
	// then once in so long: whoever sends tokens must not decide how often we call.
	refetchBurst = 5
	refetchEvery = 30 * time.Second

	keysKept  = time.Hour      // a key that is withdrawn counts no longer than this
	keysStale = 23 * time.Hour // nor than this longer, while the key set is down
)

// keySource keeps an issuer's keys: OpenID Connect Core 10.1.1. Unlike go-oidc's
// RemoteKeySet, it lets keys grow old, bounds how often they are fetched, and
// holds each key to its own algorithm. It is safe for concurrent use.
type keySource struct {
	keys *upstream.Lazy[*keySet]
	now  func() time.Time

	header atomic.Pointer[parsedHeader] // of the token that was verified last

	mu     sync.Mutex // guards the token bucket of refetches
	tokens float64
	filled time.Time
}

func newKeySource(now func() time.Time, fetch func(context.Context) (*keySet, error)) *keySource {
	return &keySource{
		keys:   &upstream.Lazy[*keySet]{TTL: keysKept, MaxStale: keysStale, Now: now, Fetch: fetch},
		now:    now,
		tokens: refetchBurst,
	}
}

// verify returns the claims of a token and the key that verifies its signature.
//
// Where no key does, the set is fetched once more: keys are rotated under a new key
// id, under the same one, and without any. Whoever else needs that at the time
// shares the fetch, and costs none of those that are allowed.
func (s *keySource) verify(ctx context.Context, token compactJWS) (strictjson.Object, verificationKey, error) {
	header := s.header.Load()
	if header == nil || header.encoded != token.header {
		var err error
		if header, err = parseHeader(token); err != nil {
			return nil, verificationKey{}, err
		}
	}
	set, err := s.keys.Get(ctx)
	if err != nil {
		return nil, verificationKey{}, err
	}
	key, verified := set.verify(header, token)
	if !verified {
		fresh, ok, err := s.keys.Renew(ctx, func(k *keySet) bool { return k == set }, s.mayRefetch)
		if err != nil {
			return nil, verificationKey{}, err
		}
		if ok {
			key, verified = fresh.verify(header, token)
		}
	}
	if !verified {
		return nil, verificationKey{}, codegrant.Invalid("no key of the issuer verifies its signature")
	}
	s.header.Store(header)
	claims, err := strictjson.Parse(token.payload)
	if err != nil {
		return nil, verificationKey{}, codegrant.Invalid("its claims are no JSON object, or have a name twice")
	}
	return claims, key, nil
}

// mayRefetch takes one of refetchBurst tokens, which come back one in refetchEvery.
func (s *keySource) mayRefetch() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if passed := now.Sub(s.filled); !s.filled.IsZero() && passed > 0 {
		s.tokens = min(refetchBurst, s.tokens+float64(passed)/float64(refetchEvery))
	}
	s.filled = now
	if s.tokens < 1 {
		return false
	}
	s.tokens--
	return true
}

func (p *Provider) fetchKeys(ctx context.Context) (*keySet, error) {
	m, err := p.metadata.Get(ctx)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, "GET", m.keys, nil)
	if err != nil {
		return nil, err
	}
	req.Header = http.Header{"Accept": {"application/json, application/jwk-set+json"}, "User-Agent": {upstream.UserAgent}}
	resp, err := p.client.Do(req, maxKeySet)
	if err != nil {
		return nil, codegrant.Unavailable("key set: %w", err)
	}
	if resp.Status != http.StatusOK {
		return nil, codegrant.Unavailable("the key set is answered with status %d", resp.Status)
	}
	return parseKeySet(resp.Body)
}
