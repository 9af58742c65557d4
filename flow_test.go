package auth_test

import (
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
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

func (s *site) kinds() (kinds []auth.EventKind) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.events {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

func (s *site) reasons() (reasons []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.events {
		if e.Reason != "" {
			reasons = append(reasons, e.Reason)
		}
	}
	return reasons
}

func TestTabsFinishInAnyOrder(t *testing.T) { // ST-15
	s := newSite(t, nil)
	b := s.browser()
	var states []string
	for i := range 3 {
		states = append(states, b.start("stub", fmt.Sprintf("/tab%d", i)).Get("state"))
	}
	for _, i := range []int{1, 2, 0} {
		got := b.back("stub", states[i], "ada")
		require.Equal(t, fmt.Sprintf("%s/tab%d", s.server.URL, i), got.Header.Get("Location"))
		require.Equal(t, "ada", b.who())
	}
	require.Empty(t, b.cookiesNamed("__Host-authjs.txn."), "each attempt's cookie is deleted")
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

func TestCallbackRefuses(t *testing.T) {
	cases := []struct {
		name, query string
		status      int
		reason      string
	}{
		{"ST-02 no state", "code=x", 400, "InvalidResponse"},
		{"ST-02 empty state", "code=x&state=", 400, "InvalidResponse"},
		{"ST-12 state twice", "code=x&state=STATE&state=STATE", 400, "InvalidResponse"},
		{"malformed query", "code=x&state=%zz", 400, "InvalidResponse"},
		{"declined", "error=access_denied&state=STATE", 403, "Declined"},
		{"error for no attempt", "error=access_denied&state=unknown", 400, "Expired"},
		{"restarted once already", "code=x&state=r.unknown", 400, "Expired"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, nil)
			b := s.browser()
			state := b.start("stub", "/x").Get("state")
			got := b.get("/api/auth/callback/stub?" + strings.ReplaceAll(c.query, "STATE", state))
			require.Equal(t, c.status, got.StatusCode)
			require.Equal(t, []string{c.reason}, s.reasons())
			require.Zero(t, s.stub.exchanged())
			require.Empty(t, b.who())
			require.Empty(t, s.seen)
		})
	}
}

func TestStateOfTheWrongPlace(t *testing.T) {
	restarts := func(name string, b2 func(s *site, state string) (*browser, string)) {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, nil)
			state := s.browser().start("stub", "/x").Get("state")
			b, state := b2(s, state)
			got := b.back("stub", state, "mallory")
			require.Equal(t, 303, got.StatusCode)
			to, err := got.Location()
			require.NoError(t, err)
			require.Equal(t, "idp.example", to.Host, "the attempt begins again")
			require.NotEqual(t, state, to.Query().Get("state"))
			require.Zero(t, s.stub.exchanged(), "no code is redeemed")
			require.Empty(t, b.who())
		})
	}
	restarts("ST-03 no cookie", func(s *site, state string) (*browser, string) { return s.browser(), state })
	restarts("ST-05 another browser", func(s *site, state string) (*browser, string) {
		b := s.browser()
		b.start("stub", "/y")
		return b, state
	})
	for _, change := range []func(string) string{
		func(s string) string { return s[:len(s)-1] + "_" },
		func(s string) string { return s[:10] },
		strings.ToUpper,
		func(s string) string { return s + "\x00" },
		func(s string) string { return s + " " },
	} {
		restarts("ST-04 mismatch", func(s *site, _ string) (*browser, string) {
			b := s.browser()
			return b, change(b.start("stub", "/y").Get("state"))
		})
	}
	t.Run("ST-09 another provider", func(t *testing.T) {
		s := newSite(t, nil)
		b := s.browser()
		got := b.back("stub", b.start("other", "/x").Get("state"), "mallory")
		require.Equal(t, 400, got.StatusCode)
		require.Zero(t, s.stub.exchanged())
	})
}

func TestStaleCallbackRestartsOnlyOnce(t *testing.T) {
	s := newSite(t, nil)
	b := s.browser()
	b.Jar = nil // keeps no cookies
	got := b.back("stub", "gone", "code")
	to, err := got.Location()
	require.NoError(t, err)
	got = b.back("stub", to.Query().Get("state"), "code")
	require.Equal(t, 400, got.StatusCode)
	require.Equal(t, []string{"CookiesBlocked"}, s.reasons())
}

