package providers_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers"
	"github.com/sallyport/auth/providers/providertest"
)

var prefixes = map[string]string{"auth0": "AUTH0", "authentik": "AUTHENTIK", "zitadel": "ZITADEL", "generic-oidc": "GENERIC_OIDC", "github": "GITHUB",
	"authelia": "AUTHELIA", "casdoor": "CASDOOR", "gitlab": "GITLAB", "keycloak": "KEYCLOAK", "okta": "OKTA"}

// newProvider is the provider id at a stand-in, with more variables.
func newProvider(t *testing.T, id string, more map[string]string) (auth.Provider, *providertest.Server, error) {
	return newProviderWith(t, id, more, nil)
}

func newProviderWith(t *testing.T, id string, more map[string]string, client *http.Client) (auth.Provider, *providertest.Server, error) {
	idp := providertest.NewServer(providertest.Config{
		Clients: []providertest.Client{{ID: "app", Secret: "app-secret"}},
		People:  []providertest.Person{{Subject: "ada", Username: "ada", Name: "Ada"}},
	})
	t.Cleanup(idp.Close)
	if id == "auth0" || id == "authentik" {
		own := idp.Issuer() + "/"
		idp.SetFaults(providertest.Faults{
			Metadata: func(m map[string]any) { m["issuer"] = own }, IDToken: func(m map[string]any) { m["iss"] = own }, Callback: func(q url.Values) { q.Set("iss", own) },
		})
	}
	name := prefixes[id]
	env := map[string]string{name + "_ISSUER": idp.Issuer(), name + "_CLIENT_ID": "app", name + "_CLIENT_SECRET": "app-secret"}
	if id == "github" {
		env["AUTH_GITHUB_BASE_URL"] = idp.Issuer()
	}
	for k, v := range more {
		env["AUTH_"+name+"_"+k] = v
	}
	p, err := providers.All()[id](func(name string) string { return env[name] }, id, client)
	return p, idp, err
}

// TestSettingsArrive: what every provider takes, at each of them.
func TestSettingsArrive(t *testing.T) {
	for id := range prefixes {
		t.Run(id, func(t *testing.T) {
			p, _, err := newProvider(t, id, map[string]string{"NAME": "Acme", "SCOPES": "openid,more", "PROMPT": "login"})
			require.NoError(t, err)
			require.Equal(t, "Acme", p.(auth.Presenter).Presentation().Label)
			address, err := p.AuthCodeURL(context.Background(), auth.Transaction{State: "s", Nonce: "n", Verifier: "v", Params: url.Values{"prompt": {"none"}}})
			require.NoError(t, err)
			u, err := url.Parse(address)
			require.NoError(t, err)
			require.Equal(t, "openid more", u.Query().Get("scope"))
			require.Equal(t, []string{"login"}, u.Query()["prompt"], "and not the browser's")

			p, _, err = newProvider(t, id, nil)
			require.NoError(t, err)
			require.NotEqual(t, "Acme", p.(auth.Presenter).Presentation().Label)
			address, err = p.AuthCodeURL(context.Background(), auth.Transaction{State: "s", Nonce: "n", Verifier: "v", Params: url.Values{"prompt": {"consent"}}})
			require.NoError(t, err)
			require.Contains(t, address, "prompt=consent", "the browser may say it where the environment does not")
			require.NotContains(t, address, "more")

			_, _, err = newProvider(t, id, map[string]string{"CLIENT_AUTH": "magic"})
			require.ErrorContains(t, err, "AUTH_"+prefixes[id]+"_CLIENT_AUTH")
			for _, method := range []string{"client_secret_basic", "client_secret_post"} {
				p, _, err = newProvider(t, id, map[string]string{"CLIENT_AUTH": method})
				require.NoError(t, err)
				_, err = providertest.SignIn(p, nil)
				require.NoError(t, err, method)
			}
		})
	}
}

