package zitadel_test

import (
	"context"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/providertest"
	"github.com/sallyport/auth/providers/zitadel"
)

const rolesClaim = "urn:zitadel:iam:org:project:roles"

func TestRolesAndAudiences(t *testing.T) { // ZI-01, ZI-02, ZI-03
	org := map[string]any{"164849": "acme.example"}
	for name, test := range map[string]struct {
		claims map[string]any
		roles  []string
		fails  bool
	}{
		"no roles":                {map[string]any{}, nil, false},
		"two roles":               {map[string]any{rolesClaim: map[string]any{"writer": org, "admin": org}}, []string{"admin", "writer"}, false},
		"a list":                  {map[string]any{rolesClaim: []string{"admin"}}, nil, false},
		"text":                    {map[string]any{rolesClaim: "admin"}, nil, false},
		"a role of nobody's":      {map[string]any{rolesClaim: map[string]any{"admin": true}}, nil, false},
		"an action's own claim":   {map[string]any{"roles": []string{"admin"}}, nil, false},
		"an action's own groups":  {map[string]any{"groups": []string{"staff"}}, []string{"staff"}, false},
		"roles before groups":     {map[string]any{"groups": []string{"staff"}, rolesClaim: map[string]any{"admin": org}}, []string{"admin"}, false},
		"the project as audience": {map[string]any{"aud": []string{"app", "project"}, "azp": "app"}, nil, false},
		"another's project":       {map[string]any{"aud": []string{"app", "other"}, "azp": "app"}, nil, true},
		"another's client":        {map[string]any{"aud": []string{"app", "project"}, "azp": "project"}, nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			idp := providertest.NewServer(providertest.Config{
				Clients: []providertest.Client{{ID: "app", Secret: "app-secret"}},
				People:  []providertest.Person{{Subject: "1", Name: "Ada"}},
			})
			t.Cleanup(idp.Close)
			idp.SetFaults(providertest.Faults{IDToken: func(m map[string]any) {
				for k, v := range test.claims {
					m[k] = v
				}
			}})
			p, err := zitadel.New(zitadel.Config{Issuer: idp.Issuer(), ClientID: "app", ClientSecret: auth.NewSecret("app-secret"), ProjectIDs: []string{"project"}})
			require.NoError(t, err)
			id, err := providertest.SignIn(p, nil)
			if test.fails {
				require.ErrorIs(t, err, auth.ErrMisconfigured)
				return
			}
			require.NoError(t, err)
			require.Equal(t, test.roles, id.Groups)
		})
	}
}

// TestIssuer: a slash at its end is mended, and nothing else.
func TestIssuer(t *testing.T) { // DI-01
	idp := providertest.NewServer(providertest.Config{
		Clients: []providertest.Client{{ID: "app", Secret: "app-secret"}},
		People:  []providertest.Person{{Subject: "1", Name: "Ada"}},
	})
	t.Cleanup(idp.Close)
	for suffix, want := range map[string]error{"": nil, "/": nil, "//": auth.ErrMisconfigured} {
		p, err := zitadel.New(zitadel.Config{Issuer: idp.Issuer() + suffix, ClientID: "app", ClientSecret: auth.NewSecret("app-secret")})
		require.NoError(t, err)
		_, err = providertest.SignIn(p, nil)
		require.ErrorIs(t, err, want, suffix)
	}
	_, err := zitadel.New(zitadel.Config{ClientID: "app", ClientSecret: auth.NewSecret("app-secret")})
	require.ErrorContains(t, err, "Issuer")
}

// TestAudiencesOfAProject: ZITADEL names every client of the project, and the project.
func TestAudiencesOfAProject(t *testing.T) { // ZI-01, ID-13, ID-14
	all := []string{"app", "259254020357488600", "259254020357488642"}
	for name, test := range map[string]struct {
		claims map[string]any
		ok     bool
	}{
		"all, issued to us":        {map[string]any{"aud": all, "azp": "app"}, true},
		"all, issued to nobody":    {map[string]any{"aud": all}, false},
		"all, issued to null":      {map[string]any{"aud": all, "azp": nil}, false},
		"all, issued to another":   {map[string]any{"aud": all, "azp": all[1]}, false},
		"all, issued to a list":    {map[string]any{"aud": all, "azp": []string{"app"}}, false},
		"the others":               {map[string]any{"aud": all[1:], "azp": "app"}, false},
		"one of them is no text":   {map[string]any{"aud": []any{"app", 5}, "azp": "app"}, false},
		"one of them is a null":    {map[string]any{"aud": []any{"app", nil}, "azp": "app"}, false},
		"the client alone, no azp": {map[string]any{"aud": "app"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			idp := providertest.NewServer(providertest.Config{
				Clients: []providertest.Client{{ID: "app", Secret: "app-secret"}},
				People:  []providertest.Person{{Subject: "1", Name: "Ada"}},
			})
			t.Cleanup(idp.Close)
			idp.SetFaults(providertest.Faults{IDToken: func(m map[string]any) {
				for k, v := range test.claims {
					m[k] = v
				}
			}})
			p, err := zitadel.New(zitadel.Config{Issuer: idp.Issuer(), ClientID: "app", ClientSecret: auth.NewSecret("app-secret")})
			require.NoError(t, err)
			_, err = providertest.SignIn(p, nil)
			if test.ok {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, auth.ErrMisconfigured)
		})
	}
}

func TestRolesAreAskedFor(t *testing.T) {
	idp := providertest.NewServer(providertest.Config{Clients: []providertest.Client{{ID: "app", Secret: "app-secret"}}})
	t.Cleanup(idp.Close)
	p, err := zitadel.New(zitadel.Config{Issuer: idp.Issuer(), ClientID: "app", ClientSecret: auth.NewSecret("app-secret")})
	require.NoError(t, err)
	address, err := p.AuthCodeURL(context.Background(), auth.Transaction{State: "s", Nonce: "n", Verifier: "v"})
	require.NoError(t, err)
	u, err := url.Parse(address)
	require.NoError(t, err)
	require.Equal(t, "openid profile email "+rolesClaim, u.Query().Get("scope"))
}

func TestFromEnvMissing(t *testing.T) { // LG-06
	_, err := zitadel.FromEnv(func(string) string { return "" }, "zitadel", nil)
	require.EqualError(t, err, "auth: ZITADEL_ISSUER is not set: ZITADEL shows it on the application's page under URLs, such as https://example.zitadel.cloud\n"+
		"auth: ZITADEL_CLIENT_ID is not set: ZITADEL shows it on the application's page\n"+
		"auth: ZITADEL_CLIENT_SECRET is not set: ZITADEL shows it once, when the application is made")
}
