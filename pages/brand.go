package pages

import (
	"errors"
	"fmt"
	"html/template"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// maxName bounds a site's name, in characters: it has to fit into a heading.
	maxName = 60

	// maxLink bounds each address of a [Brand], in bytes.
	maxLink = 1 << 10
)

// Brand says on the pages whose they are. Each field may be empty. It is not to be changed
// once it is handed in.
type Brand struct {
	// Name of the site, one line of at most 60 characters: "ACME". If empty, the sign-in
	// page says the host's name, as the request has it.
	Name string

	// Logo is a picture, PNG, JPEG, GIF, WebP or SVG, of at most 64 KiB, which the routes
	// serve. It is 40 pixels high on the pages, on white, and on near black in dark mode.
	// LogoURL is one that the application serves instead: a path that can be reached
	// without signing in, or an https address at the origin of the routes.
	Logo    []byte
	LogoURL string

	// Color fills the main buttons and DarkColor does in dark mode: #rgb or #rrggbb. Their
	// text is black or white, which of the two can be read better; links and borders take a
	// colour of ours where this one is too near to that of the page (WCAG 2.2, 1.4.3 and
	// 1.4.11). If DarkColor is empty, it is Color; if both are, ours.
	Color, DarkColor string

	// TermsURL, PrivacyURL and HelpURL are links below each page: a path of the
	// application, or an https address.
	TermsURL, PrivacyURL, HelpURL string
}

// Check returns every problem that b has, joined: each says which field, and what it wants.
func (b Brand) Check() error {
	errs := []error{field("Name", checkName(b.Name))}
	for _, color := range []struct{ name, text string }{{"Color", b.Color}, {"DarkColor", b.DarkColor}} {
		if color.text != "" {
			_, err := parseColor(color.text)
			errs = append(errs, field(color.name, err))
		}
	}
	for _, link := range []struct{ name, address string }{{"LogoURL", b.LogoURL}, {"TermsURL", b.TermsURL}, {"PrivacyURL", b.PrivacyURL}, {"HelpURL", b.HelpURL}} {
		errs = append(errs, field(link.name, checkLink(link.address)))
	}
	if b.Logo != nil {
		_, err := logoType(b.Logo)
		errs = append(errs, field("Logo", err))
		if b.LogoURL != "" {
			errs = append(errs, field("LogoURL", errors.New("there is a Logo too: leave one of the two unset")))
		}
	}
	if b.DarkColor != "" && b.Color == "" {
		errs = append(errs, field("DarkColor", errors.New("there is no Color for the light mode")))
	}
	return errors.Join(errs...)
}

func field(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("pages: Brand.%s: %w", name, err)
}

// LogoType is the media type of Logo, and "" where there is none, or none that [Brand.Check]
// takes.
func (b Brand) LogoType() string {
	kind, _ := logoType(b.Logo)
	return kind
}

// Style returns [Style] with the colours of b, which [Brand.Check] has found to be some.
func (b Brand) Style() template.CSS { return Style() + b.colors() }

// checkName takes what is to be seen as it is written: no second line, and nothing that
// turns the letters around it (Unicode TR 36, bidirectional text).
func checkName(name string) error {
	const want = "want one line of at most 60 characters, without control characters"
	hidden := func(c rune) bool { return !unicode.IsPrint(c) && c != '\u200c' && c != '\u200d' } // those two join letters, and emoji
	switch {
	case !utf8.ValidString(name) || strings.ContainsFunc(name, hidden):
		return errors.New("it has characters that cannot be seen: " + want)
	case utf8.RuneCountInString(name) > maxName:
		return errors.New("it is too long: " + want)
	case strings.TrimSpace(name) != name:
		return errors.New("it begins or ends with a space")
	}
	return nil
}

// checkLink takes a path of the application or an https address: nothing that a browser
// would run, and nothing that it reads otherwise than this does (\, tabs and newlines).
func checkLink(address string) error {
	if address == "" {
		return nil
	}
	const want = "want a path of the application, such as /terms, or an https address"
	u, err := url.Parse(address)
	odd := func(c rune) bool { return c <= ' ' || c > '~' || strings.ContainsRune("\\\"'<>`{}|^", c) }
	switch {
	case err != nil || len(address) > maxLink || strings.ContainsFunc(address, odd):
		return errors.New(want)
	case u.Scheme == "https" && u.Hostname() != "" && u.User == nil:
		return nil
	case strings.HasPrefix(address, "/") && !strings.HasPrefix(address, "//"):
		return nil
	}
	return errors.New(want)
}
