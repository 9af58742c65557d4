package web_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/session"
)

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

func TestPrefetchUsesNothingUp(t *testing.T) { // CB-05
	s := newSite(t, nil)
	b := s.browser()
	state := b.start("stub", "/x").Get("state")
	b.back("stub", state, "ada", "Sec-Purpose", "prefetch;prerender")
	require.Zero(t, s.stub.exchanged())
	require.Equal(t, s.server.URL+"/x", b.back("stub", state, "ada").Header.Get("Location"))
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

func TestHooksOfASignIn(t *testing.T) {
	var fail error
	s := newSite(t, func(c *auth.Config) {
		c.ReturnOrigins = []string{"https://idp.example"} // the harness allows this origin
		c.Enrich = func(_ context.Context, s *session.Session, id *auth.Identity) error {
			require.Equal(t, "https://idp.example", id.Issuer)
			s.Subject = "user-" + id.Subject
			return errors.Join(fail, s.SetClaim("role", "admin"))
		}
		c.ReturnTo = func(_ context.Context, s *session.Session, to string) string {
			var role string
			_, err := s.Claim("role", &role)
			require.NoError(t, err)
			require.Equal(t, "user-ada", s.Subject)
			return map[string]string{"/new": "/welcome?role=" + role, "/out": "https://evil.example/", "/in": "/api/auth/signout"}[to] + ""
		}
	})
	for to, want := range map[string]string{"/new": s.server.URL + "/welcome?role=admin", "/out": s.server.URL + "/", "/in": s.server.URL + "/", "/x": s.server.URL + "/"} {
		b := s.browser()
		got := b.back("stub", b.start("stub", to).Get("state"), "ada")
		require.Equal(t, want, got.Header.Get("Location"))
		require.Equal(t, "user-ada", b.who())
	}
	fail = errors.New("the database is down")
	b := s.browser()
	got := b.back("stub", b.start("stub", "/").Get("state"), "ada")
	require.Equal(t, 403, got.StatusCode)
	require.NotContains(t, got.text, "database")
	require.Contains(t, s.log.String(), "the database is down")
	require.Empty(t, b.who())
}

func TestNewestTabsOfManyFinish(t *testing.T) { // ST-15, CK-05
	finish := func(t *testing.T, s *site, b *browser, states []string) {
		for i := len(states) - 8; i < len(states); i++ {
			got := b.back("stub", states[i], "ada")
			require.Equal(t, fmt.Sprintf("%s/tab%d", s.server.URL, i), got.Header.Get("Location"))
		}
		require.Equal(t, 8, s.stub.exchanged())
		require.Equal(t, "ada", b.who())
	}
	t.Run("one after another", func(t *testing.T) {
		s := newSite(t, nil) // its clock stands still
		b := s.browser()
		var states []string
		for i := range 20 {
			states = append(states, b.start("stub", fmt.Sprintf("/tab%d", i)).Get("state"))
		}
		finish(t, s, b, states)
		require.Empty(t, b.cookiesNamed("__Host-authjs.txn."))
	})
	t.Run("all at once", func(t *testing.T) {
		s := newSite(t, nil)
		b := s.browser()
		token := b.csrf()
		before := b.cookies()
		states, answers := make([]string, 20), make([][]*http.Cookie, 20)
		var wait sync.WaitGroup
		for i := range states {
			one := s.browser() // whose jar nothing comes back to
			one.plant(before[0].Name, before[0].Value)
			wait.Go(func() {
				got := one.do("POST", "/api/auth/signin/stub", url.Values{"csrfToken": {token}, "callbackUrl": {fmt.Sprintf("/tab%d", i)}})
				answers[i] = got.Cookies()
				if to, err := got.Location(); err == nil {
					states[i] = to.Query().Get("state")
				}
			})
		}
		wait.Wait()
		u, _ := url.Parse(s.server.URL)
		for _, cookies := range answers {
			b.Jar.SetCookies(u, cookies)
		}
		finish(t, s, b, states)
	})
}

func TestHeadUsesNothingUp(t *testing.T) { // CB-04
	s := newSite(t, nil)
	b := s.browser()
	path := "/api/auth/callback/stub?code=ada&state=" + b.start("stub", "/x").Get("state")
	for _, method := range []string{"HEAD", "POST", "OPTIONS"} {
		got := b.do(method, path, nil)
		require.Equal(t, 405, got.StatusCode, method)
		require.Equal(t, "GET", got.Header.Get("Allow"))
		require.Empty(t, got.Cookies())
	}
	require.Zero(t, s.stub.exchanged())
	require.Equal(t, s.server.URL+"/x", b.get(path).Header.Get("Location"))
}

func TestAttemptLastsTenMinutes(t *testing.T) { // ST-08
	s := newSite(t, nil)
	s.now = s.now.Truncate(time.Second)
	b := s.browser()
	state := b.start("stub", "/x").Get("state")
	s.advance(10 * time.Minute)
	require.Equal(t, s.server.URL+"/x", b.back("stub", state, "ada").Header.Get("Location"))

	b = s.browser()
	state = b.start("stub", "/x").Get("state")
	s.advance(10*time.Minute + 1)
	require.Contains(t, b.back("stub", state, "ada").Header.Get("Location"), "idp.example")
	require.Equal(t, 1, s.stub.exchanged())
	require.Contains(t, s.log.String(), "sign-in restarted")
}

// once is a provider whose sign-ins do not begin again by themselves.
type once struct{ *stubProvider }

func (once) Restarts() bool { return false }

func TestProviderWithoutRestarts(t *testing.T) { // ST-08
	s := newSite(t, func(c *auth.Config) { c.Providers[0] = once{c.Providers[0].(*stubProvider)} })
	b := s.browser()
	state := b.start("stub", "/x").Get("state")
	got := b.back("stub", "unknown", "ada")
	require.Equal(t, 400, got.StatusCode)
	require.Empty(t, got.Header.Get("Location"))
	s.advance(10*time.Minute + 1)
	require.Equal(t, 400, b.back("stub", state, "ada").StatusCode)
	require.Equal(t, []string{"Expired", "Expired"}, s.reasons())
	require.Zero(t, s.stub.exchanged())
	state = b.start("stub", "/x").Get("state")
	require.Equal(t, s.server.URL+"/x", b.back("stub", state, "ada").Header.Get("Location"))
	require.Equal(t, s.server.URL+"/", b.back("stub", "unknown", "ada").Header.Get("Location"), "who is signed in goes on")
}

func TestRestartKeepsWhatWasAskedFor(t *testing.T) { // ST-08
	s := newSite(t, nil)
	b := s.browser()
	got := b.do("POST", "/api/auth/signin/stub?login_hint=ada", url.Values{"csrfToken": {b.csrf()}, "callbackUrl": {"/x"}})
	to, err := got.Location()
	require.NoError(t, err)
	s.advance(time.Hour - time.Minute)
	to, err = b.back("stub", to.Query().Get("state"), "ada").Location()
	require.NoError(t, err)
	require.Equal(t, "ada", to.Query().Get("login_hint"))
	require.True(t, strings.HasPrefix(to.Query().Get("state"), "r."))
	require.Equal(t, s.server.URL+"/x", b.back("stub", to.Query().Get("state"), "ada").Header.Get("Location"))
}

func TestRestartedAttemptThatIsLateToo(t *testing.T) { // ST-08
	s := newSite(t, nil)
	b := s.browser()
	to, err := b.back("stub", "gone", "ada").Location()
	require.NoError(t, err)
	s.advance(11 * time.Minute)
	got := b.back("stub", to.Query().Get("state"), "ada")
	require.Equal(t, 400, got.StatusCode, "no third time")
	require.Equal(t, []string{"Expired"}, s.reasons(), "the browser keeps cookies")
	require.ErrorIs(t, s.last().Err, auth.ErrExpired)
	require.Contains(t, got.text, `action="/api/auth/signin/stub"`)
}

func TestSignedInPeopleGoOn(t *testing.T) { // CI-02
	s := newSite(t, nil)
	b := s.browser()
	state := b.start("stub", "/wanted").Get("state")
	b.signIn("ada")
	s.advance(11 * time.Minute)
	require.Equal(t, s.server.URL+"/wanted", b.back("stub", state, "eve").Header.Get("Location"))
	require.Equal(t, s.server.URL+"/", b.back("stub", "unknown", "eve").Header.Get("Location"))
	require.Equal(t, "ada", b.who())
	require.Equal(t, 1, s.stub.exchanged())
}

func TestMixUpUsesTheAttemptUp(t *testing.T) { // ST-09, MX-06
	s := newSite(t, nil)
	b := s.browser()
	state := b.start("other", "/x").Get("state")
	require.Equal(t, 400, b.back("stub", state, "mallory").StatusCode)
	require.Equal(t, "InvalidResponse", s.last().Reason)
	require.ErrorContains(t, s.last().Err, `"other"`)
	require.Empty(t, b.cookiesNamed("__Host-authjs.txn."))
	require.NotContains(t, b.back("other", state, "ada").Header.Get("Location"), s.server.URL, "it does not finish at its own callback either")
	require.Empty(t, b.who())
}

func TestSwappedAttempts(t *testing.T) { // ST-13
	s := newSite(t, nil)
	b := s.browser()
	first := b.start("stub", "/first").Get("state")
	one := b.cookiesNamed("__Host-authjs.txn.")[0]
	b.start("stub", "/second")
	for _, c := range b.cookiesNamed("__Host-authjs.txn.") {
		if c.Name != one.Name {
			b.plant(one.Name, c.Value)
		}
	}
	require.Contains(t, b.back("stub", first, "ada").Header.Get("Location"), "idp.example")
	require.Zero(t, s.stub.exchanged())
}

func TestStateSuppliedByTheRequester(t *testing.T) { // ST-10, CS-01
	s := newSite(t, nil)
	b := s.browser()
	b.plant("__Host-authjs.txn.AAAAAAAAAAAA", "x")
	got := b.back("stub", "AAAAAAAAAAAA", "mallory")
	require.Contains(t, got.Header.Get("Location"), "idp.example")
	require.NotContains(t, got.Header.Get("Location"), "AAAAAAAAAAAA")
}

// countingStore knows how many sessions it has.
type countingStore struct {
	*session.MemoryStore
	mu   sync.Mutex
	keys map[string]bool
}

func newCountingStore() *countingStore {
	return &countingStore{MemoryStore: session.NewMemoryStore(0, nil), keys: map[string]bool{}}
}

func (c *countingStore) Commit(ctx context.Context, key string, data []byte, expiry time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keys[key] = true
	return c.MemoryStore.Commit(ctx, key, data, expiry)
}

func (c *countingStore) Delete(ctx context.Context, key string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.keys, key)
	return c.MemoryStore.Delete(ctx, key)
}

