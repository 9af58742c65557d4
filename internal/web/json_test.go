package web_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/session"
)

func TestHeadersOfJSON(t *testing.T) { // HD-01, HD-09, CS-06
	s := newSite(t, nil)
	b := s.browser()
	for _, path := range []string{"/api/auth/session", "/api/auth/csrf", "/api/auth/providers"} {
		h := b.get(path, "Origin", s.server.URL).Header
		require.Equal(t, "application/json; charset=utf-8", h.Get("Content-Type"), path)
		require.Equal(t, "nosniff", h.Get("X-Content-Type-Options"), path)
		require.Equal(t, "same-origin", h.Get("Cross-Origin-Resource-Policy"), path)
		require.Equal(t, "private, no-cache, no-store", h.Get("Cache-Control"), path)
		require.Empty(t, h.Get("Access-Control-Allow-Origin"), path)
	}
}

func TestWhatIsNoJSON(t *testing.T) {
	s := newSite(t, func(c *auth.Config) {
		c.Session.Public = func(_ *session.Session, shown *session.View) { shown.More["odd"] = make(chan int) }
	})
	b := s.browser()
	require.Equal(t, "null", b.get("/api/auth/session").text)
	b.back("stub", b.start("stub", "/").Get("state"), "ada")
	got := b.get("/api/auth/session")
	require.Equal(t, 500, got.StatusCode)
	require.Equal(t, "null", got.text, "nothing half-written")
	require.Contains(t, s.log.String(), "unsupported type")
}

func TestProvidersKeepTheirOrder(t *testing.T) { // clients draw buttons from it
	a := newAuth(t, func(c *auth.Config) {
		c.Providers = nil
		for _, name := range []string{"zulu", "alpha", "mike", "bravo"} {
			c.Providers = append(c.Providers, &stubProvider{name: name})
		}
	})
	entry := func(name string) string {
		return `"` + name + `":{"id":"` + name + `","name":"` + name + `","type":"oidc","signinUrl":"https://app.example/api/auth/signin/` +
			name + `","callbackUrl":"https://app.example/api/auth/callback/` + name + `"}`
	}
	require.Equal(t, "{"+entry("zulu")+","+entry("alpha")+","+entry("mike")+","+entry("bravo")+"}",
		serve(a, "GET", "https://app.example/api/auth/providers", "").Body.String())
	none := newAuth(t, func(c *auth.Config) { c.Providers, c.Backend = nil, &personBackend{} })
	require.Equal(t, "{}", serve(none, "GET", "https://app.example/api/auth/providers", "").Body.String())
}
