package clerk

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/sallyport/auth/internal/strictjson"
)

// What is checked of a session token, in this order. Clerk's order is the same, and
// what is wrong first is the reason that is told.
//
//	kind        no OAuth access token (typ), M2M token (sub) or template (cat)
//	form        three parts of base64url, two of them JSON objects; 16 KiB at most
//	header      "typ" is absent or JWT, there is no "crit", "alg" is RS256
//	signature   by the key that "kid" names, or by the fixed one
//	sub         a string, not empty
//	iss         this instance, or its proxy; on a satellite, the domain's too
//	aud         one of Config.Audiences, where these are set
//	azp         one of Config.AuthorizedParties, where these are set
//	exp         required; nbf, iat: where they are there
//
// RFC 8725 says why: the algorithm is fixed (3.1), the kinds of an issuer's tokens
// are told apart (3.11, 3.12), and issuer and audience are compared exactly (3.8, 3.9).
// What nobody has verified yet is read for two things only: to choose between two
// cookies, and to tell a handshake from a token that is worth verifying.

// Claims are those of a verified session token. Its methods may be called
// concurrently, as long as nobody changes a field.
type Claims struct {
	// UserID is claim "sub": "user_...".
	UserID string

	// SessionID is claim "sid": "sess_...". Clerk's API revokes a session by it.
	SessionID string

	// Issuer is claim "iss": the Frontend API's address, or its proxy's.
	Issuer string

	// AuthorizedParty is claim "azp", the origin that the token was made for. It may
	// be empty: Clerk does not know the origin of some navigations.
	AuthorizedParty string

	// OrganizationID is the active organization's: "org_...". Empty if none is.
	OrganizationID string

	// OrganizationSlug is the active organization's name for URLs. It may change.
	OrganizationSlug string

	// OrganizationRole is the person's in the active organization: "org:admin".
	OrganizationRole string

	// Pending says that a task is left before the session counts: claim "sts".
	Pending bool

	// IssuedAt is claim "iat", to the second; 1970 where there is none.
	IssuedAt time.Time

	// ExpiresAt is claim "exp", to the second.
	ExpiresAt time.Time

	text string // the whole object
}

// Raw returns the JSON text of any claim, or nil if it is not there. Custom claims
// of the instance are read with it and encoding/json.
func (c *Claims) Raw(name string) []byte {
	if raw := c.raw(name); raw != "" {
		return []byte(raw)
	}
	return nil
}

// raw is a claim as it stands. What has no field is asked for seldom.
func (c *Claims) raw(name string) string { return strictjson.Member(c.text, name) }

// string is a claim that is a string, or "".
func (c *Claims) string(name string) string {
	s, _ := strictjson.String(c.raw(name))
	return s
}

// reason is why a token does not count, in Clerk's words. As an error it is somebody
// else's fault; what is ours, or Clerk's, wraps errUnreachable.
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
	tooMany               reason = "too-many-requests" // not Clerk's: see bounds
)

// messages say for people why a token does not count. They repeat nothing of it.
var messages = map[reason]string{
	tokenInvalid:          "The token is malformed, unknown or revoked.",
	tokenInvalidAlgorithm: "The token is not signed with RS256.",
	tokenInvalidSignature: "The token's signature is wrong.",
	tokenNotVerified:      "A claim of the token is missing or wrong.",
	tokenWrongParty:       "The token was made for another origin.",
	tokenWrongIssuer:      "The token is another instance's.",
	tokenUnknownKey:       "The token names a key that the instance does not have.",
	tokenTypeMismatch:     "The token is of a kind that does not count here.",
	tooMany:               "Too much of this client's did not count. Try again later.",
}

// Clerk tells its tokens apart by a header parameter of its own, "cat".
const (
	maxToken        = 16 << 10 // bytes; a browser's cookie holds 4 KiB
	sessionCategory = "cl_B7d4PD111AAA"
	noCategory      = "cl_I7d4PD111III" // Clerk's for tokens that have none
)

// jwt is a token taken apart. It is never changed, and shared between requests.
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

// numericDate is RFC 7519's, in seconds since 1970: section 2. Fractions are cut.
type numericDate struct {
	at           int64
	there, valid bool
}

// dateOf is a claim's number; valid says that it is one.
func dateOf(raw string) numericDate {
	at, valid := strictjson.Int(raw)
	return numericDate{at, true, valid}
}

// seen is a token taken apart, and the key that verified it before, if one did. Its
// jwt is nil for what is malformed.
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

// canonical refuses the other spellings of the same bytes (RFC 4648 3.5), so that a
// token that was changed is never the same token.
var canonical = base64.RawURLEncoding.Strict()

// decode takes token apart and verifies nothing: RFC 7515 3.1. It is nil for what is
// malformed, has a name twice, or is not UTF-8.
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

// set takes a parameter out of the header. A value of the wrong type is an empty
// string, which no check takes.
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
//
//	version 1   org_id, org_slug, org_role: "org:admin"
//	version 2   "v": 2, "o": {"id", "slg", "rol": "admin"}
//
// A claim of the wrong type is as if it were absent, and so are a name and a role of
// an organization that has no id. What has no field is read from the text when somebody
// asks.
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
	id, slug, role := flat[0], flat[1], flat[2]
	if version == 2 {
		id, _ = strictjson.String(strictjson.Member(organization, "id"))
		slug, _ = strictjson.String(strictjson.Member(organization, "slg"))
		if role, _ = strictjson.String(strictjson.Member(organization, "rol")); role != "" {
			role = "org:" + role
		}
	}
	if id != "" {
		c.OrganizationID, c.OrganizationSlug, c.OrganizationRole = id, slug, role
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

// verify holds a session token for a request to origin to Clerk's rules in Clerk's
// order: kind, form, signature, claims. The error is a reason, or wraps errUnreachable.
func (b *Backend) verify(ctx context.Context, s seen, origin *url.URL) error {
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
	case !slices.Contains(b.issuersAt(origin), c.Issuer):
		return tokenWrongIssuer
	case !b.admits(SessionToken, c.raw("aud")):
		return tokenNotVerified
	case b.parties != nil && !slices.Contains(b.parties, c.AuthorizedParty):
		return tokenWrongParty
	}
	return s.times(b.now(), b.config.ClockSkew)
}

// verifyOnce verifies a signature unless it was, with the key that still counts. RSA
// is most of what a request costs.
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

// times checks "exp", "nbf" and "iat" at now, to the second. exp is required, where
// RFC 7519 4.1.4 leaves it open: a session without an end is none.
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

// key is the one that t names, or the fixed one, whatever t names.
func (b *Backend) key(ctx context.Context, t *jwt) (*rsa.PublicKey, error) {
	if b.fixedKey != nil {
		return b.fixedKey, nil
	}
	if b.config.SecretKey.IsZero() {
		return nil, tokenNotVerified // the key set is for those who have one
	}
	return b.keys.get(ctx, t.header.keyID)
}

// verifySignature checks header and signature, and no claim: RFC 7515 5.2, RFC 7518
// 3.3. keyErr is why there is no key; a malformed header counts before it. Which kind of
// token goes with an access token's "typ" is the caller's to say.
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

// errUnreachable says that Clerk's API does not answer, or not as it should, so that
// nothing can be decided.
var errUnreachable = errors.New("clerk: the Backend API cannot be reached")

// unreachable wraps errUnreachable with the cause, which goes to the log.
func unreachable(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{errUnreachable}, args...)...)
}
