package oidc

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/internal/strictjson"
	"github.com/sallyport/auth/internal/upstream"
)

const (
	maxKeys = 100

	// An unknown key id makes the set be fetched again, so often at once and then
	// once in so long: whoever sends tokens must not decide how often we call.
	refetchBurst = 5
	refetchEvery = 30 * time.Second
)

// verificationKey is a usable public key of an issuer.
type verificationKey struct {
	id         string
	algorithm  string // if set, the only one that it is for
	issuer     string // if set, the only issuer that it is for: Microsoft's extension
	key        any
	algorithms []jose.SignatureAlgorithm // those that fit its kind
}

// keySource keeps an issuer's keys.
type keySource struct {
	keys *upstream.Lazy[[]verificationKey]
	now  func() time.Time

	mu     sync.Mutex
	tokens float64
	filled time.Time
}

func newKeySource(now func() time.Time, fetch func(context.Context) ([]verificationKey, error)) *keySource {
	return &keySource{
		keys:   &upstream.Lazy[[]verificationKey]{TTL: time.Hour, MaxStale: 23 * time.Hour, Now: now, Fetch: fetch},
		now:    now,
		tokens: refetchBurst,
	}
}

// candidates are the keys that may have signed a token with this header. A key
// id that is not known makes the set be fetched once more.
func (s *keySource) candidates(ctx context.Context, id string, algorithm jose.SignatureAlgorithm) ([]verificationKey, error) {
	all, err := s.keys.Get(ctx)
	if err != nil {
		return nil, err
	}
	if fit := fitting(all, id, algorithm); len(fit) > 0 {
		return fit, nil
	}
	if !s.mayRefetch() {
		return nil, nil
	}
	if all, err = s.keys.Refresh(ctx); err != nil {
		return nil, err
	}
	return fitting(all, id, algorithm), nil
}

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

// maxTried bounds the work for a token that names no key.
const maxTried = 4

func fitting(all []verificationKey, id string, algorithm jose.SignatureAlgorithm) (fit []verificationKey) {
	for _, k := range all {
		if (id == "" || k.id == id) && (k.algorithm == "" || k.algorithm == string(algorithm)) &&
			slices.Contains(k.algorithms, algorithm) && len(fit) < maxTried {
			fit = append(fit, k)
		}
	}
	return fit
}

func (p *Provider) fetchKeys(ctx context.Context) ([]verificationKey, error) {
	m, err := p.metadata.Get(ctx)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, "GET", m.keys, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json, application/jwk-set+json")
	resp, err := p.client.Do(req, maxKeySet)
	if err != nil {
		return nil, fmt.Errorf("%w: key set: %w", auth.ErrUnavailable, err)
	}
	if resp.Status != http.StatusOK {
		return nil, fmt.Errorf("%w: the key set is answered with status %d", auth.ErrUnavailable, resp.Status)
	}
	return parseKeySet(resp.Body)
}

// parseKeySet takes the keys that can be used and skips the others: RFC 7517 5.
func parseKeySet(body []byte) ([]verificationKey, error) {
	o, err := strictjson.Parse(body)
	var raws []json.RawMessage
	if err != nil || json.Unmarshal(o["keys"], &raws) != nil {
		return nil, fmt.Errorf("%w: the key set is no JSON object with keys", auth.ErrUnavailable)
	}
	if len(raws) > maxKeys {
		return nil, fmt.Errorf("%w: the key set has more than %d keys", auth.ErrUnavailable, maxKeys)
	}
	var keys []verificationKey
	for _, raw := range raws {
		if k, err := parseKey(raw); err == nil {
			keys = append(keys, k)
		}
	}
	return keys, nil
}

func parseKey(raw json.RawMessage) (k verificationKey, err error) {
	o, err := strictjson.Parse(raw)
	if err != nil {
		return k, err
	}
	for _, private := range []string{"d", "p", "q", "dp", "dq", "qi", "k"} {
		delete(o, private) // never wanted; an issuer that shows them is asked no more of
	}
	if use, ok := o.String("use"); ok && use != "sig" {
		return k, errors.New("not for signatures")
	}
	if ops, ok := o.Strings("key_ops"); ok && !slices.Contains(ops, "verify") {
		return k, errors.New("not for verification")
	}
	public, err := json.Marshal(o)
	if err != nil {
		return k, err
	}
	var parsed jose.JSONWebKey
	if err := parsed.UnmarshalJSON(public); err != nil {
		return k, err
	}
	k.id, k.algorithm, k.key = parsed.KeyID, parsed.Algorithm, parsed.Key
	k.issuer, _ = o.String("issuer")
	k.algorithms = algorithmsOf(parsed.Key)
	if k.algorithms == nil {
		return k, errors.New("of no kind, or no size, that is accepted")
	}
	return k, nil
}

// algorithmsOf says what a key may verify: the curve fixes ECDSA's hash
// (RFC 7518 3.4). RSA has at least 2048 bits (3.3), and at most 8192, for its
// cost.
func algorithmsOf(key any) []jose.SignatureAlgorithm {
	switch k := key.(type) {
	case *rsa.PublicKey:
		if bits := k.N.BitLen(); bits < 2048 || bits > 8192 || k.E < 3 || k.E%2 == 0 {
			return nil
		}
		return []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512}
	case *ecdsa.PublicKey:
		switch k.Curve.Params().BitSize {
		case 256:
			return []jose.SignatureAlgorithm{jose.ES256}
		case 384:
			return []jose.SignatureAlgorithm{jose.ES384}
		case 521:
			return []jose.SignatureAlgorithm{jose.ES512}
		}
	case ed25519.PublicKey:
		for _, b := range k {
			if b != 0 {
				return []jose.SignatureAlgorithm{jose.EdDSA}
			}
		}
	}
	return nil
}
