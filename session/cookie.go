package session

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
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

	// readChunks bounds what is read: Auth.js writes as many as it needs.
	readChunks = 20

	// maxCookies is where net/http's own parser gives up too. A request with more
	// is nobody's.
	maxCookies = 3000

	// maxSameName bounds the work that planted duplicates cause. Browsers send
	// the cookie with the longer path, and then the older one, first (RFC 6265
	// 5.4), so that a sibling domain can have its own before ours.
	maxSameName = 8
)

// found are the values that a request brings under one name.
type found struct {
	plain  [maxSameName]string // those without a suffix, in the request's order
	nPlain int
	chunks [readChunks]string
	last   int      // one more than the highest chunk there is
	stray  []string // names of chunks with too high a number, to delete
	any    bool     // whether there is any, valid or not
}

// find looks through the Cookie header (RFC 6265 4.2.1) for name and its chunks,
// name.0 to name.19, and adds them to f. Names match byte for byte and nothing in
// them is decoded: "%5f%5fSecure-" is no prefix. The first of duplicate chunks
// counts. It does not use [http.Request.Cookies], which decodes all of them.
func find(h http.Header, name string, f *found) {
	count := 0
	for _, line := range h["Cookie"] {
		for line != "" {
			var pair string
			pair, line, _ = strings.Cut(line, ";")
			if count++; count > maxCookies {
				*f = found{any: f.any}
				return
			}
			pair = strings.Trim(pair, " \t")
			if !strings.HasPrefix(pair, name) {
				continue
			}
			key, value, ok := strings.Cut(pair, "=")
			if !ok {
				continue
			}
			f.add(key[len(name):], key, strings.Trim(value, `"`))
		}
	}
}

// add takes the cookie key, which is the name looked for with suffix behind it. A
// chunk's number has one spelling: ".01", ".+1" and ".1e0" are other cookies, and
// not ours to delete.
func (f *found) add(suffix, key, value string) {
	if suffix == "" {
		f.any = true
		if f.nPlain < maxSameName {
			f.plain[f.nPlain] = value
			f.nPlain++
		}
		return
	}
	if suffix[0] != '.' {
		return
	}
	i, err := strconv.Atoi(suffix[1:])
	if err != nil || suffix[1:] != strconv.Itoa(i) || i < 0 {
		return
	}
	f.any = true
	if i >= readChunks {
		if len(f.stray) < readChunks {
			f.stray = append(f.stray, key)
		}
		return
	}
	if f.chunks[i] == "" {
		f.chunks[i] = value
	}
	f.last = max(f.last, i+1)
}

// joined is the chunks put together, or "" when one is missing. That a chunk is
// of another token shows when the whole is opened.
func (f *found) joined() string {
	for _, c := range f.chunks[:f.last] {
		if c == "" {
			return ""
		}
	}
	return strings.Join(f.chunks[:f.last], "")
}

// names are the cookies of f, to delete.
func (f *found) names(name string) []string {
	var list []string
	if f.nPlain > 0 {
		list = append(list, name)
	}
	for i, c := range f.chunks[:f.last] {
		if c != "" {
			list = append(list, name+"."+strconv.Itoa(i))
		}
	}
	return append(list, f.stray...)
}

// write sets value in as many cookies as it needs and deletes the rest. The error
// is [ErrTooLarge], and nothing is set then.
func (m *Manager) write(w http.ResponseWriter, r *http.Request, value string, expires time.Time, secure bool) error {
	name := m.cookieName(secure)
	var written []string
	if len(value) <= chunkSize {
		m.set(w, name, value, expires, secure)
		written = append(written, name)
	} else {
		if len(value) > writtenChunks*chunkSize {
			return ErrTooLarge
		}
		for i := 0; value != ""; i++ {
			part := value[:min(chunkSize, len(value))]
			value = value[len(part):]
			chunk := name + "." + strconv.Itoa(i)
			m.set(w, chunk, part, expires, secure)
			written = append(written, chunk)
		}
	}
	var f found
	find(r.Header, name, &f)
	for _, old := range f.names(name) {
		if !slices.Contains(written, old) {
			m.remove(w, old, secure)
		}
	}
	return nil
}

// clear deletes the cookie name and its chunks, those that r brings. What r does
// not bring is not there, or was planted for another path, which no answer of
// ours can reach.
func (m *Manager) clear(w http.ResponseWriter, r *http.Request, name string, secure bool) {
	var f found
	find(r.Header, name, &f)
	for _, old := range f.names(name) {
		m.remove(w, old, secure)
	}
}

// set sets one cookie, with the attributes of Auth.js. Expires is for the
// browser; the time that counts is in the token.
func (m *Manager) set(w http.ResponseWriter, name, value string, expires time.Time, secure bool) {
	http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: "/", Domain: m.config.CookieDomain, Expires: expires.UTC(),
		HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode})
}

// remove deletes one cookie. Name, path and domain must be those of set, or the
// browser keeps it (RFC 6265 5.3, step 11).
func (m *Manager) remove(w http.ResponseWriter, name string, secure bool) {
	http.SetCookie(w, &http.Cookie{Name: name, Path: "/", Domain: m.config.CookieDomain, Expires: time.Unix(1, 0).UTC(), MaxAge: -1,
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
