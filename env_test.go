package auth_test

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/accesscode"
	"github.com/sallyport/auth/envvar"
)

func stubParts() auth.Parts {
	factory := func(env auth.Env, id string, _ *http.Client) (auth.Provider, error) {
		if value, _ := env.First("STUB_FAIL"); value != "" {
			return nil, errors.Join(&envvar.Error{Variable: "STUB_ID", Problem: "is not set", Cure: "set it"}, &envvar.Error{Variable: "STUB_SECRET", Problem: "is not set", Cure: "set it"})
		}
		return &stubProvider{name: id}, nil
	}
	return auth.Parts{Providers: map[string]auth.ProviderFactory{"auth0": factory, "github": factory, "azure-ad": factory}}
}

func envOf(text string) auth.Env {
	values := map[string]string{}
	for _, line := range strings.Split(text, "|") {
		name, value, _ := strings.Cut(line, "=")
		values[name] = value
	}
	return func(name string) string { return values[name] }
}

const baseEnv = "NEXT_AUTH_SECRET=" + testSecret + "|ACCESS_CODE=0123456789abcdef0123"

func TestConfigFromEnv(t *testing.T) {
	for env, want := range map[string]string{
		baseEnv:                               "auth0",
		baseEnv + "|NEXT_AUTH_SSO_PROVIDERS=": "auth0",
		baseEnv + "|NEXT_AUTH_SSO_PROVIDERS=github, azure-ad":       "github azure-ad",
		baseEnv + "|NEXT_AUTH_SSO_PROVIDERS=github，azure-ad ，auth0": "github azure-ad auth0",
		baseEnv + "|SSO_PROVIDERS=github":                           "github",
		baseEnv + "|AUTH_SSO_PROVIDERS=github,":                     "github",
		baseEnv + "|NEXT_PUBLIC_ENABLE_NEXT_AUTH=1":                 "auth0",
		"AUTH_SECRET=" + testSecret + "|ACCESS_CODE=x":              "auth0",
		"NEXTAUTH_SECRET=" + testSecret + "|ACCESS_CODE=x":          "auth0",
	} {
		c, err := auth.ConfigFromEnv(envOf(env), stubParts())
		require.NoError(t, err, env)
		var names []string
		for _, p := range c.Providers {
			names = append(names, p.Name())
		}
		require.Equal(t, want, strings.Join(names, " "), env)
		_, err = auth.New(c)
		require.NoError(t, err, env)
	}
}

func TestLobeChatFindsItsUser(t *testing.T) {
	fromEnv, err := auth.ConfigFromEnv(envOf(baseEnv), stubParts())
	require.NoError(t, err)
	stub := &stubProvider{name: "stub", identity: &auth.Identity{
		Issuer: "https://idp.example", Subject: "ada", Claims: map[string]any{"userId": "another"},
	}}
	c := newConfig(stub)
	c.Enrich = fromEnv.Enrich
	a, err := auth.New(c)
	require.NoError(t, err)
	who := sessionOf(t, sealedCookie(t, a, stub))
	require.Equal(t, map[string]any{"userId": "ada"}, who.Claims())
}

func TestConfigFromEnvProblems(t *testing.T) { // LG-06, LG-08
	for env, wants := range map[string][]string{
		"":                       {"NEXT_AUTH_SECRET is not set", "ACCESS_CODE is not set", "openssl rand"},
		"NEXT_AUTH_SECRET=":      {"NEXT_AUTH_SECRET is not set"},
		"NEXT_AUTH_SECRET=short": {"NEXT_AUTH_SECRET is too weak"},
		"AUTH_SECRET=short":      {"AUTH_SECRET is too weak"},
		baseEnv + "|NEXTAUTH_URL=\"https://x.example\"":          {"NEXTAUTH_URL is in quotes"},
		baseEnv + "|NEXTAUTH_URL=x.example":                      {"NEXTAUTH_URL is not the address"},
		baseEnv + "|AUTH_URL=ftp://x":                            {"AUTH_URL is not the address"},
		baseEnv + "|NEXT_AUTH_SSO_PROVIDERS=github,nope":         {`"nope"`, "auth0, azure-ad, github"},
		baseEnv + "|NEXT_AUTH_SSO_PROVIDERS=github,github":       {"twice"},
		baseEnv + "|NEXT_AUTH_SSO_PROVIDERS=, ,":                 {"names no provider"},
		baseEnv + "|NEXT_AUTH_SSO_SESSION_STRATEGY=database":     {"configures no store"},
		baseEnv + "|NEXT_AUTH_SSO_SESSION_STRATEGY=x":            {"jwt or database"},
		baseEnv + "|AUTH_ALLOWED_EMAILS=@@":                      {"AUTH_ALLOWED_EMAILS"},
		baseEnv + "|STUB_FAIL=1|NEXTAUTH_URL=x":                  {"STUB_ID", "STUB_SECRET", "NEXTAUTH_URL"},
		baseEnv + "|NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY=pk_test_x": {"NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY"},
		baseEnv + "|ENABLE_OAUTH_SSO=0":                          {"ENABLE_OAUTH_SSO"},
		"ACCESS_CODE=only-the-code-0123456789":                   {"NEXT_AUTH_SECRET is not set"},
	} {
		_, err := auth.ConfigFromEnv(envOf(env), stubParts())
		require.Error(t, err, env)
		var one *envvar.Error
		require.ErrorAs(t, err, &one)
		for _, want := range wants {
			require.ErrorContains(t, err, want, env)
		}
		require.NotContains(t, err.Error(), testSecret)
	}
}

