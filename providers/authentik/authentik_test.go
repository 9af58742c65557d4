package authentik_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
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

// TestSharedIssuer: where all providers have the same identifier, an application's
// metadata is below its slug, and calls itself as authentik's own address.
func TestSharedIssuer(t *testing.T) { // AK-01, DI-01, ID-09, ID-11, MX-01
	type names struct{ metadata, token, callback string } // behind the origin
	const app = "/application/o/wiki/"
	for name, test := range map[string]struct {
		below string // where authentik is, at the origin
		names
		audience string
		want     error
	}{
		"shared":                             {"", names{"/", "/", "/"}, "app", nil},
		"shared, and authentik below a path": {"/sso", names{"/sso/", "/sso/", "/sso/"}, "app", nil},
		"each its own":                       {"", names{app, app, app}, "app", nil},
		"shared, a token of its own":         {"", names{"/", app, "/"}, "app", auth.ErrInvalidResponse},
		"shared, a callback of its own":      {"", names{"/", "/", app}, "app", auth.ErrInvalidResponse},
		"its own, a shared token":            {"", names{app, "/", app}, "app", auth.ErrInvalidResponse},
		"its own, a shared callback":         {"", names{app, app, "/"}, "app", auth.ErrInvalidResponse},
		"without the slash":                  {"", names{"", "", ""}, "app", auth.ErrMisconfigured},
		"another application's":              {"", names{"/application/o/other/", "/", "/"}, "app", auth.ErrMisconfigured},
		"the folder of applications":         {"", names{"/application/o/", "/", "/"}, "app", auth.ErrMisconfigured},
		"the origin, and authentik below it": {"/sso", names{"/", "/", "/"}, "app", auth.ErrMisconfigured},
		"shared, for another application":    {"", names{"/", "/", "/"}, "other", auth.ErrMisconfigured},
	} {
		t.Run(name, func(t *testing.T) {
			var idp *providertest.IdP
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { idp.ServeHTTP(w, r) }))
			t.Cleanup(server.Close)
			issuer := server.URL + test.below + app
			idp = providertest.New(providertest.Config{
				Issuer: issuer, Clients: []providertest.Client{{ID: "app", Secret: "app-secret"}}, People: []providertest.Person{{Subject: "1", Name: "Ada"}},
			})
			idp.SetFaults(providertest.Faults{
				Metadata: func(m map[string]any) { m["issuer"] = server.URL + test.metadata },
				IDToken:  func(m map[string]any) { m["iss"], m["aud"] = server.URL+test.token, test.audience },
				Callback: func(q url.Values) { q.Set("iss", server.URL+test.callback) },
			})
			for _, spelt := range []string{issuer, strings.TrimSuffix(issuer, "/"), issuer + ".well-known/openid-configuration"} {
				p, err := authentik.New(authentik.Config{Issuer: spelt, ClientID: "app", ClientSecret: auth.NewSecret("app-secret")})
				require.NoError(t, err)
				id, err := providertest.SignIn(p, nil)
				require.ErrorIs(t, err, test.want, spelt)
				if err == nil {
					require.Equal(t, server.URL+test.token, id.Issuer)
				}
			}
		})
	}
}

// TestSharedIssuerIsForApplications: what is no application's address shares nothing.
func TestSharedIssuerIsForApplications(t *testing.T) { // DI-01
	for path, want := range map[string]error{
		"/application/o/wiki": nil, "/application/o": auth.ErrMisconfigured, "/application/o/wiki/below": auth.ErrMisconfigured, "/application/wiki": auth.ErrMisconfigured, "": nil,
	} {
		var idp *providertest.IdP
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { idp.ServeHTTP(w, r) }))
		t.Cleanup(server.Close)
		idp = providertest.New(providertest.Config{Issuer: server.URL + path, Clients: []providertest.Client{{ID: "app", Secret: "s"}}, People: []providertest.Person{{Subject: "1", Name: "Ada"}}})
		shared := func(name string) func(map[string]any) { return func(m map[string]any) { m[name] = server.URL + "/" } }
		idp.SetFaults(providertest.Faults{Metadata: shared("issuer"), IDToken: shared("iss"), Callback: func(q url.Values) { q.Set("iss", server.URL+"/") }})
		p, err := authentik.New(authentik.Config{Issuer: server.URL + path, ClientID: "app", ClientSecret: auth.NewSecret("s")})
		require.NoError(t, err)
		_, err = providertest.SignIn(p, nil)
		require.ErrorIs(t, err, want, path)
	}
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
