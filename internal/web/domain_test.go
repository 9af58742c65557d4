package web_test

import (
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
)

// TestCookieDomainSwitchedOn: a sign-out, and a renewal, take the host's own cookie
// along, which browsers keep beside the domain's. Each node is another one, which knows
// of no sign-out.
func TestCookieDomainSwitchedOn(t *testing.T) { // CK-09, SE-04
	stub := &stubProvider{name: "stub"}
	now := time.Now()
	node := func(domain string) *auth.Authenticator {
		return newAuth(t, func(c *auth.Config) {
			c.URL, c.Session.CookieDomain, c.Providers = "https://app.example.com", domain, []auth.Provider{stub}
			c.Now = func() time.Time { return now }
		})
	}
	at, err := url.Parse("https://app.example.com/")
	require.NoError(t, err)
	for name, renewed := range map[string]bool{"sign-out": false, "renewal, then sign-out": true} {
		jar, err := cookiejar.New(nil)
		require.NoError(t, err)
		do := func(domain, method, path, body string) *httptest.ResponseRecorder {
			h := node(domain).Require(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
			w := serve(h, method, "https://app.example.com"+path, body, "Content-Type", "application/x-www-form-urlencoded", "Accept", "text/html", "Cookie", cookieHeader(jar.Cookies(at)...))
			jar.SetCookies(at, w.Result().Cookies())
			return w
		}
		token := func(domain string) string {
			_, after, _ := strings.Cut(do(domain, "GET", "/api/auth/csrf", "").Body.String(), `":"`)
			before, _, _ := strings.Cut(after, `"`)
			return before
		}
		to, err := do("", "POST", "/api/auth/signin/stub", "csrfToken="+token("")).Result().Location()
		require.NoError(t, err)
		do("", "GET", "/api/auth/callback/stub?code=ada&state="+to.Query().Get("state"), "")
		require.Equal(t, 200, do("example.com", "GET", "/x", "").Code, name)
		sessions := 0
		if renewed {
			now = now.Add(25 * time.Hour)
			require.Equal(t, 200, do("example.com", "GET", "/x", "").Code, name)
		}
		for _, c := range jar.Cookies(at) {
			if c.Name == sessionCookie {
				sessions++
			}
		}
		require.Equal(t, 1, sessions, name)
		require.Equal(t, 303, do("example.com", "POST", "/api/auth/signout", "csrfToken="+token("example.com")).Code, name)
		require.Equal(t, 303, do("example.com", "GET", "/x", "").Code, "still signed in after %s", name)
	}
}
