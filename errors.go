package auth

import (
	"github.com/sallyport/auth/internal/fault"
	"github.com/sallyport/auth/session"
)

// The closed set of reasons for which a sign-in fails. Test with [errors.Is].
var (
	// ErrDeclined: the person said no at the identity provider (access_denied).
	ErrDeclined = fault.Declined

	// ErrUnavailable: the identity provider is down, slow or answers nonsense.
	ErrUnavailable = fault.Unavailable

	// ErrMisconfigured: the registration here or at the identity provider is
	// wrong: an unknown client, a bad secret, another issuer.
	ErrMisconfigured = fault.Misconfigured

	// ErrRedirectURI: the callback URL is not registered at the provider.
	ErrRedirectURI = fault.RedirectURI

	// ErrClock: a token is not valid yet, or no more, by this machine's clock.
	ErrClock = fault.Clock

	// ErrExpired: the attempt, or the code that it brought back, is too old.
	ErrExpired = fault.Expired

	// ErrNoTransaction: the browser brought no matching transaction cookie.
	ErrNoTransaction = fault.NoTransaction

	// ErrInvalidResponse: the provider's answer fails a check of the protocol.
	ErrInvalidResponse = fault.InvalidResponse

	// ErrNotAllowed: the policy, or a provider's rule, refuses this person.
	ErrNotAllowed = fault.NotAllowed

	// ErrWrongCode: no access code is as the one that was sent.
	ErrWrongCode = fault.WrongCode

	// ErrSessionTooLarge: the session does not fit into cookies.
	ErrSessionTooLarge = session.ErrTooLarge

	// ErrStore: the session store failed.
	ErrStore = session.ErrStore
)
