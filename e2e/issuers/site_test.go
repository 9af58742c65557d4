package issuers_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/cookiejar"
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
	declined      = "You did not sign in"
)

// What clients are registered with: plain needs no encoding in a Basic header, and
// secret does, which some servers do not decode.
const (
	plain  = "a-client-secret-of-letters-and-digits"
	secret = "a+secret/of=characters that%2Bare&encoded:"
)

var (
	address string       // of the site, which has one protected page, which shows the session
	handler http.Handler // set by configure
)

// site is that site for one test, with one provider.
type site struct {
	*testing.T
	id  string
	log visit.Journal
}

// configure reads the environment as an operator's program does: one provider at
// issuer, which goes by id, and what more says, with _ISSUER for AUTH_<ID>_ISSUER.
func configure(t *testing.T, id, issuer string, more map[string]string) *site {
	t.Helper()
	s := &site{T: t, id: id}
	prefix := "AUTH_" + strings.ToUpper(id)
	env := map[string]string{
		"NEXT_AUTH_SECRET": "kY3nC0p9V1xJm5Q8sT2wZ7bL4hF6gD0aR3eU9iOqXyE=", "NEXT_AUTH_SSO_PROVIDERS": id + ":generic-oidc",
		prefix + "_ID": "app", prefix + "_SECRET": secret, prefix + "_ISSUER": issuer,
	}
	for name, value := range more {
		if strings.HasPrefix(name, "_") {
			name = prefix + name
		}
		env[name] = value
	}
	config, err := auth.ConfigFromEnv(func(name string) string { return env[name] }, auth.Parts{Providers: providers.All(), Logger: slog.New(slog.NewTextHandler(&s.log, nil))})
	require.NoError(t, err)
	a, err := auth.New(config)
	require.NoError(t, err)
	handler = a.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, _ := auth.FromContext(r.Context())
		_ = json.NewEncoder(w).Encode(who)
	}))
	return s
}

// callback is where a provider sends people back to.
func callback(id string) string { return address + "/api/auth/callback/" + id }

// visitor is somebody with a browser that keeps cookies and follows redirects.
type visitor struct {
	site   *site
	client *http.Client
	way    []*url.URL // every address that a redirect led to
}

func (s *site) visitor() *visitor {
	cookies, err := cookiejar.New(nil)
	require.NoError(s, err)
	v := &visitor{site: s}
	v.client = &http.Client{Jar: cookies, Timeout: 30 * time.Second, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		v.way = append(v.way, r.URL)
		return nil
	}}
	return v
}

// answer is what the provider has sent to the callback.
func (v *visitor) answer() url.Values {
	v.site.Helper()
	for _, to := range v.way {
		if strings.HasPrefix(to.String(), callback(v.site.id)+"?") {
			return to.Query()
		}
	}
	require.Fail(v.site, "not sent to the callback")
	return nil
}

// page is what a visitor looks at.
type page struct {
	visitor *visitor
	at      *url.URL
	status  int
	text    string
}

// send is one request, with a body where there is one.
func (v *visitor) send(method, to, contentType, body string) page {
	v.site.Helper()
	req, err := http.NewRequest(method, to, strings.NewReader(body))
	require.NoError(v.site, err)
	req.Header.Set("Accept", "text/html")
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := v.client.Do(req)
	require.NoError(v.site, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(v.site, err)
	return page{v, resp.Request.URL, resp.StatusCode, string(text)}
}

func (v *visitor) get(to string) page { v.site.Helper(); return v.send("GET", to, "", "") }

// submit sends the first form that contains part, with what fields adds to it: what
// the person types, and the button that is pressed.
func (g page) submit(part string, fields url.Values) page {
	g.visitor.site.Helper()
	action, values, ok := visit.Form(g.text, part)
	if !ok {
		require.Failf(g.visitor.site, "no such form", "%q at %s %d\n%s\n%s", part, g.at, g.status, g.text, g.visitor.site.log.Read())
	}
	maps.Copy(values, fields)
	to, err := g.at.Parse(action)
	require.NoError(g.visitor.site, err)
	return g.visitor.send("POST", to.String(), "application/x-www-form-urlencoded", values.Encode())
}

// hidden is the value of a form's input.
func (g page) hidden(name string) string {
	g.visitor.site.Helper()
	value, ok := visit.Input(g.text, name)
	if !ok {
		require.Failf(g.visitor.site, "no such input", "%q at %s", name, g.at)
	}
	return value
}

// begin goes from the protected page to the provider.
func (v *visitor) begin() page {
	v.site.Helper()
	return v.get(address+"/report?year=2026").submit("/signin/"+v.site.id+`"`, nil)
}

// session checks that the page is the one that the visitor wanted, and returns
// what it shows.
func (g page) session() *session.Session {
	t := g.visitor.site
	t.Helper()
	if g.status != http.StatusOK || g.at.String() != address+"/report?year=2026" {
		require.Failf(t, "not signed in", "%d %s\n%s", g.status, g.at, t.log.Read())
	}
	var s session.Session
	require.NoError(t, json.Unmarshal([]byte(g.text), &s), g.text)
	return &s
}

// refused checks that the visitor is told so and is not signed in, and what the log
// has of it.
func (g page) refused(status int, title string, causes ...string) {
	t := g.visitor.site
	t.Helper()
	log := t.log.Read()
	require.Equal(t, status, g.status, "%s\n%s", g.at, log)
	require.Contains(t, g.text, "<title>"+title+"</title>", log)
	for _, cause := range causes {
		require.Contains(t, log, cause)
	}
	for _, word := range []string{plain, secret} {
		require.NotContains(t, log, word)
	}
	again := g.visitor.get(address + "/report")
	require.Equal(t, "/api/auth/signin", again.at.Path)
}
