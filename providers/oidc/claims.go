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

// Groups returns the groups that a claim names: an array of strings, or one group as
// text, as ADFS and Okta send it. path is the name of a claim, or names with dots
// between them that lead into objects, such as Keycloak's "realm_access.roles". A
// name with dots in it wins over a path, at each step the longest that is there:
// "resource_access.my.app.roles" finds the roles of the client "my.app".
//
// It is nil where nothing is there, or something else. An array that holds anything
// beside strings is something else: half a list would be a guess. So is empty text.
func (c Claims) Groups(path string) []string { list, _ := groups(c.object, path); return list }

// groups: ok says that the claim is there, as groups; an empty list is.
func groups(o strictjson.Object, path string) (list []string, ok bool) {
	if raw, there := o[path]; there {
		switch one, isText := strictjson.String(string(raw)); {
		case isText && one == "":
			return nil, false
		case isText:
			return []string{one}, true
		}
		return strictjson.Strings(string(raw))
	}
	for i := len(path) - 1; i > 0; i-- {
		if path[i] != '.' {
			continue
		}
		inner, err := strictjson.Parse(o[path[:i]])
		if err != nil {
			continue
		}
		if list, ok = groups(inner, path[i+1:]); ok {
			return list, true
		}
	}
	return nil, false
}

// groupClaims are where groups are, by how plainly they are meant as groups: the claim
// of that name, as most issuers have it, also when it is a list of none; roles, RFC
// 7643's other word for it (RFC 9068 2.2.3.1 has both); then those that one product
// each has, which no other sends: Cognito, Keycloak, and GitLab.
var groupClaims = []string{"groups", "roles", "cognito:groups", "realm_access.roles", groupsDirect}

// groupsDirect is what GitLab has in its ID tokens: a part of the groups. "groups", at
// userinfo, has the inherited memberships too.
const groupsDirect = "groups_direct"

func defaultGroups(c Claims) (list []string, ok bool) {
	for _, name := range groupClaims {
		if list, ok = groups(c.object, name); ok {
			return list, true
		}
	}
	return nil, false
}

// DefaultIdentity maps the standard claims of OpenID Connect Core 5.1, as Auth.js
// does: the name is name, nickname or preferred_username. email_verified counts
// only as the boolean true. Groups come from the first of these that is there, as
// [Claims.Groups] reads it: "groups", "roles", "cognito:groups", "realm_access.roles",
// "groups_direct". The error is nil: a Map of your own may begin with DefaultIdentity
// and refuse afterwards.
func DefaultIdentity(_ context.Context, c Claims) (*auth.Identity, error) {
	id := &auth.Identity{
		Issuer:        c.String("iss"),
		Subject:       c.String("sub"),
		Name:          cmp.Or(c.String("name"), c.String("nickname"), c.String("preferred_username")),
		Username:      c.String("preferred_username"),
		Email:         c.String("email"),
		EmailVerified: c.Bool("email_verified"),
		Picture:       c.String("picture"),
	}
	id.Groups, _ = defaultGroups(c)
	return id, nil
}
