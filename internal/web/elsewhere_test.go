package web_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/session"
)

// subject shows who a request is of.
var subject = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	if who, ok := auth.FromContext(r.Context()); ok {
		_, _ = w.Write([]byte(who.Subject))
	}
})

// TestAnotherSiteChangesNothing: what its pages send with somebody's cookies is nobody's,
// and Require refuses it.
func TestAnotherSiteChangesNothing(t *testing.T) { // CS-01, CS-02
	stub := &stubProvider{name: "stub"}
	var events []auth.Event
	a := newAuth(t, func(c *auth.Config) {
		c.Providers, c.ReturnOrigins, c.CrossOriginPatterns = []auth.Provider{stub}, []string{"https://www.app.example"}, []string{"POST /embedded/{form}"}
		c.OnEvent = func(_ context.Context, e auth.Event) { events = append(events, e) }
	})
	cookie := cookieHeader(sealedCookie(t, a, stub))
	const site, origin = "Sec-Fetch-Site", "Origin"
	for name, test := range map[string]struct {
		method, path string
		headers      []string
		want         int
	}{
		"our form":                       {"POST", "/x", []string{site, "same-origin", origin, "https://app.example"}, 200},
		"our form without a referrer":    {"POST", "/x", []string{site, "same-origin", origin, "null"}, 200},
		"typed":                          {"POST", "/x", []string{site, "none"}, 200},
		"no browser":                     {"DELETE", "/x", nil, 200},
		"our form, an old browser":       {"POST", "/x", []string{origin, "https://app.example"}, 200},
		"another site":                   {"POST", "/x", []string{site, "cross-site", origin, "https://evil.example"}, 403},
		"another site, in a sandbox":     {"POST", "/x", []string{site, "cross-site", origin, "null"}, 403},
		"a sibling":                      {"POST", "/x", []string{site, "same-site", origin, "https://evil.app.example"}, 403},
		"another site, by fetch":         {"PUT", "/x", []string{site, "cross-site", origin, "https://evil.example", "Sec-Fetch-Mode", "cors"}, 403},
		"another site, an old browser":   {"DELETE", "/x", []string{origin, "https://evil.example"}, 403},
		"in a sandbox, an old browser":   {"POST", "/x", []string{origin, "null"}, 403},
		"another port, an old browser":   {"POST", "/x", []string{origin, "https://app.example:8443"}, 403},
		"an origin of ours":              {"POST", "/x", []string{site, "same-site", origin, "https://www.app.example"}, 200},
		"an origin of ours, old browser": {"PATCH", "/x", []string{origin, "https://www.app.example"}, 200},
		"two origins":                    {"POST", "/x", []string{site, "same-site", origin, "https://www.app.example", origin, "https://evil.example"}, 403},
		"a link":                         {"GET", "/x", []string{site, "cross-site", "Sec-Fetch-Mode", "navigate"}, 200},
		"HEAD":                           {"HEAD", "/x", []string{site, "cross-site"}, 200},
		"OPTIONS":                        {"OPTIONS", "/x", []string{site, "cross-site", origin, "https://evil.example"}, 200},
		"let through":                    {"POST", "/embedded/a", []string{site, "cross-site", origin, "https://evil.example"}, 200},
		"let through with POST alone":    {"PUT", "/embedded/a", []string{site, "cross-site", origin, "https://evil.example"}, 403},
		"below what is let through":      {"POST", "/embedded/a/b", []string{site, "cross-site", origin, "https://evil.example"}, 403},
		"a method of nobody's":           {"BREW", "/x", []string{site, "cross-site"}, 403},
	} {
		events = nil
		ask := func(h http.Handler) (int, string) {
			w := serve(h, test.method, "https://app.example"+test.path, "", append(test.headers, "Cookie", cookie)...)
			return w.Code, w.Body.String()
		}
		code, text := ask(a.Require(subject))
		require.Equal(t, test.want, code, name)
		if code == 200 {
			require.Equal(t, "ada", text, name)
			require.Empty(t, events, name)
			continue
		}
		require.JSONEq(t, `{"error":"forbidden","message":"This request comes from another site."}`, text, name)
		require.Len(t, events, 1, name)
		require.Equal(t, "AnotherSite", events[0].Reason, name)
		require.ErrorIs(t, events[0].Err, auth.ErrNotAllowed)
		require.ErrorContains(t, events[0].Err, "Config.ReturnOrigins")
		code, text = ask(a.Identify(subject))
		require.Equal(t, 200, code, name)
		require.Empty(t, text, "%s: nobody's", name)
		code, _ = ask(a.Identify(a.Require(subject)))
		require.Equal(t, 403, code, name)
	}
	w := serve(a.Require(subject), "POST", "https://app.example/x", "", site, "cross-site", origin, "https://evil.example", "Sec-Fetch-Mode", "navigate", "Cookie", cookie)
	require.Equal(t, 403, w.Code)
	require.Contains(t, w.Body.String(), "This came from another site")
	require.Contains(t, w.Body.String(), events[len(events)-1].RequestID)
	require.NotContains(t, w.Body.String(), "evil")
	require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
	w = serve(a.Require(subject), "POST", "https://app.example/x", "", site, "cross-site", origin, "https://evil.example")
	require.Equal(t, 401, w.Code, "without a session it is the challenge")
}

