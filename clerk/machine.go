package clerk

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/sallyport/auth/internal/strictjson"
)

// What programs send, and how it is verified:
//
//	API key  ak_...                   POST /api_keys/verify
//	M2M      mt_...                   POST /m2m_tokens/verify
//	         JWT, sub is mch_...      here; cat is a machine's, or absent
//	OAuth    oat_...                  POST /oauth_applications/access_tokens/verify
//	         JWT, typ is at+jwt       here: RFC 9068
//
// Clerk is asked about an M2M token with the machine's own secret key, where there is
// one, and tells it of no more than that machine may know.
//
// The first characters, and claims that nobody has verified yet, tell the kinds
// apart; each is then held to the rules of its kind, so that a lie about it is of no
// use. A JWT counts until it expires. An opaque token is asked about at each request,
// so that a revoked one ends at once; where Clerk does not answer it does not count, and
// the request is answered 503. Of one that Clerk has not vouched for before, the client
// has so many: see bounds.

// TokenType is a kind of token that Clerk gives out.
type TokenType string

// The kinds of tokens.
const (
	// SessionToken is a person's, for a minute: a JWT, in a cookie or in the header.
	SessionToken TokenType = "session_token"

	// APIKey is made by a person or an organization for their own programs: ak_....
	APIKey TokenType = "api_key"

	// M2MToken is what one machine of the application shows another: mt_... or a JWT.
	M2MToken TokenType = "m2m_token"

	// OAuthToken is an access token that Clerk, as an identity provider, has given to
	// a client with a person's consent: oat_... or a JWT.
	OAuthToken TokenType = "oauth_token"
)

// MachineName is what [session.Session].Provider is where a token other than a
// session's counts, with Machine set: [auth.Identified] keeps those out of what is for
// people only. That an API key or an OAuth access token is a person's changes nothing;
// the person is not there.
const MachineName = "clerk-machine"

// Machine is what a token says that is no session's. Nothing in it is checked beyond
// what Clerk says of the token: the application compares Scopes with what it is
// about to do.
type Machine struct {
	// ID is the token's own. A JWT may have none.
	ID string

	// Name is an API key's, as whoever made it calls it. Empty for other kinds.
	Name string

	// Subject is whose the token is: "user_..." for an OAuth access token or an API
	// key, "org_..." for an API key, "mch_..." for a machine's.
	Subject string

	// ClientID is the OAuth application that the token was given to. Empty for other
	// kinds.
	ClientID string

	// Scopes are what the token may be used for. Nil or empty: nothing in
	// particular. A machine's JWT without any has those for whom it was made, its
	// claim "aud", as at Clerk.
	Scopes []string

	// Claims are those that were put into an API key or a machine's token when it was
	// made, as they stand; nil where there are none.
	Claims map[string]json.RawMessage

	// ExpiresAt is a JWT's end, to the second. Zero for an opaque token, whose end
	// Clerk looks after.
	ExpiresAt time.Time
}

const (
	machineCategory = "cl_B7d4PD333AAA"
	machineSubject  = "mch_"

	unexpectedError reason = "unexpected-error"
)

// opaque are the tokens that only Clerk can read: how they begin, where Clerk
// says what they are, and how it wants them.
var opaque = []struct {
	kind                TokenType
	prefix, path, field string
}{
	{APIKey, "ak_", "/api_keys/verify", "secret"},
	{M2MToken, "mt_", "/m2m_tokens/verify", "token"},
	{OAuthToken, "oat_", "/oauth_applications/access_tokens/verify", "access_token"},
}

// typeOf tells by its form what a token claims to be.
func (b *Backend) typeOf(token string) TokenType {
	for _, o := range opaque {
		if strings.HasPrefix(token, o.prefix) {
			return o.kind
		}
	}
	switch t := b.decode(token); {
	case t.jwt == nil:
	case strings.HasPrefix(t.claims.UserID, machineSubject):
		return M2MToken
	case t.header.isAccessToken():
		return OAuthToken
	}
	return SessionToken
}

// isAccessToken is RFC 9068 2.1: "typ" is a media type, which has no case.
func (h *header) isAccessToken() bool {
	return strings.EqualFold(h.kind, "at+jwt") || strings.EqualFold(h.kind, "application/at+jwt")
}

// byMachine decides about a request, q, with a token of kind, which is accepted.
// Each token that only Clerk can read costs a call: one that was revoked must
// not count.
func (b *Backend) byMachine(q *request, kind TokenType, token string) (*State, error) {
	m, why, err := b.verifyMachine(q, kind, token)
	switch {
	case err != nil:
		return nil, err
	case why != "":
		return signedOut(why), nil
	}
	return &State{Status: SignedIn, Type: kind, Machine: m, Token: token}, nil
}

