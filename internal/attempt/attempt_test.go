package attempt_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/internal/attempt"
)

func TestSecretsOfAnAttempt(t *testing.T) { // ST-01, PK-01, NO-01
	c := newClock()
	k := newKeeper(c)
	seen := map[string]bool{}
	for range 1000 {
		a := k.New("github", "https://app.example/cb", "/to", nil, false)
		for _, secret := range []string{a.State, a.Nonce} {
			require.Regexp(t, `^[A-Za-z0-9_-]{22}$`, secret, "128 bits in base64url")
		}
		require.Regexp(t, `^[A-Za-z0-9_.~-]{43,128}$`, a.Verifier, "RFC 7636 4.1")
		for _, secret := range []string{a.State, a.Nonce, a.Verifier} {
			require.False(t, seen[secret], "a secret twice")
			seen[secret] = true
		}
	}
}

func TestNewAttemptIsAsAsked(t *testing.T) {
	c := newClock()
	params := url.Values{"prompt": {"login"}}
	a := newKeeper(c).New("github", "https://app.example/cb", "/to", params, false)
	require.Equal(t, attempt.Attempt{
		Provider: "github", State: a.State, Nonce: a.Nonce, Verifier: a.Verifier,
		RedirectURI: "https://app.example/cb", ReturnTo: "/to", Params: params,
		Begun: c.at, Expires: c.at.Add(10 * time.Minute),
	}, a)
}

func TestRestarted(t *testing.T) { // ST-08: once, and no more
	k := newKeeper(newClock())
	first := k.New("github", "", "/", nil, false)
	second := k.New("github", "", "/", nil, true)
	require.False(t, first.Restarted)
	require.False(t, attempt.Restarted(first.State))
	require.True(t, second.Restarted)
	require.True(t, attempt.Restarted(second.State), "the state alone says so: its cookie may be lost")
	require.Regexp(t, `^r\.[A-Za-z0-9_-]{22}$`, second.State)
	for state, want := range map[string]bool{"": false, "r": false, "rx": false, "r.": true, "r.x": true, "xr.": false, "R.x": false} {
		require.Equal(t, want, attempt.Restarted(state), "%q", state)
	}
}
