package pages_test

import (
	"crypto/sha256"
	"encoding/base64"
	"html/template"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/pages"
)

func TestTemplatesAreACopy(t *testing.T) {
	before := show(t, "signin", pages.Page{AccessCode: true})
	mine := pages.Templates()
	template.Must(mine.New("signin").Parse(`mine`))
	template.Must(mine.New("head").Parse(`my head`))
	var b strings.Builder
	require.NoError(t, mine.ExecuteTemplate(&b, "signin", pages.Page{}))
	require.NoError(t, mine.ExecuteTemplate(&b, "signout", pages.Page{}))
	require.True(t, strings.HasPrefix(b.String(), "minemy head"), b.String())
	require.Equal(t, before, show(t, "signin", pages.Page{AccessCode: true}), "nobody else's has changed")
	template.Must(pages.Templates().New("signin").Parse(`after an execution, too`))
}

func TestTemplatesAreThere(t *testing.T) {
	for _, name := range []string{"signin", "signout", "error", "head", "mark"} {
		require.NotNil(t, pages.Templates().Lookup(name), name)
	}
}

func TestStyleHashIsTheStyles(t *testing.T) { // HD-03
	page := show(t, "error", pages.Page{})
	_, rest, ok := strings.Cut(page, "<style>")
	require.True(t, ok)
	css, _, ok := strings.Cut(rest, "</style>")
	require.True(t, ok)
	require.Equal(t, string(pages.Style()), css, "byte for byte, or the browser ignores it")
	sum := sha256.Sum256([]byte(css))
	require.Equal(t, base64.StdEncoding.EncodeToString(sum[:]), pages.StyleHash())
	require.Equal(t, strings.TrimSpace(css), css)
	require.NotContains(t, css, "url(", "pages load nothing")
	require.NotContains(t, css, "@import")
}

// TestStyleHasNoSides: a page from right to left is the mirror of one from left to right.
func TestStyleHasNoSides(t *testing.T) {
	require.NotRegexp(t, `(?i)\b(left|right|float|translatex)\b`, string(pages.Style()))
	require.NotRegexp(t, `(margin|padding|inset|border-radius|border-width):[^ ;}]+ [^ ;}]+ [^ ;}]+ [^ ;}]+`, string(pages.Style()), "right and left are two of four")
}

func TestPageFromRightToLeft(t *testing.T) {
	for _, name := range []string{"signin", "signout", "sessions", "error"} {
		p := pages.Page{Language: "he", RightToLeft: true, Name: "Ada", Sessions: []pages.Session{{Device: "Firefox, Windows", Address: "::1", ProviderLabel: "GitHub"}}}
		page := show(t, name, p)
		require.Contains(t, page, `<html lang="he" dir="rtl">`)
		require.Contains(t, page, "<bdi>Ada</bdi>")
		if name == "sessions" {
			require.Contains(t, page, "<bdi>Firefox, Windows</bdi>")
			require.Contains(t, page, "<bdi>::1</bdi>")
			require.Contains(t, page, "<bdi>GitHub</bdi>")
		}
		require.NotContains(t, show(t, name, pages.Page{}), " dir=")
	}
}

func TestWhatOthersCallThemselvesIsText(t *testing.T) { // HD-04, RD-05
	const bad = `"'><svg/onload=alert(1)><script>x</script>`
	p := pages.Page{
		BasePath: "/api/auth", CSRFToken: bad, CallbackURL: bad, Name: bad, Code: bad, Title: bad, Text: bad,
		ProviderLabel: bad, ProviderText: bad, SignInTo: bad, BrandName: bad, LogoURL: bad, TermsURL: bad, PrivacyURL: bad, HelpURL: bad, RetryProvider: "x", RedirectURI: bad, RequestID: bad, AccessCode: true,
		Providers: []pages.Provider{
			{ID: "a", Label: bad, Action: bad, Initial: bad},
			{ID: "b", Label: "b", Mark: pages.Mark{ViewBox: bad, Paths: []pages.Path{{D: bad, Fill: bad}}}},
		},
	}
	for _, name := range []string{"signin", "signout", "error"} {
		page := show(t, name, p)
		require.NotContains(t, page, "<svg/", name)
		require.NotContains(t, page, "<script", name)
		require.NotContains(t, page, `"'>`, name)
	}
	p.LogoURL = ""
	require.Contains(t, show(t, "error", p), `<p class="brand">&#34;&#39;&gt;&lt;svg`)
	p.CallbackURL, p.LogoURL, p.TermsURL = "javascript:alert(1)", "javascript:alert(1)", "javascript:alert(1)"
	require.NotRegexp(t, `(href|src)="javascript:`, show(t, "signin", p))
	require.NotContains(t, show(t, "signout", p), `href="javascript:`)
}

