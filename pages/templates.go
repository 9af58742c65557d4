package pages

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"html/template"
	"sync"
)

//go:embed *.html style.css
var files embed.FS

var embedded = sync.OnceValue(func() *template.Template {
	return template.Must(template.ParseFS(files, "*.html"))
})

// Templates returns a copy of the pages, "signin", "signout", "sessions" and "error", and of
// what they share: "head" and "mark". An application may define some of them
// anew and hand the result in.
func Templates() *template.Template {
	return template.Must(embedded().Clone()) // it has not been executed, which is all that can fail
}

var style = sync.OnceValue(func() template.CSS {
	css, err := files.ReadFile("style.css")
	if err != nil {
		panic(err) // it is embedded
	}
	return template.CSS(bytes.TrimSpace(css)) // #nosec G203 -- a file of this package
})

// Style returns the style sheet of the pages.
func Style() template.CSS { return style() }

// StyleHash returns what a Content-Security-Policy calls [Style]: 'sha256-' and
// this.
func StyleHash() string {
	sum := sha256.Sum256([]byte(Style()))
	return base64.StdEncoding.EncodeToString(sum[:])
}