// TestPublicAddressBehindAProxy: a form is ours by it, whatever Host the proxy sends.
func TestPublicAddressBehindAProxy(t *testing.T) { // CS-02, HO-01
	stub := &stubProvider{name: "stub"}
	a := newAuth(t, func(c *auth.Config) { c.Providers = []auth.Provider{stub} })
	cookie := cookieHeader(sealedCookie(t, a, stub))
	for origin, want := range map[string]int{"https://app.example": 200, "https://evil.example": 403} {
		w := serve(a.Require(subject), "POST", "http://internal:3000/x", "", "Origin", origin, "Cookie", cookie)
		require.Equal(t, want, w.Code, origin)
	}
}

// TestCredentialsThatNoBrowserAdds: whoever sends one knows it.
func TestCredentialsThatNoBrowserAdds(t *testing.T) { // CS-01
	stub := &stubProvider{name: "stub"}
	foreign := []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://other.example"}
	a := newAuth(t, func(c *auth.Config) { c.Providers = []auth.Provider{stub} })
	token := sealedCookie(t, a, stub).Value
	coded := newAuth(t, func(c *auth.Config) {
		c.AccessCode, c.AccessCodeHeaders = &fixedVerifier{id: &auth.Identity{Issuer: "access-code", Subject: "code_1"}}, []string{"X-Access-Code"}
	})
	byBackend := newAuth(t, func(c *auth.Config) { c.Backend = &personBackend{} })
	for name, test := range map[string]struct {
		a       *auth.Authenticator
		headers []string
		want    int
	}{
		"a bearer token":             {a, []string{"Authorization", "Bearer " + token}, 200},
		"a cookie beside a bearer":   {a, []string{"Cookie", sessionCookie + "=" + token, "Authorization", "Bearer x"}, 403},
		"a bearer beside a cookie":   {a, []string{"Cookie", sessionCookie + "=x", "Authorization", "Bearer " + token}, 200},
		"a code in a header":         {coded, []string{"X-Access-Code", "x"}, 200},
		"a backend's cookie":         {byBackend, []string{"X-Person", "bob"}, 403},
		"a backend's bearer token":   {byBackend, []string{"X-Person", "bob", "Authorization", "bearer x"}, 200},
		"a backend's token alone":    {byBackend, []string{"X-Person", "bob", "Authorization", "x"}, 200},
		"a backend's, empty":         {byBackend, []string{"X-Person", "bob", "Authorization", ""}, 403},
		"what browsers add, Basic":   {byBackend, []string{"X-Person", "bob", "Authorization", "Basic eDp5"}, 403},
		"two credentials of a stray": {byBackend, []string{"X-Person", "bob", "Authorization", "Bearer x", "Authorization", "Bearer y"}, 403},
	} {
		w := serve(test.a.Require(subject), "POST", "https://app.example/x", "", append(test.headers, foreign...)...)
		require.Equal(t, test.want, w.Code, name)
	}
}

