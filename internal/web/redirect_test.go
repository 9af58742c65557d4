package web_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
)

func TestReturnPaths(t *testing.T) { // RD-01, RD-02, RD-06, RD-07, RD-08
	s := newSite(t, nil)
	b := s.browser()
	home := []string{"//evil.com", "/\\evil.com", "https://evil.com", "/%09/evil.com", "/api/auth/signout", "/api/auth/signin?x", "javascript:alert(1)",
		"http://[::1", "%", "/\x00", "/" + strings.Repeat("a", 2000), "evil.com", s.server.URL + ".evil.com/", s.server.URL + "@evil.com/", "/.//evil.com"}
	for _, raw := range home {
		got := b.back("stub", b.start("stub", raw).Get("state"), "ada")
		require.Equal(t, s.server.URL+"/", got.Header.Get("Location"), raw)
	}
	for raw, want := range map[string]string{s.server.URL + "/in?x=1": "/in?x=1", "/ok?next=//evil": "/ok?next=//evil", "": "/"} {
		got := b.back("stub", b.start("stub", raw).Get("state"), "ada")
		require.Equal(t, s.server.URL+want, got.Header.Get("Location"), raw)
	}
}

func TestReturnRedirectHeader(t *testing.T) {
	s := newSite(t, nil)
	b := s.browser()
	got := b.do("POST", "/api/auth/signin/stub", url.Values{"csrfToken": {b.csrf()}}, "X-Auth-Return-Redirect", "1")
	require.Equal(t, 200, got.StatusCode)
	require.Contains(t, got.text, `{"url":"https://idp.example/authorize?`)
	require.Equal(t, `{"stub":{"id":"stub","name":"stub","type":"oidc","signinUrl":"`+s.server.URL+`/api/auth/signin/stub","callbackUrl":"`+s.server.URL+`/api/auth/callback/stub"},"other":{"id":"other","name":"other","type":"oidc","signinUrl":"`+s.server.URL+`/api/auth/signin/other","callbackUrl":"`+s.server.URL+`/api/auth/callback/other"}}`, b.get("/api/auth/providers").text)
}

func TestNextAuthV4sClient(t *testing.T) {
	s := newSite(t, func(c *auth.Config) { c.NextAuthV4 = true })
	b := s.browser()
	require.Equal(t, "{}", b.get("/api/auth/session").text)
	got := b.do("POST", "/api/auth/signin/stub", url.Values{"csrfToken": {b.csrf()}, "callbackUrl": {s.server.URL + "/x"}, "json": {"true"}})
	require.Equal(t, 200, got.StatusCode)
	require.Contains(t, got.text, "https://idp.example/authorize?")
	got = b.do("POST", "/api/auth/signin/stub", url.Values{"csrfToken": {"wrong"}, "json": {"true"}})
	require.JSONEq(t, `{"url":"`+s.server.URL+`/api/auth/signin?error=MissingCSRF"}`, got.text)
	b.signIn("ada")
	got = b.do("POST", "/api/auth/signout", url.Values{"csrfToken": {b.csrf()}, "callbackUrl": {s.server.URL + "/bye"}, "json": {"true"}})
	require.JSONEq(t, `{"url":"`+s.server.URL+`/bye"}`, got.text)
	require.Equal(t, "{}", b.get("/api/auth/session").text)
}

func TestReturnOrigins(t *testing.T) { // RD-02
	s := newSite(t, func(c *auth.Config) { c.ReturnOrigins = []string{"https://idp.example"} })
	for raw, want := range map[string]string{
		"https://idp.example/page?x#y":          "https://idp.example/page?x#y",
		"https://idp.example":                   "https://idp.example/",
		"https://idp.example/api/auth/x":        s.server.URL + "/",
		"https://idp.example.evil.example/":     s.server.URL + "/",
		"https://idp.example@evil.example/":     s.server.URL + "/",
		"https://idp.example//evil.example":     s.server.URL + "/",
		"http://idp.example/":                   s.server.URL + "/",
		"https://evil.example/?https://idp.exa": s.server.URL + "/",
	} {
		b := s.browser()
		got := b.back("stub", b.start("stub", raw).Get("state"), "ada")
		require.Equal(t, want, got.Header.Get("Location"), raw)
		got = b.do("POST", "/api/auth/signout", url.Values{"csrfToken": {b.csrf()}, "callbackUrl": {raw}})
		require.Equal(t, want, got.Header.Get("Location"), raw)
	}
	page := s.browser().get("/api/auth/signout")
	require.Contains(t, page.Header.Get("Content-Security-Policy"), "form-action 'self' https://idp.example;")
	for _, bad := range []string{"www.example.com", "https://www.example.com/", "https://WWW.example.com", "javascript://x", "http://www.example.com", "*"} {
		_, err := auth.New(auth.Config{Secrets: []auth.Secret{auth.NewSecret(testSecret)}, Providers: []auth.Provider{&stubProvider{name: "stub"}}, ReturnOrigins: []string{bad}})
		require.ErrorContains(t, err, "ReturnOrigins", bad)
	}
}
