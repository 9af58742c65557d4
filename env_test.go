package auth_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/accesscode"
	"github.com/sallyport/auth/envvar"
	"github.com/sallyport/auth/session"
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
	c, _, err := fromEnv(baseEnv, nil)
	require.NoError(t, err)
	require.Equal(t, "userId", c.UserIDClaim)
	c, _, err = fromEnv("ACCESS_CODE=0123456789abcdef0123", func(p *auth.Parts) { p.AccessCode = accesscode.FromEnv })
	require.NoError(t, err)
	require.Equal(t, "userId", c.UserIDClaim, "whatever way people come in")
	c, _, err = fromEnv("CLERK_PUBLISHABLE_KEY=pk|CLERK_SECRET_KEY=sk", func(p *auth.Parts) {
		p.Backend = func(auth.Env, *http.Client) (auth.Backend, error) { return stubBackend{}, nil }
	})
	require.NoError(t, err)
	require.Empty(t, c.UserIDClaim, "Clerk's tokens are Clerk's")
}

func TestConfigFromEnvProblems(t *testing.T) { // LG-06, LG-08
	for env, wants := range map[string][]string{
		"":                       {"NEXT_AUTH_SECRET is not set", "openssl rand"},
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

// door is a provider that says whether anybody can get an account with it.
type door struct {
	stubProvider
	open bool
}

func (d *door) AnyoneMayEnter() bool { return d.open }

// fromEnv reads lines with parts, and returns what was logged too.
func fromEnv(lines string, change func(*auth.Parts)) (auth.Config, string, error) {
	var log bytes.Buffer
	parts := stubParts()
	parts.Logger = slog.New(slog.NewTextHandler(&log, nil))
	if change != nil {
		change(&parts)
	}
	c, err := auth.ConfigFromEnv(envOf(lines), parts)
	return c, log.String(), err
}

func TestOpenDoorsAreWarnedOf(t *testing.T) { // LG-06, PV-03
	doors := func(p *auth.Parts) {
		for id, open := range map[string]bool{"open": true, "closed": false} {
			p.Providers[id] = func(auth.Env, string, *http.Client) (auth.Provider, error) {
				return &door{stubProvider{name: id}, open}, nil
			}
		}
	}
	for lines, want := range map[string]bool{
		"NEXT_AUTH_SSO_PROVIDERS=open":                                      true,
		"NEXT_AUTH_SSO_PROVIDERS=closed,open":                               true,
		"NEXT_AUTH_SSO_PROVIDERS=closed":                                    false,
		"NEXT_AUTH_SSO_PROVIDERS=github":                                    false,
		"NEXT_AUTH_SSO_PROVIDERS=open|AUTH_ALLOWED_EMAILS=corp.example":     false,
		"NEXT_AUTH_SSO_PROVIDERS=open|AUTH_ALLOWED_EMAILS=":                 true,
		"NEXT_AUTH_SSO_PROVIDERS=github|AUTH_ALLOWED_EMAILS=ada@corp.examp": false,
	} {
		c, log, err := fromEnv(baseEnv+"|"+lines, doors)
		require.NoError(t, err, lines)
		require.Equal(t, want, strings.Contains(log, "anyone with an account"), "%s: %s", lines, log)
		require.Equal(t, want, strings.Contains(log, "provider=open"), lines)
		require.NotContains(t, log, "provider=closed")
		require.Equal(t, strings.Contains(lines, "corp.examp"), c.Policy != nil, lines)
	}
	c, _, err := fromEnv(baseEnv+"|AUTH_ALLOWED_EMAILS=ada@corp.example， example.org", nil)
	require.NoError(t, err)
	for email, admitted := range map[string]bool{"ada@corp.example": true, "bob@corp.example": false, "bob@example.org": true} {
		err := c.Policy(t.Context(), "github", &auth.Identity{Email: email, EmailVerified: true})
		require.Equal(t, admitted, err == nil, email)
	}
}

func TestProxiesFromEnv(t *testing.T) { // HO-02
	for value, trusts := range map[string]bool{
		"": true, "1": true, "true": true, "yes": true, "0": false, "false": false, "FALSE": false, "no": false, "Off": false,
	} {
		c, _, err := fromEnv(baseEnv+"|AUTH_TRUST_HOST="+value, nil)
		require.NoError(t, err)
		require.Equal(t, trusts, c.TrustedProxies == nil, value)
		require.Empty(t, c.TrustedProxies)
	}
}

func TestAddressFromEnv(t *testing.T) { // HO-01
	for lines, want := range map[string]string{
		"":                                "",
		"NEXTAUTH_URL=https://a.example":  "https://a.example",
		"AUTH_URL=https://b.example/auth": "https://b.example/auth",
		"AUTH_URL=http://b|NEXTAUTH_URL=https://a.example/api/auth": "https://a.example/api/auth",
	} {
		c, _, err := fromEnv(baseEnv+"|"+lines, nil)
		require.NoError(t, err, lines)
		require.Equal(t, want, c.URL, lines)
	}
}

func TestClerkFromEnv(t *testing.T) { // LG-06
	backend := stubBackend{decision: &auth.Decision{}}
	client := &http.Client{}
	withClerk := func(p *auth.Parts) {
		p.HTTPClient = client
		p.Backend = func(env auth.Env, c *http.Client) (auth.Backend, error) {
			if env("CLERK_SECRET_KEY") == "" {
				return nil, &envvar.Error{Variable: "CLERK_SECRET_KEY", Problem: "is not set", Cure: "set it"}
			}
			if c != client {
				return nil, errors.New("another client")
			}
			return backend, nil
		}
	}
	var secrets []string
	for _, lines := range []string{
		"NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY=pk_x|CLERK_SECRET_KEY=sk_one",
		"CLERK_PUBLISHABLE_KEY=pk_x|CLERK_SECRET_KEY=sk_one|ACCESS_CODE=0123456789abcdef|NEXT_AUTH_SSO_PROVIDERS=github",
		"CLERK_PUBLISHABLE_KEY=pk_x|CLERK_SECRET_KEY=sk_two",
		"CLERK_PUBLISHABLE_KEY=pk_x|CLERK_SECRET_KEY=sk_one|NEXT_AUTH_SECRET=" + testSecret,
	} {
		c, _, err := fromEnv(lines, withClerk)
		require.NoError(t, err, lines)
		require.Equal(t, backend, c.Backend)
		require.Empty(t, c.Providers, "Clerk and nothing else")
		require.Nil(t, c.AccessCode)
		require.Nil(t, c.Policy)
		require.Nil(t, c.Enrich)
		require.Len(t, c.Secrets, 1)
		secrets = append(secrets, c.Secrets[0].Reveal())
		_, err = auth.New(c)
		require.NoError(t, err, lines)
	}
	require.Equal(t, secrets[0], secrets[1], "the same on every node")
	require.NotEqual(t, secrets[0], secrets[2])
	require.Regexp(t, "^[0-9a-f]{64}$", secrets[0])
	require.NotContains(t, secrets[0], "sk_one")
	require.Equal(t, testSecret, secrets[3])

	for lines, want := range map[string]string{
		"CLERK_PUBLISHABLE_KEY=pk_x": "CLERK_SECRET_KEY is not set",
		"CLERK_PUBLISHABLE_KEY=pk_x|CLERK_SECRET_KEY=x|NEXT_AUTH_SECRET=short":   "NEXT_AUTH_SECRET is too weak",
		"CLERK_PUBLISHABLE_KEY=pk_x|CLERK_SECRET_KEY=x|NEXTAUTH_URL=app.example": "NEXTAUTH_URL",
	} {
		_, _, err := fromEnv(lines, withClerk)
		require.ErrorContains(t, err, want)
	}
	_, _, err := fromEnv(baseEnv+"|CLERK_PUBLISHABLE_KEY=pk_x", nil)
	require.ErrorContains(t, err, "CLERK_PUBLISHABLE_KEY turns on Clerk, which this program does not include")
}

func TestStoreFromEnv(t *testing.T) {
	store := session.NewMemoryStore(0, nil)
	withStore := func(p *auth.Parts) { p.Store = store }
	for value, kept := range map[string]bool{"": false, "jwt": false, "database": true} {
		c, _, err := fromEnv(baseEnv+"|NEXT_AUTH_SSO_SESSION_STRATEGY="+value, withStore)
		require.NoError(t, err)
		require.Equal(t, kept, c.Session.Store != nil, value)
	}
	c, _, err := fromEnv(baseEnv, nil)
	require.NoError(t, err)
	require.Nil(t, c.Session.Store)
	require.NotNil(t, c.Logger)
}

func TestDatabaseFromEnv(t *testing.T) {
	withDatabase := func(p *auth.Parts) { p.Database, p.AccessCode = &userTable{}, nil }
	for value, kept := range map[string]bool{"jwt": false, "database": true} {
		c, _, err := fromEnv("NEXT_AUTH_SECRET="+testSecret+"|NEXT_AUTH_SSO_SESSION_STRATEGY="+value, withDatabase)
		require.NoError(t, err)
		require.Equal(t, kept, c.Session.Database != nil, value)
		require.Equal(t, kept, c.UserIDClaim == "", "a row has no claims")
		_, err = auth.New(c)
		require.NoError(t, err)
	}
}

func TestFactoriesGetWhatTheyNeed(t *testing.T) {
	client := &http.Client{}
	var got []string
	_, _, err := fromEnv(baseEnv+"|NEXT_AUTH_SSO_PROVIDERS=github,corp", func(p *auth.Parts) {
		p.HTTPClient = client
		p.Providers = map[string]auth.ProviderFactory{}
		for _, id := range []string{"github", "corp"} {
			p.Providers[id] = func(env auth.Env, asked string, c *http.Client) (auth.Provider, error) {
				require.Same(t, client, c)
				require.Equal(t, testSecret, env("NEXT_AUTH_SECRET"))
				got = append(got, asked)
				return &stubProvider{name: asked}, nil
			}
		}
		p.AccessCode = func(env auth.Env, secrets []auth.Secret, log *slog.Logger) (auth.CodeVerifier, error) {
			require.Equal(t, testSecret, secrets[0].Reveal())
			require.Same(t, p.Logger, log)
			return stubVerifier{}, nil
		}
	})
	require.NoError(t, err)
	require.Equal(t, []string{"github", "corp"}, got)
}

func TestWarningsOfAnAccessCodeAlone(t *testing.T) { // LG-06
	withCodes := func(p *auth.Parts) { p.AccessCode = accesscode.FromEnv }
	for lines, want := range map[string][2]bool{ // whether providers are missed, whether sessions end with the process
		"":                                {false, true},
		"|NEXT_AUTH_SSO_PROVIDERS=github": {true, true},
		"|ENABLE_OAUTH_SSO=0":             {false, true},
		"|ENABLE_OAUTH_SSO=1":             {false, true},
		"|ENABLE_OAUTH_SSO=0|AUTH_SECRET=" + testSecret:                                       {false, false},
		"|NEXT_PUBLIC_ENABLE_NEXT_AUTH=0|AUTH_SECRET=" + testSecret + "|SSO_PROVIDERS=github": {false, false},
	} {
		c, log, err := fromEnv("ACCESS_CODE=0123456789abcdef"+lines, withCodes)
		require.NoError(t, err, lines)
		require.Equal(t, want[0], strings.Contains(log, "people sign in by access code alone"), "%s: %s", lines, log)
		require.Equal(t, want[1], strings.Contains(log, "sessions end with this process"), "%s: %s", lines, log)
		require.Empty(t, c.Providers)
		require.NotNil(t, c.AccessCode)
		require.Nil(t, c.Enrich)
		require.GreaterOrEqual(t, len(c.Secrets[0].Reveal()), 32)
	}
	// A program that takes no codes asks for the secret, or for SSO.
	_, _, err := fromEnv("ACCESS_CODE=0123456789abcdef", nil)
	require.ErrorContains(t, err, "this program takes no access codes")
	for _, off := range []string{"ENABLE_OAUTH_SSO", "NEXT_PUBLIC_ENABLE_NEXT_AUTH"} {
		_, _, err = fromEnv(baseEnv+"|"+off+"=0", nil)
		require.ErrorContains(t, err, off+" turns SSO off, and nothing else lets anybody in")
		_, _, err = fromEnv("NEXT_AUTH_SECRET="+testSecret+"|"+off+"=0", withCodes)
		require.ErrorContains(t, err, off+" turns SSO off")
	}
	c, _, err := fromEnv(baseEnv, nil)
	require.NoError(t, err)
	require.Nil(t, c.AccessCode, "ACCESS_CODE lets nobody in where the program takes none")
	_, log, err := fromEnv("NEXT_AUTH_SECRET="+testSecret, nil)
	require.NoError(t, err, "and is not asked for there")
	require.NotContains(t, log, "ACCESS_CODE")
	_, log, err = fromEnv(baseEnv, nil)
	require.NoError(t, err)
	require.Contains(t, log, "ACCESS_CODE is ignored: this program takes no access codes")
	require.NotContains(t, log, "0123456789abcdef")
	_, log, err = fromEnv(baseEnv, withCodes)
	require.NoError(t, err)
	require.NotContains(t, log, "ignored")
	_, _, err = fromEnv("NEXT_AUTH_SECRET="+testSecret, withCodes)
	require.ErrorContains(t, err, "ACCESS_CODE is not set")
	_, _, err = fromEnv("NEXT_AUTH_SECRET=short|ACCESS_CODE=0123456789abcdef", withCodes)
	require.ErrorContains(t, err, "too weak")
	_, _, err = fromEnv(baseEnv+"|ACCESS_CODE=0123456789abcdef|NEXT_AUTH_SSO_PROVIDERS=nope,github,github", nil)
	require.ErrorContains(t, err, "the known ones are auth0, azure-ad, github")
	require.ErrorContains(t, err, "twice")
	require.NotContains(t, err.Error(), "names no provider")
}

func TestDefaultLoggerIsWarned(t *testing.T) {
	var log strings.Builder
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	defer slog.SetDefault(before)
	_, _, err := fromEnv("ACCESS_CODE=0123456789abcdef", func(p *auth.Parts) { p.Logger, p.AccessCode = nil, accesscode.FromEnv })
	require.NoError(t, err)
	require.Contains(t, log.String(), "sessions end with this process")
}

func TestLogoutFromEnv(t *testing.T) { // BC-01, FC-03
	env := map[string]string{"NEXT_AUTH_SECRET": testSecret, "ACCESS_CODE": "0123456789abcdef", "NEXT_AUTH_SSO_PROVIDERS": "github", "GITHUB_CLIENT_ID": "app", "GITHUB_CLIENT_SECRET": "s"}
	for value, want := range map[string]bool{"": false, "0": false, "1": true} {
		env["AUTH_BACKCHANNEL_LOGOUT"], env["AUTH_SIGN_OUT_AT_PROVIDER"], env["AUTH_FRONTCHANNEL_LOGOUT"] = value, value, ""
		c, err := auth.ConfigFromEnv(func(name string) string { return env[name] }, stubParts())
		require.NoError(t, err)
		require.Equal(t, []bool{want, want, false}, []bool{c.BackChannelLogout, c.SignOutAtProvider, c.FrontChannelLogout}, value)
	}
	env["AUTH_FRONTCHANNEL_LOGOUT"] = "yes"
	_, err := auth.ConfigFromEnv(func(name string) string { return env[name] }, stubParts())
	require.ErrorContains(t, err, "AUTH_FRONTCHANNEL_LOGOUT")
}

func TestUserIDFromEnv(t *testing.T) { // ID-39
	env := map[string]string{"NEXT_AUTH_SECRET": testSecret, "ACCESS_CODE": "0123456789abcdef", "NEXT_AUTH_SSO_PROVIDERS": "github", "GITHUB_CLIENT_ID": "app", "GITHUB_CLIENT_SECRET": "s"}
	who := func() *session.Session { return &session.Session{Provider: "github", Subject: "1"} }
	for value, want := range map[string]string{"": "1", "subject": "1", "provider": "github|1"} {
		env["AUTH_USER_ID"] = value
		c, err := auth.ConfigFromEnv(func(name string) string { return env[name] }, stubParts())
		require.NoError(t, err)
		a, err := auth.New(c)
		require.NoError(t, err)
		require.Equal(t, want, a.UserID(who()), value)
	}
	env["AUTH_USER_ID"] = "email"
	_, err := auth.ConfigFromEnv(func(name string) string { return env[name] }, stubParts())
	require.ErrorContains(t, err, "AUTH_USER_ID")
}

// TestWhoMayEnterHoldsInEveryMode: a variable that keeps people out is honoured, or an
// error.
func TestWhoMayEnterHoldsInEveryMode(t *testing.T) { // PV-02, LG-06
	_, _, err := fromEnv("ACCESS_CODE=0123456789abcdef0123|AUTH_ALLOWED_EMAILS=example.com", func(p *auth.Parts) { p.AccessCode = accesscode.FromEnv })
	require.ErrorContains(t, err, "AUTH_ALLOWED_EMAILS")
	c, log, err := fromEnv("CLERK_PUBLISHABLE_KEY=pk|CLERK_SECRET_KEY=sk|AUTH_ALLOWED_EMAILS=example.com|ACCESS_CODE=0123456789abcdef0123|NEXT_AUTH_SSO_PROVIDERS=github", func(p *auth.Parts) {
		p.Backend = func(auth.Env, *http.Client) (auth.Backend, error) { return stubBackend{}, nil }
	})
	require.NoError(t, err)
	require.ErrorIs(t, c.Policy(context.Background(), "clerk", &auth.Identity{Email: "eve@evil.example", EmailVerified: true}), auth.ErrNotAllowed)
	require.NoError(t, c.Policy(context.Background(), "clerk", &auth.Identity{Email: "ada@example.com", EmailVerified: true}))
	for _, ignored := range []string{"ACCESS_CODE", "NEXT_AUTH_SSO_PROVIDERS"} {
		require.Contains(t, log, ignored+" is ignored")
	}
}

func TestOneOfThreeIsNeeded(t *testing.T) { // LG-06
	withCodes := func(p *auth.Parts) { p.AccessCode = accesscode.FromEnv }
	withAll := func(p *auth.Parts) {
		withCodes(p)
		p.Backend = func(auth.Env, *http.Client) (auth.Backend, error) { return stubBackend{}, nil }
	}
	_, _, err := fromEnv("", withAll)
	require.EqualError(t, err, "auth: ACCESS_CODE is not set, NEXT_AUTH_SECRET is not set, NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY is not set: one of the three is needed, not all; the shortest is "+
		"ACCESS_CODE, the password for the service, as `openssl rand -hex 16` makes it; or NEXT_AUTH_SECRET, as `openssl rand -base64 32` makes it, for SSO providers; or NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY, from Clerk's dashboard, for Clerk")
	_, _, err = fromEnv("", withCodes)
	require.NotContains(t, err.Error(), "CLERK", "only what the program has")
	_, _, err = fromEnv("", nil)
	require.NotContains(t, err.Error(), "ACCESS_CODE")
	_, _, err = fromEnv("NEXT_AUTH_SSO_PROVIDERS=github|STUB_FAIL=1", withCodes)
	for _, want := range []string{"NEXT_AUTH_SECRET is not set", "ACCESS_CODE is not set", "STUB_ID is not set"} {
		require.ErrorContains(t, err, want, "all at once, for who names providers")
	}
}

func TestSecretIsReportedOnce(t *testing.T) {
	withCodes := func(p *auth.Parts) { p.AccessCode = accesscode.FromEnv }
	for lines, want := range map[string]string{
		"NEXT_AUTH_SECRET=hunter2|ACCESS_CODE=0123456789abcdef":                             "auth: NEXT_AUTH_SECRET is too weak: it seals the session tokens; make one of 32 bytes or more with `openssl rand -base64 32`",
		"AUTH_SECRET=\"" + testSecret + "\"|ACCESS_CODE=0123456789abcdef":                   "auth: AUTH_SECRET is in quotes: remove them; docker --env-file keeps quotes as part of the value",
		"NEXT_AUTH_SECRET=hunter2|ACCESS_CODE=0123456789abcdef|ENABLE_OAUTH_SSO=0":          "auth: NEXT_AUTH_SECRET is too weak: it seals the session tokens; make one of 32 bytes or more with `openssl rand -base64 32`",
		"NEXT_AUTH_SECRET=changeme-changeme-changeme-changeme|ACCESS_CODE=0123456789abcdef": "auth: NEXT_AUTH_SECRET is too weak: it seals the session tokens; make one of 32 bytes or more with `openssl rand -base64 32`",
	} {
		_, _, err := fromEnv(lines, withCodes)
		require.EqualError(t, err, want)
	}
}

func TestDefaultProviderSaysThatItIsOne(t *testing.T) {
	_, _, err := fromEnv(baseEnv+"|STUB_FAIL=1", nil)
	require.ErrorContains(t, err, "auth: NEXT_AUTH_SSO_PROVIDERS is not set, which means auth0: set it to the providers that you use, separated by commas; the known ones are auth0, azure-ad, github\n")
	_, _, err = fromEnv(baseEnv+"|STUB_FAIL=1|NEXT_AUTH_SSO_PROVIDERS=auth0", nil)
	require.NotContains(t, err.Error(), "which means")
	_, _, err = fromEnv(baseEnv, func(p *auth.Parts) { delete(p.Providers, "auth0") })
	require.ErrorContains(t, err, "its default, auth0, is none of this program's")
}

func TestGroupsFromEnv(t *testing.T) { // PV-02
	c, _, err := fromEnv(baseEnv+"|AUTH_ALLOWED_GROUPS=staff, board|AUTH_ALLOWED_EMAILS=*@example.com", nil)
	require.NoError(t, err)
	for name, test := range map[string]struct {
		email  string
		groups []string
		want   bool
	}{
		"both":             {"ada@example.com", []string{"x", "board"}, true},
		"the group alone":  {"eve@evil.example", []string{"staff"}, false},
		"the domain alone": {"ada@example.com", []string{"Staff"}, false},
		"neither":          {"", nil, false},
	} {
		err := c.Policy(t.Context(), "github", &auth.Identity{Email: test.email, EmailVerified: true, Groups: test.groups})
		require.Equal(t, test.want, err == nil, name)
		if !test.want {
			require.ErrorIs(t, err, auth.ErrNotAllowed)
		}
	}
	c, log, err := fromEnv(baseEnv+"|AUTH_ALLOWED_GROUPS=staff", nil)
	require.NoError(t, err)
	require.NoError(t, c.Policy(t.Context(), "github", &auth.Identity{Groups: []string{"staff"}}), "without an address")
	require.NotContains(t, log, "anyone with an account")
	for _, bad := range []string{"AUTH_ALLOWED_GROUPS=,", "AUTH_ALLOWED_EMAILS=,", "AUTH_ALLOWED_EMAILS=*", "AUTH_ALLOWED_EMAILS=*.example.com", "AUTH_ALLOWED_EMAILS=a*@example.com"} {
		_, _, err := fromEnv(baseEnv+"|"+bad, nil)
		require.ErrorContains(t, err, bad[:len("AUTH_ALLOWED_GROUPS")], bad)
	}
	_, _, err = fromEnv("ACCESS_CODE=0123456789abcdef0123|AUTH_ALLOWED_GROUPS=staff", func(p *auth.Parts) { p.AccessCode = accesscode.FromEnv })
	require.ErrorContains(t, err, "AUTH_ALLOWED_GROUPS is set, and people sign in by access code")
	c, _, err = fromEnv("CLERK_PUBLISHABLE_KEY=pk|CLERK_SECRET_KEY=sk|AUTH_ALLOWED_GROUPS=acme:admin", func(p *auth.Parts) {
		p.Backend = func(auth.Env, *http.Client) (auth.Backend, error) { return stubBackend{}, nil }
	})
	require.NoError(t, err)
	require.NoError(t, c.Policy(t.Context(), "clerk", &auth.Identity{Groups: []string{"acme", "acme:admin"}}))
	require.ErrorIs(t, c.Policy(t.Context(), "clerk", &auth.Identity{Groups: []string{"acme"}}), auth.ErrNotAllowed)
}

// lacking is a provider that does not tell of everything.
type lacking struct {
	auth.Provider
	emails, groups bool
}

func (l lacking) Lacks() (emails, groups bool) { return l.emails, l.groups }

// TestAPolicyThatNobodyCouldMeet is an error at start, and never a door that is shut, or
// open.
func TestAPolicyThatNobodyCouldMeet(t *testing.T) { // LG-06, PV-02
	of := func(emails, groups bool) auth.ProviderFactory {
		return func(env auth.Env, id string, _ *http.Client) (auth.Provider, error) {
			if id == "github" {
				env("AUTH_GITHUB_ORGANIZATIONS")
			}
			return lacking{&stubProvider{name: id}, emails, groups}, nil
		}
	}
	const enters = ", so that nobody could enter: "
	for name, test := range map[string]struct {
		list, variable string
		all            map[string]auth.ProviderFactory
		want, warning  string
	}{
		"groups":             {"github", "AUTH_ALLOWED_GROUPS", map[string]auth.ProviderFactory{"github": of(false, true)}, "no groups come from github" + enters + "say who may enter by AUTH_ALLOWED_EMAILS or AUTH_GITHUB_ORGANIZATIONS, or unset it", ""},
		"addresses":          {"github", "AUTH_ALLOWED_EMAILS", map[string]auth.ProviderFactory{"github": of(true, false)}, "no verified addresses come from github" + enters + "say who may enter by AUTH_ALLOWED_GROUPS, or unset it", ""},
		"neither":            {"auth0", "AUTH_ALLOWED_EMAILS", map[string]auth.ProviderFactory{"auth0": of(true, true)}, "no verified addresses come from auth0" + enters + "sign people in with a provider that has them, or unset it", ""},
		"of two":             {"auth0,github", "AUTH_ALLOWED_GROUPS", map[string]auth.ProviderFactory{"auth0": of(true, true), "github": of(true, true)}, "no groups come from auth0, github" + enters + "say who may enter by AUTH_GITHUB_ORGANIZATIONS, or unset it", ""},
		"of one of two":      {"auth0,github", "AUTH_ALLOWED_GROUPS", map[string]auth.ProviderFactory{"auth0": of(true, false), "github": of(false, true)}, "", "provider=github"},
		"of one that is mum": {"auth0", "AUTH_ALLOWED_GROUPS", nil, "", ""},
		"another policy":     {"github", "AUTH_ALLOWED_EMAILS", map[string]auth.ProviderFactory{"github": of(false, true)}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, log, err := fromEnv(baseEnv+"|NEXT_AUTH_SSO_PROVIDERS="+test.list+"|"+test.variable+"=example.com", func(p *auth.Parts) {
				for id, factory := range test.all {
					p.Providers[id] = factory
				}
			})
			if test.want != "" {
				require.EqualError(t, err, "auth: "+test.variable+" is set, and cannot be honoured: "+test.want)
				return
			}
			require.NoError(t, err)
			require.Equal(t, test.warning != "", strings.Contains(log, "nobody enters by this provider"), log)
			require.Contains(t, log, test.warning)
		})
	}
}

func TestSessionsFromEnv(t *testing.T) {
	const day = 24 * time.Hour
	for lines, want := range map[string]session.Config{
		"":                              {},
		"AUTH_SESSION_MAX_AGE=1h":       {MaxAge: time.Hour},
		"AUTH_SESSION_MAX_AGE=7d":       {MaxAge: 7 * day},
		"AUTH_SESSION_LIFETIME=8h":      {Lifetime: 8 * time.Hour},
		"AUTH_SESSION_UPDATE_AGE=2h30m": {UpdateAge: 150 * time.Minute},
		"AUTH_SESSION_MAX_AGE=120d|AUTH_SESSION_LIFETIME=365d": {MaxAge: 120 * day, Lifetime: 365 * day},
	} {
		c, _, err := fromEnv(baseEnv+"|"+lines, nil)
		require.NoError(t, err, lines)
		require.Equal(t, want, c.Session, lines)
		_, err = auth.New(c)
		require.NoError(t, err, lines)
		c, _, err = fromEnv("ACCESS_CODE=0123456789abcdef|"+lines, func(p *auth.Parts) { p.AccessCode = accesscode.FromEnv })
		require.NoError(t, err)
		require.Equal(t, want, c.Session, "by access code too")
	}
	for lines, want := range map[string]string{
		"AUTH_SESSION_MAX_AGE=30":                            "AUTH_SESSION_MAX_AGE is no length of time",
		"AUTH_SESSION_MAX_AGE=30s":                           "AUTH_SESSION_MAX_AGE is less than a minute",
		"AUTH_SESSION_LIFETIME=30s":                          "AUTH_SESSION_LIFETIME is less than a minute",
		"AUTH_SESSION_LIFETIME=0":                            "AUTH_SESSION_LIFETIME is no length of time",
		"AUTH_SESSION_MAX_AGE=120d":                          "AUTH_SESSION_MAX_AGE is more than AUTH_SESSION_LIFETIME",
		"AUTH_SESSION_MAX_AGE=1h|AUTH_SESSION_UPDATE_AGE=1h": "AUTH_SESSION_UPDATE_AGE is not less",
		"AUTH_SESSION_UPDATE_AGE=forever":                    "AUTH_SESSION_UPDATE_AGE is no length of time",
	} {
		_, _, err := fromEnv(baseEnv+"|"+lines, nil)
		require.ErrorContains(t, err, want, lines)
	}
	_, log, err := fromEnv("CLERK_PUBLISHABLE_KEY=pk|CLERK_SECRET_KEY=sk|AUTH_SESSION_MAX_AGE=1h", func(p *auth.Parts) {
		p.Backend = func(auth.Env, *http.Client) (auth.Backend, error) { return stubBackend{}, nil }
	})
	require.NoError(t, err)
	require.Contains(t, log, "AUTH_SESSION_MAX_AGE is ignored")
}

// named is env with its names.
func named(lines string, change func(*auth.Parts)) (auth.Config, string, error) {
	return fromEnv(lines, func(p *auth.Parts) {
		p.Names = func() []string { return envvar.Names(strings.Split(lines, "|")) }
		p.Providers["github"] = func(env auth.Env, id string, _ *http.Client) (auth.Provider, error) {
			envvar.NewReader(env).Get("AUTH_GITHUB_ORGANIZATIONS")
			envvar.NewReader(env).Get("GITHUB_CLIENT_ID", "AUTH_GITHUB_ID")
			return &stubProvider{name: id}, nil
		}
		if change != nil {
			change(p)
		}
	})
}

func TestUnreadVariables(t *testing.T) { // LG-06
	const sso = baseEnv + "|NEXT_AUTH_SSO_PROVIDERS=github|"
	for lines, want := range map[string]string{ // a warning
		"AUTH_TRUST_HOSTS=1":                  "AUTH_TRUST_HOSTS is set, and nothing reads it; there is AUTH_TRUST_HOST",
		"AUTH_SESION_MAX_AGE=1h":              "AUTH_SESION_MAX_AGE is set, and nothing reads it; there is AUTH_SESSION_MAX_AGE",
		"GITHUB_ORGANIZATION=acme":            "GITHUB_ORGANIZATION is set, and nothing reads it; there is AUTH_GITHUB_ORGANIZATIONS",
		"GITHUB_CLIENTID=x":                   "GITHUB_CLIENTID is set, and nothing reads it; there is GITHUB_CLIENT_ID",
		"AUTH_SOMETHING_ELSE_ENTIRELY=1":      "AUTH_SOMETHING_ELSE_ENTIRELY is set, and nothing reads it\"",
		"AUTH_AZURE_AD_ID=x":                  "AUTH_AZURE_AD_ID is ignored: NEXT_AUTH_SSO_PROVIDERS does not name that provider",
		"AUTH_GITHUB_TRUST_EMAIL=1":           "AUTH_GITHUB_TRUST_EMAIL is ignored: this provider does not read it",
		"AUTH_GITHUB_INTERNAL_URL=http://x":   "AUTH_GITHUB_INTERNAL_URL is ignored: this provider does not read it",
		"AUTH_GITHUB_DISCOVERY_URL=https://x": "AUTH_GITHUB_DISCOVERY_URL is ignored: this provider does not read it",
		"AUTH_INSECURE_HTTP=1":                "AUTH_INSECURE_HTTP is ignored: nothing reads it",
		"GITHUB_CLIENT_ID=x|AUTH_GITHUB_ID=y": "",
		"AUTH_GITHUB_ORGANIZATIONS=acme":      "",
		"AUTH_BRAND_NAME=Acme|PATH=/bin":      "",
		"AUTH_BRAND_COLOUR=#fff":              "AUTH_BRAND_COLOUR is set, and nothing reads it; there is AUTH_BRAND_COLOR",
		"AUTH_ALLOWED_GROUPS=staff|AUTH_URL=https://x.example|AUTH_USER_ID=subject|AUTH_TRUST_HOST=1|AUTH_SESSION_LIFETIME=7d": "",
		"AUTH0_CLIENT_ID=x|AUTH_TRUST_HOSTS=": "", // a provider that is not in use; set and empty
	} {
		_, log, err := named(sso+lines, nil)
		require.NoError(t, err, lines)
		if want == "" {
			require.NotContains(t, log, "nothing reads", lines)
			require.NotContains(t, log, "ignored: N", lines)
		} else {
			require.Contains(t, log, want, lines)
		}
		_, log, _ = fromEnv(sso+lines, nil) // without Names
		require.NotContains(t, log, "is set, and nothing reads", lines)
	}
}

// TestRestrictionIsHonouredOrAnError: in every mode, whoever knows the variable.
func TestRestrictionIsHonouredOrAnError(t *testing.T) { // PV-02, LG-06
	const sso = baseEnv + "|NEXT_AUTH_SSO_PROVIDERS=github|"
	withAll := func(p *auth.Parts) {
		p.AccessCode = accesscode.FromEnv
		p.Backend = func(auth.Env, *http.Client) (auth.Backend, error) { return stubBackend{}, nil }
	}
	for lines, want := range map[string]string{
		sso + "AUTH_GITHUB_ORGANIZATIONS=acme":                                        "",
		sso + "AUTH_AZURE_AD_ALLOWED_TENANTS=x":                                       "AUTH_AZURE_AD_ALLOWED_TENANTS is set, and cannot be honoured: NEXT_AUTH_SSO_PROVIDERS does not name that provider: name it there",
		sso + "AUTH_GITHUB_ALLOWED_TENANTS=x":                                         "AUTH_GITHUB_ALLOWED_TENANTS is set, and cannot be honoured: this provider does not read it",
		sso + "AUTH_GITHUB_GROUPS_CLAIM=roles":                                        "AUTH_GITHUB_GROUPS_CLAIM is set, and cannot be honoured: this provider does not read it",
		sso + "AUTH_GITHUB_ALGORITHMS=RS256":                                          "AUTH_GITHUB_ALGORITHMS is set, and cannot be honoured",
		"ACCESS_CODE=0123456789abcdef|AUTH_GITHUB_ORGANIZATIONS=acme":                 "AUTH_GITHUB_ORGANIZATIONS is set, and cannot be honoured: no SSO provider signs people in",
		"CLERK_PUBLISHABLE_KEY=pk|CLERK_SECRET_KEY=sk|AUTH_GITHUB_ORGANIZATIONS=acme": "AUTH_GITHUB_ORGANIZATIONS is set, and cannot be honoured: people sign in with Clerk",
	} {
		for name, read := range map[string]func(string, func(*auth.Parts)) (auth.Config, string, error){"with names": named, "without": fromEnv} {
			_, _, err := read(lines, withAll)
			if want == "" {
				if name == "with names" {
					require.NoError(t, err, lines)
				}
				continue
			}
			require.ErrorContains(t, err, want, name)
		}
	}
	for lines, want := range map[string]string{
		sso + "AUTH_ALLOWED_EMAIL=example.com": "AUTH_ALLOWED_EMAIL is set, and nothing reads it; there is AUTH_ALLOWED_EMAILS",
		sso + "AUTH_ALLOWED_DOMAINS=hunter2":   "AUTH_ALLOWED_DOMAINS is set, and nothing reads it",
		sso + "AUTH_CORP_ALLOWED_TENANTS=x":    "AUTH_CORP_ALLOWED_TENANTS is set, and cannot be honoured",
	} {
		_, _, err := named(lines, withAll)
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "hunter2")
	}
	_, _, err := named("AUTH_ALLOWED_EMAILS=example.com", withAll)
	require.ErrorContains(t, err, "one of the three is needed")
	require.NotContains(t, err.Error(), "AUTH_ALLOWED_EMAILS", "it is known")
}

