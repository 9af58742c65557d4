package web_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/session"
)

func TestSignInReturnsToThePage(t *testing.T) { // RD-09, HD-08
	s := newSite(t, nil)
	b := s.browser()
	got := b.get("/reports?year=2026&q=%C3%A4")
	require.Equal(t, 303, got.StatusCode)
	to, err := got.Location()
	require.NoError(t, err)
	require.Equal(t, "/api/auth/signin", to.Path)
	require.Equal(t, "/reports?year=2026&q=%C3%A4", to.Query().Get("callbackUrl"))

	page := b.get(to.RequestURI())
	require.Equal(t, 200, page.StatusCode)
	require.Contains(t, page.text, `action="/api/auth/signin/stub"`)

	back := b.back("stub", b.start("stub", to.Query().Get("callbackUrl")).Get("state"), "ada")
	require.Equal(t, 303, back.StatusCode)
	require.Equal(t, s.server.URL+"/reports?year=2026&q=%C3%A4", back.Header.Get("Location"))
	require.Equal(t, "hello ada at /reports?year=2026&q=%C3%A4", b.get("/reports?year=2026&q=%C3%A4").text)
	require.Equal(t, []auth.EventKind{auth.EventSignedIn}, s.kinds())
}

func TestAttemptsAreBounded(t *testing.T) { // ST-15, CK-05
	for _, back := range []string{"/", "/" + strings.Repeat("x", 1000)} {
		s := newSite(t, nil)
		b := s.browser()
		var last string
		for range 30 {
			last = b.start("stub", back).Get("state")
			s.advance(time.Second)
		}
		size := 0
		for _, c := range b.cookies() {
			size += len(c.Name) + len(c.Value) + 3
		}
		require.LessOrEqual(t, len(b.cookiesNamed("__Host-authjs.txn.")), 8)
		require.LessOrEqual(t, size, 8<<10)
		require.Equal(t, s.server.URL+back, b.back("stub", last, "ada").Header.Get("Location"))
	}
}

func TestStateIsFreshAndStrong(t *testing.T) { // ST-01, ST-10
	s := newSite(t, nil)
	b := s.browser()
	seen := map[string]bool{}
	for range 200 {
		got := b.do("POST", "/api/auth/signin/stub?state=attacker&redirect_uri=https://evil.example&login_hint=ada", url.Values{"csrfToken": {b.csrf()}})
		to, err := got.Location()
		require.NoError(t, err)
		state := to.Query().Get("state")
		require.Regexp(t, `^[A-Za-z0-9_-]{22,}$`, state)
		require.False(t, seen[state])
		seen[state] = true
		require.Equal(t, []string{s.server.URL + "/api/auth/callback/stub"}, to.Query()["redirect_uri"]) // ST-16, ST-17
		require.Equal(t, "ada", to.Query().Get("login_hint"))
	}
}

func TestStraightToProvider(t *testing.T) {
	s := newSite(t, func(c *auth.Config) { c.StraightToProvider, c.Providers = true, c.Providers[:1] })
	b := s.browser()
	got := b.get("/page")
	got = b.get(strings.TrimPrefix(got.Header.Get("Location"), s.server.URL))
	to, err := got.Location()
	require.NoError(t, err)
	require.Equal(t, "idp.example", to.Host)
	require.Equal(t, s.server.URL+"/page", b.back("stub", to.Query().Get("state"), "ada").Header.Get("Location"))
	out := b.do("POST", "/api/auth/signout", url.Values{"csrfToken": {b.csrf()}, "callbackUrl": {"/page"}})
	page := b.get(strings.TrimPrefix(out.Header.Get("Location"), s.server.URL))
	require.Equal(t, 200, page.StatusCode, "signing out does not sign in again")
}

func TestOwnPages(t *testing.T) {
	s := newSite(t, func(c *auth.Config) { c.SignInURL, c.ErrorURL = "/login", "/oops" })
	b := s.browser()
	require.Equal(t, s.server.URL+"/login?callbackUrl=%2Fa%3Fb%3Dc", b.get("/a?b=c").Header.Get("Location"))
	require.Equal(t, s.server.URL+"/login?callbackUrl=%2Fa", b.get("/api/auth/signin?callbackUrl=/a").Header.Get("Location"))
	s.stub.identity = func(string) (*auth.Identity, error) { return nil, auth.ErrNotAllowed }
	got := b.back("stub", b.start("stub", "/").Get("state"), "x").Header.Get("Location")
	require.True(t, strings.HasPrefix(got, s.server.URL+"/oops?callbackUrl=%2F&error=AccessDenied&request_id="), got)
	for _, bad := range []string{"//evil.example", "https://evil.example/", "login", "/a?b", "/a#b"} {
		_, err := auth.New(auth.Config{Secrets: []auth.Secret{auth.NewSecret(testSecret)}, Providers: []auth.Provider{s.stub}, SignInURL: bad})
		require.ErrorContains(t, err, "SignInURL", bad)
	}
}

