package web

import (
	"net/http"
	"net/url"
	"strings"
)

// A site may be below a path of its host, such as /app. Browsers and identity
// providers see that prefix. The application may not: a proxy, or http.StripPrefix,
// takes it off on the way here.
//
//	the browser asks for         we are asked for             we answer with
//	/app/reports                 /reports or /app/reports     /app/api/auth/signin?callbackUrl=/app/reports
//	/app/api/auth/signin         with or without /app         a form for /app/api/auth/signin/...
//
// So a path that comes to us may have lost the prefix, and each that leaves has it.
// A path that begins with the prefix is taken for one that has kept it, because
// nothing in a request tells otherwise: a page at /app of the application itself,
// /app/app to browsers, is not found again after signing in.

// splitBase splits the public path of the routes into the prefix of the site and
// their own path. Where it does not end in /api/auth, it is all theirs.
func splitBase(base string) (prefix, routes string) {
	prefix, ok := strings.CutSuffix(base, defaultBase)
	if !ok {
		return "", base
	}
	return prefix, defaultBase
}

// prefixOf is the prefix of the site to r's sender: the configured one or, where no
// address is configured at all, what a trusted proxy says.
func (s *Server) prefixOf(r *http.Request) string {
	if s.derive {
		return s.proxies.Prefix(r)
	}
	return s.prefix
}

// home is the site's first page.
func (v *visit) home() string { return v.prefix + "/" }

// public is path, of a page of the application, as browsers have it.
func (v *visit) public(path string) string {
	if v.prefix == "" {
		return path
	}
	if u, err := url.Parse(path); err == nil && (u.Path == v.prefix || strings.HasPrefix(u.Path, v.prefix+"/")) {
		return path
	}
	return v.prefix + path
}

// page is the public path of raw, a path of the application, and home where raw is
// none, or is one of ours: with the prefix or without it, it is below base afterwards.
func (s *Server) page(r *http.Request, v *visit, raw string) string {
	path, ok := raw, true
	if v.prefix != "" {
		if path, ok = s.clean(r, raw); !ok {
			return v.home()
		}
	}
	path, ok = s.clean(r, v.public(path), v.base)
	if !ok {
		return v.home()
	}
	return path
}
