package web_test

import (
	"crypto/sha256"
	"encoding/base64"
	"html/template"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/internal/fault"
)

var heading = regexp.MustCompile(`<h1>([^<]+)</h1>`)

func TestEveryErrorHasWords(t *testing.T) { // HD-04
	s := newSite(t, nil)
	for _, lang := range []string{"en", "zh-CN"} {
		titles := map[string]string{}
		for _, code := range fault.Codes {
			got := s.browser().get("/api/auth/error?error="+string(code), "Accept-Language", lang)
			require.Equal(t, lang, got.Header.Get("Content-Language"))
			title := heading.FindStringSubmatch(got.text)
			require.NotNil(t, title, code)
			require.NotContains(t, titles, title[1], "%s and %s say the same", code, titles[title[1]])
			titles[title[1]] = string(code)
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
