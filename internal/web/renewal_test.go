package web_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/session"
)

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

// renewable is a handler behind Require, a cookie that is due, and the clock.
func renewable(t *testing.T, next http.HandlerFunc, change func(*auth.Config)) (h http.Handler, cookie string, set func(time.Duration)) {
	stub := &stubProvider{name: "stub"}
	now := time.Now()
	begin := now
	a := newAuth(t, func(c *auth.Config) {
		c.Providers, c.Now = []auth.Provider{stub}, func() time.Time { return now }
		if change != nil {
			change(c)
		}
	})
	cookie = cookieHeader(sealedCookie(t, a, stub))
	return a.Require(next), cookie, func(d time.Duration) { now = begin.Add(d) }
}

func TestRenewedAnswersAreKeptOutOfCaches(t *testing.T) { // HD-01, CK-13
	for name, next := range map[string]http.HandlerFunc{
		"says nothing":  func(http.ResponseWriter, *http.Request) {},
		"a status":      func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) },
		"a body":        func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("x")) },
		"a flush":       func(w http.ResponseWriter, _ *http.Request) { w.(http.Flusher).Flush() },
		"by controller": func(w http.ResponseWriter, _ *http.Request) { _ = http.NewResponseController(w).Flush() },
		"both":          func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(200); _, _ = w.Write([]byte("x")) },
	} {
		h, cookie, set := renewable(t, func(w http.ResponseWriter, r *http.Request) {
			if name != "says nothing" {
				w.Header().Set("Cache-Control", "public, max-age=600")
			}
			next(w, r)
		}, nil)
		set(25 * time.Hour)
		w := serve(h, "GET", "https://app.example/", "", "Cookie", cookie)
		require.NotEmpty(t, w.Header()["Set-Cookie"], name)
		require.Equal(t, "private, no-store", w.Result().Header.Get("Cache-Control"), name)
		require.Equal(t, name == "a status", w.Code == http.StatusTeapot)
		require.Equal(t, name == "a body" || name == "both", w.Body.String() == "x", name)
		if name == "a flush" || name == "by controller" {
			require.True(t, w.Flushed, name)
		}
	}
}

func TestHeadersAfterTheFirstByteStay(t *testing.T) {
	h, cookie, set := renewable(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("x"))
		w.Header().Set("Cache-Control", "as it likes")
		_, _ = w.Write([]byte("y"))
		require.Equal(t, "as it likes", w.Header().Get("Cache-Control"), "it is too late to matter")
	}, nil)
	set(25 * time.Hour)
	require.Equal(t, "xy", serve(h, "GET", "https://app.example/", "", "Cookie", cookie).Body.String())
}

func TestRenewalIsDue(t *testing.T) { // SE-03, CK-13
	h, cookie, set := renewable(t, func(http.ResponseWriter, *http.Request) {}, nil)
	for after, due := range map[time.Duration]bool{
		0: false, 23 * time.Hour: false, 24*time.Hour + time.Second: true, 29 * 24 * time.Hour: true,
	} {
		set(after)
		w := serve(h, "GET", "https://app.example/", "", "Cookie", cookie)
		require.Equal(t, 200, w.Code)
		require.Equal(t, due, len(w.Header()["Set-Cookie"]) == 1, after.String())
	}
}

func TestWriterIsTheServersOwnUnlessRenewed(t *testing.T) {
	var got http.ResponseWriter
	h, cookie, set := renewable(t, func(w http.ResponseWriter, _ *http.Request) { got = w }, nil)
	r := httptest.NewRequest("GET", "https://app.example/", nil)
	r.Header.Set("Cookie", cookie)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	require.Same(t, w, got)
	set(25 * time.Hour)
	h.ServeHTTP(w, r)
	require.NotSame(t, w, got)
	require.Same(t, w, got.(interface{ Unwrap() http.ResponseWriter }).Unwrap())
}

func TestRenewedConnectionCanBeTakenOver(t *testing.T) { // MW-08
	h, cookie, set := renewable(t, func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		require.NoError(t, err)
		defer conn.Close()
		fmt.Fprint(conn, "HTTP/1.1 299 Own\r\nContent-Length: 0\r\n\r\n")
	}, nil)
	set(25 * time.Hour)
	server := httptest.NewServer(h)
	defer server.Close()
	r, err := http.NewRequest("GET", server.URL, nil)
	require.NoError(t, err)
	r.Header.Set("Cookie", cookie)
	resp, err := http.DefaultTransport.RoundTrip(r)
	require.NoError(t, err)
	resp.Body.Close()
	require.Equal(t, 299, resp.StatusCode)
}

