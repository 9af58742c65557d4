// Package controlchar finds characters that do something instead of showing
// something. A line break in a name makes two headers or two log lines of one; a
// bidirectional override makes a page show another name than is stored.
package controlchar

import (
	"strings"
	"unicode/utf8"
)

// In reports whether s has a control character, C0, DEL or C1, a line or paragraph
// separator (U+2028, U+2029), a bidirectional embedding, override or isolate
// (U+202A to U+202E, U+2066 to U+2069), or bytes that are no UTF-8. The marks that
// right-to-left text needs within a line, U+200E and U+200F, are none of these.
func In(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c >= 0x7f {
			return !utf8.ValidString(s[i:]) || strings.ContainsFunc(s[i:], is)
		}
	}
	return false
}

// Strip returns s without them, for what is only shown. What names somebody must
// be refused instead: without one of its characters it may name somebody else.
func Strip(s string) string {
	if !In(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		if is(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
}

func is(r rune) bool {
	return r < ' ' || 0x7f <= r && r <= 0x9f || r == 0x2028 || r == 0x2029 ||
		0x202a <= r && r <= 0x202e || 0x2066 <= r && r <= 0x2069
}
