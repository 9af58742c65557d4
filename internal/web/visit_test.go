package web_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/session"
)

func TestHostsAndProxies(t *testing.T) { // HO-01, HO-02, HO-04
	stub := &stubProvider{name: "stub"}
	config := auth.Config{Secrets: []auth.Secret{auth.NewSecret(testSecret)}, Providers: []auth.Provider{stub}}
	location := func(c auth.Config, remote string, headers ...string) string {
		a, err := auth.New(c)
		require.NoError(t, err)
		r := httptest.NewRequest("GET", "http://app.internal/x", nil)
		r.RemoteAddr = remote
		r.Header.Set("Accept", "text/html")
		for i := 0; i+1 < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		w := httptest.NewRecorder()
		a.Require(http.NotFoundHandler()).ServeHTTP(w, r)
		l, _, _ := strings.Cut(w.Header().Get("Location"), "/api/")
		return fmt.Sprint(w.Code, " ", l)
	}
	forwarded := []string{"X-Forwarded-Host", "app.example", "X-Forwarded-Proto", "https"}
	require.Equal(t, "303 https://app.example", location(config, "127.0.0.1:1", forwarded...))
	require.Equal(t, "303 https://app.example", location(config, "10.1.2.3:1", forwarded...))
	require.Equal(t, "303 http://app.internal", location(config, "203.0.113.9:1", forwarded...))
	require.Equal(t, "400 ", location(config, "127.0.0.1:1", "X-Forwarded-Host", "evil.example/x"))
	none := config
	none.TrustedProxies = []string{}
	require.Equal(t, "303 http://app.internal", location(none, "127.0.0.1:1", forwarded...))
	// One kind of header counts, and neither where they contradict each other.
	standard := []string{"Forwarded", "host=app.example;proto=https"}
	require.Equal(t, "303 http://app.internal", location(config, "127.0.0.1:1", standard...))
	require.Equal(t, "303 http://app.internal", location(config, "127.0.0.1:1", append([]string{"Forwarded", "host=evil.example;proto=https"}, forwarded...)...))
	rfc := config
	rfc.Forwarded = true
	require.Equal(t, "303 https://app.example", location(rfc, "127.0.0.1:1", standard...))
	require.Equal(t, "303 http://app.internal", location(rfc, "127.0.0.1:1", forwarded...))
	fixed := config
	fixed.URL = "https://fixed.example/auth"
	require.Equal(t, "303 https://fixed.example/auth/signin?callbackUrl=%2Fx", location(fixed, "127.0.0.1:1", "X-Forwarded-Host", "evil.example"))
}

// TestOtherHostsAreAnswered400: on every path, and whoever names the host.
func TestOtherHostsAreAnswered400(t *testing.T) { // HO-01, HO-02, HO-03
	log := &safeBuffer{}
	a := newAuth(t, func(c *auth.Config) {
		c.URL, c.AllowedHosts, c.Providers = "", []string{"app.example", "*.preview.example", "localhost:3000"}, []auth.Provider{&stubProvider{name: "stub"}}
		c.Logger = slog.New(slog.NewTextHandler(log, nil))
	})
	for host, want := range map[string]int{
		"app.example": 200, "APP.example.": 200, "app.example:80": 200, "pr-7.preview.example": 200, "localhost:3000": 200,
		"evil.example": 400, "app.example:8080": 400, "app.example.evil.example": 400, "preview.example": 400, "a.b.preview.example": 400, "localhost": 400, "127.0.0.1": 400,
	} {
		for path, handler := range map[string]http.Handler{"/api/auth/providers": a, "/page": a.Identify(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))} {
			r := httptest.NewRequest("GET", path, nil)
			r.Host = host
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			require.Equal(t, want, w.Code, "%s%s", host, path)
		}
	}
	require.Contains(t, log.String(), "the host of the request is none of Config.AllowedHosts")
	require.NotContains(t, log.String(), "evil")
	for name, want := range map[string]int{"app.example": 200, "evil.example": 400} {
		r := httptest.NewRequest("GET", "http://internal/api/auth/providers", nil)
		r.RemoteAddr = "127.0.0.1:1"
		r.Header.Set("X-Forwarded-Host", name)
		w := httptest.NewRecorder()
		a.ServeHTTP(w, r)
		require.Equal(t, want, w.Code, "by a proxy that is trusted: %s", name)
	}
}

