package oidc

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/internal/strictjson"
	"github.com/sallyport/auth/providers/internal/codegrant"
)

const (
	maxJWT       = 64 << 10
	maxJWTHeader = 8 << 10
	maxKeyID     = 1 << 10

	clockSkew = time.Minute
	maxIDAge  = time.Hour // how old an ID token may be at sign-in
)

// asymmetric are the algorithms that may sign an ID token: RFC 8725 3.2.
var asymmetric = map[jose.SignatureAlgorithm]bool{
	jose.RS256: true, jose.RS384: true, jose.RS512: true,
	jose.PS256: true, jose.PS384: true, jose.PS512: true,
	jose.ES256: true, jose.ES384: true, jose.ES512: true,
	jose.EdDSA: true,
}

// verifyIDToken is OpenID Connect Core 3.1.3.7: first the signature, then the
// claims.
func (p *Provider) verifyIDToken(ctx context.Context, m *metadata, t *codegrant.Tokens, tx auth.Transaction, code string) (Claims, error) {
	header, err := readHeader(t.IDToken)
	if err != nil {
		return Claims{}, err
	}
	if !slices.Contains(m.algorithms, header.algorithm) {
		return Claims{}, codegrant.Invalid("it is signed with %q, want one of %q", codegrant.Printable(string(header.algorithm), 32), m.algorithms)
	}
	o, key, err := p.verifySignature(ctx, t.IDToken, header)
	if err != nil {
		return Claims{}, err
	}
	if err := checkIssuer(m.issuer, o, key); err != nil {
		return Claims{}, err
	}
	if err := p.checkAudience(o); err != nil {
		return Claims{}, err
	}
	if sub, _ := o.String("sub"); sub == "" || len(sub) > 255 {
		return Claims{}, codegrant.Invalid("sub is not a string of 1 to 255 bytes")
	}
	if nonce, _ := o.String("nonce"); subtle.ConstantTimeCompare([]byte(nonce), []byte(tx.Nonce)) != 1 || nonce == "" {
		return Claims{}, codegrant.Invalid("nonce is not the one of this attempt")
	}
	if err := checkHash(o, "at_hash", header.algorithm, t.Token.AccessToken); err != nil {
		return Claims{}, err
	}
	if err := checkHash(o, "c_hash", header.algorithm, code); err != nil {
		return Claims{}, err
	}
	// Last, so that it is about the clock only where nothing else is wrong.
	return Claims{o}, p.checkTimes(o)
}

type jwtHeader struct {
	algorithm jose.SignatureAlgorithm
	keyID     string
}

// readHeader looks at a compact JWS before anything is computed. Keys that the
// header brings along or points to (jwk, jku, x5c, x5u) are not looked at.
func readHeader(token string) (h jwtHeader, err error) {
	if len(token) > maxJWT {
		return h, codegrant.Invalid("it has more than %d bytes", maxJWT)
	}
	if n := strings.Count(token, "."); n == 4 {
		return h, fmt.Errorf("%w: it is encrypted: turn ID token encryption off at the provider", auth.ErrMisconfigured)
	} else if n != 2 {
		return h, codegrant.Invalid("it is not a compact JWS of three parts")
	}
	for part := range strings.SplitSeq(token, ".") {
		if !canonical(part) {
			return h, codegrant.Invalid("it is not canonical base64url")
		}
	}
	encoded, _, _ := strings.Cut(token, ".")
	raw, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil || len(raw) > maxJWTHeader {
		return h, codegrant.Invalid("its header is malformed")
	}
	o, err := strictjson.Parse(raw)
	if err != nil {
		return h, codegrant.Invalid("its header is malformed")
	}
	for _, name := range []string{"crit", "b64", "zip"} {
		if _, there := o[name]; there {
			return h, codegrant.Invalid("its header has %s, which is not understood", name)
		}
	}
	if typ, there := o["typ"]; there {
		if s, _ := o.String("typ"); !strings.EqualFold(s, "JWT") {
			return h, codegrant.Invalid("its typ is %.40q, want JWT", typ)
		}
	}
	algorithm, _ := o.String("alg")
	h.algorithm = jose.SignatureAlgorithm(algorithm)
	if _, there := o["kid"]; there {
		var ok bool
		if h.keyID, ok = o.String("kid"); !ok || len(h.keyID) > maxKeyID {
			return h, codegrant.Invalid("its kid is no string of at most %d bytes", maxKeyID)
		}
	}
	return h, nil
}

// canonical reports whether s is the one way to write its bytes: RFC 7515 2.
func canonical(s string) bool {
	if s == "" || strings.ContainsAny(s, "\r\n") {
		return false
	}
	_, err := base64.RawURLEncoding.Strict().DecodeString(s)
	return err == nil
}