func TestPatternsThatAreNone(t *testing.T) {
	for _, patterns := range [][]string{{"POST"}, {"/{x"}, {""}, {"/a", "/a"}} {
		_, err := auth.New(auth.Config{Secrets: []auth.Secret{auth.NewSecret(testSecret)}, Providers: []auth.Provider{&stubProvider{name: "stub"}}, CrossOriginPatterns: patterns})
		require.ErrorContains(t, err, "Config.CrossOriginPatterns", patterns)
	}
}

// TestFromAnOwnOrigin: a WebSocket, and the session for a script.
func TestFromAnOwnOrigin(t *testing.T) { // CS-06, MW-08
	stub := &stubProvider{name: "stub"}
	a := newAuth(t, func(c *auth.Config) {
		c.Providers, c.ReturnOrigins = []auth.Provider{stub}, []string{"https://www.app.example"}
	})
	cookie := cookieHeader(sealedCookie(t, a, stub))
	const own, address = "https://www.app.example", "https://app.example/api/auth/session"
	ask := func(method, target string, headers ...string) *http.Response {
		return serve(a.Require(subject), method, target, "", append(headers, "Cookie", cookie)...).Result()
	}
	require.Equal(t, 200, ask("GET", "https://app.example/ws", "Upgrade", "websocket", "Origin", own).StatusCode)
	for _, other := range []string{"https://evil.example", "http://www.app.example", "https://www.app.example:444", "null", ""} {
		require.Equal(t, 403, ask("GET", "https://app.example/ws", "Upgrade", "websocket", "Origin", other).StatusCode, other)
	}

	cors := []string{"Sec-Fetch-Site", "same-site", "Sec-Fetch-Mode", "cors", "Origin"}
	got := ask("GET", address, append(cors, own)...)
	require.Equal(t, 200, got.StatusCode)
	require.Equal(t, own, got.Header.Get("Access-Control-Allow-Origin"))
	require.Equal(t, "true", got.Header.Get("Access-Control-Allow-Credentials"))
	require.Contains(t, got.Header["Vary"], "Origin")
	preflight := []string{"Access-Control-Request-Method", "GET", "Access-Control-Request-Headers", "content-type", "Origin"}
	got = ask("OPTIONS", address, append(preflight, own)...)
	require.Equal(t, 204, got.StatusCode)
	require.Equal(t, own, got.Header.Get("Access-Control-Allow-Origin"))
	require.Equal(t, "true", got.Header.Get("Access-Control-Allow-Credentials"))
	require.Equal(t, "GET", got.Header.Get("Access-Control-Allow-Methods"))
	require.Equal(t, "content-type", got.Header.Get("Access-Control-Allow-Headers"))
	require.Contains(t, got.Header["Vary"], "Origin")

	for _, other := range []string{"https://evil.example", "https://evil.app.example", "null"} {
		for method, want := range map[string]int{"GET": 403, "OPTIONS": 405} {
			got = ask(method, address, append(append(preflight[:4:4], cors...), other)...)
			require.Equal(t, want, got.StatusCode, "%s %s", method, other)
			require.Empty(t, got.Header.Get("Access-Control-Allow-Origin"), other)
		}
	}
	require.Equal(t, 405, ask("OPTIONS", address, "Origin", own).StatusCode, "no preflight")
	for _, path := range []string{"csrf", "providers", "signin"} {
		require.Equal(t, 405, ask("OPTIONS", "https://app.example/api/auth/"+path, append(preflight, own)...).StatusCode, path)
		require.Empty(t, ask("GET", "https://app.example/api/auth/"+path, append(cors, own)...).Header.Get("Access-Control-Allow-Origin"), path)
	}
	require.Equal(t, 400, ask("POST", address, append(cors, own, "Content-Type", "application/json")...).StatusCode, "it is read, not changed")
	labels := newAuth(t, func(c *auth.Config) {
		c.Providers, c.ReturnOrigins, c.Session.CookieDomain = []auth.Provider{stub}, []string{"https://*.app.example"}, "app.example"
	})
	for origin, want := range map[string]int{own: 200, "https://a.b.app.example": 403, "https://www.app.example/": 403, "https://www.app.example.evil.example": 403} {
		require.Equal(t, want, serve(labels, "GET", address, "", append(cors, origin)...).Code, origin)
	}
	alone := newAuth(t, nil)
	require.NotContains(t, serve(alone, "GET", address, "").Header()["Vary"], "Origin", "where there is no other origin")
}

