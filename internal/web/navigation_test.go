package web_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/session"
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

// TestWhoAsks has the rows of the package documentation's table, with what browsers and
// libraries send.
func TestWhoAsks(t *testing.T) { // MW-05, MW-13
	h := newAuth(t, nil).Require(http.NotFoundHandler())
	const (
		signIn, json, htmx             = "303 to the sign-in page", "JSON", "JSON, HX-Redirect"
		notSent, inFrame, signInFirst  = "a page: FormNotSent", "a page: InsideAFrame", "a page: SessionRequired"
		navigate, dest, accept, site   = "Sec-Fetch-Mode", "Sec-Fetch-Dest", "Accept", "Sec-Fetch-Site"
		html, urlencoded, contentTypes = "text/html,application/xhtml+xml,*/*;q=0.8", "application/x-www-form-urlencoded", "Content-Type"
	)
	for name, test := range map[string]struct {
		method  string
		headers []string
		want    string
	}{
		// A browser says what it is.
		"document":                {"GET", []string{navigate, "navigate", dest, "document"}, signIn},
		"from another site":       {"GET", []string{navigate, "navigate", dest, "document", "Sec-Fetch-User", "?1", site, "cross-site"}, signIn},
		"no destination":          {"GET", []string{navigate, "navigate"}, signIn},
		"by a service worker":     {"GET", []string{navigate, "navigate", dest, "empty"}, signIn},
		"Android WebView":         {"GET", []string{navigate, "navigate", dest, "document", "X-Requested-With", "com.example.app", accept, html}, signIn},
		"HEAD":                    {"HEAD", []string{navigate, "navigate", dest, "document"}, signIn},
		"iframe":                  {"GET", []string{navigate, "navigate", dest, "iframe", accept, html}, inFrame},
		"frame":                   {"GET", []string{navigate, "navigate", dest, "frame", accept, html}, inFrame},
		"object":                  {"GET", []string{navigate, "navigate", dest, "object"}, inFrame},
		"fetch":                   {"GET", []string{navigate, "cors", dest, "empty", accept, "text/html"}, json},
		"same-origin fetch":       {"GET", []string{navigate, "same-origin", dest, "empty"}, json},
		"picture":                 {"GET", []string{navigate, "no-cors", dest, "image", accept, "text/html"}, json},
		"prefetch":                {"GET", []string{navigate, "navigate", dest, "document", "Sec-Purpose", "prefetch;prerender"}, json},
		"form":                    {"POST", []string{navigate, "navigate", dest, "document", contentTypes, urlencoded}, notSent},
		"form with a file":        {"POST", []string{navigate, "navigate", dest, "document", contentTypes, "multipart/form-data; boundary=x"}, notSent},
		"form in a frame":         {"POST", []string{navigate, "navigate", dest, "iframe", contentTypes, urlencoded}, notSent},
		"form in a WebView":       {"POST", []string{navigate, "navigate", "X-Requested-With", "com.example.app"}, notSent},
		"fetch of a form":         {"POST", []string{navigate, "cors", dest, "empty", accept, "text/html", contentTypes, urlencoded}, json},
		"preflight":               {"OPTIONS", []string{navigate, "cors", "Origin", "https://x.example", "Access-Control-Request-Method", "PUT"}, json},
		"upgrade":                 {"GET", []string{accept, html, "Upgrade", "h2c"}, json},
		"upgrade of a navigation": {"GET", []string{navigate, "navigate", "Upgrade", "websocket"}, json},

		// A library says that it is one.
		"HTMX":                     {"GET", []string{navigate, "cors", "HX-Request", "true", accept, "*/*"}, htmx},
		"HTMX in an old browser":   {"POST", []string{"HX-Request", "true", accept, html, contentTypes, urlencoded}, htmx},
		"HTMX, of a navigation":    {"GET", []string{navigate, "navigate", "HX-Request", "true"}, signIn},
		"Unpoly":                   {"GET", []string{navigate, "cors", "X-Up-Version", "3.9.0", accept, html}, signInFirst},
		"Unpoly, a form":           {"POST", []string{navigate, "cors", "X-Up-Version", "3.9.0", accept, html}, notSent},
		"Turbo":                    {"GET", []string{navigate, "cors", accept, "text/html, application/xhtml+xml", "X-Turbo-Request-Id", "1"}, json},
		"Turbo, a frame":           {"GET", []string{navigate, "cors", accept, "text/html, application/xhtml+xml", "Turbo-Frame", "x"}, signInFirst},
		"Turbo, a form":            {"POST", []string{navigate, "cors", accept, "text/vnd.turbo-stream.html, text/html"}, notSent},
		"Turbo, a form by DELETE":  {"DELETE", []string{navigate, "cors", accept, "text/html", "X-Turbo-Request-Id", "1"}, notSent},
		"Turbo, a form in a frame": {"PATCH", []string{navigate, "cors", "Turbo-Frame", "x"}, notSent},

		// Without metadata, Accept decides.
		"an old browser":          {"GET", []string{accept, html}, signIn},
		"Accept among others":     {"GET", []string{accept, "application/xml, text/html;q=0.9"}, signIn},
		"an old WebView":          {"GET", []string{accept, html, "X-Requested-With", "com.example.app"}, signIn},
		"an old HEAD":             {"HEAD", []string{accept, html}, signIn},
		"XMLHttpRequest":          {"GET", []string{accept, html, "X-Requested-With", "xmlhttprequest"}, json},
		"no Accept":               {"GET", nil, json},
		"anything":                {"GET", []string{accept, "*/*"}, json},
		"Purpose":                 {"GET", []string{accept, html, "Purpose", "Prefetch"}, json},
		"another purpose":         {"GET", []string{accept, html, "Purpose", "view"}, signIn},
		"Sec-Purpose":             {"GET", []string{accept, html, "Sec-Purpose", "prefetch;anonymous-client-ip"}, json},
		"an old form":             {"POST", []string{accept, html, contentTypes, urlencoded + "; charset=utf-8"}, notSent},
		"an old form as text":     {"POST", []string{accept, html, contentTypes, "Text/Plain"}, notSent},
		"an old form by a script": {"POST", []string{accept, html, contentTypes, urlencoded, "X-Requested-With", "XMLHttpRequest"}, json},
		"JSON":                    {"POST", []string{accept, html, contentTypes, "application/json"}, json},
		"no type":                 {"POST", []string{accept, html}, json},
		"DELETE":                  {"DELETE", []string{accept, html, contentTypes, urlencoded}, json},
		"CONNECT":                 {"CONNECT", []string{accept, html}, json},
		"OPTIONS":                 {"OPTIONS", []string{accept, html}, json},
	} {
		w := serve(h, test.method, "https://app.example/x?y", "", append(test.headers, "Referer", "https://app.example/before", "HX-Current-URL", "https://app.example/at")...)
		got := json
		switch {
		case w.Code == 303:
			got = signIn
			require.Equal(t, "https://app.example/api/auth/signin?callbackUrl=%2Fx%3Fy", w.Header().Get("Location"), name)
		case strings.HasPrefix(w.Header().Get("Content-Type"), "text/html"):
			got, _, _ = strings.Cut(w.Body.String(), "</h1>")
			got = map[string]string{"What you sent has not arrived": notSent, "You are not signed in": inFrame, "Please sign in": signInFirst}[got[strings.LastIndex(got, ">")+1:]]
			back := map[bool]string{true: "%2Fx%3Fy", false: "%2Fbefore"}[got == inFrame]
			require.Contains(t, w.Body.String(), `href="https://app.example/api/auth/signin?callbackUrl=`+back+`" target="_blank" rel="noopener"`, name)
			require.Equal(t, slices.Contains(test.headers, "Turbo-Frame"), strings.Contains(w.Body.String(), "turbo-visit-control"), name)
			require.Equal(t, got == signInFirst, strings.Contains(w.Body.String(), `http-equiv="refresh"`), "%s: a form's address is not loaded", name)
			framed := slices.Contains(test.headers, "iframe") || got == inFrame // where nothing but the page's link is of use
			require.Equal(t, framed, strings.Contains(w.Header().Get("Content-Security-Policy"), "frame-ancestors *"), name)
		case w.Header().Get("HX-Redirect") != "":
			got = htmx
			require.Equal(t, "https://app.example/api/auth/signin?callbackUrl=%2Fat", w.Header().Get("HX-Redirect"))
		}
		require.Equal(t, test.want, got, name)
		require.Contains(t, w.Header()["Vary"], varied, name)
		if w.Code != 303 {
			require.Equal(t, 401, w.Code, name)
			require.NotEmpty(t, w.Header().Get("WWW-Authenticate"), name)
			require.Contains(t, w.Header().Get("Cache-Control"), "no-store", name)
		}
	}
}

