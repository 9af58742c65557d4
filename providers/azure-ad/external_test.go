package azuread_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	azuread "github.com/sallyport/auth/providers/azure-ad"
	"github.com/sallyport/auth/providers/providertest"
)

// externalID is a tenant of Entra External ID. It is called contoso where people sign in,
// and by its GUID alone in its metadata and its tokens.
type externalID struct{ *providertest.IdP }

const externalIssuer = "https://" + tenant + ".ciamlogin.com/" + tenant + "/v2.0"

func (s externalID) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host != "contoso.ciamlogin.com" {
		return nil, fmt.Errorf("nothing is at %s", r.URL.Host)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Result(), nil
}

// newExternalID returns one whose metadata has the issuer named, whose tokens have iss,
// and whose key is for the issuer keyFor.
func newExternalID(named, iss, keyFor string) externalID {
	s := externalID{providertest.New(providertest.Config{
		Issuer:  "https://contoso.ciamlogin.com/" + tenant + "/v2.0",
		Clients: []providertest.Client{{ID: "app", Secret: "app-secret"}},
		People:  []providertest.Person{{Subject: "pairwise", Name: "Ada", Email: "ada@example.com", Claims: map[string]any{"tid": tenant, "oid": object}}},
	})}
	s.SetFaults(providertest.Faults{
		Metadata: func(m map[string]any) {
			m["issuer"] = named
			delete(m, "authorization_response_iss_parameter_supported")
		},
		Callback: func(v url.Values) { v.Del("iss") },
		IDToken:  func(m map[string]any) { m["iss"] = iss },
		Endpoint: func(name string, w http.ResponseWriter, _ *http.Request) bool {
			if name == "keys" {
				key := jose.JSONWebKey{Key: s.SigningKey().Public(), KeyID: s.SigningKeyID(), Use: "sig"}
				text, _ := key.MarshalJSON()
				fmt.Fprintf(w, `{"keys":[%s,"issuer":%q}]}`, strings.TrimSuffix(string(text), "}"), keyFor)
			}
			return name == "keys"
		},
	})
	return s
}

func (s externalID) signIn(p auth.Provider) (*auth.Identity, error) {
	tx := auth.Transaction{State: "s", Nonce: "n", Verifier: strings.Repeat("v", 43), RedirectURI: "https://app.example/cb"}
	address, err := p.AuthCodeURL(context.Background(), tx)
	if err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest("GET", address, nil))
	back, err := w.Result().Location()
	if err != nil {
		return nil, err
	}
	return p.Exchange(context.Background(), tx, back.Query())
}

// TestExternalID: the metadata is at the tenant's name, and the issuer is its GUID's.
func TestExternalID(t *testing.T) { // DI-01, EN-01, ID-09
	const twice = "https://{tenantid}.ciamlogin.com/{tenantid}/v2.0"
	byName, elsewhere := "https://contoso.ciamlogin.com/"+tenant+"/v2.0", "https://"+another+".ciamlogin.com/"+another+"/v2.0"
	for name, test := range map[string]struct {
		named, iss, keyFor string
		want               error
	}{
		"as Microsoft has it":                {externalIssuer, externalIssuer, externalIssuer, nil},
		"a key for every tenant":             {externalIssuer, externalIssuer, twice, nil},
		"metadata by name":                   {byName, byName, "", auth.ErrMisconfigured},
		"metadata of another tenant":         {elsewhere, externalIssuer, "", auth.ErrMisconfigured},
		"metadata of Entra ID":               {"https://login.microsoftonline.com/" + tenant + "/v2.0", externalIssuer, "", auth.ErrMisconfigured},
		"metadata of any tenant":             {twice, externalIssuer, "", auth.ErrMisconfigured},
		"a token by name":                    {externalIssuer, byName, "", auth.ErrInvalidResponse},
		"a token of another tenant":          {externalIssuer, elsewhere, "", auth.ErrInvalidResponse},
		"a token of the tenant at Entra ID":  {externalIssuer, "https://login.microsoftonline.com/" + tenant + "/v2.0", "", auth.ErrInvalidResponse},
		"a token by a key of another tenant": {externalIssuer, externalIssuer, elsewhere, auth.ErrInvalidResponse},
	} {
		t.Run(name, func(t *testing.T) {
			s := newExternalID(test.named, test.iss, test.keyFor)
			for way, env := range map[string]map[string]string{
				"issuer": {"AUTH_MICROSOFT_ENTRA_ID_ISSUER": byName},
				"tenant": {"AUTH_MICROSOFT_ENTRA_ID_BASE_URL": "https://contoso.ciamlogin.com/", "AUTH_MICROSOFT_ENTRA_ID_TENANT_ID": strings.ToUpper(tenant)},
			} {
				env["AUTH_MICROSOFT_ENTRA_ID_ID"], env["AUTH_MICROSOFT_ENTRA_ID_SECRET"] = "app", "app-secret"
				p, err := azuread.FromEnv(func(name string) string { return env[name] }, "microsoft-entra-id", &http.Client{Transport: s})
				require.NoError(t, err)
				require.True(t, p.(auth.OpenDoor).AnyoneMayEnter(), "customers sign up")
				id, err := s.signIn(p)
				require.ErrorIs(t, err, test.want, way)
				if err == nil {
					require.Equal(t, object+"."+tenant+" "+externalIssuer, id.Subject+" "+id.Issuer)
				}
			}
		})
	}
}

