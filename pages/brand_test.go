package pages_test

import (
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/pages"
)

const drawing = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"/>`

func TestBrandThatServes(t *testing.T) {
	for _, b := range []pages.Brand{
		{},
		{Name: "ACME"}, {Name: "安全门（上海）"}, {Name: "Ü & <Co>"}, {Name: "متجر"}, {Name: "👩‍💻 tools"}, {Name: strings.Repeat("漢", 60)},
		{Color: "#1f5fbf"}, {Color: "#FFF", DarkColor: "#79b0ff"},
		{LogoURL: "/logo.svg?v=2"}, {LogoURL: "https://app.example/a/logo.png"},
		{TermsURL: "/terms", PrivacyURL: "https://acme.example/privacy#us", HelpURL: "https://acme.example"},
		{Logo: []byte(drawing)}, {Logo: []byte("\xef\xbb\xbf<?xml version=\"1.0\"?>\n<!DOCTYPE svg>\n<!-- a -->" + drawing)},
		{Logo: []byte("\x89PNG\r\n\x1a\n")}, {Logo: []byte("\xff\xd8\xff")}, {Logo: []byte("GIF89a")}, {Logo: []byte("RIFF\x00\x00\x00\x00WEBPVP8 ")},
	} {
		require.NoError(t, b.Check(), "%+v", b)
	}
}

func TestHostileBrand(t *testing.T) { // HD-04, RD-05
	for _, test := range []struct {
		b    pages.Brand
		want string
	}{
		{pages.Brand{Name: strings.Repeat("x", 10_000)}, "Brand.Name: it is too long"},
		{pages.Brand{Name: strings.Repeat("漢", 61)}, "Brand.Name: it is too long"},
		{pages.Brand{Name: "two\nlines"}, "Brand.Name: it has characters that cannot be seen"},
		{pages.Brand{Name: "ACME\u202egnp"}, "Brand.Name: it has characters that cannot be seen"},
		{pages.Brand{Name: "\u2066ACME\u2069"}, "Brand.Name: it has characters that cannot be seen"},
		{pages.Brand{Name: "A\u200bCME"}, "Brand.Name: it has characters that cannot be seen"},
		{pages.Brand{Name: "A\xff"}, "Brand.Name: it has characters that cannot be seen"},
		{pages.Brand{Name: " ACME"}, "Brand.Name: it begins or ends with a space"},
		{pages.Brand{Color: "red"}, "Brand.Color: want a colour such as #1f5fbf"},
		{pages.Brand{Color: "1fff"}, "Brand.Color"},
		{pages.Brand{Color: "#12345"}, "Brand.Color"},
		{pages.Brand{Color: "#1f5fbfff"}, "Brand.Color"},
		{pages.Brand{Color: "#fff\n"}, "Brand.Color"},
		{pages.Brand{Color: "#fff;}body{display:none}"}, "Brand.Color"},
		{pages.Brand{Color: "#fff", DarkColor: "url(https://evil.example)"}, "Brand.DarkColor"},
		{pages.Brand{DarkColor: "#fff"}, "Brand.DarkColor: there is no Color"},
		{pages.Brand{TermsURL: "javascript:alert(1)"}, "Brand.TermsURL: want a path of the application"},
		{pages.Brand{TermsURL: "JavaScript:alert(1)"}, "Brand.TermsURL"},
		{pages.Brand{PrivacyURL: "java\tscript:alert(1)"}, "Brand.PrivacyURL"},
		{pages.Brand{PrivacyURL: "data:text/html,x"}, "Brand.PrivacyURL"},
		{pages.Brand{PrivacyURL: "http://acme.example/"}, "Brand.PrivacyURL"},
		{pages.Brand{HelpURL: "//evil.example"}, "Brand.HelpURL"},
		{pages.Brand{HelpURL: "///evil.example"}, "Brand.HelpURL"},
		{pages.Brand{HelpURL: `/\evil.example`}, "Brand.HelpURL"},
		{pages.Brand{HelpURL: "/\t/evil.example"}, "Brand.HelpURL"},
		{pages.Brand{HelpURL: "https:evil.example"}, "Brand.HelpURL"},
		{pages.Brand{HelpURL: "https://acme.example@evil.example/"}, "Brand.HelpURL"},
		{pages.Brand{HelpURL: "help"}, "Brand.HelpURL"},
		{pages.Brand{HelpURL: "/" + strings.Repeat("x", 1024)}, "Brand.HelpURL"},
		{pages.Brand{LogoURL: "data:image/svg+xml,x"}, "Brand.LogoURL"},
		{pages.Brand{LogoURL: "/logo.svg", Logo: []byte(drawing)}, "Brand.LogoURL: there is a Logo too"},
		{pages.Brand{Logo: []byte{}}, "Brand.Logo: it is no PNG"},
		{pages.Brand{Logo: []byte("<html><svg xmlns='http://www.w3.org/2000/svg'/></html>")}, "Brand.Logo: it is no PNG"},
		{pages.Brand{Logo: []byte("<svg/>")}, "Brand.Logo: it is no PNG"},
		{pages.Brand{Logo: []byte("BM\x00")}, "Brand.Logo: it is no PNG"},
		{pages.Brand{Logo: []byte("%PDF-1.7")}, "Brand.Logo: it is no PNG"},
		{pages.Brand{Logo: append([]byte("GIF89a"), make([]byte, 64<<10)...)}, "Brand.Logo: it is larger than 64 KiB"},
	} {
		require.ErrorContains(t, test.b.Check(), test.want, "%.80q", test.b)
	}
	err := pages.Brand{Name: "\x00", Color: "x", HelpURL: "x"}.Check()
	for _, field := range []string{"Name", "Color", "HelpURL"} {
		require.ErrorContains(t, err, "Brand."+field, "every problem at once")
	}
}