func TestClerkNames(t *testing.T) {
	_, log, err := named("CLERK_PUBLISHABLE_KEY=pk|CLERK_SECRET_KEY=sk|CLERK_AUTHORISED_PARTIES=x|CLERK_WEBHOOK_SECRET=x|NEXT_PUBLIC_CLERK_SIGN_IN_URL=/x|AUTH_GITHUB_ID=x", func(p *auth.Parts) {
		p.Backend = func(env auth.Env, _ *http.Client) (auth.Backend, error) {
			env.First("CLERK_SECRET_KEY", "CLERK_AUTHORIZED_PARTIES", "NEXT_PUBLIC_CLERK_SIGN_IN_URL")
			return stubBackend{}, nil
		}
	})
	require.NoError(t, err)
	require.Contains(t, log, "CLERK_AUTHORISED_PARTIES is set, and nothing reads it; there is CLERK_AUTHORIZED_PARTIES")
	require.Contains(t, log, "AUTH_GITHUB_ID is ignored: people sign in with Clerk, and nothing else")
	require.NotContains(t, log, "WEBHOOK")
	require.NotContains(t, log, "SIGN_IN_URL")
}

// TestLongestIDCounts: AUTH_CORP_EU_ALLOWED_TENANTS is of corp-eu, not of corp.
func TestLongestIDCounts(t *testing.T) {
	const lines = baseEnv + "|NEXT_AUTH_SSO_PROVIDERS=corp|AUTH_CORP_EU_ID=x"
	for range 5 { // maps have no order
		_, log, err := named(lines, func(p *auth.Parts) {
			for _, id := range []string{"corp", "corp-eu"} {
				p.Providers[id] = p.Providers["github"]
			}
		})
		require.NoError(t, err)
		require.Contains(t, log, "AUTH_CORP_EU_ID is ignored: NEXT_AUTH_SSO_PROVIDERS does not name that provider")
	}
}

