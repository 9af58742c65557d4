package web_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/session"
)

const awayCookie = "__Host-authjs.signout"

// ender is a stub at which people can be signed out.
type ender struct {
	*stubProvider
	answer func(ctx context.Context, s *session.Session, back, state string) (string, error)
}

func (p *ender) EndSessionURL(ctx context.Context, s *session.Session, back, state string) (string, error) {
	if p.answer != nil {
		return p.answer(ctx, s, back, state)
	}
	hint := ""
	if s.ProviderTokens != nil {
		hint = s.ProviderTokens.IDToken
	}
	return "https://idp.example/logout?" + url.Values{"back": {back}, "state": {state}, "hint": {hint}}.Encode(), nil
}

func newEnder() *ender {
	return &ender{stubProvider: &stubProvider{name: "stub", identity: func(code string) (*auth.Identity, error) {
		return &auth.Identity{Issuer: "https://idp.example", Subject: code, Name: "Ada",
			Token: (&oauth2.Token{AccessToken: "s3cret-access", RefreshToken: "s3cret-refresh"}).WithExtra(map[string]any{"id_token": "s3cret-id"})}, nil
	}}}
}

// newEndingSite is a site where people are signed out at the provider stub too, and at
// other not.
func newEndingSite(t *testing.T, change func(*auth.Config)) (*site, *ender) {
	p := newEnder()
	s := newSite(t, func(c *auth.Config) {
		c.Providers = []auth.Provider{p, &stubProvider{name: "other"}}
		c.SignOutAtProvider = true
		if change != nil {
			change(c)
		}
	})
	return s, p
}

func (b *browser) signOut(fields ...string) answer {
	b.s.t.Helper()
	form := url.Values{"csrfToken": {b.csrf()}}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return b.do("POST", "/api/auth/signout", form)
}

// atProvider is the query with which got sends the browser to the provider.
func (got answer) atProvider(t *testing.T) url.Values {
	t.Helper()
	to, err := got.Location()
	require.NoError(t, err)
	require.Equal(t, "https://idp.example/logout", to.Scheme+"://"+to.Host+to.Path)
	return to.Query()
}

func TestSignOutAtTheProvider(t *testing.T) { // RP-01, RP-02, RP-03, I5
	s, _ := newEndingSite(t, nil)
	for wanted, want := range map[string]string{"": "/api/auth/signout", "/bye?a=b": "/bye?a=b", "https://evil.example/": "/"} {
		b := s.browser()
		b.signIn("ada")
		fields := []string{"callbackUrl", wanted}
		if wanted == "" {
			fields = nil
		}
		got := b.signOut(fields...)
		require.Empty(t, b.who(), "here first")
		q := got.atProvider(t)
		require.Equal(t, url.Values{"back": {s.server.URL + "/api/auth/signout/stub"}, "state": q["state"], "hint": {"s3cret-id"}}, q)
		require.Regexp(t, `^[A-Za-z0-9_-]{22}$`, q.Get("state"), "128 bits")
		require.NotContains(t, b.cookiesNamed(awayCookie)[0].Value, q.Get("state"))
		back := b.get("/api/auth/signout/stub?state=" + q.Get("state"))
		require.Equal(t, 303, back.StatusCode)
		require.Equal(t, s.server.URL+want, back.Header.Get("Location"))
		require.Empty(t, b.cookiesNamed(awayCookie), "used up")
		require.Empty(t, b.who())
	}
	require.NotContains(t, s.log.String(), "s3cret")
	require.Equal(t, auth.EventSignedOut, s.last().Kind)
}

