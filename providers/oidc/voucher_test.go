package oidc_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/oidc"
)

// TestVouchesForItsIssuer: before discovery, so that a session is known on a node that
// nobody has signed in on.
func TestVouchesForItsIssuer(t *testing.T) {
	const tenant = "https://login.example/2e1f0a7c-0c5b-4f3e-9d4d-6b1a2c3d4e5f/v2.0"
	for name, x := range map[string]struct {
		issuer, template string
		yes, no          []string
	}{
		"one issuer": {"https://id.example.com/realms/a", "",
			[]string{"https://id.example.com/realms/a", "https://id.example.com/realms/a/"},
			[]string{"", "https://id.example.com/realms/b", "https://id.example.com/realms/a//", "https://id.example.com", "http://id.example.com/realms/a"}},
		"one with a slash": {"https://id.example.com/", "",
			[]string{"https://id.example.com/", "https://id.example.com"},
			[]string{"", "https://id.example.com/x"}},
		"many tenants": {"https://login.example/common/v2.0", "https://login.example/{tenantid}/v2.0",
			[]string{tenant},
			[]string{"", "https://login.example/common/v2.0", "https://login.example/x/v2.0", tenant + "/", "https://evil.example/2e1f0a7c-0c5b-4f3e-9d4d-6b1a2c3d4e5f/v2.0"}},
		"one of them": {"https://login.example/consumers/v2.0", tenant,
			[]string{tenant},
			[]string{"", "https://login.example/consumers/v2.0", "https://login.example/00000000-0c5b-4f3e-9d4d-6b1a2c3d4e5f/v2.0"}},
	} {
		p, err := oidc.New(oidc.Config{Name: "corp", Issuer: x.issuer, IssuerTemplate: x.template, ClientID: "app", ClientSecret: auth.NewSecret("secret")})
		require.NoError(t, err, name)
		for _, issuer := range x.yes {
			require.True(t, p.VouchesFor(issuer), "%s: %q", name, issuer)
		}
		for _, issuer := range x.no {
			require.False(t, p.VouchesFor(issuer), "%s: %q", name, issuer)
		}
	}
}
