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

	text string // the whole object
}

// Raw returns a claim's JSON text, or nil.
func (c *Claims) Raw(name string) []byte {
	if raw := c.raw(name); raw != "" {
		return []byte(raw)
	}
	return nil
}

// raw is a claim as it stands. What has no field is asked for seldom.
func (c *Claims) raw(name string) string { return strictjson.Member(c.text, name) }

func (c *Claims) string(name string) string {
	s, _ := strictjson.String(c.raw(name))
	return s
}

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

// jwt is a token taken apart. It is never changed.
type jwt struct {
	token     string
	signed    string // the part of token that is
	signature string
	header    header
	claims    Claims
	machine   bool // not of the kind that signs people in

	expires, notBefore, issued numericDate
}

// header is a token's, as far as it counts.
type header struct {
	algorithm, keyID     string
	kind, category       string // "typ" and "cat"
	hasKind, hasCategory bool
	critical             bool // "crit" is there
}

// numericDate is RFC 7519's.
type numericDate struct {
	at           int64
	there, valid bool
}

func dateOf(raw string) numericDate {
	at, valid := strictjson.Int(raw)
	return numericDate{at, true, valid}
}

// seen is a token taken apart, and the key that verified it before, if one did.
type seen struct {
	*jwt
	key *rsa.PublicKey
}

// decode takes token apart, or has it from an earlier request. It is nil for what
// is malformed.
func (b *Backend) decode(token string) seen {
	if s, ok := b.remembered.get(token); ok {
		return s
	}
	return seen{jwt: decode(token)}
}

var canonical = base64.RawURLEncoding.Strict()

func decode(token string) *jwt {
	first, rest, _ := strings.Cut(token, ".")
	second, third, ok := strings.Cut(rest, ".")
	if !ok || len(token) > maxToken || strings.ContainsAny(token, "\r\n") {
		return nil
	}
	var ends [3]int
	var scratch [2048]byte
	raw := scratch[:0]
	for i, part := range [3]string{first, second, third} {
		var err error
		if raw, err = canonical.AppendDecode(raw, []byte(part)); err != nil {
			return nil
		}
		ends[i] = len(raw)
	}
	text := string(raw)
	t := &jwt{token: token, signed: token[:len(first)+1+len(second)], signature: text[ends[1]:]}
	t.claims.text = text[ends[0]:ends[1]]
	if !strictjson.Members(text[:ends[0]], t.header.set) || !t.readClaims() {
		return nil
	}
	t.machine = t.isMachine()
	return t
}

func (h *header) set(name, value string) bool {
	switch name {
	case "alg":
		h.algorithm, _ = strictjson.String(value)
	case "kid":
		h.keyID, _ = strictjson.String(value)
	case "typ":
		h.hasKind = true
		h.kind, _ = strictjson.String(value)
	case "cat":
		h.hasCategory = true
		h.category, _ = strictjson.String(value)
	case "crit":
		h.critical = true
	}
	return true
}

// readClaims takes what has a field out of the claims: both versions of Clerk's.
func (t *jwt) readClaims() bool {
	c := &t.claims
	var version int64
	var status, organization string
	var flat [3]string // of version 1
	ok := strictjson.Members(c.text, func(name, value string) bool {
		switch name {
		case "sub":
			c.UserID, _ = strictjson.String(value)
		case "sid":
			c.SessionID, _ = strictjson.String(value)
		case "iss":
			c.Issuer, _ = strictjson.String(value)
		case "azp":
			c.AuthorizedParty, _ = strictjson.String(value)
		case "sts":
			status, _ = strictjson.String(value)
		case "exp":
			t.expires = dateOf(value)
		case "nbf":
			t.notBefore = dateOf(value)
		case "iat":
			t.issued = dateOf(value)
		case "v":
			version, _ = strictjson.Int(value)
		case "o":
			organization = value
		case "org_id":
			flat[0], _ = strictjson.String(value)
		case "org_slug":
			flat[1], _ = strictjson.String(value)
		case "org_role":
			flat[2], _ = strictjson.String(value)
		}
		return true
	})
	c.Pending = status == "pending"
	c.IssuedAt, c.ExpiresAt = time.Unix(t.issued.at, 0), time.Unix(t.expires.at, 0)
	if version != 2 {
		c.OrganizationID, c.OrganizationSlug, c.OrganizationRole = flat[0], flat[1], flat[2]
		return ok
	}
	c.OrganizationID, _ = strictjson.String(strictjson.Member(organization, "id"))
	c.OrganizationSlug, _ = strictjson.String(strictjson.Member(organization, "slg"))
	if role, _ := strictjson.String(strictjson.Member(organization, "rol")); role != "" {
		c.OrganizationRole = "org:" + role
	}
	return ok
}

// isMachine reports whether a token is not of the kind that signs people in: a
// machine's, or made from a template.
func (t *jwt) isMachine() bool {
	if t.header.isAccessToken() || strings.HasPrefix(t.claims.UserID, machineSubject) {
		return true
	}
	return t.header.hasCategory && t.header.category != sessionCategory && t.header.category != noCategory
}

// verify holds a session token to Clerk's rules in Clerk's order: kind, form,
// signature, claims. The error is a reason, or wraps errUnreachable.
func (b *Backend) verify(ctx context.Context, s seen, skew time.Duration) error {
	if s.jwt == nil {
		return tokenInvalid
	}
	if s.machine {
		return tokenTypeMismatch
	}
	if err := b.verifyOnce(ctx, s); err != nil {
		return err
	}
	c := &s.claims
	switch {
	case c.UserID == "":
		return tokenNotVerified
	case !slices.Contains(b.issuers, c.Issuer):
		return tokenWrongIssuer
	case !b.admits(c.raw("aud")):
		return tokenNotVerified
	case b.parties != nil && !slices.Contains(b.parties, c.AuthorizedParty):
		return tokenWrongParty
	}
	return s.times(b.now(), skew)
}

// verifyOnce verifies a signature unless it was, with the key that still counts.
func (b *Backend) verifyOnce(ctx context.Context, s seen) error {
	key, err := b.key(ctx, s.jwt)
	if err == nil && s.key == key {
		return nil
	}
	if err := verifySignature(s.jwt, key, err); err != nil {
		return err
	}
	b.remembered.add(s.token, seen{s.jwt, key})
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

// key is the one that t names.
func (b *Backend) key(ctx context.Context, t *jwt) (*rsa.PublicKey, error) {
	if b.fixedKey != nil {
		return b.fixedKey, nil
	}
	return b.keys.get(ctx, t.header.keyID)
}

// verifySignature checks header and signature, and no claim. keyErr is why there
// is no key; a malformed header counts before it.
func verifySignature(t *jwt, key *rsa.PublicKey, keyErr error) error {
	switch h := &t.header; {
	case h.hasKind && h.kind != "JWT" && !h.isAccessToken(), h.critical:
		return tokenInvalid
	case h.algorithm != "RS256":
		return tokenInvalidAlgorithm
	case keyErr != nil:
		return keyErr
	}
	var room [2048]byte // a conversion's copy would be on the heap
	sum := sha256.Sum256(append(room[:0], t.signed...))
	if rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], []byte(t.signature)) != nil {
		return tokenInvalidSignature
	}
	return nil
}

// errUnreachable: Clerk's API does not answer, so that nothing can be decided.
var errUnreachable = errors.New("clerk: the Backend API cannot be reached")

func unreachable(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{errUnreachable}, args...)...)
}
