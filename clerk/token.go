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

// messages say for people why a token does not count.
var messages = map[reason]string{
	tokenInvalid:          "The token is malformed, unknown or revoked.",
	tokenInvalidAlgorithm: "The token is not signed with RS256.",
	tokenInvalidSignature: "The token's signature is wrong.",
	tokenNotVerified:      "A claim of the token is missing or wrong.",
	tokenWrongParty:       "The token was made for another origin.",
	tokenWrongIssuer:      "The token is another instance's.",
	tokenUnknownKey:       "The token names a key that the instance does not have.",
	tokenTypeMismatch:     "The token is of a kind that does not count here.",
}

const (
	maxToken        = 16 << 10
	sessionCategory = "cl_B7d4PD111AAA"
	noCategory      = "cl_I7d4PD111III" // Clerk's for tokens that have none
)

// jwt is a token taken apart, and not verified. It is never changed.
type jwt struct {
	header    strictjson.Object
	signed    string
	signature []byte
	keyID     string
	machine   bool // not of the kind that signs people in

	claims             Claims
	expires, notBefore numericDate
	issued             numericDate
}

// numericDate is RFC 7519's.
type numericDate struct {
	at           int64
	there, valid bool
}

func dateOf(o strictjson.Object, name string) (d numericDate) {
	_, d.there = o[name]
	d.at, d.valid = o.Int(name)
	return d
}

// decode takes token apart, or has it from an earlier request.
func (b *Backend) decode(token string) (*jwt, bool) {
	if r, ok := b.remembered.get(token); ok {
		return r.token, true
	}
	return decode(token)
}

func decode(token string) (*jwt, bool) {
	if len(token) > maxToken {
		return nil, false
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
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
	o, err := strictjson.Parse(raw[1])
	if err != nil {
		return nil, false
	}
	t := &jwt{header: header, signed: token[:len(parts[0])+1+len(parts[1])], signature: raw[2]}
	t.keyID, _ = header.String("kid")
	t.expires, t.notBefore, t.issued = dateOf(o, "exp"), dateOf(o, "nbf"), dateOf(o, "iat")
	c := &t.claims
	c.object = o
	c.UserID, _ = o.String("sub")
	c.SessionID, _ = o.String("sid")
	c.Issuer, _ = o.String("iss")
	c.AuthorizedParty, _ = o.String("azp")
	c.IssuedAt, c.ExpiresAt = time.Unix(t.issued.at, 0), time.Unix(t.expires.at, 0)
	status, _ := o.String("sts")
	c.Pending = status == "pending"
	c.organization()
	t.machine = isMachine(header, c.UserID)
	return t, true
}

// isMachine reports whether a token is not of the kind that signs people in: a
// machine's, or made from a template.
func isMachine(header strictjson.Object, subject string) bool {
	if isAccessToken(header) || strings.HasPrefix(subject, machineSubject) {
		return true
	}
	if _, there := header["cat"]; there {
		category, _ := header.String("cat")
		return category != sessionCategory && category != noCategory
	}
	return false
}

// verify holds a session token to Clerk's rules in Clerk's order: kind, form,
// signature, claims. The error is a reason, or wraps errUnreachable.
func (b *Backend) verify(ctx context.Context, token string, skew time.Duration) (*Claims, error) {
	t, ok := b.decode(token)
	if !ok {
		return nil, tokenInvalid
	}
	if t.machine {
		return nil, tokenTypeMismatch
	}
	if err := b.verifyOnce(ctx, token, t); err != nil {
		return nil, err
	}
	c := t.claims // each request has its own
	switch {
	case c.UserID == "":
		return nil, tokenNotVerified
	case !slices.Contains(b.issuers, c.Issuer):
		return nil, tokenWrongIssuer
	case b.parties != nil && !slices.Contains(b.parties, c.AuthorizedParty):
		return nil, tokenWrongParty
	}
	if err := t.times(b.now(), skew); err != nil {
		return nil, err
	}
	return &c, nil
}

// verifyOnce verifies a signature unless it was, with the key that still counts.
func (b *Backend) verifyOnce(ctx context.Context, token string, t *jwt) error {
	key, err := b.key(ctx, t)
	if r, ok := b.remembered.get(token); ok && err == nil && r.key == key {
		return nil
	}
	if err := b.verifySignature(t, key, err); err != nil {
		return err
	}
	b.remembered.add(token, remembered{t, key})
	return nil
}

func (t *jwt) times(now time.Time, skew time.Duration) error {
	late, early := now.Add(-skew).Unix(), now.Add(skew)
	after := func(d numericDate) bool { return d.there && time.Unix(d.at, 0).After(early) }
	switch {
	case !t.expires.valid, t.notBefore.there && !t.notBefore.valid, t.issued.there && !t.issued.valid:
		return tokenNotVerified
	case t.expires.at <= late:
		return tokenExpired
	case after(t.notBefore):
		return tokenNotYet
	case after(t.issued):
		return tokenFromTheFuture
	}
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

// key is the one that t names.
func (b *Backend) key(ctx context.Context, t *jwt) (*rsa.PublicKey, error) {
	if b.fixedKey != nil {
		return b.fixedKey, nil
	}
	return b.keys.get(ctx, t.keyID)
}

// verifySignature checks header and signature, and no claim. keyErr is why there
// is no key; a malformed header counts before it.
func (b *Backend) verifySignature(t *jwt, key *rsa.PublicKey, keyErr error) error {
	if _, there := t.header["typ"]; there {
		if typ, _ := t.header.String("typ"); typ != "JWT" && !isAccessToken(t.header) {
			return tokenInvalid
		}
	}
	if _, there := t.header["crit"]; there {
		return tokenInvalid
	}
	if alg, _ := t.header.String("alg"); alg != "RS256" {
		return tokenInvalidAlgorithm
	}
	if keyErr != nil {
		return keyErr
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
