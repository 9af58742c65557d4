package auth_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
)

func TestWhoIsSentToSignIn(t *testing.T) { // MW-05, MW-13
	cases := []struct {
		name, method string
		headers      []string
		status       int
	}{
		{"navigation", "GET", []string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}, 303},
		{"old browser", "GET", []string{"Accept", "text/html,*/*"}, 303},
		{"HEAD", "HEAD", nil, 303},
		{"form", "POST", nil, 401},
		{"fetch", "GET", []string{"Sec-Fetch-Mode", "cors", "Sec-Fetch-Dest", "empty"}, 401},
		{"iframe", "GET", []string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe"}, 401},
		{"picture", "GET", []string{"Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "image"}, 401},
		{"prefetch", "GET", []string{"Sec-Fetch-Mode", "navigate", "Sec-Purpose", "prefetch"}, 401},
		{"HTMX", "GET", []string{"HX-Request", "true"}, 401},
		{"XHR", "GET", []string{"X-Requested-With", "XMLHttpRequest"}, 401},
		{"curl", "GET", []string{"Accept", "*/*"}, 401},
		{"API", "GET", []string{"Accept", "application/json"}, 401},
		{"OPTIONS", "OPTIONS", nil, 401},
		{"TRACE", "TRACE", nil, 401},
		{"PROPFIND", "PROPFIND", nil, 401},
		{"get", "get", nil, 401},
		{"WebSocket", "GET", []string{"Upgrade", "websocket", "Connection", "Upgrade"}, 401},
	}
	s := newSite(t, nil)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := s.browser().do(c.method, "/page", nil, c.headers...)
			require.Equal(t, c.status, got.StatusCode)
			require.Contains(t, got.Header.Get("Vary"), "Cookie")
			if c.status == 401 {
				require.NotEmpty(t, got.Header.Get("WWW-Authenticate"))
				require.Contains(t, got.Header.Get("Content-Type"), "application/json")
			}
		})
	}
	require.Empty(t, s.seen)
}

func TestNoHeaderSignsIn(t *testing.T) { // MW-06, MW-07
	s := newSite(t, nil)
	for _, h := range []string{"X-Middleware-Subrequest", "X-Auth-User", "X_Auth_User", "Remote-User", "X-Forwarded-User", "X-Oauth-Authorized", "X-Original-Url", "X-Rewrite-Url", "X-Forwarded-Uri"} {
		require.Equal(t, 401, s.browser().get("/admin", "Accept", "*/*", h, "/api/auth/session").StatusCode, h)
	}
	require.Equal(t, 401, s.browser().get("/admin", "Accept", "*/*", "User-Agent", "GoogleHC/1.0").StatusCode)
}

func TestNoPathGetsThrough(t *testing.T) { // MW-01 to MW-04
	s := newSite(t, nil)
	address := strings.TrimPrefix(s.server.URL, "https://")
	for _, path := range strings.Fields(`/pub/../admin /pub/%2e%2e/admin /pub/..%2fadmin /pub/%2e%2e%2fadmin /pub//../admin //admin /./admin /admin/. /admin;x
		/pub;/../admin /pub/..;/admin /%61dmin /admin%2f /admin%00 /admin%20 /admin. /admin%c0%af /pub\..\admin /pub%5c..%5cadmin /ADMIN /admin?/pub
		/admin%3f/pub /admin%23/pub http://x/admin * /pub/%252e%252e/admin /admin/%2e%2e/pub /auth/../admin /auth/callback/x/../../../admin
		/api/auth/../../admin /api/auth/%2e%2e/%2e%2e/admin /api/auth%2f..%2fadmin /API/auth/session /api/authx`) {
		for _, method := range []string{"GET", "POST", "OPTIONS", "DELETE"} {
			raw := dialTLS(t, s, address)
			fmt.Fprintf(raw, "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", method, path, address)
			_, _ = io.Copy(io.Discard, raw)
			raw.Close()
		}
	}
	require.Empty(t, s.seen)
}

func dialTLS(t *testing.T, s *site, address string) net.Conn {
	config := s.server.Client().Transport.(*http.Transport).TLSClientConfig
	d, err := tls.Dial("tcp", address, config)
	require.NoError(t, err)
	return d
}

func TestCachesKeepNothing(t *testing.T) { // HD-01, HD-02, CK-13
	s := newSite(t, nil)
	b := s.browser()
	b.signIn("ada")
	cookies := 0
	for range 100 {
		got := b.get("/page")
		require.Equal(t, "private, no-store", got.Header.Get("Cache-Control"))
		cookies += len(got.Cookies())
	}
	require.Zero(t, cookies, "a fresh session is not written again")
	s.advance(25 * time.Hour)
	for range 100 {
		cookies += len(b.get("/page").Cookies())
	}
	require.Equal(t, 1, cookies)
	s.advance(31 * 24 * time.Hour)
	require.Equal(t, 303, b.get("/page").StatusCode, "SE-03: not used for 30 days")
}

