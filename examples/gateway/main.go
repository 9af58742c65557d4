// Command gateway puts sign-in in front of any web application, which needs no change
// and learns from headers who it is. It is configured by the environment alone: gateway
// --help lists all variables, and docs/gateway.md says more.
//
//	browser -> gateway: signed in, and may see this? -> the application
//	                    X-Forwarded-User, -Email, -Preferred-Username, -Groups, -Provider,
//	                    or a signed JWT: X-Identity-Token
//
// What a client says in these headers is dropped, and so are the session's cookies. A
// header is passed on as it is or left out, never mended; a user's id that no header
// can hold as it stands refuses the request.
//
// GET /healthz answers without a sign-in as long as the gateway runs, and GET /readyz, here
// or on a port of its own, with 503 while the session store is down. Nothing else waits
// for it at start.
//
// The gateway does not keep others from the application: where it can be reached at
// another address, anybody can send it the same headers.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"runtime/debug"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9/logging"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/clerk"
	"github.com/sallyport/auth/envvar"
	"github.com/sallyport/auth/examples/internal/serve"
	"github.com/sallyport/auth/providers"
)

// gcPercent is GOGC where that is not set: what the gateway keeps is little, some 20 MB, and with
// Go's 100 it would look for garbage many times a second.
const gcPercent = 400

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	logging.Disable() // of go-redis, which writes lines of its own; its errors say the same
	os.Exit(command(serve.UntilInterrupt(), os.Args[1:], os.Getenv, os.Stdout, os.Stderr))
}

// command does what the arguments ask for, and returns what to exit with.
func command(ctx context.Context, args []string, env auth.Env, out, problems io.Writer) int {
	switch strings.Join(args, " ") {
	case "":
		if err := run(ctx, env, problems); err != nil {
			fmt.Fprintln(problems, err) // for a person, a problem a line
			return 1
		}
		return 0
	case "-h", "-help", "--help":
		help(out)
		return 0
	case "-check", "--check":
		return check(ctx, env, out)
	}
	fmt.Fprintln(problems, "gateway takes no arguments but --help, which lists the variables that configure it, and --check, which looks whether people can sign in.")
	return 2
}

// prepared is what the environment asks for.
type prepared struct {
	auth     *auth.Authenticator
	upstream *url.URL
	options  options
	metrics  *metrics
	store    sessionStore // to be closed
	url      string       // of the routes, as configured
}

// prepare reads the environment. What it returns is to be closed, with an error too.
func prepare(env auth.Env, logger *slog.Logger) (g prepared, err error) {
	store, storeErr := openStore(env(storeVariable), logger)
	g.store = store
	config, err := auth.ConfigFromEnv(env, parts(store, logger))
	upstream, upstreamErr := upstreamURL(env("UPSTREAM_URL"))
	trusted, proxiesErr := proxies(env("TRUSTED_PROXIES"))
	options, optionsErr := readOptions(env, config.URL)
	storeErr = errors.Join(storeErr, store.use(&config, env("NEXT_AUTH_SSO_SESSION_STRATEGY")))
	if err = errors.Join(err, storeErr, upstreamErr, proxiesErr, optionsErr); err != nil {
		return g, err
	}
	if trusted != nil {
		config.TrustedProxies = trusted
	}
	g.upstream, g.metrics, g.url = upstream, newMetrics(), config.URL
	options.use(&config, g.metrics)
	g.options = options
	g.auth, err = auth.New(config)
	return g, err
}

func (g prepared) close() {
	if g.store.close != nil {
		g.store.close()
	}
}

// run is the gateway, with its log in out.
func run(ctx context.Context, env auth.Env, out io.Writer) error {
	log := newLogBuffer(out)
	defer log.flush()
	logger := newLogger(log)
	g, err := prepare(env, logger)
	defer g.close()
	if err != nil {
		return err
	}
	options := g.options
	listener, err := serve.Listen(env)
	if err != nil {
		return err
	}
	logger.Info("gateway: open http://"+listener.Addr().String(), "upstream", g.upstream.Host)
	if !strings.Contains(g.url, "://") && serve.BeyondThisMachine(listener) {
		logger.Warn("gateway: any Host that a request names is believed to be this site's: set NEXTAUTH_URL, as https://app.example.com/api/auth")
	}
	if options.tokens != nil && options.tokens.made {
		logger.Warn("gateway: the key that identity tokens are signed with was made at start, and ends with the process: set " + keyVariable + " where there are several gateways")
	}
	background, end := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer end()
	if options.adminAddr != "" {
		admin, err := net.Listen("tcp", options.adminAddr)
		if err != nil {
			listener.Close()
			return fmt.Errorf("%w (set %s)", err, adminVariable)
		}
		logger.Info("gateway: /metrics and /readyz at http://" + admin.Addr().String())
		running.Go(func() { _ = serve.HTTP(background, admin, adminHandler(g.auth, g.metrics, logger)) })
	}
	if g.store.migrate != nil {
		running.Go(func() { keepMigrating(background, g.store.migrate, logger) })
	}
	return serve.HTTP(ctx, listener, handler(g.auth, g.upstream, options, g.metrics, logger, log.requests(options.unbuffered)))
}

// use has config know what the gateway needs of it.
func (o *options) use(config *auth.Config, m *metrics) {
	o.trusted = config.TrustedProxies
	config.OnEvent = m.event
	config.PassPreflight = o.preflight
	config.KeepGroups = o.rules.groups() // or a session that is too large loses them first
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
