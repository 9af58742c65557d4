package web_test

import (
	"html/template"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
)

// hostileLogo is a drawing that would do something, if it could.
const hostileLogo = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1" onload="alert(1)"><script>alert(2)</script></svg>`

func TestBrandOnThePages(t *testing.T) {
	s := newSite(t, func(c *auth.Config) {
		c.Brand = auth.Brand{Name: "ACME <3", LogoURL: "/logo.svg", Color: "#b3261e", TermsURL: "/terms", HelpURL: "https://help.example/"}
	})
	got := s.browser().get("/api/auth/signin")
	require.Contains(t, got.text, "<title>Sign in to ACME &lt;3</title>")
	require.Contains(t, got.text, "<h1>Sign in to ACME &lt;3</h1>")
	require.Contains(t, got.text, `<img src="/logo.svg" alt=""`)
	require.Contains(t, got.text, "--accent:#b3261e")
	require.Contains(t, got.text, `<a href="/terms">`)
	require.Contains(t, got.text, `<a href="https://help.example/">`)
	require.Contains(t, s.browser().get("/api/auth/signin", "Accept-Language", "zh").text, "<h1>登录 ACME &lt;3</h1>")
	for _, path := range []string{"/api/auth/signout", "/api/auth/error", "/api/auth/nothing"} {
		got := s.browser().get(path)
		require.Contains(t, got.text, `<img src="/logo.svg" alt="ACME &lt;3"`, path)
		require.Contains(t, got.text, `<a href="/terms">`, path)
	}
}

func TestSignInPageNamesTheHost(t *testing.T) { // HD-04
	a := newAuth(t, func(c *auth.Config) { c.URL = "" })
	page := func(host string) string {
		return serve(a, "GET", "https://"+host+"/api/auth/signin", "").Body.String()
	}
	require.Contains(t, page("app.example:8443"), "<h1>Sign in to app.example</h1>")
	require.Contains(t, page("[::1]:3000"), "<h1>Sign in to ::1</h1>")
	require.Contains(t, serve(newAuth(t, nil), "GET", "https://evil.example/api/auth/signin", "").Body.String(), "<h1>Sign in to app.example</h1>", "Config.URL's")
	for _, bad := range []string{"<script>", "a\u202eb.example", strings.Repeat("a", 10_000)} {
		r := httptest.NewRequest("GET", "/api/auth/signin", nil)
		r.Host = bad
		w := httptest.NewRecorder()
		a.ServeHTTP(w, r)
		require.Equal(t, 400, w.Code, "%.20q", bad)
		require.NotContains(t, w.Body.String(), bad)
	}
}

func TestPathsOfABrandHaveThePrefix(t *testing.T) {
	a := newAuth(t, func(c *auth.Config) {
		c.URL = "https://app.example/app/api/auth"
		c.Brand = auth.Brand{LogoURL: "/logo.svg", TermsURL: "/app/terms", PrivacyURL: "https://app.example/privacy"}
		c.Templates, c.TemplateScripts = template.Must(template.New("signin").Parse(`{{.LogoURL}} {{.TermsURL}} {{.PrivacyURL}}`)), []string{"/a.js"}
	})
	w := serve(a, "GET", "https://app.example/app/api/auth/signin", "")
	require.Equal(t, "/app/logo.svg /app/terms https://app.example/privacy", w.Body.String())
	require.Contains(t, w.Header().Get("Content-Security-Policy"), "; script-src https://app.example/app/a.js;")
}

// TestLogoIsServed by an address that never means another picture, and runs nothing.
func TestLogoIsServed(t *testing.T) { // HD-01, HD-03, HD-09
	s := newSite(t, func(c *auth.Config) { c.Brand.Logo = []byte(hostileLogo) })
	b := s.browser()
	page := b.get("/api/auth/signin")
	_, rest, ok := strings.Cut(page.text, `<img src="`)
	require.True(t, ok)
	address, _, _ := strings.Cut(rest, `"`)
	require.Regexp(t, `^/api/auth/logo/[0-9a-f]{16}$`, address)
	require.NotContains(t, page.text, "alert(", "it is never a part of the page")
	require.Less(t, len(page.text), 20_000)
	require.Contains(t, page.Header.Get("Content-Security-Policy"), "img-src 'self';")

	got := b.get(address)
	require.Equal(t, 200, got.StatusCode)
	require.Equal(t, hostileLogo, got.text)
	require.Equal(t, "image/svg+xml", got.Header.Get("Content-Type"))
	require.Equal(t, "public, max-age=31536000, immutable", got.Header.Get("Cache-Control"))
	require.Equal(t, "nosniff", got.Header.Get("X-Content-Type-Options"))
	require.Equal(t, "default-src 'none'; style-src 'unsafe-inline'; sandbox", got.Header.Get("Content-Security-Policy"))
	require.Empty(t, got.Header["Set-Cookie"], "a shared cache may keep it")
	require.Empty(t, got.Header["Vary"])
	require.Equal(t, 200, b.do("HEAD", address, nil).StatusCode)
	for _, other := range []string{address + "0", "/api/auth/logo/", "/api/auth/logo/0000000000000000", address + "/"} {
		require.Equal(t, 404, b.get(other).StatusCode, other)
	}
	require.NotEqual(t, 200, b.do("POST", address, nil).StatusCode)
	require.Equal(t, 404, newSite(t, nil).browser().get("/api/auth/logo/").StatusCode)
}

func TestLogoOfAnotherOrigin(t *testing.T) { // HD-03, HD-05
	for address, urls := range map[string][]string{
		"https://app.example":          {"https://app.example/logo.png", "https://APP.example/logo.png", "/logo.png"},
		"https://app.example/api/auth": {"https://app.example/logo.png"},
	} {
		for _, logo := range urls {
			_, err := auth.New(branded(address, auth.Brand{LogoURL: logo}))
			require.NoError(t, err, logo)
		}
	}
	for _, test := range [][2]string{
		{"https://app.example", "https://cdn.example/logo.png"},
		{"https://app.example", "https://app.example:8443/logo.png"},
		{"http://localhost:3000", "https://localhost:3000/logo.png"},
		{"", "https://app.example/logo.png"},
		{"/app/api/auth", "https://app.example/logo.png"},
	} {
		_, err := auth.New(branded(test[0], auth.Brand{LogoURL: test[1]}))
		require.ErrorContains(t, err, "Config.Brand.LogoURL is not at the origin of Config.URL", test)
	}
	_, err := auth.New(branded("", auth.Brand{Name: "a\nb", Color: "red"}))
	require.ErrorContains(t, err, "Brand.Name")
	require.ErrorContains(t, err, "Brand.Color")
}

func branded(url string, b auth.Brand) auth.Config {
	return auth.Config{Secrets: []auth.Secret{auth.NewSecret(testSecret)}, URL: url, Providers: []auth.Provider{&stubProvider{name: "x"}}, Brand: b}
}
