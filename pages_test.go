package auth_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"html/template"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/session"
)

var errorCodes = strings.Fields(`Configuration AccessDenied Declined Unavailable RedirectURI Clock CookiesBlocked Expired
	InvalidResponse SessionTooLarge StoreUnavailable MissingCSRF OAuthCallbackError SessionRequired SignedOut NotFound
	MethodNotAllowed BadRequest Default`)

var heading = regexp.MustCompile(`<h1>([^<]+)</h1>`)

func TestEveryErrorHasWords(t *testing.T) { // HD-04
	s := newSite(t, nil)
	for _, lang := range []string{"en", "zh-CN"} {
		titles := map[string]string{}
		for _, code := range errorCodes {
			got := s.browser().get("/api/auth/error?error="+code, "Accept-Language", lang)
			require.Equal(t, lang, got.Header.Get("Content-Language"))
			title := heading.FindStringSubmatch(got.text)
			require.NotNil(t, title, code)
			require.NotContains(t, titles, title[1], "%s and %s say the same", code, titles[title[1]])
			titles[title[1]] = code
		}
	}
}

func TestPagesShowNothingOfTheQuery(t *testing.T) { // HD-04, CB-01
	s := newSite(t, nil)
	for _, path := range []string{
		"/api/auth/error?error=%3Cscript%3Ealert(1)%3C/script%3E",
		"/api/auth/error?error=Custom%20words%20of%20a%20phisher",
		"/api/auth/signin?error=%22%3E%3Cimg%20src=x%3E&callbackUrl=%2F%22%3E%3Cimg%20src=x%3E",
		"/api/auth/signout?callbackUrl=javascript:alert(1)",
		"/api/auth/callback/stub?error=%3Cscript%3E&error_description=words%20of%20a%20phisher&state=x",
	} {
		got := s.browser().get(path)
		for _, bad := range []string{"<script", "<img", "phisher", "javascript:"} {
			require.NotContains(t, got.text, bad, path)
		}
	}
}

var style = regexp.MustCompile(`(?s)<style>(.*?)</style>`)

func TestPolicyAllowsOnlyOurStyle(t *testing.T) { // HD-03
	s := newSite(t, nil)
	for _, path := range []string{"/api/auth/signin", "/api/auth/signout", "/api/auth/error"} {
		got := s.browser().get(path)
		policy := got.Header.Get("Content-Security-Policy")
		sum := sha256.Sum256([]byte(style.FindStringSubmatch(got.text)[1]))
		require.Contains(t, policy, "default-src 'none'; style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'")
		require.Contains(t, policy, "base-uri 'none'")
		require.NotContains(t, policy, "unsafe")
		require.NotContains(t, got.text, "style=\"")
		require.NotContains(t, got.text, "<script")
	}
}

func TestLanguageIsTheBrowsers(t *testing.T) {
	s := newSite(t, nil)
	for header, want := range map[string]string{
		"": "en", "zh": "zh-CN", "zh-TW,zh;q=0.9,en;q=0.8": "zh-CN", "en-GB,zh;q=0.9": "en", "fr,zh;q=0.5": "zh-CN", "fr": "en",
		"en;q=0.1,zh;q=0.2": "zh-CN", "zh;q=0,en": "en", "zh;q=x": "en", strings.Repeat("zh,", 1000): "en",
	} {
		require.Equal(t, want, s.browser().get("/api/auth/signin", "Accept-Language", header).Header.Get("Content-Language"), header)
	}
}

func TestOwnTemplates(t *testing.T) {
	own := template.Must(template.New("signin").Parse(`mine {{range .Providers}}[{{.ID}}]{{end}} {{.CSRFToken}}`))
	s := newSite(t, func(c *auth.Config) { c.Templates = own })
	require.Contains(t, s.browser().get("/api/auth/signin").text, "mine [stub][other]")
	require.Contains(t, s.browser().get("/api/auth/signout").text, "<!DOCTYPE html>", "those not defined stay ours")
	_, err := auth.New(auth.Config{Secrets: []auth.Secret{auth.NewSecret(testSecret)}, Providers: []auth.Provider{&stubProvider{name: "x"}}, Templates: template.New("sign-in")})
	require.ErrorContains(t, err, "Templates")
}

