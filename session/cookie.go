package session

import (
	"net/http"
	"slices"
	"strconv"
	"time"
)

// A value in cookies. N is the cookie's name, such as __Secure-authjs.session-token:
//
//	up to 3936 characters    N    [ value                    ]
//
//	more, up to 4 times that N.0  [ the first 3936           ]
//	                         N.1  [ the next 3936            ]
//	                         N.2  [ the rest   ]
//
// Browsers take 4096 bytes of name, value and attributes for one cookie
// (RFC 6265 6.1). A session that shrinks leaves no chunks: what a request
// brings and an answer does not write anew is deleted.

const (
	authjsName   = "authjs.session-token"
	nextAuthName = "next-auth.session-token" // next-auth v4
	securePrefix = "__Secure-"

	// chunkSize is Auth.js's: 4096 less what name and attributes may take.
	chunkSize = 3936

	// writtenChunks is what a session may take in a browser: nginx passes
	// 8 kB of a Cookie header by default, Go and most others 16 kB and more.
	writtenChunks = 4

	// maxRemoved is how many names one answer deletes. Each takes some 150 bytes of
	// its header, twice with a CookieDomain, and nginx passes 4 kB of one by default. A
	// sign-out that planted cookies made too long would not arrive. What is left
	// over is a chunk behind a first one that is gone, which makes no token.
	maxRemoved = 12
)

// write sets value in as many cookies as it needs and deletes the rest. The error
// is [ErrTooLarge], and nothing is set then.
//
// Deletions come first: to a client that does not tell a host's own cookie from
// the domain's (RFC 6265 5.3, step 11, does not on the domain itself) the later of
// the two is what counts.
func (m *Manager) write(w http.ResponseWriter, r *http.Request, value string, expires time.Time, secure bool) error {
	if len(value) > writtenChunks*chunkSize {
		return ErrTooLarge
	}
	name := m.cookieName(secure)
	names, parts := []string{name}, []string{value}
	if len(value) > chunkSize {
		names, parts = nil, nil
		for part := range slices.Chunk([]byte(value), chunkSize) {
			names, parts = append(names, name+"."+strconv.Itoa(len(names))), append(parts, string(part))
		}
	}
	for _, old := range brought(r.Header, name) {
		if !slices.Contains(names, old) {
			m.remove(w, old, m.config.CookieDomain, secure)
		}
		if m.config.CookieDomain != "" {
			m.remove(w, old, "", secure)
		}
	}
	for i, part := range parts {
		m.set(w, names[i], part, expires, secure)
	}
	return nil
}

// clear deletes the cookies of names and their chunks, those that r brings: the
// domain's and the host's own, which a browser sends alike, and which is left from
// before CookieDomain was set. What r does not bring is not there; what was planted
// for another path or domain stays, for no answer of ours can reach it.
func (m *Manager) clear(w http.ResponseWriter, r *http.Request, secure bool, names ...string) {
	for _, old := range brought(r.Header, names...) {
		m.remove(w, old, m.config.CookieDomain, secure)
		if m.config.CookieDomain != "" {
			m.remove(w, old, "", secure)
		}
	}
}

// set sets one cookie, with the attributes of Auth.js. Expires is for the
// browser; the time that counts is in the token.
func (m *Manager) set(w http.ResponseWriter, name, value string, expires time.Time, secure bool) {
	// #nosec G124 -- Secure follows the public URL: over http a browser would drop the cookie
	http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: "/", Domain: m.config.CookieDomain, Expires: expires.UTC(),
		HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode})
}

// remove deletes one cookie of domain, or the host's own if domain is empty. Name,
// path and domain must be those that it was set with, or the browser keeps it
// (RFC 6265 5.3, step 11).
func (m *Manager) remove(w http.ResponseWriter, name, domain string, secure bool) {
	// #nosec G124 -- Secure follows the public URL: over http a browser would drop the cookie
	http.SetCookie(w, &http.Cookie{Name: name, Path: "/", Domain: domain, Expires: time.Unix(1, 0).UTC(), MaxAge: -1,
		HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode})
}

// cookieName is what the public address decides, never what was received: a
// browser takes "__Secure-" over https only.
func (m *Manager) cookieName(secure bool) string {
	if secure {
		return m.secureName
	}
	return m.plainName
}

// v4Name is the name that next-auth v4 gives its cookie. It cannot be configured.
func v4Name(secure bool) string {
	if secure {
		return securePrefix + nextAuthName
	}
	return nextAuthName
}
