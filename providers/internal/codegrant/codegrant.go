// Package codegrant is the authorization code grant of RFC 6749 4.1, as far as
// OpenID Connect and plain OAuth 2.0 share it: the authorization request, the
// authorization response, the client's authentication and the token request.
//
// It knows no configuration of a provider's and no identity. What it refuses, it
// refuses with an error that wraps one of package auth's.
package codegrant

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/sallyport/auth"
)

const maxPictureBytes = 2 << 10

var providerName = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// ValidName reports whether URLs and the environment can carry a provider's id.
func ValidName(name string) bool { return providerName.MatchString(name) }

// Trim drops a picture that is not at an https address of at most 2 KiB. Groups are
// all handed on: whether the allowed one is among them, a policy has to see.
func Trim(id *auth.Identity) {
	if len(id.Picture) > maxPictureBytes || !strings.HasPrefix(id.Picture, "https://") {
		id.Picture = ""
	}
}

var classes = []error{
	auth.ErrDeclined, auth.ErrNotAllowed, auth.ErrInteractionRequired, auth.ErrRedirectURI, auth.ErrClock, auth.ErrExpired, auth.ErrNoTransaction,
	auth.ErrSessionTooLarge, auth.ErrInvalidResponse, auth.ErrStore, auth.ErrMisconfigured, auth.ErrUnavailable,
}

// Fail names the provider and the step at which err happened. An error of no
// class of package auth's is the provider being unreachable.
func Fail(provider, step string, err error) error {
	return fmt.Errorf("auth: %s: %s: %w", provider, step, classify(err))
}

// classify returns err with a class.
func classify(err error) error {
	if slices.ContainsFunc(classes, func(class error) bool { return errors.Is(err, class) }) {
		return err
	}
	return fmt.Errorf("%w: %w", auth.ErrUnavailable, err)
}

// Invalid is an answer that fails a check of the protocol.
func Invalid(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{auth.ErrInvalidResponse}, args...)...)
}

// Misconfigured is a registration that is wrong, here or at the provider.
func Misconfigured(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{auth.ErrMisconfigured}, args...)...)
}

// Unavailable is an answer that is none: nothing is known from it.
func Unavailable(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{auth.ErrUnavailable}, args...)...)
}

// BadStatus is an answer whose status alone says that it is none.
func BadStatus(status int) error { return Unavailable("status %d", status) }
