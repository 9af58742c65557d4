package accesscode

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// samples are codes that documentation shows and people copy, LobeChat's first.
// Whoever looks for open instances tries these before all others.
var samples = []string{
	"lobe66", "awcte)re_r74", "rtrt_ewee3@09!", "lobechat", "lobe-chat", "lobehub",
	"your-access-code", "your_access_code", "youraccesscode", "access-code", "access_code", "accesscode",
	"your-password", "your_password", "yourpassword", "password", "password123", "changeme", "change-me", "change_me",
	"123456", "1234567", "12345678", "123456789", "1234567890", "admin123", "qwerty", "letmein", "secret",
	"xxxxxx", "xxxxxxxx",
}

// unfit says what is wrong with text as a code, or "". It does not show it.
func unfit(text string) string {
	switch {
	case utf8.RuneCountInString(text) < minLength:
		return fmt.Sprintf("has fewer than %d characters", minLength)
	case len(text) > maxLength:
		return fmt.Sprintf("has more than %d bytes", maxLength)
	case slices.Contains(samples, strings.ToLower(text)):
		return "is one that public documentation shows, which strangers try first"
	}
	return ""
}

// A code that looks random has at least so many hexadecimal digits, and so many
// different pairs among their neighbours.
const (
	strongDigits = 32 // of 16 bytes
	strongPairs  = 20
)

// strong reports whether text looks like what `openssl rand -hex 16` prints. No
// length makes words or dates random, so that other forms are not taken for it. Of
// 31 pairs of random digits, 29 differ on average; fewer than 20 do once in some
// ten million codes. A text that repeats itself after 16 digits has 16 at most.
func strong(text string) bool {
	var pairs [1 << 8]bool
	different, last := 0, byte(0)
	for i := range len(text) {
		digit, ok := hexDigit(text[i])
		if !ok {
			return false
		}
		if pair := last<<4 | digit; i > 0 && !pairs[pair] {
			pairs[pair] = true
			different++
		}
		last = digit
	}
	return len(text) >= strongDigits && different >= strongPairs
}

func hexDigit(c byte) (value byte, ok bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}