// TestWayBackWithAnotherState: it leads to the page that says how things are, and nowhere
// that the request or the cookie names.
func TestWayBackWithAnotherState(t *testing.T) { // RP-03
	s, _ := newEndingSite(t, nil)
	b := s.browser()
	b.signIn("ada")
	state := b.signOut("callbackUrl", "/bye").atProvider(t).Get("state")
	stranger := s.browser()
	for name, x := range map[string]struct {
		b     *browser
		query string
	}{
		"another": {b, "?state=" + state + "_INVALID"}, "none": {b, ""}, "empty": {b, "?state="}, "two": {b, "?state=" + state + "&state=" + state},
		"another browser's": {stranger, "?state=" + state}, "with a page": {b, "?state=x&callbackUrl=https://evil.example/"},
	} {
		got := x.b.get("/api/auth/signout/stub" + x.query)
		require.Equal(t, 303, got.StatusCode, name)
		require.Equal(t, s.server.URL+"/api/auth/signout", got.Header.Get("Location"), name)
		require.Contains(t, x.b.get("/api/auth/signout").text, "You are signed out", name)
		require.Empty(t, x.b.who(), name)
	}
	require.Contains(t, s.log.String(), "no state of a sign-out of this browser")
	require.Equal(t, s.server.URL+"/bye", b.get("/api/auth/signout/stub?state="+state).Header.Get("Location"), "none of that used it up")
	require.Equal(t, s.server.URL+"/api/auth/signout", b.get("/api/auth/signout/stub?state="+state).Header.Get("Location"), "once")

	b.signIn("ada")
	b.get("/api/auth/signout/stub?state=x")
	require.Equal(t, "ada", b.who(), "it signs nobody out either")
	require.NotContains(t, b.get("/api/auth/signout").text, "You are signed out")
}

func TestWayBackThatIsSomebodyElses(t *testing.T) { // RP-03, CK-02
	s, _ := newEndingSite(t, func(c *auth.Config) {
		second := newEnder()
		second.name = "second"
		c.Providers = append(c.Providers, second)
	})
	b := s.browser()
	b.signIn("ada")
	state := b.signOut("callbackUrl", "/bye").atProvider(t).Get("state")
	require.Equal(t, s.server.URL+"/api/auth/signout", b.get("/api/auth/signout/second?state="+state).Header.Get("Location"), "another provider's")
	require.Equal(t, 404, b.get("/api/auth/signout/other?state="+state).StatusCode, "one at which nobody is signed out")
	require.Equal(t, 405, b.do("HEAD", "/api/auth/signout/stub?state="+state, nil).StatusCode)
	require.Equal(t, 405, b.do("POST", "/api/auth/signout/stub?state="+state, url.Values{}).StatusCode)
	sealed := b.cookiesNamed(awayCookie)[0].Value
	b.back("stub", state, "ada")
	require.Empty(t, b.who(), "it is no attempt to sign in")

	s.advance(10*time.Minute + time.Second)
	require.Equal(t, s.server.URL+"/api/auth/signout", b.get("/api/auth/signout/stub?state="+state).Header.Get("Location"), "too late")
	s.advance(-time.Minute)
	for _, bad := range []string{"x", sealed[:len(sealed)-4] + "AAAA", b.csrf()} {
		b.plant(awayCookie, bad)
		require.Equal(t, s.server.URL+"/api/auth/signout", b.get("/api/auth/signout/stub?state="+state).Header.Get("Location"))
	}
	b.plant(awayCookie, sealed)
	require.Equal(t, s.server.URL+"/bye", b.get("/api/auth/signout/stub?state="+state).Header.Get("Location"))
}

