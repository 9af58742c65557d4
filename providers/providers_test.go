package providers_test

import (
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/envvar"
	"github.com/sallyport/auth/providers"
	"github.com/sallyport/auth/providers/auth0"
	"github.com/sallyport/auth/providers/authentik"
	"github.com/sallyport/auth/providers/github"
	"github.com/sallyport/auth/providers/providertest"
	"github.com/sallyport/auth/providers/zitadel"
)

func TestConformance(t *testing.T) {
	kit := providertest.Kit{}
	t.Run("zitadel", func(t *testing.T) {
		kit.TestProvider(t, func(x providertest.Target) (auth.Provider, error) {
			return zitadel.New(zitadel.Config{Issuer: x.Base, ClientID: x.ClientID, ClientSecret: x.ClientSecret, HTTPClient: x.HTTPClient})
		})
	})
	t.Run("generic-oidc", func(t *testing.T) {
		kit.TestProvider(t, func(x providertest.Target) (auth.Provider, error) {
			env := map[string]string{"GENERIC_OIDC_ISSUER": x.Base, "GENERIC_OIDC_CLIENT_ID": x.ClientID, "GENERIC_OIDC_CLIENT_SECRET": x.ClientSecret.Reveal()}
			return providers.All()["generic-oidc"](func(name string) string { return env[name] }, "generic-oidc", x.HTTPClient)
		})
	})
	t.Run("auth0", func(t *testing.T) {
		providertest.Kit{TrailingSlash: true}.TestProvider(t, func(x providertest.Target) (auth.Provider, error) {
			return auth0.New(auth0.Config{Issuer: strings.TrimRight(x.Base, "/"), ClientID: x.ClientID, ClientSecret: x.ClientSecret, HTTPClient: x.HTTPClient})
		})
	})
	t.Run("authentik", func(t *testing.T) {
		providertest.Kit{TrailingSlash: true}.TestProvider(t, func(x providertest.Target) (auth.Provider, error) {
			return authentik.New(authentik.Config{Issuer: x.Base, ClientID: x.ClientID, ClientSecret: x.ClientSecret, HTTPClient: x.HTTPClient})
		})
	})
	t.Run("github", func(t *testing.T) {
		providertest.Kit{OAuth2: true}.TestProvider(t, func(x providertest.Target) (auth.Provider, error) {
			return github.New(github.Config{BaseURL: x.Base, ClientID: x.ClientID, ClientSecret: x.ClientSecret, HTTPClient: x.HTTPClient})
		})
	})
}

func TestFactoriesReportEveryVariable(t *testing.T) { // LG-06
	prefix := map[string]string{"apple": "AUTH_APPLE_", "auth0": "AUTH0_", "azure-ad": "AZURE_AD_", "authentik": "AUTHENTIK_", "github": "GITHUB_", "zitadel": "ZITADEL_", "generic-oidc": "GENERIC_OIDC_", "microsoft-entra-id": "AUTH_MICROSOFT_ENTRA_ID_", "microsoft": "AUTH_MICROSOFT_",
		"authelia": "AUTHELIA_", "casdoor": "CASDOOR_", "cloudflare-zero-trust": "CLOUDFLARE_ZERO_TRUST_", "cognito": "COGNITO_", "gitlab": "GITLAB_", "google": "GOOGLE_",
		"keycloak": "KEYCLOAK_", "logto": "LOGTO_", "okta": "OKTA_",
		"discord": "DISCORD_", "feishu": "AUTH_FEISHU_APP_", "linkedin": "LINKEDIN_", "slack": "SLACK_", "wechat": "WECHAT_"}
	all := providers.All()
	require.ElementsMatch(t, slices.Collect(maps.Keys(prefix)), slices.Collect(maps.Keys(all)))
	for id, factory := range all {
		_, err := factory(func(string) string { return "" }, id, nil)
		require.Error(t, err, id)
		n := 0
		for _, e := range err.(interface{ Unwrap() []error }).Unwrap() {
			walk(e, func(one *envvar.Error) {
				n++
				require.True(t, strings.HasPrefix(one.Variable, prefix[id]), one.Variable)
				require.NotEmpty(t, one.Cure)
			})
		}
		want := 3
		if slices.Contains([]string{"github", "gitlab", "google", "microsoft", "discord", "feishu", "linkedin", "slack", "wechat"}, id) { // they have an address of their own
			want = 2
		}
		if id == "apple" { // whose secret is made of a team, a key and its id
			want = 4
		}
		require.Equal(t, want, n, id)
	}
}

