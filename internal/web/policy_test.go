package web_test

import (
	"crypto/sha256"
	"encoding/base64"
	"html/template"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
)

// hashOf is what a policy calls the style sheet css.
func hashOf(css string) string {
	sum := sha256.Sum256([]byte(css))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

func TestOwnTemplatesBringAStyle(t *testing.T) { // HD-03
	own := template.Must(template.New("signin").Parse("<style>\r\nb{color:red}\n</style><STYLE media=\"print\">b{}</STYLE ><p style=\"color:red\">{{.Name}}</p><link rel=\"stylesheet\" href=\"/a.css\">"))
	for _, test := range []struct {
		scripts []string
		want    string
	}{
		{nil, "style-src 'self' " + hashOf("\nb{color:red}\n") + " " + hashOf("b{}") + "; img-src 'self'; font-src 'self'"},
		{[]string{"/static/a.js", "/b.mjs"}, "style-src 'self' " + hashOf("\nb{color:red}\n") + " " + hashOf("b{}") + "; img-src 'self'; font-src 'self'; script-src https://app.example/static/a.js https://app.example/b.mjs"},
	} {
		a := newAuth(t, func(c *auth.Config) { c.Templates, c.TemplateScripts = own, test.scripts })
		w := serve(a, "GET", "https://app.example/api/auth/signin", "")
		require.Equal(t, "default-src 'none'; "+test.want+"; form-action 'self' https:; base-uri 'none'; frame-ancestors 'none'", w.Header().Get("Content-Security-Policy"))
		ours := serve(a, "GET", "https://app.example/api/auth/error", "").Header().Get("Content-Security-Policy")
		require.Regexp(t, `^default-src 'none'; style-src 'sha256-[^ ]+'; form-action`, ours, "ours stay as they are")
	}
}

// TestNobodyElseBringsAStyle: what others call themselves adds nothing to the policy.
func TestNobodyElseBringsAStyle(t *testing.T) { // HD-03, HD-04
	const bad = `</style><style>b{}</style>`
	own := template.Must(template.New("signin").Parse(`<p title="{{range .Providers}}{{.Label}}{{end}}">{{range .Providers}}{{.Label}}{{end}}</p><style>b::after{content:"{{range .Providers}}{{.Label}}{{end}}"}</style><title>{{range .Providers}}{{.Label}}{{end}}</title>`))
	a := newAuth(t, func(c *auth.Config) {
		c.Templates, c.Providers = own, []auth.Provider{&labelled{stubProvider{name: "x"}, bad}}
	})
	w := serve(a, "GET", "https://app.example/api/auth/signin", "")
	policy := w.Header().Get("Content-Security-Policy")
	require.NotContains(t, policy, hashOf("b{}"))
	require.Regexp(t, `style-src 'self' 'sha256-[^ ]+'; img-src`, policy, "the template's alone")
}

func TestScriptsAreNamedOneByOne(t *testing.T) { // HD-03
	templates := template.Must(template.New("signin").Parse(`x`))
	config := func(scripts ...string) auth.Config {
		c := branded("", auth.Brand{})
		c.Templates, c.TemplateScripts = templates, scripts
		return c
	}
	_, err := auth.New(config("/a.js", "/static/v1.2/sign-in_~@x.mjs"))
	require.NoError(t, err)
	for _, bad := range []string{
		"", "/", "/static/", "a.js", "//evil.example/a.js", "https://evil.example/a.js", "/a.js?x", "/a.js#x", "/a/../b.js", "/a/./b.js", "/a//b.js",
		"/a.js; script-src *", "/a.js 'unsafe-inline'", "/a,b.js", "/a.js\n", "/%2e%2e/a.js", "*", "'unsafe-inline'",
	} {
		_, err := auth.New(config("/good.js", bad))
		require.ErrorContains(t, err, "Config.TemplateScripts", "%q", bad)
	}
	c := config("/a.js")
	c.Templates = nil
	_, err = auth.New(c)
	require.ErrorContains(t, err, "Config.TemplateScripts needs Templates")
}

// TestStarterOfTheDocumentation: the page to copy in docs/pages.md works.
func TestStarterOfTheDocumentation(t *testing.T) {
	text, err := os.ReadFile("../../docs/pages.md")
	require.NoError(t, err)
	_, rest, _ := strings.Cut(string(text), "```html\n")
	starter, _, ok := strings.Cut(rest, "```")
	require.True(t, ok)
	s := newSite(t, func(c *auth.Config) {
		c.Templates, c.AccessCode = template.Must(template.New("").Parse(starter)), gate(t, c.Now, goodCode)
	})
	b := s.browser()
	page := b.get("/api/auth/signin?callbackUrl=/to")
	require.Equal(t, 200, page.StatusCode)
	require.Equal(t, 3, strings.Count(page.text, `name="callbackUrl" value="/to"`))
	require.Contains(t, page.text, "<button>Continue with stub</button>")
	_, css, _ := strings.Cut(page.text, "<style>")
	css, _, _ = strings.Cut(css, "</style>")
	require.Contains(t, page.Header.Get("Content-Security-Policy"), hashOf(css))
	b.signIn("ada")
	require.Contains(t, b.get("/api/auth/signin?error=CredentialsSignin").text, "<button>Continue with stub (Last used)</button>")
}