func TestOpeningTheAddressOfAStartStartsNothing(t *testing.T) { // ST-19, CS-02
	s := newSite(t, nil)
	for _, method := range []string{"GET", "POST"} {
		path := map[string]string{"GET": "/api/auth/signin/stub", "POST": "/api/auth/signin"}[method]
		for raw, want := range map[string]string{
			"":                              "/api/auth/signin",
			"?callbackUrl=/a%3Fb":           "/api/auth/signin?callbackUrl=%2Fa%3Fb",
			"?callbackUrl=//evil.example":   "/api/auth/signin?callbackUrl=%2F",
			"?callbackUrl=":                 "/api/auth/signin",
			"?state=x&redirect_uri=http://": "/api/auth/signin",
		} {
			var form url.Values
			if method == "POST" {
				form = url.Values{}
			}
			b := s.browser()
			got := b.do(method, path+raw, form, "Sec-Fetch-Site", "cross-site")
			require.Equal(t, 303, got.StatusCode)
			require.Equal(t, s.server.URL+want, got.Header.Get("Location"))
			require.Empty(t, b.cookies())
		}
	}
	got := s.browser().do("POST", "/api/auth/signin", url.Values{"callbackUrl": {"/x"}}, "X-Auth-Return-Redirect", "1")
	require.JSONEq(t, `{"url":"`+s.server.URL+`/api/auth/signin?callbackUrl=%2Fx"}`, got.text)
}

func TestParametersFromAnAllowList(t *testing.T) { // ST-16
	s := newSite(t, nil)
	b := s.browser()
	known := []string{"prompt", "login_hint", "screen_hint", "ui_locales", "domain_hint", "connection", "organization", "max_age", "acr_values"}
	query, want := url.Values{}, url.Values{}
	for _, name := range known {
		query[name] = []string{"first " + name, "second"}
		want.Set(name, "first "+name)
	}
	for _, name := range []string{"state", "redirect_uri", "scope", "client_id", "nonce", "code_challenge", "response_type", "response_mode", "request", "Prompt", "x"} {
		query.Set(name, "evil")
	}
	got := b.do("POST", "/api/auth/signin/stub?"+query.Encode(), url.Values{"csrfToken": {b.csrf()}, "acr_values": {"of the body"}})
	to, err := got.Location()
	require.NoError(t, err)
	sent := to.Query()
	require.NotEqual(t, "evil", sent.Get("state"))
	require.Equal(t, []string{s.server.URL + "/api/auth/callback/stub"}, sent["redirect_uri"])
	sent.Del("state")
	sent.Del("redirect_uri")
	require.Equal(t, want, sent)

	for length, passes := range map[int]bool{0: false, 1: true, 256: true, 257: false} {
		hint := strings.Repeat("x", length)
		got := b.do("POST", "/api/auth/signin/stub?login_hint="+hint, url.Values{"csrfToken": {b.csrf()}})
		to, err := got.Location()
		require.NoError(t, err)
		require.Equal(t, passes, to.Query().Has("login_hint"), length)
	}
	got = b.do("POST", "/api/auth/signin/stub", url.Values{"csrfToken": {b.csrf()}, "login_hint": {"ada"}})
	require.NotContains(t, got.Header.Get("Location"), "login_hint", "the query alone brings them")
}

// aimless is a provider whose authorization URL is to.
type aimless struct {
	stubProvider
	to  string
	err error
}

func (p *aimless) AuthCodeURL(context.Context, auth.Transaction) (string, error) { return p.to, p.err }

