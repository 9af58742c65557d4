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

	// writtenChunks is what a session may take in a browser, whatever it is that does
	// not fit into MaxSetCookieBytes: Go and most others take 16 kB and more.
	writtenChunks = 4

	// maxRemoved is how many cookies one answer deletes, half as many names with a
	// CookieDomain. Each takes some 150 bytes of its header, of which nginx passes 4 kB
	// by default. A sign-out that planted cookies made too long would not arrive. What is
	// left over is a chunk behind a first one that is gone, which makes no token.
	maxRemoved = 12
)

// written are the headers Set-Cookie that set value, in as many cookies as it needs,
// and delete what else r brings of the name, and of also. The error is [ErrTooLarge].
//
// Deletions come first: to a client that does not tell a host's own cookie from
// the domain's (RFC 6265 5.3, step 11, does not on the domain itself) the later of
// the two is what counts.
func (m *Manager) written(r *http.Request, value string, expires time.Time, secure bool, also ...string) (lines []string, err error) {
	if len(value) > writtenChunks*chunkSize {
		return nil, ErrTooLarge
	}
	name := m.cookieName(secure)
	names, parts := []string{name}, []string{value}
	if len(value) > chunkSize {
		names, parts = nil, nil
		for part := range slices.Chunk([]byte(value), chunkSize) {
			names, parts = append(names, name+"."+strconv.Itoa(len(names))), append(parts, string(part))
		}
	}
	for _, old := range m.brought(r, secure, name) {
		if !slices.Contains(names, old) {
			lines = append(lines, m.removed(old, m.config.CookieDomain, secure)...)
		}
		if m.config.CookieDomain != "" {
			lines = append(lines, m.removed(old, "", secure)...)
		}
	}
	for i, part := range parts {
		lines = append(lines, m.set(names[i], part, expires, secure))
	}
	return append(lines, m.cleared(r, secure, also...)...), nil
}

// cleared are the headers Set-Cookie that delete the cookies of names and their
// chunks, those that r brings: the domain's and the host's own, which a browser sends
// alike, and which is left from before CookieDomain was set. What r does not bring is
// not there; what was planted for another path or domain stays, for no answer of ours
// can reach it.
func (m *Manager) cleared(r *http.Request, secure bool, names ...string) (lines []string) {
	for _, old := range m.brought(r, secure, names...) {
		lines = append(lines, m.removed(old, m.config.CookieDomain, secure)...)
		if m.config.CookieDomain != "" {
			lines = append(lines, m.removed(old, "", secure)...)
		}
	}
	return lines
}

// brought are the cookies to delete of those that r brings, and no more than an answer
// may: with a CookieDomain, each takes two of its headers, and so does each with
// SameSiteNone.
func (m *Manager) brought(r *http.Request, secure bool, names ...string) []string {
	list, most := brought(r.Header, names...), maxRemoved
	if m.config.CookieDomain != "" {
		most /= 2
	}
	if m.partitioned(secure) {
		most /= 2
	}
	return list[:min(len(list), most)]
}

// add adds lines, which are headers Set-Cookie, to w.
func add(w http.ResponseWriter, lines []string) {
	for _, line := range lines {
		w.Header().Add("Set-Cookie", line)
	}
}

// set sets one cookie, with the attributes of Auth.js. Expires is for the
// browser; the time that counts is in the token.
func (m *Manager) set(name, value string, expires time.Time, secure bool) string {
	// #nosec G124 -- Secure follows the public URL: over http a browser would drop the cookie
	c := &http.Cookie{Name: name, Value: value, Path: "/", Domain: m.config.CookieDomain, Expires: expires.UTC(),
		HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode}
	if m.partitioned(secure) {
		c.SameSite, c.Partitioned = http.SameSiteNoneMode, true
	}
	return c.String()
}

// partitioned reports whether the cookies are for frames of other sites. Browsers take
// those over https only.
func (m *Manager) partitioned(secure bool) bool { return m.config.SameSiteNone && secure }

// removed deletes one cookie, and with SameSiteNone the one from before that was set.
func (m *Manager) removed(name, domain string, secure bool) []string {
	if m.partitioned(secure) {
		return []string{m.remove(name, domain, secure, true), m.remove(name, domain, secure, false)}
	}
	return []string{m.remove(name, domain, secure, false)}
}

// remove deletes one cookie of domain, or the host's own if domain is empty. Name,
// path and domain must be those that it was set with, or the browser keeps it
// (RFC 6265 5.3, step 11), and so must partitioned.
func (m *Manager) remove(name, domain string, secure, partitioned bool) string {
	// #nosec G124 -- Secure follows the public URL: over http a browser would drop the cookie
	c := &http.Cookie{Name: name, Path: "/", Domain: domain, Expires: time.Unix(1, 0).UTC(), MaxAge: -1,
		HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode}
	if partitioned {
		c.SameSite, c.Partitioned = http.SameSiteNoneMode, true
	}
	return c.String()
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
