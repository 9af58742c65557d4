package auth

import (
	"fmt"

	"github.com/sallyport/auth/internal/fault"
	"github.com/sallyport/auth/session"
)

// The closed set of reasons for which a sign-in fails, or somebody who is signed in may
// not go on. Test with [errors.Is].
var (
	// ErrDeclined: the person said no at the identity provider (access_denied).
	ErrDeclined = fault.ErrDeclined

	// ErrInteractionRequired: the identity provider would have to ask the person
	// something, and was told not to (prompt=none): who is signed in there, if anybody,
	// it does not say.
	ErrInteractionRequired = fault.ErrInteractionRequired

	// ErrUnavailable: the identity provider is down, slow or answers nonsense.
	ErrUnavailable = fault.ErrUnavailable

	// ErrMisconfigured: the registration here or at the identity provider is
	// wrong: an unknown client, a bad secret, another issuer, or something of the
	// protocol that one of the two does not speak. To try again does not help.
	ErrMisconfigured = fault.ErrMisconfigured

	// ErrRedirectURI: the callback URL is not registered at the provider.
	ErrRedirectURI = fault.ErrRedirectURI

	// ErrClock: a token is not valid yet, or no more, by this machine's clock.
	ErrClock = fault.ErrClock

	// ErrExpired: the attempt, or the code that it brought back, is too old; of a
	// [TokenSource], the access token is.
	ErrExpired = fault.ErrExpired

	// ErrNoTransaction: the browser brought no matching transaction cookie.
	ErrNoTransaction = fault.ErrNoTransaction

	// ErrInvalidResponse: the provider's answer fails a check of the protocol.
	ErrInvalidResponse = fault.ErrInvalidResponse

	// ErrNotAllowed: the policy, or a provider's rule, refuses this person.
	ErrNotAllowed = fault.ErrNotAllowed

	// ErrWrongCode: no access code is as the one that was sent.
	ErrWrongCode = fault.ErrWrongCode

	// ErrInvalidToken: an access token that a request brings does not count.
	ErrInvalidToken = fault.ErrInvalidToken

	// ErrSignInAgain is for a [Rule]: somebody is signed in, and has to show anew who they
	// are.
	ErrSignInAgain = fault.ErrSignInAgain

	// ErrNotLinked: no user of [session.Config].Database has the account, and another one
	// has its e-mail address.
	ErrNotLinked = session.ErrNotLinked

	// ErrLoggedOut: the person has signed out at the provider since it vouched for them; see
	// [Config].BackChannelLogout.
	ErrLoggedOut = session.ErrLoggedOut

	// ErrSessionTooLarge: the session does not fit into cookies.
	ErrSessionTooLarge = session.ErrTooLarge

	// ErrStore: the session store failed.
	ErrStore = session.ErrStore
)

// ProviderError is an error code that an identity provider answered with, at the
// callback or at its token endpoint. It wraps the error of this package that the
// code means.
type ProviderError struct {
	Provider    string // the provider's name
	Code        string // RFC 6749 4.1.2.1, 5.2; cut and made printable
	Description string // the provider's words, cut and made printable
	Err         error  // this package's error for the code
}

// Error has the code, and the description if there is one.
func (e *ProviderError) Error() string {
	text := fmt.Sprintf("the provider answered %s", e.Code)
	if e.Description != "" {
		text += " (" + e.Description + ")"
	}
	return text + ": " + e.Err.Error()
}

// Unwrap returns Err.
func (e *ProviderError) Unwrap() error { return e.Err }
