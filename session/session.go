package session

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/sallyport/auth/internal/strictjson"
)

// AccessCode is what [Session].Provider is for somebody who signed in with an
// access code. No provider can have that name.
const AccessCode = "access-code"

// Session is one person's sign-in. Each request has its own: changing it changes
// nothing for others, and lasts only when [Manager.Rewrite] writes it. It is not
// safe for concurrent use.
//
// The claims that Auth.js puts into a token are under its names (RFC 7519 4.1 and
// OpenID Connect Core 5.1); those that it does not know stand beside them. A claim
// with a field that is null, empty or of another type leaves the field empty
// and is kept among those without one. Times are in whole seconds in a token.
type Session struct {
	// ID is unique for each sign-in and stays the same when the session is
	// renewed: a UUID (RFC 9562 5.4). [Manager.Start] sets it. Claim "signin_id", which
	// Auth.js keeps when it writes a token anew, and "jti" (RFC 7519 4.1.7), which it
	// replaces. Where there is no signin_id, because Auth.js signed in, it is the jti.
	ID string

	// Subject says who it is, within Provider and Issuer: what identifies a person
	// is the three of them. Claim "sub".
	Subject string

	// Name is for display. Claim "name".
	Name string

	// Email says who somebody is only if EmailVerified. Claim "email".
	Email string

	// EmailVerified reports whether the provider vouches for Email. Claim
	// "email_verified"; only the JSON value true counts.
	EmailVerified bool

	// Picture is an https URL. Claim "picture".
	Picture string

	// Provider is the provider's id, such as "github". Empty when Auth.js signed
	// in. Claim "provider".
	Provider string

	// Issuer vouches for Subject: an issuer's URL. Claim "provider_issuer".
	Issuer string

	// ProviderSubject is Subject as the provider has it, where the application has made
	// another of it. Empty where they are the same. Claim "provider_subject".
	ProviderSubject string

	// ProviderSession is the provider's own session in which the person signed in: "sid" of
	// an ID token (OpenID Connect Back-Channel Logout 2.1), where sessions can be found by
	// it. Claim "provider_session".
	ProviderSession string

	// ProviderTokens are the provider's, where they are kept; see Config.KeepTokens of package
	// auth. To change one, set another: copies of a session share it. Claim "provider_tokens".
	ProviderTokens *ProviderTokens

	// ProviderTime is when the provider issued the ID token with which the person signs in,
	// by its clock: "iat", to the second. Of a session that [Manager.Start] begins, it decides
	// whether that comes after a [Manager.ProviderLogout]. If zero, it always does. It is not
	// written.
	ProviderTime time.Time

	// Username is for display: it may change hands. Claim "preferred_username".
	Username string

	// Groups are names, as the provider gave them at sign-in. Claim "groups".
	Groups []string

	// Device is what the person signed in with, in words: "Firefox, Windows". It is what the
	// browser said of itself, and is kept with a Store. Claim "signin_device".
	Device string

	// Address is where from, an IP address, if [Config].KeepAddress says so. Claim
	// "signin_address".
	Address string

	// TokenLabel is what the token is called that a program has for the session, which
	// [Manager.Issue] has begun. It is empty for every other one, and is lost by one that is
	// written in a cookie. Claim "signin_token".
	TokenLabel string

	// Machine says that a program is behind the session, with a token of its own, and
	// not a person who has signed in. A backend that decides about each request by
	// itself sets it, an access token that a program has for itself, and a token of
	// [Manager.Issue]; no cookie has it, no claim sets it, and a session that is
	// written in one loses it.
	Machine bool

	// AuthTime is when the person signed in. Zero when Auth.js signed in and
	// this package has not renewed it. [Manager.Start] sets it. Claim "auth_time".
	AuthTime time.Time

	// IssuedAt is when the token was sealed. Claim "iat" (RFC 7519 4.1.6).
	IssuedAt time.Time

	// ExpiresAt is when the session ends unless it is renewed. Claim "exp" (RFC 7519
	// 4.1.4), or what [Config].MaxAge and Lifetime make of it where AuthTime is set.
	ExpiresAt time.Time

	// AsOf is when a Rule of package auth is asked about the session, by Config.Now there. If
	// zero, as in every session that no Rule is handed, that is now. It is not written.
	AsOf time.Time

	// extra is never changed in place, so that copies may share it.
	extra    []extraClaim
	v4       bool            // whether next-auth v4's cookie brought it
	key      string          // where the store has it, or a hash of the database's token; "" without both
	row      *Session        // as the database has it; nil without one
	given    *ProviderTokens // ProviderTokens as they were read
	readOnly bool
	bearer   bool
}

