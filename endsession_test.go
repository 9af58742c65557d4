package auth_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/session"
)

// endingProvider is a stub at which people can be signed out.
type endingProvider struct{ *stubProvider }

func (endingProvider) EndSessionURL(context.Context, *session.Session, string, string) (string, error) {
	return "https://idp.example/logout", nil
}

// withIDToken is a stub that gives one, among other tokens.
func withIDToken(name, idToken string) *stubProvider {
	t := &oauth2.Token{AccessToken: "at", RefreshToken: "rt", TokenType: "Bearer"}
	return &stubProvider{name: name, identity: &auth.Identity{Issuer: "https://idp.example", Subject: "ada", Groups: []string{"staff"},
		Token: t.WithExtra(map[string]any{"id_token": idToken})}}
}

// TestTheIDTokenIsKeptAsAHint: by itself, where it can be of use, and in a cookie as long as
// nothing else has to give way.
func TestTheIDTokenIsKeptAsAHint(t *testing.T) { // RP-01, RP-04, CK-12
	for name, x := range map[string]struct {
		provider       auth.Provider
		asked, keepAll bool
		want           *session.ProviderTokens
	}{
		"it is asked for":        {endingProvider{withIDToken("stub", "id")}, true, false, &session.ProviderTokens{IDToken: "id"}},
		"it is not":              {endingProvider{withIDToken("stub", "id")}, false, false, nil},
		"there is none":          {endingProvider{withIDToken("stub", "")}, true, false, nil},
		"too long for a cookie":  {endingProvider{withIDToken("stub", strings.Repeat("x", 2500))}, true, false, nil},
		"a provider that cannot": {withIDToken("stub", "id"), true, false, nil},
		"beside all tokens":      {endingProvider{withIDToken("stub", "id")}, true, true, &session.ProviderTokens{AccessToken: "at", RefreshToken: "rt", TokenType: "Bearer", IDToken: "id"}},
	} {
		c := newConfig(x.provider, endingProvider{withIDToken("other", "")})
		c.SignOutAtProvider, c.KeepTokens = x.asked, x.keepAll
		a, err := auth.New(c)
		require.NoError(t, err, name)
		s := sessionOf(t, sealedCookie(t, a, x.provider))
		require.Equal(t, x.want, s.ProviderTokens, name)
		require.Equal(t, []string{"staff"}, s.Groups, "no group gives way: %s", name)
	}
}

func TestSignOutAtAProviderThatCannot(t *testing.T) {
	c := newConfig(withIDToken("stub", "id"))
	c.SignOutAtProvider = true
	_, err := auth.New(c)
	require.ErrorContains(t, err, "Config.SignOutAtProvider needs a provider at which people can be signed out")
}