func TestCallbackAgain(t *testing.T) { // ST-06, CI-02
	s := newSite(t, nil)
	b := s.browser()
	state := b.start("stub", "/x").Get("state")
	before := b.cookies()
	b.back("stub", state, "ada")
	again := b.back("stub", state, "ada")
	require.Equal(t, s.server.URL+"/", again.Header.Get("Location"), "signed in: go on")
	require.Equal(t, 1, s.stub.exchanged())

	thief := s.browser()
	u, _ := url.Parse(s.server.URL)
	thief.Jar.SetCookies(u, secureCookies(before))
	got := thief.back("stub", state, "ada")
	require.Contains(t, got.Header.Get("Location"), "idp.example")
	require.Equal(t, 1, s.stub.exchanged(), "the state is used up")
	require.Empty(t, thief.who())
}

func secureCookies(list []*http.Cookie) []*http.Cookie {
	for _, c := range list {
		c.Secure, c.Path = true, "/"
	}
	return list
}

func TestCallbackRace(t *testing.T) { // ST-07
	s := newSite(t, nil)
	b := s.browser()
	state := b.start("stub", "/x").Get("state")
	u, _ := url.Parse(s.server.URL)
	var wait sync.WaitGroup
	for range 20 {
		one := s.browser()
		one.Jar, _ = cookiejar.New(nil)
		one.Jar.SetCookies(u, secureCookies(b.cookies()))
		wait.Go(func() { one.back("stub", state, "ada") })
	}
	wait.Wait()
	require.Equal(t, 1, s.stub.exchanged())
}

func TestExpiredAttemptRestarts(t *testing.T) { // ST-08
	s := newSite(t, nil)
	b := s.browser()
	state := b.start("stub", "/wanted").Get("state")
	s.advance(11 * time.Minute)
	got := b.back("stub", state, "ada")
	to, err := got.Location()
	require.NoError(t, err)
	require.Equal(t, "idp.example", to.Host)
	require.Zero(t, s.stub.exchanged())
	got = b.back("stub", to.Query().Get("state"), "ada")
	require.Equal(t, s.server.URL+"/wanted", got.Header.Get("Location"), "the page that was wanted is kept")
}

func TestSealedValuesDoNotMix(t *testing.T) { // ST-11, JE-09
	s := newSite(t, nil)
	b := s.browser()
	b.start("stub", "/")
	u, _ := url.Parse(s.server.URL)
	for _, c := range b.cookies() {
		other := s.browser()
		other.Jar.SetCookies(u, []*http.Cookie{{Name: "__Secure-authjs.session-token", Value: c.Value, Secure: true, Path: "/"}})
		require.Empty(t, other.who())
		require.Equal(t, 401, other.get("/x", "Accept", "*/*").StatusCode)
	}
}

func TestTransactionTampered(t *testing.T) { // ST-13
	s := newSite(t, nil)
	b := s.browser()
	state := b.start("stub", "/").Get("state")
	c := b.cookiesNamed("__Host-authjs.txn.")[0]
	u, _ := url.Parse(s.server.URL)
	for _, i := range []int{0, 40, len(c.Value) / 2, len(c.Value) - 2} {
		flipped := []byte(c.Value)
		flipped[i] ^= 1
		other := s.browser()
		other.Jar.SetCookies(u, []*http.Cookie{{Name: c.Name, Value: string(flipped), Secure: true, Path: "/"}})
		require.Contains(t, other.back("stub", state, "ada").Header.Get("Location"), "idp.example")
	}
	require.Zero(t, s.stub.exchanged())
}

func TestNewSessionAtEverySignIn(t *testing.T) { // SE-01, CB-08
	s := newSite(t, nil)
	b := s.browser()
	b.signIn("ada")
	first := b.cookiesNamed("__Secure-authjs.session-token")[0].Value
	b.signIn("bob")
	require.NotEqual(t, first, b.cookiesNamed("__Secure-authjs.session-token")[0].Value)
	old := s.browser()
	u, _ := url.Parse(s.server.URL)
	old.Jar.SetCookies(u, []*http.Cookie{{Name: "__Secure-authjs.session-token", Value: first, Secure: true, Path: "/"}})
	require.Empty(t, old.who(), "the session before is over")
}

func TestSignOut(t *testing.T) { // CS-03, CS-05, SE-04
	s := newSite(t, nil)
	b := s.browser()
	b.signIn("ada")
	stolen := b.cookiesNamed("__Secure-authjs.session-token")[0].Value
	require.Equal(t, 200, b.get("/api/auth/signout").StatusCode)
	b.get("/api/auth/signout", "X-HTTP-Method-Override", "POST")
	require.Equal(t, 403, b.do("POST", "/api/auth/signout", url.Values{}).StatusCode)
	require.Equal(t, 403, b.do("POST", "/api/auth/signout", url.Values{"csrfToken": {b.csrf()}}, "Sec-Fetch-Site", "same-site").StatusCode)
	require.Equal(t, "ada", b.who(), "nothing of that signs anybody out")
	got := b.do("POST", "/api/auth/signout", url.Values{"csrfToken": {b.csrf()}, "callbackUrl": {s.server.URL + "/bye"}})
	require.Equal(t, s.server.URL+"/bye", got.Header.Get("Location"))
	require.Empty(t, b.who())
	require.Empty(t, b.cookiesNamed("__Secure-authjs.session-token"))
	thief := s.browser()
	u, _ := url.Parse(s.server.URL)
	thief.Jar.SetCookies(u, []*http.Cookie{{Name: "__Secure-authjs.session-token", Value: stolen, Secure: true, Path: "/"}})
	require.Empty(t, thief.who(), "this process refuses the token too")
}