// ReadOnly reports whether the session is somebody else's to renew and to end:
// it came in a cookie of next-auth v4, or as a bearer token. [Manager.Renew] and
// [Manager.Rewrite] leave such a session alone.
func (s *Session) ReadOnly() bool { return s.readOnly }

// Bearer reports whether the session came as a bearer token, which no browser adds
// to a request by itself, as it does a cookie.
func (s *Session) Bearer() bool { return s.bearer }

// AsBearer returns a copy of s, which came as a bearer token: [Session.Bearer] and
// [Session.ReadOnly] say so. It is for whoever takes tokens that are not this package's.
func (s *Session) AsBearer() *Session {
	c := copyOf(s)
	c.readOnly, c.bearer = true, true
	return c
}

// extraClaim is a claim that has no field, with its value as it stood.
type extraClaim struct{ name, raw string }

// Claim decodes the claim name, one that has no field, into v, as
// [json.Unmarshal] does. found is false when there is none, and v is then left
// alone. The error is [json.Unmarshal]'s, for a value that does not fit v.
//
// A claim came from whoever sealed the token: as trustworthy as the holders of
// the secret, of a shape that only they decide. Names match byte for byte.
func (s *Session) Claim(name string, v any) (found bool, err error) {
	for _, e := range s.extra {
		if e.name == name {
			return true, json.Unmarshal([]byte(e.raw), v)
		}
	}
	return false, nil
}

// Claims returns the claims that have no field, decoded afresh into the types of
// [json.Unmarshal]: numbers are float64. The map is the caller's.
func (s *Session) Claims() map[string]any {
	all := make(map[string]any, len(s.extra))
	for _, e := range s.extra {
		var v any
		if json.Unmarshal([]byte(e.raw), &v) == nil {
			all[e.name] = v
		}
	}
	return all
}

// SetClaim sets the claim name, in the place of one that is there. It takes
// effect when the session is written next.
//
// It is an error, and changes nothing, when name has a field or is "nbf", when it
// is not UTF-8, when [json.Marshal] cannot encode v, and when the result is what no
// token is read with: a name twice in one object, or values more than 64 deep. How
// large the session is shows only when it is written: see [ErrTooLarge].
//
// Anything in a claim can be read by whoever has the secret, and is sent with
// each request. Keep access tokens elsewhere.
func (s *Session) SetClaim(name string, v any) error {
	if field, _ := new(fields).has(name); field || name == "nbf" {
		return fmt.Errorf("session: claim %q is not free to set: it has a field, or a meaning of its own", name)
	}
	if !utf8.ValidString(name) {
		return errors.New("session: a claim's name is no UTF-8")
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("session: claim %q: %w", name, err)
	}
	// Raw JSON from elsewhere may be what no token is read with. In a token it is
	// one level deeper than here.
	if err := strictjson.Check(slices.Concat([]byte("["), raw, []byte("]"))); err != nil {
		return fmt.Errorf("session: claim %q: %w", name, err)
	}
	extra := make([]extraClaim, 0, len(s.extra)+1)
	for _, e := range s.extra {
		if e.name != name {
			extra = append(extra, e)
		}
	}
	s.extra = append(extra, extraClaim{name, string(raw)})
	return nil
}

// copyOf is s with nothing in it that another request may change. It is made for each
// request: most people's groups fit into what is allocated for it.
func copyOf(s *Session) *Session {
	const fit = 8
	if n := len(s.Groups); n > 0 && n <= fit {
		c := &struct {
			Session
			groups [fit]string
		}{Session: *s}
		c.Groups = c.groups[:copy(c.groups[:], s.Groups):n]
		return &c.Session
	}
	c := *s
	c.Groups = append([]string(nil), s.Groups...)
	return &c
}

