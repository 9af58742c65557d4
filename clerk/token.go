package clerk

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sallyport/auth/internal/strictjson"
)

// Claims are those of a verified session token.
type Claims struct {
	UserID                             string // claim "sub"
	SessionID                          string // claim "sid"
	Issuer                             string // claim "iss"
	AuthorizedParty                    string // the origin that the token was made for: claim "azp"; may be empty
	OrganizationID                     string // of the active organization, if any
	OrganizationSlug, OrganizationRole string
	Pending                            bool      // a task is left before the session counts: claim "sts"
	IssuedAt                           time.Time // claim "iat"
	ExpiresAt                          time.Time // claim "exp"

	object strictjson.Object
}

// Raw returns a claim's JSON text, or nil.
func (c *Claims) Raw(name string) []byte { return c.object[name] }

// reason is why a token does not count, in Clerk's words.
type reason string

func (r reason) Error() string { return string(r) }

const (
	tokenInvalid          reason = "token-invalid"
	tokenInvalidAlgorithm reason = "token-invalid-algorithm"
	tokenInvalidSignature reason = "token-invalid-signature"
	tokenNotVerified      reason = "token-verification-failed"
	tokenWrongParty       reason = "token-invalid-authorized-parties"
	tokenWrongIssuer      reason = "token-invalid-issuer"
	tokenExpired          reason = "token-expired"
	tokenNotYet           reason = "token-not-active-yet"
	tokenFromTheFuture    reason = "token-iat-in-the-future"
	tokenUnknownKey       reason = "jwk-kid-mismatch"
	tokenTypeMismatch     reason = "token-type-mismatch"
)

const (
	maxToken        = 16 << 10
	sessionCategory = "cl_B7d4PD111AAA"
	noCategory      = "cl_I7d4PD111III" // Clerk's for tokens that have none
)

// jwt is a token taken apart, and not verified.
type jwt struct {
	header, claims strictjson.Object
	signed         string
	signature      []byte
}

func decode(token string) (*jwt, bool) {
	parts := strings.Split(token, ".")
	if len(token) > maxToken || len(parts) != 3 {
		return nil, false
	}
	var raw [3][]byte
	for i, p := range parts {
		var err error
		if strings.ContainsAny(p, "\r\n") {
			return nil, false
		}
		if raw[i], err = base64.RawURLEncoding.Strict().DecodeString(p); err != nil {
			return nil, false
		}
	}
	header, err := strictjson.Parse(raw[0])
	if err != nil {
		return nil, false
	}
	claims, err := strictjson.Parse(raw[1])
	if err != nil {
		return nil, false
	}
	return &jwt{header, claims, token[:len(parts[0])+1+len(parts[1])], raw[2]}, true
}

// isSession reports whether a token is of the kind that signs people in, and
// neither a machine's nor made from a template.
func (t *jwt) isSession() bool {
	typ, _ := t.header.String("typ")
	if typ = strings.ToLower(typ); typ == "at+jwt" || typ == "application/at+jwt" {
		return false
	}
	if sub, _ := t.claims.String("sub"); strings.HasPrefix(sub, "mch_") {
		return false
	}
	if _, there := t.header["cat"]; there {
		category, _ := t.header.String("cat")
		return category == sessionCategory || category == noCategory
	}
	return true
}

// verify holds a session token to Clerk's rules in Clerk's order: kind, form,
// signature, claims. The error is a reason, or wraps errUnreachable.
func (b *Backend) verify(ctx context.Context, token string, skew time.Duration) (*Claims, error) {
	t, ok := decode(token)
	if !ok {
		return nil, tokenInvalid
	}
	if !t.isSession() {
		return nil, tokenTypeMismatch
	}
	if err := b.verifySignature(ctx, t); err != nil {
		return nil, err
	}
	c := &Claims{object: t.claims}
	if c.UserID, _ = t.claims.String("sub"); c.UserID == "" {
		return nil, tokenNotVerified
	}
	c.SessionID, _ = t.claims.String("sid")
	if c.Issuer, _ = t.claims.String("iss"); c.Issuer != b.issuer {
		return nil, tokenWrongIssuer
	}
	c.AuthorizedParty, _ = t.claims.String("azp")
	if b.parties != nil && !slices.Contains(b.parties, c.AuthorizedParty) {
		return nil, tokenWrongParty
	}
	if err := c.times(b.now(), skew); err != nil {
		return nil, err
	}
	status, _ := t.claims.String("sts")
	c.Pending = status == "pending"
	c.organization()
	return c, nil
}

func (c *Claims) times(now time.Time, skew time.Duration) error {
	at := func(name string, required bool) (t time.Time, err error) {
		n, ok := c.object.Int(name)
		if !ok {
			if _, there := c.object[name]; there || required {
				return t, tokenNotVerified
			}
			return t, nil
		}
		return time.Unix(n, 0), nil
	}
	exp, err := at("exp", true)
	if err != nil {
		return err
	}
	nbf, err := at("nbf", false)
	if err != nil {
		return err
	}
	iat, err := at("iat", false)
	if err != nil {
		return err
	}
	switch {
	case !exp.After(now.Add(-skew)):
		return tokenExpired
	case nbf.After(now.Add(skew)):
		return tokenNotYet
	case iat.After(now.Add(skew)):
		return tokenFromTheFuture
	}
	c.IssuedAt, c.ExpiresAt = iat, exp
	return nil
}

// organization reads both versions of Clerk's claims.
func (c *Claims) organization() {
	if version, _ := c.object.Int("v"); version != 2 {
		c.OrganizationID, _ = c.object.String("org_id")
		c.OrganizationSlug, _ = c.object.String("org_slug")
		c.OrganizationRole, _ = c.object.String("org_role")
		return
	}
	o, _ := c.object.Object("o")
	c.OrganizationID, _ = o.String("id")
	c.OrganizationSlug, _ = o.String("slg")
	if role, _ := o.String("rol"); role != "" {
		c.OrganizationRole = "org:" + role
	}
}

// verifySignature checks header and signature, and no claim.
func (b *Backend) verifySignature(ctx context.Context, t *jwt) error {
	if _, there := t.header["typ"]; there {
		if typ, _ := t.header.String("typ"); typ != "JWT" {
			return tokenInvalid
		}
	}
	if _, there := t.header["crit"]; there {
		return tokenInvalid
	}
	if alg, _ := t.header.String("alg"); alg != "RS256" {
		return tokenInvalidAlgorithm
	}
	key := b.fixedKey
	if key == nil {
		id, _ := t.header.String("kid")
		var err error
		if key, err = b.keys.get(ctx, id); err != nil {
			return err
		}
	}
	sum := sha256.Sum256([]byte(t.signed))
	if rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], t.signature) != nil {
		return tokenInvalidSignature
	}
	return nil
}

// errUnreachable: Clerk's API does not answer, so that nothing can be decided.
var errUnreachable = errors.New("clerk: the Backend API cannot be reached")

func unreachable(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{errUnreachable}, args...)...)
}
