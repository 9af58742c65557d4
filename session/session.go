// Package session reads, writes and keeps sign-in sessions that are Auth.js
// session tokens, so that a Next.js front end and a Go back end share them.
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

// Session is one person's sign-in. Each request has its own: changing it changes
// nothing for others.
//
// The claims that Auth.js puts into a token are under its names; those that it
// does not know stand beside them. Claims that the other side put in survive
// renewal and are read with [Session.Claim].
type Session struct {
	ID            string    // unique for each sign-in: claim "jti"
	Subject       string    // who, within Provider and Issuer: claim "sub"
	Name          string    // claim "name"
	Email         string    // claim "email"
	EmailVerified bool      // whether the provider vouches for Email: claim "email_verified"
	Picture       string    // an https URL: claim "picture"
	Provider      string    // the provider's id, such as "github"; empty when Auth.js signed in: claim "provider"
	Issuer        string    // who vouches for Subject: claim "provider_issuer"
	Username      string    // may change hands: claim "preferred_username"
	Groups        []string  // claim "groups"
	AuthTime      time.Time // when the person signed in; zero when Auth.js signed in: claim "auth_time"
	IssuedAt      time.Time // when the token was sealed: claim "iat"
	ExpiresAt     time.Time // when the session ends unless renewed: claim "exp"

	// extra is never changed in place, so that copies may share it.
	extra    []extraClaim
	v4       bool   // whether next-auth v4's cookie brought it
	key      string // where the store has it; "" without a store
	readOnly bool
}

// ReadOnly reports whether the session is somebody else's to renew and to end:
// it came in a cookie of next-auth v4, or as a bearer token.
func (s *Session) ReadOnly() bool { return s.readOnly }

// extraClaim is a claim that has no field.
type extraClaim struct{ name, raw string }

// Claim decodes the claim name, one that has no field, into v, as
// [json.Unmarshal] does. found is false when there is none.
func (s *Session) Claim(name string, v any) (found bool, err error) {
	for _, e := range s.extra {
		if e.name == name {
			return true, json.Unmarshal([]byte(e.raw), v)
		}
	}
	return false, nil
}

// Claims returns the claims that have no field, decoded afresh.
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

// SetClaim sets the claim name, which must be none that has a field. It takes
// effect when the session is written next.
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

// copyOf is s with nothing in it that another request may change.
func copyOf(s *Session) *Session {
	c := *s
	c.Groups = append([]string(nil), s.Groups...)
	return &c
}

// fields are the claims that have one, as they stand in a token.
type fields struct {
	ID            string   `json:"jti,omitempty"`
	Subject       string   `json:"sub,omitempty"`
	Name          string   `json:"name,omitempty"`
	Email         string   `json:"email,omitempty"`
	EmailVerified bool     `json:"email_verified,omitempty"`
	Picture       string   `json:"picture,omitempty"`
	Provider      string   `json:"provider,omitempty"`
	Issuer        string   `json:"provider_issuer,omitempty"`
	Username      string   `json:"preferred_username,omitempty"`
	Groups        []string `json:"groups,omitempty"`
	AuthTime      int64    `json:"auth_time,omitempty"`
	IssuedAt      int64    `json:"iat"`
	ExpiresAt     int64    `json:"exp"`
}

// has reports whether the claim name has a field, and whether that says something.
func (f *fields) has(name string) (field, said bool) {
	switch name {
	case "jti":
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
	case "preferred_username":
		return true, f.Username != ""
	case "groups":
		return true, len(f.Groups) > 0
	case "auth_time":
		return true, f.AuthTime != 0
	case "iat", "exp":
		return true, true
	}
	return false, false
}

// encode is the token's payload: the fields, and then the claims without one as
// they stand.
func (s *Session) encode() ([]byte, error) {
	f := fields{
		ID: s.ID, Subject: s.Subject, Name: s.Name, Email: s.Email, EmailVerified: s.EmailVerified, Picture: s.Picture,
		Provider: s.Provider, Issuer: s.Issuer, Username: s.Username, Groups: s.Groups,
		IssuedAt: s.IssuedAt.Unix(), ExpiresAt: s.ExpiresAt.Unix(),
	}
	if !s.AuthTime.IsZero() {
		f.AuthTime = s.AuthTime.Unix()
	}
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
