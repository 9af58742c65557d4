package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
)

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

func TestCSRFTokensOfManySecrets(t *testing.T) { // CS-04
	const older = "Zr4pS7uYbQ1xK9mN2vT6wE8hJ3cF5aG0dL4oP7iRtUs="
	signs := func(secrets ...string) string { // a token and its cookie, made with secrets as Auth.js joins them
		s := newSite(t, func(c *auth.Config) { c.Secrets = []auth.Secret{auth.NewSecret(strings.Join(secrets, ","))} })
		b := s.browser()
		b.csrf()
		return b.cookiesNamed("__Host-authjs.csrf-token")[0].Value
	}
	s := newSite(t, func(c *auth.Config) { c.Secrets = []auth.Secret{auth.NewSecret(testSecret), auth.NewSecret(older)} })
	for name, test := range map[string]struct {
		value string
		want  int
	}{
		"the new one's":       {signs(testSecret), 200},
		"the old one's":       {signs(older), 200},
		"Auth.js's of both":   {signs(testSecret, older), 200},
		"the other way round": {signs(older, testSecret), 400},
		"another's":           {signs(older + older), 400},
	} {
		token, _, _ := strings.Cut(test.value, "%7C")
		got := s.browser().post("/api/auth/session", "application/json", `{"csrfToken":"`+token+`"}`, "Cookie", "__Host-authjs.csrf-token="+test.value)
		require.Equal(t, test.want, got.StatusCode, name)
	}
}
