// Package returnto decides which addresses a person may be sent to after
// signing in or out: pages of this application and nothing else.
package returnto

import (
	"net/url"
	"path"
	"strings"
)

// maxLength bounds a return path: it has to fit into a cookie.
const maxLength = 1 << 10

// Clean returns raw as a path and query of this site. ok is false for whatever
// any browser could take for another site, and for pages below own, which would
// send people in circles. A fragment stays: single-page applications keep their
// place in it.
//
// Browsers read a backslash as a slash, drop tabs and line breaks, and take "//"
// at the beginning for a host; net/url does none of that. So nothing that they
// read differently is accepted, as it stands or percent-encoded.
func Clean(raw string, own ...string) (clean string, ok bool) {
	if len(raw) > maxLength || len(raw) == 0 || raw[0] != '/' {
		return "", false
	}
	for i := range len(raw) {
		if raw[i] <= ' ' || raw[i] == '\\' || raw[i] >= 0x7f {
			return "", false
		}
	}
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" {
		return "", false
	}
	decoded := u.Path
	for range 3 {
		if !plain(decoded) {
			return "", false
		}
		next, err := url.PathUnescape(decoded)
		if err != nil || next == decoded {
			break
		}
		decoded = next
	}
	for _, base := range own {
		at := path.Clean(decoded)
		if base != "" && (at == base || strings.HasPrefix(at, base+"/")) {
			return "", false
		}
	}
	clean = u.EscapedPath()
	if u.RawQuery != "" || u.ForceQuery {
		clean += "?" + u.RawQuery
	}
	if u.Fragment != "" {
		clean += "#" + u.EscapedFragment()
	}
	return clean, len(clean) <= maxLength
}

// plain reports whether p is a path without empty or dot segments at which
// parsers differ.
func plain(p string) bool {
	if !strings.HasPrefix(p, "/") {
		return false
	}
	for i := range len(p) {
		if p[i] < ' ' || p[i] == 0x7f || p[i] == '\\' {
			return false
		}
	}
	if strings.HasPrefix(p, "//") {
		return false
	}
	for s := range strings.SplitSeq(p, "/") {
		if name, _, _ := strings.Cut(s, ";"); name == "." || name == ".." {
			return false
		}
	}
	return true
}

// SameOrigin returns the path and query of raw when it is an absolute address at
// origin, a scheme and host such as https://example.com. The result still has to
// be cleaned.
func SameOrigin(raw, origin string) (path string, ok bool) {
	rest, ok := strings.CutPrefix(raw, origin)
	if !ok {
		return "", false
	}
	switch {
	case rest == "":
		return "/", true
	case rest[0] == '/':
		return rest, true
	case rest[0] == '?', rest[0] == '#':
		return "/" + rest, true
	}
	return "", false
}
