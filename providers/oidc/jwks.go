package oidc

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"slices"

	"github.com/go-jose/go-jose/v4"

	"github.com/sallyport/auth/internal/strictjson"
	"github.com/sallyport/auth/providers/internal/codegrant"
)

const (
	maxKeySet = 512 << 10 // bytes of a key set
	maxKeys   = 100

	maxTried = 4 // keys, for a token that names none
)

// keySet is an issuer's keys at one time: RFC 7517 5.
type keySet struct{ keys []verificationKey }

// verify tries the keys that may have signed token, whose header is header, at most
// maxTried. ok is false when none of them has.
func (s *keySet) verify(header *parsedHeader, token compactJWS) (key verificationKey, ok bool) {
	signed := header.over(token.signature)
	tried := 0
	for _, k := range s.keys {
		if !k.fits(token.keyID, jose.SignatureAlgorithm(token.algorithm)) {
			continue
		}
		if tried++; tried > maxTried {
			break
		}
		if signed.DetachedVerify(token.payload, k.key) == nil {
			return k, true
		}
	}
	return verificationKey{}, false
}

// verificationKey is a usable public key of an issuer.
type verificationKey struct {
	id         string
	algorithm  string // if set, the only one that it is for
	issuer     string // if set, the only issuer that it is for: Microsoft's extension
	key        any
	algorithms []jose.SignatureAlgorithm // those that fit its kind
}

// fits: an id is an opaque string, and a key that names an algorithm is for that
// one alone (RFC 7517 4.4).
func (k verificationKey) fits(id string, algorithm jose.SignatureAlgorithm) bool {
	return (id == "" || k.id == id) && (k.algorithm == "" || k.algorithm == string(algorithm)) && slices.Contains(k.algorithms, algorithm)
}

// parseKeySet takes the keys that can be used and skips the others, as RFC 7517 5
// wants it: a key of a kind that is new, or malformed, is no reason for nobody to
// sign in. The error wraps [auth.ErrUnavailable].
func parseKeySet(body []byte) (*keySet, error) {
	o, err := strictjson.Parse(body)
	var raws []json.RawMessage
	if err != nil || json.Unmarshal(o["keys"], &raws) != nil {
		return nil, codegrant.Unavailable("the key set is no JSON object with keys")
	}
	if len(raws) > maxKeys {
		return nil, codegrant.Unavailable("the key set has more than %d keys", maxKeys)
	}
	var keys []verificationKey
	for _, raw := range raws {
		if k, err := parseKey(raw); err == nil {
			keys = append(keys, k)
		}
	}
	return &keySet{keys}, nil
}

// parseKey takes one public key for signatures: RFC 7517 4.2 (use), 4.3 (key_ops) and
// 4.4 (alg). A symmetric key is none: with it, any client could sign.
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
// (RFC 7518 3.4). RSA has at least 2048 bits (3.3) and an odd exponent from 3. It
// has at most the 4096 bits of [jose.MaxRSAModulusBits], for its cost, and 8192
// where an application raises that. Nil is a key that verifies nothing: a point that
// is not on its curve, or of low order, go-jose has refused already.
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
		return []jose.SignatureAlgorithm{jose.EdDSA}
	}
	return nil
}
