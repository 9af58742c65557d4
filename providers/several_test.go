package providers_test

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers"
	"github.com/sallyport/auth/providers/providertest"
)

func severalFrom(list string, more map[string]string) (auth.Config, string, error) {
	env := map[string]string{"NEXT_AUTH_SECRET": "kY3nC0p9V1xJm5Q8sT2wZ7bL4hF6gD0aR3eU9iOqXyE=", "NEXT_AUTH_SSO_PROVIDERS": list}
	maps.Copy(env, more)
	var log strings.Builder
	config, err := auth.ConfigFromEnv(func(name string) string { return env[name] }, auth.Parts{Providers: providers.All(), Logger: slog.New(slog.NewTextHandler(&log, nil))})
	return config, log.String(), err
}

// TestSeveralOfOneKind: each reads its own variables, and the kind's are nobody's.
func TestSeveralOfOneKind(t *testing.T) {
	one := map[string]map[string]string{}
	for _, id := range []string{"corp", "partner-2"} {
		idp := providertest.NewServer(providertest.Config{
			Clients: []providertest.Client{{ID: id, Secret: "secret of " + id}},
			People:  []providertest.Person{{Subject: "ada at " + id, Username: "ada", Name: "Ada"}},
		})
		t.Cleanup(idp.Close)
		one[id] = map[string]string{"ID": id, "SECRET": "secret of " + id, "ISSUER": idp.Issuer(), "BASE_URL": idp.Issuer(), "NAME": "At " + id}
	}
	for _, kind := range []string{"keycloak", "casdoor", "generic-oidc", "zitadel", "okta", "gitlab"} {
		t.Run(kind, func(t *testing.T) {
			taken := "AUTH_" + strings.ToUpper(strings.ReplaceAll(kind, "-", "_")) + "_"
			env := map[string]string{taken + "ID": "wrong", taken + "SECRET": "wrong", taken + "ISSUER": "https://wrong.example"}
			for id, values := range one {
				for name, value := range values {
					env["AUTH_"+strings.ToUpper(strings.ReplaceAll(id, "-", "_"))+"_"+name] = value
				}
			}
			config, _, err := severalFrom("corp:"+kind+", partner-2:"+kind, env)
			require.NoError(t, err)
			require.Len(t, config.Providers, 2)
			for i, id := range []string{"corp", "partner-2"} {
				p := config.Providers[i]
				require.Equal(t, id, p.Name())
				require.Equal(t, "At "+id, p.(auth.Presenter).Presentation().Label)
				who, err := providertest.SignIn(p, nil)
				require.NoError(t, err)
				require.Equal(t, "ada at "+id, who.Subject)
			}
		})
	}
	for kind, more := range map[string]map[string]string{
		"auth0": {"AUTH_CORP_ISSUER": "https://t.auth0.com"}, "authentik": {"AUTH_CORP_ISSUER": "https://a.example/application/o/x/"}, "github": nil, "google": nil, "discord": nil, "feishu": nil, "linkedin": nil, "slack": nil, "wechat": nil, "cognito": {"AUTH_CORP_ISSUER": "https://c.example"},
		"azure-ad": {"AUTH_CORP_TENANT_ID": "common"}, "microsoft-entra-id": {"AUTH_CORP_TENANT_ID": "common"}, "microsoft": {"AUTH_CORP_TENANT_ID": "common"},
		"authelia": {"AUTH_CORP_ISSUER": "https://a.example"}, "logto": {"AUTH_CORP_ISSUER": "https://l.example"}, "cloudflare-zero-trust": {"AUTH_CORP_ISSUER": "https://c.example"},
	} {
		env := map[string]string{"AUTH_CORP_ID": "c", "AUTH_CORP_SECRET": "s"}
		maps.Copy(env, more)
		config, _, err := severalFrom("corp:"+kind, env)
		require.NoError(t, err, kind)
		require.Equal(t, "corp", config.Providers[0].Name(), kind)

		_, _, err = severalFrom("corp:"+kind, map[string]string{"GITHUB_CLIENT_ID": "c", "AUTH_AZURE_AD_ID": "c", "AUTH0_CLIENT_ID": "c", "AUTH_FEISHU_APP_ID": "c", "WECHAT_CLIENT_ID": "c"})
		require.ErrorContains(t, err, "AUTH_CORP_ID is not set", kind)
		require.ErrorContains(t, err, "AUTH_CORP_SECRET is not set", kind)
	}
}

