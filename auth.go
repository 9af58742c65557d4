// Package auth gives a Go web server sign-in: through Auth0, Microsoft Entra ID,
// authentik, GitHub, ZITADEL or any OpenID Connect issuer, or by an access code,
// with sessions that are Auth.js session tokens; or by Clerk, with its own.
//
//	config, err := auth.ConfigFromEnv(os.Getenv, auth.Parts{
//		Providers: providers.All(), Backend: clerk.FromEnv, AccessCode: accesscode.FromEnv,
//	})
//	if err != nil {
//		log.Fatal(err) // every problem of the environment, a line each
//	}
//	a, err := auth.New(config)
//	if err != nil {
//		log.Fatal(err)
//	}
//	log.Fatal(http.ListenAndServe(":3000", a.Require(mux)))
//
// # What happens
//
// [Authenticator.Require] answers the routes under /api/auth itself and lets
// only people who are signed in reach the handler that it wraps. A browser's
// navigation is sent to the sign-in page and comes back to the page that it
// wanted; anything else gets 401 with a JSON body. The handler finds the person
// with [FromContext].
//
//	GET /reports                           303 to the sign-in page
//	GET /api/auth/signin                   every way in, a button each
//	POST /api/auth/signin/github           303 to GitHub: state, nonce and PKCE are in a sealed cookie
//	    the person signs in there
//	GET /api/auth/callback/github?code=    the code is exchanged, the identity checked, the session begun
//	GET /reports                           the handler, with a session
//
// [Authenticator.Identify] lets everybody through and says who it is, if anybody;
// [Authenticator.RequireRule] asks for more than a session. They nest: the
// outermost looks the session up, once for each request. Each is, or returns, a plain
// function from handler to handler, for any router that takes one.
//
// # Configuration
//
// In code, [New] takes a [Config]. Two fields have to be set: Secrets, which seal
// whatever a browser keeps, and one way in. Providers come from packages:
// providers/github, providers/auth0 and their neighbours, providers/oidc for any
// OpenID Connect issuer, providers/oauth2 for a plain OAuth 2.0 server. An access
// code is package accesscode's, Clerk is package clerk's.
//
// By environment, [ConfigFromEnv] reads what a LobeChat deployment has. A program
// hands in, as [Parts], what it is ready to link; a provider that it does not name
// there is not in its binary.
//
// The callback URL to register at a provider is /api/auth/callback/ and the
// provider's name, below the public address of the site.
//
// # Who may enter
//
// A provider vouches for an [Identity]: an issuer, a subject that never changes
// hands, and what else it knows. A [Policy] says whose sign-in counts; without one,
// everybody's whom the provider lets in. [Config].Enrich sees the session before
// it is written, and may map the person to a user of the application. A [Rule]
// decides about one request of somebody who is signed in.
//
// People are the same only where issuer and subject are: a name, a login name and
// an e-mail address may change hands.
//
// # Sessions
//
// A session is an Auth.js token in an encrypted cookie, or in a store; package
// session describes both, and how long they last. GET /api/auth/session shows
// scripts who is signed in, never a token. Sign-out is a form that is posted to
// /api/auth/signout. /api/auth/sessions is where somebody sees where else they are signed
// in, and ends that; [Authenticator.Sessions] and [Authenticator.Revoke] are for
// administrators.
//
// # Behind a proxy
//
// Where Config.URL is set, it is the address of the site, whatever a request says.
// Otherwise the address is the request's, which can be any unless
// [Config].AllowedHosts says which. What X-Forwarded-* say counts only from
// [Config].TrustedProxies; Forwarded counts instead, never beside them, where
// [Config].Forwarded says so. A proxy has to set or remove each header of the kind
// that counts. The log says once that a header is ignored, and what would change it.
//
// Below a path of its host, such as /app, a site says so in Config.URL or its proxy
// does, by X-Forwarded-Prefix. Whether the proxy takes /app off makes no difference.
// [http.StripPrefix] may stand around Require or inside it; around it, Config.URL has
// to say what it takes off: https://example.com/app/api/auth, or /app/api/auth alone.
// docs/behind-a-proxy.md has configurations for nginx and Caddy.
//
// # Errors
//
// A sign-in fails for one of the reasons below, the Err variables, which tests
// with [errors.Is] tell apart in a [Policy], a [Provider] and an [Event]. A person
// sees a plain sentence and an id; the cause is in the log beside the same id, and
// never holds a token, a code or a secret.
//
// # What it does not protect from
//
// Sessions that live in the cookie alone cannot be taken back before they expire:
// signing out deletes the browser's copy, and this process refuses the token, but
// a stolen copy works on other nodes until then. Give [session.Config] a Store, or
// Revocations, where that matters. Whoever has one of the secrets can make sessions. What a
// signed-in person may do is the application's business; so is HSTS.
//
// # Compatibility
//
// The wire is Auth.js's: routes, cookie names, tokens and JSON of version 5, so
// that its client works with this server and one session serves both. The two
// newest releases of Go are supported.
package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/sallyport/auth/internal/web"
	"github.com/sallyport/auth/session"
)