func TestPagesLoadNothingAndRunNothing(t *testing.T) { // HD-03, HD-05
	p := pages.Page{
		BasePath: "/api/auth", AccessCode: true, Name: "Ada", Title: "t", Text: "t", RetryProvider: "a",
		Providers: []pages.Provider{{ID: "a", Label: "A", Mark: pages.Mark{ViewBox: "0 0 1 1", Paths: []pages.Path{{D: "M0 0"}}}}, {ID: "b", Label: "B", Initial: "B"}},
	}
	for _, name := range []string{"signin", "signout", "error"} {
		page := show(t, name, p)
		for _, loads := range []string{"<script", "<link", "<img", "<iframe", " src=", " style=", "javascript:", "http-equiv", " on"} {
			if loads == " on" {
				require.NotRegexp(t, ` on[a-z]+=`, page, name)
				continue
			}
			require.NotContains(t, page, loads, name)
		}
	}
}

func TestSignInPage(t *testing.T) { // AC-09
	words := pages.Match("en").Words
	p := pages.Page{BasePath: "/base", CSRFToken: "token", CallbackURL: "/to?a=b", Providers: []pages.Provider{
		{ID: "github", Label: "GitHub", Action: "Continue with GitHub", Mark: pages.Mark{ViewBox: "0 0 24 24", Paths: []pages.Path{{D: "M1 2", Fill: "#24292f"}, {D: "M3 4"}}}},
		{ID: "corp", Label: "Corp", Action: "Continue with Corp", Initial: "C"},
	}}
	page := show(t, "signin", p)
	require.Contains(t, page, `<html lang="en">`)
	require.Contains(t, page, words.SignInIntro)
	require.Contains(t, page, `<form method="post" action="/base/signin/github">`)
	require.Contains(t, page, `<form method="post" action="/base/signin/corp">`)
	require.Equal(t, 2, strings.Count(page, `name="csrfToken" value="token"`))
	require.Equal(t, 2, strings.Count(page, `name="callbackUrl" value="/to?a=b"`))
	require.Contains(t, page, `<path d="M1 2" fill="#24292f"/><path d="M3 4" fill="currentColor"/>`)
	require.Contains(t, page, `<span class="mark initial" aria-hidden="true">C</span>`)
	require.NotContains(t, page, "password")
	require.NotContains(t, page, `role="alert"`)

	p.AccessCode = true
	page = show(t, "signin", p)
	require.Contains(t, page, `action="/base/signin/access-code"`)
	require.Contains(t, page, `<summary>`+words.UseAccessCode+`</summary>`)
	require.Contains(t, page, `autocomplete="current-password"`)
	require.NotContains(t, page, "autofocus")
	require.NotContains(t, page, `aria-invalid="true"`)

	p.Providers, p.Code, p.Title, p.Text = nil, "CredentialsSignin", "Wrong", "Try again"
	page = show(t, "signin", p)
	require.NotContains(t, page, `<details`)
	require.Contains(t, page, "autofocus")
	require.Contains(t, page, `aria-invalid="true" aria-describedby="notice"`)
	require.Contains(t, page, `<strong>Wrong</strong><p>Try again</p>`)
}

