package clerk

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// Everything of Clerk from the application's own domain:
//
//	browser                     application                 Clerk
//	   │ /__clerk/v1/client?x=1     │                          │
//	   ├───────────────────────────>│ https://frontend-api.clerk.dev/v1/client?x=1
//	   │                            ├─────────────────────────>│
//	   │                            │ + Clerk-Secret-Key       │
//	   │                            │ + Clerk-Proxy-Url, X-Forwarded-For, -Host, -Proto
//	   │                            │ - cookies of ours, headers of other proxies
//
// The secret key is why the host is fixed, and compared again after the path is put
// behind it: in CVE-2026-34076 a path that began with // became another host.
const (
	frontendHost = "frontend-api.clerk.dev" // where Clerk wants proxies to go
	proxyTimeout = time.Minute
	maxToClerk   = 16 << 20 // a picture of oneself is the largest thing that people send
	maxFromClerk = 64 << 20
)

// FrontendProxy passes requests below [Config].ProxyURL on to Clerk's Frontend
// API, so that everything of Clerk comes from the application's own domain. It is
// mounted outside of Require:
//
//	mux.Handle("/__clerk/", proxy)
//
// The secret key goes to Clerk's host and nowhere else. Requests may take a minute
// and have 16 MiB, answers 64 MiB; what Clerk cannot be asked for is answered 404,
// 405, 413 or 502. The client's address is what [auth.New], which has been given b,
// takes it for, by Config.TrustedProxies and Config.Forwarded; without that, or before,
// what these are by default. Clerk's dashboard, Domains, has to know of the proxy.
//
// The error says that ProxyURL is no whole address, or has no path to mount the handler
// at, or that there is no SecretKey. The handler is safe for concurrent use.
func (b *Backend) FrontendProxy() (http.Handler, error) {
	public, err := url.Parse(b.config.ProxyURL)
	if err != nil || public.Host == "" || strings.Trim(public.Path, "/") == "" {
		return nil, errors.New("clerk: FrontendProxy needs Config.ProxyURL with a path, such as https://example.com/__clerk")
	}
	if b.config.SecretKey.IsZero() {
		return nil, errors.New("clerk: FrontendProxy needs Config.SecretKey")
	}
	prefix := strings.TrimRight(public.EscapedPath(), "/")
	proxy := &httputil.ReverseProxy{
		Transport:      b.client.HTTPClient(maxFromClerk).Transport,
		Rewrite:        func(p *httputil.ProxyRequest) { b.toClerk(p, public, prefix, (*b.clientOf.Load())(p.In)) },
		ModifyResponse: func(resp *http.Response) error { b.fromClerk(resp, public, prefix); return nil },
		ErrorHandler:   b.proxyFailed,
		ErrorLog:       log.New(io.Discard, "", 0), // all of it has been through ErrorHandler
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, ok := proxyTarget(r.URL, prefix); !ok {
			http.NotFound(w, r)
			return
		}
		switch r.Method {
		case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS":
		default:
			http.Error(w, "Method not allowed", http.StatusMethodNotAllowed)
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), proxyTimeout)
		defer cancel()
		r.Body = http.MaxBytesReader(w, r.Body, maxToClerk)
		proxy.ServeHTTP(w, r.WithContext(ctx))
	}), nil
}

// toClerk makes a request one to Clerk. Nothing that proxies say is passed on.
func (b *Backend) toClerk(p *httputil.ProxyRequest, public *url.URL, prefix string, client netip.Addr) {
	out := p.Out
	// By concatenation: a path that begins with // stays a path.
	out.URL, _ = proxyTarget(p.In.URL, prefix) // checked by FrontendProxy
	out.Host = frontendHost
	h := out.Header
	for _, name := range []string{"Connection", "Te", "Upgrade", "X-Real-Ip", "Clerk-Proxy-Url", "Clerk-Secret-Key"} {
		h.Del(name)
	}
	for name := range h {
		if strings.HasPrefix(name, "X-Forwarded-") || strings.Contains(name, "_") { // some servers read _ as -
			delete(h, name)
		}
	}
	h["Cookie"] = clerksCookies(h["Cookie"])
	h.Set("Clerk-Proxy-Url", b.frontendAPI)
	h.Set("Clerk-Secret-Key", b.config.SecretKey.Reveal())
	h.Set("X-Forwarded-Host", public.Host)
	h.Set("X-Forwarded-Proto", public.Scheme)
	if client.IsValid() {
		h.Set("X-Forwarded-For", client.String())
	}
}

// fromClerk keeps redirects within Clerk's API on this domain.
func (b *Backend) fromClerk(resp *http.Response, public *url.URL, prefix string) {
	if to, err := url.Parse(resp.Header.Get("Location")); err == nil && resp.Header.Get("Location") != "" {
		if to.Host == frontendHost || to.Host == b.instance.frontendAPI || to.Host == "" && strings.HasPrefix(to.Path, "/") {
			to.Scheme, to.Host, to.Path, to.RawPath = public.Scheme, public.Host, prefix+to.Path, ""
			resp.Header.Set("Location", to.String())
		}
	}
}

// proxyFailed answers where Clerk does not. The cause goes to the log, without the
// address, whose query may have a token.
func (b *Backend) proxyFailed(w http.ResponseWriter, r *http.Request, err error) {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		http.Error(w, "The request is too large.", http.StatusRequestEntityTooLarge)
		return
	}
	b.log.WarnContext(r.Context(), "clerk: the Frontend API cannot be reached", "cause", err.Error())
	http.Error(w, "Clerk cannot be reached at the moment. Try again later.", http.StatusBadGateway)
}

// proxyTarget is where a request below prefix goes at Clerk. ok is false for
// whatever is not below it.
func proxyTarget(u *url.URL, prefix string) (to *url.URL, ok bool) {
	rest, ok := strings.CutPrefix(u.EscapedPath(), prefix)
	to, err := url.Parse("https://" + frontendHost + rest)
	// What follows prefix may begin with anything, and must not become part of the host.
	if !ok || err != nil || to.Host != frontendHost || to.User != nil {
		return nil, false
	}
	to.RawQuery = u.RawQuery
	return to, true
}

// clerksCookies leaves out the sessions of this library, which are none of
// Clerk's business.
func clerksCookies(lines []string) (kept []string) {
	for _, line := range lines {
		var pairs []string
		for pair := range strings.SplitSeq(line, ";") {
			pair = strings.TrimSpace(pair)
			if pair != "" && !strings.Contains(pair, "authjs.") && !strings.Contains(pair, "next-auth.") {
				pairs = append(pairs, pair)
			}
		}
		if len(pairs) > 0 {
			kept = append(kept, strings.Join(pairs, "; "))
		}
	}
	return kept
}