func TestRenewalThatFails(t *testing.T) { // SE-06
	stub, fails, log := &stubProvider{name: "stub"}, false, &safeBuffer{}
	now := time.Now()
	a := newAuth(t, func(c *auth.Config) {
		c.Providers, c.Now = []auth.Provider{stub}, func() time.Time { return now }
		c.Session.Store = failingCommit{session.NewMemoryStore(0, func() time.Time { return now }), &fails}
		c.Logger = slog.New(slog.NewTextHandler(log, nil))
	})
	cookie := cookieHeader(sealedCookie(t, a, stub))
	now, fails = now.Add(25*time.Hour), true
	reached := false
	w := serve(a.Require(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		reached = true
		w.Header().Set("Cache-Control", "public")
	})), "GET", "https://app.example/", "", "Cookie", cookie)
	require.True(t, reached, "the person is signed in all the same")
	require.Equal(t, "public", w.Header().Get("Cache-Control"))
	require.Contains(t, log.String(), "session not renewed")
}

// failingCommit cannot write while fails says so.
type failingCommit struct {
	*session.MemoryStore
	fails *bool
}

func (f failingCommit) Commit(ctx context.Context, key string, data []byte, expiry time.Time) error {
	if *f.fails {
		return errDown
	}
	return f.MemoryStore.Commit(ctx, key, data, expiry)
}

func TestSessionsOfABackendAreNotRenewed(t *testing.T) {
	a := newAuth(t, func(c *auth.Config) { c.Backend = &personBackend{} })
	w := serve(a.Require(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "public")
	})), "GET", "https://app.example/", "", "X-Person", "bob")
	require.Equal(t, 200, w.Code)
	require.Empty(t, w.Header()["Set-Cookie"], "it was made two days ago, elsewhere")
	require.Equal(t, "public", w.Header().Get("Cache-Control"))
}

// TestRenewedAnswersAreNotCached: whatever the application says, and however the
// header goes out.
func TestRenewedAnswersAreNotCached(t *testing.T) { // HD-01, CK-13
	stub := &stubProvider{name: "stub"}
	var now atomic.Int64
	now.Store(time.Now().Unix())
	a, err := auth.New(auth.Config{Secrets: []auth.Secret{auth.NewSecret(testSecret)}, Providers: []auth.Provider{stub}, URL: "http://app.example",
		Now: func() time.Time { return time.Unix(now.Load(), 0) }})
	require.NoError(t, err)
	cookie := sealedCookie(t, a, stub)
	now.Add(25 * 3600)
	public := func(w http.ResponseWriter) { w.Header().Set("Cache-Control", "public, max-age=60") }
	for name, handle := range map[string]func(w http.ResponseWriter){
		"no body":     func(w http.ResponseWriter) { public(w) },
		"a status":    func(w http.ResponseWriter) { public(w); w.WriteHeader(204) },
		"a body":      func(w http.ResponseWriter) { public(w); fmt.Fprint(w, "x") },
		"flushed":     func(w http.ResponseWriter) { public(w); w.(http.Flusher).Flush() },
		"early hints": func(w http.ResponseWriter) { w.WriteHeader(103); public(w); fmt.Fprint(w, "x") },
		"early hints, no body": func(w http.ResponseWriter) {
			public(w)
			w.WriteHeader(103)
			w.WriteHeader(103)
			public(w)
		},
		"copied": func(w http.ResponseWriter) { public(w); _, _ = io.Copy(w, strings.NewReader("x")) },
	} {
		server := httptest.NewServer(a.Require(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { handle(w) })))
		req, err := http.NewRequest("GET", server.URL, nil)
		require.NoError(t, err)
		req.AddCookie(&http.Cookie{Name: cookie.Name, Value: cookie.Value})
		hints := httptrace.WithClientTrace(context.Background(), &httptrace.ClientTrace{Got1xxResponse: func(_ int, h textproto.MIMEHeader) error {
			require.Equal(t, "private, no-store", h.Get("Cache-Control"), name)
			return nil
		}})
		resp, err := http.DefaultClient.Do(req.WithContext(hints))
		require.NoError(t, err, name)
		resp.Body.Close()
		server.Close()
		require.NotEmpty(t, resp.Cookies(), name)
		require.Equal(t, "private, no-store", resp.Header.Get("Cache-Control"), name)
	}
}

func TestSlowAnswerAfterASignOut(t *testing.T) { // SE-12: on this node
	stub := &stubProvider{name: "stub"}
	now := time.Now()
	a := newAuth(t, func(c *auth.Config) { c.Providers, c.Now = []auth.Provider{stub}, func() time.Time { return now } })
	cookie := cookieHeader(sealedCookie(t, a, stub))
	csrf := serve(a, "GET", "https://app.example/api/auth/csrf", "").Result().Cookies()[0]
	token, _, _ := strings.Cut(csrf.Value, "%7C")
	now = now.Add(25 * time.Hour)
	slow := serve(a.Require(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		out := serve(a, "POST", "https://app.example/api/auth/signout", "csrfToken="+token,
			"Content-Type", "application/x-www-form-urlencoded", "Cookie", cookie+"; "+cookieHeader(csrf))
		require.Equal(t, 303, out.Code)
	})), "GET", "https://app.example/slow", "", "Cookie", cookie)
	renewed := slow.Result().Cookies()
	require.Len(t, renewed, 1)
	require.Equal(t, "null", serve(a, "GET", "https://app.example/api/auth/session", "", "Cookie", cookieHeader(renewed...)).Body.String(),
		"the cookie that comes late opens nothing")
}
