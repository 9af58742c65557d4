package azuread_test

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	azuread "github.com/sallyport/auth/providers/azure-ad"
	"github.com/sallyport/auth/providers/providertest"
)

const (
	tenant  = "11111111-2222-3333-4444-555555555555"
	another = "99999999-2222-3333-4444-555555555555"
	object  = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
)

// entra is what Microsoft's endpoints look like from here: one address for each
// kind of tenant, and the real tenant in the token.
type entra struct {
	*providertest.IdP
	base string
}

func newEntra(t *testing.T, path string) *entra {
	var idp *providertest.IdP
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { idp.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	idp = providertest.New(providertest.Config{
		Issuer:  server.URL + "/" + path + "/v2.0",
		Clients: []providertest.Client{{ID: "app", Secret: "app-secret"}},
		People:  []providertest.Person{{Subject: "pairwise", Name: "Ada", Email: "ada@example.com"}},
	})
	return &entra{idp, server.URL}
}

// says makes the next tokens carry claims; nil leaves one out.
func (e *entra) says(metadataIssuer string, claims map[string]any) {
	e.SetFaults(providertest.Faults{
		Metadata: func(m map[string]any) {
			m["issuer"] = metadataIssuer
			delete(m, "authorization_response_iss_parameter_supported")
		},
		Callback: func(v url.Values) { v.Del("iss") },
		IDToken: func(m map[string]any) {
			for name, value := range claims {
				if m[name] = value; value == nil {
					delete(m, name)
				}
			}
		},
	})
}

func TestTenants(t *testing.T) { // EN-01, EN-02, EN-03, EN-04, EN-05
	for name, test := range map[string]struct {
		tenant  string
		allowed []string
		claims  map[string]any
		want    error // nil for signed in
	}{
		"its own tenant":                     {tenant, nil, map[string]any{}, nil},
		"another tenant's issuer":            {tenant, nil, map[string]any{"iss": another}, auth.ErrInvalidResponse},
		"a v1 issuer":                        {tenant, nil, map[string]any{"iss": "https://sts.windows.net/" + tenant + "/"}, auth.ErrInvalidResponse},
		"no tid":                             {tenant, nil, map[string]any{"tid": nil}, auth.ErrInvalidResponse},
		"no oid":                             {tenant, nil, map[string]any{"oid": nil}, auth.ErrInvalidResponse},
		"an oid that is no GUID":             {tenant, nil, map[string]any{"oid": "x.y"}, auth.ErrInvalidResponse},
		"by domain":                          {"contoso.example", nil, map[string]any{}, nil},
		"by domain, another tenant":          {"contoso.example", nil, map[string]any{"tid": another, "iss": another}, auth.ErrInvalidResponse},
		"by domain, not on the list":         {"contoso.example", []string{another}, map[string]any{}, auth.ErrNotAllowed},
		"common, any tenant":                 {"common", nil, map[string]any{}, nil},
		"common, a tenant on the list":       {"common", []string{another, tenant}, map[string]any{}, nil},
		"common, a tenant not on the list":   {"common", []string{another}, map[string]any{}, auth.ErrNotAllowed},
		"common, tid is not the issuer's":    {"common", nil, map[string]any{"tid": another}, auth.ErrInvalidResponse},
		"common, tid in capitals":            {"common", nil, map[string]any{"tid": "AAAAAAAA-2222-3333-4444-555555555555"}, auth.ErrInvalidResponse},
		"common, tid is a path":              {"common", nil, map[string]any{"tid": "x/../evil", "iss": "x/../evil"}, auth.ErrInvalidResponse},
		"common, tid ends the URL":           {"common", nil, map[string]any{"tid": "evil.com#", "iss": "evil.com#"}, auth.ErrInvalidResponse},
		"common, no tid":                     {"common", nil, map[string]any{"tid": nil}, auth.ErrInvalidResponse},
		"common, a personal account":         {"common", nil, map[string]any{"tid": azuread.PersonalTenant, "iss": azuread.PersonalTenant}, nil},
		"organizations":                      {"organizations", nil, map[string]any{}, nil},
		"organizations, a personal account":  {"Organizations", nil, map[string]any{"tid": azuread.PersonalTenant, "iss": azuread.PersonalTenant}, auth.ErrNotAllowed},
		"organizations, personal and listed": {"organizations", []string{azuread.PersonalTenant}, map[string]any{"tid": azuread.PersonalTenant, "iss": azuread.PersonalTenant}, auth.ErrNotAllowed},
		"consumers":                          {"consumers", nil, map[string]any{"tid": azuread.PersonalTenant, "iss": azuread.PersonalTenant}, nil},
		"consumers, somebody of a tenant":    {"consumers", nil, map[string]any{}, auth.ErrInvalidResponse},
		"a nonce of somebody else's":         {"common", nil, map[string]any{"nonce": "other"}, auth.ErrInvalidResponse},
		"an audience of somebody else's":     {"common", nil, map[string]any{"aud": "other"}, auth.ErrMisconfigured},
		"an expired token":                   {"common", nil, map[string]any{"exp": 1}, auth.ErrInvalidResponse},
		"no subject":                         {"common", nil, map[string]any{"sub": nil}, auth.ErrInvalidResponse},
	} {
		t.Run(name, func(t *testing.T) {
			path := test.tenant
			if path == "Organizations" {
				path = "organizations"
			}
			idp := newEntra(t, path)
			claims := map[string]any{"tid": tenant, "oid": object, "iss": tenant}
			for k, v := range test.claims {
				claims[k] = v
			}
			if id := claims["iss"].(string); len(id) < 40 {
				claims["iss"] = idp.base + "/" + id + "/v2.0"
			}
			metadata := idp.base + "/{tenantid}/v2.0"
			switch path {
			case tenant, "contoso.example":
				metadata = idp.base + "/" + tenant + "/v2.0"
			case "consumers":
				metadata = idp.base + "/" + azuread.PersonalTenant + "/v2.0"
			}
			idp.says(metadata, claims)
			p, err := azuread.New(azuread.Config{Tenant: test.tenant, Tenants: test.allowed, ClientID: "app", ClientSecret: auth.NewSecret("app-secret"), BaseURL: idp.base})
			require.NoError(t, err)
			id, err := providertest.SignIn(p, nil)
			if test.want != nil {
				require.ErrorIs(t, err, test.want)
				return
			}
			require.NoError(t, err)
			require.Equal(t, object+"."+claims["tid"].(string), id.Subject)
			require.Equal(t, claims["iss"], id.Issuer)
		})
	}
}

func TestDiscoveryNamesATenant(t *testing.T) { // EN-01, DI-01
	for _, name := range []string{"evil", "x/../evil", "{tenantid}{tenantid}", "", strings.ToUpper(object)} {
		idp := newEntra(t, "contoso.example")
		issuer := idp.base + "/" + name + "/v2.0"
		idp.says(issuer, map[string]any{"iss": issuer, "tid": tenant, "oid": object})
		p, err := azuread.New(azuread.Config{Tenant: "contoso.example", ClientID: "app", ClientSecret: auth.NewSecret("app-secret"), BaseURL: idp.base})
		require.NoError(t, err)
		_, err = providertest.SignIn(p, nil)
		require.ErrorIs(t, err, auth.ErrMisconfigured, name)
	}
}

func TestEmailIsVerifiedOnlyByMicrosoft(t *testing.T) { // EN-03
	for name, test := range map[string]struct {
		claims map[string]any
		want   bool
	}{
		"nothing said":         {nil, false},
		"email_verified alone": {map[string]any{"email_verified": true}, false},
		"xms_edov true":        {map[string]any{"xms_edov": true}, true},
		"xms_edov 1":           {map[string]any{"xms_edov": 1}, true},
		"xms_edov \"1\"":       {map[string]any{"xms_edov": "1"}, true},
		"xms_edov false":       {map[string]any{"xms_edov": false, "email_verified": true}, false},
		"xms_edov \"0\"":       {map[string]any{"xms_edov": "0"}, false},
		"xms_edov in a list":   {map[string]any{"xms_edov": []bool{true}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			idp := newEntra(t, tenant)
			claims := map[string]any{"tid": tenant, "oid": object}
			for k, v := range test.claims {
				claims[k] = v
			}
			idp.says(idp.Issuer(), claims)
			p, err := azuread.New(azuread.Config{Tenant: tenant, ClientID: "app", ClientSecret: auth.NewSecret("app-secret"), BaseURL: idp.base})
			require.NoError(t, err)
			id, err := providertest.SignIn(p, nil)
			require.NoError(t, err)
			require.Equal(t, test.want, id.EmailVerified)
			policy, err := auth.AllowEmails("example.com")
			require.NoError(t, err)
			require.Equal(t, test.want, policy(context.Background(), p.Name(), id) == nil)
		})
	}
}

func TestTooManyGroupsAreUnknown(t *testing.T) { // EN-05
	for name, overage := range map[string]map[string]any{
		"_claim_names": {"_claim_names": map[string]any{"groups": "src1"}, "groups": []string{"admins"}},
		"hasgroups":    {"hasgroups": true, "groups": []string{"admins"}},
	} {
		t.Run(name, func(t *testing.T) {
			idp := newEntra(t, tenant)
			overage["tid"], overage["oid"], overage["picture"] = tenant, object, "https://example.com/a.jpg"
			idp.says(idp.Issuer(), overage)
			p, err := azuread.New(azuread.Config{Tenant: tenant, ClientID: "app", ClientSecret: auth.NewSecret("app-secret"), BaseURL: idp.base})
			require.NoError(t, err)
			id, err := providertest.SignIn(p, nil)
			require.NoError(t, err)
			require.Nil(t, id.Groups)
			require.Equal(t, true, id.Claims["groups_overage"])
			require.Empty(t, id.Picture)
			policy, err := auth.AllowGroups("admins")
			require.NoError(t, err)
			require.ErrorIs(t, policy(context.Background(), p.Name(), id), auth.ErrNotAllowed)
		})
	}
}

func TestConfig(t *testing.T) { // EN-02
	secret := auth.NewSecret("s")
	for name, c := range map[string]azuread.Config{
		"no tenant":        {},
		"a path":           {Tenant: "../common"},
		"nobody may enter": {Tenant: "common", Tenants: []string{}},
		"no GUID":          {Tenant: "common", Tenants: []string{"example.com"}},
		"plain http":       {Tenant: tenant, BaseURL: "http://login.example"},
	} {
		c.ClientID, c.ClientSecret = "app", secret
		_, err := azuread.New(c)
		require.Error(t, err, name)
	}
	for tenant, open := range map[string]bool{tenant: false, "contoso.onmicrosoft.com": false, "common": true, "organizations": true, "consumers": true} {
		p, err := azuread.New(azuread.Config{Tenant: tenant, ClientID: "app", ClientSecret: secret})
		require.NoError(t, err)
		require.Equal(t, open, p.(auth.OpenDoor).AnyoneMayEnter(), tenant)
	}
}

// asked answers nothing, and keeps what it was asked for.
type asked struct{ url string }

func (a *asked) RoundTrip(r *http.Request) (*http.Response, error) {
	a.url = r.URL.String()
	return nil, errors.New("no network in this test")
}

func TestFromEnv(t *testing.T) { // LG-06, EN-02
	const (
		global   = "https://login.microsoftonline.com/"
		noTenant = " is not set: it is the Directory (tenant) ID of the app registration; or common, organizations or consumers"
		noClient = " is not set: it is the Application (client) ID of the app registration"
		noSecret = " is not set: it is the value, not the id, of a client secret of the app registration"
		noIssuer = "auth: AUTH_MICROSOFT_ENTRA_ID_ISSUER is not an issuer of Entra ID: write it like https://login.microsoftonline.com/<tenant id>/v2.0"
	)
	type env map[string]string
	entra := func(more env) env {
		all := env{"AUTH_MICROSOFT_ENTRA_ID_ID": "c", "AUTH_MICROSOFT_ENTRA_ID_SECRET": "s"}
		maps.Copy(all, more)
		return all
	}
	for name, test := range map[string]struct {
		id     string
		env    env
		issuer string
		want   string // the error
	}{
		"azure-ad, documented":          {"azure-ad", env{"AZURE_AD_TENANT_ID": tenant, "AZURE_AD_CLIENT_ID": "c", "AZURE_AD_CLIENT_SECRET": "s"}, global + tenant, ""},
		"azure-ad, as Auth.js's":        {"azure-ad", env{"AUTH_AZURE_AD_TENANT_ID": tenant, "AUTH_AZURE_AD_ID": "c", "AUTH_AZURE_AD_SECRET": "s"}, global + tenant, ""},
		"azure-ad, the first counts":    {"azure-ad", env{"AZURE_AD_TENANT_ID": tenant, "AUTH_AZURE_AD_TENANT_ID": another, "AZURE_AD_CLIENT_ID": "c", "AZURE_AD_CLIENT_SECRET": "s"}, global + tenant, ""},
		"azure-ad, nothing":             {"azure-ad", nil, "", "auth: AZURE_AD_TENANT_ID" + noTenant + "\nauth: AZURE_AD_CLIENT_ID" + noClient + "\nauth: AZURE_AD_CLIENT_SECRET" + noSecret},
		"azure-ad, no issuer is read":   {"azure-ad", env{"AUTH_MICROSOFT_ENTRA_ID_ISSUER": global + tenant + "/v2.0", "AZURE_AD_CLIENT_ID": "c", "AZURE_AD_CLIENT_SECRET": "s"}, "", "auth: AZURE_AD_TENANT_ID" + noTenant},
		"microsoft, anybody's tenant":   {"microsoft", env{"AUTH_MICROSOFT_ID": "c", "AUTH_MICROSOFT_SECRET": "s"}, global + "common", ""},
		"microsoft, by tenant":          {"microsoft", env{"AUTH_MICROSOFT_ID": "c", "AUTH_MICROSOFT_SECRET": "s", "AUTH_MICROSOFT_TENANT_ID": tenant, "AZURE_AD_TENANT_ID": another}, global + tenant, ""},
		"microsoft, nothing":            {"microsoft", env{"AUTH_AZURE_AD_ID": "c", "AUTH_AZURE_AD_SECRET": "s"}, "", "auth: AUTH_MICROSOFT_ID" + noClient + "\nauth: AUTH_MICROSOFT_SECRET" + noSecret},
		"entra, by tenant":              {"microsoft-entra-id", entra(env{"AUTH_MICROSOFT_ENTRA_ID_TENANT_ID": tenant}), global + tenant, ""},
		"entra, by azure-ad's tenant":   {"microsoft-entra-id", entra(env{"AZURE_AD_TENANT_ID": tenant}), global + tenant, ""},
		"entra, by azure-ad's client":   {"microsoft-entra-id", env{"AUTH_AZURE_AD_TENANT_ID": tenant, "AUTH_AZURE_AD_ID": "c", "AUTH_AZURE_AD_SECRET": "s"}, global + tenant, ""},
		"entra, by issuer":              {"microsoft-entra-id", entra(env{"AUTH_MICROSOFT_ENTRA_ID_ISSUER": global + tenant + "/v2.0"}), global + tenant, ""},
		"entra, an issuer's slash":      {"microsoft-entra-id", entra(env{"MICROSOFT_ENTRA_ID_ISSUER": global + tenant + "/v2.0/"}), global + tenant, ""},
		"entra, a stand-in's issuer":    {"microsoft-entra-id", entra(env{"AUTH_MICROSOFT_ENTRA_ID_ISSUER": "http://localhost:4101/" + tenant + "/v2.0"}), "http://localhost:4101/" + tenant, ""},
		"entra, a name like localhost":  {"microsoft-entra-id", entra(env{"AUTH_MICROSOFT_ENTRA_ID_ISSUER": "http://localhost.example:4101/" + tenant + "/v2.0"}), "", noIssuer},
		"entra, a sovereign issuer":     {"microsoft-entra-id", entra(env{"AUTH_MICROSOFT_ENTRA_ID_ISSUER": "https://login.microsoftonline.us/" + tenant + "/v2.0"}), "https://login.microsoftonline.us/" + tenant, ""},
		"entra, the issuer counts":      {"microsoft-entra-id", entra(env{"AUTH_MICROSOFT_ENTRA_ID_ISSUER": global + tenant + "/v2.0", "AUTH_MICROSOFT_ENTRA_ID_TENANT_ID": another, "AUTH_MICROSOFT_ENTRA_ID_BASE_URL": "https://login.partner.example"}), global + tenant, ""},
		"entra, a sovereign cloud":      {"microsoft-entra-id", entra(env{"AUTH_MICROSOFT_ENTRA_ID_TENANT_ID": tenant, "AUTH_MICROSOFT_ENTRA_ID_BASE_URL": "https://login.microsoftonline.us/"}), "https://login.microsoftonline.us/" + tenant, ""},
		"entra, nothing":                {"microsoft-entra-id", nil, "", "auth: AUTH_MICROSOFT_ENTRA_ID_TENANT_ID" + noTenant + "\nauth: AUTH_MICROSOFT_ENTRA_ID_ID" + noClient + "\nauth: AUTH_MICROSOFT_ENTRA_ID_SECRET" + noSecret},
		"entra, an issuer of version 1": {"microsoft-entra-id", entra(env{"AUTH_MICROSOFT_ENTRA_ID_ISSUER": "https://sts.windows.net/" + tenant + "/", "AUTH_AZURE_AD_TENANT_ID": tenant}), "", noIssuer},
		"entra, an issuer by name":      {"microsoft-entra-id", entra(env{"AUTH_MICROSOFT_ENTRA_ID_ISSUER": global + "contoso/v2.0"}), "", noIssuer},
		"entra, an issuer by http":      {"microsoft-entra-id", entra(env{"AUTH_MICROSOFT_ENTRA_ID_ISSUER": "http://login.microsoftonline.com/" + tenant + "/v2.0"}), "", noIssuer},
		"entra, an issuer with a user":  {"microsoft-entra-id", entra(env{"AUTH_MICROSOFT_ENTRA_ID_ISSUER": "https://a:b@login.microsoftonline.com/" + tenant + "/v2.0"}), "", noIssuer},
		"entra, an issuer without host": {"microsoft-entra-id", entra(env{"AUTH_MICROSOFT_ENTRA_ID_ISSUER": "/common/v2.0", "AUTH_AZURE_AD_TENANT_ID": tenant}), "", noIssuer},
	} {
		t.Run(name, func(t *testing.T) {
			var network asked
			p, err := azuread.FromEnv(func(name string) string { return test.env[name] }, test.id, &http.Client{Transport: &network})
			if test.want != "" {
				require.EqualError(t, err, test.want)
				return
			}
			require.NoError(t, err)
			require.Equal(t, test.id, p.Name())
			_, err = p.AuthCodeURL(context.Background(), auth.Transaction{State: "s", Nonce: "n", Verifier: "v"})
			require.ErrorIs(t, err, auth.ErrUnavailable)
			require.Equal(t, test.issuer+"/v2.0/.well-known/openid-configuration", network.url)
		})
	}
}