// TestAlgorithmsAndAudiences: what the environment trusts is trusted, and its twin is not.
func TestAlgorithmsAndAudiences(t *testing.T) { // TV-02
	for id := range prefixes {
		if id == "github" {
			continue
		}
		t.Run(id, func(t *testing.T) {
			for name, test := range map[string]struct {
				more map[string]string
				want error
			}{
				"RS256, which it signs with": {map[string]string{"ALGORITHMS": "RS256"}, nil},
				"another algorithm":          {map[string]string{"ALGORITHMS": "ES256"}, auth.ErrMisconfigured},
			} {
				p, _, err := newProvider(t, id, test.more)
				require.NoError(t, err)
				_, err = providertest.SignIn(p, nil)
				if test.want == nil {
					require.NoError(t, err, name)
				} else {
					require.Error(t, err, name)
				}
			}
			for trusted, ok := range map[string]bool{"": false, "other": false, "project": true} {
				ok = ok || trusted == "" && (id == "zitadel" || id == "keycloak") // which name others by design
				p, idp, err := newProvider(t, id, map[string]string{"TRUSTED_AUDIENCES": trusted})
				require.NoError(t, err)
				own := idp.Issuer()
				if id == "auth0" || id == "authentik" {
					own += "/"
				}
				for azp, names := range map[string]bool{"app": true, "project": false} {
					idp.SetFaults(providertest.Faults{
						Metadata: func(m map[string]any) { m["issuer"] = own }, Callback: func(q url.Values) { q.Set("iss", own) },
						IDToken: func(m map[string]any) { m["iss"], m["aud"], m["azp"] = own, []string{"app", "project"}, azp },
					})
					_, err = providertest.SignIn(p, nil)
					require.Equal(t, ok && names, err == nil, "%q, azp %s: %v", trusted, azp, err)
				}
			}
		})
	}
}

func TestGitHubOrganizations(t *testing.T) { // PV-03
	for list, want := range map[string]string{
		"": "", "acme": "", "acme, partner/core": "", "partner/core": "",
		",": "would let nobody in", "acme/": "is not a list", "/core": "is not a list", "a/b/c": "is not a list", "https://github.com/acme": "is not a list", "a cme": "is not a list",
	} {
		p, _, err := newProvider(t, "github", map[string]string{"ORGANIZATIONS": list, "SCOPES": "read:user"})
		if want != "" {
			require.ErrorContains(t, err, "AUTH_GITHUB_ORGANIZATIONS", list)
			require.ErrorContains(t, err, want, list)
			continue
		}
		require.NoError(t, err, list)
		require.Equal(t, list == "", p.(auth.OpenDoor).AnyoneMayEnter(), list)
		address, err := p.AuthCodeURL(context.Background(), auth.Transaction{State: "s", Verifier: "v"})
		require.NoError(t, err)
		require.Equal(t, list != "", strings.Contains(address, "read%3Aorg"), "without it, memberships cannot be read")
	}
}

func TestAllowedTenants(t *testing.T) { // PV-03
	const one, two = "11111111-2222-3333-4444-555555555555", "aaaaaaaa-2222-3333-4444-555555555555"
	for name, test := range map[string]struct{ tenant, allowed, want string }{
		"any":                      {"common", "", ""},
		"some":                     {"common", one + ", " + two, ""},
		"in capitals":              {"organizations", strings.ToUpper(two), ""},
		"its own":                  {one, one + "," + two, ""},
		"a domain, not a GUID":     {"common", "contoso.com", "is not a list of tenants"},
		"an empty list":            {"common", ",", "is not a list of tenants"},
		"not its own":              {one, two, "would let nobody in"},
		"personal, and not named":  {"consumers", one, "would let nobody in"},
		"a tenant that is none":    {"contoso", "", "AZURE_AD_TENANT_ID is no tenant"},
		"another tenant's address": {"https://login.microsoftonline.com/" + one, "", "AZURE_AD_TENANT_ID is no tenant"},
	} {
		for id, prefix := range map[string]string{"azure-ad": "AUTH_AZURE_AD_", "microsoft-entra-id": "AUTH_MICROSOFT_ENTRA_ID_", "microsoft": "AUTH_MICROSOFT_"} {
			env := map[string]string{prefix + "ID": "c", prefix + "SECRET": "s", prefix + "TENANT_ID": test.tenant, prefix + "ALLOWED_TENANTS": test.allowed}
			p, err := providers.All()[id](func(name string) string { return env[name] }, id, nil)
			if test.want != "" {
				require.ErrorContains(t, err, strings.ReplaceAll(test.want, "AZURE_AD_", strings.TrimPrefix(prefix, "AUTH_")), name)
				require.NotContains(t, err.Error(), "contoso")
				continue
			}
			require.NoError(t, err, name)
			require.Equal(t, test.allowed == "", p.(auth.OpenDoor).AnyoneMayEnter(), name)
		}
	}
}