func TestRemovedProviderEndsItsSessions(t *testing.T) { // PV-01
	stub, other := &stubProvider{name: "stub"}, &stubProvider{name: "other"}
	config := auth.Config{Secrets: []auth.Secret{auth.NewSecret(testSecret)}, URL: "https://app.example", Providers: []auth.Provider{stub, other}}
	a, err := auth.New(config)
	require.NoError(t, err)
	cookie := sealedCookie(t, a, stub)
	config.Providers = config.Providers[1:]
	a, err = auth.New(config)
	require.NoError(t, err)
	r := httptest.NewRequest("GET", "https://app.example/", nil)
	r.AddCookie(cookie)
	w := httptest.NewRecorder()
	a.Require(http.NotFoundHandler()).ServeHTTP(w, r)
	require.Equal(t, 401, w.Code)
}

func TestWithdrawnCodeEndsItsSessions(t *testing.T) { // AC-10
	var current auth.CodeVerifier
	s := newSite(t, func(c *auth.Config) {
		current = gate(t, c.Now, goodCode)
		c.AccessCode = verifierFunc{func() auth.CodeVerifier { return current }}
	})
	b, ada := s.browser(), s.browser()
	ada.signIn("ada")
	require.Equal(t, 303, b.sendCode(goodCode).StatusCode)
	who := b.who()
	current = gate(t, s.clock, "another-code-in-front", goodCode) // a restart, or another node
	require.Equal(t, who, b.who(), "a code that is added touches nobody")
	current = gate(t, s.clock, "another-code-in-front")
	require.Empty(t, b.who())
	require.Equal(t, "ada", ada.who())
	s2 := newSite(t, nil)
	other := s2.browser()
	u, _ := url.Parse(s2.server.URL)
	other.Jar.SetCookies(u, b.cookies())
	require.Empty(t, other.who(), "nor does a server without codes know it")
}

// verifierFunc is a gate that a test replaces.
type verifierFunc struct{ now func() auth.CodeVerifier }

func (v verifierFunc) Verify(ctx context.Context, client netip.Addr, code string) (*auth.Identity, error) {
	return v.now().Verify(ctx, client, code)
}

func (v verifierFunc) Valid(subject string) bool { return v.now().Valid(subject) }

func TestWhoCountsFirst(t *testing.T) { // AC-13
	stub, v, p := &stubProvider{name: "stub"}, &fixedVerifier{id: &auth.Identity{Issuer: "access-code", Subject: "code_1"}}, &personBackend{}
	a := newAuth(t, func(c *auth.Config) {
		c.Providers, c.AccessCode, c.AccessCodeHeaders, c.Backend = []auth.Provider{stub}, v, []string{"X-Access-Code"}, p
	})
	cookie := cookieHeader(sealedCookie(t, a, stub))
	p.asked = 0
	who := func(headers ...string) (subject string) {
		serve(a.Identify(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if s, ok := auth.FromContext(r.Context()); ok {
				subject = s.Subject
			}
		})), "GET", "https://app.example/", "", headers...)
		return subject
	}
	require.Equal(t, "ada", who("Cookie", cookie, "X-Access-Code", "x", "X-Person", "bob"))
	require.Empty(t, v.codes, "no code is tried")
	require.Equal(t, "code_1", who("X-Access-Code", "x", "X-Person", "bob"))
	require.Zero(t, p.asked, "the backend is asked last")
	require.Equal(t, "bob", who("X-Person", "bob"))
	require.Empty(t, who())
	require.Equal(t, 2, p.asked)
	v.id, v.err = nil, auth.ErrWrongCode
	require.Empty(t, who("X-Access-Code", "x", "X-Person", "bob"), "a wrong code is a wrong code")
	require.Equal(t, 2, p.asked)
}

