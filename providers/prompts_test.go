package providers_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers"
)

// TestPrompts: with what somebody takes another account, and with what they show anew who
// they are, at each provider that can be made of three variables.
func TestPrompts(t *testing.T) {
	want := map[string][2]string{
		"auth0":                 {"login", "login"},
		"authelia":              {"login", "login"},
		"authentik":             {"login", "login"},
		"azure-ad":              {"select_account", "login"},
		"casdoor":               {"", ""},
		"cloudflare-zero-trust": {"", ""},
		"cognito":               {"login", "login"},
		"discord":               {"", ""},
		"feishu":                {"", ""},
		"generic-oidc":          {"login", "login"},
		"github":                {"select_account", ""},
		"gitlab":                {"login", "login"}, // select_account is an error there
		"google":                {"select_account", ""},
		"keycloak":              {"login", "login"}, // select_account does nothing there
		"linkedin":              {"", ""},
		"logto":                 {"login", "login"},
		"microsoft":             {"select_account", "login"},
		"microsoft-entra-id":    {"select_account", "login"},
		"okta":                  {"login", "login"},
		"slack":                 {"", ""},
		"wechat":                {"", ""},
		"zitadel":               {"select_account", "login"},
	}
	for id, factory := range providers.All() {
		if id == "apple" { // whose key is a file, and which has none
			continue
		}
		for _, prompt := range []string{"", "consent"} {
			env := map[string]string{"ISSUER": "https://id.example.com", "ID": "app", "SECRET": "app-secret", "TENANT_ID": "common", "PROMPT": prompt}
			if id == "microsoft-entra-id" { // whose issuer would be one of Microsoft's
				delete(env, "ISSUER")
			}
			p, err := factory(func(name string) string { return env[variable(id, name)] }, id, nil)
			if prompt != "" && err != nil {
				continue // it knows no prompts
			}
			require.NoError(t, err, id)
			account, login := p.(auth.Prompter).Prompts()
			if prompt != "" {
				require.Empty(t, account+login, "%s: what the operator has fixed counts", id)
				continue
			}
			require.Equal(t, want[id], [2]string{account, login}, id)
		}
	}
}

// variable is what name says behind the provider's id, in Auth.js's spelling.
func variable(id, name string) string {
	return strings.TrimPrefix(name, "AUTH_"+strings.ToUpper(strings.ReplaceAll(id, "-", "_"))+"_")
}
