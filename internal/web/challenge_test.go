package web_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
)

// varied are the headers that decide what somebody gets who is not signed in.
const varied = "Accept, Sec-Fetch-Mode, Sec-Fetch-Dest, X-Requested-With, HX-Request, X-Up-Version, Turbo-Frame, X-Turbo-Request-Id"

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
				require.Contains(t, got.Header.Get("Content-Type"), map[bool]string{false: "application/json", true: "text/html"}[c.name == "iframe"])
			}
		})
	}
	require.Empty(t, s.seen)
}

func TestChallengeOfAScript(t *testing.T) { // MW-13, HD-02, HD-09
	w := serve(newAuth(t, nil).Require(http.NotFoundHandler()), "GET", "https://app.example/data?x", "", "Accept", "application/json")
	require.Equal(t, 401, w.Code)
	require.Equal(t, `Cookie realm="app.example", form-action="/api/auth/signin"`, w.Header().Get("WWW-Authenticate"))
	require.JSONEq(t, `{"error":"unauthorized","message":"Not signed in. Sign in at https://app.example/api/auth/signin"}`, w.Body.String())
	require.Equal(t, "application/json; charset=utf-8", w.Header().Get("Content-Type"))
	require.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))
	require.Equal(t, "same-origin", w.Header().Get("Cross-Origin-Resource-Policy"))
	require.Contains(t, w.Header().Get("Cache-Control"), "no-store")
	require.Equal(t, []string{"Cookie, Authorization", varied}, w.Header()["Vary"])
	require.Empty(t, w.Header().Get("Location"))
}

func TestChallengeOfANavigation(t *testing.T) { // MW-13, RD-09, HD-08
	for name, test := range map[string]struct {
		change func(*auth.Config)
		want   string
	}{
		"our page":      {nil, "https://app.example/api/auth/signin?callbackUrl=%2Fp%3Fa%3Db%26c"},
		"another base":  {func(c *auth.Config) { c.URL = "https://app.example/auth" }, "https://app.example/auth/signin?callbackUrl=%2Fp%3Fa%3Db%26c"},
		"its own page":  {func(c *auth.Config) { c.SignInURL = "/login" }, "https://app.example/login?callbackUrl=%2Fp%3Fa%3Db%26c"},
		"the backend's": {func(c *auth.Config) { c.Providers, c.Backend = nil, &personBackend{} }, "https://backend.example/sign-in?to=https%3A%2F%2Fapp.example%2Fp%3Fa%3Db%26c"},
	} {
		for _, method := range []string{"GET", "HEAD"} {
			w := serve(newAuth(t, test.change).Require(http.NotFoundHandler()), method, "https://app.example/p?a=b&c", "", "Accept", "text/html")
			require.Equal(t, 303, w.Code, name)
			require.Equal(t, test.want, w.Header().Get("Location"), name)
			require.Equal(t, "no-store", w.Header().Get("Cache-Control"), name)
			require.Equal(t, "same-origin", w.Header().Get("Referrer-Policy"), name)
			require.Contains(t, w.Header()["Vary"], varied, name)
			require.Empty(t, w.Header().Get("WWW-Authenticate"))
		}
	}
}

func TestWayBackIsTheAddressThatWasAsked(t *testing.T) { // RD-01, RD-03, RD-04, RD-06, RD-09
	h := newAuth(t, nil).Require(http.NotFoundHandler())
	for target, want := range map[string]string{
		"/a?b":                          "/a?b",
		"/a%20b?q=%C3%A4":               "/a%20b?q=%C3%A4",
		"//evil.example/x":              "/",
		"/\\evil.example":               "/",
		"/%5cevil.example":              "/",
		"/a/../api/auth/signin":         "/",
		"/x%0d%0aSet-Cookie:a":          "/",
		"http://evil.example/x":         "/p", // in absolute form, r.URL counts
		"*":                             "/p",
		"":                              "/p",
		strings.Repeat("/a", 9):         strings.Repeat("/a", 9),
		"/" + strings.Repeat("a", 4096): "/",
	} {
		r := httptest.NewRequest("GET", "https://app.example/p", nil)
		r.RequestURI = target
		r.Header.Set("Accept", "text/html")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		to, err := w.Result().Location()
		require.NoError(t, err)
		require.Equal(t, want, to.Query().Get("callbackUrl"), "%q", target)
		require.Equal(t, "app.example", to.Host)
	}
}

// TestTheSignInPageBehindRequire: to send people from it to it would never end.
func TestTheSignInPageBehindRequire(t *testing.T) {
	for name, change := range map[string]func(*auth.Config){
		"of the application":       func(c *auth.Config) { c.SignInURL = "/login" },
		"below a path":             func(c *auth.Config) { c.URL, c.SignInURL = "https://app.example/app/api/auth", "/login" },
		"of the backend's, a path": func(c *auth.Config) { c.Providers, c.Backend = nil, loginBackend{&personBackend{}} },
	} {
		var events []auth.Event
		h := newAuth(t, func(c *auth.Config) {
			change(c)
			c.OnEvent = func(_ context.Context, e auth.Event) { events = append(events, e) }
		}).Require(http.NotFoundHandler())
		w := serve(h, "GET", "https://app.example/login?callbackUrl=/x", "", "Accept", "text/html")
		require.Equal(t, 500, w.Code, name)
		require.Contains(t, w.Body.String(), "not set up correctly", name)
		require.Len(t, events, 1)
		require.Equal(t, "Configuration", events[0].Reason)
		require.ErrorContains(t, events[0].Err, "GATEWAY_OPEN_PATHS")
		require.Equal(t, 401, serve(h, "GET", "https://app.example/login", "").Code, name)
		w = serve(h, "GET", "https://app.example/login/x", "", "Accept", "text/html")
		require.Equal(t, 303, w.Code, name)
	}
}

// loginBackend has a sign-in page at the site itself.
type loginBackend struct{ *personBackend }

func (loginBackend) SignInURL(_ *auth.Decision, returnTo string) string {
	return "https://app.example/login?redirect_url=" + url.QueryEscape(returnTo)
}
