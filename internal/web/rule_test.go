package web_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/session"
)

// newRuledSite is behind rule, and its provider heeds the prompt login, if that is set.
func newRuledSite(t *testing.T, login string, rule auth.Rule) *site {
	return newGuardedSite(t, func(c *auth.Config) {
		c.AccessCode = gate(t, nil, goodCode)
		c.Providers[0] = promptingProvider{stubProvider: c.Providers[0].(*stubProvider), login: login}
	}, func(a *auth.Authenticator, next http.Handler) http.Handler { return a.RequireRule(rule)(next) })
}

// fresh wants a sign-in of the last five minutes.
func fresh(s **site) auth.Rule {
	return func(who *session.Session) error {
		if (*s).clock().Sub(who.AuthTime) > 5*time.Minute {
			return fmt.Errorf("older than five minutes: %w", auth.ErrSignInAgain)
		}
		return nil
	}
}

func never(*session.Session) error { return auth.ErrSignInAgain }

// TestSignInAgainAtTheProvider: which is told to ask, and back to the page.
func TestSignInAgainAtTheProvider(t *testing.T) { // MW-02
	var s *site
	s = newRuledSite(t, "login", fresh(&s))
	b := s.browser()
	b.signIn("ada")
	require.Equal(t, 200, b.get("/pay?x=1").StatusCode)
	for range 3 { // each time anew, also where somebody has done so before
		s.advance(6 * time.Minute)
		got := b.get("/pay?x=1")
		to, err := got.Location()
		require.NoError(t, err)
		require.Equal(t, "idp.example", to.Host)
		require.Equal(t, "login", to.Query().Get("prompt"))
		got = b.back("stub", to.Query().Get("state"), "ada")
		require.Equal(t, s.server.URL+"/pay?x=1", got.Header.Get("Location"))
		require.Equal(t, 200, b.get("/pay?x=1").StatusCode)
	}
	require.Empty(t, s.reasons())
}

// TestSignInAgainEnds: a rule that nobody satisfies is a refusal, and no circle.
func TestSignInAgainEnds(t *testing.T) { // MW-02
	for name, login := range map[string]string{"at the provider": "login", "on the sign-in page": ""} {
		t.Run(name, func(t *testing.T) {
			s := newRuledSite(t, login, never)
			b := s.browser()
			b.signIn("ada")
			first := b.get("/pay")
			require.Equal(t, 303, first.StatusCode)
			to, err := first.Location()
			require.NoError(t, err)
			require.Equal(t, login != "", to.Host == "idp.example")
			if login == "" {
				require.Equal(t, "/pay", to.Query().Get("callbackUrl"))
				require.Equal(t, 200, b.get(to.String()).StatusCode)
			}
			require.Equal(t, 303, b.get("/pay").StatusCode, "not signed in again yet")
			require.Equal(t, 303, b.get("/other").StatusCode, "another tab")
			require.Equal(t, 303, b.get("/pay").StatusCode)
			b.signIn("ada")
			require.Equal(t, 303, b.get("/other").StatusCode, "a page that has sent nobody away since")
			require.Equal(t, 303, b.get("/pay").StatusCode)
			b.signIn("ada")
			got := b.get("/pay")
			require.Equal(t, 403, got.StatusCode)
			require.Contains(t, got.text, "This page is for other accounts")
			require.Equal(t, []string{"AnotherWay"}, s.reasons())
			require.Equal(t, 303, b.get("/pay").StatusCode, "the person may try again")
		})
	}
}

// TestSignInAgainByAnAccessCode: which no provider can ask for.
func TestSignInAgainByAnAccessCode(t *testing.T) { // MW-02, AC-13
	s := newRuledSite(t, "login", never)
	b := s.browser()
	enter := func() {
		b.do("POST", "/api/auth/signin/access-code", url.Values{"csrfToken": {b.csrf()}, "code": {goodCode}})
		require.NotEmpty(t, b.who())
	}
	enter()
	require.Equal(t, s.server.URL+"/api/auth/signin?callbackUrl=%2Fpay", b.get("/pay").Header.Get("Location"))
	enter()
	require.Equal(t, 403, b.get("/pay").StatusCode)
}

// TestSignInAgainIsForNavigations: whatever else asks is answered as if nobody were signed
// in.
func TestSignInAgainIsForNavigations(t *testing.T) { // MW-02, MW-03
	s := newRuledSite(t, "login", never)
	b := s.browser()
	b.signIn("ada")
	got := b.send("GET", "/pay", "", "Accept", "application/json")
	require.Equal(t, 401, got.StatusCode)
	require.Contains(t, got.Header.Get("WWW-Authenticate"), "Cookie ")
	got = b.send("GET", "/pay", "", "Sec-Fetch-Mode", "cors", "HX-Request", "true")
	require.Equal(t, 401, got.StatusCode)
	require.Contains(t, got.Header.Get("HX-Redirect"), "/api/auth/signin?")
	got = b.do("POST", "/pay", url.Values{"x": {"1"}}, "Sec-Fetch-Mode", "navigate")
	require.Equal(t, 401, got.StatusCode)
	require.Contains(t, got.text, "What you sent has not arrived")
	got = b.do("HEAD", "/pay", nil)
	require.Contains(t, got.Header.Get("Location"), "/api/auth/signin?", "nothing is begun")
	require.Empty(t, b.cookiesNamed("__Host-authjs.txn."))
}

