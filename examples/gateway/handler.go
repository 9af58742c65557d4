package main

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"

	"github.com/sallyport/auth"
)

const (
	verifyPath = "/verify"                // below the routes: what other proxies ask whether somebody may go on
	keysPath   = "/.well-known/jwks.json" // below the routes: the key that identity tokens are checked with
)

// handler is the whole gateway. It serves the routes of sign-in itself, and writes a line about each
// request to requests.
func handler(a *auth.Authenticator, upstream *url.URL, o options, m *metrics, logger *slog.Logger, requests io.Writer) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "ok")
	})
	if o.adminAddr == "" {
		mux.Handle("GET /readyz", ready(a, logger))
	}
	verify := newVerifier(a, o, logger)
	site := guard(a, o, identified(a, o, logger, newProxy(a, upstream, o, m, logger)))
	return logRequests(a, o, m, requests, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// By the plain path, not by the mux's: it redirects odd paths before anybody
		// has signed in.
		switch path := r.URL.Path; {
		case path == "/healthz" || path == "/readyz":
			mux.ServeHTTP(w, r)
		case o.routes.is(path, verifyPath):
			verify.ServeHTTP(w, r)
		case o.tokens != nil && o.routes.is(path, keysPath):
			o.tokens.ServeHTTP(w, r)
		default:
			site.ServeHTTP(w, r)
		}
	}))
}
