package authtest_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/authtest"
	"github.com/sallyport/auth/session"
)

// get is a navigation of somebody's browser.
func get(path string) *http.Request {
	r := httptest.NewRequest("GET", path, nil)
	r.Header.Set("Accept", "text/html")
	return r
}

// TestHandlerAlone: a handler under test needs no Authenticator.
func TestHandlerAlone(t *testing.T) {
	require.Equal(t, "nobody", answer(greet, get("/")).Body.String())
	require.Equal(t, "ada at /reports", answer(greet, authtest.As(get("/reports"), &session.Session{Subject: "ada"})).Body.String())
}

// TestSessionIsACopy: with what somebody has who signs in just now.
func TestSessionIsACopy(t *testing.T) {
	own := &session.Session{Subject: "ada", Groups: []string{"staff"}}
	who, ok := auth.FromContext(authtest.NewContext(t.Context(), own))
	require.True(t, ok)
	require.NotEmpty(t, who.ID)
	require.WithinDuration(t, time.Now(), who.AuthTime, time.Minute)
	require.WithinDuration(t, time.Now(), who.IssuedAt, time.Minute)
	require.WithinDuration(t, time.Now().Add(30*24*time.Hour), who.ExpiresAt, time.Minute)
	who.Groups[0], who.Subject = "changed", "changed"
	require.Equal(t, &session.Session{Subject: "ada", Groups: []string{"staff"}}, own)

	at := time.Unix(1e9, 0)
	said := session.Session{ID: "id", AuthTime: at, IssuedAt: at, ExpiresAt: at}
	who, ok = auth.FromContext(authtest.NewContext(t.Context(), &said))
	require.True(t, ok)
	require.Equal(t, &said, who)
}

// TestEveryMiddlewareSeesIt: of any Authenticator, one in another too, whoever is configured
// there, and whatever the clock and the cookies say.
func TestEveryMiddlewareSeesIt(t *testing.T) {
	idp := newIdP(t)
	for name, change := range map[string]func(*auth.Config){
		"cookie":  nil,
		"another": func(c *auth.Config) { c.CookiePrefix, c.URL = "other", "https://other.example" },
		"store": func(c *auth.Config) {
			c.Session.Store = session.NewMemoryStore(0, time.Now)
		},
		"in a year": func(c *auth.Config) { c.Now = func() time.Time { return time.Now().Add(365 * 24 * time.Hour) } },
		"revalidate": func(c *auth.Config) {
			c.Session.Revalidate = func(context.Context, *session.Session) error { return auth.ErrNotAllowed }
			c.Session.RevalidateEvery = time.Minute
		},
	} {
		t.Run(name, func(t *testing.T) {
			a, outer := newAuth(t, idp, change), newAuth(t, idp, nil)
			staff := func(s *session.Session) error {
				if len(s.Groups) == 0 {
					return auth.ErrNotAllowed
				}
				return auth.RequireFresh(time.Hour)(s)
			}
			for kind, h := range map[string]http.Handler{
				"Require": a.Require(greet), "Identify": a.Identify(greet), "RequireRule": a.RequireRule(staff)(greet),
				"nested": a.Require(a.RequireRule(auth.Identified)(greet)), "two": outer.Require(a.RequireRule(staff)(greet)),
			} {
				r := authtest.As(get("/reports"), &session.Session{Subject: "ada", Provider: "elsewhere", Groups: []string{"staff"}})
				for _, c := range authtest.SignIn(t, outer, "http://example.com", &session.Session{Subject: "eve"}) {
					r.AddCookie(c)
				}
				got := answer(h, r)
				require.Equal(t, "ada at /reports", got.Body.String(), kind)
				require.Empty(t, got.Result().Cookies(), kind)
				require.Contains(t, got.Header().Get("Cache-Control"), "private", kind)
			}
			got := answer(a, authtest.As(get("/api/auth/session"), &session.Session{Subject: "ada", Name: "Ada"}))
			require.Contains(t, got.Body.String(), `"name":"Ada"`)
			require.Empty(t, got.Result().Cookies())
		})
	}
}

