package main

import (
	"context"
	"io"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/examples/internal/visit"
)

// TestBranded is a person's way through it: the site's own sign-in page, which loads what
// its policy lets it load, and a page of package auth in the site's colours.
func TestBranded(t *testing.T) {
	said := visit.Start(t, 1, func(ctx context.Context, out io.Writer) error {
		return run(ctx, func(name string) string { return map[string]string{"PORT": "0"}[name] }, out)
	})
	site := strings.TrimPrefix(said[0], "Open ")
	ada := visit.New(t)
	require.Contains(t, ada.Get(site+"/").Body, "Second-hand books")

	signIn := ada.Get(site + "/shelf")
	require.Contains(t, signIn.Body, "<h1>Sign in to Harbour Books</h1>")
	require.Less(t, strings.Index(signIn.Body, "Continue with Reader account"), strings.Index(signIn.Body, "Continue with Library card"))
	require.NotContains(t, signIn.Body, "Last used")
	policy := signIn.Header.Get("Content-Security-Policy")
	require.Regexp(t, `^default-src 'none'; style-src 'self' 'sha256-[^ ]+'; img-src 'self'; font-src 'self'; form-action`, policy)
	for _, path := range []string{"/static/site.css", "/static/logo.svg", "/static/harbour.svg"} {
		require.Equal(t, 200, ada.Get(site+path).Status, "without signing in: %s", path)
	}

	people := ada.Press(signIn, site+"/api/auth/signin/library", url.Values{"callbackUrl": {"/shelf"}})
	shelf := ada.Follow(people, "login_hint=ada")
	require.Equal(t, "/shelf", shelf.At.Path)
	require.Contains(t, shelf.Body, "Welcome aboard, Ada Lovelace")

	signOut := ada.Get(site + "/api/auth/signout")
	require.Contains(t, signOut.Body, `src="/api/auth/logo/`)
	require.Contains(t, signOut.Body, "--accent:#0b5351;--on-accent:#ffffff")
	signedOut := ada.Press(signOut, site+"/api/auth/signout", nil)
	require.Contains(t, signedOut.Body, "<h1>You are signed out</h1>")
	require.Contains(t, signedOut.Body, `href="/static/site.css"`)

	again := ada.Get(site + "/api/auth/signin")
	require.Contains(t, again.Body, `<span>Continue with Library card</span><span class="tag">Last used</span>`)
	require.Equal(t, 1, strings.Count(again.Body, "Last used"))
	failed := ada.Get(site + "/api/auth/callback/library?state=x&error=access_denied")
	require.Contains(t, failed.Body, "You were signing in with Library card.")
}