func FuzzConfigFromEnv(f *testing.F) {
	f.Add("github", "https://x.example", "ada@example.com")
	f.Add("github，auth0", "x", "@,，")
	f.Fuzz(func(t *testing.T, providers, address, emails string) {
		env := map[string]string{"NEXT_AUTH_SECRET": testSecret, "ACCESS_CODE": "x", "NEXT_AUTH_SSO_PROVIDERS": providers, "NEXTAUTH_URL": address, "AUTH_ALLOWED_EMAILS": emails}
		c, err := auth.ConfigFromEnv(func(name string) string { return env[name] }, stubParts())
		if err == nil {
			_, err = auth.New(c)
			require.NoError(t, err, "what the environment accepts, New accepts")
		}
	})
}

func TestAccessCodeFromEnv(t *testing.T) { // AC-07, LG-06
	config := func(lines string) (auth.Config, string, error) {
		var log bytes.Buffer
		parts := stubParts()
		parts.AccessCode, parts.Logger = accesscode.FromEnv, slog.New(slog.NewTextHandler(&log, nil))
		c, err := auth.ConfigFromEnv(envOf(lines), parts)
		return c, log.String(), err
	}
	c, log, err := config("ACCESS_CODE=0123456789abcdef")
	require.NoError(t, err)
	require.Empty(t, c.Providers)
	require.NotNil(t, c.AccessCode)
	require.Contains(t, log, "sessions end with this process")
	_, err = auth.New(c)
	require.NoError(t, err)
	again, _, err := config("ACCESS_CODE=0123456789abcdef")
	require.NoError(t, err)
	require.NotEqual(t, c.Secrets[0].Reveal(), again.Secrets[0].Reveal(), "never made of the code")
	c, _, err = config(baseEnv + "|NEXT_PUBLIC_ENABLE_NEXT_AUTH=0")
	require.NoError(t, err)
	require.Empty(t, c.Providers)
	require.Equal(t, testSecret, c.Secrets[0].Reveal())
	c, _, err = config(baseEnv)
	require.NoError(t, err)
	require.Len(t, c.Providers, 1)
	require.NotNil(t, c.AccessCode)
	require.Nil(t, c.AccessCodeHeaders, "the environment turns on none")
	_, log, err = config("ACCESS_CODE=0123456789abcdef|SSO_PROVIDERS=github")
	require.NoError(t, err)
	require.Contains(t, log, "SSO_PROVIDERS is set and NEXT_AUTH_SECRET is not")
	for lines, want := range map[string][]string{
		"":                  {"NEXT_AUTH_SECRET is not set", "ACCESS_CODE is not set"},
		"ACCESS_CODE=,":     {"ACCESS_CODE has no code in it"},
		"ACCESS_CODE=short": {"ACCESS_CODE has code 1", "openssl rand"},
		"NEXT_AUTH_SECRET=" + testSecret + "|ENABLE_OAUTH_SSO=0": {"ENABLE_OAUTH_SSO turns SSO off"},
		"NEXT_AUTH_SECRET=" + testSecret:                         {"ACCESS_CODE is not set", "openssl rand"},
	} {
		_, _, err := config(lines)
		for _, w := range want {
			require.ErrorContains(t, err, w, lines)
		}
		require.NotContains(t, err.Error(), "=short")
	}
}
