package web_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
)

func TestReturnOriginsOfOneLabel(t *testing.T) { // RD-02, RD-04
	stub := &stubProvider{name: "stub"}
	a := newAuth(t, func(c *auth.Config) {
		c.Session.CookieDomain, c.Providers = "Example.com", []auth.Provider{stub}
		c.ReturnOrigins = []string{"https://*.example.com", "https://*.Eu.example.com:8443"}
	})
	const home = "/"
	for raw, want := range map[string]string{
		"https://a.example.com/page?x#y":           "https://a.example.com/page?x#y",
		"https://a.example.com":                    "https://a.example.com/",
		"https://a.example.com?x":                  "https://a.example.com/?x",
		"https://A.Example.COM:443/x":              "https://a.example.com/x",
		"https://bücher.example.com/x":             "https://xn--bcher-kva.example.com/x",
		"https://xn--bcher-kva.example.com/x":      "https://xn--bcher-kva.example.com/x",
		"https://a.eu.example.com:8443/x":          "https://a.eu.example.com:8443/x",
		"https://a.example.com/api/auth/x":         home, // ours
		"https://a.example.com//evil.example":      home,
		"https://a.b.example.com/":                 home,
		"https://.example.com/":                    home,
		"https://example.com/":                     home,
		"https://-.example.com/":                   home,
		"https://*.example.com/":                   home,
		"https://aexample.com/":                    home,
		"https://a.example.com./":                  "https://a.example.com/",
		"https://a.example.com.attacker.example/":  home,
		"https://evil.example.com.attacker":        home,
		"https://a.example.com@attacker.example/":  home,
		"https://attacker@a.example.com/":          home,
		"https://attacker.example/a.example.com":   home,
		"https://attacker.example\\a.example.com/": home,
		"https://attacker.example\\.example.com/":  home,
		"https://attacker.example/.example.com/":   home,
		"https://attacker?.example.com/":           home,
		"https://attacker#.example.com/":           home,
		"https://attacker%2f.example.com/":         home,
		"https://attacker:1.example.com/":          home,
		"https://a.example.com:8443/":              home,
		"https://a.eu.example.com/":                home,
		"https://a.example.com:443@attacker/":      home,
		"http://a.example.com/":                    home,
		"http://a.example.com:443/":                home,
		"//a.example.com/":                         home,
		"https:a.example.com/":                     home,
		"https:///a.example.com/":                  home,
		"https://a\t.example.com/":                 home,
		"https://a。example.com/":                   home,
	} {
		page := serve(a, "GET", "https://app.example/api/auth/signin?callbackUrl="+url.QueryEscape(raw), "").Body.String()
		require.Contains(t, page, `name="callbackUrl" value="`+want+`"`, raw)
	}
	page := serve(a, "GET", "https://app.example/api/auth/signout", "", "Cookie", cookieHeader(sealedCookie(t, a, stub)))
	require.Contains(t, page.Header().Get("Content-Security-Policy"), "form-action 'self' https://*.example.com https://*.eu.example.com:8443;")
}

func TestReturnOriginsThatAreNone(t *testing.T) { // RD-02
	for bad, domain := range map[string]string{
		"https://*.example.org":    "example.com",
		"https://*.com":            "example.com",
		"https://*":                "example.com",
		"https://*.":               "example.com",
		"https://*.badexample.com": "example.com",
		"https://*.example.com":    "",
		"https://*.a.example.com":  "b.example.com",
		"http://*.example.com":     "example.com",
		"https://*.*.example.com":  "example.com",
		"https://a*.example.com":   "example.com",
		"https://a.*.example.com":  "example.com",
		"https://*.example.com/":   "example.com",
		"https://u@*.example.com":  "example.com",
		"*.example.com":            "example.com",
	} {
		c := auth.Config{Secrets: []auth.Secret{auth.NewSecret(testSecret)}, Providers: []auth.Provider{&stubProvider{name: "stub"}}, ReturnOrigins: []string{bad}}
		c.Session.CookieDomain = domain
		_, err := auth.New(c)
		require.ErrorContains(t, err, "auth: Config.ReturnOrigins: ", bad)
	}
}

