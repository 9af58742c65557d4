package web_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/session"
)

func TestNoHeaderSignsIn(t *testing.T) { // MW-06, MW-07
	s := newSite(t, nil)
	for _, h := range []string{"X-Middleware-Subrequest", "X-Auth-User", "X_Auth_User", "Remote-User", "X-Forwarded-User", "X-Oauth-Authorized", "X-Original-Url", "X-Rewrite-Url", "X-Forwarded-Uri"} {
		require.Equal(t, 401, s.browser().get("/admin", "Accept", "*/*", h, "/api/auth/session").StatusCode, h)
	}
	require.Equal(t, 401, s.browser().get("/admin", "Accept", "*/*", "User-Agent", "GoogleHC/1.0").StatusCode)
}

func TestNoPathGetsThrough(t *testing.T) { // MW-01, MW-02, MW-03, MW-04
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

func TestCodeIsNoPerson(t *testing.T) { // AC-13
	s := newGated(t, nil)
	var events []auth.Event
	config := auth.Config{Secrets: []auth.Secret{auth.NewSecret(testSecret)}, URL: s.server.URL, Providers: []auth.Provider{s.stub}, AccessCode: gate(t, nil, goodCode),
		OnEvent: func(_ context.Context, e auth.Event) { events = append(events, e) }}
	a, err := auth.New(config)
	require.NoError(t, err)
	reached := 0
	people := a.RequireRule(auth.Identified)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached++ }))
	ask := func(b *browser, accept string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", "/admin?x=1", nil)
		r.Header.Set("Accept", accept)
		for _, c := range b.cookies() {
			r.AddCookie(c)
		}
		w := httptest.NewRecorder()
		people.ServeHTTP(w, r)
		return w
	}
	anon, ada, coded := s.browser(), s.browser(), s.browser()
	ada.signIn("ada")
	require.Equal(t, 303, coded.sendCode(goodCode).StatusCode)
	require.Equal(t, 303, ask(anon, "text/html").Code)
	require.Equal(t, 200, ask(ada, "text/html").Code)
	refused := ask(coded, "text/html")
	require.Equal(t, 403, refused.Code)
	require.Contains(t, refused.Body.String(), "for other accounts")
	require.Contains(t, refused.Body.String(), "callbackUrl=%2fadmin%3fx%3d1")
	refused = ask(coded, "application/json")
	require.Equal(t, 403, refused.Code)
	require.JSONEq(t, `{"error":"forbidden","message":"Signed in, but not in a way that this asks for."}`, refused.Body.String())
	require.Equal(t, 1, reached)
	require.Len(t, events, 2)
	require.Equal(t, auth.EventRefused, events[1].Kind)
	require.Equal(t, "access-code", events[1].Provider)
	require.ErrorIs(t, events[1].Err, auth.ErrNotAllowed)
	require.NoError(t, auth.Identified(&session.Session{}), "whom Auth.js signed in")
	_, err = auth.New(auth.Config{Secrets: config.Secrets, Providers: []auth.Provider{&stubProvider{name: "access-code"}}})
	require.ErrorContains(t, err, "taken")
}

// downStore fails whenever down says so.
type downStore struct {
	*session.MemoryStore
	down *bool
}

var errDown = errors.New("connection refused to redis.internal:6379")

func (d downStore) Find(ctx context.Context, key string) ([]byte, bool, error) {
	if *d.down {
		return nil, false, errDown
	}
	return d.MemoryStore.Find(ctx, key)
}

func (d downStore) Commit(ctx context.Context, key string, data []byte, expiry time.Time) error {
	if *d.down {
		return errDown
	}
	return d.MemoryStore.Commit(ctx, key, data, expiry)
}

func (d downStore) Replace(ctx context.Context, key string, old, data []byte, expiry time.Time) (bool, error) {
	if *d.down {
		return false, errDown
	}
	return d.MemoryStore.Replace(ctx, key, old, data, expiry)
}

