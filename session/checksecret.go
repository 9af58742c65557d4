package session

import (
	"errors"
	"strings"
	"unicode/utf8"
)

// minSecret is in bytes: the strength of the keys that are made of it (RFC 8725
// 3.5). HKDF stretches nothing, so that whoever holds a cookie can try short
// secrets offline.
const minSecret = 32

// CheckSecret returns an error for a secret of less than 32 bytes, for one
// character repeated, and for what documentation has in a secret's place, such as
// "changeme". The error says what to do and does not show the secret.
//
// It knows the worst only. That a secret passes does not mean that it is random:
// make it with a generator, `openssl rand -base64 32`.
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
