package web_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
)

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

func TestWebSocketOfAnotherSiteIsNobodys(t *testing.T) { // MW-08
	stub := &stubProvider{name: "stub"}
	a, err := auth.New(auth.Config{Secrets: []auth.Secret{auth.NewSecret(testSecret)}, URL: "https://app.example", Providers: []auth.Provider{stub}})
	require.NoError(t, err)
	cookie := sealedCookie(t, a, stub)
	shown := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, ok := auth.FromContext(r.Context())
		fmt.Fprint(w, ok)
		if ok {
			fmt.Fprint(w, " "+who.Subject)
		}
	})
	for _, test := range []struct {
		handler                http.Handler
		upgrade, origin, wants string
		status                 int
	}{
		{a.Identify(shown), "websocket", "https://app.example", "true ada", 200},
		{a.Identify(shown), "websocket", "https://evil.app.example", "false", 200},
		{a.Identify(shown), "websocket", "null", "false", 200},
		{a.Identify(shown), "websocket", "", "true ada", 200}, // no browser
		{a.Identify(shown), "", "https://evil.app.example", "true ada", 200},
		{a.Identify(a.Require(shown)), "websocket", "https://evil.app.example", "another site", 403},
		{a.Identify(a.Require(shown)), "websocket", "https://app.example", "true ada", 200},
	} {
		r := httptest.NewRequest("GET", "https://app.example/ws", nil)
		r.AddCookie(cookie)
		if test.upgrade != "" {
			r.Header.Set("Connection", "Upgrade")
			r.Header.Set("Upgrade", test.upgrade)
		}
		if test.origin != "" {
			r.Header.Set("Origin", test.origin)
		}
		w := httptest.NewRecorder()
		test.handler.ServeHTTP(w, r)
		require.Equal(t, test.status, w.Code, test.origin)
		require.Contains(t, w.Body.String(), test.wants, test.origin)
	}
}

func TestNavigations(t *testing.T) { // MW-05, MW-13
	h := newAuth(t, nil).Require(http.NotFoundHandler())
	for name, test := range map[string]struct {
		method  string
		headers []string
		is      bool
	}{
		"document":               {"GET", []string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}, true},
		"no destination":         {"GET", []string{"Sec-Fetch-Mode", "navigate"}, true},
		"frame":                  {"GET", []string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "frame", "Accept", "text/html"}, false},
		"mode before Accept":     {"GET", []string{"Sec-Fetch-Mode", "cors", "Accept", "text/html"}, false},
		"Accept among others":    {"GET", []string{"Accept", "application/xml, text/html;q=0.9"}, true},
		"no Accept":              {"GET", nil, false},
		"HEAD":                   {"HEAD", []string{"Accept", "text/html"}, true},
		"DELETE":                 {"DELETE", []string{"Accept", "text/html"}, false},
		"Purpose":                {"GET", []string{"Accept", "text/html", "Purpose", "Prefetch"}, false},
		"another purpose":        {"GET", []string{"Accept", "text/html", "Purpose", "view"}, true},
		"Sec-Purpose":            {"GET", []string{"Accept", "text/html", "Sec-Purpose", "prefetch;anonymous-client-ip"}, false},
		"HTMX":                   {"GET", []string{"Accept", "text/html", "HX-Request", "true"}, false},
		"XMLHttpRequest":         {"GET", []string{"Accept", "text/html", "X-Requested-With", "x"}, false},
		"upgrade":                {"GET", []string{"Accept", "text/html", "Upgrade", "h2c"}, false},
		"CONNECT":                {"CONNECT", []string{"Accept", "text/html"}, false},
		"user activated, by Sec": {"GET", []string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document", "Sec-Fetch-User", "?1", "Sec-Fetch-Site", "cross-site"}, true},
	} {
		w := serve(h, test.method, "https://app.example/x", "", test.headers...)
		require.Equal(t, test.is, w.Code == 303, "%s: %d", name, w.Code)
		if !test.is {
			require.Equal(t, 401, w.Code, name)
		}
	}
}

func TestUpgradesAreForOurPages(t *testing.T) { // MW-08
	stub := &stubProvider{name: "stub"}
	now := time.Now()
	a := newAuth(t, func(c *auth.Config) {
		c.Providers, c.Now = []auth.Provider{stub}, func() time.Time { return now }
	})
	cookie := cookieHeader(sealedCookie(t, a, stub))
	reached := false
	h := a.Require(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	for name, test := range map[string]struct {
		method  string
		headers []string
		want    int
	}{
		"no origin":            {"GET", []string{"Upgrade", "websocket"}, 200},
		"ours":                 {"GET", []string{"Upgrade", "websocket", "Origin", "https://app.example"}, 200},
		"ours, upper case":     {"GET", []string{"Upgrade", "websocket", "Origin", "https://APP.EXAMPLE"}, 200},
		"twice":                {"GET", []string{"Upgrade", "websocket", "Origin", "https://app.example", "Origin", "https://app.example"}, 403},
		"another":              {"GET", []string{"Upgrade", "websocket", "Origin", "https://evil.example"}, 403},
		"http":                 {"GET", []string{"Upgrade", "websocket", "Origin", "http://app.example"}, 403},
		"empty":                {"GET", []string{"Upgrade", "websocket", "Origin", ""}, 403},
		"another, by CONNECT":  {"CONNECT", []string{"Origin", "https://evil.example"}, 403}, // RFC 8441
		"ours, by CONNECT":     {"CONNECT", []string{"Origin", "https://app.example"}, 200},
		"another, not upgrade": {"GET", []string{"Origin", "https://evil.example"}, 200},
	} {
		reached = false
		w := serve(h, test.method, "https://app.example/ws", "", append(test.headers, "Cookie", cookie)...)
		require.Equal(t, test.want, w.Code, name)
		require.Equal(t, test.want == 200, reached, name)
		if test.want == 403 {
			require.JSONEq(t, `{"error":"forbidden","message":"This connection comes from another site."}`, w.Body.String())
		}
	}
	now = now.Add(25 * time.Hour)
	w := serve(h, "GET", "https://app.example/ws", "", "Upgrade", "websocket", "Cookie", cookie)
	require.Equal(t, 200, w.Code)
	require.Empty(t, w.Header()["Set-Cookie"], "an upgrade renews nothing")
	require.NotEmpty(t, serve(h, "GET", "https://app.example/", "", "Cookie", cookie).Header()["Set-Cookie"])
}