func (d downStore) Delete(ctx context.Context, key string) error {
	if *d.down {
		return errDown
	}
	return d.MemoryStore.Delete(ctx, key)
}

func TestStoreIsDown(t *testing.T) { // SE-06, MW-10
	down := false
	s := newSite(t, func(c *auth.Config) { c.Session.Store = downStore{session.NewMemoryStore(0, nil), &down} })
	b := s.browser()
	b.signIn("ada")
	state := b.start("stub", "/").Get("state")
	csrf := b.csrf()
	down = true
	for name, got := range map[string]answer{
		"page":     b.get("/"),
		"fetch":    b.get("/", "Accept", "application/json"),
		"session":  b.get("/api/auth/session", "Accept", "application/json"),
		"signout":  b.do("POST", "/api/auth/signout", map[string][]string{"csrfToken": {csrf}}),
		"callback": b.back("stub", state, "lin"),
	} {
		require.Equal(t, 503, got.StatusCode, name)
		require.NotEmpty(t, got.Header.Get("Retry-After"), name)
		require.NotContains(t, got.text, "redis.internal", name)
		require.Empty(t, got.Header.Values("Location"), name)
	}
	require.Contains(t, s.log.String(), "redis.internal")
	down = false
	require.Equal(t, "ada", b.who(), "nobody is signed out by an outage")
}

func TestApplicationGetsTheBodyAsItIs(t *testing.T) { // MW-16
	stub := &stubProvider{name: "stub"}
	a := newAuth(t, func(c *auth.Config) { c.Providers = []auth.Provider{stub} })
	cookie := sealedCookie(t, a, stub)
	body := &watchedBody{}
	r := httptest.NewRequest("POST", "https://app.example/upload?a=b", body)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.AddCookie(cookie)
	reached := false
	a.Require(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		reached = true
		require.Zero(t, body.reads, "not a byte is read before")
		require.Nil(t, r.PostForm)
		_, err := io.ReadAll(r.Body)
		require.NoError(t, err)
	})).ServeHTTP(httptest.NewRecorder(), r)
	require.True(t, reached)
	require.NotZero(t, body.reads)
	before := body.reads
	r = httptest.NewRequest("POST", "https://app.example/upload", body)
	a.Require(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), r)
	require.Equal(t, before, body.reads, "nor is somebody's read who is refused")
}

type watchedBody struct{ reads int }

func (w *watchedBody) Read([]byte) (int, error) { w.reads++; return 0, io.EOF }

func TestApplicationsHeadersStay(t *testing.T) { // HD-01, HD-02
	stub := &stubProvider{name: "stub"}
	a := newAuth(t, func(c *auth.Config) { c.Providers = []auth.Provider{stub} })
	cookie := sealedCookie(t, a, stub)
	outer := func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Add("Vary", "Origin")
			h.ServeHTTP(w, r)
		})
	}
	own := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Add("Vary", "Accept-Encoding") })
	w := serve(outer(a.Require(own)), "GET", "https://app.example/", "", "Cookie", cookieHeader(cookie))
	require.Equal(t, []string{"Origin", "Cookie, Authorization", "Accept-Encoding"}, w.Header()["Vary"], "added to, not replaced")
	require.Equal(t, "private, no-store", w.Header().Get("Cache-Control"))
	w = serve(outer(a.Identify(own)), "GET", "https://app.example/", "")
	require.Equal(t, []string{"Origin", "Accept-Encoding"}, w.Header()["Vary"], "it asks nothing")
	asks := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = auth.FromContext(r.Context())
		own(w, r)
	})
	w = serve(outer(a.Identify(asks)), "GET", "https://app.example/", "")
	require.Equal(t, []string{"Origin", "Accept-Encoding", "Cookie, Authorization"}, w.Header()["Vary"])
	require.Empty(t, w.Header().Get("Cache-Control"), "what nobody is signed in to may be cached")
	w = serve(outer(a.Require(own)), "GET", "https://app.example/", "")
	require.Equal(t, "Origin", w.Header()["Vary"][0])
	require.Contains(t, w.Header().Get("Cache-Control"), "no-store")
}

