package web_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
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
	require.True(t, strings.HasPrefix(got, s.server.URL+"/oops?error=AccessDenied&request_id="), got)
	for _, bad := range []string{"//evil.example", "https://evil.example/", "login", "/a?b", "/a#b"} {
		_, err := auth.New(auth.Config{Secrets: []auth.Secret{auth.NewSecret(testSecret)}, Providers: []auth.Provider{s.stub}, SignInURL: bad})
		require.ErrorContains(t, err, "SignInURL", bad)
	}
}
