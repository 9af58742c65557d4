package oauth2_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	xoauth2 "golang.org/x/oauth2"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/oauth2"
)

func TestRefresh(t *testing.T) { // TK-20, RF-03
	s := newServer(t)
	p, err := oauth2.New(s.config())
	require.NoError(t, err)
	old := &xoauth2.Token{AccessToken: "old", RefreshToken: "rt-0"}

	next, err := p.Refresh(context.Background(), old)
	require.NoError(t, err)
	require.Equal(t, "at", next.AccessToken)
	require.Equal(t, "rt-0", next.RefreshToken)
	require.Equal(t, clock.Add(time.Hour), next.Expiry)
	require.Empty(t, s.asked)
	require.Equal(t, map[string][]string{"client_id": {"app"}, "client_secret": {clientSecret}, "grant_type": {"refresh_token"}, "refresh_token": {"rt-0"}}, map[string][]string(s.sent[0].PostForm))

	for _, code := range []string{"bad_refresh_token", "invalid_refresh_token", "invalid_grant"} {
		s.token = says(200, "application/json", `{"error":"`+code+`"}`)
		_, err = p.Refresh(context.Background(), old)
		require.ErrorIs(t, err, auth.ErrSignInAgain, code)
	}
	s.token = says(500, "application/json", `{"error":"invalid_grant"}`)
	_, err = p.Refresh(context.Background(), old)
	require.ErrorIs(t, err, auth.ErrUnavailable)
	require.NotErrorIs(t, err, auth.ErrSignInAgain)
	require.Len(t, s.sent, 5)
}

func TestRefreshInADialect(t *testing.T) {
	s := newServer(t)
	c := s.config()
	c.Dialect = oauth2.Dialect{TokenQuery: true, ClientID: "appid", ClientSecret: "secret"}
	p, err := oauth2.New(c)
	require.NoError(t, err)
	_, err = p.Refresh(context.Background(), &xoauth2.Token{RefreshToken: "rt-0"})
	require.NoError(t, err)
	require.Equal(t, map[string][]string{"appid": {"app"}, "secret": {clientSecret}, "grant_type": {"refresh_token"}, "refresh_token": {"rt-0"}}, map[string][]string(s.sent[0].URL.Query()))
}