func TestSessionOfARequestIsItsOwn(t *testing.T) { // MW-11
	stub := &stubProvider{name: "stub"}
	a := newAuth(t, func(c *auth.Config) { c.Providers = []auth.Provider{stub} })
	cookie := sealedCookie(t, a, stub)
	var seen []string
	h := a.Require(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		who, _ := auth.FromContext(r.Context())
		seen = append(seen, who.Subject)
		who.Subject, who.Provider = "root", ""
		_ = who.SetClaim("admin", true)
	}))
	for range 3 {
		serve(h, "GET", "https://app.example/", "", "Cookie", cookieHeader(cookie))
	}
	require.Equal(t, []string{"ada", "ada", "ada"}, seen)
}

func TestOneInsideAnother(t *testing.T) { // MW-12
	stub := &stubProvider{name: "stub"}
	config := func(c *auth.Config) { c.Providers = []auth.Provider{stub} }
	a, b := newAuth(t, config), newAuth(t, func(c *auth.Config) {
		config(c)
		c.Secrets = []auth.Secret{auth.NewSecret("Zr4pS7uYbQ1xK9mN2vT6wE8hJ3cF5aG0dL4oP7iRtUs=")}
	})
	reached := 0
	page := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached++ })
	cookie := cookieHeader(sealedCookie(t, a, stub))
	ask := func(h http.Handler) int { return serve(h, "GET", "https://app.example/x", "", "Cookie", cookie).Code }
	require.Equal(t, 401, ask(a.Require(b.Require(page))), "what one admits, another looks at by itself")
	require.Equal(t, 401, ask(b.Identify(b.Require(page))))
	require.Equal(t, 200, ask(a.Identify(a.Require(page))))
	require.Equal(t, 403, ask(a.Require(a.RequireRule(func(*session.Session) error { return auth.ErrNotAllowed })(page))))
	require.Equal(t, 403, ask(a.RequireRule(func(*session.Session) error { return errors.New("could not say") })(page)), "any error refuses")
	require.Equal(t, 1, reached)
}

func TestUndecided(t *testing.T) { // SE-06, MW-10
	down := false
	s := newSite(t, func(c *auth.Config) { c.Session.Store = downStore{session.NewMemoryStore(0, nil), &down} })
	b := s.browser()
	b.signIn("ada")
	down = true
	page := b.get("/")
	require.Equal(t, 503, page.StatusCode)
	require.Equal(t, "5", page.Header.Get("Retry-After"))
	require.Contains(t, page.text, "Sign-ins cannot be checked right now")
	require.Contains(t, page.text, s.last().RequestID)
	require.Equal(t, "StoreUnavailable", s.last().Reason)
	require.ErrorIs(t, s.last().Err, auth.ErrStore)
	script := b.get("/", "Accept", "*/*")
	require.JSONEq(t, `{"error":"unavailable","message":"Sessions cannot be read at the moment. Try again later."}`, script.text)
	require.Equal(t, "5", script.Header.Get("Retry-After"))
	require.Empty(t, s.seen)
}

func TestIdentifyWhileTheStoreIsDown(t *testing.T) { // SE-06: public pages stay
	down := true
	a := newAuth(t, func(c *auth.Config) { c.Session.Store = downStore{session.NewMemoryStore(0, nil), &down} })
	reached := false
	w := serve(a.Identify(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, ok := auth.FromContext(r.Context())
		require.False(t, ok)
		reached = true
	})), "GET", "https://app.example/", "", "Cookie", sessionCookie+"=x")
	require.True(t, reached)
	require.Equal(t, 200, w.Code)
}