// verifyMachine returns what a token says, or why it does not count; err means that
// nobody can tell. Of a JWT, signature, issuer, audience and times are checked: RFC
// 9068 4. Its reason is the same whatever is wrong, as in @clerk/backend.
func (b *Backend) verifyMachine(q *request, kind TokenType, token string) (m *Machine, why reason, err error) {
	for _, o := range opaque {
		if strings.HasPrefix(token, o.prefix) {
			return b.askBounded(q.Request, kind, o.path, o.field, token)
		}
	}
	t := decode(token)
	switch {
	case t == nil, kind == M2MToken && t.header.hasCategory && t.header.category != machineCategory:
		return nil, tokenInvalid, nil
	case kind == M2MToken && t.header.isAccessToken():
		return nil, tokenNotVerified, nil
	}
	key, err := b.key(q.Context(), t)
	switch err := verifySignature(t, key, err); {
	case errors.Is(err, errUnreachable):
		return nil, "", err
	case err != nil:
		return nil, tokenNotVerified, nil
	}
	c := &t.claims
	switch {
	case c.UserID == "", !slices.Contains(b.issuersAt(q.origin), c.Issuer):
		return nil, tokenNotVerified, nil
	case !b.admits(kind, c.raw("aud")):
		return nil, tokenNotVerified, nil
	}
	if t.times(b.now(), b.config.ClockSkew) != nil {
		return nil, tokenNotVerified, nil
	}
	m = &Machine{ID: c.string("jti"), Subject: c.UserID, ExpiresAt: c.ExpiresAt}
	if kind == M2MToken {
		m.Scopes, m.Claims = strings.Fields(c.string("scopes")), c.custom()
		if c.raw("scopes") == "" {
			m.Scopes = audiences(c.raw("aud"))
		}
		return m, "", nil
	}
	m.ClientID = c.string("client_id")
	var listed bool
	if m.Scopes, listed = strictjson.Strings(c.raw("scp")); !listed {
		m.Scopes = strings.Fields(c.string("scope"))
	}
	return m, "", nil
}

// custom are the claims of a machine's JWT that Clerk does not put into each: "aud" and
// "scopes" are among them.
func (c *Claims) custom() map[string]json.RawMessage {
	var all map[string]json.RawMessage
	strictjson.Members(c.text, func(name, value string) bool {
		switch name {
		case "iss", "sub", "exp", "nbf", "iat", "jti":
			return true
		}
		if all == nil {
			all = map[string]json.RawMessage{}
		}
		all[name] = json.RawMessage(value)
		return true
	})
	return all
}

// askBounded is askMachine, as far as the client of r may ask. A token that has counted
// before is asked about in any case, and as any other once it counts no more.
func (b *Backend) askBounded(r *http.Request, kind TokenType, path, field, token string) (*Machine, reason, error) {
	if len(token) > maxToken {
		return nil, tokenInvalid, nil
	}
	if !b.vouched.has(token) && !b.mayAsk(r) {
		return nil, tooMany, nil
	}
	m, why, err := b.askMachine(r.Context(), kind, path, field, token)
	switch {
	case err != nil: // nobody can tell
	case why != "":
		b.vouched.remove(token)
		b.cameToNothing(r)
	default:
		b.vouched.add(token)
	}
	return m, why, err
}

// askMachine has Clerk say what a token of kind is. Clerk does not know one that was
// revoked or has expired, and this does not rely on it. An answer of 401, 429 or 5xx
// is about us and not about the token: nothing is decided.
func (b *Backend) askMachine(ctx context.Context, kind TokenType, path, field, token string) (*Machine, reason, error) {
	body, err := json.Marshal(map[string]string{field: token})
	if err != nil {
		return nil, unexpectedError, nil
	}
	secret := b.config.SecretKey
	if kind == M2MToken && !b.config.MachineSecretKey.IsZero() {
		secret = b.config.MachineSecretKey
	}
	resp, err := b.callWith(ctx, secret, "POST", path, body)
	switch {
	case err != nil:
		return nil, "", err
	case resp.Status == http.StatusNotFound:
		return nil, tokenInvalid, nil
	case aboutUs(resp.Status):
		return nil, "", unreachable("a token's verification is answered with status %d", resp.Status)
	case resp.Status != http.StatusOK:
		return nil, unexpectedError, nil
	}
	var answer struct {
		ID, Name         string
		Subject          string
		ClientID         string `json:"client_id"`
		Scopes           []string
		Revoked, Expired bool
		Aud, Audience    json.RawMessage
		Claims           map[string]json.RawMessage
	}
	if json.Unmarshal(resp.Body, &answer) != nil || answer.Subject == "" {
		return nil, unexpectedError, nil
	}
	if answer.Revoked || answer.Expired {
		return nil, tokenInvalid, nil
	}
	m := &Machine{ID: answer.ID, Subject: answer.Subject, Scopes: answer.Scopes}
	if kind == APIKey {
		m.Name = answer.Name
	}
	aud := claimed(answer.Aud, answer.Audience)
	if kind == OAuthToken {
		m.ClientID = answer.ClientID
	} else {
		m.Claims = answer.Claims
		aud = claimed(answer.Aud, answer.Audience, answer.Claims["aud"])
	}
	if !b.admits(kind, aud) {
		return nil, tokenNotVerified, nil
	}
	return m, "", nil
}
