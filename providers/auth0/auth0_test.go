package auth0_test

import (
	"context"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/auth0"
	"github.com/sallyport/auth/providers/oidc"
	"github.com/sallyport/auth/providers/providertest"
	"github.com/sallyport/auth/session"
)

func TestOrganization(t *testing.T) { // A0-01
	for name, test := range map[string]struct {
		organization string
		claims       map[string]any
		want         error
	}{
		"any":          {"", nil, nil},
		"by id":        {"org_1", map[string]any{"org_id": "org_1"}, nil},
		"by name":      {"acme", map[string]any{"org_id": "org_1", "org_name": "acme"}, nil},
		"another id":   {"org_1", map[string]any{"org_id": "org_2", "org_name": "org_1"}, auth.ErrNotAllowed},
		"another name": {"acme", map[string]any{"org_id": "acme", "org_name": "evil"}, auth.ErrNotAllowed},
		"none":         {"org_1", nil, auth.ErrNotAllowed},
		"id is a list": {"org_1", map[string]any{"org_id": []string{"org_1"}}, auth.ErrNotAllowed},
	} {
		t.Run(name, func(t *testing.T) {
			idp := providertest.NewServer(providertest.Config{
				Clients: []providertest.Client{{ID: "app", Secret: "app-secret"}},
				People:  []providertest.Person{{Subject: "auth0|1", Name: "Ada", Email: "ada@example.com", Claims: test.claims}},
			})
			t.Cleanup(idp.Close)
			slash := idp.Issuer() + "/"
			idp.SetFaults(providertest.Faults{
				Metadata: func(m map[string]any) { m["issuer"] = slash },
				IDToken:  func(m map[string]any) { m["iss"] = slash },
				Callback: func(q url.Values) { q.Set("iss", slash) },
			})
			p, err := auth0.New(auth0.Config{Issuer: idp.Issuer(), ClientID: "app", ClientSecret: auth.NewSecret("app-secret"), Organization: test.organization})
			require.NoError(t, err)
			params := url.Values{"organization": {"org_evil"}}
			if test.organization != "" {
				address, err := p.AuthCodeURL(context.Background(), auth.Transaction{Params: params})
				require.NoError(t, err)
				require.NotContains(t, address, "org_evil", "whoever signs in does not choose the organization")
				require.Contains(t, address, "organization="+test.organization)
			}
			_, err = providertest.SignIn(p, params)
			if test.want == nil {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, test.want)
		})
	}
}

// TestIssuer: Auth0 writes its own name with a slash, its dashboard without.
func TestIssuer(t *testing.T) { // A0-01
	idp := providertest.NewServer(providertest.Config{
		Clients: []providertest.Client{{ID: "app", Secret: "app-secret"}},
		People:  []providertest.Person{{Subject: "auth0|1", Name: "Ada"}},
	})
	t.Cleanup(idp.Close)
	slash := idp.Issuer() + "/"
	idp.SetFaults(providertest.Faults{
		Metadata: func(m map[string]any) { m["issuer"] = slash },
		IDToken:  func(m map[string]any) { m["iss"] = slash },
		Callback: func(q url.Values) { q.Set("iss", slash) },
	})
	for _, spelt := range []string{idp.Issuer(), slash, slash + "/"} {
		p, err := auth0.New(auth0.Config{Issuer: spelt, ClientID: "app", ClientSecret: auth.NewSecret("app-secret")})
		require.NoError(t, err)
		id, err := providertest.SignIn(p, nil)
		require.NoError(t, err, spelt)
		require.Equal(t, slash, id.Issuer)
	}
	for method, inForm := range map[oidc.ClientAuth]bool{"": true, oidc.ClientSecretPost: true, oidc.ClientSecretBasic: false} {
		p, err := auth0.New(auth0.Config{Issuer: slash, ClientID: "app", ClientSecret: auth.NewSecret("app-secret"), ClientAuth: method})
		require.NoError(t, err)
		_, err = providertest.SignIn(p, nil)
		require.NoError(t, err, method)
		sent := idp.TokenRequests()
		require.Equal(t, inForm, sent[len(sent)-1].Has("client_secret"), method)
	}
	for _, wrong := range []string{"", "example.eu.auth0.com", "http://example.eu.auth0.com"} {
		_, err := auth0.New(auth0.Config{Issuer: wrong, ClientID: "app", ClientSecret: auth.NewSecret("app-secret")})
		require.ErrorContains(t, err, "Issuer", wrong)
	}
}

