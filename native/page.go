package native

import (
	"bytes"
	"html/template"
	"net/http"
	"strconv"

	"github.com/sallyport/auth/pages"
)

// returnPage does not say that somebody is signed in: whether they are, the program finds
// out after it.
var returnPage = template.Must(template.New("return").Parse(`<!DOCTYPE html>
<html lang="{{.Language}}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="color-scheme" content="light dark">
<title>{{.Words.BackToProgram}}</title>
<style>{{.Style}}</style>
</head>
<body>
<main>
<h1>{{.Words.BackToProgram}}</h1>
<p>{{.Words.CloseWindow}}</p>
</main>
</body>
</html>
`))

// showReturn sends the page in the language of r's browser, all of it, before it returns.
func showReturn(w http.ResponseWriter, r *http.Request) {
	lang := pages.Match(r.Header.Get("Accept-Language"))
	var b bytes.Buffer
	if err := returnPage.Execute(&b, pages.Page{Language: lang.Tag, Words: lang.Words, Style: pages.Style()}); err != nil {
		panic(err) // the buffer has room, and the words are our own
	}
	setHeader(w)
	w.Header().Set("Content-Language", lang.Tag)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(b.Len()))
	_, _ = w.Write(b.Bytes())
	_ = http.NewResponseController(w).Flush()
}

// refuse answers what is not the callback. The program goes on waiting.
func refuse(w http.ResponseWriter, status int) {
	setHeader(w)
	http.Error(w, http.StatusText(status), status)
}

// setHeader has the browser keep neither the page nor, in a Referer, its address, which
// has the code in it.
func setHeader(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'sha256-"+pages.StyleHash()+"'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Connection", "close")
}
