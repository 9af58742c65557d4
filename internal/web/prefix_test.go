package web_test

import (
	"context"
	"fmt"
	"html/template"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/session"
)

// visitor asks h as a browser does that keeps cookies, through a proxy.
type visitor struct {
	t      *testing.T
	proxy  func(*http.Request) *http.Request
	h      http.Handler
	cookie map[string]string
}

func (v *visitor) ask(method, target string, form url.Values) *http.Response {
	v.t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(form.Encode()))
	r.RemoteAddr, r.RequestURI = near, r.URL.RequestURI() // as a server has it
	r.Header.Set("Accept", "text/html")
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for name, value := range v.cookie {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	w := httptest.NewRecorder()
	v.h.ServeHTTP(w, v.proxy(r))
	for _, c := range w.Result().Cookies() {
		require.Equal(v.t, "/", c.Path, "whoever strips a prefix, and __Host- wants it so")
		if v.cookie[c.Name] = c.Value; c.MaxAge < 0 {
			delete(v.cookie, c.Name)
		}
	}
	return w.Result()
}

const near = "127.0.0.1:1"

// strip is what nginx and Caddy make of a request, in another process: nothing tells
// the application what it was.
func strip(prefix string) func(*http.Request) *http.Request {
	return func(r *http.Request) *http.Request {
		path, ok := strings.CutPrefix(r.URL.RequestURI(), prefix)
		if !ok {
			panic(r.URL.Path)
		}
		stripped := httptest.NewRequest(r.Method, path, r.Body)
		stripped.Header, stripped.Host, stripped.RemoteAddr, stripped.TLS = r.Header, r.Host, r.RemoteAddr, r.TLS
		return stripped
	}
}

func asItIs(r *http.Request) *http.Request { return r }

var formAction = regexp.MustCompile(`action="([^"]*)"`)
var csrfField = regexp.MustCompile(`name="csrfToken" value="([^"]*)"`)

// TestSiteBelowAPath: whoever takes the prefix off, and where nobody does, people
// sign in, come back to the page that they wanted, and sign out.
func TestSiteBelowAPath(t *testing.T) { // RD-09, HO-01, MW-12
	page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, _ := auth.FromContext(r.Context())
		fmt.Fprintf(w, "hello %s at %s", who.Subject, r.URL.RequestURI())
	})
	for name, test := range map[string]struct {
		url   string
		proxy func(*http.Request) *http.Request
		wrap  func(*auth.Authenticator) http.Handler
		at    string // as the application has it
	}{
		"the proxy strips":        {"https://app.example/app/api/auth", strip("/app"), func(a *auth.Authenticator) http.Handler { return a.Require(page) }, "/x?y=1"},
		"the proxy does not":      {"https://app.example/app/api/auth", asItIs, func(a *auth.Authenticator) http.Handler { return a.Require(page) }, "/app/x?y=1"},
		"a path alone, stripped":  {"/app/api/auth", strip("/app"), func(a *auth.Authenticator) http.Handler { return a.Require(page) }, "/x?y=1"},
		"a path alone":            {"/app/api/auth/", asItIs, func(a *auth.Authenticator) http.Handler { return a.Require(page) }, "/app/x?y=1"},
		"StripPrefix around":      {"/app/api/auth", asItIs, func(a *auth.Authenticator) http.Handler { return http.StripPrefix("/app", a.Require(page)) }, "/x?y=1"},
		"StripPrefix inside":      {"/app/api/auth", asItIs, func(a *auth.Authenticator) http.Handler { return a.Require(http.StripPrefix("/app", page)) }, "/x?y=1"},
		"StripPrefix between":     {"/app/api/auth", asItIs, func(a *auth.Authenticator) http.Handler { return a.Identify(http.StripPrefix("/app", a.Require(page))) }, "/x?y=1"},
		"StripPrefix after proxy": {"https://app.example/app/v1/api/auth", strip("/app"), func(a *auth.Authenticator) http.Handler { return http.StripPrefix("/v1", a.Require(page)) }, "/x?y=1"},
		"mounted by hand":         {"/app/api/auth", strip("/app"), byHand(page), "/x?y=1"},
		"mounted with the prefix": {"/app/api/auth", asItIs, func(a *auth.Authenticator) http.Handler { return http.StripPrefix("/app", byHand(page)(a)) }, "/x?y=1"},
		"routes of another name":  {"https://app.example/app/auth", asItIs, func(a *auth.Authenticator) http.Handler { return a.Require(page) }, "/app/x?y=1"},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAuth(t, func(c *auth.Config) { c.URL = test.url })
			v := &visitor{t, test.proxy, test.wrap(a), map[string]string{}}
			routes := strings.TrimSuffix(strings.TrimPrefix(test.url, "https://app.example"), "/")
			prefix := strings.TrimSuffix(strings.TrimSuffix(routes, "/auth"), "/api")
			const host = "https://app.example"

			got := v.ask("GET", host+prefix+"/x?y=1", nil)
			require.Equal(t, 303, got.StatusCode)
			require.Equal(t, host+routes+"/signin?callbackUrl="+url.QueryEscape(prefix+"/x?y=1"), got.Header.Get("Location"))

			got = v.ask("GET", got.Header.Get("Location"), nil)
			require.Equal(t, 200, got.StatusCode)
			text := read(t, got)
			require.Equal(t, routes+"/signin/stub", formAction.FindStringSubmatch(text)[1])

			token := csrfField.FindStringSubmatch(text)[1]
			got = v.ask("POST", host+routes+"/signin/stub", url.Values{"csrfToken": {token}, "callbackUrl": {prefix + "/x?y=1"}})
			require.Equal(t, 303, got.StatusCode)
			to, err := got.Location()
			require.NoError(t, err)
			require.Equal(t, host+routes+"/callback/stub", to.Query().Get("redirect_uri"))

			got = v.ask("GET", host+routes+"/callback/stub?code=ada&state="+to.Query().Get("state"), nil)
			require.Equal(t, host+prefix+"/x?y=1", got.Header.Get("Location"))
			require.Equal(t, "hello ada at "+test.at, read(t, v.ask("GET", got.Header.Get("Location"), nil)))

			text = read(t, v.ask("GET", host+routes+"/signout", nil))
			require.Equal(t, routes+"/signout", formAction.FindStringSubmatch(text)[1])
			got = v.ask("POST", host+routes+"/signout", url.Values{"csrfToken": {csrfField.FindStringSubmatch(text)[1]}})
			require.Equal(t, host+routes+"/signout?provider=stub", got.Header.Get("Location"))
			home := prefix + "/"
			if routes == "/app/auth" {
				home = "/" // it has no prefix
			}
			require.Contains(t, read(t, v.ask("GET", host+routes+"/signout", nil)), `<a href="`+home+`">To the start page</a>`)
			require.Equal(t, 303, v.ask("GET", host+prefix+"/x", nil).StatusCode)
		})
	}
}

