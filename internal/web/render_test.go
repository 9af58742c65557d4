package web_test

import (
	"fmt"
	"html/template"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/internal/fault"
	"github.com/sallyport/auth/pages"
)

var heading = regexp.MustCompile(`<h1>([^<]+)</h1>`)

func TestEveryErrorHasWords(t *testing.T) { // HD-04
	s := newSite(t, nil)
	for _, lang := range []string{"en", "zh-Hans", "zh-Hant", "ja", "de", "fr", "es"} {
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
	for _, brand := range []auth.Brand{{}, {Color: "#0a7d4f"}} {
		s := newSite(t, func(c *auth.Config) { c.Brand = brand })
		b := s.browser()
		b.signIn("ada")
		for _, path := range []string{"/api/auth/signin", "/api/auth/signout", "/api/auth/sessions", "/api/auth/error"} {
			got := b.get(path, "Accept", "text/html")
			policy := got.Header.Get("Content-Security-Policy")
			styles := style.FindAllStringSubmatch(got.text, -1)
			require.Len(t, styles, 1, path)
			require.Contains(t, policy, "default-src 'none'; style-src "+hashOf(styles[0][1])+"; form-action", path)
			require.Contains(t, policy, "base-uri 'none'")
			require.NotContains(t, policy, "unsafe")
			require.NotContains(t, got.text, "style=\"")
			require.NotContains(t, got.text, "<script")
		}
	}
}

func TestLanguageIsTheBrowsers(t *testing.T) {
	s := newSite(t, nil)
	for header, want := range map[string]string{
		"": "en", "zh": "zh-Hans", "zh-TW,zh;q=0.9,en;q=0.8": "zh-Hant", "en-GB,zh;q=0.9": "en", "pt,zh;q=0.5": "zh-Hans", "pt": "en", "fr-CA": "fr",
		"en;q=0.1,zh;q=0.2": "zh-Hans", "zh;q=0,en": "en", "zh;q=x": "en", strings.Repeat("zh,", 1000): "en",
	} {
		require.Equal(t, want, s.browser().get("/api/auth/signin", "Accept-Language", header).Header.Get("Content-Language"), header)
	}
}

func TestOwnLanguages(t *testing.T) {
	s := newSite(t, func(c *auth.Config) {
		c.Languages = []pages.Language{
			{Tag: "he", Words: pages.Words{SignInTo: "כניסה אל %s", ContinueWith: "כניסה עם %s"}},
			{Tag: "de", Words: pages.Words{SignInTo: "Einloggen bei %s"}},
		}
	})
	got := s.browser().get("/api/auth/signin", "Accept-Language", "he-IL,en;q=0.5")
	require.Equal(t, "he", got.Header.Get("Content-Language"))
	require.Contains(t, got.text, `<html lang="he" dir="rtl">`)
	require.Contains(t, got.text, "<h1>כניסה אל \u2068127.0.0.1\u2069</h1>")
	require.Contains(t, got.text, "כניסה עם \u2068stub\u2069")
	require.Contains(t, got.text, pages.Match("en").Words.SignInIntro, "what it lacks is English")
	got = s.browser().get("/api/auth/signin", "Accept-Language", "de-AT")
	require.Contains(t, got.text, "<h1>Einloggen bei 127.0.0.1</h1>")
	require.Contains(t, got.text, "Weiter mit ", "what is not changed stays")
	require.Contains(t, s.browser().get("/api/auth/error?error=NotFound", "Accept-Language", "ja").text, "ページが見つかりません")
}

func TestOwnTemplates(t *testing.T) {
	own := template.Must(template.New("signin").Parse(`mine {{range .Providers}}[{{.ID}}]{{end}} {{.CSRFToken}}`))
	s := newSite(t, func(c *auth.Config) { c.Templates = own })
	require.Contains(t, s.browser().get("/api/auth/signin").text, "mine [stub][other]")
	require.Contains(t, s.browser().get("/api/auth/signout").text, "<!DOCTYPE html>", "those not defined stay ours")
	_, err := auth.New(auth.Config{Secrets: []auth.Secret{auth.NewSecret(testSecret)}, Providers: []auth.Provider{&stubProvider{name: "x"}}, Templates: template.New("sign-in")})
	require.ErrorContains(t, err, "Templates")
}

func TestPageThatCannotBeShown(t *testing.T) {
	own := template.Must(template.New("signin").Parse(`half {{.NoSuchField}}`))
	w := serve(newAuth(t, func(c *auth.Config) { c.Templates = own }), "GET", "https://app.example/api/auth/signin", "")
	require.Equal(t, 500, w.Code)
	require.Equal(t, "The page could not be shown.\n", w.Body.String(), "nothing half-written, and no cause")
}

func TestHeadersOfPages(t *testing.T) { // HD-01, HD-02, HD-03, HD-06, HD-07, HD-09, CK-11
	for address, forms := range map[string]string{
		"https://app.example":   "'self' https:",
		"http://localhost:3000": "'self' https: http://localhost:* http://127.0.0.1:*",
	} {
		a := newAuth(t, func(c *auth.Config) { c.URL = address })
		for path, allowed := range map[string]string{"/signin": forms, "/signout": "'self'", "/error": "'self'"} {
			w := serve(a, "GET", address+"/api/auth"+path, "")
			h := w.Header()
			require.Equal(t, "text/html; charset=utf-8", h.Get("Content-Type"))
			require.Equal(t, "nosniff", h.Get("X-Content-Type-Options"))
			require.Equal(t, "no-store", h.Get("Cache-Control"))
			require.Equal(t, "same-origin", h.Get("Referrer-Policy"))
			require.Contains(t, h["Vary"], "Accept-Language")
			require.Equal(t, "default-src 'none'; style-src 'sha256-"+pages.StyleHash()+"'; form-action "+allowed+"; base-uri 'none'; frame-ancestors 'none'",
				h.Get("Content-Security-Policy"), path)
			require.Empty(t, h.Get("Strict-Transport-Security"), "HD-07: the application's")
		}
	}
}

func TestOwnTemplatesGetThePage(t *testing.T) {
	own := template.Must(template.New("error").Parse(`{{.Language}}|{{.BasePath}}|{{.CallbackURL}}|{{.Code}}|{{.Title}}|{{.ProviderLabel}}|{{.RetryProvider}}|{{.RedirectURI}}|{{.RequestID}}|{{len .CSRFToken}}|{{.Words.Retry}}|{{len .Style}}`))
	template.Must(own.New("signout").Parse(`{{.Name}}|{{.CallbackURL}}|{{len .CSRFToken}}|{{.BasePath}}`))
	template.Must(own.New("signin").Parse(`{{.CallbackURL}}|{{.AccessCode}}|{{range .Providers}}{{.ID}} {{.Label}} {{.Action}} {{.Initial}}{{end}}|{{.Code}}|{{.Title}}|{{.BasePath}}`))
	s := newSite(t, func(c *auth.Config) {
		c.Templates, c.Providers, c.AccessCode = own, []auth.Provider{&stubProvider{name: "one"}, &stubProvider{name: "a"}}, gate(t, c.Now, goodCode)
		c.Providers[0] = &labelled{stubProvider{name: "one", identity: func(string) (*auth.Identity, error) { return nil, auth.ErrRedirectURI }}, "élan"}
	})
	b := s.browser()
	require.Equal(t, "/to|true|one élan Continue with élan Éa a Continue with a A|Clock|A clock is wrong|/api/auth", b.get("/api/auth/signin?callbackUrl=/to&error=x&detail=Clock").text)
	require.Equal(t, "/to|true|one élan 使用 élan 登录 Éa a 使用 a 登录 A|||/api/auth", b.get("/api/auth/signin?callbackUrl=/to", "Accept-Language", "zh").text)
	require.Equal(t, "en|/api/auth|/to|SignedOut|You are signed out|||||0|Try again|"+fmt.Sprint(len(pages.Style())), b.get("/api/auth/signout?callbackUrl=/to").text, "nobody is signed in")
	got := b.back("one", b.start("one", "/to").Get("state"), "x")
	require.Equal(t, "en|/api/auth|/to|RedirectURI|This site&#39;s address is not registered|élan|one|"+s.server.URL+"/api/auth/callback/one|"+s.last().RequestID+"|64|Try again|"+fmt.Sprint(len(pages.Style())), got.text)
	b.back("a", b.start("a", "/").Get("state"), "ada")
	require.Equal(t, "Ada||64|/api/auth", b.get("/api/auth/signout").text)
	require.Equal(t, "Ada|/to|64|/api/auth", b.get("/api/auth/signout?callbackUrl=/to").text)
}

// labelled is a provider with a label of its own.
type labelled struct {
	stubProvider
	label string
}

func (l *labelled) Presentation() auth.Presentation { return auth.Presentation{Label: l.label} }

func TestLabelsAreText(t *testing.T) { // HD-04
	a := newAuth(t, func(c *auth.Config) {
		c.Providers = []auth.Provider{&labelled{stubProvider{name: "x"}, `"><svg/onload=alert(1)>`}}
	})
	page := serve(a, "GET", "https://app.example/api/auth/signin", "").Body.String()
	require.NotContains(t, page, "<svg/")
	require.Contains(t, page, "&lt;svg/onload")
}

func TestErrorPageSaysWhatItsCodeMeans(t *testing.T) { // HD-04
	a := newAuth(t, nil)
	for _, tag := range []string{"en", "zh", "zh-TW", "ja", "de", "fr", "es"} {
		for _, code := range fault.Codes {
			problem, _ := pages.Match(tag).Problem(string(code))
			page := serve(a, "GET", "https://app.example/api/auth/error?error="+string(code), "", "Accept-Language", tag).Body.String()
			require.Contains(t, page, "<h1>"+template.HTMLEscapeString(problem.Title)+"</h1>")
			require.Contains(t, page, "<p>"+template.HTMLEscapeString(problem.Text)+"</p>", code)
		}
	}
}

func TestTemplateThatFailsIsLogged(t *testing.T) {
	s := newSite(t, func(c *auth.Config) {
		c.Templates = template.Must(template.New("signin").Parse(`half {{.NoSuchField}}`))
	})
	got := s.browser().get("/api/auth/signin")
	require.Equal(t, 500, got.StatusCode)
	require.NotContains(t, got.text, "half")
	require.Contains(t, s.log.String(), "NoSuchField")
	require.Contains(t, s.log.String(), "Config.Templates")
}