func TestBrowserIsSentToHTTPAlone(t *testing.T) { // DI-10, RD-05
	p := &aimless{stubProvider: stubProvider{name: "aimless"}}
	s := newSite(t, func(c *auth.Config) { c.Providers = append(c.Providers, p) })
	for _, to := range []string{"javascript:alert(1)", "", "/authorize", "//idp.example/x", "ftp://idp.example/", "data:text/html,x", "https:idp.example", "https:///x", "https://%zz", "mailto:a@b"} {
		p.to = to
		b := s.browser()
		got := b.do("POST", "/api/auth/signin/aimless", url.Values{"csrfToken": {b.csrf()}})
		require.Equal(t, 502, got.StatusCode, to)
		require.Empty(t, b.cookiesNamed("__Host-authjs.txn."), to)
		require.Equal(t, "Configuration", s.last().Reason)
		require.ErrorIs(t, s.last().Err, auth.ErrMisconfigured)
	}
	for _, to := range []string{"https://idp.example/x", s.server.URL + "/x"} {
		p.to = to
		b := s.browser()
		got := b.do("POST", "/api/auth/signin/aimless", url.Values{"csrfToken": {b.csrf()}})
		require.Equal(t, to, got.Header.Get("Location"))
	}
	a := newAuth(t, func(c *auth.Config) {
		c.Providers = []auth.Provider{&aimless{stubProvider{name: "aimless"}, "http://127.0.0.1:1/authorize", nil}}
		c.StraightToProvider = true
	})
	w := serve(a, "GET", "https://app.example/api/auth/signin?callbackUrl=/", "", "Accept", "text/html")
	require.Equal(t, "http://127.0.0.1:1/authorize", w.Header().Get("Location"), "a provider on loopback")
	p.to, p.err = "", fmt.Errorf("discovery: %w", auth.ErrUnavailable)
	b := s.browser()
	got := b.do("POST", "/api/auth/signin/aimless", url.Values{"csrfToken": {b.csrf()}, "callbackUrl": {"/wanted"}})
	require.Equal(t, 503, got.StatusCode)
	require.Contains(t, got.text, `action="/api/auth/signin/aimless"`, "try again")
	require.Contains(t, got.text, `value="/wanted"`)
}

func TestStraightToProviderOnlyOnTheWayToAPage(t *testing.T) {
	straight := func(change func(*auth.Config)) *site {
		return newSite(t, func(c *auth.Config) {
			c.StraightToProvider, c.Providers = true, c.Providers[:1]
			if change != nil {
				change(c)
			}
		})
	}
	s := straight(nil)
	const to = "/api/auth/signin?callbackUrl=%2Fx"
	require.Equal(t, 303, s.browser().get(to).StatusCode)
	require.Equal(t, 200, s.browser().get("/api/auth/signin").StatusCode, "typed")
	require.Equal(t, 200, s.browser().get(to+"&error=AccessDenied").StatusCode, "failed before")
	require.Equal(t, 200, s.browser().get(to, "Accept", "*/*").StatusCode, "a script")
	require.Equal(t, 200, s.browser().get(to, "Sec-Purpose", "prefetch").StatusCode)
	b := s.browser()
	b.signIn("ada")
	require.Equal(t, 200, b.get(to).StatusCode, "signed in")
	require.Equal(t, 200, straight(func(c *auth.Config) { c.AccessCode = gate(t, c.Now, goodCode) }).browser().get(to).StatusCode, "two ways in")
	two := newSite(t, func(c *auth.Config) { c.StraightToProvider = true })
	require.Equal(t, 200, two.browser().get(to).StatusCode)
	one := newSite(t, func(c *auth.Config) { c.Providers = c.Providers[:1] })
	require.Equal(t, 200, one.browser().get(to).StatusCode, "not unless asked for")
}

func TestSignInPageSaysWhatWentWrong(t *testing.T) { // HD-04
	s := newSite(t, nil)
	for query, want := range map[string]string{
		"":                                      "",
		"?error=SessionRequired":                "Please sign in",
		"?error=SignedOut":                      "You are signed out",
		"?error=Nonsense":                       "Something went wrong",
		"?error=Configuration&detail=Clock":     "A clock is wrong",
		"?error=Configuration&detail=Nonsense":  "Sign-in is not set up correctly",
		"?detail=Clock":                         "A clock is wrong",
		"?error=CredentialsSignin&code=x":       "That code is not right",
		"?error=OAuthCallbackError&detail=Late": "The sign-in did not work",
	} {
		got := s.browser().get("/api/auth/signin" + query)
		require.Equal(t, 200, got.StatusCode)
		require.Equal(t, want != "", strings.Contains(got.text, `role="alert"`), query)
		require.Contains(t, got.text, want, query)
	}
}

func TestOwnSignInPageIsToldWhatWentWrong(t *testing.T) {
	s := newSite(t, func(c *auth.Config) { c.SignInURL = "/login" })
	for query, want := range map[string]string{
		"":                                       "callbackUrl=%2F",
		"?callbackUrl=/a&error=SessionRequired":  "callbackUrl=%2Fa&error=SessionRequired",
		"?callbackUrl=//evil&error=%3Cscript%3E": "callbackUrl=%2F&error=Default",
		"?error=Configuration&detail=Clock":      "callbackUrl=%2F&detail=Clock&error=Configuration",
	} {
		got := s.browser().get("/api/auth/signin" + query)
		require.Equal(t, s.server.URL+"/login?"+want, got.Header.Get("Location"))
	}
}

