// Package session reads, writes and keeps sign-in sessions that are Auth.js
// session tokens, so that a Next.js front end and a Go back end share them.
package session

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

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
	v4       bool // whether next-auth v4's cookie brought it
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
	if isField(name) || name == "nbf" {
		return fmt.Errorf("session: claim %q is not free to set: it has a field, or a meaning of its own", name)
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("session: claim %q: %w", name, err)
	}
	// Raw JSON from elsewhere may be what no token is read with.
	if err := strictjson.Check(raw); err != nil {
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

var fieldNames = map[string]bool{"jti": true, "sub": true, "name": true, "email": true, "email_verified": true, "picture": true,
	"provider": true, "provider_issuer": true, "preferred_username": true, "groups": true, "auth_time": true, "iat": true, "exp": true}

func isField(name string) bool { return fieldNames[name] }

// encode is the token's payload.
func (s *Session) encode() ([]byte, error) {
	m := make(map[string]any, len(fieldNames)+len(s.extra))
	for _, e := range s.extra {
		m[e.name] = json.RawMessage(e.raw)
	}
	set := func(name, value string) {
		if value != "" {
			m[name] = value
		}
	}
	set("jti", s.ID)
	set("sub", s.Subject)
	set("name", s.Name)
	set("email", s.Email)
	set("picture", s.Picture)
	set("provider", s.Provider)
	set("provider_issuer", s.Issuer)
	set("preferred_username", s.Username)
	if s.EmailVerified {
		m["email_verified"] = true
	}
	if len(s.Groups) > 0 {
		m["groups"] = s.Groups
	}
	if !s.AuthTime.IsZero() {
		m["auth_time"] = s.AuthTime.Unix()
	}
	m["iat"], m["exp"] = s.IssuedAt.Unix(), s.ExpiresAt.Unix()
	// Not Marshal: an address's & as \u0026 is longer, and read more slowly.
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(m)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}
