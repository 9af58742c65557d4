package web

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/sallyport/auth/internal/returnto"
	"github.com/sallyport/auth/internal/upstream"
)

// returnOrigins are the other origins of the application, whose pages people may
// return to, as browsers write origins.
type returnOrigins struct {
	exact     []string
	wildcards []wildcard
	domain    string // the one whose hosts share the session; "" for none
}

// wildcard is every origin with one label in the place of the star of
// https://*.example.com. What stands behind the host, a port or nothing, is its end.
type wildcard struct{ scheme, end string } // "https://", ".example.com"

// parseReturnOrigins reads what is configured. A pattern is for the subdomains of
// domain, which have everybody's session cookie anyway: elsewhere a label may be
// anybody's, and a pattern for them an open redirect.
func parseReturnOrigins(list []string, domain string) (o returnOrigins, err error) {
	o.domain = strings.ToLower(domain)
	for _, entry := range list {
		plain := strings.Replace(entry, "://*.", "://", 1)
		u, e := upstream.CheckURL(plain)
		if e != nil || !strings.EqualFold(u.Scheme+"://"+u.Host, plain) {
			err = errors.Join(err, fmt.Errorf("auth: Config.ReturnOrigins: %q: want one like https://www.example.com, or https://*.example.com for one label", entry))
			continue
		}
		origin, e := canonicalOrigin(u.Scheme, u.Host)
		switch {
		case e != nil:
			err = errors.Join(err, fmt.Errorf("auth: Config.ReturnOrigins: %q: %w", entry, e))
		case plain == entry:
			o.exact = append(o.exact, origin.String())
		case !o.shared(origin.Hostname()):
			err = errors.Join(err, fmt.Errorf("auth: Config.ReturnOrigins: %q: a pattern is for subdomains of Session.CookieDomain, and that is %q: set it to the domain that they share the session on, or name each origin", entry, domain))
		default:
			o.wildcards = append(o.wildcards, wildcard{origin.Scheme + "://", "." + origin.Host})
		}
	}
	return o, err
}

// shared reports whether the session cookie is shared with host.
func (o *returnOrigins) shared(host string) bool {
	return o.domain != "" && (host == o.domain || strings.HasSuffix(host, "."+o.domain))
}

// list is what they are called in a Content-Security-Policy, which has the same star.
func (o *returnOrigins) list() []string {
	list := append([]string(nil), o.exact...)
	for _, w := range o.wildcards {
		list = append(list, w.scheme+"*"+w.end)
	}
	return list
}

// split splits raw, an address with its origin as browsers write it, into one of these
// origins and what follows, which still has to be cleaned.
func (o *returnOrigins) split(raw string) (origin, rest string, ok bool) {
	for _, origin := range o.exact {
		if rest, ok := returnto.SameOrigin(raw, origin); ok {
			return origin, rest, true
		}
	}
	for _, w := range o.wildcards {
		after, ok := strings.CutPrefix(raw, w.scheme)
		if label, _, dot := strings.Cut(after, "."); ok && dot && isLabel(label) {
			origin := w.scheme + label + w.end
			if rest, ok := returnto.SameOrigin(raw, origin); ok {
				return origin, rest, true
			}
		}
	}
	return "", "", false
}

// isLabel reports whether s is one label of a host name as browsers write it: RFC 1123
// 2.1, in lower case.
func isLabel(s string) bool {
	if s == "" || len(s) > 63 || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

// asked is the one of the other origins at which r asks for a page, where signing in at
// the address of the routes signs in there too. A proxy that does not say https is
// no reason to send anybody to http.
func (s *Server) asked(r *http.Request, v *visit) (origin string, ok bool) {
	if s.origin == nil || !s.others.shared(v.origin.Hostname()) {
		return "", false
	}
	scheme, host, err := s.proxies.Origin(r)
	if err != nil || host == v.origin.Host {
		return "", false
	}
	for _, scheme := range [...]string{scheme, "https"} {
		origin := scheme + "://" + host
		if _, _, ok := s.others.split(origin); ok && s.others.shared(hostname(host)) {
			return origin, true
		}
	}
	return "", false
}

// hostname is host without its port.
func hostname(host string) string {
	name, _, _ := strings.Cut(host, ":")
	return name
}
