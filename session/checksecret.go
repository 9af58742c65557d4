package session

import (
	"errors"
	"strings"
	"unicode/utf8"
)

// minSecret is 32 bytes: HKDF stretches nothing, so that whoever holds a cookie
// can try short secrets offline.
const minSecret = 32

// CheckSecret refuses secrets that are short, one character repeated, or known
// from somebody's documentation.
func CheckSecret(s Secret) error {
	text := s.Reveal()
	_, size := utf8.DecodeRuneInString(text)
	switch {
	case len(text) < minSecret:
		return errors.New("session: the secret is shorter than 32 bytes; make one with `openssl rand -base64 32`")
	case strings.Count(text, text[:size])*size == len(text):
		return errors.New("session: the secret is one character repeated; make one with `openssl rand -base64 32`")
	}
	lower := strings.ToLower(text)
	for _, placeholder := range []string{"changeme", "change-me", "change_me", "your-secret", "your_secret", "yoursecret", "example-secret", "insert-secret", "replace-this", "secretsecretsecret"} {
		if strings.Contains(lower, placeholder) {
			return errors.New("session: the secret is a placeholder; make one with `openssl rand -base64 32`")
		}
	}
	return nil
}