// TestWhereAFormLeadsBackTo: nowhere that another site says.
func TestWhereAFormLeadsBackTo(t *testing.T) { // RD-01
	h := newAuth(t, nil).Require(http.NotFoundHandler())
	for _, from := range []string{"https://evil.example/x", "//evil.example", "javascript:alert(1)", "https://app.example/api/auth/signout", ""} {
		w := serve(h, "POST", "https://app.example/x", "", "Sec-Fetch-Mode", "navigate", "Referer", from)
		require.Contains(t, w.Body.String(), `callbackUrl=%2F"`, from)
		w = serve(h, "GET", "https://app.example/x", "", "HX-Request", "true", "HX-Current-URL", from)
		require.Equal(t, "https://app.example/api/auth/signin?callbackUrl=%2F", w.Header().Get("HX-Redirect"), from)
	}
	b := newAuth(t, func(c *auth.Config) { c.Providers, c.Backend = nil, &personBackend{} }).Require(http.NotFoundHandler())
	w := serve(b, "POST", "https://app.example/x", "", "Sec-Fetch-Mode", "navigate", "Referer", "https://app.example/a")
	require.Contains(t, w.Body.String(), `href="https://backend.example/sign-in?to=https%3A%2F%2Fapp.example%2Fa"`)
}

func TestPreflights(t *testing.T) { // MW-08
	reached := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, ok := auth.FromContext(r.Context())
		w.WriteHeader(map[bool]int{false: 204, true: 500}[ok])
	})
	preflight := []string{"Origin", "https://x.example", "Access-Control-Request-Method", "PUT"}
	open := newAuth(t, func(c *auth.Config) { c.PassPreflight = true })
	require.Equal(t, 204, serve(newAuth(t, nil).Identify(reached), "OPTIONS", "https://app.example/x", "", preflight...).Code)
	require.Equal(t, 401, serve(newAuth(t, nil).Require(reached), "OPTIONS", "https://app.example/x", "", preflight...).Code)
	require.Equal(t, 204, serve(open.Require(reached), "OPTIONS", "https://app.example/x", "", preflight...).Code)
	for name, headers := range map[string][]string{"no origin": preflight[2:], "no method": preflight[:2], "neither": nil} {
		require.Equal(t, 401, serve(open.Require(reached), "OPTIONS", "https://app.example/x", "", headers...).Code, name)
	}
	require.Equal(t, 401, serve(open.Require(reached), "PUT", "https://app.example/x", "", preflight...).Code)
	rule := func(*session.Session) error { t.Error("asked about nobody"); return nil }
	require.Equal(t, 401, serve(open.RequireRule(rule)(reached), "OPTIONS", "https://app.example/x", "", "X", "y").Code)
	require.Equal(t, 204, serve(open.RequireRule(rule)(reached), "OPTIONS", "https://app.example/x", "", preflight...).Code)
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