func TestAddressThatCannotBeTold(t *testing.T) { // HO-01, HO-03
	log := &safeBuffer{}
	a := newAuth(t, func(c *auth.Config) { c.URL, c.Logger = "", slog.New(slog.NewTextHandler(log, nil)) })
	for _, path := range []string{"/page", "/api/auth/session", "/api/auth/signin"} {
		r := httptest.NewRequest("GET", path, nil)
		r.Host = "evil.example/x@y"
		w := httptest.NewRecorder()
		a.Identify(http.NotFoundHandler()).ServeHTTP(w, r)
		require.Equal(t, 400, w.Code, path)
		require.JSONEq(t, `{"error":"bad_request","message":"The host of this request is not valid."}`, w.Body.String())
		require.NotContains(t, w.Body.String(), "evil")
	}
	require.Contains(t, log.String(), "set Config.URL")
}

func TestBackendThatSendsTheBrowserAway(t *testing.T) { // HD-01, HD-08
	p := &personBackend{header: http.Header{"X-Reason": {"why"}, "Set-Cookie": {"a=b; Path=/"}}, location: "https://backend.example/handshake"}
	a := newAuth(t, func(c *auth.Config) { c.Backend = p })
	reached := 0
	next := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached++ })
	cached := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Cache-Control", "public") })
	for _, h := range []http.Handler{a.Require(next), a.Identify(next)} {
		w := serve(h, "GET", "https://app.example/x", "", "X-Person", "bob")
		require.Equal(t, 307, w.Code)
		require.Equal(t, "https://backend.example/handshake", w.Header().Get("Location"))
		require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
		require.Equal(t, []string{"Cookie, Authorization"}, w.Header()["Vary"])
		require.Equal(t, "why", w.Header().Get("X-Reason"))
		require.Equal(t, []string{"a=b; Path=/"}, w.Header()["Set-Cookie"])
	}
	require.Zero(t, reached)
	cookie := p.header["Set-Cookie"]
	delete(p.header, "Set-Cookie")
	w := serve(a.Require(next), "GET", "https://app.example/x", "")
	require.Equal(t, "no-store", w.Header().Get("Cache-Control"), "without a cookie, too")
	p.header["Set-Cookie"] = cookie
	w = serve(a, "GET", "https://app.example/api/auth/session", "")
	require.Equal(t, 200, w.Code, "the routes answer for themselves")
	require.Empty(t, w.Header()["Set-Cookie"])

	p.location = ""
	w = serve(a.Require(next), "GET", "https://app.example/x", "", "X-Person", "bob")
	require.Equal(t, 200, w.Code)
	require.Equal(t, []string{"a=b; Path=/"}, w.Header()["Set-Cookie"])
	require.Equal(t, "private, no-store", w.Header().Get("Cache-Control"))
	w = serve(a.Identify(next), "GET", "https://app.example/x", "")
	require.Equal(t, "no-store", w.Header().Get("Cache-Control"), "it sets a cookie")
	require.Equal(t, "no-store", serve(a.Identify(cached), "GET", "https://app.example/x", "").Header().Get("Cache-Control"), "whatever the application says")
	require.Equal(t, 2, reached)
	w = serve(a, "GET", "https://app.example/api/auth/session", "")
	require.Equal(t, "why", w.Header().Get("X-Reason"))
	p.header = http.Header{"X-Reason": {"why"}}
	w = serve(a.Identify(next), "GET", "https://app.example/x", "")
	require.Empty(t, w.Header().Get("Cache-Control"), "nothing of anybody's")
}

func TestPathsThatLookLikeRoutes(t *testing.T) { // MW-01, MW-04
	a := newAuth(t, nil)
	for path, route := range map[string]bool{
		"/api/auth": true, "/api/auth/": true, "/api/auth/session": true, "/api/auth/x/y/z": true,
		"/api/authx": false, "/api/aut": false, "/api": false, "/": false, "/API/auth/session": false, "/x/api/auth/session": false,
	} {
		reached := false
		serve(a.Identify(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true })), "GET", "https://app.example"+path, "")
		require.Equal(t, route, !reached, path)
		require.Equal(t, path == "/api/auth/session", serve(a, "GET", "https://app.example"+path, "").Code == 200, "mounted by hand: %s", path)
	}
}

