package upstream

import (
	"net/http"
	"net/url"
	"strings"
)

// route leads requests for addresses below from to the same ones below to.
type route struct {
	from, to *url.URL // without a slash at the end of their paths
}

// Via returns a client that does what c does, and reaches what is below public at
// internal: the same server, by an address that it has inside. The scheme, the host and
// the path of public are replaced, and the server is told of them as a reverse proxy
// would, by Host, X-Forwarded-Host and X-Forwarded-Proto: it answers with addresses that
// browsers know. A certificate has to be for internal's name.
//
// An internal address without a path has public's own. Where both end with the same
// segments, what is before them is replaced for all that the server has, because not
// everything is below public: at authentik, an issuer is at /application/o/app/, and its
// token endpoint at /application/o/token/.
func (c *Client) Via(public, internal *url.URL) *Client {
	via := *c
	from, to := origin(public), origin(internal)
	from.Path, to.Path = strings.TrimRight(public.Path, "/"), strings.TrimRight(internal.Path, "/")
	if to.Path == "" {
		to.Path = from.Path
	}
	for from.Path != "" && to.Path != "" {
		i, j := strings.LastIndexByte(from.Path, '/'), strings.LastIndexByte(to.Path, '/')
		if from.Path[i:] != to.Path[j:] {
			break
		}
		from.Path, to.Path = from.Path[:i], to.Path[:j]
	}
	via.route = &route{from, to}
	return &via
}

func origin(u *url.URL) *url.URL { return &url.URL{Scheme: u.Scheme, Host: u.Host} }

// follow returns the request that is sent in req's place, which it leaves alone.
func (r *route) follow(req *http.Request) *http.Request {
	if r == nil || !SameOrigin(req.URL, r.from) {
		return req
	}
	path := req.URL.EscapedPath()
	rest, below := strings.CutPrefix(path, r.from.EscapedPath())
	if !below || rest != "" && rest[0] != '/' {
		return req
	}
	address, err := url.Parse(r.to.String() + rest)
	if err != nil {
		return req
	}
	address.RawQuery = req.URL.RawQuery
	inside := *req
	inside.URL, inside.Host = address, req.URL.Host
	inside.Header = req.Header.Clone()
	if inside.Header == nil {
		inside.Header = http.Header{}
	}
	inside.Header.Set("X-Forwarded-Host", req.URL.Host)
	inside.Header.Set("X-Forwarded-Proto", req.URL.Scheme)
	return &inside
}

// SameOrigin reports whether a and b have one scheme, host and port: RFC 6454 5.
func SameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && strings.EqualFold(a.Hostname(), b.Hostname()) && port(a) == port(b)
}

func port(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "http":
		return "80"
	}
	return "443"
}
