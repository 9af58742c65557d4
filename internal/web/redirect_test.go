package web_test

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html/template"
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
		"http://[::1", "%", "/\x00", "/" + strings.Repeat("a", 5000), "evil.com", s.server.URL + ".evil.com/", s.server.URL + "@evil.com/", "/.//evil.com"}
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
	b := s.browser()
	b.signIn("ada")
	page := b.get("/api/auth/signout")
	require.Contains(t, page.Header.Get("Content-Security-Policy"), "form-action 'self' https://idp.example;")
	for _, bad := range []string{"www.example.com", "https://www.example.com/", "https://www.example.com:x", "javascript://x", "http://www.example.com", "*"} {
		_, err := auth.New(auth.Config{Secrets: []auth.Secret{auth.NewSecret(testSecret)}, Providers: []auth.Provider{&stubProvider{name: "stub"}}, ReturnOrigins: []string{bad}})
		require.ErrorContains(t, err, "ReturnOrigins", bad)
	}
}

func TestRedirectsAreByGET(t *testing.T) { // HD-08, HD-05, RD-03
	s := newGated(t, nil)
	b := s.browser()
	for name, got := range map[string]answer{
		"sign-in":     b.do("POST", "/api/auth/signin/stub", url.Values{"csrfToken": {b.csrf()}}),
		"access code": b.sendCode(goodCode),
		"sign-out":    b.do("POST", "/api/auth/signout", url.Values{"csrfToken": {b.csrf()}}),
		"page":        s.browser().get("/x"),
	} {
		require.Equal(t, 303, got.StatusCode, name)
		require.Equal(t, "no-store", got.Header.Get("Cache-Control"), name)
		require.Equal(t, "same-origin", got.Header.Get("Referrer-Policy"), name)
		require.Empty(t, got.text, name)
		require.True(t, strings.HasPrefix(got.Header.Get("Location"), "https://"), "an address, not a path that browsers read otherwise: %s", name)
	}
}

func TestLengthOfAReturnPath(t *testing.T) { // RD-07
	for length, kept := range map[int]bool{1025: true, 2500: true, 4096: true, 4097: false, 5000: false} {
		s := newSite(t, nil)
		path := "/" + strings.Repeat("a", length-1)
		b := s.browser()
		b.start("stub", "//evil.example")
		require.NotContains(t, s.log.String(), "longer than", "nor is anybody's attack one of these")
		got := b.back("stub", b.start("stub", path).Get("state"), "ada").Header.Get("Location")
		require.Equal(t, kept, got == s.server.URL+path, length)
		require.Equal(t, !kept, got == s.server.URL+"/", length)
		require.Equal(t, !kept, strings.Contains(s.log.String(), "a return path is longer than 4096 bytes"), "who is on the first page for that is in the log")
		require.NotContains(t, s.log.String(), "aaaa", "what is in it is nobody's business")
	}
}

// TestDeepLinkFromTheChallengeOn: the way of a person who opens a link to a dashboard,
// with each answer within what nginx passes on by default.
func TestDeepLinkFromTheChallengeOn(t *testing.T) { // RD-07
	s := newSite(t, nil)
	b := s.browser()
	path := ("/d/abc/logs?" + strings.Repeat("var-host=web-01&from=now-6h&panel=%7B%22expr%22%3A%22rate%28x%29%22%7D&", 40))[:2500]
	got := b.get(path)
	require.Equal(t, 303, got.StatusCode)
	to, err := got.Location()
	require.NoError(t, err)
	require.Equal(t, path, to.Query().Get("callbackUrl"))
	page := b.get(to.RequestURI())
	require.Contains(t, page.text, template.HTMLEscapeString(path))
	got = b.do("POST", "/api/auth/signin/stub", url.Values{"csrfToken": {b.csrf()}, "callbackUrl": {path}})
	size := 0
	for name, values := range got.Header {
		for _, value := range values {
			size += len(name) + len(value) + len(": \r\n")
		}
	}
	require.Less(t, size, 4096-len("HTTP/1.1 303 See Other\r\n\r\n"))
	to, err = got.Location()
	require.NoError(t, err)
	require.Equal(t, s.server.URL+path, b.back("stub", to.Query().Get("state"), "ada").Header.Get("Location"))
	require.Empty(t, b.cookiesNamed("__Host-authjs.txn."))
}