// TestProviderKeepsNobodyIn: whatever it does, the session here has ended, and the person
// is told where they are still signed in.
func TestProviderKeepsNobodyIn(t *testing.T) { // RP-02, RP-05
	for name, answer := range map[string]func(ctx context.Context, s *session.Session, back, state string) (string, error){
		"down": func(context.Context, *session.Session, string, string) (string, error) {
			return "", errors.New("10.0.0.3 does not answer")
		},
		"none": func(context.Context, *session.Session, string, string) (string, error) { return "", nil },
		"script": func(context.Context, *session.Session, string, string) (string, error) {
			return "javascript:alert(1)", nil
		},
		"path": func(context.Context, *session.Session, string, string) (string, error) { return "/logout", nil },
		"slow": func(ctx context.Context, _ *session.Session, _, _ string) (string, error) {
			until, limited := ctx.Deadline()
			require.True(t, limited)
			require.LessOrEqual(t, time.Until(until), 2*time.Second, "RF-07")
			return "", context.DeadlineExceeded
		},
	} {
		s, p := newEndingSite(t, nil)
		p.answer = answer
		b := s.browser()
		b.signIn("ada")
		page := b.get("/api/auth/signout")
		require.Contains(t, page.text, "You will still be signed in at stub.", name)
		require.NotContains(t, page.text, "atProvider", name)
		got := b.signOut()
		require.Equal(t, s.server.URL+"/api/auth/signout?provider=stub", got.Header.Get("Location"), name)
		require.Empty(t, b.who(), name)
		require.Empty(t, b.cookiesNamed(awayCookie), name)
		page = b.get(got.Header.Get("Location"))
		require.Contains(t, page.text, "You are still signed in at stub.", name)
		require.NotContains(t, page.text, "10.0.0.3", name)
		b.signIn("ada")
		require.Equal(t, s.server.URL+"/bye", b.signOut("callbackUrl", "/bye").Header.Get("Location"), name)
	}
}

func TestSignOutWhileTheStoreIsDownLeadsNowhere(t *testing.T) { // RP-02, SE-06
	down := false
	s, _ := newEndingSite(t, func(c *auth.Config) { c.Session.Store = downStore{session.NewMemoryStore(0, nil), &down} })
	b := s.browser()
	b.signIn("ada")
	token := b.csrf()
	down = true
	got := b.do("POST", "/api/auth/signout", url.Values{"csrfToken": {token}})
	require.Equal(t, 503, got.StatusCode, "here first")
	require.Empty(t, b.cookiesNamed(awayCookie))
}

func TestWhereToSignOutIsChosen(t *testing.T) {
	for _, configured := range []bool{true, false} {
		s, _ := newEndingSite(t, func(c *auth.Config) { c.SignOutAtProvider = configured })
		b := s.browser()
		for chosen, there := range map[string]bool{"1": true, "0": false, "": configured, "yes": configured} {
			b.signIn("ada")
			got := b.signOut("atProvider", chosen)
			require.Equal(t, there, strings.HasPrefix(got.Header.Get("Location"), "https://idp.example/logout?"), chosen)
			require.Empty(t, b.who())
		}
		b.signIn("ada")
		page := b.get("/api/auth/signout")
		require.Contains(t, page.text, "Sign out at stub too")
		require.Contains(t, page.text, "Sign out here only")
		require.Contains(t, page.text, `name="atProvider" value="`+map[bool]string{true: "1", false: "0"}[configured]+`" class="primary"`)
		require.Contains(t, page.Header.Get("Content-Security-Policy"), "form-action 'self' https:;", "Chromium holds the redirect to it")
	}
}

// TestNoProviderToSignOutAt: with a provider that cannot, and where nobody knows one.
func TestNoProviderToSignOutAt(t *testing.T) {
	s, _ := newEndingSite(t, nil)
	b := s.browser()
	b.back("other", b.start("other", "/").Get("state"), "bob")
	page := b.get("/api/auth/signout")
	require.Contains(t, page.text, "You will still be signed in at other.")
	require.Contains(t, page.Header.Get("Content-Security-Policy"), "form-action 'self';")
	require.Equal(t, s.server.URL+"/api/auth/signout?provider=other", b.signOut("atProvider", "1").Header.Get("Location"))
	for _, provider := range []string{"nobody", "%3Cb%3E", ""} {
		require.NotContains(t, b.get("/api/auth/signout?provider="+provider).text, "still signed in")
	}
	require.Equal(t, s.server.URL+"/api/auth/signout", b.signOut("atProvider", "1").Header.Get("Location"), "nobody is signed in")
}

