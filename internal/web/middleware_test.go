package web_test

import (
	"context"
	"crypto/tls"
	"errors"
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
	"github.com/sallyport/auth/session"
)

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
	people := a.RequireRule(auth.Identified, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached++ }))
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
	require.Contains(t, refused.Body.String(), "another way of signing in")
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
