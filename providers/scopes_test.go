package providers_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/auth0"
	"github.com/sallyport/auth/providers/authentik"
	azuread "github.com/sallyport/auth/providers/azure-ad"
	"github.com/sallyport/auth/providers/github"
	"github.com/sallyport/auth/providers/providertest"
	"github.com/sallyport/auth/providers/zitadel"
)

// TestScopesBesideThoseOfASignIn: what an application asks for on top takes nothing away.
func TestScopesBesideThoseOfASignIn(t *testing.T) {
	const tenant = "72f988bf-86f1-41af-91ab-2d7cd011db47"
	var issuer string
	idp := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		base := strings.TrimRight(issuer, "/")
		providertest.WriteJSON(w, 200, map[string]any{
			"issuer": issuer, "authorization_endpoint": base + "/authorize", "token_endpoint": base + "/token", "jwks_uri": base + "/keys",
			"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"}, "id_token_signing_alg_values_supported": []string{"RS256"},
		})
	}))
	t.Cleanup(idp.Close)
	secret, more := auth.NewSecret("s"), []string{"offline_access", "more"}
	for _, test := range []struct {
		path, want string
		made       func() (auth.Provider, error)
	}{
		{"/" + tenant + "/v2.0", "openid profile email offline_access more", func() (auth.Provider, error) {
			return azuread.New(azuread.Config{Tenant: tenant, BaseURL: idp.URL, ClientID: "app", ClientSecret: secret, Scopes: more})
		}},
		{"/", "openid profile email offline_access more", func() (auth.Provider, error) {
			return auth0.New(auth0.Config{Issuer: idp.URL, ClientID: "app", ClientSecret: secret, Scopes: more})
		}},
		{"/application/o/app/", "openid profile email offline_access more", func() (auth.Provider, error) {
			return authentik.New(authentik.Config{Issuer: idp.URL + "/application/o/app/", ClientID: "app", ClientSecret: secret, Scopes: more})
		}},
		{"", "openid profile email urn:zitadel:iam:org:project:roles offline_access more", func() (auth.Provider, error) {
			return zitadel.New(zitadel.Config{Issuer: idp.URL, ClientID: "app", ClientSecret: secret, Scopes: more})
		}},
		{"", "read:user user:email offline_access more read:org", func() (auth.Provider, error) {
			return github.New(github.Config{ClientID: "app", ClientSecret: secret, Organizations: []string{"acme"}, Scopes: more})
		}},
	} {
		issuer = idp.URL + test.path
		p, err := test.made()
		require.NoError(t, err)
		to, err := p.AuthCodeURL(context.Background(), auth.Transaction{State: "s", Nonce: "n", Verifier: strings.Repeat("v", 43), RedirectURI: "https://app.example/cb"})
		require.NoError(t, err)
		u, err := url.Parse(to)
		require.NoError(t, err)
		require.Equal(t, test.want, u.Query().Get("scope"), p.Name())
	}
}