func TestBrokenSessionCookieIsCleared(t *testing.T) { // HD-10, CK-09
	s := newSite(t, nil)
	for _, path := range []string{"/api/auth/signin", "/api/auth/session"} {
		b := s.browser()
		b.plant(sessionCookie, "broken")
		b.plant(sessionCookie+".0", "broken")
		b.plant("theme", "dark")
		b.get(path)
		require.Empty(t, b.cookiesNamed(sessionCookie), path)
		require.Len(t, b.cookiesNamed("theme"), 1)
		require.Empty(t, s.browser().get("/api/auth/session").Cookies(), "nothing to clear")
	}
	b := s.browser()
	b.signIn("ada")
	b.get("/api/auth/signin")
	require.Equal(t, "ada", b.who(), "a good one stays")

	down := false
	s = newSite(t, func(c *auth.Config) { c.Session.Store = downStore{session.NewMemoryStore(0, nil), &down} })
	b = s.browser()
	b.signIn("ada")
	down = true
	require.Equal(t, 200, b.get("/api/auth/signin").StatusCode)
	down = false
	require.Equal(t, "ada", b.who(), "one that cannot be looked at stays")
}

// forgetful is a store that finds nothing, and may fail to delete.
type forgetful struct{ fails *int }

func (f forgetful) Find(context.Context, string) ([]byte, bool, error) {
	if *f.fails--; *f.fails == 0 {
		return nil, false, errDown
	}
	return nil, false, nil
}
func (forgetful) Commit(context.Context, string, []byte, time.Time) error { return nil }
func (forgetful) Delete(context.Context, string) error                    { return errDown }

func TestBrokenSessionCookieThatCannotBeCleared(t *testing.T) {
	fails := 2 // the second time that it is asked
	key := strings.Repeat("A", 43)
	s := newSite(t, func(c *auth.Config) { c.Session.Store = forgetful{&fails} })
	b := s.browser()
	b.plant(sessionCookie, key)
	require.Equal(t, 200, b.get("/api/auth/signin").StatusCode, "the page is shown all the same")
	require.Contains(t, s.log.String(), "broken session cookie not cleared")
}

func TestSignInPageOfABackendAlone(t *testing.T) { // RD-01
	a := newAuth(t, func(c *auth.Config) { c.Providers, c.Backend = nil, &personBackend{} })
	for raw, want := range map[string]string{
		"":                            "https://app.example/",
		"?callbackUrl=/a":             "https://app.example/a",
		"?callbackUrl=//evil.example": "https://app.example/",
	} {
		w := serve(a, "GET", "https://app.example/api/auth/signin"+raw, "")
		require.Equal(t, 303, w.Code)
		require.Equal(t, "https://backend.example/sign-in?to="+url.QueryEscape(want), w.Header().Get("Location"))
	}
	both := newAuth(t, func(c *auth.Config) { c.Backend = &personBackend{} })
	require.Equal(t, 200, serve(both, "GET", "https://app.example/api/auth/signin", "").Code, "there are other ways in")
	coded := newAuth(t, func(c *auth.Config) {
		c.Providers, c.Backend, c.AccessCode = nil, &personBackend{}, gate(t, nil, goodCode)
	})
	require.Equal(t, 200, serve(coded, "GET", "https://app.example/api/auth/signin", "").Code)
}

// TestParametersFitIntoTheCookie: browsers drop a cookie of more than 4096 bytes, and
// with it the attempt.
func TestParametersFitIntoTheCookie(t *testing.T) { // I2, CK-01
	s := newSite(t, nil)
	b := s.browser()
	q := url.Values{}
	for _, name := range []string{"prompt", "login_hint", "screen_hint", "ui_locales", "domain_hint", "connection", "organization", "acr_values"} {
		q.Set(name, strings.Repeat("é", 128))
	}
	q.Set("max_age", "60")
	got := b.do("POST", "/api/auth/signin/stub?"+q.Encode(), url.Values{"csrfToken": {b.csrf()}, "callbackUrl": {"/" + strings.Repeat("x", 1000)}})
	require.Equal(t, 303, got.StatusCode)
	require.Len(t, b.cookiesNamed("__Host-authjs.txn."), 1)
	to, err := got.Location()
	require.NoError(t, err)
	require.Equal(t, "60", to.Query().Get("max_age"), "what asks for a stronger sign-in stays")
	require.Equal(t, 303, b.back("stub", to.Query().Get("state"), "ada").StatusCode)
}

func TestSignInPageKnowsWhoIsIn(t *testing.T) {
	s := newSite(t, nil)
	b := s.browser()
	require.NotContains(t, b.get("/api/auth/signin?callbackUrl=/x").text, "Signed in as")
	b.signIn("ada")
	page := b.get("/api/auth/signin?callbackUrl=/x")
	require.Contains(t, page.text, "Signed in as <strong><bdi>Ada</bdi></strong>")
	require.Contains(t, page.text, `<a class="button primary" href="/x">Continue</a>`)
	require.Contains(t, page.text, `action="/api/auth/signin/stub"`, "or with another account")
}
