// Package hostcookie makes the cookies that only this host may set and read:
// those of attempts to sign in and of forms. Session cookies are package
// session's, for they may be shared with subdomains.
package hostcookie

import "net/http"

// Name is name with what keeps other hosts of the domain, and plain http, from
// planting a cookie of that name: RFC 6265bis 4.1.3.2. Browsers take the prefix
// over https alone; secure says that the public URL is.
func Name(name string, secure bool) string {
	if secure {
		return "__Host-" + name
	}
	return name
}

// New makes a cookie whose name is one of [Name]'s. It is out of reach of
// scripts, and other sites' requests bring it only on a navigation by GET, which
// the way back from an identity provider is. maxAge is in seconds: 0 keeps it
// until the browser closes, less deletes it.
//
// With framed it is for pages in a frame of another site, too: each of those sites
// has cookies of its own there (CHIPS). Browsers take such a cookie over https alone,
// so that without secure it is as above.
func New(name, value string, maxAge int, secure, framed bool) *http.Cookie {
	// #nosec G124 -- Secure follows the public URL: over http a browser would drop the cookie
	c := &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode,
	}
	if framed && secure {
		c.SameSite, c.Partitioned = http.SameSiteNoneMode, true
	}
	return c
}
