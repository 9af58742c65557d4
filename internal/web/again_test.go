package web_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
)

// expiringProvider says, as Keycloak does, that its page was open for too long.
type expiringProvider struct{ *stubProvider }

func (expiringProvider) Expired(response url.Values) bool { return response.Get("error") == "expired" }

func newExpiringSite(t *testing.T) *site {
	return newSite(t, func(c *auth.Config) { c.Providers[0] = expiringProvider{c.Providers[0].(*stubProvider)} })
}

// expired comes back as from a provider whose page was open for too long.
func (b *browser) expired(state string) answer {
	return b.get("/api/auth/callback/stub?" + url.Values{"state": {state}, "error": {"expired"}}.Encode())
}

// TestExpiredAtTheProviderBeginsAgain: the person did nothing wrong, and is not asked to
// press a button; twice would be a circle.
func TestExpiredAtTheProviderBeginsAgain(t *testing.T) { // ST-08
	s := newExpiringSite(t)
	b := s.browser()
	to, err := b.expired(b.start("stub", "/x").Get("state")).Location()
	require.NoError(t, err)
	require.Equal(t, "idp.example", to.Host)
	state := to.Query().Get("state")
	require.True(t, strings.HasPrefix(state, "r."))
	require.Empty(t, s.reasons())

	got := b.expired(state)
	require.Equal(t, 400, got.StatusCode, "once")
	require.Equal(t, []string{"Expired"}, s.reasons())
	require.Contains(t, got.text, `action="/api/auth/signin/stub"`)
	require.Zero(t, s.stub.exchanged())

	to, err = b.expired(b.start("stub", "/x").Get("state")).Location()
	require.NoError(t, err)
	require.Equal(t, s.server.URL+"/x", b.back("stub", to.Query().Get("state"), "ada").Header.Get("Location"))
}

// TestExpiredWithoutAnAttempt: the cookie went with the hour, or the restart.
func TestExpiredWithoutAnAttempt(t *testing.T) { // ST-08
	s := newExpiringSite(t)
	b := s.browser()
	to, err := b.expired("gone").Location()
	require.NoError(t, err)
	require.Equal(t, "idp.example", to.Host)
	require.Equal(t, s.server.URL+"/", b.back("stub", to.Query().Get("state"), "ada").Header.Get("Location"))

	deaf := s.browser()
	deaf.Jar = nil // keeps no cookies
	to, err = deaf.expired("gone").Location()
	require.NoError(t, err)
	require.Equal(t, 400, deaf.expired(to.Query().Get("state")).StatusCode)
	require.Equal(t, "CookiesBlocked", s.last().Reason)
}

// TestExpiredForSomebodySignedIn: in another tab, perhaps.
func TestExpiredForSomebodySignedIn(t *testing.T) { // CI-02
	s := newExpiringSite(t)
	b := s.browser()
	state := b.start("stub", "/wanted").Get("state")
	b.signIn("ada")
	require.Equal(t, s.server.URL+"/wanted", b.expired(state).Header.Get("Location"))
	require.Equal(t, s.server.URL+"/", b.expired("gone").Header.Get("Location"))
	require.Equal(t, "ada", b.who())
}

// TestOtherErrorsDoNotBeginAgain: whoever declined would be asked for ever.
func TestOtherErrorsDoNotBeginAgain(t *testing.T) {
	s := newExpiringSite(t)
	b := s.browser()
	for _, state := range []string{b.start("stub", "/x").Get("state"), "gone"} {
		got := b.get("/api/auth/callback/stub?error=access_denied&state=" + state)
		require.Empty(t, got.Header.Get("Location"))
	}
	require.Equal(t, []string{"Declined", "Expired"}, s.reasons())
}
