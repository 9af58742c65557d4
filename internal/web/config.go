package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/sallyport/auth/internal/forwarded"
	"github.com/sallyport/auth/internal/upstream"
)

// defaultBase is where the routes are unless the configured URL has a path.
const defaultBase = "/api/auth"

var headerName = regexp.MustCompile(`^[A-Za-z0-9-]+$`)

// ParseURL splits the configured address of the routes into an origin, as browsers
// write it, and a path. The origin is nil for an empty address and for a path alone:
// it is then each request's.
func ParseURL(raw string) (origin *url.URL, base string, err error) {
	if raw == "" {
		return nil, defaultBase, nil
	}
	u, err := url.Parse(raw)
	alone := err == nil && u.Scheme == "" && u.Host == "" && strings.HasPrefix(raw, "/")
	if err != nil || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || !alone && (u.Host == "" || u.Scheme != "https" && u.Scheme != "http") {
		return nil, "", errors.New("auth: Config.URL is not the address of the routes: want one like https://example.com/api/auth, or a path such as /app/api/auth")
	}
	base = strings.TrimRight(u.EscapedPath(), "/")
	if base == "" {
		base = defaultBase
	}
	if strings.Contains(base, "%") || strings.Contains(base, "//") || strings.Contains(base, "/.") {
		return nil, "", errors.New("auth: Config.URL has a path that is not plain: want one like /api/auth")
	}
	if alone {
		return nil, base, nil
	}
	origin, err = canonicalOrigin(u.Scheme, u.Host)
	if err != nil {
		return nil, "", fmt.Errorf("auth: Config.URL: %w", err)
	}
	return origin, base, nil
}

func trustedProxies(c Config) (*forwarded.Proxies, error) {
	p, err := forwarded.New(forwarded.Config{Trusted: c.TrustedProxies, Forwarded: c.Forwarded, Logger: c.Logger})
	if err != nil {
		return nil, fmt.Errorf("auth: Config.TrustedProxies: %w", err)
	}
	if c.Forwarded && c.TrustedProxies != nil && len(c.TrustedProxies) == 0 {
		return nil, errors.New("auth: Config.Forwarded is set, and Config.TrustedProxies, empty and not nil, trusts no proxy to write it")
	}
	return p, nil
}

func allowedHosts(c Config, fixed bool) (forwarded.Hosts, error) {
	switch {
	case c.AllowedHosts == nil:
		return nil, nil
	case fixed:
		return nil, errors.New("auth: Config.AllowedHosts is set beside Config.URL, which is the address whatever a request says: leave one of the two unset")
	case len(c.AllowedHosts) == 0:
		return nil, errors.New("auth: Config.AllowedHosts is empty, not nil, and would answer nobody")
	}
	list, errs := make([]string, len(c.AllowedHosts)), make([]error, len(c.AllowedHosts)+1)
	for i, entry := range c.AllowedHosts {
		rest, anyLabel := strings.CutPrefix(entry, "*.")
		list[i], errs[i] = asciiHost(rest)
		if errs[i] != nil {
			errs[i], list[i] = fmt.Errorf("%q: %w", entry, errs[i]), "localhost"
		} else if anyLabel {
			list[i] = "*." + list[i]
		}
	}
	hosts, e := forwarded.ParseHosts(list)
	errs[len(list)] = e
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("auth: Config.AllowedHosts: %w", err)
	}
	return hosts, nil
}

// parseAncestors are sources of Content-Security-Policy: origins as browsers write
// them, or *. in front of a host for all below it.
func parseAncestors(list []string) (sources []string, err error) {
	for _, entry := range list {
		plain := strings.Replace(entry, "://*.", "://", 1)
		u, e := upstream.CheckURL(plain)
		if e == nil && strings.EqualFold(u.Scheme+"://"+u.Host, plain) {
			u, e = canonicalOrigin(u.Scheme, u.Host)
		} else if e == nil {
			e = errors.New("it is more than an origin")
		}
		if e != nil {
			err = errors.Join(err, fmt.Errorf("auth: Config.FrameAncestors: %q: want one like https://portal.example.com, or https://*.example.com: %w", entry, e))
			continue
		}
		source := u.String()
		if plain != entry {
			source = strings.Replace(source, "://", "://*.", 1)
		}
		sources = append(sources, source)
	}
	return sources, err
}

// codeHeaders are the configured ones in canonical form. Cookie would be a way
// for other sites to send a code.
func codeHeaders(c Config) (list []string, err error) {
	if len(c.AccessCodeHeaders) > 0 && c.Gate == nil {
		return nil, errors.New("auth: Config.AccessCodeHeaders is set, and Config.AccessCode is not")
	}
	for _, name := range c.AccessCodeHeaders {
		if !headerName.MatchString(name) || strings.EqualFold(name, "Cookie") {
			return nil, fmt.Errorf("auth: Config.AccessCodeHeaders: %q: want a header such as Authorization or X-Access-Code", name)
		}
		list = append(list, http.CanonicalHeaderKey(name))
	}
	return list, nil
}

func checkPage(field, raw string) error {
	if raw == "" {
		return nil
	}
	u, err := url.Parse(raw)
	if err != nil || !strings.HasPrefix(raw, "/") || strings.HasPrefix(raw, "//") || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("auth: Config.%s must be a path of this application, such as /login", field)
	}
	return nil
}