func TestForgedForms(t *testing.T) { // CS-02, CS-04
	cases := []struct {
		name    string
		token   bool
		headers []string
		status  int
	}{
		{"no token", false, nil, 403},
		{"token", true, nil, 303},
		{"cross-site", true, []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"same-site", true, []string{"Sec-Fetch-Site", "same-site"}, 403},
		{"same-origin", true, []string{"Sec-Fetch-Site", "same-origin"}, 303},
		{"origin evil", true, []string{"Origin", "https://evil.example"}, 403},
		{"origin null", true, []string{"Origin", "null"}, 403},
		{"origin by http", true, []string{"Origin", "http://HOST"}, 403},
		{"origin ours", true, []string{"Origin", "https://HOST"}, 303},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, nil)
			b := s.browser()
			form := url.Values{}
			if token := b.csrf(); c.token {
				form.Set("csrfToken", token)
			}
			for i := range c.headers {
				c.headers[i] = strings.ReplaceAll(c.headers[i], "HOST", strings.TrimPrefix(s.server.URL, "https://"))
			}
			require.Equal(t, c.status, b.do("POST", "/api/auth/signin/stub", form, c.headers...).StatusCode)
		})
	}
	t.Run("tossed cookie", func(t *testing.T) {
		s := newSite(t, nil)
		b := s.browser()
		u, _ := url.Parse(s.server.URL)
		token := strings.Repeat("a", 64)
		b.Jar.SetCookies(u, []*http.Cookie{{Name: "__Host-authjs.csrf-token", Value: token + "%7C" + strings.Repeat("b", 64), Secure: true, Path: "/"}})
		require.Equal(t, 403, b.do("POST", "/api/auth/signin/stub", url.Values{"csrfToken": {token}}).StatusCode)
	})
}

func TestFormsAreRead(t *testing.T) { // CS-08, AC-12
	s := newSite(t, nil)
	b := s.browser()
	token := b.csrf()
	require.Equal(t, 415, b.do("POST", "/api/auth/signin/stub", url.Values{"csrfToken": {token}}, "Content-Type", "text/plain").StatusCode)
	require.Equal(t, 400, b.do("POST", "/api/auth/signin/stub", url.Values{"csrfToken": {token, token}}).StatusCode)
	require.Equal(t, 413, b.do("POST", "/api/auth/signin/stub", url.Values{"csrfToken": {token}, "x": {strings.Repeat("x", 20<<10)}}).StatusCode)
}

func TestMethodsAndUnknownRoutes(t *testing.T) { // CB-04, CB-07
	s := newSite(t, nil)
	cases := []struct {
		method, path string
		status       int
	}{
		{"HEAD", "/api/auth/callback/stub?code=x&state=y", 405},
		{"POST", "/api/auth/callback/stub", 405},
		{"OPTIONS", "/api/auth/session", 405},
		{"PUT", "/api/auth/signout", 405},
		{"GET", "/api/auth/callback/unknown", 404},
		{"GET", "/api/auth/callback/%3Cscript%3E", 404},
		{"GET", "/api/auth/callback/stub/x", 404},
		{"GET", "/api/auth/session/x", 404},
		{"GET", "/api/auth/", 404},
		{"GET", "/api/auth", 404},
		{"GET", "/api/auth/../admin", 404},
		{"GET", "/api/auth/callback/x/../../../admin", 404},
	}
	for _, c := range cases {
		t.Run(c.method+" "+c.path, func(t *testing.T) {
			got := s.browser().do(c.method, c.path, nil)
			require.Equal(t, c.status, got.StatusCode)
			require.Empty(t, got.Cookies())
			require.NotContains(t, got.text, "script>")
			if c.status == 405 {
				require.NotEmpty(t, got.Header.Get("Allow"))
			}
		})
	}
	require.Empty(t, s.seen)
}

func TestPrefetchUsesNothingUp(t *testing.T) { // CB-05
	s := newSite(t, nil)
	b := s.browser()
	state := b.start("stub", "/x").Get("state")
	b.back("stub", state, "ada", "Sec-Purpose", "prefetch;prerender")
	require.Zero(t, s.stub.exchanged())
	require.Equal(t, s.server.URL+"/x", b.back("stub", state, "ada").Header.Get("Location"))
}