// TestExternalIDIsKnownByItsAddress: what only looks like one is Entra ID at another
// address, whose metadata has to have that as its name.
func TestExternalIDIsKnownByItsAddress(t *testing.T) { // DI-01
	for _, base := range []string{"https://ciamlogin.com", "https://contoso.ciamlogin.com.example", "https://contoso.ciamlogin.com:8443", "https://contosociamlogin.com", "https://eu.contoso.ciamlogin.com", "https://contoso.ciamlogin.com/below", "https://login.example/contoso.ciamlogin.com"} {
		s := newExternalID(externalIssuer, externalIssuer, "")
		p, err := azuread.New(azuread.Config{Tenant: tenant, ClientID: "app", ClientSecret: auth.NewSecret("app-secret"), BaseURL: base, HTTPClient: &http.Client{Transport: everywhere{s}}})
		require.NoError(t, err)
		_, err = s.signIn(p)
		require.ErrorContains(t, err, "calls itself", base)
	}
}

// everywhere serves one identity provider at every host and path.
type everywhere struct{ externalID }

func (s everywhere) RoundTrip(r *http.Request) (*http.Response, error) {
	inside := r.Clone(r.Context())
	inside.URL.Host, inside.URL.Path = "contoso.ciamlogin.com", r.URL.Path[strings.Index(r.URL.Path, "/"+tenant):]
	return s.externalID.RoundTrip(inside)
}

func TestExternalIDNeedsTheGUID(t *testing.T) { // LG-06
	const problem = "auth: %s does not name the tenant by its GUID, which is a part of the issuer at ciamlogin.com: set it to the Directory (tenant) ID of the app registration; as an issuer, https://<name>.ciamlogin.com/<tenant id>/v2.0"
	for variable, env := range map[string]map[string]string{
		"AUTH_MICROSOFT_ENTRA_ID_ISSUER":    {"AUTH_MICROSOFT_ENTRA_ID_ISSUER": "https://contoso.ciamlogin.com/contoso.onmicrosoft.com/v2.0"},
		"AUTH_MICROSOFT_ENTRA_ID_TENANT_ID": {"AUTH_MICROSOFT_ENTRA_ID_BASE_URL": "https://contoso.ciamlogin.com", "AUTH_MICROSOFT_ENTRA_ID_TENANT_ID": "common"},
	} {
		env["AUTH_MICROSOFT_ENTRA_ID_ID"], env["AUTH_MICROSOFT_ENTRA_ID_SECRET"] = "app", "s"
		_, err := azuread.FromEnv(func(name string) string { return env[name] }, "microsoft-entra-id", nil)
		require.EqualError(t, err, fmt.Sprintf(problem, variable))
	}
	_, err := azuread.New(azuread.Config{Tenant: "organizations", ClientID: "app", ClientSecret: auth.NewSecret("s"), BaseURL: "https://contoso.ciamlogin.com"})
	require.ErrorContains(t, err, "want the tenant's GUID at https://contoso.ciamlogin.com")
}

// TestB2CIsAnotherService: its issuers look like those of Entra ID, and have no metadata.
func TestB2CIsAnotherService(t *testing.T) { // LG-06
	env := map[string]string{"AUTH_MICROSOFT_ENTRA_ID_ISSUER": "https://contoso.b2clogin.com/" + tenant + "/v2.0/", "AUTH_MICROSOFT_ENTRA_ID_ID": "app", "AUTH_MICROSOFT_ENTRA_ID_SECRET": "s"}
	_, err := azuread.FromEnv(func(name string) string { return env[name] }, "microsoft-entra-id", nil)
	require.EqualError(t, err, "auth: AUTH_MICROSOFT_ENTRA_ID_ISSUER is an issuer of Azure AD B2C, which is another service: "+
		"use generic-oidc, with GENERIC_OIDC_ISSUER set to it and AUTH_GENERIC_OIDC_DISCOVERY_URL to the address of the policy's metadata")
}