// TestBothCookiesOfALongPathAreDeleted: of one in which nothing comes back.
func TestBothCookiesOfALongPathAreDeleted(t *testing.T) { // RD-07, CK-05
	s := newSite(t, nil)
	b := s.browser()
	path := "/"
	for i := 0; len(path) < 4096; i++ {
		path += fmt.Sprintf("%x", sha256.Sum256([]byte{byte(i)}))
		path += base64.RawURLEncoding.EncodeToString([]byte(path[len(path)-64:]))
	}
	path = path[:4096]
	state := b.start("stub", path).Get("state")
	require.NotEmpty(t, b.cookiesNamed("__Host-authjs.txn."))
	require.Equal(t, s.server.URL+path, b.back("stub", state, "ada").Header.Get("Location"))
	require.Empty(t, b.cookiesNamed("__Host-authjs.txn."))
}

func TestReturnPathOutsideASCII(t *testing.T) {
	s := newSite(t, nil)
	for raw, want := range map[string]string{"/chat/聊天": "/chat/%E8%81%8A%E5%A4%A9", s.server.URL + "/chat/聊天?q=你#好": "/chat/%E8%81%8A%E5%A4%A9?q=%E4%BD%A0#%E5%A5%BD"} {
		b := s.browser()
		require.Equal(t, s.server.URL+want, b.back("stub", b.start("stub", raw).Get("state"), "ada").Header.Get("Location"), raw)
	}
}

func TestReturnPathsOfAllForms(t *testing.T) { // RD-01, RD-02, RD-04, RD-06
	s := newSite(t, nil)
	for raw, want := range map[string]string{
		"/ok": "/ok", "": "/", "//evil.example": "/", "/\\evil.example": "/", "/a\r\nSet-Cookie: x=y": "/", "/%0d%0aSet-Cookie:x": "/",
		"javascript:alert(1)": "/", s.server.URL + "/ok": "/ok", s.server.URL: "/", s.server.URL + "?a": "/?a", strings.ToUpper(s.server.URL) + "/ok": "/ok",
		strings.Replace(s.server.URL, "https:", "http:", 1) + "/ok": "/", "https://evil.example" + strings.TrimPrefix(s.server.URL, "https://"): "/",
		"/api/auth": "/", "/api/auth/callback/stub?code=x": "/", "/api/%61uth/signout": "/", "/api/authx": "/api/authx",
	} {
		b := s.browser()
		got := b.do("POST", "/api/auth/signout", url.Values{"csrfToken": {b.csrf()}, "callbackUrl": {raw}})
		require.Equal(t, s.server.URL+map[bool]string{true: "/api/auth/signout", false: want}[raw == ""], got.Header.Get("Location"), "%q", raw)
		require.Empty(t, got.Header["Set-Cookie"])
		page := b.get("/api/auth/signout?" + url.Values{"callbackUrl": {raw}}.Encode())
		require.Equal(t, raw != "", strings.Contains(page.text, `href="/api/auth/signin?callbackUrl=`+strings.ToLower(url.QueryEscape(want))+`"`), "%q", raw)
		b.signIn("ada")
		page = b.get("/api/auth/signout?" + url.Values{"callbackUrl": {raw}}.Encode())
		require.Contains(t, page.text, `href="`+want+`"`, "%q", raw)
		require.Equal(t, raw != "", strings.Contains(page.text, `name="callbackUrl" value="`+want+`"`), "%q", raw)
		page = b.get("/api/auth/signin?" + url.Values{"callbackUrl": {raw}}.Encode())
		require.Contains(t, page.text, `name="callbackUrl" value="`+want+`"`, "%q", raw)
	}
}