// TestGitHubOfTwoServers: what else it reads is each one's own too.
func TestGitHubOfTwoServers(t *testing.T) {
	config, _, err := severalFrom("corp:github,github", map[string]string{
		"AUTH_CORP_ID": "c", "AUTH_CORP_SECRET": "s", "AUTH_CORP_BASE_URL": "https://ghe.example", "AUTH_CORP_ORGANIZATIONS": "acme", "GITHUB_CLIENT_ID": "c", "GITHUB_CLIENT_SECRET": "s",
	})
	require.NoError(t, err)
	hosts := map[string]string{}
	for _, p := range config.Providers {
		address, err := p.AuthCodeURL(context.Background(), auth.Transaction{State: "s", Verifier: strings.Repeat("v", 43), RedirectURI: "https://a.example/cb"})
		require.NoError(t, err)
		u, err := url.Parse(address)
		require.NoError(t, err)
		hosts[p.Name()] = u.Host + " " + u.Query().Get("scope")
	}
	require.Contains(t, hosts["corp"], "ghe.example ")
	require.Contains(t, hosts["corp"], "read:org", "whose organizations are asked for")
	require.Contains(t, hosts["github"], "github.com ")
	require.NotContains(t, hosts["github"], "read:org")
}

func TestSeveralThatCannotBe(t *testing.T) { // LG-06
	env := map[string]string{"AUTH_CORP_ID": "c", "AUTH_CORP_SECRET": "s", "AUTH_CORP_ISSUER": "https://k.example"}
	for list, want := range map[string]string{
		"corp:keycloak,corp:okta":             `names the provider "corp" twice`,
		"corp:keyclok":                        `names the provider "keyclok", which is not known`,
		"Corp:keycloak":                       `has "Corp" in front of a colon`,
		":keycloak":                           `has "" in front of a colon`,
		"a_b:keycloak":                        `in front of a colon`,
		"a:b:keycloak":                        `which is not known`,
		"-a:keycloak":                         `in front of a colon`,
		"github:keycloak":                     `in front of a colon`,
		"user:keycloak":                       `in front of a colon`,
		"access-code:keycloak":                `in front of a colon`,
		strings.Repeat("a", 41) + ":keycloak": `in front of a colon`,
	} {
		_, _, err := severalFrom(list, env)
		require.ErrorContains(t, err, want, list)
		require.ErrorContains(t, err, "NEXT_AUTH_SSO_PROVIDERS", list)
	}
	for variable, want := range map[string]string{
		"AUTH_CORP_ALLOWED_TENANTS": "AUTH_CORP_ALLOWED_TENANTS is set, and cannot be honoured: this provider does not read it",
		"AUTH_CORP_ORGANIZATIONS":   "AUTH_CORP_ORGANIZATIONS is set, and cannot be honoured",
	} {
		more := maps.Clone(env)
		more[variable] = "x"
		_, _, err := severalFrom("corp:keycloak", more)
		require.ErrorContains(t, err, want)
	}
	parts := auth.Parts{Providers: map[string]auth.ProviderFactory{"mine": func(env auth.Env, _ string, client *http.Client) (auth.Provider, error) {
		return providers.All()["okta"](env, "mine", client)
	}}}
	_, err := auth.ConfigFromEnv(func(name string) string {
		return map[string]string{"NEXT_AUTH_SECRET": "kY3nC0p9V1xJm5Q8sT2wZ7bL4hF6gD0aR3eU9iOqXyE=", "NEXT_AUTH_SSO_PROVIDERS": "corp:mine", "AUTH_MINE_ID": "c", "AUTH_MINE_SECRET": "s", "AUTH_MINE_ISSUER": "https://o.example"}[name]
	}, parts)
	require.ErrorContains(t, err, "there can be no several of mine")
}

