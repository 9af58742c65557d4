package main

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// readsOneWay reports whether every server behind the gateway takes the path of u for
// the one that the gateway has looked up. Not so: an encoded slash, a segment that is
// empty, of dots or ends in one (Windows drops it), a parameter (/admin;x), a
// backslash, a second layer of encoding, what would begin a query or a fragment, a
// control character, and what is not UTF-8.
func readsOneWay(u *url.URL) bool {
	path, ok := strings.CutPrefix(u.Path, "/")
	if !ok || strings.Contains(strings.ToLower(u.EscapedPath()), "%2f") || !utf8.ValidString(path) {
		return false
	}
	if strings.ContainsAny(path, `\;?#`) || strings.ContainsFunc(path, unicode.IsControl) || decodesAgain(path) {
		return false
	}
	for segment := range strings.SplitSeq(strings.TrimSuffix(path, "/"), "/") {
		if segment == "" && path != "" || strings.TrimRight(segment, ". ") != segment {
			return false
		}
	}
	return true
}

// decodesAgain reports whether path, which is decoded, has a letter that stands there
// by its number.
func decodesAgain(path string) bool {
	for i := range len(path) - 2 {
		if path[i] == '%' && isHex(path[i+1]) && isHex(path[i+2]) {
			return true
		}
	}
	return false
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}
