package auth_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/session"
)

func TestErrorsOfASignIn(t *testing.T) { // LG-04
	for err, reason := range map[error]string{
		auth.ErrDeclined:            "Declined",
		auth.ErrInteractionRequired: "NotSignedInThere",
		auth.ErrUnavailable:         "Unavailable",
		auth.ErrMisconfigured:       "Configuration",
		auth.ErrRedirectURI:         "RedirectURI",
		auth.ErrClock:               "Clock",
		auth.ErrExpired:             "Expired",
		auth.ErrNoTransaction:       "Expired",
		auth.ErrInvalidResponse:     "InvalidResponse",
		auth.ErrNotAllowed:          "AccessDenied",
		auth.ErrNotLinked:           "OAuthAccountNotLinked",
		auth.ErrSessionTooLarge:     "SessionTooLarge",
		auth.ErrStore:               "StoreUnavailable",
	} {
		stub := &stubProvider{name: "stub", err: &auth.ProviderError{Provider: "stub", Code: "x", Err: err}}
		c := newConfig(stub)
		c.ErrorURL = "/oops"
		a, e := auth.New(c)
		require.NoError(t, e)
		to, e := signIn(t, a, stub).Location()
		require.NoError(t, e)
		q := to.Query()
		require.Contains(t, []string{q.Get("error"), q.Get("detail")}, reason, err.Error())
	}
	require.Equal(t, session.ErrStore, auth.ErrStore)
	require.Equal(t, session.ErrTooLarge, auth.ErrSessionTooLarge)
	require.Equal(t, session.ErrNotLinked, auth.ErrNotLinked)
}

func TestProviderErrorSaysWhatCame(t *testing.T) { // LG-04
	err := fmt.Errorf("github: %w", &auth.ProviderError{Provider: "github", Code: "invalid_grant", Err: auth.ErrExpired})
	require.EqualError(t, err, "github: the provider answered invalid_grant: auth: sign-in attempt expired")
	require.ErrorIs(t, err, auth.ErrExpired)
	var p *auth.ProviderError
	require.True(t, errors.As(err, &p))
	p.Description = "too old"
	require.EqualError(t, p, "the provider answered invalid_grant (too old): auth: sign-in attempt expired")
}

func TestLimitErrorSaysWhen(t *testing.T) { // AC-01
	err := &auth.LimitError{RetryAfter: 15*time.Second + 400*time.Millisecond}
	require.EqualError(t, err, "auth: too many wrong access codes from this client; wait 15s")

	answer := sendCode(t, stubVerifier{err: fmt.Errorf("gate: %w", err)}, nil)
	require.Equal(t, 429, answer.StatusCode)
	require.Equal(t, "16", answer.Header.Get("Retry-After"), "never too early")
}
