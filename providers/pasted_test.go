package providers_test

import (
	"cmp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers"
	"github.com/sallyport/auth/providers/providertest"
)

// TestAddressAsPeoplePasteIt: the address of the metadata, and one slash at the end, are
// mended; for what cannot be, the error shows what the provider's own address looks like.
func TestAddressAsPeoplePasteIt(t *testing.T) { // DI-14, LG-06
	shapes := map[string]string{
		"auth0": "https://example.eu.auth0.com", "authentik": "https://auth.example.com/application/o/slug/", "zitadel": "https://example.zitadel.cloud",
		"generic-oidc": "https://id.example.com", "authelia": "https://auth.example.com", "casdoor": "https://casdoor.example.com",
		"gitlab": "https://gitlab.example.com", "keycloak": "https://keycloak.example.com/realms/corp", "okta": "https://<org>.okta.com", "github": "https://github.example.com",
	}
	for id, shape := range shapes {
		name := prefixes[id]
		variable := name + "_ISSUER"
		if id == "github" {
			variable = "AUTH_GITHUB_BASE_URL"
		}
		// at is the provider at the stand-in, or elsewhere, behind which end is written.
		at := func(elsewhere, end string) (auth.Provider, error) {
			_, idp, err := newProvider(t, id, nil)
			require.NoError(t, err)
			env := map[string]string{variable: cmp.Or(elsewhere, idp.Issuer()+end), name + "_CLIENT_ID": "app", name + "_CLIENT_SECRET": "app-secret"}
			return providers.All()[id](func(name string) string { return env[name] }, id, nil)
		}
		for wrong, says := range map[string]string{
			"id.example.com":                   "is no address of a server: write it whole, with https:// in front",
			"//id.example.com/realms/a":        "is no https address",
			"http://id.example.com":            "is no https address",
			"https://id.example.com/#/login":   "is no address of a server",
			"https://id.example.com/?realm=a":  "has a query in it",
			"https://ada:hunter2@example.com/": "is no address of a server",
		} {
			t.Run(id+", "+wrong, func(t *testing.T) {
				_, err := at(wrong, "")
				require.ErrorContains(t, err, variable+" "+says)
				require.ErrorContains(t, err, shape)
				require.NotContains(t, err.Error(), "hunter2")
			})
		}
		for _, mended := range []string{"", "/", "/.well-known/openid-configuration", "/.well-known/openid-configuration/"} {
			if id == "github" && strings.Contains(mended, "well-known") {
				continue // GitHub has none
			}
			t.Run(id+", with "+mended, func(t *testing.T) {
				p, err := at("", mended)
				require.NoError(t, err)
				_, err = providertest.SignIn(p, nil)
				require.NoError(t, err)
			})
		}
	}
}