func TestFromEnvMissing(t *testing.T) { // LG-06
	_, err := auth0.FromEnv(func(string) string { return "" }, "auth0", nil)
	require.EqualError(t, err, "auth: AUTH0_ISSUER is not set: it is your tenant's address, such as https://example.eu.auth0.com\n"+
		"auth: AUTH0_CLIENT_ID is not set: Auth0 shows it under Applications, Settings, Client ID\n"+
		"auth: AUTH0_CLIENT_SECRET is not set: Auth0 shows it under Applications, Settings, Client Secret")
}

// TestRefusals: an Action's is the site's, and not the person's.
func TestRefusals(t *testing.T) { // CB-01, A0-01
	idp := providertest.NewServer(providertest.Config{
		Clients: []providertest.Client{{ID: "app", Secret: "app-secret"}},
		People:  []providertest.Person{{Subject: "auth0|1", Name: "Ada"}},
	})
	t.Cleanup(idp.Close)
	slash := idp.Issuer() + "/"
	p, err := auth0.New(auth0.Config{Issuer: slash, ClientID: "app", ClientSecret: auth.NewSecret("app-secret")})
	require.NoError(t, err)
	for _, test := range []struct {
		code, description string
		want              error
	}{
		{"access_denied", "", auth.ErrDeclined},
		{"access_denied", "User has canceled the interaction.", auth.ErrDeclined},
		{"access_denied", "User did not authorize the request", auth.ErrDeclined},
		{"access_denied", "Only for staff.", auth.ErrNotAllowed},
		{"access_denied", "Service not found: https://api.example.com", auth.ErrMisconfigured},
		{"unauthorized", "user is blocked", auth.ErrNotAllowed},
		{"login_required", "Login required", auth.ErrInteractionRequired},
	} {
		idp.SetFaults(providertest.Faults{
			Metadata: func(m map[string]any) { m["issuer"] = slash },
			Callback: func(q url.Values) {
				q.Del("code")
				q.Set("iss", slash)
				q.Set("error", test.code)
				q.Set("error_description", test.description)
			},
		})
		_, err := providertest.SignIn(p, nil)
		require.ErrorIs(t, err, test.want, test.description)
		require.ErrorContains(t, err, test.description)
	}
}

// TestSignOut: by the metadata's endpoint, and in Auth0's own way at a tenant without it.
func TestSignOut(t *testing.T) { // A0-02, RP-03
	idp := providertest.NewServer(providertest.Config{})
	defer idp.Close()
	const back = "https://app.example/api/auth/signout/auth0"
	for want, change := range map[string]func(map[string]any){
		"/logout?client_id=app&post_logout_redirect_uri=" + url.QueryEscape(back) + "&state=x": func(m map[string]any) {},
		"/v2/logout?client_id=app&returnTo=" + url.QueryEscape(back+"?state=x"):                func(m map[string]any) { delete(m, "end_session_endpoint") },
	} {
		idp.SetFaults(providertest.Faults{Metadata: func(m map[string]any) {
			m["issuer"] = idp.Issuer() + "/"
			change(m)
		}})
		p, err := auth0.New(auth0.Config{Issuer: idp.Issuer(), ClientID: "app", ClientSecret: auth.NewSecret("secret")})
		require.NoError(t, err)
		got, err := p.(auth.SessionEnder).EndSessionURL(context.Background(), &session.Session{}, back, "x")
		require.NoError(t, err)
		require.Equal(t, idp.Issuer()+want, got)
	}
}
