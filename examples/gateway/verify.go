package main

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/sallyport/auth"
)

// newVerifier answers a proxy that has the application behind itself, and asks for each
// request whether it may go on: 200 with the headers that say who it is, or what the
// browser is to get. nginx, whose auth_request passes 401 and 403 on and nothing else, is told
// by 401 with a Location to send people to.
//
//	who asks         what it says of the request               somebody has to sign in
//	nginx            X-Original-URL, X-Original-Method         401 with Location
//	Caddy, Traefik   X-Forwarded-Uri, -Method, -Proto, -Host   303 with Location
//
// Only a trusted proxy is answered, and only by one kind of these headers: where both
// are there, one may be the client's.
func newVerifier(a *auth.Authenticator, o options, logger *slog.Logger) http.Handler {
	decide := guard(a, o, identified(a, o, logger, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// All of them: of one that is not there, Caddy 2.6 passes the name of its
		// placeholder on.
		for _, name := range identityHeaders {
			w.Header().Set(name, "")
		}
		o.tellIdentity(lineOf(r.Context()), w.Header())
		if v, ok := r.Context().Value(verdictKey{}).(*verdict); ok {
			v.may = true
		}
		w.WriteHeader(http.StatusOK)
	})))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked, nginx, problem := o.askedFor(a, r)
		if problem != "" {
			logger.WarnContext(r.Context(), "gateway: a proxy asks about a request, and "+problem, "proxy", r.RemoteAddr)
			http.Error(w, "This gateway is not told, by a proxy that it trusts, which request to decide about.", http.StatusForbidden)
			return
		}
		v := &verdict{ResponseWriter: w, nginx: nginx}
		decide.ServeHTTP(v, asked.WithContext(context.WithValue(asked.Context(), verdictKey{}, v)))
	})
}

// askedFor is the request that a proxy asks about. problem says why there is none.
func (o options) askedFor(a *auth.Authenticator, r *http.Request) (asked *http.Request, nginx bool, problem string) {
	if !o.trusts(r) {
		return nil, false, "is none that is trusted: name it in TRUSTED_PROXIES"
	}
	original, method := r.Header.Values("X-Original-Url"), r.Header.Values("X-Original-Method")
	path, host := r.Header.Values("X-Forwarded-Uri"), r.Header.Values("X-Forwarded-Host")
	nginx = len(original)+len(method) > 0
	switch {
	case nginx && len(path) > 0:
		return nil, nginx, "says it in two ways, one of which may be the client's: have it remove X-Forwarded-Uri, or X-Original-URL and X-Original-Method"
	case !nginx:
		method = r.Header.Values("X-Forwarded-Method")
	default:
		path = original
	}
	if len(path) != 1 || len(method) != 1 || method[0] == "" {
		return nil, nginx, "does not say which, by X-Original-URL and X-Original-Method, or X-Forwarded-Uri and X-Forwarded-Method, each once"
	}
	u, err := url.ParseRequestURI(path[0])
	if err != nil || (u.Host != "") != nginx || !strings.HasPrefix(u.Path, "/") || strings.Contains(path[0], "#") {
		return nil, nginx, "says it by what is no address"
	}
	origin, err := a.Origin(r)
	if err != nil {
		return nil, nginx, "says a host that cannot be one"
	}
	if nginx {
		host = []string{u.Host}
	}
	if len(host) > 0 && !sameHost(host[len(host)-1], origin) {
		return nil, nginx, "means another site than " + origin.Host + ": set NEXTAUTH_URL, or have it ask about this site alone"
	}
	asked = r.Clone(r.Context())
	removeHeaders(asked.Header, misleading)
	asked.Method, asked.RequestURI = method[0], u.RequestURI()
	asked.URL = &url.URL{Path: u.Path, RawPath: u.RawPath, RawQuery: u.RawQuery, ForceQuery: u.ForceQuery}
	asked.Body, asked.ContentLength = http.NoBody, 0
	if asked.Header.Get("Sec-WebSocket-Key") != "" {
		asked.Header.Set("Upgrade", "websocket") // which Traefik leaves out: it is for one hop
	}
	if o.routes.own(u.Path) {
		return nil, nginx, "that is for the gateway itself: have it send those paths here"
	}
	return asked, nginx, ""
}

// sameHost reports whether host, which may name the port that it would have anyway, is
// that of origin.
func sameHost(host string, origin *url.URL) bool {
	usual := map[string]string{"http": ":80", "https": ":443"}[origin.Scheme]
	return strings.EqualFold(strings.TrimSuffix(host, usual), origin.Host)
}

// trusts reports whether r comes from a proxy whose word counts: one of TRUSTED_PROXIES,
// or without those one on this machine or a private network.
func (o options) trusts(r *http.Request) bool {
	peer := peerOf(r)
	return o.trusted == nil && peer.IsPrivate() || o.believes(peer)
}

// believes is the same for what may say who the client is. On a private network there are clients too,
// so that without TRUSTED_PROXIES the word of this machine alone counts.
func (o options) believes(peer netip.Addr) bool {
	if o.trusted == nil {
		return peer.IsLoopback()
	}
	for _, entry := range o.trusted {
		if network, err := netip.ParsePrefix(entry); err == nil && network.Contains(peer) {
			return true
		}
		if one, err := netip.ParseAddr(entry); err == nil && one == peer {
			return true
		}
	}
	return false
}

// peerOf is the address that r comes from, and the zero one where it has none.
func peerOf(r *http.Request) netip.Addr {
	at, _ := netip.ParseAddrPort(r.RemoteAddr)
	return at.Addr().Unmap()
}

type verdictKey struct{}

// verdict is what a proxy is answered. A page of the gateway's own is no leave to go on,
// whatever its status.
type verdict struct {
	http.ResponseWriter
	nginx bool // redirects are 401
	may   bool // next was reached
	begun bool
}

func (v *verdict) WriteHeader(code int) {
	v.begun = true
	switch {
	case code/100 == 2 && !v.may:
		code = http.StatusForbidden
	case code/100 == 3 && v.nginx:
		code = http.StatusUnauthorized
	}
	v.ResponseWriter.WriteHeader(code)
}

func (v *verdict) Write(b []byte) (int, error) {
	if !v.begun {
		v.WriteHeader(http.StatusOK)
	}
	return v.ResponseWriter.Write(b)
}
