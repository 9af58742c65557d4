package main

import (
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/clerk"
	"github.com/sallyport/auth/session"
)

// newProxy passes requests on with the identity of the person who is signed in, if
// anybody is.
//
// The application is told the scheme, the host and the client that the gateway
// believes in itself, whatever proxies in front of it, or strangers, say.
func newProxy(a *auth.Authenticator, upstream *url.URL, o options, m *metrics, logger *slog.Logger) http.Handler {
	return &httputil.ReverseProxy{
		Transport:  newTransport(),
		BufferPool: newBuffers(),
		Rewrite: func(p *httputil.ProxyRequest) {
			// Hop-by-hop headers, those that Connection names too, are gone by
			// now, so that a client cannot have what is set here removed.
			p.SetURL(upstream)
			ctx := p.In.Context()
			l := lineOf(ctx)
			h := o.passedOn(p.Out.Header, l.edge)
			told := fieldsOf(h, len(gatewayHeaders))
			told.set(requestHeader, l.request)
			if origin, err := a.Origin(p.In); err == nil { // Require has seen to it
				p.Out.Host = origin.Host
				told.set("X-Forwarded-Host", origin.Host)
				told.set("X-Forwarded-Proto", origin.Scheme)
			}
			if l.client != "" {
				told.set("X-Forwarded-For", l.client)
			}
			who, _ := auth.FromContext(ctx)
			state, _ := clerk.FromContext(ctx)
			o.removeSession(h, who, state)
			o.tellIdentity(l, h)
			p.Out.Header = h
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			m.upstreamErrors.Add(1)
			logger.ErrorContext(r.Context(), "gateway: the application does not answer", "cause", err.Error())
			http.Error(w, "The application behind this gateway does not answer. Try again later.", http.StatusBadGateway)
		},
	}
}

// removeSession keeps the session of who, and Clerk's, from the application, unless it
// is to have them. Either may be nil.
func (o options) removeSession(h http.Header, who *session.Session, state *clerk.State) {
	removeSessionCookies(h, o.keepSession)
	if state != nil && !o.keepSession {
		removeClerkSession(h, state)
	}
	if who != nil && !o.keepSession {
		removeSessionToken(h, who)
	}
}

// removeSessionToken keeps a session that came as a bearer token from the
// application, which could sign in with it. Other Authorization headers are the
// application's own.
func removeSessionToken(h http.Header, who *session.Session) {
	scheme, token, _ := strings.Cut(h.Get("Authorization"), " ")
	sealed := strings.Count(token, ".") == 4 // a JWE: RFC 7516 3.1
	if who.ReadOnly() && strings.EqualFold(scheme, "Bearer") && (sealed || who.TokenLabel != "") {
		h.Del("Authorization")
	}
}

// removeSessionCookies keeps the session from the application, and the
// application's header limit from the session. With keep, what is left of the
// library's cookies is the session itself.
func removeSessionCookies(h http.Header, keep bool) {
	removeCookies(h, func(name string) bool {
		name = strings.TrimPrefix(strings.TrimPrefix(name, "__Secure-"), "__Host-")
		if keep && (strings.HasPrefix(name, "authjs.session-token") || strings.HasPrefix(name, "next-auth.session-token")) {
			return false
		}
		return strings.HasPrefix(name, "authjs.") || strings.HasPrefix(name, "next-auth.")
	})
}

// clerkCookies are Clerk's, each also with the instance's suffix: an underscore and
// eight characters. Where Clerk is off, __session is somebody else's.
var clerkCookies = []string{"__session", "__refresh", "__client_uat", "__clerk_db_jwt", "__clerk_handshake", "__clerk_handshake_nonce", "__clerk_redirect_count"}

// removeClerkSession is the same for what Clerk's browsers and programs send.
func removeClerkSession(h http.Header, state *clerk.State) {
	removeCookies(h, func(name string) bool {
		return slices.ContainsFunc(clerkCookies, func(own string) bool {
			suffix, ok := strings.CutPrefix(name, own)
			return ok && (suffix == "" || len(suffix) == 9 && suffix[0] == '_')
		})
	})
	if words := strings.Fields(h.Get("Authorization")); len(words) > 0 && words[len(words)-1] == state.Token {
		h.Del("Authorization")
	}
}

// removeCookies removes those whose name drop says.
func removeCookies(h http.Header, drop func(name string) bool) {
	var kept []string
	for _, line := range h["Cookie"] {
		for pair := range strings.SplitSeq(line, ";") {
			pair = strings.TrimSpace(pair)
			if name, _, _ := strings.Cut(pair, "="); pair != "" && !drop(name) {
				kept = append(kept, pair)
			}
		}
	}
	h.Del("Cookie")
	if kept != nil {
		h.Set("Cookie", strings.Join(kept, "; "))
	}
}