func (c *countingStore) len() int { c.mu.Lock(); defer c.mu.Unlock(); return len(c.keys) }

func TestOneSessionAfterAnotherSignIn(t *testing.T) { // CB-08, SE-01
	store := newCountingStore()
	s := newSite(t, func(c *auth.Config) { c.Session.Store = store })
	b := s.browser()
	b.plant(sessionCookie, "chosen-by-somebody-else")
	b.signIn("ada")
	require.NotEqual(t, "chosen-by-somebody-else", b.cookiesNamed(sessionCookie)[0].Value)
	before := b.cookiesNamed(sessionCookie)[0].Value
	b.signIn("bob")
	require.NotEqual(t, before, b.cookiesNamed(sessionCookie)[0].Value)
	require.Equal(t, 1, store.len())
	old := s.browser()
	old.plant(sessionCookie, before)
	require.Empty(t, old.who())
}

// leaving is a provider during whose exchange the browser goes away.
type leaving struct {
	stubProvider
	leave context.CancelFunc
}

func (p *leaving) Exchange(ctx context.Context, tx auth.Transaction, q url.Values) (*auth.Identity, error) {
	p.leave()
	<-ctx.Done() // the request's
	return nil, ctx.Err()
}

func TestBrowserThatLeavesDuringTheExchange(t *testing.T) { // CB-09
	store, p := newCountingStore(), &leaving{stubProvider: stubProvider{name: "stub"}}
	a := newAuth(t, func(c *auth.Config) {
		c.Providers, c.StraightToProvider, c.Session.Store = []auth.Provider{p}, true, store
	})
	begun := serve(a, "GET", "https://app.example/api/auth/signin?callbackUrl=/", "", "Accept", "text/html").Result()
	to, err := begun.Location()
	require.NoError(t, err)
	path := "https://app.example/api/auth/callback/stub?code=ada&state=" + to.Query().Get("state")
	ctx, leave := context.WithCancel(context.Background())
	p.leave = leave
	r := httptest.NewRequest("GET", path, nil).WithContext(ctx)
	r.Header.Set("Cookie", cookieHeader(begun.Cookies()...))
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	require.Zero(t, store.len(), "no session is left behind")
	require.Equal(t, 503, w.Code)
	require.Contains(t, w.Header().Get("Set-Cookie"), "Max-Age=0", "the attempt is used up")
	require.NotContains(t, strings.Join(w.Header()["Set-Cookie"], ""), "session-token")
}

