package web_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
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
