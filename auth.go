// Package auth gives a Go web server sign-in: through Auth0, Microsoft Entra
// ID, Authentik, GitHub, ZITADEL or any OpenID Connect issuer, or by an access
// code, with sessions that are Auth.js session tokens; or by Clerk, with its own.
//
//	cfg, err := auth.ConfigFromEnv(os.Getenv, auth.Parts{Providers: providers.All()})
//	if err != nil {
//		log.Fatal(err) // every problem of the environment at once
//	}
//	a, err := auth.New(cfg)
//	if err != nil {
//		log.Fatal(err)
//	}
//	log.Fatal(http.ListenAndServe(":3000", a.Require(mux)))
//
// Or by hand:
//
//	gh, err := github.New(github.Config{ClientID: id, ClientSecret: auth.NewSecret(secret)})
//	a, err := auth.New(auth.Config{
//		Secrets:   []auth.Secret{auth.NewSecret(key)},
//		Providers: []auth.Provider{gh},
//		Policy:    policy, // AllowEmails("example.com"), ...
//	})
//
// # What happens
//
// [Authenticator.Require] answers the routes under /api/auth itself and lets
// only people who are signed in reach the handler that it wraps. A browser's
// navigation is sent to the sign-in page and comes back to the page that it
// wanted; anything else gets 401 with a JSON body. The handler finds the person
// with [FromContext].
//
// [Authenticator.Identify] is the same, but lets everyone through.
//
// # What it does not protect from
//
// Sessions that live in the cookie alone cannot be taken back before they
// expire: signing out deletes the browser's copy, and this process refuses the
// token, but a stolen copy works on other nodes until then. Give
// [session.Config] a Store where that matters. What a signed-in person may do
// is the application's business; so is HSTS.
package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/sallyport/auth/internal/forwarded"
	"github.com/sallyport/auth/internal/upstream"
	"github.com/sallyport/auth/session"
)

// DefaultBasePath is where the routes are unless [Config].URL has a path.
const DefaultBasePath = "/api/auth"

// Config says how people sign in. The zero value of every optional field is
// the safe default.
type Config struct {
	// Secrets seal sessions and transactions. The first seals, all open, so
	// that a new one in front signs nobody out. Required; 32 bytes each at least,
	// as `openssl rand -base64 32` makes them. The text itself is the key material.
	Secrets []Secret

	// URL is the public URL of the routes, such as
	// https://example.com/api/auth; without a path it means /api/auth. If
	// empty, the address is taken from each request and the path is /api/auth.
	URL string

	// TrustedProxies are the CIDRs whose X-Forwarded-* and Forwarded headers
	// count. If nil: loopback and private addresses. An empty list trusts none.
	TrustedProxies []string

	// Providers in the order in which the sign-in page shows them. Required
	// unless AccessCode or Backend is set.
	Providers []Provider

	// Backend decides about requests that bring no session of ours: clerk.New.
	// If nil, nobody does.
	Backend Backend

	// AccessCode lets in whoever knows a code, alone or beside the providers:
	// accesscode.New. If nil, nobody.
	AccessCode CodeVerifier

	// AccessCodeHeaders are request headers in which API clients may send a
	// code instead of signing in: "Authorization" (as "Bearer <code>"),
	// "X-Access-Code". If nil, none.
	AccessCodeHeaders []string

	// StraightToProvider skips the sign-in page of this package when there is
	// just one provider and no access code: a person who needs to sign in is
	// asked for nothing but what the provider asks.
	StraightToProvider bool

	// Policy says who, of those whom a provider vouches for, may sign in. If
	// nil, all of them. Whoever knows an access code is admitted by that.
	Policy Policy

	// Session is how long sessions last and where they are kept. If zero: in
	// an Auth.js cookie, for 30 days since the last renewal.
	Session session.Config

	// ReadOnly says that an Auth.js application with the same secret signs people
	// in, on the same domain, and answers the routes. Sessions are then only read:
	// never made, renewed or deleted. Providers, AccessCode and Backend are not
	// allowed beside it. Require sends people to the other's sign-in page, which
	// SignInURL names if it is not /signin below the routes.
	ReadOnly bool

	// Enrich changes the session of somebody who signs in with a provider, after
	// Policy and before it is written: Auth.js's jwt callback. It may map
	// s.Subject to a user id of the application, and set claims. An error refuses
	// the sign-in. If nil, nothing.
	Enrich func(ctx context.Context, s *session.Session, id *Identity) error

	// Update changes a session because the browser asks, with data that it sends:
	// update() of Auth.js's client. Anybody signed in can send anything: take from
	// data what people may say of themselves, and no more. An error leaves the
	// session as it was. If nil, data counts for nothing.
	Update func(ctx context.Context, s *session.Session, data json.RawMessage) error

	// ReturnTo says where somebody goes after signing in; to is where they wanted
	// to go. What it answers is held to the rules for to: a path of the
	// application, or an address at one of ReturnOrigins. If nil, to.
	ReturnTo func(ctx context.Context, s *session.Session, to string) string

	// ReturnOrigins are other origins of the application, such as
	// https://www.example.com, whose pages people may return to after signing in
	// or out. If nil, none. Session.CookieDomain shares the session with them.
	ReturnOrigins []string

	// NextAuthV4 says that browsers run next-auth v4's client, which wants {} from
	// GET /session where nobody is signed in. Auth.js's wants null.
	NextAuthV4 bool

	// SignInURL and ErrorURL send people to pages of the application instead of
	// ours, as Auth.js's pages option does: a path, to which callbackUrl or error
	// is added as a query parameter. error is one of Auth.js's codes, and detail, if
	// there is more to say, one of ours. Both must be reachable without signing in.
	SignInURL, ErrorURL string

	// Templates replaces the pages "signin", "signout" and "error", each of
	// which is given a [Page]. Those not defined stay ours.
	Templates *template.Template

	// OnEvent is told of every sign-in, refusal, update and sign-out, in the request's
	// goroutine. If nil, only the logger is.
	OnEvent func(context.Context, Event)

	// Logger receives causes of failures. If nil, [slog.Default].
	Logger *slog.Logger

	// Now is the clock. If nil, [time.Now].
	Now func() time.Time
}