// TestSignOutOfABackendLeadsToNoProvider: a backend's people have not signed in there,
// whatever it calls itself.
func TestSignOutOfABackendLeadsToNoProvider(t *testing.T) {
	p := newEnder()
	p.name = "backend"
	s, _ := newEndingSite(t, func(c *auth.Config) {
		c.Providers = append(c.Providers, p)
		c.Backend = &personBackend{}
	})
	b := s.browser()
	got := b.do("POST", "/api/auth/signout", url.Values{"csrfToken": {b.csrf()}}, "X-Person", "bob")
	require.Equal(t, s.server.URL+"/api/auth/signout", got.Header.Get("Location"))
}

func TestAuthJSClientIsToldOfTheProvider(t *testing.T) {
	s, _ := newEndingSite(t, nil)
	b := s.browser()
	b.signIn("ada")
	got := b.do("POST", "/api/auth/signout", url.Values{"csrfToken": {b.csrf()}, "callbackUrl": {s.server.URL + "/page"}}, "X-Auth-Return-Redirect", "1")
	require.Equal(t, 200, got.StatusCode)
	require.Contains(t, got.text, `{"url":"https://idp.example/logout?`)
	require.Empty(t, b.who())
}

func TestLongPageAfterASignOut(t *testing.T) { // CK-12
	s, _ := newEndingSite(t, nil)
	b := s.browser()
	for length, want := range map[int]string{2000: "/page?", 4000: "/api/auth/signout"} {
		b.signIn("ada")
		state := b.signOut("callbackUrl", "/page?"+strings.Repeat("a", length)).atProvider(t).Get("state")
		require.LessOrEqual(t, len(b.cookiesNamed(awayCookie)[0].Value), 3800)
		to := b.get("/api/auth/signout/stub?state=" + state).Header.Get("Location")
		require.True(t, strings.HasPrefix(to, s.server.URL+want), to)
	}
}

func TestCookieOfASignOut(t *testing.T) { // CK-01, CK-10
	s, _ := newEndingSite(t, func(c *auth.Config) { c.CookiePrefix = "admin" })
	b := s.browser()
	b.back("stub", b.start("stub", "/").Get("state"), "ada")
	for _, c := range b.signOut().Cookies() {
		if c.Name == "__Host-admin.signout" {
			require.Equal(t, 600, c.MaxAge)
			require.Equal(t, http.SameSiteLaxMode, c.SameSite)
			return
		}
	}
	require.Fail(t, "no cookie")
}

// TestTheHintIsNoToken: no handler is handed an ID token that is kept for signing out, and
// nobody is told that one was too long for a cookie.
func TestTheHintIsNoToken(t *testing.T) { // RP-04
	asked := make(chan bool, 1)
	p := newEnder()
	a := newAuth(t, func(c *auth.Config) { c.Providers, c.SignOutAtProvider = []auth.Provider{p}, true })
	h := a.Require(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, ok := auth.TokenSource(r.Context())
		asked <- ok
	}))
	serve(h, "GET", "https://app.example/x", "", "Cookie", cookieHeader(sealedCookie(t, a, p)))
	require.False(t, <-asked)

	s, _ := newEndingSite(t, func(c *auth.Config) {
		long := newEnder()
		long.identity = func(code string) (*auth.Identity, error) {
			return &auth.Identity{Issuer: "https://idp.example", Subject: code, Token: (&oauth2.Token{AccessToken: "a"}).WithExtra(map[string]any{"id_token": strings.Repeat("x", 3000)})}, nil
		}
		c.Providers[0] = long
	})
	b := s.browser()
	b.signIn("ada")
	require.Empty(t, b.signOut().atProvider(t).Get("hint"))
	require.NotContains(t, s.log.String(), "do not fit")
}
