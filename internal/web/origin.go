package web

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sallyport/auth/internal/forwarded"
)

// Browsers write an origin in one way: in lower case, without the port that the scheme
// has anyway, an international name as Punycode, an IPv6 address in its short form
// (WHATWG URL 3.5 and 6.1). People write it in others, and what they configure is
// compared with what browsers send.

// canonicalOrigin is the origin of scheme and host, which net/url has parsed, as
// browsers write it.
func canonicalOrigin(scheme, host string) (*url.URL, error) {
	host, err := asciiHost(strings.TrimSuffix(host, ":"))
	if err != nil {
		return nil, err
	}
	scheme, host, err = forwarded.Canonical(scheme, host)
	if err != nil {
		return nil, err
	}
	u := &url.URL{Scheme: scheme, Host: host}
	name := u.Hostname()
	last := name[strings.LastIndexByte(name, '.')+1:]
	if _, err := netip.ParseAddr(name); err != nil && (strings.Trim(last, "0123456789") == "" || strings.HasPrefix(last, "0x")) {
		return nil, errors.New("browsers read a host that ends in a number as an IPv4 address: write all four numbers") // WHATWG URL 3.5
	}
	return u, nil
}

// canonicalAddress is raw with its origin as browsers write it, if it has one.
func canonicalAddress(raw string) string {
	scheme, rest, ok := strings.Cut(raw, "://")
	if !ok {
		return raw
	}
	end := len(rest)
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		end = i
	}
	origin, err := canonicalOrigin(scheme, rest[:end])
	if err != nil {
		return raw
	}
	return origin.String() + rest[end:]
}

// asciiHost is host, with its port if it has one, with an international name as
// Punycode. Browsers map what people type before they encode it (UTS 46), by tables
// that the standard library does not show. So letters are taken that are mapped to
// their lower case and no further; others come with the form to write.
func asciiHost(host string) (string, error) {
	name, port, hasPort := strings.Cut(host, ":")
	if isASCII(name) {
		return host, nil
	}
	if len(name) > 255 {
		return "", errors.New("the host is too long")
	}
	ascii, err := punycode(strings.ToLower(name))
	if err != nil {
		return "", err
	}
	for _, c := range name {
		if c >= utf8.RuneSelf && !plainLetter(c) {
			err = fmt.Errorf("the host has the character %q, which browsers may write otherwise: write the host as a browser's address bar copies it", c)
			if strings.Contains(ascii, "xn--") {
				err = fmt.Errorf("%w, perhaps %s", err, ascii)
			}
			return "", err
		}
	}
	if hasPort {
		return ascii + ":" + port, nil
	}
	return ascii, nil
}

// plainLetter reports whether c, outside ASCII, is its lower case in the mapping table
// of UTS 46 and in NFC: letters of Latin, Greek, Cyrillic, Hebrew, Japanese, Chinese
// and Korean.
func plainLetter(c rune) bool {
	if c < 'Ԁ' { // beyond, upper case is a matter of compatibility: ẞ, K
		c = unicode.ToLower(c)
	}
	switch {
	case c == 0x131 || c == 0x133 || c == 0x140 || c == 0x149 || c == 0x17f:
		return false // dotless i, which is no lower case of I; ligatures; long s
	case 'ß' <= c && c <= 'ſ' && c != '÷',
		'ά' <= c && c <= 'ώ',
		'а' <= c && c <= 'џ',
		'א' <= c && c <= 'ת',
		'ぁ' <= c && c <= 'ゖ', 'ァ' <= c && c <= 'ヺ', c == 'ー',
		'一' <= c && c <= 0x9fff,
		'가' <= c && c <= '힣':
		return true
	}
	return false
}

// punycode encodes each label of name that needs it: RFC 3492, RFC 5890 2.3.2.1. The
// encoder is the one that net/http has inside, for the header Host of a request.
func punycode(name string) (string, error) {
	r := &http.Request{Method: "GET", URL: &url.URL{Scheme: "http", Host: "localhost", Path: "/"}, Host: name}
	var b bytes.Buffer
	if err := r.Write(&b); err != nil {
		return "", errors.New("the host is not one that can be encoded")
	}
	_, after, _ := strings.Cut(b.String(), "\r\nHost: ")
	ascii, _, _ := strings.Cut(after, "\r\n")
	if ascii == "" || !isASCII(ascii) {
		return "", errors.New("the host is not one that can be encoded")
	}
	return ascii, nil
}

func isASCII(s string) bool {
	for _, c := range []byte(s) {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
