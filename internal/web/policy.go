package web

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"path"
	"regexp"
	"strings"
)

// styleElement is a style sheet in a page. What others call themselves never looks like
// one: html/template leaves no < of a value as it is.
var styleElement = regexp.MustCompile(`(?is)<style(?:\s[^>]*)?>(.*?)</style\s*>`)

// styleSources names the style sheets in page by hash, each behind a space.
func styleSources(page []byte) (sources string) {
	for _, found := range styleElement.FindAllSubmatch(page, -1) {
		sources += " " + styleSource(string(found[1]))
	}
	return sources
}

// styleSource names the style sheet css by the hash that a browser makes of what its parser
// has made of the text (HTML 13.2.3.5).
func styleSource(css string) string {
	sum := sha256.Sum256([]byte(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(css)))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// sources are what body, a page of t, may load: directives of Content-Security-Policy. Ours
// have their style sheet, which is the same on each, and a picture where there is one. The
// application's have the style sheets that are in them, by hash, and files of this origin;
// scripts by name alone.
func (p *pageWriter) sources(t shownPage, body []byte, v *visit) string {
	switch {
	case !t.own && p.brand.hasLogo():
		return "style-src " + p.styleSource + "; img-src 'self'"
	case !t.own:
		return "style-src " + p.styleSource
	}
	all := "style-src 'self'" + styleSources(body) + "; img-src 'self'; font-src 'self'"
	if len(p.scripts) > 0 {
		all += "; script-src"
		for _, script := range p.scripts {
			all += " " + v.address(v.public(script))
		}
	}
	return all
}

// scriptPath is of characters that mean nothing in a policy. A path with / at its end
// would stand for all below it (CSP 3, path-part matching).
var scriptPath = regexp.MustCompile(`^/[A-Za-z0-9._~@+/-]*[A-Za-z0-9._~@+-]$`)

func checkScripts(list []string) error {
	for _, script := range list {
		if !scriptPath.MatchString(script) || script != path.Clean(script) {
			return fmt.Errorf("auth: Config.TemplateScripts: %q: want the path of one script of this application, such as /static/signin.js, without a query", script)
		}
	}
	return nil
}