// TestWhatThePolicyLooksAtIsFetched: groups and addresses that only userinfo has, where
// the environment restricts by them.
func TestWhatThePolicyLooksAtIsFetched(t *testing.T) { // PV-02
	idp := providertest.NewServer(providertest.Config{
		Clients: []providertest.Client{{ID: "app", Secret: "app-secret"}},
		People:  []providertest.Person{{Subject: "ada", Name: "Ada", Email: "ada@example.com", EmailVerified: true, Groups: []string{"staff"}}},
	})
	t.Cleanup(idp.Close)
	idp.SetFaults(providertest.Faults{IDToken: func(m map[string]any) { delete(m, "groups"); delete(m, "email"); delete(m, "email_verified") }})
	for variable, want := range map[string]string{"": "", "AUTH_ALLOWED_GROUPS": "staff ada@example.com", "AUTH_ALLOWED_EMAILS": "staff ada@example.com"} {
		env := map[string]string{"GENERIC_OIDC_ISSUER": idp.Issuer(), "GENERIC_OIDC_CLIENT_ID": "app", "GENERIC_OIDC_CLIENT_SECRET": "app-secret", variable: "example.com"}
		p, err := providers.All()["generic-oidc"](func(name string) string { return env[name] }, "generic-oidc", nil)
		require.NoError(t, err)
		id, err := providertest.SignIn(p, nil)
		require.NoError(t, err)
		require.Equal(t, want, strings.TrimSpace(strings.Join(id.Groups, ",")+" "+id.Email), variable)
	}
}

// TestIssuersOfOnesOwn: what the environment says of an issuer that is the operator's
// own is believed, and without it is not.
func TestIssuersOfOnesOwn(t *testing.T) { // UI-06, EN-03
	for id := range prefixes {
		if id == "github" {
			continue
		}
		t.Run(id, func(t *testing.T) {
			sign := func(more map[string]string) *auth.Identity {
				p, idp, err := newProvider(t, id, more)
				require.NoError(t, err)
				own := idp.Issuer()
				if id == "auth0" || id == "authentik" {
					own += "/"
				}
				idp.SetFaults(providertest.Faults{
					Metadata: func(m map[string]any) { m["issuer"] = own }, Callback: func(q url.Values) { q.Set("iss", own) },
					IDToken: func(m map[string]any) {
						m["iss"], m["email"], m["email_verified"] = own, "ada@corp.example", false
						m["teams"] = map[string]any{"of": []string{"staff"}}
					},
				})
				who, err := providertest.SignIn(p, nil)
				require.NoError(t, err)
				return who
			}
			who := sign(map[string]string{"TRUST_EMAIL": "1", "GROUPS_CLAIM": "teams.of"})
			require.True(t, who.EmailVerified)
			require.Equal(t, []string{"staff"}, who.Groups)
			who = sign(map[string]string{"TRUST_EMAIL": "0"})
			require.False(t, who.EmailVerified)
			require.NotContains(t, who.Groups, "staff")
			for variable, bad := range map[string]string{"TRUST_EMAIL": "yes", "PUSHED_REQUESTS": "yes", "GROUPS_CLAIM": "a..b", "INTERNAL_URL": "keycloak:8080", "DISCOVERY_URL": "keycloak:8080"} {
				_, _, err := newProvider(t, id, map[string]string{variable: bad})
				require.ErrorContains(t, err, "AUTH_"+prefixes[id]+"_"+variable)
			}
		})
	}
}