func (p *Provider) verifySignature(ctx context.Context, token string, h jwtHeader) (strictjson.Object, verificationKey, error) {
	none := verificationKey{}
	signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{h.algorithm})
	if err != nil || len(signed.Signatures) != 1 {
		return nil, none, codegrant.Invalid("it is malformed")
	}
	keys, err := p.keys.candidates(ctx, h.keyID, h.algorithm)
	if err != nil {
		return nil, none, err
	}
	for _, k := range keys {
		payload, err := signed.Verify(k.key)
		if err != nil {
			continue
		}
		o, err := strictjson.Parse(payload)
		if err != nil {
			return nil, none, codegrant.Invalid("its claims are no JSON object, or have a name twice")
		}
		return o, k, nil
	}
	return nil, none, codegrant.Invalid("no key of the issuer verifies its signature")
}

var guid = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// checkIssuer wants the issuer that the metadata names. Where that is a template,
// tid says which tenant.
func checkIssuer(want string, o strictjson.Object, k verificationKey) error {
	tenant, _ := o.String("tid")
	if strings.Contains(want, codegrant.TenantMark) {
		if !guid.MatchString(tenant) {
			return codegrant.Invalid("tid is no GUID")
		}
		want = strings.Replace(want, codegrant.TenantMark, tenant, 1)
	}
	if got, _ := o.String("iss"); got != want {
		return codegrant.Invalid("iss is %q, want %q", codegrant.Printable(got, 200), want)
	}
	// Microsoft says which issuer each key is for, in the same form.
	if k.issuer != "" && strings.Replace(k.issuer, codegrant.TenantMark, tenant, 1) != want {
		return codegrant.Invalid("the key that signed it belongs to another issuer")
	}
	return nil
}

// checkAudience wants us among the audiences, nobody whom the configuration does
// not know, and us as the authorized party.
func (p *Provider) checkAudience(o strictjson.Object) error {
	audiences, ok := o.Strings("aud")
	if !ok {
		one, ok := o.String("aud")
		if !ok {
			return codegrant.Invalid("aud is neither a string nor a list of strings")
		}
		audiences = []string{one}
	}
	if !slices.Contains(audiences, p.config.ClientID) {
		return codegrant.Invalid("aud is %q, want the client id", codegrant.Printable(strings.Join(audiences, " "), 200))
	}
	for _, a := range audiences {
		if a != p.config.ClientID && !slices.Contains(p.config.TrustedAudiences, a) {
			return codegrant.Invalid("aud names %q, which TrustedAudiences does not", codegrant.Printable(a, 200))
		}
	}
	if _, there := o["azp"]; !there {
		if len(audiences) > 1 {
			return codegrant.Invalid("it has several audiences and no azp")
		}
		return nil
	}
	if azp, ok := o.String("azp"); !ok || azp != p.config.ClientID {
		return codegrant.Invalid("azp is not the client id")
	}
	return nil
}

// checkHash verifies at_hash and c_hash where they are: the left half of the
// hash that belongs to the algorithm (3.1.3.6). Ed25519 goes with SHA-512.
func checkHash(o strictjson.Object, name string, algorithm jose.SignatureAlgorithm, value string) error {
	if _, there := o[name]; !there {
		return nil
	}
	var sum []byte
	switch {
	case algorithm == jose.EdDSA || strings.HasSuffix(string(algorithm), "512"):
		h := sha512.Sum512([]byte(value))
		sum = h[:]
	case strings.HasSuffix(string(algorithm), "384"):
		h := sha512.Sum384([]byte(value))
		sum = h[:]
	default:
		h := sha256.Sum256([]byte(value))
		sum = h[:]
	}
	got, _ := o.String(name)
	want := base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
	if subtle.ConstantTimeCompare([]byte(got), []byte(want)) != 1 {
		return codegrant.Invalid("%s does not match", name)
	}
	return nil
}

func (p *Provider) checkTimes(o strictjson.Object) error {
	now := p.config.Now()
	clock := func(text string) error {
		return fmt.Errorf("%w: %w: %s; the clock here says %s", auth.ErrClock, auth.ErrInvalidResponse, text, now.UTC().Format(time.RFC3339))
	}
	exp, ok := o.Int("exp")
	if !ok {
		return codegrant.Invalid("exp is missing or no number")
	}
	iat, ok := o.Int("iat")
	if !ok {
		return codegrant.Invalid("iat is missing or no number")
	}
	skew := int64(clockSkew / time.Second)
	if exp <= now.Unix()-skew {
		return clock("it has expired")
	}
	if iat > now.Unix()+skew {
		return clock("it was issued in the future")
	}
	if iat < now.Unix()-int64(maxIDAge/time.Second)-skew {
		return clock("it was issued more than an hour ago")
	}
	if _, there := o["nbf"]; there {
		nbf, ok := o.Int("nbf")
		if !ok {
			return codegrant.Invalid("nbf is no number")
		}
		if nbf > now.Unix()+skew {
			return clock("it is not valid yet")
		}
	}
	return nil
}