func TestLogoType(t *testing.T) { // HD-09
	require.Equal(t, "image/svg+xml", pages.Brand{Logo: []byte(drawing)}.LogoType())
	require.Equal(t, "image/gif", pages.Brand{Logo: []byte("GIF89a")}.LogoType())
	require.Empty(t, pages.Brand{}.LogoType())
}

var brandRule = regexp.MustCompile(`:root\{--accent:#([0-9a-f]{6});--on-accent:#([0-9a-f]{6});--link:(var\(--\w+\));--edge:(var\(--\w+\))\}`)

// luminance and contrast are WCAG 2.2's, for colours of six digits.
func luminance(t *testing.T, hex string) float64 {
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		v, err := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
		require.NoError(t, err)
		s := float64(v) / 255
		if s <= 0.04045 {
			sum += weight * s / 12.92
		} else {
			sum += weight * math.Pow((s+0.055)/1.055, 2.4)
		}
	}
	return sum
}

func contrast(t *testing.T, a, b string) float64 {
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// TestEveryColorCanBeRead: text on it, links and borders in it, in light and dark.
func TestEveryColorCanBeRead(t *testing.T) {
	css, err := os.ReadFile("style.css")
	require.NoError(t, err)
	light, dark, _ := strings.Cut(string(css), "@media")
	cards := []string{"ffffff", "191d23"}
	require.Contains(t, light, "--card:#fff;")
	require.Contains(t, dark, "--card:#"+cards[1]+";")
	digits := []string{"00", "11", "59", "77", "99", "cc", "ff"}
	for _, r := range digits {
		for _, g := range digits {
			for _, b := range digits {
				style, ok := strings.CutPrefix(string(pages.Brand{Color: "#" + r + g + b}.Style()), string(pages.Style()))
				require.True(t, ok)
				rules := brandRule.FindAllStringSubmatch(style, -1)
				require.Len(t, rules, 2)
				for i, rule := range rules {
					require.Equal(t, r+g+b, rule[1])
					require.GreaterOrEqual(t, contrast(t, rule[1], rule[2]), 4.5, "text on it")
					seen := contrast(t, rule[1], cards[i])
					require.Equal(t, seen >= 4.5, rule[3] == "var(--accent)", "a link: %s", rule)
					require.Equal(t, seen >= 3, rule[4] == "var(--accent)", "a border: %s", rule)
				}
			}
		}
	}
	require.Contains(t, pages.Brand{Color: "#FD0", DarkColor: "#abc"}.Style(), "\n:root{--accent:#ffdd00;--on-accent:#000000;--link:var(--text);--edge:var(--quiet)}\n@media (prefers-color-scheme:dark){:root{--accent:#aabbcc;")
	require.Equal(t, pages.Style(), pages.Brand{Name: "ACME"}.Style())
}

// TestPagesOfASite: each has its picture or its name, and its links.
func TestPagesOfASite(t *testing.T) {
	words := pages.Match("en").Words
	p := pages.Page{SignInTo: "Sign in to ACME", BrandName: "ACME", TermsURL: "/terms", PrivacyURL: "/privacy", HelpURL: "https://acme.example/help"}
	for _, name := range []string{"signin", "signout", "sessions", "error"} {
		p.LogoURL = ""
		page := show(t, name, p)
		require.NotContains(t, page, "<img", name)
		if name != "signin" {
			require.Contains(t, page, `<p class="brand">ACME</p>`, name)
		}
		for link, word := range map[string]string{"/terms": words.Terms, "/privacy": words.Privacy, "https://acme.example/help": words.Help} {
			require.Contains(t, page, `<a href="`+link+`">`+word+`</a>`, name)
		}
		p.LogoURL = "/api/auth/logo/x"
		alt := "ACME"
		if name == "signin" {
			alt = "" // the heading says it
		}
		require.Contains(t, show(t, name, p), `<img src="/api/auth/logo/x" alt="`+alt+`"`, name)
		require.NotContains(t, show(t, name, pages.Page{}), "brand\">", name)
		require.NotContains(t, show(t, name, pages.Page{}), `class="links"`, name)
	}
	page := show(t, "signin", p)
	require.Contains(t, page, "<title>Sign in to ACME</title>")
	require.Contains(t, page, "<h1>Sign in to ACME</h1>")
}

func TestLastUsedWayIsMarked(t *testing.T) {
	mark := `<span class="last">` + pages.Match("en").Words.LastUsed + `</span>`
	p := pages.Page{AccessCode: true, Providers: []pages.Provider{{ID: "a", Action: "A"}, {ID: "b", Action: "B", Last: true}}}
	page := show(t, "signin", p)
	require.Equal(t, 1, strings.Count(page, mark))
	require.Contains(t, page, `<span>B</span>`+mark)
	p.Providers[1].Last, p.AccessCodeLast = false, true
	require.Contains(t, show(t, "signin", p), pages.Match("en").Words.UseAccessCode+" "+mark)
}

func TestSiteAndProviderInWords(t *testing.T) {
	for _, l := range languages {
		require.Contains(t, l.SignInTo("100 % ACME"), "100 % ACME")
		require.Contains(t, l.At("100 % GitHub"), "100 % GitHub")
	}
}

func FuzzBrand(f *testing.F) {
	f.Add("ACME", "#1f5fbf", "/terms", []byte(drawing))
	f.Add("\u202e", "#fff}", "javascript:x", []byte("GIF89a"))
	f.Fuzz(func(t *testing.T, name, color, link string, logo []byte) {
		b := pages.Brand{Name: name, Color: color, TermsURL: link, Logo: logo}
		if b.Check() != nil {
			return
		}
		style := string(b.Style())
		if strings.ContainsAny(strings.TrimPrefix(style, string(pages.Style())), "<\"'/") {
			t.Errorf("%q: %q", color, style)
		}
		if strings.ContainsAny(name, "\n\r\u202e\u2066") || link != "" && link[0] != '/' && !strings.HasPrefix(strings.ToLower(link), "https://") {
			t.Errorf("%q %q", name, link)
		}
	})
}
