// Package returnto decides which addresses a person may be sent to after
// signing in or out: pages of this application and nothing else. An address that
// leads elsewhere is an open redirect (RFC 9700 4.11): a link to the sign-in page
// that everybody trusts, and that ends on somebody else's copy of it.
//
// The two functions follow each other. An absolute address has to be at an origin
// that the caller knows; what is left of it, or a path, is cleaned:
//
//	https://app.example/a?b --> SameOrigin --> /a?b --> Clean --> /a?b, or not ok
//
// # Where parsers disagree
//
// Go checks the address, and a browser follows it. Browsers read it by the WHATWG
// URL Standard, net/url by RFC 3986, and http.Redirect calls path.Clean on it:
//
//	address           Go                              a browser on http://app.example
//	//evil.example    a host                          http://evil.example/
//	/\evil.example    a path                          http://evil.example/: \ is /
//	/<tab>/evil...    an error; Redirect sends it on  http://evil.example/: tabs and line
//	                                                  breaks are dropped
//	/./\evil.example  Redirect makes it /\evil...     and then as above
//	/.//evil.example  Redirect makes it /evil...      a path that begins with //
//	/%2e%2e/x         a path with two dots            /x: %2e is a dot
//	/a/..;x/b         a path                          a path; servers differ in what ..;x is
//	https:/evil...    a scheme, and no host           https://evil.example/
//
// So whatever they read differently is refused, and not repaired: a repair is one
// more reading. What proxies and applications decode once more is looked at in each
// decoded form, up to three times. Letters outside ASCII are read alike by all, as
// UTF-8 in percent-encoding, and are written so.
//
// # What it does not protect from
//
// A page of the application that redirects by itself to whatever its query says.
// The query and the fragment of an address are not looked into.
package returnto

import (
	"fmt"
	"net/url"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxLength bounds a return path, in bytes and percent-encoding. Dashboards keep what
// they show in their addresses, which takes 2,500 and more.
const maxLength = 4 << 10

// TooLong reports whether raw is longer than [Clean] takes, whatever else is wrong
// with it. What is no attack, and is dropped all the same, somebody should hear of.
func TooLong(raw string) bool { return len(raw) > maxLength || len(encode(raw)) > maxLength }

// Clean returns raw as a path and query of this site. ok is false for whatever
// any browser could take for another site, and for pages at and below own, the
// paths of routes without a slash at the end, which would send people in circles. A
// fragment stays: single-page applications keep their place in it.
//
// raw is taken when all of this holds:
//
//   - It has at most 4096 bytes in percent-encoding and begins with one slash.
//   - It has no backslash, no space, no control character, no line or paragraph
//     separator, and is UTF-8. In percent-encoding, spaces are fine.
//   - Its path, decoded up to three times, has no control character or backslash,
//     does not begin with two slashes, and has no segment "." or "..", with or
//     without a parameter such as "..;x".
//   - Its path, decoded and with repeated slashes taken for one, is not one of own
//     and not below it.
//
// The result is what net/url makes of raw, and cleaning it again changes nothing. It
// still is a path. Put the origin in front of it in a Location header.
//
// Clean may be called concurrently.
func Clean(raw string, own ...string) (clean string, ok bool) {
	if len(raw) > maxLength || len(raw) == 0 || raw[0] != '/' || !utf8.ValidString(raw) {
		return "", false
	}
	for _, c := range raw {
		if c <= ' ' || c == '\\' || c == 0x7f || c >= utf8.RuneSelf && unicode.In(c, unicode.Cc, unicode.Zl, unicode.Zp) {
			return "", false
		}
	}
	u, err := url.Parse(encode(raw))
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" {
		return "", false
	}
	decoded := u.Path
	for range 3 {
		if !plain(decoded) {
			return "", false
		}
		next, err := url.PathUnescape(decoded)
		if err != nil || next == decoded { // a percent sign that means itself: "100%"
			break
		}
		decoded = next
	}
	at := path.Clean(decoded)
	for _, base := range own {
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

// encode is raw with what is outside ASCII in percent-encoding, as browsers send it:
// WHATWG URL 4.4, where the path, the query and the fragment of an http address are
// UTF-8.
func encode(raw string) string {
	if isASCII(raw) {
		return raw
	}
	var b strings.Builder
	for i := range len(raw) {
		if raw[i] < utf8.RuneSelf {
			b.WriteByte(raw[i])
		} else {
			fmt.Fprintf(&b, "%%%02X", raw[i])
		}
	}
	return b.String()
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// plain reports whether p, a decoded path, reads alike everywhere: it has no control
// character, no backslash, no dot segment (RFC 3986 5.2.4, and with a parameter, RFC
// 3986 3.3), and no two slashes that would make a host of what follows. Two slashes
// further on are a matter of the application.
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
// origin, a scheme and host such as https://example.com, in lower case and without
// a slash at the end. The result still has to be cleaned.
//
// The beginning of raw is compared byte by byte, and the host has to end there:
// https://example.com.evil.example, https://example.com@evil.example and
// https://example.com:8443 are other origins. So is the same one written otherwise,
// in upper case or with the port that it has anyway: too strict is safe.
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
