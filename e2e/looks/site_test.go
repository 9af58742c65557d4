// Package looks_test looks at every page in every language: with axe, by the keyboard alone,
// under forced colours, and at where each thing on it is and how bright.
package looks_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/gomedium"
	"golang.org/x/image/font/gofont/goregular"

	"github.com/sallyport/auth/pages"
)

// languages are those of the package, and one that is written from right to left.
func languages(t *testing.T) []*pages.Language {
	var list []*pages.Language
	for _, tag := range []string{"en", "zh-Hans", "zh-Hant", "ja", "de", "fr", "es"} {
		list = append(list, pages.Match(tag))
	}
	hebrew := pages.Language{Tag: "he", Words: pages.Words{
		SignIn: "כניסה", SignInTo: "כניסה אל %s", SignInIntro: "בחרו איך להמשיך.", ContinueWith: "המשך עם %s", LastUsed: "בשימוש אחרון",
		AccessCode: "קוד גישה", UseAccessCode: "שימוש בקוד גישה", SignOut: "יציאה", SignedInAs: "מחובר בתור", Stay: "להישאר מחובר", Retry: "לנסות שוב",
		ToSignIn: "לדף הכניסה", Home: "לדף הראשי", Sessions: "איפה אתם מחוברים", ThisDevice: "המכשיר הזה",
	}, Problems: map[pages.Code]pages.Problem{
		"AccessDenied": {Title: "אין לכם גישה לכאן", Text: "נכנסתם כראוי, אבל האתר הזה לא מקבל את החשבון שלכם."},
	}}
	all, err := pages.NewLanguages(hebrew)
	require.NoError(t, err)
	return append(list, all.Match("he"))
}

// render is s in language l, whole.
func render(t *testing.T, s state, l *pages.Language) []byte {
	p := s.page(l)
	p.Language, p.RightToLeft, p.Words, p.BasePath, p.CSRFToken, p.Style = l.Tag, l.RightToLeft(), l.Words, "/api/auth", "0123456789abcdef", pages.Style()
	var b bytes.Buffer
	require.NoError(t, pages.Templates().ExecuteTemplate(&b, s.template, p), s.name)
	return b.Bytes()
}

// serve is every state in every language at /state/language, with the policy that the
// routes send, a list of both at /list, and fonts that are the same on every machine.
func serve(t *testing.T) string {
	logo, err := os.ReadFile("../../examples/branded/static/logo.svg")
	require.NoError(t, err)
	mux := http.NewServeMux()
	answer := func(path, kind string, body []byte) {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", kind)
			if kind == "text/html; charset=utf-8" {
				w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'sha256-"+pages.StyleHash()+"'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
			}
			_, _ = w.Write(body)
		})
	}
	var list struct{ States, Languages []string }
	for _, l := range languages(t) {
		list.Languages = append(list.Languages, l.Tag)
	}
	for _, s := range states(t) {
		list.States = append(list.States, s.name)
		for _, l := range languages(t) {
			answer("/"+s.name+"/"+l.Tag, "text/html; charset=utf-8", render(t, s, l))
		}
	}
	raw, err := json.Marshal(list)
	require.NoError(t, err)
	answer("/list", "application/json", raw)
	answer("/logo.svg", "image/svg+xml", logo)
	answer("/400.ttf", "font/ttf", goregular.TTF)
	answer("/500.ttf", "font/ttf", gomedium.TTF)
	answer("/700.ttf", "font/ttf", gobold.TTF)
	answer("/favicon.ico", "image/svg+xml", logo)
	mux.HandleFunc("POST /api/auth/signin/{way}", func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(r.PathValue("way") + " " + r.FormValue("code")))
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}
