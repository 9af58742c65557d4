package oidc_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/oidc"
	"github.com/sallyport/auth/providers/providertest"
)

// TestNamesOfAnIssuer: each name beside Issuer counts where it is configured to, and
// nowhere else; and none does that is not configured.
func TestNamesOfAnIssuer(t *testing.T) { // DI-01, ID-09, MX-01
	type says struct{ metadata, token, callback string } // behind the host
	const own, other = "/realms/main", "/shared/"
	all := func(name string) says { return says{name, name, name} }
	for name, test := range map[string]struct {
		config func(c *oidc.Config, host string)
		says
		want   error
		issuer string // of the identity
	}{
		"its own":                            {func(*oidc.Config, string) {}, all(own), nil, own},
		"another, unknown":                   {func(*oidc.Config, string) {}, all(other), auth.ErrMisconfigured, ""},
		"shared":                             {func(c *oidc.Config, host string) { c.SharedIssuer = host + other }, all(other), nil, other},
		"shared, and not":                    {func(c *oidc.Config, host string) { c.SharedIssuer = host + other }, all(own), nil, own},
		"shared, but for a slash":            {func(c *oidc.Config, host string) { c.SharedIssuer = host + other }, all("/shared"), auth.ErrMisconfigured, ""},
		"shared, a token that is not":        {func(c *oidc.Config, host string) { c.SharedIssuer = host + other }, says{other, own, other}, auth.ErrInvalidResponse, ""},
		"not shared, a token that is":        {func(c *oidc.Config, host string) { c.SharedIssuer = host + other }, says{own, other, own}, auth.ErrInvalidResponse, ""},
		"not shared, a callback":             {func(c *oidc.Config, host string) { c.SharedIssuer = host + other }, says{own, own, other}, auth.ErrInvalidResponse, ""},
		"an alias":                           {func(c *oidc.Config, host string) { c.IssuerAlias = host + other }, says{own, other, own}, nil, own},
		"an alias, unused":                   {func(c *oidc.Config, host string) { c.IssuerAlias = host + other }, all(own), nil, own},
		"an alias, of metadata":              {func(c *oidc.Config, host string) { c.IssuerAlias = host + other }, says{other, own, own}, auth.ErrMisconfigured, ""},
		"an alias, of a callback":            {func(c *oidc.Config, host string) { c.IssuerAlias = host + other }, says{own, own, other}, auth.ErrInvalidResponse, ""},
		"an alias, and a third":              {func(c *oidc.Config, host string) { c.IssuerAlias = host + other }, says{own, "/third", own}, auth.ErrInvalidResponse, ""},
		"metadata elsewhere":                 {func(c *oidc.Config, host string) { c.DiscoveryURL, c.Issuer = c.Issuer, host+other }, all(other), nil, other},
		"metadata elsewhere, by its address": {func(c *oidc.Config, host string) { c.DiscoveryURL, c.Issuer = c.Issuer, host+other }, all(own), auth.ErrMisconfigured, ""},
		"metadata elsewhere, of nobody":      {func(c *oidc.Config, host string) { c.DiscoveryURL, c.Issuer = c.Issuer, host+other }, all(""), auth.ErrMisconfigured, ""},
		"a slash is mended there too": {func(c *oidc.Config, host string) {
			c.DiscoveryURL, c.Issuer = c.Issuer+"/.well-known/openid-configuration", host+"/shared"
		}, all(other), nil, other},
		"a token by the metadata's address": {func(c *oidc.Config, host string) { c.DiscoveryURL, c.Issuer = c.Issuer, host+other }, says{other, own, other}, auth.ErrInvalidResponse, ""},
	} {
		t.Run(name, func(t *testing.T) {
			idp := serve(t, own)
			host := strings.TrimSuffix(idp.Issuer(), own)
			idp.SetFaults(providertest.Faults{
				Metadata: func(m map[string]any) { m["issuer"] = host + test.metadata },
				IDToken:  func(m map[string]any) { m["iss"] = host + test.token },
				Callback: func(q url.Values) { q.Set("iss", host+test.callback) },
			})
			c := oidc.Config{Name: "idp", Issuer: idp.Issuer(), ClientID: "app", ClientSecret: auth.NewSecret("s")}
			test.config(&c, host)
			p, err := oidc.New(c)
			require.NoError(t, err)
			id, err := providertest.SignIn(p, nil)
			require.ErrorIs(t, err, test.want)
			if err == nil {
				require.Equal(t, host+test.issuer, id.Issuer)
			}
		})
	}
}

// TestDiscoveryURLInside: InternalURL stands for where the metadata is.
func TestDiscoveryURLInside(t *testing.T) {
	const issuer, document = "https://login.example.com/tenant/v2.0/", "https://login.example.com/tenant.example/policy/v2.0"
	in := newInside(t, document)
	in.SetFaults(providertest.Faults{
		Metadata: func(m map[string]any) { m["issuer"] = issuer }, IDToken: func(m map[string]any) { m["iss"] = issuer }, Callback: func(q url.Values) { q.Set("iss", issuer) },
	})
	p, err := oidc.New(oidc.Config{Name: "idp", Issuer: issuer, DiscoveryURL: document, InternalURL: in.server.URL, ClientID: "app", ClientSecret: auth.NewSecret("s")})
	require.NoError(t, err)
	id, _, err := in.signIn(t, p)
	require.NoError(t, err)
	require.Equal(t, issuer, id.Issuer)
}