// TestBackToTheOriginThatWasAsked: one address of the routes, several hosts of the
// application.
func TestBackToTheOriginThatWasAsked(t *testing.T) { // RD-02, RD-06
	for name, x := range map[string]struct {
		origins []string
		domain  string // of the session
		target  string
		headers []string
		want    string
	}{
		"another origin":             {[]string{"https://client1.example.com"}, "example.com", "https://client1.example.com/report?x=1", nil, "https://client1.example.com/report?x=1"},
		"one of a pattern":           {[]string{"https://*.example.com"}, "example.com", "https://client1.example.com/report?x=1", nil, "https://client1.example.com/report?x=1"},
		"behind a proxy":             {[]string{"https://client1.example.com"}, "example.com", "http://10.0.0.7:3000/x", []string{"X-Forwarded-Host", "client1.example.com", "X-Forwarded-Proto", "https"}, "https://client1.example.com/x"},
		"one that says no scheme":    {[]string{"https://client1.example.com"}, "example.com", "http://client1.example.com/x", nil, "https://client1.example.com/x"},
		"the host of the routes":     {[]string{"https://client1.example.com"}, "example.com", "https://auth.example.com/x", nil, "/x"},
		"that host in a pattern":     {[]string{"https://*.example.com"}, "example.com", "https://auth.example.com/x", nil, "/x"},
		"a host that nobody named":   {[]string{"https://client1.example.com"}, "example.com", "https://client2.example.com/x", nil, "/x"},
		"another port":               {[]string{"https://client1.example.com"}, "example.com", "https://client1.example.com:8443/x", nil, "/x"},
		"two labels of a pattern":    {[]string{"https://*.example.com"}, "example.com", "https://a.b.example.com/x", nil, "/x"},
		"a session of one host":      {[]string{"https://client1.example.com"}, "", "https://client1.example.com/x", nil, "/x"},
		"a host of another domain":   {[]string{"https://client1.example.org"}, "example.com", "https://client1.example.org/x", nil, "/x"},
		"a path that leads nowhere":  {[]string{"https://client1.example.com"}, "example.com", "https://client1.example.com//evil.example", nil, "https://client1.example.com/"},
		"a path that is too long":    {[]string{"https://client1.example.com"}, "example.com", "https://client1.example.com/" + strings.Repeat("a", 5000), nil, "https://client1.example.com/"},
		"a host that a client makes": {[]string{"https://client1.example.com"}, "example.com", "https://auth.example.com/x", []string{"X-Forwarded-Host", "client1.example.com.attacker.example"}, "/x"},
	} {
		a := newAuth(t, func(c *auth.Config) {
			c.URL, c.ReturnOrigins, c.Session.CookieDomain = "https://auth.example.com/api/auth", x.origins, x.domain
		})
		r := httptest.NewRequest("GET", x.target, nil)
		r.RequestURI, r.RemoteAddr = "", "10.0.0.7:4711"
		r.Header.Set("Accept", "text/html")
		for i := 0; i < len(x.headers); i += 2 {
			r.Header.Set(x.headers[i], x.headers[i+1])
		}
		w := httptest.NewRecorder()
		a.Require(http.NotFoundHandler()).ServeHTTP(w, r)
		to, err := w.Result().Location()
		require.NoError(t, err, name)
		require.Equal(t, "auth.example.com", to.Host, name)
		require.Equal(t, x.want, to.Query().Get("callbackUrl"), name)
	}
	// A session that the address of the routes does not share ends there.
	a := newAuth(t, func(c *auth.Config) {
		c.URL, c.ReturnOrigins, c.Session.CookieDomain = "https://auth.example.org", []string{"https://client1.example.com"}, "example.com"
	})
	w := serve(a.Require(http.NotFoundHandler()), "GET", "https://client1.example.com/x", "", "Accept", "text/html")
	require.Equal(t, "https://auth.example.org/api/auth/signin?callbackUrl=%2Fx", w.Header().Get("Location"))
	// A client that no proxy stands before names no host.
	a = newAuth(t, func(c *auth.Config) {
		c.URL, c.ReturnOrigins, c.Session.CookieDomain = "https://auth.example.com", []string{"https://client1.example.com"}, "example.com"
	})
	r := httptest.NewRequest("GET", "https://auth.example.com/x", nil)
	r.RemoteAddr = "203.0.113.9:4711"
	r.Header = http.Header{"Accept": {"text/html"}, "X-Forwarded-Host": {"client1.example.com"}}
	w = httptest.NewRecorder()
	a.Require(http.NotFoundHandler()).ServeHTTP(w, r)
	require.Equal(t, "https://auth.example.com/api/auth/signin?callbackUrl=%2Fx", w.Header().Get("Location"))
}

// TestSignedInAtTheOriginThatWasAsked: the whole way, and the session there.
func TestSignedInAtTheOriginThatWasAsked(t *testing.T) {
	stub := &stubProvider{name: "stub"}
	a := newAuth(t, func(c *auth.Config) {
		c.URL, c.ReturnOrigins, c.Session.CookieDomain, c.Providers = "https://auth.example.com/api/auth", []string{"https://*.example.com"}, "example.com", []auth.Provider{stub}
	})
	h := a.Require(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("hello")) }))
	const page = "https://client1.example.com/report?x=1"
	got := serve(h, "GET", page, "", "Accept", "text/html").Result()
	to, err := got.Location()
	require.NoError(t, err)
	form := serve(h, "GET", to.String(), "")
	require.Contains(t, form.Body.String(), `name="callbackUrl" value="`+page+`"`)
	csrf := form.Result().Cookies()[0]
	token, _, _ := strings.Cut(csrf.Value, "%7C")
	body := url.Values{"csrfToken": {token}, "callbackUrl": {page}}.Encode()
	begun := serve(h, "POST", "https://auth.example.com/api/auth/signin/stub", body, "Content-Type", "application/x-www-form-urlencoded", "Cookie", cookieHeader(csrf))
	to, err = begun.Result().Location()
	require.NoError(t, err)
	back := serve(h, "GET", "https://auth.example.com/api/auth/callback/stub?code=ada&state="+to.Query().Get("state"), "", "Cookie", cookieHeader(begun.Result().Cookies()...))
	require.Equal(t, page, back.Header().Get("Location"))
	for _, c := range back.Result().Cookies() {
		if c.Name == sessionCookie {
			require.Equal(t, "example.com", c.Domain)
			require.Equal(t, "hello", serve(h, "GET", page, "", "Cookie", cookieHeader(c)).Body.String())
			return
		}
	}
	t.Fatal("no session")
}
