package oidc

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/internal/strictjson"
	"github.com/sallyport/auth/providers/internal/codegrant"
)

// verifyIDToken is OpenID Connect Core 3.1.3.7. The form of the token comes first,
// then, in go-oidc, the signature and the claims that it checks, and then ours.
// Times come last, so that an error is about the clock only where nothing else is
// wrong. occasion has the rules that the token was asked for with.
func (p *Provider) verifyIDToken(ctx context.Context, m *metadata, t *oauth2.Token, occasion func(o strictjson.Object, algorithm string) error) (Claims, error) {
	raw := idToken(t)
	jws, err := readJWS(raw, "JWT")
	if err != nil {
		return Claims{}, err
	}
	if !slices.Contains(m.algorithms, jws.algorithm) {
		return Claims{}, otherAlgorithm(jws.algorithm, m.algorithms)
	}
	signed := &signedToken{raw: raw, jws: jws, keys: p.keys, named: func(o strictjson.Object) { p.nameIssuer(m, o) }}
	token, expired, err := p.verify(ctx, m, signed)
	switch {
	case signed.err != nil:
		return Claims{}, signed.err
	case signed.claims == nil: // refused before its signature was looked at
		return Claims{}, codegrant.Invalid("it is malformed")
	}
	if err := p.checkParties(m, signed); err != nil {
		return Claims{}, err
	}
	if err != nil {
		return Claims{}, codegrant.Invalid("its claims are refused") // err may quote them
	}
	if _, there := signed.claims["at_hash"]; there && token.VerifyAccessToken(t.AccessToken) != nil {
		return Claims{}, codegrant.Invalid("at_hash does not match")
	}
	if err := occasion(signed.claims, jws.algorithm); err != nil {
		return Claims{}, err
	}
	if err := checkTimes(signed.claims, p.config.Now()); err != nil {
		return Claims{}, err
	}
	if expired {
		return Claims{}, clockError("it has expired", p.config.Now())
	}
	p.signed.Store(jws.algorithm)
	return Claims{signed.claims}, nil
}

// ofSignIn has the rules for the ID token that came with code: the nonce, c_hash and
// auth_time.
func (p *Provider) ofSignIn(tx auth.Transaction, code string) func(strictjson.Object, string) error {
	return func(o strictjson.Object, algorithm string) error {
		if err := checkNonce(o, tx); err != nil {
			return err
		}
		if err := checkHash(o, "c_hash", algorithm, code); err != nil {
			return err
		}
		return p.checkAuthTime(o, tx)
	}
}

// otherAlgorithm is a token whose algorithm is not taken. The issuer signs the next one
// alike, so that it is a fault of the set-up; that it may be forged as well, nobody needs
// to know to refuse it.
func otherAlgorithm(algorithm string, taken []string) error {
	return codegrant.Misconfigured("it is signed with %q, want one of %q: choose one of those for the client at the provider", codegrant.Printable(algorithm, 32), taken)
}

// verify is go-oidc's part. It stops at the expiry, which is no reason to leave
// the rest unread: an expired token is verified once more without a clock, and the
// second result tells of it.
func (p *Provider) verify(ctx context.Context, m *metadata, signed *signedToken) (*gooidc.IDToken, bool, error) {
	config := &gooidc.Config{
		ClientID:             p.config.ClientID,
		SupportedSigningAlgs: m.algorithms,
		SkipIssuerCheck:      strings.Contains(m.issuer, codegrant.TenantMark), // checkIssuer knows the tenant
		Now:                  func() time.Time { return p.config.Now().Add(-clockSkew) },
	}
	token, err := gooidc.NewVerifier(m.issuer, signed, config).Verify(ctx, signed.raw)
	var expired *gooidc.TokenExpiredError
	if !errors.As(err, &expired) {
		return token, false, err
	}
	config.SkipExpiryCheck = true
	token, err = gooidc.NewVerifier(m.issuer, signed, config).Verify(ctx, signed.raw)
	return token, true, err
}

