package generic_test

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/generic"
	"github.com/sallyport/auth/providers/providertest"
)

func newIdP(t *testing.T) *providertest.Server {
	idp := providertest.NewServer(providertest.Config{
		Clients: []providertest.Client{{ID: "app", Secret: "app-secret"}},
		People: []providertest.Person{{
			Subject: "1", Name: "Ada", Username: "ada", Email: "ada@example.com", EmailVerified: true, Groups: []string{"staff"},
		}},
	})
	t.Cleanup(idp.Close)
	return idp
}

func fromEnv(id, issuer string) (auth.Provider, error) {
	env := map[string]string{"GENERIC_OIDC_ISSUER": issuer, "GENERIC_OIDC_CLIENT_ID": "app", "GENERIC_OIDC_CLIENT_SECRET": "app-secret"}
	return generic.FromEnv(func(name string) string { return env[name] }, id, nil)
}

func TestIdentity(t *testing.T) {
	idp := newIdP(t)
	p, err := fromEnv("generic-oidc", idp.Issuer())
	require.NoError(t, err)
	id, err := providertest.SignIn(p, nil)
	require.NoError(t, err)
	require.Equal(t, "1 Ada ada ada@example.com", id.Subject+" "+id.Name+" "+id.Username+" "+id.Email)
	require.True(t, id.EmailVerified)
	require.Equal(t, []string{"staff"}, id.Groups)
	require.Equal(t, idp.Issuer(), id.Issuer)
}

// TestIssuer: one slash at the end is mended, by what the issuer calls itself.
func TestIssuer(t *testing.T) { // DI-01
	for name, test := range map[string]struct {
		calledItself, configured string // behind the address
		want                     error
	}{
		"neither has a slash":     {"", "", nil},
		"both have":               {"/", "/", nil},
		"the configured one":      {"", "/", nil},
		"the one of the document": {"/", "", nil},
		"two":                     {"/", "//", auth.ErrMisconfigured},
		"another":                 {"/a", "", auth.ErrMisconfigured},
	} {
		t.Run(name, func(t *testing.T) {
			idp := newIdP(t)
			own := idp.Issuer() + test.calledItself
			idp.SetFaults(providertest.Faults{
				Metadata: func(m map[string]any) { m["issuer"] = own },
				IDToken:  func(m map[string]any) { m["iss"] = own },
				Callback: func(q url.Values) { q.Set("iss", own) },
			})
			p, err := fromEnv("generic-oidc", idp.Issuer()+test.configured)
			require.NoError(t, err)
			id, err := providertest.SignIn(p, nil)
			if test.want != nil {
				require.ErrorIs(t, err, test.want)
				return
			}
			require.NoError(t, err)
			require.Equal(t, own, id.Issuer)
		})
	}
	_, err := fromEnv("generic-oidc", "http://id.example.com")
	require.ErrorContains(t, err, "GENERIC_OIDC_ISSUER")
}

// TestName: a program may offer it under an id of its own, which its variables have too.
func TestName(t *testing.T) {
	for id, ok := range map[string]bool{"pocket-id": true, "Pocket Id": false} {
		p, err := generic.FromEnv(func(name string) string {
			return map[string]string{
				"AUTH_POCKET_ID_ID": "c", "AUTH_POCKET_ID_SECRET": "s", "AUTH_POCKET_ID_ISSUER": "https://id.example.com",
				"GENERIC_OIDC_CLIENT_ID": "c", "GENERIC_OIDC_CLIENT_SECRET": "s", "GENERIC_OIDC_ISSUER": "https://id.example.com",
			}[name]
		}, id, nil)
		require.Equal(t, ok, err == nil, "%v", err)
		if ok {
			require.Equal(t, id, p.Name())
		}
	}
}

func TestFromEnvMissing(t *testing.T) { // LG-06
	_, err := generic.FromEnv(func(string) string { return "" }, "generic-oidc", nil)
	require.EqualError(t, err, "auth: GENERIC_OIDC_ISSUER is not set: it is the issuer exactly as its /.well-known/openid-configuration spells it, such as https://id.example.com\n"+
		"auth: GENERIC_OIDC_CLIENT_ID is not set: the identity provider gives it to the application\n"+
		"auth: GENERIC_OIDC_CLIENT_SECRET is not set: the identity provider gives it to the application")
}
