package pages_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/pages"
)

// languages are those of the package, English first.
var languages = []*pages.Language{
	pages.Match("en"), pages.Match("zh-Hans"), pages.Match("zh-Hant"), pages.Match("ja"), pages.Match("de"), pages.Match("fr"), pages.Match("es"),
}

// show is the page name with p, in English unless p says otherwise.
func show(t *testing.T, name string, p pages.Page) string {
	t.Helper()
	if p.Language == "" {
		p.Language, p.Words = "en", pages.Match("en").Words
	}
	p.Style = pages.Style()
	var b strings.Builder
	require.NoError(t, pages.Templates().ExecuteTemplate(&b, name, p))
	return b.String()
}
