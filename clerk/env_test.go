package clerk_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/clerk"
	"github.com/sallyport/auth/clerk/clerktest"
)

func TestClockSkewFromEnv(t *testing.T) {
	instance := clerktest.New(clerktest.Config{})
	env := map[string]string{"CLERK_PUBLISHABLE_KEY": instance.PublishableKey, "CLERK_SECRET_KEY": instance.SecretKey}
	for value, want := range map[string]time.Duration{"": 0, "30s": 30 * time.Second, "1m": time.Minute} {
		env["CLERK_CLOCK_SKEW"] = value
		c, err := clerk.ConfigFromEnv(func(name string) string { return env[name] })
		require.NoError(t, err, value)
		require.Equal(t, want, c.ClockSkew)
		_, err = clerk.New(c)
		require.NoError(t, err)
	}
	for _, bad := range []string{"1h", "61s", "0", "-5s", "5", "5000"} {
		env["CLERK_CLOCK_SKEW"] = bad
		_, err := clerk.ConfigFromEnv(func(name string) string { return env[name] })
		require.ErrorContains(t, err, "auth: CLERK_CLOCK_SKEW is ", bad)
	}
}

func TestPagesAndDomainsFromEnv(t *testing.T) { // LG-06
	instance := clerktest.New(clerktest.Config{})
	read := func(more map[string]string) (clerk.Config, error) {
		env := map[string]string{"CLERK_PUBLISHABLE_KEY": instance.PublishableKey, "CLERK_SECRET_KEY": instance.SecretKey}
		maps.Copy(env, more)
		return clerk.ConfigFromEnv(func(name string) string { return env[name] })
	}
	c, err := read(nil)
	require.NoError(t, err)
	require.Equal(t, []any{"", "", "", "", false}, []any{c.SignInURL, c.SignUpURL, c.ProxyURL, c.Domain, c.Satellite})
	c, err = read(map[string]string{
		"CLERK_SIGN_IN_URL": "/other", "NEXT_PUBLIC_CLERK_SIGN_IN_URL": "https://example.com/sign-in", "NEXT_PUBLIC_CLERK_SIGN_UP_URL": "/sign-up",
		"CLERK_MACHINE_SECRET_KEY": "ak_1", "CLERK_PROXY_URL": "/__clerk", "CLERK_IS_SATELLITE": "true", "NEXT_PUBLIC_CLERK_DOMAIN": "example.net",
	})
	require.NoError(t, err)
	require.Equal(t, []any{"https://example.com/sign-in", "/sign-up", "/__clerk", "example.net", true}, []any{c.SignInURL, c.SignUpURL, c.ProxyURL, c.Domain, c.Satellite})
	require.Equal(t, "ak_1", c.MachineSecretKey.Reveal())
	_, err = clerk.New(c)
	require.NoError(t, err)
	for said, want := range map[string]bool{"1": true, "true": true, "0": false, "false": false} {
		c, err = read(map[string]string{"NEXT_PUBLIC_CLERK_IS_SATELLITE": said, "CLERK_DOMAIN": "example.net", "CLERK_SIGN_IN_URL": "https://example.com/in"})
		require.NoError(t, err)
		require.Equal(t, want, c.Satellite, said)
	}

	for name, test := range map[string]struct {
		env  map[string]string
		want string
	}{
		"another host's path":    {map[string]string{"NEXT_PUBLIC_CLERK_SIGN_IN_URL": "//hunter2.example/"}, "auth: NEXT_PUBLIC_CLERK_SIGN_IN_URL is no page"},
		"a page without slash":   {map[string]string{"CLERK_SIGN_UP_URL": "hunter2"}, "auth: CLERK_SIGN_UP_URL is no page"},
		"another host's proxy":   {map[string]string{"CLERK_PROXY_URL": "//hunter2"}, "auth: CLERK_PROXY_URL is no https address and no path"},
		"another's secret":       {map[string]string{"CLERK_MACHINE_SECRET_KEY": "sk_live_hunter2"}, "auth: CLERK_MACHINE_SECRET_KEY is no machine's secret key"},
		"itself":                 {map[string]string{"CLERK_IS_SATELLITE": "true", "CLERK_DOMAIN": "hunter2.example", "CLERK_SIGN_IN_URL": "https://hunter2.example/in"}, "auth: CLERK_SIGN_IN_URL is on the satellite domain itself"},
		"neither true nor false": {map[string]string{"NEXT_PUBLIC_CLERK_IS_SATELLITE": "hunter2"}, "auth: NEXT_PUBLIC_CLERK_IS_SATELLITE is neither true nor false"},
		"an address as domain":   {map[string]string{"CLERK_DOMAIN": "https://hunter2.example"}, "auth: CLERK_DOMAIN is no domain"},
		"a satellite of nobody":  {map[string]string{"CLERK_IS_SATELLITE": "true", "CLERK_SIGN_IN_URL": "https://example.com/in"}, "auth: CLERK_DOMAIN is not set"},
		"no primary":             {map[string]string{"CLERK_IS_SATELLITE": "true", "CLERK_DOMAIN": "example.net"}, "auth: CLERK_SIGN_IN_URL is no page of the primary"},
		"its own primary":        {map[string]string{"CLERK_IS_SATELLITE": "true", "CLERK_DOMAIN": "example.net", "NEXT_PUBLIC_CLERK_SIGN_IN_URL": "/sign-in"}, "auth: NEXT_PUBLIC_CLERK_SIGN_IN_URL is no page of the primary"},
	} {
		_, err := read(test.env)
		require.ErrorContains(t, err, test.want, name)
		require.NotContains(t, err.Error(), "hunter2", name)
		require.Equal(t, 1, strings.Count(err.Error(), "auth: "), "%s: nothing else: %v", name, err)
	}
}