func TestReturnPaths(t *testing.T) { // RD-01, RD-02, RD-06, RD-07, RD-08
	s := newSite(t, nil)
	b := s.browser()
	home := []string{"//evil.com", "/\\evil.com", "https://evil.com", "/%09/evil.com", "/api/auth/signout", "/api/auth/signin?x", "javascript:alert(1)",
		"http://[::1", "%", "/\x00", "/" + strings.Repeat("a", 2000), "evil.com", s.server.URL + ".evil.com/", s.server.URL + "@evil.com/", "/.//evil.com"}
	for _, raw := range home {
		got := b.back("stub", b.start("stub", raw).Get("state"), "ada")
		require.Equal(t, s.server.URL+"/", got.Header.Get("Location"), raw)
	}
	for raw, want := range map[string]string{s.server.URL + "/in?x=1": "/in?x=1", "/ok?next=//evil": "/ok?next=//evil", "": "/"} {
		got := b.back("stub", b.start("stub", raw).Get("state"), "ada")
		require.Equal(t, s.server.URL+want, got.Header.Get("Location"), raw)
	}
}

func TestPolicyRefuses(t *testing.T) {
	policy, err := auth.AllowEmails("example.org")
	require.NoError(t, err)
	s := newSite(t, func(c *auth.Config) { c.Policy = policy })
	b := s.browser()
	got := b.back("stub", b.start("stub", "/x").Get("state"), "ada")
	require.Equal(t, 403, got.StatusCode)
	require.Equal(t, []string{"AccessDenied"}, s.reasons())
	s.mu.Lock()
	id := s.events[0].RequestID
	s.mu.Unlock()
	require.Contains(t, got.text, id)
	require.Contains(t, s.log.String(), id)
	require.Empty(t, b.who())
	require.Empty(t, b.cookiesNamed("__Host-authjs.txn."))
}

func TestFailureKeepsTheSessionThereIs(t *testing.T) {
	s := newSite(t, nil)
	b := s.browser()
	b.signIn("ada")
	before := b.cookiesNamed("__Secure-authjs.session-token")[0].Value
	b.get("/api/auth/callback/stub?error=access_denied&state=" + b.start("stub", "/x").Get("state"))
	require.Equal(t, before, b.cookiesNamed("__Secure-authjs.session-token")[0].Value)
}

func TestProviderIsDown(t *testing.T) {
	s := newSite(t, nil)
	b := s.browser()
	s.stub.identity = func(string) (*auth.Identity, error) { return nil, fmt.Errorf("dial: %w", auth.ErrUnavailable) }
	got := b.back("stub", b.start("stub", "/x").Get("state"), "ada")
	require.Equal(t, 503, got.StatusCode)
	require.NotEmpty(t, got.Header.Get("Retry-After"))
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

func TestReturnRedirectHeader(t *testing.T) {
	s := newSite(t, nil)
	b := s.browser()
	got := b.do("POST", "/api/auth/signin/stub", url.Values{"csrfToken": {b.csrf()}}, "X-Auth-Return-Redirect", "1")
	require.Equal(t, 200, got.StatusCode)
	require.Contains(t, got.text, `{"url":"https://idp.example/authorize?`)
	require.Equal(t, `{"stub":{"id":"stub","name":"stub","type":"oidc","signinUrl":"`+s.server.URL+`/api/auth/signin/stub","callbackUrl":"`+s.server.URL+`/api/auth/callback/stub"},"other":{"id":"other","name":"other","type":"oidc","signinUrl":"`+s.server.URL+`/api/auth/signin/other","callbackUrl":"`+s.server.URL+`/api/auth/callback/other"}}`, b.get("/api/auth/providers").text)
}

func FuzzCallbackQuery(f *testing.F) {
	for _, seed := range []string{"", "state=x&code=y", "state=x&state=y", "error=access_denied&state=", "code=%", "state=%00&code=a;b", "state=" + strings.Repeat("a", 3000), "iss=a&iss=b&state=x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		if strings.ContainsAny(query, " \r\n\x00#") || !isASCII(query) {
			return
		}
		s := newSite(t, nil)
		b := s.browser()
		got := b.get("/api/auth/callback/stub?" + query)
		require.Less(t, got.StatusCode, 500)
		require.Zero(t, s.stub.exchanged(), "a callback without an attempt is exchanged")
		require.Empty(t, b.who())
	})
}

func isASCII(s string) bool {
	for _, c := range []byte(s) {
		if c < 0x20 || c > 0x7e {
			return false
		}
	}
	return true
}