// TestSignInAgainIsNotForABackendsPeople: it would send them back as they are.
func TestSignInAgainIsNotForABackendsPeople(t *testing.T) { // MW-02
	a := newAuth(t, func(c *auth.Config) { c.Backend = &personBackend{} })
	h := a.RequireRule(never)(http.NotFoundHandler())
	require.Equal(t, 403, serve(h, "GET", "https://app.example/x", "", "Accept", "text/html", "X-Person", "ada").Code)
	require.Equal(t, 303, serve(h, "GET", "https://app.example/x", "", "Accept", "text/html").Code)
}

// ownAnswer is an error that answers by itself.
type ownAnswer struct{ error }

func (e ownAnswer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	who, _ := auth.FromContext(r.Context())
	w.WriteHeader(http.StatusPaymentRequired)
	fmt.Fprintf(w, "%s: %v", who.Subject, e.error)
}

// TestARuleAnswersByItself: whatever it wraps besides.
func TestARuleAnswersByItself(t *testing.T) {
	for _, cause := range []error{auth.ErrNotAllowed, auth.ErrSignInAgain, errors.New("no plan")} {
		s := newRuledSite(t, "login", func(*session.Session) error { return fmt.Errorf("billing: %w", ownAnswer{cause}) })
		b := s.browser()
		b.signIn("ada")
		got := b.get("/pay")
		require.Equal(t, http.StatusPaymentRequired, got.StatusCode)
		require.Equal(t, "ada: "+cause.Error(), got.text)
		require.Equal(t, "no-store", got.Header.Get("Cache-Control"))
		require.Equal(t, []string{"AnotherWay"}, s.reasons())
		require.Equal(t, auth.EventRefused, s.last().Kind)
	}
}

// TestSignInAgainWithAPlantedCookie: what is none of ours says nothing.
func TestSignInAgainWithAPlantedCookie(t *testing.T) { // CK-10
	s := newRuledSite(t, "login", never)
	b := s.browser()
	b.signIn("ada")
	for _, value := range []string{"", "x", "AAAAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAAAA"} {
		b.plant("__Host-authjs.again", value)
		require.Equal(t, 303, b.get("/pay").StatusCode, value)
	}
}

// TestSignInAgainWhereAuthjsSignsIn: whose sessions do not say when, and have an id each.
func TestSignInAgainWhereAuthjsSignsIn(t *testing.T) { // MW-02
	a := newAuth(t, func(c *auth.Config) { c.Providers, c.ReadOnly = nil, true })
	h := a.RequireRule(never)(http.NotFoundHandler())
	codec := session.NewCodec(sessionCookie, []auth.Secret{auth.NewSecret(testSecret)})
	ask := func(jti string, more ...*http.Cookie) *http.Response {
		token := codec.Seal([]byte(fmt.Sprintf(`{"sub":"ada","jti":%q,"iat":%d,"exp":%d}`, jti, time.Now().Unix(), time.Now().Add(time.Hour).Unix())))
		cookies := cookieHeader(append(more, &http.Cookie{Name: sessionCookie, Value: token})...)
		return serve(h, "GET", "https://app.example/pay", "", "Accept", "text/html", "Cookie", cookies).Result()
	}
	first := ask("one")
	require.Equal(t, 303, first.StatusCode)
	require.Equal(t, "https://app.example/api/auth/signin?callbackUrl=%2Fpay", first.Header.Get("Location"))
	require.Len(t, first.Cookies(), 1)
	require.Equal(t, 303, ask("one", first.Cookies()[0]).StatusCode)
	again := ask("two", first.Cookies()[0])
	require.Equal(t, 403, again.StatusCode)
	require.Negative(t, again.Cookies()[0].MaxAge)
}

// TestSignInAgainHasACookieOfItsOwnName: beside another application on the host.
func TestSignInAgainHasACookieOfItsOwnName(t *testing.T) { // CK-01
	stub := &stubProvider{name: "stub"}
	a := newAuth(t, func(c *auth.Config) { c.Providers, c.CookiePrefix = []auth.Provider{stub}, "admin" })
	w := serve(a.RequireRule(never)(http.NotFoundHandler()), "GET", "https://app.example/pay", "", "Accept", "text/html", "Cookie", cookieHeader(sealedCookie(t, a, stub)))
	require.Equal(t, 303, w.Code)
	require.Equal(t, "__Host-admin.again", w.Result().Cookies()[0].Name)
}