func TestErrorPage(t *testing.T) {
	words := pages.Match("en").Words
	p := pages.Page{BasePath: "/base", CSRFToken: "token", CallbackURL: "/to?a=b", Title: "T", Text: "X"}
	page := show(t, "error", p)
	require.Contains(t, page, `href="/base/signin?callbackUrl=%2fto%3fa%3db"`)
	require.NotContains(t, page, "<form")
	require.NotContains(t, page, words.RequestID)
	p.RetryProvider, p.RequestID, p.RedirectURI, p.ProviderText = "github", "id-1", "https://app.example/cb", "You were signing in with GitHub."
	page = show(t, "error", p)
	require.Contains(t, page, `action="/base/signin/github"`)
	require.Contains(t, page, `href="/base/signin"`)
	require.Contains(t, page, words.RequestID+` <code>id-1</code>`)
	require.Contains(t, page, `<code>https://app.example/cb</code>`)
	require.Contains(t, page, `<p class="quiet">You were signing in with GitHub.</p>`)
	require.NotContains(t, page, words.Home)
	p.HomeURL = "/base-less/"
	require.Contains(t, show(t, "error", p), `<a href="/base-less/">`+words.Home+`</a>`)
}

// TestMainActionOfAProblem: one button stands out, where it is what to do, and none where
// the people who run the site have to mend something, or nothing need be done.
func TestMainActionOfAProblem(t *testing.T) {
	words := pages.Match("en").Words
	for code := range pages.Match("en").Problems {
		for _, retry := range []string{"", "github"} {
			want := ""
			switch code {
			case "Configuration", "RedirectURI", "Clock", "SessionTooLarge":
			case "OAuthAccountNotLinked":
				want = words.ToSignIn
			case "SessionRequired", "Expired", "MissingCSRF", "AnotherWay":
				want = words.ToSignIn
				if retry != "" {
					want = words.Retry
				}
			default:
				if retry != "" {
					want = words.Retry
				}
			}
			page := show(t, "error", pages.Page{Code: string(code), RetryProvider: retry})
			found := mainAction.FindAllStringSubmatch(page, -1)
			if want == "" {
				require.Empty(t, found, "%s %s", code, retry)
				continue
			}
			require.Len(t, found, 1, "%s %s", code, retry)
			require.Equal(t, want, found[0][1], "%s %s", code, retry)
		}
	}
	require.NotRegexp(t, mainAction, show(t, "sessions", pages.Page{CanEndOthers: true}))
	require.Len(t, mainAction.FindAllString(show(t, "signout", pages.Page{SignOutThere: "x", AtProvider: true}), -1), 1)
	require.Contains(t, show(t, "error", pages.Page{Code: "SignedOut"}), `class="sign done"`)
	require.NotContains(t, show(t, "error", pages.Page{Code: "Expired"}), `class="sign done"`)
}

var mainAction = regexp.MustCompile(`class="(?:button )?primary"[^>]*>(?:<span>)?([^<]+)`)

// TestSignInPageOfSomebodyWhoIsIn says who, and has a way back.
func TestSignInPageOfSomebodyWhoIsIn(t *testing.T) {
	words := pages.Match("en").Words
	page := show(t, "signin", pages.Page{CallbackURL: "/to?a=b", Name: "Ada <3"})
	require.Contains(t, page, words.SignedInAs+` <strong><bdi>Ada &lt;3</bdi></strong>`)
	require.Contains(t, page, `<a class="button primary" href="/to?a=b">`+words.Continue+`</a>`)
	require.NotContains(t, show(t, "signin", pages.Page{CallbackURL: "/to"}), words.Continue)
}

func TestSignOutPage(t *testing.T) { // CS-03
	page := show(t, "signout", pages.Page{BasePath: "/base", CSRFToken: "token", CallbackURL: "/to", StayURL: "/stay", Name: "Ada <3"})
	require.Contains(t, page, `<form method="post" action="/base/signout">`)
	require.Contains(t, page, `name="csrfToken" value="token"`)
	require.Contains(t, page, `<strong><bdi>Ada &lt;3</bdi></strong>`)
	require.Contains(t, page, `name="callbackUrl" value="/to"`)
	require.Contains(t, page, `href="/stay"`)
	require.NotContains(t, show(t, "signout", pages.Page{}), "callbackUrl")
	require.NotContains(t, show(t, "signout", pages.Page{}), pages.Match("en").Words.SignedInAs)
}