// TestBrandByEnvironment: in every mode, and never one that the pages cannot show.
func TestBrandByEnvironment(t *testing.T) { // HD-04, LG-06
	const sso = baseEnv + "|NEXT_AUTH_SSO_PROVIDERS=github|"
	for _, mode := range []string{sso, "ACCESS_CODE=0123456789abcdef|"} {
		c, _, err := fromEnv(mode+"AUTH_BRAND_NAME=ACME & Co|AUTH_BRAND_LOGO_URL=/logo.svg|AUTH_BRAND_COLOR=#1f5fbf", func(p *auth.Parts) { p.AccessCode = accesscode.FromEnv })
		require.NoError(t, err)
		require.Equal(t, auth.Brand{Name: "ACME & Co", LogoURL: "/logo.svg", Color: "#1f5fbf"}, c.Brand)
	}
	c, _, err := fromEnv(sso+"NEXTAUTH_URL=https://app.example/api/auth|AUTH_BRAND_LOGO_URL=https://app.example/logo.svg", nil)
	require.NoError(t, err)
	require.Equal(t, "https://app.example/logo.svg", c.Brand.LogoURL)
	require.Zero(t, c.Brand.Name)
	_, _, err = fromEnv(sso+"AUTH_BRAND_NAME=hunter2\u202e|AUTH_BRAND_LOGO_URL=javascript:hunter2|AUTH_BRAND_COLOR=hunter2", nil)
	for _, want := range []string{
		"AUTH_BRAND_NAME is no name for a heading: write one line of at most 60 characters",
		"AUTH_BRAND_LOGO_URL is not the address of a picture of this site, and the pages load nothing from elsewhere: set it to a path",
		"AUTH_BRAND_COLOR is no colour: write it like #1f5fbf",
	} {
		require.ErrorContains(t, err, want)
	}
	require.NotContains(t, err.Error(), "hunter2")
	for _, url := range []string{"", "|NEXTAUTH_URL=https://other.example", "|NEXTAUTH_URL=/app/api/auth"} {
		_, _, err = fromEnv(sso+"AUTH_BRAND_LOGO_URL=https://app.example/logo.svg"+url, nil)
		require.ErrorContains(t, err, "AUTH_BRAND_LOGO_URL is not the address", url)
	}
}