// TestReadOnlyHasOwnOriginsToo, for its forms.
func TestReadOnlyHasOwnOriginsToo(t *testing.T) { // CS-02
	stub := &stubProvider{name: "stub"}
	cookie := cookieHeader(sealedCookie(t, newAuth(t, func(c *auth.Config) { c.Providers = []auth.Provider{stub} }), stub))
	a := newAuth(t, func(c *auth.Config) {
		c.Providers, c.ReadOnly, c.ReturnOrigins = nil, true, []string{"https://www.app.example"}
	})
	for origin, want := range map[string]int{"https://www.app.example": 200, "https://evil.example": 403} {
		require.Equal(t, want, serve(a.Require(subject), "POST", "https://app.example/x", "", "Origin", origin, "Cookie", cookie).Code, origin)
	}
}

// TestInAFrameOfAnotherSite: the cookies count there, and people sign in there where the
// pages may be framed.
func TestInAFrameOfAnotherSite(t *testing.T) { // CK-10, HD-05
	stub := &stubProvider{name: "stub"}
	config := func(ancestors ...string) func(*auth.Config) {
		return func(c *auth.Config) {
			c.Providers, c.AccessCode, c.Session.SameSiteNone, c.FrameAncestors = []auth.Provider{stub}, &fixedVerifier{id: &auth.Identity{Issuer: "access-code", Subject: "code_1"}}, true, ancestors
		}
	}
	a := newAuth(t, config("https://Teams.example", "https://*.portal.example:8443"))
	frame := []string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe", "Sec-Fetch-Site", "cross-site"}
	require.Equal(t, 303, serve(a.Require(subject), "GET", "https://app.example/x", "", frame...).Code)
	require.Equal(t, 401, serve(newAuth(t, config()).Require(subject), "GET", "https://app.example/x", "", frame...).Code, "no page may be framed")
	require.Equal(t, 401, serve(newAuth(t, func(c *auth.Config) {
		config("https://teams.example")(c)
		c.Session.SameSiteNone = false
	}).Require(subject), "GET", "https://app.example/x", "", frame...).Code, "a tab signs in")

	for _, path := range []string{"signin", "signin/access-code", "signout", "error"} {
		w := serve(a, "GET", "https://app.example/api/auth/"+path, "")
		require.Contains(t, w.Header().Get("Content-Security-Policy"), "frame-ancestors https://teams.example https://*.portal.example:8443", path)
		require.Contains(t, serve(newAuth(t, config()), "GET", "https://app.example/api/auth/"+path, "").Header().Get("Content-Security-Policy"), "frame-ancestors 'none'", path)
	}
	csrf := serve(a, "GET", "https://app.example/api/auth/csrf", "").Result().Cookies()[0]
	token, _, _ := strings.Cut(csrf.Value, "%7C")
	form := []string{"Content-Type", "application/x-www-form-urlencoded", "Cookie", cookieHeader(csrf)}
	begun := serve(a, "POST", "https://app.example/api/auth/signin/stub", "csrfToken="+token, form...).Result()
	to, err := begun.Location()
	require.NoError(t, err)
	back := serve(a, "GET", "https://app.example/api/auth/callback/stub?code=ada&state="+to.Query().Get("state"), "", "Cookie", cookieHeader(begun.Cookies()...)).Result()
	require.Equal(t, 303, back.StatusCode)
	coded := serve(a, "POST", "https://app.example/api/auth/signin/access-code", "code=x&csrfToken="+token, form...).Result()
	require.Equal(t, 303, coded.StatusCode)
	cookies := append(append(append(begun.Cookies(), csrf), back.Cookies()...), coded.Cookies()...)
	require.GreaterOrEqual(t, len(cookies), 5)
	for _, c := range cookies {
		require.True(t, c.SameSite == http.SameSiteNoneMode && c.Secure && c.Partitioned && c.HttpOnly && c.Path == "/", c.Raw)
	}
	plain := newAuth(t, func(c *auth.Config) { config()(c); c.URL = "" })
	require.Equal(t, 401, serve(newAuth(t, func(c *auth.Config) { config("https://teams.example")(c); c.URL = "" }).Require(subject), "GET", "http://localhost:3000/x", "", frame...).Code)
	c := serve(plain, "GET", "http://localhost:3000/api/auth/csrf", "").Result().Cookies()[0]
	require.True(t, c.SameSite == http.SameSiteLaxMode && !c.Secure && !c.Partitioned, "over http browsers take no other")
}

