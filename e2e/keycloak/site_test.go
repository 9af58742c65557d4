package keycloak_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/e2e/internal/visit"
	"github.com/sallyport/auth/providers"
	"github.com/sallyport/auth/session"
)

// What people read where they do not get in.
const (
	notAllowed    = "You may not sign in here"
	misconfigured = "Sign-in is not set up correctly"
	invalidAnswer = "The answer was not valid"
)

// site is a site with one protected page, which shows the session.
type site struct {
	t       *testing.T
	address string
	handler http.Handler       // set by configure
	change  func(*auth.Config) // what no variable says; nil for nothing
	log     visit.Journal
}

// newSite makes a site that knows its address, and not yet how people sign in.
func newSite(t *testing.T) *site {
	s := &site{t: t}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	s.address = server.URL
	return s
}

// configure reads the environment as an operator's program does: one Keycloak at
// issuer, and what more says.
func (s *site) configure(issuer string, more map[string]string) {
	s.t.Helper()
	s.log.Read()
	env := map[string]string{
		"NEXT_AUTH_SECRET": "kY3nC0p9V1xJm5Q8sT2wZ7bL4hF6gD0aR3eU9iOqXyE=", "NEXT_AUTH_SSO_PROVIDERS": "keycloak",
		"AUTH_KEYCLOAK_ID": "web", "AUTH_KEYCLOAK_SECRET": secret, "AUTH_KEYCLOAK_ISSUER": issuer,
	}
	maps.Copy(env, more)
	config, err := auth.ConfigFromEnv(func(name string) string { return env[name] }, auth.Parts{Providers: providers.All(), Logger: slog.New(slog.NewTextHandler(&s.log, nil))})
	require.NoError(s.t, err)
	if s.change != nil {
		s.change(&config)
	}
	a, err := auth.New(config)
	require.NoError(s.t, err)
	s.handler = a.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, _ := auth.FromContext(r.Context())
		_ = json.NewEncoder(w).Encode(who)
	}))
}

// visitor is somebody with a browser that keeps cookies and follows redirects.
type visitor struct {
	site   *site
	client *http.Client
}

func (s *site) visitor() *visitor {
	cookies, err := cookiejar.New(nil)
	require.NoError(s.t, err)
	return &visitor{s, &http.Client{Jar: jar{cookies}, Timeout: 30 * time.Second}}
}

// jar compares paths as browsers do, in one spelling: cookiejar has that of the address
// decoded and that of the cookie as it came.
type jar struct{ *cookiejar.Jar }

func (j jar) SetCookies(from *url.URL, cookies []*http.Cookie) {
	for _, c := range cookies {
		if path, err := url.PathUnescape(c.Path); err == nil {
			c.Path = path
		}
	}
	j.Jar.SetCookies(from, cookies)
}

// page is what a visitor looks at.
type page struct {
	visitor *visitor
	at      *url.URL
	status  int
	text    string
}

func (v *visitor) send(method, address string, form url.Values) page {
	v.site.t.Helper()
	req, err := http.NewRequest(method, address, strings.NewReader(form.Encode()))
	require.NoError(v.site.t, err)
	req.Header.Set("Accept", "text/html")
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := v.client.Do(req)
	require.NoError(v.site.t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(v.site.t, err)
	return page{v, resp.Request.URL, resp.StatusCode, string(text)}
}

// submit sends the first form that contains part, with what fields adds to it.
func (g page) submit(part string, fields url.Values) page {
	g.visitor.site.t.Helper()
	action, values, ok := visit.Form(g.text, part)
	if !ok {
		require.Failf(g.visitor.site.t, "no such form", "%q in %s %s", part, g.at, g.text)
	}
	maps.Copy(values, fields)
	to, err := g.at.Parse(action)
	require.NoError(g.visitor.site.t, err)
	return g.visitor.send("POST", to.String(), values)
}

// begin goes from the protected page to Keycloak.
func (v *visitor) begin(provider string) page {
	v.site.t.Helper()
	return v.send("GET", v.site.address+"/report?year=2026", nil).submit("/signin/"+provider+`"`, nil)
}

// login is the form of Keycloak's login page.
func (g page) login(name string) page {
	g.visitor.site.t.Helper()
	return g.submit(`name="password"`, url.Values{"username": {name}, "password": {password}})
}

// signIn is the whole way of somebody who has not been here before.
func (s *site) signIn(name string) page {
	s.t.Helper()
	return s.visitor().begin("keycloak").login(name)
}

// session checks that the page is the one that the visitor wanted, and returns
// what it shows.
func (g page) session() *session.Session {
	t := g.visitor.site.t
	t.Helper()
	if g.status != http.StatusOK || g.at.String() != g.visitor.site.address+"/report?year=2026" {
		require.Failf(t, "not signed in", "%d %s %s\n%s", g.status, g.at, g.text, g.visitor.site.log.Read())
	}
	var s session.Session
	require.NoError(t, json.Unmarshal([]byte(g.text), &s), g.text)
	return &s
}

// refused checks that the visitor is told so and is not signed in, and what the log
// has of it.
func (g page) refused(status int, title string, causes ...string) {
	t := g.visitor.site.t
	t.Helper()
	log := g.visitor.site.log.Read()
	require.Equal(t, status, g.status, "%s\n%s", g.at, log)
	require.Contains(t, g.text, "<title>"+title+"</title>")
	for _, cause := range causes {
		require.Contains(t, log, cause)
	}
	require.NotContains(t, log, secret)
	again := g.visitor.send("GET", g.visitor.site.address+"/report", nil)
	require.Equal(t, "/api/auth/signin", again.at.Path)
}
