package authtest_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/accesscode"
	"github.com/sallyport/auth/authtest"
	"github.com/sallyport/auth/providers/providertest"
	"github.com/sallyport/auth/session"
)

// TestBrowser: the whole way in and out again, wherever sessions are.
func TestBrowser(t *testing.T) {
	for name, change := range map[string]func(*auth.Config){
		"cookie":     nil,
		"Config.URL": func(c *auth.Config) { c.URL = site },
		"store":      func(c *auth.Config) { c.Session.Store = session.NewMemoryStore(0, time.Now) },
		"database":   func(c *auth.Config) { c.Session.Database = &rows{list: map[string]session.Session{}} },
		"tokens":     func(c *auth.Config) { c.KeepTokens, c.Session.MaxSetCookieBytes = true, 14000 },
		"everywhere": func(c *auth.Config) { c.SignOutAtProvider = true },
		"prefix":     func(c *auth.Config) { c.CookiePrefix = "own" },
	} {
		t.Run(name, func(t *testing.T) {
			idp := newIdP(t)
			a := newAuth(t, idp, change)
			b := authtest.NewBrowser(t, site, a.Require(greet))
			page := b.Get("/reports?year=2026")
			require.Equal(t, "/api/auth/signin", page.URL.Path)
			page = b.SignIn("example", "ada")
			require.Equal(t, site+"/reports?year=2026", page.URL.String())
			require.Contains(t, page.Body, "ada at /reports")
			require.Equal(t, "/api/auth/signout", b.SignOut().URL.Path)
			require.Equal(t, name == "everywhere", len(idp.SignOuts()) == 1)
			require.Equal(t, "/api/auth/signin", b.Get("/reports").URL.Path)
			require.Contains(t, b.SignIn("example", "eve").Body, "eve at /reports")
		})
	}
}

// TestBrowserOverTheNetwork: a server that listens is reached as any.
func TestBrowserOverTheNetwork(t *testing.T) {
	a := newAuth(t, newIdP(t), nil)
	server := httptest.NewServer(a.Require(greet))
	defer server.Close()
	b := authtest.NewBrowser(t, server.URL, nil)
	require.Equal(t, "ada at /", b.SignIn("example", "ada").Body)
	b.SignOut()
	b.As(a, &session.Session{Subject: "eve"})
	require.Equal(t, "eve at /reports", b.Get("/reports").Body)

	secure := httptest.NewTLSServer(a.Require(greet))
	defer secure.Close()
	b = authtest.NewBrowser(t, secure.URL, nil)
	b.Client.Transport = secure.Client().Transport
	b.As(a, &session.Session{Subject: "eve"})
	require.Equal(t, "eve at /", b.Get("/").Body)
}

// TestBrowserBelowAPath: the routes are where the address says.
func TestBrowserBelowAPath(t *testing.T) {
	a := newAuth(t, newIdP(t), func(c *auth.Config) { c.URL = site + "/app/login" })
	b := authtest.NewBrowser(t, site+"/app/login", a.Require(greet))
	b.Get("/app/reports")
	require.Equal(t, "ada at /app/reports", b.SignIn("example", "ada").Body)
	b.SignOut()
	require.Equal(t, "/app/login/signin", b.Get("/app/reports").URL.Path)
}

// TestBrowserIsRefused: what a policy, and whoever declines, gets to see is a page.
func TestBrowserIsRefused(t *testing.T) {
	a := newAuth(t, newIdP(t), func(c *auth.Config) {
		c.Policy = func(_ context.Context, _ string, id *auth.Identity) error {
			if id.Subject == "eve" {
				return auth.ErrNotAllowed
			}
			return nil
		}
	})
	b := authtest.NewBrowser(t, site, a.Require(greet))
	require.Equal(t, 403, b.SignIn("example", "eve").Status)
	require.NotContains(t, b.SignIn("example", "deny").Body, " at /")
	require.Equal(t, 200, b.SignIn("example", "ada").Status)
}

// TestBrowserWithAPageOfItsOwn: the button may be the application's, written by hand.
func TestBrowserWithAPageOfItsOwn(t *testing.T) {
	a := newAuth(t, newIdP(t), func(c *auth.Config) { c.SignInURL = "/login" })
	mux := http.NewServeMux()
	mux.Handle("/", a.Require(greet))
	mux.HandleFunc("/login", func(w http.ResponseWriter, r *http.Request) {
		in := httptest.NewRequest("GET", "/api/auth/csrf", nil)
		in.Host, in.TLS, in.Header = r.Host, r.TLS, r.Header
		token := answer(a, in)
		w.Header()["Set-Cookie"] = token.Header()["Set-Cookie"]
		_, _ = io.WriteString(w, `<form action="/search"></form><FORM method='post'
			action='/api/auth/signin/example'><input type="hidden" name="csrfToken" value="`+token.Body.String()[len(`{"csrfToken":"`):][:64]+`">
			<input name=callbackUrl type="hidden"><input name="callbackUrl" value="/a&amp;b">
			<input type="checkbox" name="callbackUrl" value="/never"><input type="submit" name="callbackUrl" value="/never"></FORM>`)
	})
	b := authtest.NewBrowser(t, site, mux)
	require.Equal(t, "ada at /a&b", b.SignIn("example", "ada").Body)
}