func TestFramesThatCannotBe(t *testing.T) { // CK-10
	for want, change := range map[string]func(*auth.Config){
		"Session.SameSiteNone is set, and Config.URL is http": func(c *auth.Config) { c.URL, c.Session.SameSiteNone = "http://app.example", true },
		`Config.FrameAncestors: "portal.example"`:             func(c *auth.Config) { c.FrameAncestors = []string{"portal.example"} },
		`Config.FrameAncestors: "*"`:                          func(c *auth.Config) { c.FrameAncestors = []string{"*"} },
		`Config.FrameAncestors: "https://*"`:                  func(c *auth.Config) { c.FrameAncestors = []string{"https://*"} },
		`Config.FrameAncestors: "https://a.example; x"`:       func(c *auth.Config) { c.FrameAncestors = []string{"https://a.example; x"} },
		`Config.FrameAncestors: "https://a.example/x"`:        func(c *auth.Config) { c.FrameAncestors = []string{"https://a.example/x"} },
	} {
		c := auth.Config{Secrets: []auth.Secret{auth.NewSecret(testSecret)}, Providers: []auth.Provider{&stubProvider{name: "stub"}}, URL: "https://app.example"}
		change(&c)
		_, err := auth.New(c)
		require.ErrorContains(t, err, want)
	}
}

// TestSignOutWithSameSiteNone ends the cookie from before it was set, too.
func TestSignOutWithSameSiteNone(t *testing.T) { // CK-09
	stub := &stubProvider{name: "stub"}
	a := newAuth(t, func(c *auth.Config) {
		c.Providers, c.Session = []auth.Provider{stub}, session.Config{SameSiteNone: true}
	})
	csrf := serve(a, "GET", "https://app.example/api/auth/csrf", "").Result().Cookies()[0]
	token, _, _ := strings.Cut(csrf.Value, "%7C")
	out := serve(a, "POST", "https://app.example/api/auth/signout", "csrfToken="+token, "Content-Type", "application/x-www-form-urlencoded",
		"Cookie", cookieHeader(csrf, sealedCookie(t, a, stub)))
	var deleted []bool
	for _, c := range out.Result().Cookies() {
		if c.Name == sessionCookie && c.MaxAge < 0 {
			deleted = append(deleted, c.Partitioned)
		}
	}
	require.ElementsMatch(t, []bool{true, false}, deleted)
}
