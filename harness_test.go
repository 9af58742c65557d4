package auth_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/session"
)

const testSecret = "kY3nC0p9V1xJm5Q8sT2wZ7bL4hF6gD0aR3eU9iOqXyE="

// stubProvider is the least that a provider can be: it sends the browser to
// idp.example and believes the code, which is the subject's name. The tests of
// internal/web have whole browsers; here nothing needs more than this.
type stubProvider struct {
	name     string
	identity *auth.Identity // who signs in; nil for somebody called as the code
	err      error
}

func (p *stubProvider) Name() string { return p.name }

func (p *stubProvider) AuthCodeURL(_ context.Context, tx auth.Transaction) (string, error) {
	return "https://idp.example/authorize?" + url.Values{"state": {tx.State}, "redirect_uri": {tx.RedirectURI}}.Encode(), nil
}

func (p *stubProvider) Exchange(_ context.Context, _ auth.Transaction, response url.Values) (*auth.Identity, error) {
	if p.identity != nil || p.err != nil {
		return p.identity, p.err
	}
	return &auth.Identity{Issuer: "https://idp.example", Subject: response.Get("code"), Name: "Ada"}, nil
}

// newConfig is the least that New takes.
func newConfig(p ...auth.Provider) auth.Config {
	return auth.Config{Secrets: []auth.Secret{auth.NewSecret(testSecret)}, URL: "https://app.example", Providers: p}
}

// signIn signs ada in at a and returns the answer of the callback.
func signIn(t testing.TB, a *auth.Authenticator, p auth.Provider) *http.Response {
	t.Helper()
	ask := func(method, path, form string, cookies []*http.Cookie) *http.Response {
		r := httptest.NewRequest(method, "https://app.example/api/auth/"+path, strings.NewReader(form))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for _, c := range cookies {
			r.AddCookie(c)
		}
		w := httptest.NewRecorder()
		a.ServeHTTP(w, r)
		return w.Result()
	}
	csrf := ask("GET", "csrf", "", nil).Cookies()
	token, _, _ := strings.Cut(csrf[0].Value, "%7C")
	begun := ask("POST", "signin/"+p.Name(), "csrfToken="+token, csrf)
	to, err := begun.Location()
	require.NoError(t, err)
	return ask("GET", "callback/"+p.Name()+"?code=ada&state="+to.Query().Get("state"), "", begun.Cookies())
}

// sealedCookie signs ada in at a and returns her session cookie.
func sealedCookie(t testing.TB, a *auth.Authenticator, p auth.Provider) *http.Cookie {
	t.Helper()
	answer := signIn(t, a, p)
	for _, c := range answer.Cookies() {
		if strings.HasSuffix(c.Name, "session-token") {
			return c
		}
	}
	t.Fatalf("no session: %s", answer.Status)
	return nil
}

// sessionOf opens a session cookie.
func sessionOf(t testing.TB, cookie *http.Cookie) *session.Session {
	t.Helper()
	m, err := session.NewManager(session.Config{}, []session.Secret{session.NewSecret(testSecret)}, time.Now)
	require.NoError(t, err)
	r := httptest.NewRequest("GET", "https://app.example/", nil)
	r.AddCookie(cookie)
	who, err := m.Load(r, true)
	require.NoError(t, err)
	require.NotNil(t, who)
	return who
}