func byHand(page http.Handler) func(*auth.Authenticator) http.Handler {
	return func(a *auth.Authenticator) http.Handler {
		mux := http.NewServeMux()
		mux.Handle("/api/auth/", a)
		mux.Handle("/", a.Require(page))
		return mux
	}
}

func read(t *testing.T, resp *http.Response) string {
	t.Helper()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return string(text)
}

// TestPathsBelowThePrefix: what is ours, and what the application's.
func TestPathsBelowThePrefix(t *testing.T) { // MW-01, MW-02, RD-06
	a := newAuth(t, func(c *auth.Config) { c.URL = "https://app.example/app/api/auth" })
	h := a.Identify(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(418) }))
	for path, want := range map[string]int{
		"/app/api/auth/csrf": 200, "/api/auth/csrf": 200, "/app/api/auth": 404, "/api/auth/": 404, "/app/api/auth/x/y/z": 404, "/api/auth//csrf": 404,
		"/app/app/api/auth/csrf": 418, "/app": 418, "/app/api/authors": 418, "/api/authors": 418, "/ap/api/auth/csrf": 418, "/x/api/auth/csrf": 418, "/App/api/auth/csrf": 418, "/app//api/auth/csrf": 418, "/": 418,
	} {
		require.Equal(t, want, serve(h, "GET", "https://app.example"+path, "").Code, path)
	}
	require.Equal(t, 404, serve(a, "GET", "https://app.example/x", "").Code)
	whole := newAuth(t, func(c *auth.Config) { c.URL = "https://app.example/app/auth" }).Identify(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(418) }))
	for path, want := range map[string]int{"/app/auth/csrf": 200, "/auth/csrf": 418, "/api/auth/csrf": 418} {
		require.Equal(t, want, serve(whole, "GET", "https://app.example"+path, "").Code, path)
	}
}