func TestValueOfABackend(t *testing.T) {
	a := newAuth(t, func(c *auth.Config) { c.Backend = &personBackend{} })
	stub := &stubProvider{name: "stub"}
	var got any
	h := a.Identify(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = auth.BackendValue(r.Context()) }))
	serve(h, "GET", "https://app.example/", "", "X-Person", "bob")
	require.Equal(t, "decided", got)
	serve(h, "GET", "https://app.example/", "", "Cookie", cookieHeader(sealedCookie(t, a, stub)))
	require.Nil(t, got, "it was not asked")
}

func TestBackendThatCannotTell(t *testing.T) { // SE-06, MW-10
	a := newAuth(t, func(c *auth.Config) { c.Backend = &personBackend{err: errors.New("10.0.0.3 does not answer")} })
	h := a.Require(http.NotFoundHandler())
	for _, accept := range []string{"text/html", "*/*"} {
		w := serve(h, "GET", "https://app.example/", "", "Accept", accept)
		require.Equal(t, 503, w.Code)
		require.Equal(t, "5", w.Header().Get("Retry-After"))
		require.NotContains(t, w.Body.String(), "10.0.0.3")
	}
	require.Equal(t, 503, serve(a, "GET", "https://app.example/api/auth/session", "").Code)
	require.Equal(t, 200, serve(a, "GET", "https://app.example/api/auth/signin", "").Code, "whoever has another way in may take it")
}

func TestSessionsWhoseWayInIsGone(t *testing.T) { // PV-01, AC-10
	stub, other := &stubProvider{name: "stub"}, &stubProvider{name: "other"}
	both := newAuth(t, func(c *auth.Config) {
		c.Providers, c.AccessCode = []auth.Provider{stub, other}, &fixedVerifier{id: &auth.Identity{Issuer: "access-code", Subject: "code_1"}}
	})
	byStub := cookieHeader(sealedCookie(t, both, stub))
	m, err := session.NewManager(session.Config{}, []session.Secret{session.NewSecret(testSecret)}, time.Now)
	require.NoError(t, err)
	sealed := func(provider string) string {
		w := httptest.NewRecorder()
		require.NoError(t, m.Start(w, httptest.NewRequest("GET", "/", nil), &session.Session{Subject: "ada", Provider: provider}, true))
		return cookieHeader(w.Result().Cookies()...)
	}
	admitted := func(a *auth.Authenticator, cookie string) bool {
		return serve(a.Require(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})), "GET", "https://app.example/", "", "Cookie", cookie).Code == 200
	}
	without := newAuth(t, func(c *auth.Config) { c.Providers = []auth.Provider{other} })
	readOnly := newAuth(t, func(c *auth.Config) { c.Providers, c.ReadOnly = nil, true })
	for name, test := range map[string]struct {
		cookie                  string
		both, without, readOnly bool
	}{
		"a provider's":     {byStub, true, false, true},
		"the other's":      {sealed("other"), true, true, true},
		"Auth.js's":        {sealed(""), true, true, true},
		"an unknown one's": {sealed("gone"), false, false, true},
		"an access code's": {sealed("access-code"), true, false, true},
	} {
		require.Equal(t, test.both, admitted(both, test.cookie), name)
		require.Equal(t, test.without, admitted(without, test.cookie), name)
		require.Equal(t, test.readOnly, admitted(readOnly, test.cookie), name)
	}
	require.JSONEq(t, "null", serve(without, "GET", "https://app.example/api/auth/session", "", "Cookie", byStub).Body.String())
}

