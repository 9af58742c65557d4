package authentik_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/authentik"
	"github.com/sallyport/auth/providers/providertest"
)

// application is an authentik application: its issuer has a path, and a slash at the
// end. It returns the issuer without the slash.
func application(t *testing.T, claims map[string]any) string {
	var idp *providertest.IdP
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { idp.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	issuer := server.URL + "/application/o/wiki"
	idp = providertest.New(providertest.Config{
		Issuer:  issuer,
		Clients: []providertest.Client{{ID: "app", Secret: "app-secret"}},
		People:  []providertest.Person{{Subject: "1", Name: "Ada", Email: "ada@example.com", Claims: claims}},
	})
	idp.SetFaults(providertest.Faults{
		Metadata: func(m map[string]any) { m["issuer"] = issuer + "/" },
		IDToken:  func(m map[string]any) { m["iss"] = issuer + "/" },
		Callback: func(q url.Values) { q.Set("iss", issuer+"/") },
	})
	return issuer
}

func TestIssuer(t *testing.T) { // AK-01, DI-14
	issuer := application(t, nil)
	for _, spelt := range []string{issuer, issuer + "/", issuer + "//"} {
		p, err := authentik.New(authentik.Config{Issuer: spelt, ClientID: "app", ClientSecret: auth.NewSecret("app-secret")})
		require.NoError(t, err)
		id, err := providertest.SignIn(p, nil)
		require.NoError(t, err, spelt)
		require.Equal(t, issuer+"/", id.Issuer)
	}
	for _, wrong := range []string{"", "/", "auth.example.com/application/o/wiki/", "http://auth.example.com/application/o/wiki/", issuer + "?x"} {
		_, err := authentik.New(authentik.Config{Issuer: wrong, ClientID: "app", ClientSecret: auth.NewSecret("app-secret")})
		require.ErrorContains(t, err, "Issuer", wrong)
	}
	p, err := authentik.New(authentik.Config{Issuer: issuer + "-2/", ClientID: "app", ClientSecret: auth.NewSecret("app-secret")})
	require.NoError(t, err)
	_, err = providertest.SignIn(p, nil)
	require.Error(t, err, "another application's slug")
}

func TestEmailIsVerifiedByWhomTheAdministratorSaysSo(t *testing.T) { // AK-02
	for name, test := range map[string]struct {
		claims map[string]any
		want   bool
	}{
		"nothing said":          {nil, false},
		"as since 2025.10":      {map[string]any{"email_verified": false}, false},
		"by a scope mapping":    {map[string]any{"email_verified": true}, true},
		"a mapping that quotes": {map[string]any{"email_verified": "true"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := authentik.New(authentik.Config{Issuer: application(t, test.claims), ClientID: "app", ClientSecret: auth.NewSecret("app-secret")})
			require.NoError(t, err)
			id, err := providertest.SignIn(p, nil)
			require.NoError(t, err, "people sign in all the same")
			require.Equal(t, "ada@example.com", id.Email)
			require.Equal(t, test.want, id.EmailVerified)
			policy, err := auth.AllowEmails("example.com")
			require.NoError(t, err)
			require.Equal(t, test.want, policy(context.Background(), p.Name(), id) == nil)
		})
	}
}

func TestGroups(t *testing.T) { // ID-35
	for name, test := range map[string]struct {
		claim any
		want  []string
	}{
		"names":             {[]string{"authentik Admins", "staff"}, []string{"authentik Admins", "staff"}},
		"none":              {[]string{}, []string{}},
		"one as text":       {"staff", []string{"staff"}},
		"a number":          {1, nil},
		"a list of numbers": {[]int{1}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := authentik.New(authentik.Config{Issuer: application(t, map[string]any{"groups": test.claim}), ClientID: "app", ClientSecret: auth.NewSecret("app-secret")})
			require.NoError(t, err)
			id, err := providertest.SignIn(p, nil)
			require.NoError(t, err)
			require.ElementsMatch(t, test.want, id.Groups)
		})
	}
}

func TestFromEnvMissing(t *testing.T) { // LG-06
	_, err := authentik.FromEnv(func(string) string { return "" }, "authentik", nil)
	require.EqualError(t, err, "auth: AUTHENTIK_ISSUER is not set: authentik shows it on the provider's page as OpenID Configuration Issuer, such as https://auth.example.com/application/o/slug/\n"+
		"auth: AUTHENTIK_CLIENT_ID is not set: authentik shows it on the provider's page\n"+
		"auth: AUTHENTIK_CLIENT_SECRET is not set: authentik shows it when the provider is edited")
}