// TestFromEnvSignsIn: what is read from each spelling arrives where it belongs, so that
// somebody signs in.
func TestFromEnvSignsIn(t *testing.T) {
	type variables struct{ issuer, id, secret string }
	for provider, x := range map[string]struct {
		name  string
		slash bool // whether it writes its own name with a slash at the end
	}{
		"auth0": {"AUTH0", true}, "authentik": {"AUTHENTIK", true}, "zitadel": {"ZITADEL", false}, "generic-oidc": {"GENERIC_OIDC", false}, "github": {"GITHUB", false},
		"authelia": {"AUTHELIA", false}, "casdoor": {"CASDOOR", false}, "cloudflare-zero-trust": {"CLOUDFLARE_ZERO_TRUST", false}, "cognito": {"COGNITO", false},
		"gitlab": {"GITLAB", false}, "keycloak": {"KEYCLOAK", false}, "logto": {"LOGTO", false}, "okta": {"OKTA", false},
	} {
		idp := providertest.NewServer(providertest.Config{
			Clients: []providertest.Client{{ID: "app", Secret: "app-secret"}},
			People:  []providertest.Person{{Subject: "ada", Username: "ada", Name: "Ada"}},
		})
		t.Cleanup(idp.Close)
		if x.slash {
			own := idp.Issuer() + "/"
			idp.SetFaults(providertest.Faults{
				Metadata: func(m map[string]any) { m["issuer"] = own },
				IDToken:  func(m map[string]any) { m["iss"] = own },
				Callback: func(q url.Values) { q.Set("iss", own) },
			})
		}
		first := variables{x.name + "_ISSUER", x.name + "_CLIENT_ID", x.name + "_CLIENT_SECRET"}
		second := variables{"AUTH_" + x.name + "_ISSUER", "AUTH_" + x.name + "_ID", "AUTH_" + x.name + "_SECRET"}
		if provider == "github" {
			first.issuer, second.issuer = "AUTH_GITHUB_BASE_URL", "AUTH_GITHUB_BASE_URL"
		}
		for spelling, test := range map[string]struct{ right, wrong variables }{
			"documented":        {right: first},
			"as Auth.js's":      {right: second},
			"mixed":             {right: variables{second.issuer, first.id, second.secret}},
			"both, the first's": {right: first, wrong: second},
		} {
			t.Run(provider+", "+spelling, func(t *testing.T) {
				env := map[string]string{test.wrong.issuer: "https://wrong.example", test.wrong.id: "wrong", test.wrong.secret: "wrong"}
				env[test.right.issuer], env[test.right.id], env[test.right.secret] = idp.Issuer(), "app", "app-secret"
				p, err := providers.All()[provider](func(name string) string { return env[name] }, provider, nil)
				require.NoError(t, err)
				_, err = providertest.SignIn(p, nil)
				require.NoError(t, err)
			})
		}
	}
}

func walk(err error, f func(*envvar.Error)) {
	if list, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range list.Unwrap() {
			walk(e, f)
		}
		return
	}
	var one *envvar.Error
	if errors.As(err, &one) {
		f(one)
	}
}

func TestFactoriesTakeBothSpellings(t *testing.T) {
	for id, env := range map[string]map[string]string{
		"auth0":              {"AUTH0_CLIENT_ID": "x", "AUTH_AUTH0_SECRET": "y", "AUTH_AUTH0_ISSUER": "https://t.auth0.com"},
		"azure-ad":           {"AZURE_AD_CLIENT_ID": "x", "AUTH_AZURE_AD_SECRET": "y", "AZURE_AD_TENANT_ID": "common"},
		"microsoft-entra-id": {"AUTH_MICROSOFT_ENTRA_ID_ID": "x", "AUTH_AZURE_AD_SECRET": "y", "MICROSOFT_ENTRA_ID_ISSUER": "https://login.microsoftonline.us/11111111-2222-3333-4444-555555555555/v2.0/"},
		"microsoft":          {"AUTH_MICROSOFT_ID": "x", "AUTH_MICROSOFT_SECRET": "y"},
		"authentik":          {"AUTH_AUTHENTIK_ID": "x", "AUTHENTIK_CLIENT_SECRET": "y", "AUTHENTIK_ISSUER": "https://a.example/application/o/app"},
		"github":             {"GITHUB_CLIENT_ID": "x", "AUTH_GITHUB_SECRET": "y", "AUTH_GITHUB_BASE_URL": "https://ghe.example"},
		"zitadel":            {"ZITADEL_CLIENT_ID": "x", "ZITADEL_CLIENT_SECRET": "y", "AUTH_ZITADEL_ISSUER": "https://z.example"},
		"generic-oidc":       {"AUTH_GENERIC_OIDC_ID": "x", "AUTH_GENERIC_OIDC_SECRET": "y", "AUTH_GENERIC_OIDC_ISSUER": "https://g.example"},
		"discord":            {"DISCORD_CLIENT_ID": "x", "AUTH_DISCORD_SECRET": "y"},
		"feishu":             {"AUTH_FEISHU_ID": "x", "AUTH_FEISHU_APP_SECRET": "y"},
		"linkedin":           {"AUTH_LINKEDIN_ID": "x", "LINKEDIN_CLIENT_SECRET": "y"},
		"slack":              {"AUTH_SLACK_ID": "x", "SLACK_CLIENT_SECRET": "y"},
		"wechat":             {"WECHAT_CLIENT_ID": "x", "AUTH_WECHAT_SECRET": "y"},
	} {
		p, err := providers.All()[id](func(name string) string { return env[name] }, id, nil)
		require.NoError(t, err, id)
		require.Equal(t, id, p.Name())
		require.NotEmpty(t, p.(auth.Presenter).Presentation().Label)
	}
}
