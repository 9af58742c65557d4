package clerk

import (
	"fmt"
	"strings"
)

// How a page's path and the active organization come together:
//
//	GET /orgs/acme/invoices, a navigation
//	├── acme is the active organization ... served
//	└── another is, or none ............... handshake with organization_id=acme,
//	                                        and Clerk makes it the active one
//
// Clerk makes nobody a member. Who may not be active there comes back as before, and
// is served with the organization that they have: the page has to look. What is no
// navigation is served so at once.

// orgPath is a part of the application that belongs to an organization, or, with
// no parameter, to people themselves.
type orgPath struct {
	segments  []string
	parameter int  // which segment names the organization
	bySlug    bool // and how
}

// target is the organization that should be active: by slug, by id, or none.
type target struct{ id, slug string }

// parseOrgPath reads "/orgs/{slug}" or "/orgs/{id}", a segment each. Personal paths
// have no parameter, the others just one.
func parseOrgPath(pattern string, personal bool) (orgPath, error) {
	p := orgPath{segments: strings.Split(strings.Trim(pattern, "/"), "/"), parameter: -1}
	bad := fmt.Errorf("clerk: the path %q: want one such as /orgs/{slug} or /orgs/{id} for OrganizationPaths, /me for PersonalPaths", pattern)
	if !strings.HasPrefix(pattern, "/") || strings.ContainsAny(pattern, "?#*:") {
		return p, bad
	}
	for i, s := range p.segments {
		switch {
		case s == "{slug}" || s == "{id}":
			if p.parameter >= 0 {
				return p, bad
			}
			p.parameter, p.bySlug = i, s == "{slug}"
		case s == "" || strings.ContainsAny(s, "{}"):
			return p, bad
		}
	}
	if (p.parameter < 0) != personal {
		return p, bad
	}
	return p, nil
}

// match reports whether path, decoded, is p or below it. Nothing is cleaned: a path
// that is spelt otherwise belongs to no organization, and asks for no handshake.
func (p orgPath) match(path string) (t target, ok bool) {
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	if len(parts) < len(p.segments) {
		return target{}, false
	}
	for i, want := range p.segments {
		switch {
		case i != p.parameter && parts[i] != want, parts[i] == "":
			return target{}, false
		case i == p.parameter && p.bySlug:
			t.slug = parts[i]
		case i == p.parameter:
			t.id = parts[i]
		}
	}
	return t, true
}

// target is what the path of a page says of the organization. ok is false where it
// says nothing.
func (b *Backend) target(path string) (t target, ok bool) {
	for _, p := range b.orgPaths {
		if t, ok = p.match(path); ok {
			return t, true
		}
	}
	return target{}, false
}

// active reports whether t is what c's session is active in.
func (t target) active(c *Claims) bool {
	switch {
	case t.slug != "":
		return t.slug == c.OrganizationSlug
	case t.id != "":
		return t.id == c.OrganizationID
	}
	return c.OrganizationID == ""
}