func TestApplicationMayBeCachedUnlessACookieIsSet(t *testing.T) { // HD-01
	stub := &stubProvider{name: "stub"}
	now := time.Now()
	a, err := auth.New(auth.Config{Secrets: []auth.Secret{auth.NewSecret(testSecret)}, URL: "https://app.example", Providers: []auth.Provider{stub}, Now: func() time.Time { return now }})
	require.NoError(t, err)
	h := a.Require(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=60")
		_, isFlusher := w.(http.Flusher)
		fmt.Fprint(w, isFlusher)
		require.NoError(t, http.NewResponseController(w).Flush())
	}))
	cookie := sealedCookie(t, a, stub)
	get := func() *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", "https://app.example/", nil)
		r.AddCookie(cookie)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	require.Equal(t, "public, max-age=60", get().Header().Get("Cache-Control"))
	now = now.Add(25 * time.Hour)
	renewed := get()
	require.NotEmpty(t, renewed.Result().Cookies())
	require.Equal(t, "private, no-store", renewed.Header().Get("Cache-Control"))
	require.Equal(t, "true", renewed.Body.String())
}

// sealedCookie signs ada in at a and returns her session cookie.
func sealedCookie(t testing.TB, a *auth.Authenticator, p auth.Provider) *http.Cookie {
	t.Helper()
	w := httptest.NewRecorder()
	a.ServeHTTP(w, httptest.NewRequest("GET", "https://app.example/api/auth/csrf", nil))
	token := strings.Split(strings.Split(w.Body.String(), `":"`)[1], `"`)[0]
	r := httptest.NewRequest("POST", "https://app.example/api/auth/signin/"+p.Name(), strings.NewReader("csrfToken="+token))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.AddCookie(w.Result().Cookies()[0])
	w = httptest.NewRecorder()
	a.ServeHTTP(w, r)
	to, err := w.Result().Location()
	require.NoError(t, err)
	r = httptest.NewRequest("GET", "https://app.example/api/auth/callback/"+p.Name()+"?code=ada&state="+to.Query().Get("state"), nil)
	for _, c := range w.Result().Cookies() {
		r.AddCookie(c)
	}
	w = httptest.NewRecorder()
	a.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		if strings.HasSuffix(c.Name, "session-token") {
			return c
		}
	}
	t.Fatalf("no session: %d %s", w.Code, w.Body)
	return nil
}

func TestWebSocketOrigin(t *testing.T) { // MW-08
	stub := &stubProvider{name: "stub"}
	a, err := auth.New(auth.Config{Secrets: []auth.Secret{auth.NewSecret(testSecret)}, URL: "https://app.example", Providers: []auth.Provider{stub}})
	require.NoError(t, err)
	server := httptest.NewServer(a.Require(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		require.NoError(t, err)
		defer conn.Close()
		fmt.Fprint(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	})))
	defer server.Close()
	cookie := sealedCookie(t, a, stub)
	for origin, want := range map[string]int{"https://app.example": 101, "https://evil.example": 403, "null": 403, "": 101} {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		require.NoError(t, err)
		fmt.Fprintf(conn, "GET /ws HTTP/1.1\r\nHost: app.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nCookie: %s=%s\r\n", cookie.Name, cookie.Value)
		if origin != "" {
			fmt.Fprintf(conn, "Origin: %s\r\n", origin)
		}
		fmt.Fprint(conn, "\r\n")
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err)
		require.Equal(t, want, resp.StatusCode, origin)
		conn.Close()
	}
}

func TestWrappedTwice(t *testing.T) { // MW-12
	stub := &stubProvider{name: "stub"}
	now := time.Now()
	a, err := auth.New(auth.Config{Secrets: []auth.Secret{auth.NewSecret(testSecret)}, URL: "https://app.example", Providers: []auth.Provider{stub}, Now: func() time.Time { return now }})
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.Handle("/admin/", a.Require(http.StripPrefix("/admin", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))))
	mux.HandleFunc("/", func(http.ResponseWriter, *http.Request) {})
	h := a.Identify(mux)
	cookie := sealedCookie(t, a, stub)
	now = now.Add(25 * time.Hour)
	call := func(path string, signedIn bool) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", "https://app.example"+path, nil)
		r.Header.Set("Accept", "text/html")
		if signedIn {
			r.AddCookie(cookie)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	require.Equal(t, 200, call("/", false).Code)
	require.Equal(t, "https://app.example/api/auth/signin?callbackUrl=%2Fadmin%2Fx%3Fy", call("/admin/x?y", false).Header().Get("Location"))
	require.Len(t, call("/admin/x", true).Result().Cookies(), 1)
}

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
	fixed := config
	fixed.URL = "https://fixed.example/auth"
	require.Equal(t, "303 https://fixed.example/auth/signin?callbackUrl=%2Fx", location(fixed, "127.0.0.1:1", "X-Forwarded-Host", "evil.example"))
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