// Config says how people sign in. The zero value of every optional field is
// the safe default.
type Config struct {
	// Secrets seal sessions and transactions. The first seals, all open, so
	// that a new one in front signs nobody out. Required; 32 bytes each at least,
	// as `openssl rand -base64 32` makes them. The text itself is the key material.
	Secrets []Secret

	// URL is the public URL of the routes, such as
	// https://example.com/api/auth; without a path it means /api/auth. If
	// empty, the address is taken from each request and the path is /api/auth. A
	// path alone, /app/api/auth, leaves scheme and host to each request.
	//
	// What stands before /api/auth at its end, here /app, is the prefix of the site,
	// which a proxy or [http.StripPrefix] may take off: the routes are recognised with it and
	// without, and each address and return path has it. A URL that ends otherwise
	// has no prefix.
	URL string

	// TrustedProxies are the CIDRs whose X-Forwarded-* headers count, and whoever
	// is at the other end of a Unix socket. If nil: loopback, private and shared
	// (100.64.0.0/10) addresses for scheme, host and prefix; but for the client's address, which limits on access
	// codes go by, loopback alone, since people have private addresses too. An empty
	// list trusts nobody.
	TrustedProxies []string

	// Forwarded says that trusted proxies write the header Forwarded (RFC 7239).
	// It then counts, and X-Forwarded-* do not. If false, it is the other way round.
	Forwarded bool

	// AllowedHosts are those at which requests may come where URL is empty:
	// app.example.com, localhost:3000, *.example.com for one label. Without a port,
	// that of http or https is meant. Others are answered 400. If nil, all may come,
	// and whoever can send a request chooses the address in the answer to it.
	AllowedHosts []string

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

	// PassPreflight has [Authenticator.Require] let CORS preflight requests reach the
	// handler: OPTIONS with Origin and Access-Control-Request-Method, which browsers send
	// without cookies. What the handler answers them is its own to decide; they are
	// nobody's.
	PassPreflight bool

	// StraightToProvider skips the sign-in page of this package when there is
	// just one provider and no access code: a person who needs to sign in is
	// asked for nothing but what the provider asks.
	StraightToProvider bool

	// Policy says who, of those whom a provider or the backend vouches for, may
	// enter. If nil, all of them. Whoever knows an access code is admitted by that.
	// Of a provider's people it is asked when they sign in, of the backend's at each
	// request, for the backend has signed them in before.
	Policy Policy

	// KeepGroups are groups that the application looks for in sessions: in a [Rule], say.
	// A session without a Store is made to fit into the headers that proxies pass
	// ([session.Config].MaxSetCookieBytes), and of somebody's groups those that are named
	// here or by [AllowGroups] of Policy are kept before others. A log line says how many
	// are left out, and the session's claim "groups_truncated". Policy sees all of them.
	KeepGroups []string

	// UserID is what the application calls somebody who is signed in: user.id of
	// GET /session, and [Authenticator.UserID]. A subject is unique with its provider
	// alone. If nil, it is [SubjectID] where there is one way to sign in, and
	// [ProviderSubjectID] where there are several; a log line says which.
	UserID func(s *session.Session) string

	// UserIDClaim is a claim of the session token in which a front end with the same
	// secret finds what UserID says: "userId" for LobeChat's. Each session that is begun
	// here has it; of one that Auth.js began it says who that is, in the place of UserID.
	// If empty, there is none.
	UserIDClaim string

	// Session is how long sessions last and where they are kept. If zero: 30 days, in a cookie.
	Session session.Config

	// CookiePrefix begins the names of all cookies, in the place of "authjs": letters,
	// digits, '.', '-' and '_'. With "admin" they are admin.session-token (unless
	// Session.CookieName is set), admin.csrf-token, admin.txn. and a hash,
	// admin.code-device and admin.again, each with its prefix __Secure- or __Host- over
	// https.
	//
	// Browsers keep one cookie of a name for a host, whatever its port, and ours are for
	// all of its paths. So of two Authenticators on one host with different secrets,
	// or with providers of their own, each sign-in at one is a sign-out at the other:
	// give one of the two a CookiePrefix. An Auth.js front end must use the same names.
	CookiePrefix string

	// ReadOnly says that an Auth.js application with the same secret signs people
	// in, on the same domain, and answers the routes. Sessions are then only read:
	// never made, renewed or deleted. Providers, AccessCode and Backend are not
	// allowed beside it. Require sends people to the other's sign-in page, which
	// SignInURL names if it is not /signin below the routes.
	ReadOnly bool

	// Enrich changes the session of somebody who signs in with a provider, after
	// Policy and before it is written: Auth.js's jwt callback. It may map
	// s.Subject to a user id of the application, and set claims. s.Provider and
	// s.Issuer are to stay. id.Seen says whether it is somebody's first time, so that an
	// application can make an account of its own. An error refuses the sign-in; one that
	// wraps ErrStore says that the application's database is down: 503. If nil, nothing.
	Enrich func(ctx context.Context, s *session.Session, id *Identity) error

	// Update changes a session because the browser asks, with data that it sends:
	// update() of Auth.js's client. Anybody signed in can send anything: take from
	// data what people may say of themselves, and no more. An error leaves the
	// session as it was. If nil, data counts for nothing.
	Update func(ctx context.Context, s *session.Session, data json.RawMessage) error

	// ReturnTo says where somebody goes after signing in; to is where they wanted
	// to go. What it answers is held to the rules for to: a path of the
	// application, with the prefix of URL or without it, or an address at one of
	// ReturnOrigins. If nil, to.
	ReturnTo func(ctx context.Context, s *session.Session, to string) string

	// ReturnOrigins are other origins of the application, such as
	// https://www.example.com, whose pages people may return to after signing in
	// or out. If nil, none. https://*.example.com is one label each, and only for
	// subdomains of Session.CookieDomain.
	//
	// Session.CookieDomain shares the session with those on its domain. Where URL names
	// one host, auth.example.com, [Authenticator.Require] on another of them,
	// client1.example.com, then sends people there to sign in, and they come back to the
	// page of client1 that they asked for.
	//
	// Their pages are trusted with the browser's cookies: they may send forms and
	// requests that change something, open WebSockets, and read GET /session (CORS,
	// with credentials). What else of theirs may be read is the application's to say.
	ReturnOrigins []string

	// CrossOriginPatterns are requests that pages of any site may send with the
	// cookies of somebody who is signed in: patterns of [http.ServeMux], such as
	// "POST /embedded/form". A handler for them MUST NOT trust that the person meant
	// it. Webhooks, which come without a browser's cookies, need none: put their
	// handlers outside Require, or behind Identify. If nil, none.
	CrossOriginPatterns []string

	// FrameAncestors are the origins of pages that may show those of this package in a
	// frame, such as https://portal.example.com, or https://*.example.com for all below
	// one. Each can make people press what they do not see there. With
	// Session.SameSiteNone people sign in inside the frame, and otherwise in a tab that
	// a link opens. If nil, none.
	FrameAncestors []string

	// NextAuthV4 says that browsers run next-auth v4's client, which wants {} from
	// GET /session where nobody is signed in. Auth.js's wants null.
	NextAuthV4 bool

	// SignInURL and ErrorURL send people to pages of the application instead of
	// ours, as Auth.js's pages option does: a path, to which callbackUrl or error
	// is added as a query parameter. error is one of Auth.js's codes, and detail, if
	// there is more to say, one of ours. Both must be reachable without signing in.
	//
	// What went wrong with a sign-in (OAuthCallbackError, CredentialsSignin, MissingCSRF)
	// goes to the sign-in page, that of the application or ours, and the rest to
	// ErrorURL. The form for an access code is at /signin/access-code below the routes,
	// whatever SignInURL is: an application's page may link it, with callbackUrl.
	SignInURL, ErrorURL string

	// Templates replaces the pages "signin", "signout", "sessions" and "error", each of
	// which is given a [github.com/sallyport/auth/pages.Page]. Those not defined stay
	// ours. If nil, all are.
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
	server   *web.Server
	sessions *session.Manager
	userID   func(*session.Session) string
}

