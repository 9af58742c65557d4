package auth_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/session"
)

func TestKeepTokens(t *testing.T) { // RF-01
	until := time.Now().Add(time.Hour).Truncate(time.Second)
	p := &stubProvider{name: "stub", identity: &auth.Identity{Issuer: "https://idp.example", Subject: "ada",
		Token: (&oauth2.Token{AccessToken: "at", RefreshToken: "rt", TokenType: "Bearer", Expiry: until}).WithExtra(map[string]any{"id_token": "id", "scope": "openid"})}}
	for keep, want := range map[bool]*session.ProviderTokens{
		false: nil,
		true:  {AccessToken: "at", RefreshToken: "rt", IDToken: "id", TokenType: "Bearer", Scope: "openid", ExpiresAt: until},
	} {
		c := newConfig(p)
		c.KeepTokens = keep
		var enriched *session.Session
		c.Enrich = func(_ context.Context, s *session.Session, _ *auth.Identity) error {
			enriched = s
			return nil
		}
		a, err := auth.New(c)
		require.NoError(t, err)
		require.Equal(t, want, sessionOf(t, sealedCookie(t, a, p)).ProviderTokens)
		require.NotNil(t, enriched)
	}
	for want, c := range map[string]auth.Config{"Config.KeepTokens needs Providers": {Secrets: newConfig().Secrets, ReadOnly: true, KeepTokens: true}} {
		_, err := auth.New(c)
		require.ErrorContains(t, err, want)
	}
}
