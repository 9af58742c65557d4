package web_test

import (
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/session"
)

func TestSignOut(t *testing.T) { // CS-03, CS-05, SE-04
	s := newSite(t, nil)
	b := s.browser()
	b.signIn("ada")
	stolen := b.cookiesNamed("__Secure-authjs.session-token")[0].Value
	require.Equal(t, 200, b.get("/api/auth/signout").StatusCode)
	b.get("/api/auth/signout", "X-HTTP-Method-Override", "POST")
	require.Equal(t, 403, b.do("POST", "/api/auth/signout", url.Values{}).StatusCode)
	require.Equal(t, 403, b.do("POST", "/api/auth/signout", url.Values{"csrfToken": {b.csrf()}}, "Sec-Fetch-Site", "same-site").StatusCode)
	require.Equal(t, "ada", b.who(), "nothing of that signs anybody out")
	got := b.do("POST", "/api/auth/signout", url.Values{"csrfToken": {b.csrf()}, "callbackUrl": {s.server.URL + "/bye"}})
	require.Equal(t, s.server.URL+"/bye", got.Header.Get("Location"))
	require.Empty(t, b.who())
	require.Empty(t, b.cookiesNamed("__Secure-authjs.session-token"))
	thief := s.browser()
	u, _ := url.Parse(s.server.URL)
	thief.Jar.SetCookies(u, []*http.Cookie{{Name: "__Secure-authjs.session-token", Value: stolen, Secure: true, Path: "/"}})
	require.Empty(t, thief.who(), "this process refuses the token too")
}

func TestSignOutPage(t *testing.T) { // CS-03
	s := newSite(t, nil)
	b := s.browser()
	nobody := b.get("/api/auth/signout")
	require.Equal(t, 200, nobody.StatusCode)
	require.Contains(t, nobody.text, "You are signed out")
	require.NotContains(t, nobody.text, "<form")
	b.signIn("ada")
	page := b.get("/api/auth/signout?callbackUrl=/bye")
	require.Contains(t, page.text, "Signed in as <strong><bdi>Ada</bdi></strong>")
	require.Contains(t, page.text, `name="callbackUrl" value="/bye"`)
	require.Contains(t, page.text, `name="csrfToken" value="`+b.csrf()+`"`)
	for _, header := range [][]string{{"Sec-Fetch-Dest", "image", "Sec-Fetch-Mode", "no-cors"}, {"X-HTTP-Method-Override", "POST"}} {
		b.get("/api/auth/signout?_method=POST", header...)
		require.Equal(t, "ada", b.who(), "a picture signs nobody out")
	}
}

func TestSignOutOfNobody(t *testing.T) {
	s := newSite(t, nil)
	b := s.browser()
	got := b.do("POST", "/api/auth/signout", url.Values{"csrfToken": {b.csrf()}, "callbackUrl": {"/bye"}})
	require.Equal(t, s.server.URL+"/bye", got.Header.Get("Location"))
	require.Empty(t, s.kinds(), "nothing happened")
}

func TestSignOutWhileTheStoreIsDown(t *testing.T) { // SE-06, SE-04
	down := false
	s := newSite(t, func(c *auth.Config) { c.Session.Store = downStore{session.NewMemoryStore(0, nil), &down} })
	b := s.browser()
	b.signIn("ada")
	token := b.csrf()
	down = true
	got := b.do("POST", "/api/auth/signout", url.Values{"csrfToken": {token}})
	require.Equal(t, 503, got.StatusCode)
	require.Equal(t, "5", got.Header.Get("Retry-After"))
	require.Contains(t, got.text, s.last().RequestID)
	require.Equal(t, auth.EventSessionFailed, s.last().Kind, "it was no sign-in")
	require.Equal(t, "StoreUnavailable", s.last().Reason)
	require.ErrorIs(t, s.last().Err, auth.ErrStore)
	require.NotContains(t, s.kinds(), auth.EventSignedOut)
	require.NotEmpty(t, b.cookiesNamed(sessionCookie), "who is told so may try again")
}

func TestSignOutOfABackend(t *testing.T) { // SE-04
	p := &personBackend{}
	s := newSite(t, func(c *auth.Config) { c.Backend = p })
	b := s.browser()
	got := b.do("POST", "/api/auth/signout", url.Values{"csrfToken": {b.csrf()}}, "X-Person", "bob")
	require.Equal(t, 303, got.StatusCode)
	require.Equal(t, []string{"bob"}, p.out)
	require.Equal(t, auth.Event{Kind: auth.EventSignedOut, Provider: "backend", Issuer: "https://backend.example", Subject: "bob", Client: netip.MustParseAddr("127.0.0.1")}, s.last())
	b.do("POST", "/api/auth/signout", url.Values{"csrfToken": {b.csrf()}})
	require.Len(t, p.out, 1, "nobody was signed in")
	b.signIn("ada")
	b.do("POST", "/api/auth/signout", url.Values{"csrfToken": {b.csrf()}}, "X-Person", "bob")
	require.Len(t, p.out, 1, "a session of ours counts first, and is the one that ends")
	require.Equal(t, "ada", s.last().Subject)

	p.failOut = errors.New("10.0.0.3 does not answer")
	got = b.do("POST", "/api/auth/signout", url.Values{"csrfToken": {b.csrf()}}, "X-Person", "bob")
	require.Equal(t, 503, got.StatusCode)
	require.NotContains(t, got.text, "10.0.0.3")
	require.Contains(t, s.log.String(), "10.0.0.3")
}

func TestSignOutStraightToAProvider(t *testing.T) {
	s := newSite(t, func(c *auth.Config) { c.StraightToProvider, c.Providers = true, c.Providers[:1] })
	b := s.browser()
	b.signIn("ada")
	got := b.do("POST", "/api/auth/signout", url.Values{"csrfToken": {b.csrf()}, "callbackUrl": {"/bye"}})
	require.Equal(t, s.server.URL+"/api/auth/signout?callbackUrl=%2Fbye&provider=stub", got.Header.Get("Location"))
	page := b.get(got.Header.Get("Location"))
	require.Equal(t, 200, page.StatusCode)
	require.Contains(t, page.text, "You are signed out")
}

func TestSignedOutPagesAreNotInTheBrowsersMemory(t *testing.T) { // HD-11
	s := newSite(t, nil)
	b := s.browser()
	b.signIn("ada")
	require.Contains(t, b.get("/page").Header.Get("Cache-Control"), "no-store")
	b.do("POST", "/api/auth/signout", url.Values{"csrfToken": {b.csrf()}})
	require.Equal(t, 303, b.get("/page").StatusCode)
}