// cookiePrefix is of characters that stand in a cookie's name as they are, and is no
// prefix that browsers know, which begin with "__".
var cookiePrefix = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]*$`)

// New checks c and returns the Authenticator. It does no network I/O and starts
// no goroutine. The error joins every problem that c has.
func New(c Config) (*Authenticator, error) {
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.UserID == nil {
		c.UserID = c.unique()
		c.Logger.Info("auth: user ids are "+map[bool]string{true: "provider|subject, for there are several ways to sign in", false: "subjects, for there is one way to sign in"}[c.severalWays()],
			"setting", "Config.UserID (AUTH_USER_ID)")
	}
	names := naming{c.UserIDClaim, c.UserID}
	err := errors.Join(c.idle(), names.check())
	if c.CookiePrefix != "" && c.Session.CookieName == "" {
		c.Session.CookieName = c.CookiePrefix + ".session-token"
	}
	if c.CookiePrefix != "" && !cookiePrefix.MatchString(c.CookiePrefix) {
		err = errors.Join(err, fmt.Errorf("auth: Config.CookiePrefix %q: want letters, digits, '.', '-' and '_', the first a letter or a digit", c.CookiePrefix))
	}
	if c.Session.UserID != nil {
		err = errors.Join(err, errors.New("auth: Config.Session.UserID is set from Config.UserID: set that"))
	}
	c.Session.UserID = names.of
	if c.Session.Logger == nil {
		c.Session.Logger = c.Logger
	}
	sessions, e := session.NewManager(c.Session, c.Secrets, c.Now)
	ways, wrong := c.ways(names, sessions)
	err = errors.Join(e, wrong, err)
	wc := web.Config{
		Secrets: c.Secrets, Sessions: sessions, URL: c.URL, Ways: ways,
		TrustedProxies: c.TrustedProxies, Forwarded: c.Forwarded, AllowedHosts: c.AllowedHosts,
		AccessCodeHeaders: c.AccessCodeHeaders, StraightToProvider: c.StraightToProvider, PassPreflight: c.PassPreflight,
		ReadOnly: c.ReadOnly, NextAuthV4: c.NextAuthV4, SignInURL: c.SignInURL, ErrorURL: c.ErrorURL,
		ReturnOrigins: c.ReturnOrigins, CookiePrefix: c.CookiePrefix, CookieDomain: c.Session.CookieDomain, FrameAncestors: c.FrameAncestors, SameSiteNone: c.Session.SameSiteNone,
		CrossOriginPatterns: c.CrossOriginPatterns, Templates: c.Templates, Update: c.Update, ReturnTo: c.ReturnTo,
		UserID: names.of, Public: c.Session.Public, Revalidate: c.Session.Revalidate, RevalidateEvery: c.Session.RevalidateEvery,
		KeepDevice: c.Session.Store != nil, KeepAddress: c.Session.KeepAddress, OnEvent: eventsTo(c.OnEvent), Logger: c.Logger, Now: c.Now,
	}
	if c.AccessCode != nil {
		wc.Gate = gate{c.AccessCode, names}
	}
	if c.Backend != nil {
		wc.Backend = backend{c.Backend, c.Policy}
	}
	server, e := web.New(wc)
	if err = errors.Join(err, e); err != nil {
		return nil, err
	}
	if b, ok := c.Backend.(ClientAware); ok {
		b.UseClient(server.Client)
	}
	return &Authenticator{server, sessions, names.of}, nil
}

// idle are the settings that would mean nothing beside what else is set. One that is
// meant to keep people out must not be left to mean nothing, and the others are
// mistakes too.
func (c *Config) idle() (err error) {
	redirect, code, backend := len(c.Providers) > 0, c.AccessCode != nil, c.Backend != nil
	signsIn := redirect || code
	authorization := slices.ContainsFunc(c.AccessCodeHeaders, func(h string) bool { return strings.EqualFold(h, "Authorization") })
	for _, x := range [...]struct {
		field string
		set   bool // whether the field says something
		means bool // whether that means something
		needs string
	}{
		{"Policy", c.Policy != nil, redirect || backend, "Providers or a Backend: whoever knows an access code is admitted by that"},
		{"KeepGroups", len(c.KeepGroups) > 0, redirect, "Providers: nobody else's groups are in a session of ours"},
		{"Enrich", c.Enrich != nil, redirect, "Providers: no other sign-in is given to it"},
		{"ReturnTo", c.ReturnTo != nil, signsIn, "a way to sign in here: Providers or AccessCode"},
		{"Update", c.Update != nil, signsIn, "sessions of this package: Providers or AccessCode"},
		{"UserIDClaim", c.UserIDClaim != "", (signsIn || c.ReadOnly) && c.Session.Database == nil, "sessions that a front end reads too, with claims: Providers, AccessCode or ReadOnly, and no Session.Database"},
		{"SignInURL", c.SignInURL != "", signsIn || c.ReadOnly, "Providers, AccessCode or ReadOnly: a Backend has a sign-in page of its own"},
		{"NextAuthV4", c.NextAuthV4, !c.ReadOnly, "the routes to be answered here: not ReadOnly"},
		{"FrameAncestors", len(c.FrameAncestors) > 0, !c.ReadOnly, "the routes to be answered here: not ReadOnly"},
		{"Session.SameSiteNone", c.Session.SameSiteNone, signsIn, "sessions of this package: Providers or AccessCode"},
		{"Session.Public", c.Session.Public != nil, !c.ReadOnly, "the routes to be answered here: not ReadOnly"},
		{"Session.Revalidate", c.Session.Revalidate != nil, signsIn, "sessions of this package: Providers or AccessCode"},
		{"Session.Database", c.Session.Database != nil, redirect || c.ReadOnly, "Providers or ReadOnly: nobody else is a user there"},
		{"AccessCode", code, c.Session.Database == nil, "no Session.Database: whoever knows an access code is no user there"},
		{"Session.UpgradeV4", c.Session.UpgradeV4, !c.ReadOnly, "sessions to be written here: not ReadOnly"},
		{"AccessCodeHeaders with Authorization", authorization, !backend, "no Backend, whose tokens come in that header and would count as wrong codes"},
	} {
		if x.set && !x.means {
			err = errors.Join(err, fmt.Errorf("auth: Config.%s needs %s", x.field, x.needs))
		}
	}
	return err
}

// Require answers the routes itself and lets only signed-in people reach next.
//
// Without a session, a navigation (GET or HEAD, for a document) is answered 303
// to the sign-in page and returns to the same path and query afterwards.
// Everything else, fetch, prefetch, an API client, a form, gets 401 with
// WWW-Authenticate (RFC 9110 11.6.1) and a JSON body, or a page where a person reads
// it. When it cannot be decided whether somebody is signed in, because the session
// store is down, everything gets 503.
//
// # Other origins
//
// With a session in a cookie, a request from a page of another origin gets 403 unless it
// is GET, HEAD or OPTIONS: [http.CrossOriginProtection] says which those are. So does a
// WebSocket. An application's own forms and scripts are not touched, and need no token
// against forgery for this; its handlers for GET must change nothing. A sibling
// subdomain is another origin: [Config].ReturnOrigins takes those that are yours. A page
// in a sandbox, or on another port or scheme, is another origin, too. What comes with a
// bearer token or an access code in a header, and from no browser, may come from
// anywhere.
//
// # Caches
//
// What next answers has Cache-Control "private, no-store" where it may be a page,
// so that Back shows nothing after a sign-out, and "private" where the browser says
// that it is none: a script, a picture, what a script fetches. Vary names Cookie.
// next may set a Cache-Control of its own, or delete it, and should add to Vary, not
// replace it. It counts whatever it says, so "public" gives what is answered to one
// person to others; but "private, max-age=600" is right for icons. An answer in which
// the session is renewed, once in [session.Config].UpdateAge, always has "private,
// no-store".
//
// The request's body is left alone. next gets the server's own [http.ResponseWriter],
// but when the session is renewed: then one that can do what that can.
func (a *Authenticator) Require(next http.Handler) http.Handler { return a.server.Require(next) }

// RequireRule returns the middleware that is [Authenticator.Require] for those whom rule
// admits. What others who are signed in get, the rule's error says: 403, the way to sign
// in again, or an answer of its own; see [Rule].
func (a *Authenticator) RequireRule(rule Rule) func(next http.Handler) http.Handler {
	return a.server.RequireRule(rule)
}

// Identify answers the routes itself and lets everybody reach next, which
// learns from [FromContext] who it is, if anybody. A request from a page of another
// origin that [Authenticator.Require] would refuse is nobody's.
//
// An answer depends on who asked once next has called FromContext. It then has Vary:
// Cookie and, for somebody who is signed in, Cache-Control as with Require, unless next
// has set its own. An answer of a handler that never asks is left alone, but for one in
// which the session is renewed. next gets a writer that can do what the server's own can,
// and sees to these headers as they go out.
func (a *Authenticator) Identify(next http.Handler) http.Handler { return a.server.Identify(next) }

// ServeHTTP answers the routes, for applications that mount them by hand. It
// does not look at what is in front of the base path.
func (a *Authenticator) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.server.ServeHTTP(w, r) }

// Origin returns the scheme and the host under which r's sender knows this server:
// those of [Config].URL, or else what r, and the proxies that are trusted, say. The
// error says that r names no host that can be one. Do not change what is returned.
func (a *Authenticator) Origin(r *http.Request) (*url.URL, error) { return a.server.Origin(r) }

// Client returns the address that r comes from, by the proxies that are trusted. It
// is the zero address where that is unknown.
func (a *Authenticator) Client(r *http.Request) netip.Addr { return a.server.Client(r) }

// UserID returns what the application calls whose session s is: see
// [Config].UserID.
func (a *Authenticator) UserID(s *session.Session) string { return a.userID(s) }

// FromContext returns the session of the request that ctx belongs to. ok is
// false when nobody is signed in. It may be called by several goroutines, and after
// the request. Behind [Authenticator.Identify] an answer depends on who asked if it is
// called before the header of the answer goes out.
func FromContext(ctx context.Context) (s *session.Session, ok bool) { return web.FromContext(ctx) }
