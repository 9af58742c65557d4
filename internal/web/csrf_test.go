package web_test

import (
	"crypto/sha256"
	"encoding/hex"
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

func TestFormOfTheCSRFToken(t *testing.T) { // CS-04, CK-01, CK-10
	s := newSite(t, nil)
	b := s.browser()
	got := b.get("/api/auth/csrf")
	require.Regexp(t, `^\{"csrfToken":"[0-9a-f]{64}"\}$`, got.text)
	require.Len(t, got.Cookies(), 1)
	c := got.Cookies()[0]
	require.Equal(t, csrfCookie, c.Name)
	require.True(t, c.Secure && c.HttpOnly && c.Path == "/" && c.Domain == "" && c.SameSite == http.SameSiteLaxMode)
	require.Zero(t, c.MaxAge, "until the browser closes")
	require.True(t, c.Expires.IsZero())
	token, hash, ok := strings.Cut(c.Value, "%7C")
	require.True(t, ok)
	require.Contains(t, got.text, token)
	sum := sha256.Sum256([]byte(token + testSecret))
	require.Equal(t, hex.EncodeToString(sum[:]), hash, "as Auth.js makes it")

	again := b.get("/api/auth/csrf")
	require.Equal(t, got.text, again.text)
	require.Empty(t, again.Cookies(), "CK-13: it is made once")
	require.Empty(t, b.get("/api/auth/signin").Cookies())
	require.Contains(t, b.get("/api/auth/signin").text, `value="`+token+`"`)
	require.NotEqual(t, got.text, s.browser().get("/api/auth/csrf").text)

	a := newAuth(t, func(c *auth.Config) { c.URL = "http://localhost:3000" })
	plain := serve(a, "GET", "http://localhost:3000/api/auth/csrf", "").Result().Cookies()[0]
	require.Equal(t, "authjs.csrf-token", plain.Name)
	require.False(t, plain.Secure)
}

func TestCSRFCookiesThatDoNotCount(t *testing.T) { // CS-04, CK-02, CK-04
	s := newSite(t, nil)
	hash := func(token, secret string) string {
		sum := sha256.Sum256([]byte(token + secret))
		return hex.EncodeToString(sum[:])
	}
	good := strings.Repeat("a", 64)
	for name, test := range map[string]struct {
		header, token string
		want          int
	}{
		"ours":                  {csrfCookie + "=" + good + "%7C" + hash(good, testSecret), good, 200},
		"a bar":                 {csrfCookie + "=" + good + "|" + hash(good, testSecret), good, 200},
		"none":                  {"", good, 400},
		"no hash":               {csrfCookie + "=" + good, good, 400},
		"an empty hash":         {csrfCookie + "=" + good + "%7C", good, 400},
		"another secret's":      {csrfCookie + "=" + good + "%7C" + hash(good, "x"), good, 400},
		"63 characters":         {csrfCookie + "=" + good[1:] + "%7C" + hash(good[1:], testSecret), good[1:], 400},
		"65 characters":         {csrfCookie + "=" + good + "a%7C" + hash(good+"a", testSecret), good + "a", 400},
		"an empty token":        {csrfCookie + "=%7C" + hash("", testSecret), "", 400},
		"no percent-encoding":   {csrfCookie + "=%zz", good, 400},
		"of plain http":         {"authjs.csrf-token=" + good + "%7C" + hash(good, testSecret), good, 400},
		"another case":          {"__host-authjs.csrf-token=" + good + "%7C" + hash(good, testSecret), good, 400},
		"an encoded name":       {"%5f%5fHost-authjs.csrf-token=" + good + "%7C" + hash(good, testSecret), good, 400},
		"another token":         {csrfCookie + "=" + good + "%7C" + hash(good, testSecret), strings.Repeat("b", 64), 400},
		"no token in the form":  {csrfCookie + "=" + good + "%7C" + hash(good, testSecret), "", 400},
		"the whole cookie":      {csrfCookie + "=" + good + "%7C" + hash(good, testSecret), good + "|" + hash(good, testSecret), 400},
		"planted before":        {csrfCookie + "=%zz; " + csrfCookie + "=x; " + csrfCookie + "=" + good + "%7C" + hash(good, testSecret), good, 200},
		"planted behind":        {csrfCookie + "=" + good + "%7C" + hash(good, testSecret) + "; " + csrfCookie + "=x", good, 200},
		"a short one before":    {csrfCookie + "=a%7Cb; " + csrfCookie + "=" + good + "%7C" + hash(good, testSecret), good, 200},
		"three thousand before": {strings.Repeat("x=y; ", 3001) + csrfCookie + "=" + good + "%7C" + hash(good, testSecret), good, 400},
	} {
		got := s.browser().post("/api/auth/session", "application/json", `{"csrfToken":"`+test.token+`"}`, "Cookie", test.header)
		require.Equal(t, test.want, got.StatusCode, name)
	}
}

func TestOddCSRFCookieIsReplaced(t *testing.T) { // CS-04
	s := newSite(t, nil)
	b := s.browser()
	b.plant(csrfCookie, "odd")
	require.Len(t, b.csrf(), 64)
	require.Equal(t, 303, b.do("POST", "/api/auth/signin/stub", url.Values{"csrfToken": {b.csrf()}}).StatusCode)
}

func TestWhereAFormComesFrom(t *testing.T) { // CS-02, CS-07, HO-03
	a := newAuth(t, nil)
	csrf := serve(a, "GET", "https://app.example/api/auth/csrf", "").Result().Cookies()[0]
	token, _, _ := strings.Cut(csrf.Value, "%7C")
	for name, test := range map[string]struct {
		headers []string
		want    int
	}{
		"nothing said":            {nil, 303},
		"same-origin":             {[]string{"Sec-Fetch-Site", "same-origin"}, 303},
		"typed":                   {[]string{"Sec-Fetch-Site", "none"}, 303},
		"same-origin before all":  {[]string{"Sec-Fetch-Site", "same-origin", "Origin", "null"}, 303},
		"a future value":          {[]string{"Sec-Fetch-Site", "sibling"}, 403},
		"another case":            {[]string{"Sec-Fetch-Site", "Same-Origin"}, 403},
		"cross-site, our origin":  {[]string{"Sec-Fetch-Site", "cross-site", "Origin", "https://app.example"}, 403},
		"our origin":              {[]string{"Origin", "https://app.example"}, 303},
		"our origin, upper case":  {[]string{"Origin", "HTTPS://APP.example"}, 303},
		"another port":            {[]string{"Origin", "https://app.example:8443"}, 403},
		"http of ours":            {[]string{"Origin", "http://app.example"}, 403},
		"a longer name":           {[]string{"Origin", "https://app.example.evil.example"}, 403},
		"an empty origin":         {[]string{"Origin", ""}, 403},
		"two origins":             {[]string{"Origin", "https://app.example", "Origin", "https://app.example"}, 403},
		"ours and theirs":         {[]string{"Origin", "https://app.example", "Origin", "https://evil.example"}, 403},
		"null":                    {[]string{"Origin", "null"}, 403},
		"methods are not changed": {[]string{"X-HTTP-Method-Override", "GET"}, 303},
	} {
		headers := append([]string{"Content-Type", "application/x-www-form-urlencoded", "Cookie", cookieHeader(csrf)}, test.headers...)
		require.Equal(t, test.want, serve(a, "POST", "https://app.example/api/auth/signin/stub", "csrfToken="+token, headers...).Code, name)
	}
}