// fields are the claims that have one, as they stand in a token. Times are
// NumericDates: seconds since 1970 (RFC 7519 2).
type fields struct {
	TokenID       string        `json:"jti,omitempty"`
	Subject       string        `json:"sub,omitempty"`
	Name          string        `json:"name,omitempty"`
	Email         string        `json:"email,omitempty"`
	EmailVerified bool          `json:"email_verified,omitempty"`
	Picture       string        `json:"picture,omitempty"`
	Provider      string        `json:"provider,omitempty"`
	Issuer        string        `json:"provider_issuer,omitempty"`
	OwnSubject    string        `json:"provider_subject,omitempty"`
	Username      string        `json:"preferred_username,omitempty"`
	OwnSession    string        `json:"provider_session,omitempty"`
	OwnTokens     *sealedTokens `json:"provider_tokens,omitempty"`
	Device        string        `json:"signin_device,omitempty"`
	Address       string        `json:"signin_address,omitempty"`
	TokenLabel    string        `json:"signin_token,omitempty"`
	Groups        []string      `json:"groups,omitempty"`
	ID            string        `json:"signin_id,omitempty"`
	AuthTime      int64         `json:"auth_time,omitempty"`
	IssuedAt      int64         `json:"iat"`
	ExpiresAt     int64         `json:"exp"`
}

// has reports whether the claim name has a field, and whether that says
// something, so that it goes into the token. It agrees with [Session.setField] in
// which names there are.
func (f *fields) has(name string) (field, said bool) {
	switch name {
	case "jti", "signin_id":
		return true, f.ID != ""
	case "sub":
		return true, f.Subject != ""
	case "name":
		return true, f.Name != ""
	case "email":
		return true, f.Email != ""
	case "email_verified":
		return true, f.EmailVerified
	case "picture":
		return true, f.Picture != ""
	case "provider":
		return true, f.Provider != ""
	case "provider_issuer":
		return true, f.Issuer != ""
	case "provider_subject":
		return true, f.OwnSubject != ""
	case "preferred_username":
		return true, f.Username != ""
	case "provider_session":
		return true, f.OwnSession != ""
	case "provider_tokens":
		return true, f.OwnTokens != nil
	case "signin_device":
		return true, f.Device != ""
	case "signin_address":
		return true, f.Address != ""
	case "signin_token":
		return true, f.TokenLabel != ""
	case "groups":
		return true, len(f.Groups) > 0
	case "auth_time":
		return true, f.AuthTime != 0
	case "iat", "exp":
		return true, true
	}
	return false, false
}

// fields are those of s.
func (s *Session) fields() fields {
	f := fields{
		TokenID: s.ID, ID: s.ID, Subject: s.Subject, Name: s.Name, Email: s.Email, EmailVerified: s.EmailVerified, Picture: s.Picture,
		Provider: s.Provider, Issuer: s.Issuer, OwnSubject: s.ProviderSubject, Username: s.Username, Groups: s.Groups,
		OwnSession: s.ProviderSession, OwnTokens: s.ProviderTokens.toSeal(), Device: s.Device, Address: s.Address, TokenLabel: s.TokenLabel,
		IssuedAt: s.IssuedAt.Unix(), ExpiresAt: s.ExpiresAt.Unix(),
	}
	if !s.AuthTime.IsZero() {
		f.AuthTime = s.AuthTime.Unix()
	}
	return f
}

// encode is the token's payload: the fields, and then the claims without one as
// they stand. A name stands once: a claim that a field could not hold gives way
// when the field has been given a value.
func (s *Session) encode() ([]byte, error) {
	f := s.fields()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // an address's & as \u0026 is longer, and read more slowly
	if err := e.Encode(&f); err != nil {
		return nil, err
	}
	b.Truncate(b.Len() - len("}\n"))
	for _, claim := range s.extra {
		if _, said := f.has(claim.name); said {
			continue // it had no value when the token was read
		}
		b.WriteByte(',')
		if err := e.Encode(claim.name); err != nil {
			return nil, err
		}
		b.Truncate(b.Len() - len("\n"))
		b.WriteByte(':')
		b.WriteString(claim.raw)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}
