package authtest

import (
	"fmt"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// String says where p is, for a failing test.
func (p *Page) String() string {
	if p == nil {
		return "no page yet"
	}
	return fmt.Sprintf("%s, %d:\n%s", p.URL, p.Status, p.Body)
}

var (
	forms      = regexp.MustCompile(`(?is)<form\b([^>]*)>(.*?)</form>`)
	inputs     = regexp.MustCompile(`(?is)<input\b([^>]*)>`)
	links      = regexp.MustCompile(`(?is)<a\b([^>]*)>`)
	attributes = regexp.MustCompile(`(?s)([a-zA-Z-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')`)
)

// chosen are the types of inputs that say nothing unless somebody chooses them.
var chosen = []string{"button", "checkbox", "image", "radio", "reset", "submit"}

// attribute is the one of tag with that name, or "".
func attribute(tag, name string) string {
	for _, a := range attributes.FindAllStringSubmatch(tag, -1) {
		if strings.EqualFold(a[1], name) {
			return html.UnescapeString(a[2] + a[3])
		}
	}
	return ""
}

// form is where the form of p goes whose action is path, and what is in it. p may be nil.
func (p *Page) form(path string) (to *url.URL, filled url.Values, ok bool) {
	if p == nil {
		return nil, nil, false
	}
	for _, form := range forms.FindAllStringSubmatch(p.Body, -1) {
		to, err := p.URL.Parse(attribute(form[1], "action"))
		if err != nil || to.Path != path {
			continue
		}
		filled := url.Values{}
		for _, input := range inputs.FindAllStringSubmatch(form[2], -1) {
			name := attribute(input[1], "name")
			if name != "" && !slices.Contains(chosen, strings.ToLower(attribute(input[1], "type"))) {
				filled.Add(name, attribute(input[1], "value"))
			}
		}
		return to, filled, true
	}
	return nil, nil, false
}

// choice is where the link of p leads by which somebody says that they are subject.
func (p *Page) choice(subject string) (to *url.URL, ok bool) {
	for _, link := range links.FindAllStringSubmatch(p.Body, -1) {
		to, err := p.URL.Parse(attribute(link[1], "href"))
		if err == nil && to.Query().Get("login_hint") == subject {
			return to, true
		}
	}
	return nil, false
}
