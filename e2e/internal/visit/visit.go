// Package visit is what a visitor of these tests needs who has no browser: the forms of
// a page, and what the site has logged meanwhile.
package visit

import (
	"bytes"
	"html"
	"net/url"
	"regexp"
	"strings"
	"sync"
)

// Journal is what a site has logged, and nobody has looked at. It is safe for
// concurrent use.
type Journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *Journal) Write(line []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(line)
}

// Read returns it, and forgets it.
func (j *Journal) Read() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	defer j.text.Reset()
	return j.text.String()
}

var (
	formPattern  = regexp.MustCompile(`(?s)<form[^>]*>.*?</form>`)
	inputPattern = regexp.MustCompile(`(?s)<input[^>]*>`)
	attribute    = regexp.MustCompile(`([a-zA-Z-]+)="([^"]*)"`)
)

func attributes(tag string) map[string]string {
	m := map[string]string{}
	for _, a := range attribute.FindAllStringSubmatch(tag, -1) {
		m[strings.ToLower(a[1])] = html.UnescapeString(a[2])
	}
	return m
}

// Form is the first form of text, a page, that contains part: where it is sent, and
// what its inputs hold, but for buttons and boxes, which somebody has to press.
func Form(text, part string) (action string, values url.Values, ok bool) {
	for _, form := range formPattern.FindAllString(text, -1) {
		if !strings.Contains(form, part) {
			continue
		}
		values := url.Values{}
		for _, input := range inputPattern.FindAllString(form, -1) {
			if a := attributes(input); a["name"] != "" && a["type"] != "submit" && a["type"] != "checkbox" {
				values.Set(a["name"], a["value"])
			}
		}
		return attributes(form[:strings.IndexByte(form, '>')])["action"], values, true
	}
	return "", nil, false
}

// Input is the value of the input name of text, a page.
func Input(text, name string) (value string, ok bool) {
	for _, input := range inputPattern.FindAllString(text, -1) {
		if a := attributes(input); a["name"] == name {
			return a["value"], true
		}
	}
	return "", false
}