func TestStoreThatFailsAtTheEnd(t *testing.T) { // CB-09, SE-06
	down := false
	s := newSite(t, func(c *auth.Config) { c.Session.Store = downStore{session.NewMemoryStore(0, nil), &down} })
	b := s.browser()
	s.stub.identity = func(code string) (*auth.Identity, error) {
		down = true
		return &auth.Identity{Issuer: "https://idp.example", Subject: code}, nil
	}
	got := b.back("stub", b.start("stub", "/").Get("state"), "ada")
	require.Equal(t, 503, got.StatusCode)
	require.Equal(t, "StoreUnavailable", s.last().Reason)
	require.Equal(t, auth.EventSignInFailed, s.last().Kind)
	require.Empty(t, b.cookiesNamed(sessionCookie))
}

func TestSessionThatDoesNotFit(t *testing.T) { // RD-07, CK-12
	s := newSite(t, func(c *auth.Config) {
		c.Enrich = func(_ context.Context, s *session.Session, _ *auth.Identity) error {
			return s.SetClaim("big", strings.Repeat("x", 20<<10))
		}
	})
	b := s.browser()
	got := b.back("stub", b.start("stub", "/").Get("state"), "ada")
	require.Equal(t, 400, got.StatusCode)
	require.Equal(t, []string{"SessionTooLarge"}, s.reasons())
	require.Empty(t, b.cookiesNamed(sessionCookie))
}

