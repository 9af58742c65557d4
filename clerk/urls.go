package clerk

import (
	"net/url"
	"slices"
	"strings"

	"github.com/sallyport/auth"
)

// FrontendAPI is the address of Clerk's Frontend API, or of the proxy for it, without
// a slash at the end: where the browser's scripts are from. A page that allows them
// in its Content-Security-Policy names it.
func (b *Backend) FrontendAPI() string { return b.frontendAPI }

// SignInURL implements [auth.Backend]: the configured page or Clerk's, which
// comes back to returnTo, in the parameter redirect_url. Somebody whose session has a
// task left, as d says, is sent to /tasks below it. d may be nil. returnTo is not
// checked: it is the caller's own, or comes from [Backend.ReturnURL].
func (b *Backend) SignInURL(d *auth.Decision, returnTo string) string {
	to := b.config.SignInURL
	if to == "" {
		to = b.instance.accounts() + "/sign-in"
	}
	if d != nil {
		if s, ok := d.Value.(*State); ok && s.Claims != nil && s.Claims.Pending {
			to = withPath(to, "/tasks")
		}
	}
	return withReturn(to, returnTo)
}

// SignUpURL is where to send a person who has no account yet and then comes back
// to returnTo: the configured page, or what belongs to the one for signing in. As in
// [Backend.SignInURL], returnTo is not checked.
func (b *Backend) SignUpURL(returnTo string) string {
	to := b.config.SignUpURL
	switch {
	case to != "":
	case b.config.SignInURL != "":
		to = withPath(b.config.SignInURL, "/create")
	default:
		to = b.instance.accounts() + "/sign-up"
	}
	return withReturn(to, returnTo)
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

// withReturn is raw, which New has checked, with the parameter redirect_url. A path is
// one of the site that returnTo is of.
func withReturn(raw, returnTo string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return raw
	}
	if back, err := url.Parse(returnTo); err == nil && u.Host == "" {
		u.Scheme, u.Host = back.Scheme, back.Host
	}
	q := u.Query()
	q.Set("redirect_url", returnTo)
	u.RawQuery = q.Encode()
	return u.String()
}
