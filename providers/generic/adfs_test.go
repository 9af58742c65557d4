package generic_test

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/providertest"
)

// TestADFS has the answers of AD FS 2016 and newer
// (https://learn.microsoft.com/en-us/windows-server/identity/ad-fs/overview/ad-fs-openid-connect-oauth-flows-scenarios):
// claims under names of its own, an issuer of access tokens that is another one, and
// userinfo with nothing but the subject.
func TestADFS(t *testing.T) { // DI-01, ID-09, ID-35, EN-03, PV-02
	const issuer, services = "https://adfs.corp.example/adfs", "http://adfs.corp.example/adfs/services/trust"
	trusted := map[string]string{"AUTH_GENERIC_OIDC_TRUST_EMAIL": "1", "AUTH_GENERIC_OIDC_GROUPS_CLAIM": "group", "AUTH_GENERIC_OIDC_SCOPES": "openid allatclaims", "AUTH_ALLOWED_EMAILS": "corp.example", "AUTH_ALLOWED_GROUPS": "staff"}
	emails, err := auth.AllowEmails("corp.example")
	require.NoError(t, err)
	groups, err := auth.AllowGroups("staff")
	require.NoError(t, err)
	for name, test := range map[string]struct {
		env      map[string]string
		claims   map[string]any
		userinfo int // its status
		want     error
		admitted bool
		groups   string
	}{
		"one group":                        {trusted, map[string]any{"group": "staff"}, 200, nil, true, "staff"},
		"two":                              {trusted, map[string]any{"group": []string{"staff", "admins"}}, 200, nil, true, "staff admins"},
		"another":                          {trusted, map[string]any{"group": "guests"}, 200, nil, false, "guests"},
		"none":                             {trusted, nil, 200, nil, false, ""},
		"no address":                       {trusted, map[string]any{"group": "staff", "email": nil}, 200, nil, false, "staff"},
		"an address of somebody else's":    {trusted, map[string]any{"group": "staff", "email": "ada@other.example"}, 200, nil, false, "staff"},
		"without the variables":            {nil, map[string]any{"group": "staff"}, 200, nil, false, ""},
		"userinfo is for another resource": {nil, map[string]any{"email": nil, "name": nil}, 401, nil, false, ""},
		"a token of the other issuer":      {trusted, map[string]any{"group": "staff", "iss": services}, 200, auth.ErrInvalidResponse, false, ""},
		"a token for a resource":           {trusted, map[string]any{"group": "staff", "aud": "urn:microsoft:userinfo"}, 200, auth.ErrMisconfigured, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := inMemory{providertest.New(providertest.Config{
				Issuer: issuer, Clients: []providertest.Client{{ID: "app", Secret: "app-secret"}}, People: []providertest.Person{{Subject: "1", Name: "Ada"}},
			})}
			s.SetFaults(providertest.Faults{
				Metadata: func(m map[string]any) {
					m["access_token_issuer"] = services
					m["token_endpoint_auth_methods_supported"] = []string{"client_secret_post", "client_secret_basic", "private_key_jwt", "windows_client_authentication"}
					delete(m, "authorization_response_iss_parameter_supported")
				},
				Callback: func(q url.Values) { q.Del("iss"); q.Set("client-request-id", "0") },
				IDToken: func(m map[string]any) {
					maps.Copy(m, map[string]any{"upn": "ada@corp.example", "unique_name": `CORP\ada`, "email": "ada@corp.example", "sid": "S-1-5-21-1"})
					for name, value := range test.claims {
						if m[name] = value; value == nil {
							delete(m, name)
						}
					}
				},
				Userinfo: func(m map[string]any) { clear(m); m["sub"] = "1" },
				Endpoint: func(name string, w http.ResponseWriter, _ *http.Request) bool {
					if name == "userinfo" && test.userinfo != 200 {
						w.WriteHeader(test.userinfo)
					}
					return name == "userinfo" && test.userinfo != 200
				},
			})
			env := map[string]string{"GENERIC_OIDC_ISSUER": issuer}
			maps.Copy(env, test.env)
			id, err := s.signIn(env)
			require.ErrorIs(t, err, test.want)
			if err != nil {
				return
			}
			require.Equal(t, "1 "+issuer+" "+test.groups, id.Subject+" "+id.Issuer+" "+strings.Join(id.Groups, " "))
			in := emails(context.Background(), "generic-oidc", id) == nil && groups(context.Background(), "generic-oidc", id) == nil
			require.Equal(t, test.admitted, in)
		})
	}
}
