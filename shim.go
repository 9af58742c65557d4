package auth

import (
	"crypto/rand"
	"encoding/base64"
)

func randomText(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

var failures = []struct{ cause error }{{ErrDeclined}, {ErrNotAllowed}, {ErrRedirectURI}, {ErrClock}, {ErrExpired}, {ErrNoTransaction}, {ErrSessionTooLarge}, {ErrInvalidResponse}, {ErrStore}, {ErrMisconfigured}, {ErrUnavailable}}
