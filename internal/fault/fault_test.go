package fault_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/internal/fault"
	"github.com/sallyport/auth/session"
)

// causes in the order in which the first counts.
var causes = []struct {
	err    error
	code   fault.Code
	status int
}{
	{fault.ErrNoCookies, "CookiesBlocked", 400},
	{fault.ErrTooMany, "TooManyFailures", 429},
	{fault.ErrDeclined, "Declined", 403},
	{session.ErrNotLinked, "OAuthAccountNotLinked", 403},
	{fault.ErrNotAllowed, "AccessDenied", 403},
	{fault.ErrInteractionRequired, "NotSignedInThere", 403},
	{fault.ErrRedirectURI, "RedirectURI", 400},
	{fault.ErrClock, "Clock", 400},
	{fault.ErrExpired, "Expired", 400},
	{fault.ErrNoTransaction, "Expired", 400},
	{session.ErrLoggedOut, "Expired", 400},
	{session.ErrTooLarge, "SessionTooLarge", 400},
	{fault.ErrInvalidResponse, "InvalidResponse", 400},
	{session.ErrStore, "StoreUnavailable", 503},
	{fault.ErrMisconfigured, "Configuration", 502},
	{fault.ErrUnavailable, "Unavailable", 503},
}

func TestEveryCauseHasItsCodeAndStatus(t *testing.T) { // LG-04
	for _, c := range causes {
		for _, err := range []error{c.err, fmt.Errorf("github: %w", c.err), errors.Join(errors.New("first"), c.err)} {
			code, status := fault.Of(err)
			require.Equal(t, c.code, code, err.Error())
			require.Equal(t, c.status, status, err.Error())
			require.Contains(t, fault.Codes, code)
		}
	}
}

func TestOfTwoCausesTheOneThatTellsMoreCounts(t *testing.T) {
	for i, first := range causes {
		for _, second := range causes[i:] {
			for _, err := range []error{fmt.Errorf("%w: %w", first.err, second.err), fmt.Errorf("%w: %w", second.err, first.err)} {
				code, status := fault.Of(err)
				require.Equal(t, first.code, code, err.Error())
				require.Equal(t, first.status, status, err.Error())
			}
		}
	}
}

func TestUnknownCauseIsTheProviders(t *testing.T) { // MW-10
	for _, err := range []error{errors.New("x"), fault.ErrWrongCode, &fault.Limited{Err: errors.New("x")}, nil} {
		code, status := fault.Of(err)
		require.Equal(t, fault.ProviderUnavailable, code)
		require.Equal(t, 503, status)
	}
}

func TestCausesAreDifferentErrors(t *testing.T) { // LG-04
	texts := map[string]bool{}
	for i, a := range append(causes, causes[0]) {
		if i < len(causes) {
			require.False(t, texts[a.err.Error()], "%s twice", a.err)
			texts[a.err.Error()] = true
		}
		for j, b := range causes {
			require.Equal(t, i%len(causes) == j, errors.Is(a.err, b.err))
		}
	}
}

func TestLimitedSaysWhenNeverTooEarly(t *testing.T) { // AC-01
	for wait, want := range map[time.Duration]int{
		-time.Minute: 1, 0: 1, 1: 1, time.Second: 1, time.Second + 1: 2, 1500 * time.Millisecond: 2, 2 * time.Second: 2,
		15 * time.Second: 15, 15*time.Second + time.Millisecond: 16, time.Hour: 3600,
	} {
		require.Equal(t, want, (&fault.Limited{Wait: wait}).Seconds(), wait.String())
	}
}

func TestLimitedIsItsCause(t *testing.T) {
	cause := errors.New("wait")
	err := fmt.Errorf("gate: %w", &fault.Limited{Wait: time.Second, Err: cause})
	require.EqualError(t, err, "gate: wait")
	require.ErrorIs(t, err, cause)
	var limited *fault.Limited
	require.ErrorAs(t, err, &limited)
	require.Equal(t, time.Second, limited.Wait)
}
