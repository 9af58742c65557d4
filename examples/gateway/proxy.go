package main

import (
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"

	"github.com/sallyport/auth"
)

// identityHeaders tell the application who it is.
var identityHeaders = []string{"X-Forwarded-User", "X-Forwarded-Email", "X-Forwarded-Preferred-Username", "X-Forwarded-Groups", "X-Forwarded-Provider"}

// newProxy passes requests on with the identity of the person who is signed in.
func newProxy(upstream *url.URL, logger *slog.Logger) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			// Hop-by-hop headers, those that Connection names too, are gone by
			// now, so that a client cannot have what is set here removed.
			p.SetURL(upstream)
			p.Out.Host = p.In.Host
			p.Out.Header["X-Forwarded-For"] = p.In.Header["X-Forwarded-For"]
			p.SetXForwarded()
			removeIdentity(p.Out.Header)
			removeSessionCookies(p.Out.Header)
			setIdentity(p.Out)
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			logger.ErrorContext(r.Context(), "gateway: the application does not answer", "cause", err.Error())
			http.Error(w, "The application behind this gateway does not answer. Try again later.", http.StatusBadGateway)
		},
	}
}

// removeIdentity deletes whatever an application could take for one of the
// identity headers: many read "-" and "_" as the same, and case never counts.
func removeIdentity(h http.Header) {
	for name := range h {
		plain := strings.ReplaceAll(name, "_", "-")
		for _, own := range identityHeaders {
			if strings.EqualFold(plain, own) {
				delete(h, name)
			}
		}
	}
}

// removeSessionCookies keeps the session from the application, and the
// application's header limit from the session.
func removeSessionCookies(h http.Header) {
	var kept []string
	for _, line := range h["Cookie"] {
		for pair := range strings.SplitSeq(line, ";") {
			pair = strings.TrimSpace(pair)
			name, _, _ := strings.Cut(pair, "=")
			name = strings.TrimPrefix(strings.TrimPrefix(name, "__Secure-"), "__Host-")
			if pair != "" && !strings.HasPrefix(name, "authjs.") && !strings.HasPrefix(name, "next-auth.") {
				kept = append(kept, pair)
			}
		}
	}
	h.Del("Cookie")
	if kept != nil {
		h.Set("Cookie", strings.Join(kept, "; "))
	}
}

func setIdentity(r *http.Request) {
	who, ok := auth.FromContext(r.Context())
	if !ok {
		return
	}
	set := func(name, value string) {
		if value = clean(value); value != "" {
			r.Header.Set(name, value)
		}
	}
	set("X-Forwarded-User", who.Subject)
	if who.EmailVerified {
		set("X-Forwarded-Email", who.Email)
	}
	set("X-Forwarded-Preferred-Username", who.Username)
	set("X-Forwarded-Provider", who.Provider)
	var groups []string
	for _, g := range who.Groups {
		if !strings.Contains(g, ",") { // it would be read as two
			groups = append(groups, g)
		}
	}
	set("X-Forwarded-Groups", strings.Join(groups, ","))
}

// clean drops control characters, which no header may hold. The rest is UTF-8 as
// it is.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, s)
}
