package main

import (
	"context"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/clerk/clerktest"
	"github.com/sallyport/auth/examples/internal/visit"
)

// TestClerk is a person's way through it, without a browser.
func TestClerk(t *testing.T) {
	said := visit.Start(t, 1, func(ctx context.Context, out io.Writer) error {
		return run(ctx, func(name string) string { return map[string]string{"PORT": "0"}[name] }, out)
	})
	site := strings.TrimPrefix(said[0], "Open ")

	ada := visit.New(t)
	require.Contains(t, ada.Get(site+"/").Body, "You are not signed in")
	people := ada.Get(site + "/account?tab=profile")
	require.Contains(t, people.Body, "Ada Lovelace")
	account := ada.Follow(people, "user_ada")
	require.Contains(t, account.Body, `<dd id="who">user_ada</dd>`)
	require.Contains(t, account.Body, `<dd id="name">Ada Lovelace</dd>`)
	require.Contains(t, account.Body, `<dd id="email">ada@example.com</dd>`)
	require.NotContains(t, account.Body, "<script", "the stand-in has no components")
	require.Equal(t, "/account", account.At.Path)

	account = ada.Get(site + "/account")
	require.Contains(t, account.Body, "user_ada", "and stays signed in")
	require.Empty(t, account.At.RawQuery)

	// The session's token is lost; a handshake brings another.
	u, err := url.Parse(site)
	require.NoError(t, err)
	lost := 0
	for _, c := range ada.Jar.Cookies(u) {
		if strings.HasPrefix(c.Name, "__session") {
			ada.Jar.SetCookies(u, []*http.Cookie{{Name: c.Name, Path: "/", MaxAge: -1}})
			lost++
		}
	}
	require.Equal(t, 2, lost, "with the instance's suffix and without")
	require.Contains(t, ada.Get(site+"/account").Body, "user_ada")

	ada.Press(ada.Get(site+"/api/auth/signout"), site+"/api/auth/signout", nil)
	require.Contains(t, ada.Get(site+"/account").Body, "Who are you?", "signed out at Clerk too")
}

// TestWithKeys: the page brings the components of the instance that the keys are of.
func TestWithKeys(t *testing.T) {
	instance := clerktest.New(clerktest.Config{})
	env := map[string]string{"NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY": instance.PublishableKey, "CLERK_SECRET_KEY": instance.SecretKey}
	mux := http.NewServeMux()
	config, site, err := configure(func(name string) string { return env[name] }, "http://localhost:3000", mux)
	require.NoError(t, err)
	_, err = auth.New(config)
	require.NoError(t, err)
	w := httptest.NewRecorder()
	site.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	require.Contains(t, w.Body.String(), `src="https://`+instance.FrontendAPI+`/npm/@clerk/clerk-js@5/dist/clerk.browser.js"`)
	require.Contains(t, html.UnescapeString(w.Body.String()), `data-clerk-publishable-key="`+instance.PublishableKey+`"`)
	require.NotContains(t, w.Body.String(), instance.SecretKey)
	env["CLERK_SECRET_KEY"] = ""
	_, _, err = configure(func(name string) string { return env[name] }, "http://localhost:3000", mux)
	require.ErrorContains(t, err, "CLERK_SECRET_KEY")
}