// TestPageOfThePrefixsName: what http.StripPrefix took off is known, what a proxy took
// off is not.
func TestPageOfThePrefixsName(t *testing.T) {
	a := newAuth(t, func(c *auth.Config) { c.URL = "/app/api/auth" }).Require(http.NotFoundHandler())
	for name, test := range map[string]struct {
		h            http.Handler
		target, want string
	}{
		"taken off here":         {http.StripPrefix("/app", a), "/app/app/x", "/app/app/x"},
		"not taken off":          {a, "/app/app/x", "/app/app/x"},
		"taken off by a proxy":   {a, "/app/x", "/app/x"}, // or not taken off
		"no part of the prefix":  {http.StripPrefix("/other", a), "/other/x", "/app/other/x"},
		"taken off here, a page": {http.StripPrefix("/app", a), "/app/x%20y?z=/app/x", "/app/x%20y?z=/app/x"},
	} {
		r := httptest.NewRequest("GET", test.target, nil)
		r.Header.Set("Accept", "text/html")
		w := httptest.NewRecorder()
		test.h.ServeHTTP(w, r)
		to, err := w.Result().Location()
		require.NoError(t, err, name)
		require.Equal(t, test.want, to.Query().Get("callbackUrl"), name)
	}
}

// TestReturnPathsBelowThePrefix: a path is the application's, an address is what it
// says, and what leads elsewhere leads home.
func TestReturnPathsBelowThePrefix(t *testing.T) { // RD-01, RD-02, RD-06, RD-07
	a := newAuth(t, func(c *auth.Config) {
		c.URL, c.ReturnOrigins = "https://app.example/app/api/auth", []string{"https://www.example"}
	})
	long := "/" + strings.Repeat("a", 4095)
	for raw, want := range map[string]string{
		"": "/app/", "/": "/app/", "/x?y#z": "/app/x?y#z", "/app": "/app", "/app/": "/app/", "/app?x": "/app?x", "/app/x": "/app/x", "/apple": "/app/apple", "/x/app/": "/app/x/app/", "/%61pp/x": "/%61pp/x",
		"https://app.example/app/x": "/app/x", "https://app.example/other": "/other", "https://app.example": "/", "https://www.example/x": "https://www.example/x",
		"//evil.example": "/app/", "/\\evil.example": "/app/", "/app//evil.example": "/app//evil.example", "https://evil.example/app/x": "/app/", "/app/../x": "/app/", "javascript:alert(1)": "/app/",
		"/api/auth/signout": "/app/", "/app/api/auth/signout": "/app/", "/app/api%2fauth/signout": "/app/", "https://app.example/app/api/auth/signout": "/app/", "https://app.example/api/auth/signout": "/app/",
		"https://www.example/api/auth/signout": "/app/", "https://www.example/app/api/auth/signout": "/app/",
		long: "/app/", long[:4092]: "/app" + long[:4092], long[:4093]: "/app/",
	} {
		text := read(t, serve(a, "GET", "https://app.example/app/api/auth/signin?callbackUrl="+url.QueryEscape(raw), "").Result())
		require.Contains(t, text, `name="callbackUrl" value="`+template.HTMLEscapeString(want)+`"`, "%q", raw)
	}
}