func TestCallbackLeavesNoCodeInTheAddress(t *testing.T) { // HD-05, HD-08
	s := newSite(t, nil)
	b := s.browser()
	got := b.back("stub", b.start("stub", "/x").Get("state"), "ada")
	require.Equal(t, 303, got.StatusCode)
	require.Equal(t, s.server.URL+"/x", got.Header.Get("Location"))
	require.Equal(t, "same-origin", got.Header.Get("Referrer-Policy"))
	require.Equal(t, "no-store", got.Header.Get("Cache-Control"))
	require.Empty(t, got.text)
}

// TestFailingCallbacksAreBounded: anybody can begin attempts and make up codes, each
// of which costs a call to the identity provider.
func TestFailingCallbacksAreBounded(t *testing.T) { // RL-03, CB-03
	s := newSite(t, nil)
	s.stub.identity = func(code string) (*auth.Identity, error) {
		if code == "ada" {
			return &auth.Identity{Issuer: "https://idp.example", Subject: code}, nil
		}
		return nil, auth.ErrInvalidResponse
	}
	b := s.browser()
	fail := func() answer { return b.back("stub", b.start("stub", "/").Get("state"), "made-up") }
	for range 30 {
		require.Equal(t, 400, fail().StatusCode)
	}
	limited := fail()
	require.Equal(t, 429, limited.StatusCode)
	require.Equal(t, "2", limited.Header.Get("Retry-After"))
	require.Contains(t, limited.text, "Too many sign-ins failed")
	require.Equal(t, 30, s.stub.exchanged(), "the provider is not asked")
	s.advance(2 * time.Second)
	require.Equal(t, 303, b.back("stub", b.start("stub", "/").Get("state"), "ada").StatusCode)
	require.Equal(t, 303, b.back("stub", b.start("stub", "/").Get("state"), "ada").StatusCode, "what succeeds costs nothing")
	require.Equal(t, 400, fail().StatusCode)
	require.Equal(t, 429, fail().StatusCode)
}

// TestParallelFailingCallbacksAreBounded: nor do those count less that come at once, or
// whose sender does not wait for the answer.
func TestParallelFailingCallbacksAreBounded(t *testing.T) { // RL-03
	s := newSite(t, nil)
	asked := make(chan struct{}, 100)
	release := make(chan struct{})
	s.stub.identity = func(string) (*auth.Identity, error) {
		asked <- struct{}{}
		<-release
		return nil, auth.ErrInvalidResponse
	}
	var wait sync.WaitGroup
	for range 60 {
		b := s.browser()
		state := b.start("stub", "/").Get("state")
		wait.Go(func() { b.back("stub", state, "made-up") })
	}
	for range 30 {
		<-asked
	}
	close(release)
	wait.Wait()
	require.Equal(t, 30, s.stub.exchanged())
}
