package clerk

import (
	"net/url"
	"slices"
	"strings"

	"github.com/sallyport/auth"
)

// FrontendAPI is the address of Clerk's Frontend API, or of the proxy for it, without
// a slash at the end: where the browser's scripts are from. A page that allows them
// in its Content-Security-Policy names it. It is a path of the site where
// [Config].ProxyURL is one.
func (b *Backend) FrontendAPI() string { return b.frontendAPI }

// frontend is [Backend.FrontendAPI] for a request to origin.
func (b *Backend) frontend(origin *url.URL) string {
	if b.frontendAPI[0] == '/' {
		return origin.Scheme + "://" + strings.ToLower(origin.Host) + b.frontendAPI
	}
	return b.frontendAPI
}

// issuersAt are those of tokens for a request to origin. With a path for a proxy, whoever
// sends the request may choose the host, where no configuration does. That makes
// nobody's token another's: its key is this instance's whatever it says, and the issuer
// tells apart no more than the domains at which one instance is proxied.
func (b *Backend) issuersAt(origin *url.URL) []string {
	if b.issuers == nil {
		return []string{b.frontend(origin)}
	}
	return b.issuers
}

// SignInURL implements [auth.Backend]: the configured page or Clerk's, which
// comes back to returnTo, in the parameter redirect_url. Somebody whose session has a
// task left, as d says, is sent to /tasks below it. d may be nil. returnTo is not
// checked: it is the caller's own, or comes from [Backend.ReturnURL].
//
// A page on another host is given what it cannot see here: of a development instance
// the development browser of the request that d is about, and of a satellite, in
// returnTo, that the person comes from signing in.
func (b *Backend) SignInURL(d *auth.Decision, returnTo string) string {
	to := b.config.SignInURL
	if to == "" {
		to = b.instance.accounts() + "/sign-in"
	}
	return b.pageURL(to, d, returnTo)
}

// SignUpURL is where to send a person who has no account yet and then comes back
// to returnTo: the configured page, or what belongs to the one for signing in. All else
// is as in [Backend.SignInURL]. A handler that has no [auth.Decision] makes one of what
// [FromContext] returns: &auth.Decision{Value: state}.
func (b *Backend) SignUpURL(d *auth.Decision, returnTo string) string {
	to := b.config.SignUpURL
	switch {
	case to != "":
	case b.config.SignInURL != "":
		to = withPath(b.config.SignInURL, "/create")
	default:
		to = b.instance.accounts() + "/sign-up"
	}
	return b.pageURL(to, d, returnTo)
}

// pageURL is to, a page that New has checked, for whoever d is about. A path is one of
// the site that returnTo is of.
func (b *Backend) pageURL(to string, d *auth.Decision, returnTo string) string {
	var s State
	if d != nil {
		if decided, ok := d.Value.(*State); ok && decided != nil {
			s = *decided
		}
	}
	if s.Claims != nil && s.Claims.Pending {
		to = withPath(to, "/tasks")
	}
	u, err := url.Parse(to)
	if err != nil {
		return to
	}
	back, err := url.Parse(returnTo)
	if err == nil && u.Host == "" {
		u.Scheme, u.Host = back.Scheme, back.Host
	}
	elsewhere := err == nil && back.Host != "" && !sameHost(u, back)
	if elsewhere && b.config.Satellite {
		returnTo = with(without(back, paramSynced), paramSynced, "false").String()
	}
	u = with(without(u, "redirect_url"), "redirect_url", returnTo)
	if elsewhere && s.devBrowser != "" {
		u = with(without(u, nameDevBrowser), nameDevBrowser, s.devBrowser)
	}
	return u.String()
}

// ReturnURL is raw, a redirect_url that somebody sent, if it is a page of origin
// or of one of [Config].RedirectOrigins, and else the front page of origin. Only an
// absolute address counts. It is for applications with a sign-in page of their own,
// which must not send people wherever a link says (CWE-601).
func (b *Backend) ReturnURL(raw string, origin *url.URL) string {
	if u, ok := b.mayReturn(raw, origin); ok {
		return u.String()
	}
	return origin.Scheme + "://" + origin.Host + origin.EscapedPath() + "/"
}

// mayReturn parses raw and compares its origin: RFC 6454 4. Browsers take a backslash
// for a slash and skip control characters, where net/url does not: whatever has one
// is refused first. With a nil origin, only RedirectOrigins count.
func (b *Backend) mayReturn(raw string, origin *url.URL) (*url.URL, bool) {
	if strings.ContainsFunc(raw, func(r rune) bool { return r <= ' ' || r == '\\' || r == 0x7f }) {
		return nil, false
	}
	u, err := url.Parse(raw)
	if err != nil || u.User != nil {
		return nil, false
	}
	from := u.Scheme + "://" + strings.ToLower(u.Host)
	if origin != nil && from == origin.Scheme+"://"+strings.ToLower(origin.Host) {
		return u, true
	}
	return u, slices.Contains(b.config.RedirectOrigins, from)
}

// withPath is raw, which New has checked, with more at the end of its path and its
// query as it was.
func withPath(raw, more string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return raw
	}
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/")+more, ""
	return u.String()
}

// with is u with another parameter at the end, and the rest as it stands.
func with(u *url.URL, name, value string) *url.URL {
	c := *u
	if c.RawQuery != "" {
		c.RawQuery += "&"
	}
	c.RawQuery += url.QueryEscape(name) + "=" + url.QueryEscape(value)
	return &c
}

// sameHost reports whether two addresses have one host and port. Cookies know no scheme.
func sameHost(u, v *url.URL) bool {
	port := func(u *url.URL) string {
		if p := u.Port(); p != map[string]string{"http": "80", "https": "443"}[u.Scheme] {
			return p
		}
		return ""
	}
	return strings.EqualFold(u.Hostname(), v.Hostname()) && port(u) == port(v)
}