// TestPoliciesThatNobodyCouldMeet: what a provider does not tell, no variable can ask for.
func TestPoliciesThatNobodyCouldMeet(t *testing.T) { // LG-06, PV-02
	env := map[string]string{}
	for _, id := range []string{"GITHUB", "DISCORD", "FEISHU", "LINKEDIN", "WECHAT", "SLACK", "GOOGLE", "KEYCLOAK", "CORP"} {
		env["AUTH_"+id+"_ID"], env["AUTH_"+id+"_SECRET"] = "c", "s"
	}
	env["AUTH_KEYCLOAK_ISSUER"] = "https://k.example"
	const groups, emails = "AUTH_ALLOWED_GROUPS is set, and cannot be honoured: ", "AUTH_ALLOWED_EMAILS is set, and cannot be honoured: "
	for _, test := range []struct{ list, variable, want, warning string }{
		{"github", "AUTH_ALLOWED_GROUPS", groups + "no groups come from github, so that nobody could enter: say who may enter by AUTH_ALLOWED_EMAILS or AUTH_GITHUB_ORGANIZATIONS, or unset it", ""},
		{"corp:github", "AUTH_ALLOWED_GROUPS", groups + "no groups come from corp, so that nobody could enter: say who may enter by AUTH_ALLOWED_EMAILS or AUTH_CORP_ORGANIZATIONS, or unset it", ""},
		{"linkedin", "AUTH_ALLOWED_GROUPS", groups + "no groups come from linkedin, so", ""},
		{"wechat", "AUTH_ALLOWED_GROUPS", groups + "no groups come from wechat, so", ""},
		{"wechat,linkedin", "AUTH_ALLOWED_GROUPS", groups + "no groups come from wechat, linkedin, so", ""},
		{"google", "AUTH_ALLOWED_GROUPS", "", ""},
		{"wechat", "AUTH_ALLOWED_EMAILS", emails + "no verified addresses come from wechat, so that nobody could enter: sign people in with a provider that has them, or unset it", ""},
		{"feishu", "AUTH_ALLOWED_EMAILS", emails + "no verified addresses come from feishu, so that nobody could enter: say who may enter by AUTH_ALLOWED_GROUPS, or unset it", ""},
		{"discord", "AUTH_ALLOWED_GROUPS", "", ""},
		{"feishu", "AUTH_ALLOWED_GROUPS", "", ""},
		{"slack", "AUTH_ALLOWED_GROUPS", "", ""},
		{"keycloak", "AUTH_ALLOWED_GROUPS", "", ""},
		{"keycloak,wechat", "AUTH_ALLOWED_GROUPS", "", "from which no groups come\" provider=wechat"},
		{"github,feishu", "AUTH_ALLOWED_EMAILS", "", "from which no verified addresses come\" provider=feishu"},
		{"discord,linkedin,slack,google,github", "AUTH_ALLOWED_EMAILS", "", ""},
	} {
		more := maps.Clone(env)
		more[test.variable] = "example.com"
		_, log, err := severalFrom(test.list, more)
		if test.want != "" {
			require.ErrorContains(t, err, "auth: "+test.want, test.list)
			continue
		}
		require.NoError(t, err, test.list)
		require.Equal(t, test.warning != "", strings.Contains(log, "nobody enters by"), log)
		require.Contains(t, log, test.warning)
	}
	for list, want := range map[string]string{"wechat": "auth: no variable says who may enter: anyone", "discord": "auth: AUTH_ALLOWED_EMAILS is not set: anyone"} {
		_, log, err := severalFrom(list, env)
		require.NoError(t, err)
		require.Contains(t, log, want)
	}
	more := maps.Clone(env)
	more["AUTH_ALLOWED_GROUPS"], more["AUTH_KEYCLOAK_ISSUER"] = "example.com", ""
	_, _, err := severalFrom("wechat,keycloak", more)
	require.ErrorContains(t, err, "KEYCLOAK_ISSUER is not set")
	require.NotContains(t, err.Error(), "cannot be honoured", "keycloak may have groups, once it is set up")
}
