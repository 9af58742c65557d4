package authtest_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/authtest"
	"github.com/sallyport/auth/session"
)

// TestSignIn: wherever sessions are, and whatever their cookies are called, the next request
// has one, and a sign-out ends it.
func TestSignIn(t *testing.T) {
	idp := newIdP(t)
	for _, test := range []struct {
		name    string
		change  func(*auth.Config)
		address string
		cookie  string
		subject string
	}{
		{"http", nil, "http://127.0.0.1:8080", "authjs.session-token", "ada"},
		{"https", nil, site, "__Secure-authjs.session-token", "ada"},
		{"Config.URL", func(c *auth.Config) { c.URL = site + "/app/api/auth" }, "http://127.0.0.1", "__Secure-authjs.session-token", "ada"},
		{"prefix", func(c *auth.Config) { c.CookiePrefix = "own" }, site, "__Secure-own.session-token", "ada"},
		{"domain", func(c *auth.Config) { c.URL, c.Session.CookieDomain = site, "app.example" }, site, "__Secure-authjs.session-token", "ada"},
		{"store", func(c *auth.Config) { c.Session.Store = session.NewMemoryStore(0, time.Now) }, site, "__Secure-authjs.session-token", "ada"},
		{"database", func(c *auth.Config) { c.Session.Database = &rows{list: map[string]session.Session{}} }, site, "__Secure-authjs.session-token", "user-of-ada"},
		{"revocations", func(c *auth.Config) { c.Session.Revocations = session.NewMemoryStore(0, time.Now) }, site, "__Secure-authjs.session-token", "ada"},
		{"read-only", func(c *auth.Config) { c.Providers, c.ReadOnly = nil, true }, site, "__Secure-authjs.session-token", "ada"},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := newAuth(t, idp, test.change)
			who := &session.Session{Subject: "ada"}
			if test.name != "read-only" {
				who.Provider, who.Issuer = "example", idp.Issuer()
			}
			cookies := authtest.SignIn(t, a, test.address, who)
			require.Equal(t, test.cookie, cookies[0].Name)
			require.NotEmpty(t, who.ID)
			require.WithinDuration(t, time.Now(), who.IssuedAt, time.Minute)
			ask := func() string {
				r := httptest.NewRequest("GET", test.address+"/reports", nil)
				for _, c := range cookies {
					r.AddCookie(c)
				}
				return answer(a.Identify(greet), r).Body.String()
			}
			require.Equal(t, test.subject+" at /reports", ask())
			if test.name == "store" || test.name == "revocations" {
				require.NoError(t, a.Revoke(t.Context(), session.OfUser("ada").Only(who.ID)))
				require.Equal(t, "nobody", ask())
			}
		})
	}
}

// TestSignInLarge: a session of several cookies is in all of them.
func TestSignInLarge(t *testing.T) {
	a := newAuth(t, newIdP(t), func(c *auth.Config) { c.Session.MaxSetCookieBytes = 14000 })
	cookies := authtest.SignIn(t, a, site, &session.Session{Subject: "ada", Groups: []string{strings.Repeat("g", 5000)}})
	require.Greater(t, len(cookies), 1)
	r := httptest.NewRequest("GET", site, nil)
	for _, c := range slices.Backward(cookies) {
		r.AddCookie(c)
	}
	require.Equal(t, "ada at ", answer(a.Identify(greet), r).Body.String())
}

// TestSignInOverTheNetwork: a server that listens knows the cookies.
func TestSignInOverTheNetwork(t *testing.T) {
	a := newAuth(t, newIdP(t), nil)
	server := httptest.NewServer(a.Require(greet))
	defer server.Close()
	r, err := http.NewRequest("GET", server.URL+"/reports", nil)
	require.NoError(t, err)
	for _, c := range authtest.SignIn(t, a, server.URL, &session.Session{Subject: "ada"}) {
		r.AddCookie(c)
	}
	resp, err := server.Client().Do(r)
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, 200, resp.StatusCode)
}

// TestSignInFails: a session that no request would find is told of at once.
func TestSignInFails(t *testing.T) {
	idp := newIdP(t)
	for name, test := range map[string]struct {
		change  func(*auth.Config)
		address string
		who     *session.Session
		says    string
	}{
		"provider":   {nil, site, &session.Session{Subject: "ada", Provider: "github"}, `Provider "github"`},
		"issuer":     {nil, site, &session.Session{Subject: "ada", Provider: "example", Issuer: "https://else.example"}, `Issuer "https://else.example"`},
		"a code":     {nil, site, &session.Session{Subject: "x", Provider: auth.AccessCode}, "no way in"},
		"host":       {func(c *auth.Config) { c.AllowedHosts = []string{"other.example"} }, site, &session.Session{Subject: "ada"}, "AllowedHosts"},
		"large":      {nil, site, &session.Session{Subject: "ada", Name: strings.Repeat("x", 20000)}, "too large"},
		"revalidate": {func(c *auth.Config) { c.Session.Revalidate = refuse }, site, &session.Session{Subject: "ada"}, "Session.Revalidate"},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAuth(t, idp, test.change)
			require.Contains(t, failure(t, func(t testing.TB) { authtest.SignIn(t, a, test.address, test.who) }), test.says)
		})
	}
}

func refuse(context.Context, *session.Session) error { return auth.ErrNotAllowed }