// TestPushedRequestsFromTheEnvironment: an issuer may want them of one client, of which its
// metadata says nothing.
func TestPushedRequestsFromTheEnvironment(t *testing.T) {
	for value, want := range map[string]int{"1": 1, "0": 0} {
		p, idp, err := newProvider(t, "generic-oidc", map[string]string{"PUSHED_REQUESTS": value})
		require.NoError(t, err)
		idp.SetFaults(providertest.Faults{Metadata: func(m map[string]any) { m["pushed_authorization_request_endpoint"] = idp.Issuer() + "/par" }})
		_, err = providertest.SignIn(p, nil)
		require.NoError(t, err)
		require.Equal(t, want, idp.Hits("par"))
	}
}

// TestHTTPOnAPrivateNetwork: by one variable, and not on the open network.
func TestHTTPOnAPrivateNetwork(t *testing.T) { // DI-07, DI-14
	for id, address := range map[string]string{"generic-oidc": "GENERIC_OIDC_ISSUER", "authentik": "AUTHENTIK_ISSUER", "github": "AUTH_GITHUB_BASE_URL", "zitadel": "ZITADEL_ISSUER"} {
		name := prefixes[id]
		for insecure, ok := range map[string]bool{"": false, "0": false, "1": true} {
			env := map[string]string{name + "_CLIENT_ID": "app", name + "_CLIENT_SECRET": "app-secret", address: "http://192.168.1.10:9000", "AUTH_INSECURE_HTTP": insecure}
			_, err := providers.All()[id](func(name string) string { return env[name] }, id, nil)
			if ok {
				require.NoError(t, err, id)
			} else {
				require.ErrorContains(t, err, address, id)
			}
		}
	}
	env := map[string]string{"GENERIC_OIDC_ISSUER": "http://8.8.8.8", "GENERIC_OIDC_CLIENT_ID": "app", "GENERIC_OIDC_CLIENT_SECRET": "s", "AUTH_INSECURE_HTTP": "1"}
	_, err := providers.All()["generic-oidc"](func(name string) string { return env[name] }, "generic-oidc", nil)
	require.Error(t, err, "an address of the open network")
}

// tokenRequest remembers how a client authenticated.
type tokenRequest struct {
	header bool
	form   url.Values
}

func (k *tokenRequest) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == "POST" && r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		_, _, k.header = r.BasicAuth()
		k.form, _ = url.ParseQuery(string(body))
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	return http.DefaultTransport.RoundTrip(r)
}

// TestClientAuthentication: as the environment says, at each provider.
func TestClientAuthentication(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	private := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	for id := range prefixes {
		for method, more := range map[string]map[string]string{
			"client_secret_basic": {"CLIENT_AUTH": "client_secret_basic"},
			"client_secret_post":  {"CLIENT_AUTH": "client_secret_post"},
			"none":                {"CLIENT_AUTH": "none"},
			"private_key_jwt":     {"PRIVATE_KEY": private, "PRIVATE_KEY_ID": "k1"},
		} {
			if id == "github" && method == "private_key_jwt" {
				continue
			}
			seen := &tokenRequest{}
			p, _, err := newProviderWith(t, id, more, &http.Client{Transport: seen})
			require.NoError(t, err)
			_, _ = providertest.SignIn(p, nil) // the stand-in takes only some
			require.NotNil(t, seen.form, "%s %s", id, method)
			require.Equal(t, method == "client_secret_basic", seen.header, "%s %s", id, method)
			require.Equal(t, method == "client_secret_post", seen.form.Has("client_secret"), "%s %s", id, method)
			require.Equal(t, method == "private_key_jwt", seen.form.Has("client_assertion"), "%s %s", id, method)
		}
	}
}
