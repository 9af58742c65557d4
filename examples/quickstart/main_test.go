package main

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/clerk/clerktest"
	"github.com/sallyport/auth/examples/internal/visit"
)

// TestQuickstart is a person's way through it, without a browser.
func TestQuickstart(t *testing.T) {
	said := visit.Start(t, 2, func(ctx context.Context, out io.Writer) error {
		return run(ctx, func(name string) string { return map[string]string{"PORT": "0"}[name] }, out)
	})
	site := strings.TrimPrefix(said[0], "Open ")
	_, code, _ := strings.Cut(said[1], "access code ")

	ada := visit.New(t)
	require.Contains(t, ada.Get(site+"/").Body, "Everybody may see this page")
	ways := ada.Get(site + "/account?tab=profile")
	require.Contains(t, ways.Body, "Continue with Demo")
	people := ada.Press(ways, site+"/api/auth/signin/demo", url.Values{"callbackUrl": {"/account?tab=profile"}})
	require.Contains(t, people.Body, "Ada Lovelace")
	account := ada.Follow(people, "login_hint=ada")
	require.Equal(t, "/account?tab=profile", account.At.RequestURI())
	require.Contains(t, account.Body, "Hello, Ada Lovelace.")

	other := visit.New(t)
	ways = other.Get(site + "/account")
	account = other.Press(ways, site+"/api/auth/signin/access-code", url.Values{"callbackUrl": {"/account"}, "code": {code}})
	require.Contains(t, account.Body, "came back to <code>/account</code>")
}

// TestAnyHostIsWarnedOf: where others reach it, and no address is configured.
func TestAnyHostIsWarnedOf(t *testing.T) { // HO-01
	env := map[string]string{"PORT": "0", "ACCESS_CODE": "0123456789abcdef", "NEXT_AUTH_SECRET": "kY3nC0p9V1xJm5Q8sT2wZ7bL4hF6gD0aR3eU9iOqXyE=", "NEXT_PUBLIC_ENABLE_NEXT_AUTH": "0"}
	for _, test := range []struct {
		host, address string
		want          bool
	}{{"", "", false}, {"0.0.0.0", "https://app.example.com", false}, {"0.0.0.0", "", true}, {"0.0.0.0", "/app/api/auth", true}} {
		env["HOST"], env["NEXTAUTH_URL"] = test.host, test.address
		ctx, end := context.WithCancel(context.Background())
		end() // it says all this before it serves
		var out strings.Builder
		require.NoError(t, run(ctx, func(name string) string { return env[name] }, &out))
		require.Contains(t, out.String(), "Open http://localhost:")
		require.Equal(t, test.want, strings.Contains(out.String(), "Set NEXTAUTH_URL"), out.String())
	}
}

func TestEnvironmentIsUsed(t *testing.T) {
	err := run(context.Background(), func(name string) string { return map[string]string{"NEXT_AUTH_SSO_PROVIDERS": "github"}[name] }, io.Discard)
	require.ErrorContains(t, err, "NEXT_AUTH_SECRET is not set")
	err = run(context.Background(), func(name string) string { return map[string]string{"ACCESS_CODE": "short"}[name] }, io.Discard)
	require.ErrorContains(t, err, "ACCESS_CODE has code 1")
}

// TestClerk: with Clerk's keys a person is sent to Clerk's sign-in page.
func TestClerk(t *testing.T) {
	instance := clerktest.New(clerktest.Config{Production: true})
	env := map[string]string{"PORT": "0", "NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY": instance.PublishableKey, "CLERK_SECRET_KEY": instance.SecretKey}
	said := visit.Start(t, 1, func(ctx context.Context, out io.Writer) error {
		return run(ctx, func(name string) string { return env[name] }, out)
	})
	site := strings.TrimPrefix(said[0], "Open ")
	ada := visit.New(t)
	ada.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	require.Contains(t, ada.Get(site+"/").Body, "Everybody may see this page")
	page := ada.Get(site + "/account?tab=profile")
	to, err := url.Parse(page.Header.Get("Location"))
	require.NoError(t, err)
	require.Equal(t, "accounts.example.com/sign-in", to.Host+to.Path)
	require.Equal(t, site+"/account?tab=profile", to.Query().Get("redirect_url"))

	delete(env, "CLERK_SECRET_KEY")
	require.ErrorContains(t, run(context.Background(), func(name string) string { return env[name] }, io.Discard), "CLERK_SECRET_KEY is not set")
}