func TestConfiguredAddressCounts(t *testing.T) { // HO-01, HO-02, HO-04, ST-17
	a := newAuth(t, nil)
	for _, header := range [][]string{
		{"X-Forwarded-Proto", "http"}, {"X-Forwarded-Host", "evil.example"}, {"Forwarded", "host=evil.example;proto=http"}, {"X-Forwarded-Port", "81"},
		{"X-Forwarded-Prefix", "/evil"}, {"X-Original-Url", "/evil"}, {"X-Rewrite-Url", "/evil"}, {"X-Forwarded-Uri", "/evil"}, {"X-Forwarded-Host", strings.Repeat("x", 10<<10)},
		{"X-Forwarded-For", "garbage, [::1"},
	} {
		r := httptest.NewRequest("GET", "http://evil.example/page", nil)
		r.RemoteAddr = "127.0.0.1:1" // a proxy that is trusted
		r.Header.Set(header[0], header[1])
		r.Header.Set("Accept", "text/html")
		w := httptest.NewRecorder()
		a.Require(http.NotFoundHandler()).ServeHTTP(w, r)
		require.Equal(t, "https://app.example/api/auth/signin?callbackUrl=%2Fpage", w.Header().Get("Location"), header)
		r.URL.Path = "/api/auth/csrf"
		w = httptest.NewRecorder()
		a.ServeHTTP(w, r)
		c := w.Result().Cookies()[0]
		require.True(t, c.Secure && c.Name == csrfCookie, "%s makes no cookie of plain http", header)
	}
}

func TestPlainHTTPHasPlainCookies(t *testing.T) { // CK-01, HO-04
	stub := &stubProvider{name: "stub"}
	a := newAuth(t, func(c *auth.Config) { c.URL, c.Providers = "http://localhost:3000", []auth.Provider{stub} })
	w := serve(a, "GET", "http://localhost:3000/api/auth/csrf", "")
	c := w.Result().Cookies()[0]
	require.Equal(t, "authjs.csrf-token", c.Name)
	require.False(t, c.Secure)
	token, _, _ := strings.Cut(c.Value, "%7C")
	w = serve(a, "POST", "http://localhost:3000/api/auth/signin/stub", "csrfToken="+token, "Content-Type", "application/x-www-form-urlencoded", "Cookie", cookieHeader(c))
	require.Equal(t, 303, w.Code)
	txn := w.Result().Cookies()[0]
	require.True(t, strings.HasPrefix(txn.Name, "authjs.txn."))
	require.False(t, txn.Secure)
	to, err := w.Result().Location()
	require.NoError(t, err)
	w = serve(a, "GET", "http://localhost:3000/api/auth/callback/stub?code=ada&state="+to.Query().Get("state"), "", "Cookie", cookieHeader(txn))
	require.Equal(t, "http://localhost:3000/", w.Header().Get("Location"))
	require.Contains(t, strings.Join(w.Header()["Set-Cookie"], "\n"), "authjs.session-token=")
}

func TestCookieBombs(t *testing.T) { // CK-08
	stub := &stubProvider{name: "stub"}
	a := newAuth(t, func(c *auth.Config) { c.Providers = []auth.Provider{stub} })
	cookie := cookieHeader(sealedCookie(t, a, stub))
	for name, header := range map[string]string{"3001 cookies": strings.Repeat("a=b; ", 3001) + cookie, "900 kB": cookie[:20] + strings.Repeat("x", 900<<10), "none": "", "odd": ";;=;,"} {
		require.Equal(t, 401, serve(a.Require(http.NotFoundHandler()), "GET", "https://app.example/", "", "Cookie", header).Code, name)
		require.Equal(t, 200, serve(a, "GET", "https://app.example/api/auth/signin", "", "Cookie", header).Code, name)
	}
}

func TestNobodyOutsideTheMiddleware(t *testing.T) { // MW-10
	who, ok := auth.FromContext(context.Background())
	require.False(t, ok)
	require.Nil(t, who)
	require.Nil(t, auth.BackendValue(context.Background()))
	serve(newAuth(t, nil).Identify(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		who, ok := auth.FromContext(r.Context())
		require.False(t, ok)
		require.Nil(t, who, "no truthy zero")
		require.Nil(t, auth.BackendValue(r.Context()))
	})), "GET", "https://app.example/", "")
}
