package generic_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/providertest"
)

// TestB2C: the issuer of Azure AD B2C is the tenant's, and its metadata is below each policy
// (https://learn.microsoft.com/en-us/azure/active-directory-b2c/tokens-overview).
func TestB2C(t *testing.T) { // DI-01, DI-14, ID-09, MX-01
	const (
		host    = "https://contoso.b2clogin.com/"
		tenant  = "11111111-2222-3333-4444-555555555555"
		another = "99999999-2222-3333-4444-555555555555"
		policy  = host + "contoso.onmicrosoft.com/b2c_1a_signin/v2.0"
		issuer  = host + tenant + "/v2.0/"
		byTfp   = host + "tfp/" + tenant + "/b2c_1a_signin/v2.0/"
		doc     = "/.well-known/openid-configuration"
	)
	for name, test := range map[string]struct {
		configured, discovery string // of the environment
		at, named, iss        string // where metadata is, what it calls itself, and what tokens say
		want                  error
		says                  string
	}{
		"the policy's metadata":             {issuer, policy + doc, policy, issuer, issuer, nil, ""},
		"without the end of its address":    {issuer, policy, policy, issuer, issuer, nil, ""},
		"the issuer without its slash":      {strings.TrimSuffix(issuer, "/"), policy + doc, policy, issuer, issuer, nil, ""},
		"the issuer's metadata":             {issuer, "", policy, issuer, issuer, auth.ErrMisconfigured, "there is no discovery document at " + issuer[:len(issuer)-1] + doc},
		"the policy as the issuer":          {policy, "", policy, issuer, issuer, auth.ErrMisconfigured, "calls itself"},
		"another policy's metadata":         {issuer, strings.Replace(policy, "signin", "reset", 1) + doc, policy, issuer, issuer, auth.ErrMisconfigured, "there is no discovery document at " + strings.Replace(policy, "signin", "reset", 1) + doc},
		"another tenant's metadata":         {issuer, policy + doc, policy, host + another + "/v2.0/", issuer, auth.ErrMisconfigured, "calls itself"},
		"metadata by its own address":       {issuer, policy + doc, policy, policy, issuer, auth.ErrMisconfigured, "calls itself"},
		"metadata without a name":           {issuer, policy + doc, policy, "", issuer, auth.ErrMisconfigured, "calls itself"},
		"another tenant's token":            {issuer, policy + doc, policy, issuer, host + another + "/v2.0/", auth.ErrInvalidResponse, "iss"},
		"a token by the metadata's address": {issuer, policy + doc, policy, issuer, policy, auth.ErrInvalidResponse, "iss"},
		"a token without the slash":         {issuer, policy + doc, policy, issuer, strings.TrimSuffix(issuer, "/"), auth.ErrInvalidResponse, "iss"},
		"compatible with Discovery, by tfp": {byTfp, "", strings.TrimSuffix(byTfp, "/"), byTfp, byTfp, nil, ""},
		"by tfp, a token of the other kind": {byTfp, "", strings.TrimSuffix(byTfp, "/"), byTfp, issuer, auth.ErrInvalidResponse, "iss"},
		"the policy in a query":             {issuer, host + "contoso.onmicrosoft.com/v2.0" + doc + "?p=b2c_1a_signin", policy, issuer, issuer, nil, "AUTH_GENERIC_OIDC_DISCOVERY_URL has a query in it"},
		"an address without https":          {issuer, "contoso.b2clogin.com/contoso.onmicrosoft.com/v2.0", policy, issuer, issuer, nil, "AUTH_GENERIC_OIDC_DISCOVERY_URL is no address of a server"},
		"an address with http":              {issuer, strings.Replace(policy, "https", "http", 1), policy, issuer, issuer, nil, "AUTH_GENERIC_OIDC_DISCOVERY_URL is no https address"},
	} {
		t.Run(name, func(t *testing.T) {
			s := inMemory{providertest.New(providertest.Config{
				Issuer: test.at, Clients: []providertest.Client{{ID: "app", Secret: "app-secret"}},
				People: []providertest.Person{{Subject: "1", Name: "Ada", Claims: map[string]any{"emails": []string{"ada@example.com"}, "tfp": "B2C_1A_signin"}}},
			})}
			s.SetFaults(providertest.Faults{
				Metadata: func(m map[string]any) {
					m["issuer"] = test.named
					delete(m, "userinfo_endpoint")
					delete(m, "authorization_response_iss_parameter_supported")
				},
				IDToken:  func(m map[string]any) { m["iss"] = test.iss },
				Callback: func(q url.Values) { q.Del("iss") },
			})
			id, err := s.signIn(map[string]string{"GENERIC_OIDC_ISSUER": test.configured, "AUTH_GENERIC_OIDC_DISCOVERY_URL": test.discovery})
			if test.says != "" {
				require.ErrorContains(t, err, test.says)
			}
			if test.want != nil {
				require.ErrorIs(t, err, test.want)
			}
			if test.says == "" {
				require.NoError(t, err)
				require.Equal(t, "1 "+test.iss, id.Subject+" "+id.Issuer)
				require.Empty(t, id.Email, "emails is B2C's own, of addresses that people may have typed in")
			}
		})
	}
}