// Authenticator is a configured sign-in. It is safe for concurrent use.
type Authenticator struct {
	providers map[string]Provider
	order     []Provider
	straight  Provider
	backend   Backend
	code      CodeVerifier
	policy    Policy
	sessions  *session.Manager
	txns      *transactions
	csrf      *csrf
	pages     *pageSet
	origin    *url.URL // nil: from each request
	base      string   // "/api/auth"
	proxies   forwarded.Proxies
	signInURL string
	errorURL  string

	codeHeaders []string

	readOnly, nextAuthV4 bool
	returnOrigins        []string
	enrich               func(context.Context, *session.Session, *Identity) error
	update               func(context.Context, *session.Session, json.RawMessage) error
	returnTo             func(context.Context, *session.Session, string) string
	public               func(*session.Session, *session.View)

	onEvent func(context.Context, Event)
	log     *slog.Logger
	now     func() time.Time
}

var headerName = regexp.MustCompile(`^[A-Za-z0-9-]+$`)
var providerName = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// New checks c and returns the Authenticator. It does no network I/O and starts
// no goroutine. The error joins every problem that c has.
func New(c Config) (*Authenticator, error) {
	a := &Authenticator{
		providers: make(map[string]Provider, len(c.Providers)),
		order:     c.Providers,
		backend:   c.Backend,
		code:      c.AccessCode,
		policy:    c.Policy,
		onEvent:   c.OnEvent,
		log:       c.Logger,
		now:       c.Now,
		signInURL: c.SignInURL,
		errorURL:  c.ErrorURL,

		readOnly: c.ReadOnly, nextAuthV4: c.NextAuthV4, returnOrigins: c.ReturnOrigins,
		enrich: c.Enrich, update: c.Update, returnTo: c.ReturnTo, public: c.Session.Public,
	}
	if a.log == nil {
		a.log = slog.Default()
	}
	if a.now == nil {
		a.now = time.Now
	}
	var err error
	problem := func(e error) {
		if e != nil {
			err = errors.Join(err, e)
		}
	}
	var e error
	a.sessions, e = session.NewManager(c.Session, c.Secrets, a.now)
	problem(e)
	a.origin, a.base, e = publicURL(c.URL)
	problem(e)
	a.proxies, e = trustedProxies(c.TrustedProxies)
	problem(e)
	a.pages, e = newPages(c.Templates)
	problem(e)
	problem(a.addProviders(c.Providers))
	problem(checkOrigins(c.ReturnOrigins))
	a.codeHeaders, e = codeHeaders(c)
	problem(e)
	problem(checkPage("SignInURL", c.SignInURL))
	problem(checkPage("ErrorURL", c.ErrorURL))
	if err != nil {
		return nil, err
	}
	if c.StraightToProvider && len(c.Providers) == 1 && c.AccessCode == nil {
		a.straight = c.Providers[0]
	}
	a.txns = newTransactions(c.Secrets, a.now)
	a.csrf = newCSRF(c.Secrets)
	return a, nil
}

