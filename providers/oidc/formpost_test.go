package oidc_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/oidc"
)

// TestFormPost: the answer is asked for as a form where the configuration says so, and
// taken as one there alone.
func TestFormPost(t *testing.T) { // CB-04
	for _, asked := range []bool{true, false} {
		r := newRelying(t, func(c *oidc.Config) { c.FormPost = asked })
		address, err := r.p.AuthCodeURL(context.Background(), r.transaction())
		require.NoError(t, err)
		u, err := url.Parse(address)
		require.NoError(t, err)
		require.Equal(t, asked, u.Query().Get("response_mode") == "form_post")
		require.Equal(t, asked, u.Query().Has("response_mode"))
		require.Equal(t, asked, r.p.FormAnswer(url.Values{"state": {"s"}, "code": {"c"}}) != nil)
	}
}

func TestFormAnswer(t *testing.T) { // ST-12, ST-18
	r := newRelying(t, func(c *oidc.Config) { c.FormPost = true })
	for _, given := range []url.Values{
		{}, {"state": {"s"}, "code": {"c"}, "iss": {"i"}}, {"state": {"s"}, "error": {"e"}, "error_description": {"d"}}, {"state": {"s"}, "code": {"c", "d"}},
	} {
		require.Equal(t, given, r.p.FormAnswer(given))
	}
	require.Equal(t, url.Values{"state": {"s"}}, r.p.FormAnswer(url.Values{
		"state": {"s"}, "id_token": {"hunter2"}, "access_token": {"hunter2"}, "user": {"hunter2"}, "session_state": {"x"}, "Code": {"c"},
	}), "nothing else goes on in a URL")
}

func TestSecretIssuer(t *testing.T) { // TK-01, LG-06
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	good := oidc.Config{Name: "idp", Issuer: "https://id.example", ClientID: "app", SecretIssuer: "team", PrivateKey: key}
	_, err = oidc.New(good)
	require.NoError(t, err)
	const prefix = `auth: oidc.Config "idp": `
	const alone = prefix + "SecretIssuer: the secret is made of PrivateKey, and sent as client_secret: leave ClientSecret and ClientAuth out"
	const none = prefix + "PrivateKey is nil, and SecretIssuer needs it"
	for _, test := range []struct {
		want   string
		change func(*oidc.Config)
	}{
		{none, func(c *oidc.Config) { c.PrivateKey = nil }},
		{alone, func(c *oidc.Config) { c.ClientSecret = auth.NewSecret("hunter2") }},
		{alone, func(c *oidc.Config) { c.ClientAuth = oidc.ClientSecretPost }},
		{alone + "\n" + none, func(c *oidc.Config) { c.PrivateKey, c.ClientAuth = nil, oidc.PrivateKeyJWT }},
	} {
		c := good
		test.change(&c)
		_, err := oidc.New(c)
		require.EqualError(t, err, test.want)
	}
}