// TestRulesRefuse: whom a rule does not admit gets what such a person gets.
func TestRulesRefuse(t *testing.T) {
	a := newAuth(t, newIdP(t), nil)
	cli := (&session.Session{Subject: "cli"}).AsBearer()
	for _, test := range []struct {
		name   string
		rule   auth.Rule
		who    *session.Session
		status int
		header string // of the answer
		says   string
	}{
		{"an hour ago", auth.RequireFresh(time.Minute), &session.Session{Subject: "ada", Provider: "example", AuthTime: time.Now().Add(-time.Hour)}, 303, "Location", "/authorize?"},
		{"no second factor", auth.RequireACR("mfa"), &session.Session{Subject: "ada"}, 303, "Location", "/api/auth/signin"},
		{"a code", auth.Identified, &session.Session{Subject: "x", Provider: auth.AccessCode}, 403, "Content-Type", "text/html"},
		{"a program", auth.Identified, &session.Session{Subject: "cli", Machine: true}, 403, "Content-Type", "text/html"},
		{"a token for less", auth.RequireScope("write"), cli, 403, "Www-Authenticate", `error="insufficient_scope"`},
		{"a token, and no factor", auth.RequireACR("mfa"), cli, 401, "Www-Authenticate", "insufficient_user_authentication"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := answer(a.RequireRule(test.rule)(greet), authtest.As(get("/"), test.who))
			require.Equal(t, test.status, got.Code)
			require.Contains(t, got.Header().Get(test.header), test.says)
			require.NotContains(t, got.Body.String(), " at /")
		})
	}
}

// TestElsewhereStaysElsewhere: a page of another origin gets nothing, unless it has the
// token to show.
func TestElsewhereStaysElsewhere(t *testing.T) {
	a := newAuth(t, newIdP(t), nil)
	for name, test := range map[string]struct {
		who    *session.Session
		status int
	}{
		"a cookie": {&session.Session{Subject: "ada"}, 403},
		"a token":  {(&session.Session{Subject: "ada"}).AsBearer(), 200},
	} {
		r := httptest.NewRequest("POST", "/reports", nil)
		r.Header.Set("Origin", "https://evil.example")
		require.Equal(t, test.status, answer(a.Require(greet), authtest.As(r, test.who)).Code, name)
	}
}

// TestTokenSource: the tokens are as they are, wherever the handler is, and whether there
// is anything to have others with.
func TestTokenSource(t *testing.T) {
	idp := newIdP(t)
	for name, wrap := range map[string]func(http.Handler) http.Handler{
		"alone":   func(h http.Handler) http.Handler { return h },
		"cookie":  newAuth(t, idp, func(c *auth.Config) { c.KeepTokens = true }).Require,
		"store":   newAuth(t, idp, func(c *auth.Config) { c.KeepTokens, c.Session.Store = true, session.NewMemoryStore(0, time.Now) }).Require,
		"nothing": newAuth(t, idp, nil).Require,
	} {
		t.Run(name, func(t *testing.T) {
			called := false
			h := wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				called = true
				tokens, ok := auth.TokenSource(r.Context())
				require.True(t, ok)
				token, err := tokens.Token()
				if who, _ := auth.FromContext(r.Context()); who.Subject == "late" {
					require.ErrorIs(t, err, auth.ErrExpired)
					return
				}
				require.NoError(t, err)
				require.Equal(t, "access", token.AccessToken)
			}))
			for _, s := range []*session.Session{
				{Subject: "ada", Provider: "example", ProviderTokens: &session.ProviderTokens{AccessToken: "access"}},
				{Subject: "soon", Provider: "example", ProviderTokens: &session.ProviderTokens{AccessToken: "access", RefreshToken: "refresh", ExpiresAt: time.Now().Add(30 * time.Second)}},
				{Subject: "late", Provider: "example", ProviderTokens: &session.ProviderTokens{AccessToken: "access", RefreshToken: "refresh", ExpiresAt: time.Now().Add(-time.Second)}},
			} {
				called = false
				require.Empty(t, answer(h, authtest.As(get("/"), s)).Result().Cookies())
				require.True(t, called, s.Subject)
			}
			require.Zero(t, idp.Hits("token"))
		})
	}
	_, ok := auth.TokenSource(authtest.NewContext(t.Context(), &session.Session{Subject: "ada"}))
	require.False(t, ok)
}

// TestNotInAProgram: what is no test cannot have anybody signed in so.
func TestNotInAProgram(t *testing.T) {
	out, err := exec.Command("go", "run", "./testdata/outside").CombinedOutput()
	require.Error(t, err, string(out))
	require.Contains(t, string(out), "panic: authtest: this is not a test")
	require.NotContains(t, string(out), "true")
}