// TestPagesBelowThePrefix: those of the application, and what ours link.
func TestPagesBelowThePrefix(t *testing.T) { // MW-13, RD-09
	stub := &stubProvider{name: "stub", identity: func(string) (*auth.Identity, error) { return nil, auth.ErrDeclined }}
	make := func(signIn, failure string) *auth.Authenticator {
		return newAuth(t, func(c *auth.Config) {
			c.URL, c.SignInURL, c.ErrorURL, c.Providers, c.AccessCode = "https://app.example/app/api/auth", signIn, failure, []auth.Provider{stub}, gate(t, c.Now, goodCode)
		})
	}
	const host = "https://app.example"
	for name, page := range map[string]string{"as the application has it": "", "as browsers have it": "/app"} {
		a := make(page+"/login", page+"/oops")
		w := serve(a.Require(http.NotFoundHandler()), "GET", host+"/x", "", "Accept", "text/html")
		require.Equal(t, host+"/app/login?callbackUrl=%2Fapp%2Fx", w.Header().Get("Location"), name)
		w = serve(a, "GET", host+"/api/auth/signin?callbackUrl=/x", "")
		require.Equal(t, host+"/app/login?callbackUrl=%2Fapp%2Fx", w.Header().Get("Location"), name)
		w = serve(a, "GET", host+"/api/auth/callback/stub?state=x", "", "Accept", "text/html")
		require.Contains(t, w.Header().Get("Location"), host+"/app/login?", name)
		w = serve(a, "POST", host+"/api/auth/signin/stub", "csrfToken=x", "Content-Type", "application/x-www-form-urlencoded")
		require.Contains(t, w.Header().Get("Location"), host+"/app/oops?", name)
	}
	a := make("", "")
	stale := serve(a, "GET", host+"/api/auth/callback/stub?code=x&state=unknown", "", "Accept", "text/html") // begins again
	at, err := stale.Result().Location()
	require.NoError(t, err)
	again := serve(newAuth(t, func(c *auth.Config) { c.URL = host + "/app/api/auth" }), "GET", host+"/api/auth/callback/stub?code=ada&state="+at.Query().Get("state"), "", "Cookie", cookieHeader(stale.Result().Cookies()...))
	require.Equal(t, host+"/app/", again.Header().Get("Location"), "of an attempt that nobody knows")
	w := serve(a, "GET", host+"/api/auth/callback/stub?state=x", "", "Accept", "text/html")
	require.Contains(t, w.Body.String(), `action="/app/api/auth/signin/stub"`)
	require.Contains(t, w.Body.String(), `name="callbackUrl" value="/app/"`)
	w = serve(a, "GET", host+"/api/auth/callback/stub", "", "X-Auth-Return-Redirect", "1")
	require.Contains(t, w.Body.String(), host+"/app/api/auth/signin?")
	require.Contains(t, serve(a, "GET", host+"/api/auth/nothing", "", "Accept", "text/html").Body.String(), `href="/app/api/auth/signin`)
	require.Contains(t, serve(a, "POST", host+"/api/auth/signout", "", "Content-Type", "application/x-www-form-urlencoded").Body.String(), `href="/app/api/auth/signin`)
	w = serve(a, "GET", host+"/api/auth/signin/stub?callbackUrl=/x", "")
	require.Equal(t, host+"/app/api/auth/signin?callbackUrl=%2Fapp%2Fx", w.Header().Get("Location"))
	w = serve(a.Require(http.NotFoundHandler()), "GET", host+"/x", "")
	require.Equal(t, `Cookie realm="app.example", form-action="/app/api/auth/signin"`, w.Header().Get("WWW-Authenticate"))
	require.Contains(t, w.Body.String(), host+"/app/api/auth/signin")
	require.Contains(t, serve(a, "GET", host+"/api/auth/providers", "").Body.String(), `"callbackUrl":"`+host+`/app/api/auth/callback/stub"`)
}

// TestReturnToBelowThePrefix: it is asked in the browser's words, and may answer in
// the application's.
func TestReturnToBelowThePrefix(t *testing.T) { // RD-01
	stub := &stubProvider{name: "stub"}
	asked, answer := "", "/welcome"
	a := newAuth(t, func(c *auth.Config) {
		c.URL, c.Providers = "https://app.example/app/api/auth", []auth.Provider{stub}
		c.ReturnTo = func(_ context.Context, _ *session.Session, to string) string { asked = to; return answer }
	})
	for to, want := range map[string]string{"/welcome": "/app/welcome", "/app/welcome": "/app/welcome", "//evil.example": "/app/"} {
		answer = to
		v := &visitor{t, strip("/app"), a, map[string]string{}}
		token := csrfField.FindStringSubmatch(read(t, v.ask("GET", "https://app.example/app/api/auth/signin", nil)))[1]
		got := v.ask("POST", "https://app.example/app/api/auth/signin/stub", url.Values{"csrfToken": {token}, "callbackUrl": {"/x"}})
		at, err := got.Location()
		require.NoError(t, err)
		got = v.ask("GET", "https://app.example/app/api/auth/callback/stub?code=ada&state="+at.Query().Get("state"), nil)
		require.Equal(t, "https://app.example"+want, got.Header.Get("Location"))
		require.Equal(t, "/app/x", asked)
	}
}