func (a *Authenticator) addProviders(list []Provider) error {
	ways := len(list) > 0 || a.code != nil || a.backend != nil
	switch {
	case !ways && !a.readOnly:
		return errors.New("auth: Config has no Providers, no AccessCode and no Backend: nobody could sign in; set ReadOnly if an Auth.js application signs people in")
	case ways && a.readOnly:
		return errors.New("auth: Config.ReadOnly leaves signing in to an Auth.js application: leave Providers, AccessCode and Backend unset")
	}
	var err error
	for i, p := range list {
		switch {
		case p == nil:
			err = errors.Join(err, fmt.Errorf("auth: Config.Providers[%d] is nil", i))
		case p.Name() == AccessCode:
			err = errors.Join(err, fmt.Errorf("auth: Config.Providers[%d] has the name %q, which is taken", i, AccessCode))
		case !providerName.MatchString(p.Name()):
			err = errors.Join(err, fmt.Errorf("auth: Config.Providers[%d] has the name %q: want lower-case letters, digits and hyphens", i, p.Name()))
		case a.providers[p.Name()] != nil:
			err = errors.Join(err, fmt.Errorf("auth: two providers have the name %q: give one another", p.Name()))
		default:
			a.providers[p.Name()] = p
		}
	}
	return err
}

// codeHeaders are the configured ones in canonical form. Cookie would be a way
// for other sites to send a code.
func codeHeaders(c Config) ([]string, error) {
	if len(c.AccessCodeHeaders) > 0 && c.AccessCode == nil {
		return nil, errors.New("auth: Config.AccessCodeHeaders is set, and Config.AccessCode is not")
	}
	var list []string
	for _, name := range c.AccessCodeHeaders {
		if !headerName.MatchString(name) || strings.EqualFold(name, "Cookie") {
			return nil, fmt.Errorf("auth: Config.AccessCodeHeaders: %q: want a header such as Authorization or X-Access-Code", name)
		}
		list = append(list, http.CanonicalHeaderKey(name))
	}
	return list, nil
}

// publicURL splits the configured address of the routes.
func publicURL(raw string) (origin *url.URL, base string, err error) {
	if raw == "" {
		return nil, DefaultBasePath, nil
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" ||
		(u.Scheme != "https" && u.Scheme != "http") {
		return nil, "", errors.New("auth: Config.URL is not the address of the routes: want one like https://example.com/api/auth")
	}
	base = strings.TrimRight(u.EscapedPath(), "/")
	if base == "" {
		base = DefaultBasePath
	}
	if strings.Contains(base, "%") || strings.Contains(base, "//") || strings.Contains(base, "/.") {
		return nil, "", errors.New("auth: Config.URL has a path that is not plain: want one like /api/auth")
	}
	return &url.URL{Scheme: u.Scheme, Host: strings.ToLower(u.Host)}, base, nil
}

func trustedProxies(list []string) (forwarded.Proxies, error) {
	if list == nil {
		return forwarded.Default(), nil
	}
	p, err := forwarded.ParseProxies(list)
	if err != nil {
		return nil, fmt.Errorf("auth: Config.TrustedProxies: %w", err)
	}
	return p, nil
}

func checkOrigins(list []string) (err error) {
	for _, o := range list {
		if u, e := upstream.CheckURL(o); e != nil || u.Scheme+"://"+strings.ToLower(u.Host) != o {
			err = errors.Join(err, fmt.Errorf("auth: Config.ReturnOrigins: %q: want one like https://www.example.com", o))
		}
	}
	return err
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
