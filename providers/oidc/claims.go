package oidc

import (
	"cmp"
	"context"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/internal/strictjson"
)

// Claims are the verified claims of an ID token, with those of userinfo that it
// lacks. A name matches exactly: "Email" is not "email". A claim of another type
// than the one asked for counts as absent, so that text never passes for a boolean.
//
// Claims are not changed by their methods, and may be read concurrently.
type Claims struct{ object strictjson.Object }

// String returns a string claim, or "".
func (c Claims) String(name string) string { s, _ := c.object.String(name); return s }

// Bool reports whether a claim is the boolean true.
func (c Claims) Bool(name string) bool { b, _ := c.object.Bool(name); return b }

// Strings returns a claim that is an array of strings, or nil.
func (c Claims) Strings(name string) []string { s, _ := c.object.Strings(name); return s }

// Has reports whether the claim is there and not null.
func (c Claims) Has(name string) bool { return c.object.Present(name) }

// Raw returns the claim's JSON text as it came, or nil. It must not be changed.
func (c Claims) Raw(name string) []byte { return c.object[name] }

// DefaultIdentity maps the standard claims of OpenID Connect Core 5.1, as Auth.js
// does: the name is name, nickname or preferred_username. email_verified counts
// only as the boolean true. Groups come from "groups", where that is an array of
// strings. The error is nil: a Map of your own may begin with DefaultIdentity and
// refuse afterwards.
func DefaultIdentity(_ context.Context, c Claims) (*auth.Identity, error) {
	id := &auth.Identity{
		Issuer:        c.String("iss"),
		Subject:       c.String("sub"),
		Name:          cmp.Or(c.String("name"), c.String("nickname"), c.String("preferred_username")),
		Username:      c.String("preferred_username"),
		Email:         c.String("email"),
		EmailVerified: c.Bool("email_verified"),
		Picture:       c.String("picture"),
		Groups:        c.Strings("groups"),
	}
	return id, nil
}
