package native

import (
	"html/template"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/sallyport/auth/pages"
)

// returnPage does not say that somebody is signed in: whether they are, the program finds
// out after it.
var returnPage = sync.OnceValue(func() string {
	var b strings.Builder
	err := template.Must(template.New("return").Parse(`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="color-scheme" content="light dark">
<title>Back to the program</title>
<style>{{.}}</style>
</head>
<body>
<main>
<h1>Back to the program</h1>
<p>You can close this window. The program goes on from here.</p>
</main>
</body>
</html>
`)).Execute(&b, pages.Style())
	if err != nil {
		panic(err) // it has no input
	}
	return b.String()
})

// showReturn sends the page, all of it, before it returns.
func showReturn(w http.ResponseWriter) {
	page := returnPage()
	setHeader(w)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(page)))
	_, _ = w.Write([]byte(page))
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