func TestOwnPages(t *testing.T) {
	s := newSite(t, func(c *auth.Config) { c.SignInURL, c.ErrorURL = "/login", "/oops" })
	b := s.browser()
	require.Equal(t, s.server.URL+"/login?callbackUrl=%2Fa%3Fb%3Dc", b.get("/a?b=c").Header.Get("Location"))
	require.Equal(t, s.server.URL+"/login?callbackUrl=%2Fa", b.get("/api/auth/signin?callbackUrl=/a").Header.Get("Location"))
	s.stub.identity = func(string) (*auth.Identity, error) { return nil, auth.ErrNotAllowed }
	got := b.back("stub", b.start("stub", "/").Get("state"), "x").Header.Get("Location")
	require.True(t, strings.HasPrefix(got, s.server.URL+"/oops?error=AccessDenied&request_id="), got)
	for _, bad := range []string{"//evil.example", "https://evil.example/", "login", "/a?b", "/a#b"} {
		_, err := auth.New(auth.Config{Secrets: []auth.Secret{auth.NewSecret(testSecret)}, Providers: []auth.Provider{s.stub}, SignInURL: bad})
		require.ErrorContains(t, err, "SignInURL", bad)
	}
}

// downStore fails whenever down says so.
type downStore struct {
	*session.MemoryStore
	down *bool
}

var errDown = errors.New("connection refused to redis.internal:6379")

func (d downStore) Find(ctx context.Context, key string) ([]byte, bool, error) {
	if *d.down {
		return nil, false, errDown
	}
	return d.MemoryStore.Find(ctx, key)
}

func (d downStore) Commit(ctx context.Context, key string, data []byte, expiry time.Time) error {
	if *d.down {
		return errDown
	}
	return d.MemoryStore.Commit(ctx, key, data, expiry)
}

func (d downStore) Delete(ctx context.Context, key string) error {
	if *d.down {
		return errDown
	}
	return d.MemoryStore.Delete(ctx, key)
}

func TestStoreIsDown(t *testing.T) { // SE-06, MW-10
	down := false
	s := newSite(t, func(c *auth.Config) { c.Session.Store = downStore{session.NewMemoryStore(0, nil), &down} })
	b := s.browser()
	b.signIn("ada")
	state := b.start("stub", "/").Get("state")
	csrf := b.csrf()
	down = true
	for name, got := range map[string]answer{
		"page":     b.get("/"),
		"fetch":    b.get("/", "Accept", "application/json"),
		"session":  b.get("/api/auth/session", "Accept", "application/json"),
		"signout":  b.do("POST", "/api/auth/signout", map[string][]string{"csrfToken": {csrf}}),
		"callback": b.back("stub", state, "lin"),
	} {
		require.Equal(t, 503, got.StatusCode, name)
		require.NotEmpty(t, got.Header.Get("Retry-After"), name)
		require.NotContains(t, got.text, "redis.internal", name)
		require.Empty(t, got.Header.Values("Location"), name)
	}
	require.Contains(t, s.log.String(), "redis.internal")
	down = false
	require.Equal(t, "ada", b.who(), "nobody is signed out by an outage")
}

func FuzzCallbackQuery(f *testing.F) {
	for _, seed := range []string{"", "state=x&code=y", "state=x&state=y", "error=access_denied&state=", "code=%", "state=%00&code=a;b", "state=" + strings.Repeat("a", 3000), "iss=a&iss=b&state=x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		if strings.ContainsAny(query, " \r\n\x00#") || !isASCII(query) {
			t.Skip()
		}
		s := newSite(t, nil)
		b := s.browser()
		got := b.get("/api/auth/callback/stub?" + query)
		require.Less(t, got.StatusCode, 500)
		require.Zero(t, s.stub.exchanged(), "a callback without an attempt is exchanged")
		require.Empty(t, b.who())
	})
}

func isASCII(s string) bool {
	for _, c := range []byte(s) {
		if c < 0x20 || c > 0x7e {
			return false
		}
	}
	return true
}