// TestBrowserWithACode: a form that somebody has to fill in.
func TestBrowserWithACode(t *testing.T) {
	gate, err := accesscode.New(accesscode.Config{Secrets: secrets, Codes: []accesscode.Code{{Text: auth.NewSecret("correct-horse-battery")}}})
	require.NoError(t, err)
	a := newAuth(t, newIdP(t), func(c *auth.Config) { c.AccessCode = gate })
	b := authtest.NewBrowser(t, site, a.Require(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "in") })))
	b.Get("/")
	require.NotEqual(t, "in", b.Submit("/api/auth/signin/access-code", url.Values{"code": {"wrong"}}).Body)
	require.Equal(t, "in", b.Submit("/api/auth/signin/access-code", url.Values{"code": {"correct-horse-battery"}}).Body)
}

// TestBrowserFails: a test that goes nowhere says where it is.
func TestBrowserFails(t *testing.T) {
	idp := newIdP(t)
	quiet := providertest.NewServer(providertest.Config{Clients: []providertest.Client{{ID: "app", Secret: clientSecret}}, People: []providertest.Person{{Subject: "eve"}}})
	defer quiet.Close()
	around := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusSeeOther) })
	for says, test := range map[string]func(t testing.TB){
		"no form that is sent to /api/auth/signin/github": func(t testing.TB) { authtest.NewBrowser(t, site, newAuth(t, idp, nil)).SignIn("github", "ada") },
		`has "mallory" to choose`:                         func(t testing.TB) { authtest.NewBrowser(t, site, newAuth(t, idp, nil)).SignIn("example", "mallory") },
		"no identity provider that asks":                  func(t testing.TB) { authtest.NewBrowser(t, site, newAuth(t, quiet, nil)).SignIn("example", "eve") },
		"no form that is sent to /api/auth/signout":       func(t testing.TB) { authtest.NewBrowser(t, site, newAuth(t, idp, nil)).SignOut() },
		"the browser is at no page yet":                   func(t testing.TB) { authtest.NewBrowser(t, site, greet).Submit("/", nil) },
		"10 redirects":                                    func(t testing.TB) { authtest.NewBrowser(t, site, around).Get("/") },
		"want an address with a scheme":                   func(t testing.TB) { authtest.NewBrowser(t, "/api/auth", greet) },
		"is not the address of the routes":                func(t testing.TB) { authtest.NewBrowser(t, "ftp://app.example", greet) },
		"first path segment in URL cannot contain colon":  func(t testing.TB) { authtest.NewBrowser(t, site, greet).Get("1:2") },
		`no request would find the session`: func(t testing.TB) {
			authtest.NewBrowser(t, site, greet).As(newAuth(t, idp, nil), &session.Session{Provider: "github"})
		},
	} {
		t.Run(says, func(t *testing.T) { require.Contains(t, failure(t, test), says) })
	}
}

// TestBrowserSaysWhereFrom: a form's POST has its origin, and nothing that follows it; what
// is sent elsewhere has no cookie of the site.
func TestBrowserSaysWhereFrom(t *testing.T) {
	type sent struct{ method, origin, cookie string }
	var list []sent
	note := func(r *http.Request) {
		list = append(list, sent{r.Method, r.Header.Get("Origin"), r.Header.Get("Cookie")})
	}
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { note(r) }))
	defer elsewhere.Close()
	b := authtest.NewBrowser(t, site, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		note(r)
		switch {
		case r.Method == "POST":
			require.Equal(t, "y", r.FormValue("x"))
			http.Redirect(w, r, "/done", http.StatusSeeOther)
		case r.URL.Path == "/done":
			http.Redirect(w, r, elsewhere.URL, http.StatusSeeOther)
		default:
			require.NotNil(t, r.TLS)
			require.Equal(t, "app.example", r.Host)
			http.SetCookie(w, &http.Cookie{Name: "__Host-c", Value: "1", Path: "/", Secure: true})
			_, _ = io.WriteString(w, `<form method="post" action="?form">`+"</form>")
		}
	}))
	b.Get("/")
	require.Equal(t, elsewhere.URL, b.Submit("/", url.Values{"x": {"y"}}).URL.String())
	require.Equal(t, []sent{{"GET", "", ""}, {"POST", site, "__Host-c=1"}, {"GET", "", "__Host-c=1"}, {"GET", "", ""}}, list)
}

// TestBrowserKnowsOneOrigin: the handler is the site at its scheme, its host and its port.
func TestBrowserKnowsOneOrigin(t *testing.T) {
	listening := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "real") }))
	defer listening.Close()
	b := authtest.NewBrowser(t, "https"+strings.TrimPrefix(listening.URL, "http"), greet)
	require.Equal(t, "nobody", b.Get("/").Body)
	require.Equal(t, "real", b.Get(listening.URL).Body)
	b = authtest.NewBrowser(t, "http://127.0.0.1", greet)
	require.Equal(t, "nobody", b.Get("/").Body)
	require.Equal(t, "real", b.Get(listening.URL).Body)
}