// TestPathAlone: the origin is each request's, and held to AllowedHosts.
func TestPathAlone(t *testing.T) { // HO-01, HO-02
	a := newAuth(t, func(c *auth.Config) {
		c.URL, c.AllowedHosts = "/app/api/auth", []string{"a.example", "b.example"}
		c.Logger = slog.New(slog.DiscardHandler)
	})
	for host, want := range map[string]string{"a.example": "https://a.example/app/api/auth/signin?callbackUrl=%2Fapp%2Fx", "b.example": "https://b.example/app/api/auth/signin?callbackUrl=%2Fapp%2Fx", "evil.example": ""} {
		w := serve(a.Require(http.NotFoundHandler()), "GET", "https://"+host+"/x", "", "Accept", "text/html")
		require.Equal(t, want, w.Header().Get("Location"), host)
	}
	_, err := auth.New(auth.Config{
		Secrets: []auth.Secret{auth.NewSecret(testSecret)}, Providers: []auth.Provider{&stubProvider{name: "a"}}, AllowedHosts: []string{"a.example"}, URL: "https://a.example/app/api/auth",
	})
	require.ErrorContains(t, err, "Config.AllowedHosts")
}

// TestPrefixThatAProxySays: X-Forwarded-Prefix counts where no address is configured,
// and of a trusted proxy.
func TestPrefixThatAProxySays(t *testing.T) { // HO-02, RD-09
	for name, test := range map[string]struct {
		url, peer, prefix, path, want string
	}{
		"stripped":               {"", near, "/app", "/x", "http://app.example/app/api/auth/signin?callbackUrl=%2Fapp%2Fx"},
		"not stripped":           {"", near, "/app", "/app/x", "http://app.example/app/api/auth/signin?callbackUrl=%2Fapp%2Fx"},
		"odd":                    {"", near, "//evil.example", "/x", "http://app.example/api/auth/signin?callbackUrl=%2Fx"},
		"a stranger's":           {"", "203.0.113.9:1", "/app", "/x", "http://app.example/api/auth/signin?callbackUrl=%2Fx"},
		"beside a URL":           {"http://app.example/api/auth", near, "/app", "/x", "http://app.example/api/auth/signin?callbackUrl=%2Fx"},
		"beside another":         {"http://app.example/v1/api/auth", near, "/app", "/x", "http://app.example/v1/api/auth/signin?callbackUrl=%2Fv1%2Fx"},
		"beside a path alone":    {"/api/auth", near, "/app", "/x", "http://app.example/api/auth/signin?callbackUrl=%2Fx"},
		"the routes, stripped":   {"", near, "/app", "/api/auth/csrf", ""},
		"the routes, not":        {"", near, "/app", "/app/api/auth/csrf", ""},
		"the routes, a stranger": {"", "203.0.113.9:1", "/app", "/app/api/auth/csrf", "http://app.example/api/auth/signin?callbackUrl=%2Fapp%2Fapi%2Fauth%2Fcsrf"},
		"no routes below an odd": {"", near, "/app/..", "/app/../api/auth/csrf", "http://app.example/api/auth/signin?callbackUrl=%2F"},
	} {
		a := newAuth(t, func(c *auth.Config) { c.URL = test.url })
		r := httptest.NewRequest("GET", test.path, nil)
		r.Host, r.RemoteAddr = "app.example", test.peer
		r.Header.Set("Accept", "text/html")
		r.Header.Set("X-Forwarded-Prefix", test.prefix)
		w := httptest.NewRecorder()
		a.Require(http.NotFoundHandler()).ServeHTTP(w, r)
		require.Equal(t, test.want, w.Header().Get("Location"), name)
		require.Equal(t, test.want == "", w.Code == 200, "%s: %d", name, w.Code)
	}
	a := newAuth(t, func(c *auth.Config) { c.URL = "" }).Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "hello at ", r.URL.Path) }))
	v := &visitor{t, func(r *http.Request) *http.Request {
		r.Header.Set("X-Forwarded-Prefix", "/app")
		return strip("/app")(r)
	}, a, map[string]string{}}
	got := v.ask("GET", "https://app.example/app/x", nil)
	text := read(t, v.ask("GET", got.Header.Get("Location"), nil))
	require.Contains(t, text, `action="/app/api/auth/signin/stub"`)
	got = v.ask("POST", "https://app.example/app/api/auth/signin/stub", url.Values{"csrfToken": {csrfField.FindStringSubmatch(text)[1]}, "callbackUrl": {"/app/x"}})
	to, err := got.Location()
	require.NoError(t, err)
	require.Equal(t, "https://app.example/app/api/auth/callback/stub", to.Query().Get("redirect_uri"))
	got = v.ask("GET", "https://app.example/app/api/auth/callback/stub?code=ada&state="+to.Query().Get("state"), nil)
	require.Equal(t, "https://app.example/app/x", got.Header.Get("Location"))
	require.Equal(t, "hello at /x", read(t, v.ask("GET", got.Header.Get("Location"), nil)))
}
