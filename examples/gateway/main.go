// Command gateway puts sign-in in front of any web application, which needs no change
// and learns from headers who it is. It is configured by the environment alone:
//
//	UPSTREAM_URL     the application, such as http://127.0.0.1:8080. Required
//	HOST, PORT       where the gateway listens: 127.0.0.1 and 3000 if unset
//	TRUSTED_PROXIES  CIDRs, separated by commas, whose X-Forwarded-* headers count, or
//	                 none; if unset, loopback and private addresses for scheme and
//	                 host, and loopback alone for the address of a client
//
//	GATEWAY_OPEN_PATHS    paths that need no sign-in, separated by commas, as they are
//	                      spelled and no other way; a slash at the end for all below
//	GATEWAY_KEEP_SESSION  1 passes the session's cookies and token on, to an application
//	                      that reads them itself
//
//	SESSION_STORE_URL  where sessions are kept, so that a sign-out holds on every node and
//	                   after a restart, and wrong codes are counted together; if unset,
//	                   in cookies
//	    redis://user:password@host:6379/0     Redis; rediss:// with TLS. ?master_name=name
//	                                          is for Sentinel, ?addr=host2:6379 for a Cluster
//	    postgres://user:password@host/db      PostgreSQL; its tables are made at start
//	    sqlite:/var/lib/gateway/sessions.db   SQLite, for one machine
//	    memory:                               this process, and until it ends
//
// and the variables of sign-in, which [auth.ConfigFromEnv] reads: SSO providers, an
// access code, or Clerk, whose active organization is a group.
//
//	browser -> gateway: signed in? -> the application
//	                    X-Forwarded-User, -Email, -Preferred-Username, -Groups, -Provider
//
// What a client says in these headers is dropped, and so are the session's cookies. A
// header is passed on as it is or left out, never mended; a user's id that no header
// can hold as it stands refuses the request.
//
// Two paths answer without a sign-in: GET /healthz, as long as the gateway runs, and GET
// /readyz, with 503 while the session store is down. Nothing else waits for it at start.
//
// The gateway does not keep others from the application: where it can be reached at
// another address, anybody can send it the same headers.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9/logging"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/clerk"
	"github.com/sallyport/auth/envvar"
	"github.com/sallyport/auth/examples/internal/serve"
	"github.com/sallyport/auth/providers"
)

func main() {
	logging.Disable() // of go-redis, which writes lines of its own; its errors say the same
	logger := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	if err := run(serve.UntilInterrupt(), os.Getenv, logger); err != nil {
		fmt.Fprintln(os.Stderr, err) // for a person, a problem a line
		os.Exit(1)
	}
}

func run(ctx context.Context, env auth.Env, logger *slog.Logger) error {
	store, storeErr := openStore(env(storeVariable), logger)
	if store.close != nil {
		defer store.close()
	}
	config, err := auth.ConfigFromEnv(env, parts(store, logger))
	upstream, upstreamErr := upstreamURL(env("UPSTREAM_URL"))
	trusted, proxiesErr := proxies(env("TRUSTED_PROXIES"))
	options, optionsErr := readOptions(env)
	storeErr = errors.Join(storeErr, store.use(&config, env("NEXT_AUTH_SSO_SESSION_STRATEGY")))
	if err = errors.Join(err, storeErr, upstreamErr, proxiesErr, optionsErr); err != nil {
		return err
	}
	if trusted != nil {
		config.TrustedProxies = trusted
	}
	a, err := auth.New(config)
	if err != nil {
		return err
	}
	listener, err := serve.Listen(env)
	if err != nil {
		return err
	}
	logger.Info("gateway: open http://"+listener.Addr().String(), "upstream", upstream.Host)
	if !strings.Contains(config.URL, "://") && serve.BeyondThisMachine(listener) {
		logger.Warn("gateway: any Host that a request names is believed to be this site's: set NEXTAUTH_URL, as https://app.example.com/api/auth")
	}
	if store.migrate != nil {
		migrating, end := context.WithCancel(ctx)
		var background sync.WaitGroup
		background.Go(func() { keepMigrating(migrating, store.migrate, logger) })
		defer background.Wait()
		defer end()
	}
	return serve.HTTP(ctx, listener, handler(a, upstream, options, logger))
}

// parts are every way in that the environment can ask for.
func parts(store sessionStore, logger *slog.Logger) auth.Parts {
	return auth.Parts{Providers: providers.All(), Backend: withProfiles, AccessCode: store.accessCode, Store: store.Replacer, Logger: logger, Names: names}
}

func names() []string { return envvar.Names(os.Environ()) }

// withProfiles is [clerk.FromEnv] for a gateway that passes addresses on: a token of
// Clerk's has none.
func withProfiles(env auth.Env, client *http.Client) (auth.Backend, error) {
	c, err := clerk.ConfigFromEnv(env)
	if err != nil {
		return nil, err
	}
	c.Profiles, c.HTTPClient = true, client
	return clerk.New(c)
}

// handler is the whole gateway. It serves the routes of sign-in itself.
func handler(a *auth.Authenticator, upstream *url.URL, o options, logger *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "ok")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if err := a.Ready(r.Context()); err != nil {
			logger.WarnContext(r.Context(), "gateway: not ready", "error", err)
			http.Error(w, "The session store does not answer.", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ok")
	})
	protected := a.Require(newProxy(a, upstream, o, logger))
	open := a.Identify(newOpenProxy(a, upstream, o, logger)) // answers the routes of sign-in too
	return logRequests(logger, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// By the plain path, not by the mux's: it redirects odd paths before anybody
		// has signed in.
		if r.URL.Path == "/healthz" || r.URL.Path == "/readyz" {
			mux.ServeHTTP(w, r)
			return
		}
		if o.open.lets(r) {
			open.ServeHTTP(w, r)
			return
		}
		protected.ServeHTTP(w, r)
	}))
}

// upstreamURL takes an http or https address. The error is an [*envvar.Error].
func upstreamURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, &envvar.Error{Variable: "UPSTREAM_URL", Problem: "is not an address", Cure: "set it to the web application behind the gateway, such as http://127.0.0.1:8080"}
	}
	return u, nil
}

// proxies reads TRUSTED_PROXIES. It is nil where that is not set. The error is an
// [*envvar.Error].
func proxies(list string) ([]string, error) {
	switch list {
	case "":
		return nil, nil
	case "none":
		return []string{}, nil
	}
	entries := envvar.Split(list)
	for _, s := range entries {
		_, prefixErr := netip.ParsePrefix(s)
		if _, err := netip.ParseAddr(s); err != nil && prefixErr != nil {
			entries = nil
			break
		}
	}
	if len(entries) == 0 {
		return nil, &envvar.Error{Variable: "TRUSTED_PROXIES", Problem: "is not a list of networks", Cure: "write it like 10.0.0.0/8,192.168.1.7, or set it to none"}
	}
	return entries, nil
}