func TestHopByHopHeadersOfTheCookie(t *testing.T) { // MW-14
	stub := &stubProvider{name: "stub"}
	a := newAuth(t, func(c *auth.Config) { c.Providers = []auth.Provider{stub} })
	cookie := cookieHeader(sealedCookie(t, a, stub))
	h := a.Require(http.NotFoundHandler())
	require.Equal(t, 404, serve(h, "GET", "https://app.example/", "", "Cookie", cookie, "Connection", "Cookie, Authorization").Code)
	require.Equal(t, 401, serve(h, "GET", "https://app.example/", "", "Connection", "Cookie").Code, "a proxy that honours it takes the sign-in, and no more")
}

func TestPreflightOfAProtectedPage(t *testing.T) { // CS-06, MW-05
	reached := false
	w := serve(newAuth(t, nil).Require(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true })),
		"OPTIONS", "https://app.example/data", "", "Origin", "https://evil.example", "Access-Control-Request-Method", "POST")
	require.Equal(t, 401, w.Code)
	require.False(t, reached)
	require.Empty(t, w.Header().Get("Access-Control-Allow-Origin"))
}

func TestHTTP2WithoutTLS(t *testing.T) { // MW-09
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	reached := 0
	server := httptest.NewUnstartedServer(newAuth(t, nil).Require(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached++ })))
	server.Config.Protocols = &protocols
	server.Start()
	defer server.Close()
	var h2 http.Protocols
	h2.SetUnencryptedHTTP2(true)
	for name, client := range map[string]*http.Client{"HTTP/1.1": server.Client(), "HTTP/2.0": {Transport: &http.Transport{Protocols: &h2}}} {
		r, err := http.NewRequest("GET", server.URL+"/admin", nil)
		require.NoError(t, err)
		if name == "HTTP/1.1" {
			r.Header.Set("Connection", "Upgrade, HTTP2-Settings")
			r.Header.Set("Upgrade", "h2c")
			r.Header.Set("HTTP2-Settings", "AAMAAABkAARAAAAAAAIAAAAA")
		}
		resp, err := client.Do(r)
		require.NoError(t, err)
		resp.Body.Close()
		client.CloseIdleConnections()
		require.Equal(t, name, resp.Proto)
		require.Equal(t, 401, resp.StatusCode, name)
	}
	require.Zero(t, reached)
}

// TestBackendWhoseClockIsWrong: the person reads that, and is not sent to sign in, from
// where they would be back at once.
func TestBackendWhoseClockIsWrong(t *testing.T) { // SE-06, MW-10
	p := &personBackend{err: fmt.Errorf("%w: 8s behind", auth.ErrClock)}
	var events []auth.Event
	a := newAuth(t, func(c *auth.Config) {
		c.Providers, c.Backend, c.OnEvent = nil, p, func(_ context.Context, e auth.Event) { events = append(events, e) }
	})
	w := serve(a.Require(http.NotFoundHandler()), "GET", "https://app.example/x", "", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document")
	require.Equal(t, 400, w.Code)
	require.Contains(t, w.Body.String(), "A clock is wrong")
	require.NotContains(t, w.Body.String(), "8s behind", "that is for the log")
	require.Contains(t, w.Body.String(), events[0].RequestID)
	require.Equal(t, "Clock", events[0].Reason)
	require.EqualError(t, events[0].Err, p.err.Error())
	w = serve(a.Require(http.NotFoundHandler()), "GET", "https://app.example/x", "", "Accept", "application/json")
	require.Equal(t, 400, w.Code)
	require.JSONEq(t, `{"error":"unavailable","message":"The clocks of this site and of the sign-in service disagree."}`, w.Body.String())
	w = serve(a.Identify(http.NotFoundHandler()), "GET", "https://app.example/x", "")
	require.Equal(t, 404, w.Code, "nobody is signed in")

	p.err = errors.New("no answer")
	w = serve(a.Require(http.NotFoundHandler()), "GET", "https://app.example/x", "", "Accept", "application/json")
	require.Equal(t, 503, w.Code)
	require.NotEmpty(t, w.Header().Get("Retry-After"))
}