// signedToken is the [gooidc.KeySet] of one ID token. go-oidc asks it for the
// payload of a token whose signature is good, and reads that: with encoding/json,
// which takes ISS for iss and the last of two. So it keeps the claims, parsed
// strictly, and returns a payload of the members that go-oidc reads.
//
// It is for one token, in one goroutine.
type signedToken struct {
	raw  string
	jws  compactJWS
	keys *keySource

	named func(strictjson.Object) // has claims name the issuer as the metadata does

	claims strictjson.Object // nil before the signature is verified
	key    verificationKey   // the one that verified it
	err    error             // why there are no claims; go-oidc drops its type
}

// latest is the last second of the year 9999. Beyond that, dates overflow.
const latest = 253402300799

// VerifySignature implements [gooidc.KeySet].
func (s *signedToken) VerifySignature(ctx context.Context, jwt string) ([]byte, error) {
	if jwt != s.raw {
		return nil, errors.New("another token than the one that this key set is for")
	}
	if s.claims == nil {
		if s.claims, s.key, s.err = s.keys.verify(ctx, s.jws); s.err != nil {
			return nil, s.err
		}
		s.named(s.claims)
	}
	// Without nbf, for which go-oidc has a leeway of its own, and without
	// _claim_names, whose sources Microsoft leaves out: go-oidc refuses that.
	var known struct {
		Issuer   string   `json:"iss"`
		Subject  string   `json:"sub"`
		Audience []string `json:"aud"`
		Expiry   *int64   `json:"exp,omitempty"`
		IssuedAt *int64   `json:"iat,omitempty"`
		Nonce    string   `json:"nonce"`
		AtHash   string   `json:"at_hash,omitempty"`
	}
	known.Issuer, _ = s.claims.String("iss")
	known.Subject, _ = s.claims.String("sub")
	known.Audience, _ = audiences(s.claims)
	known.Nonce, _ = s.claims.String("nonce")
	known.AtHash, _ = s.claims.String("at_hash")
	known.Expiry, known.IssuedAt = date(s.claims, "exp"), date(s.claims, "iat")
	return json.Marshal(known)
}

// date is a claim of seconds since 1970, as far as dates go, or nil.
func date(o strictjson.Object, name string) *int64 {
	n, ok := o.Int(name)
	if !ok {
		return nil
	}
	n = max(0, min(n, latest))
	return &n
}

// nameIssuer has claims name the issuer as the metadata does, where they have the other
// name that tokens may have.
func (p *Provider) nameIssuer(m *metadata, o strictjson.Object) {
	if iss, _ := o.String("iss"); p.config.IssuerAlias != "" && iss == p.config.IssuerAlias {
		o["iss"], _ = json.Marshal(m.issuer) // text is always JSON
	}
}

// checkParties is what go-oidc leaves to its callers: who issued the token to whom, and
// about whom.
func (p *Provider) checkParties(m *metadata, signed *signedToken) error {
	o := signed.claims
	if err := checkIssuer(m.issuer, o, signed.key); err != nil {
		return err
	}
	if err := p.checkAudience(o); err != nil {
		return err
	}
	if sub, _ := o.String("sub"); sub == "" || len(sub) > maxSubject {
		return codegrant.Invalid("sub is not a string of 1 to %d bytes", maxSubject)
	}
	return nil
}

// checkNonce wants the token made for this attempt: Core 3.1.3.7, 11.
func checkNonce(o strictjson.Object, tx auth.Transaction) error {
	if !o.Present("nonce") {
		return codegrant.Invalid("it has no nonce, although one was sent (Core 2): LinkedIn's ID tokens have none, ever; " +
			"sign in at such a provider the OAuth 2.0 way, with providers/oauth2 and its API")
	}
	if nonce, _ := o.String("nonce"); nonce == "" || subtle.ConstantTimeCompare([]byte(nonce), []byte(tx.Nonce)) != 1 {
		return codegrant.Invalid("nonce is not the one of this attempt")
	}
	return nil
}
