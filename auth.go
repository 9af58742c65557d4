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
// /api/auth/signout, and ends at the provider too where that can be and the person, or
// [Config].SignOutAtProvider, says so. /api/auth/sessions is where somebody sees where else they are signed
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
// # Examples
//
// In the order in which an application comes to need them:
//
//	in code, by environment                      New, ConfigFromEnv
//	an open part, members, administrators        RouterGroups, Authenticator.Identify
//	who may enter, who may do what               AllowEmails, Policy, Authenticator.RequireRule, RequireFresh
//	users in a database of one's own             Config (Enrich)
//	where people go after signing in             Config (ReturnTo)
//	an audit trail                               Config (OnEvent)
//	an application's own forms                   OwnForms
//	API clients, WebSockets, streams             ApiClient, WebSocket, ServerSentEvents
//	a site below a path, two sign-ins on a host  SubPath, TwoAuthenticators
//	calling an API as the person                 TokenSource
//	a provider, a store of one's own             Provider, Store
//	tests of one's own handlers                  HandlerUnderTest
//
// # Tests
//
// Package authtest has somebody signed in, for a handler by itself, for a server, or in a
// browser that goes the whole way.
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
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"golang.org/x/oauth2"

	"github.com/sallyport/auth/internal/web"
	"github.com/sallyport/auth/session"
)

// Authenticator is a configured sign-in. It is safe for concurrent use.
type Authenticator struct {
	server   *web.Server
	sessions *session.Manager
	userID   func(*session.Session) string
	examined []examined
}

// New checks c and returns the Authenticator. It does no network I/O and starts
// no goroutine. The error joins every problem that c has.
func New(c Config) (*Authenticator, error) {
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	userIDs := "Config.UserID's"
	if c.UserID == nil {
		c.UserID, userIDs = c.unique(), "subjects"
		if c.severalWays() {
			userIDs = "provider|subject"
		}
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
		ReturnOrigins: c.ReturnOrigins, CookiePrefix: c.CookiePrefix, CookieDomain: c.Session.CookieDomain, FrameAncestors: c.FrameAncestors, SameSiteNone: c.Session.SameSiteNone, SignOutAtProvider: c.SignOutAtProvider,
		CrossOriginPatterns: c.CrossOriginPatterns, Templates: c.Templates, TemplateScripts: c.TemplateScripts, Brand: c.Brand, Languages: c.Languages, Update: c.Update, ReturnTo: c.ReturnTo,
		UserID: names.of, Public: c.Session.Public, Revalidate: c.Session.Revalidate, RevalidateEvery: c.Session.RevalidateEvery,
		KeepDevice: c.Session.Store != nil, KeepAddress: c.Session.KeepAddress, TokensInCookie: c.KeepTokens && c.Session.Store == nil, OnEvent: eventsTo(c.OnEvent), Logger: c.Logger, Now: c.Now,
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
	c.announce(server, sessions, userIDs)
	return &Authenticator{server, sessions, names.of, c.examinees()}, nil
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
// Where a provider's configuration says so ([TokenVerifier]), an access token of it counts
// as well, and clients of the API find out by /.well-known/oauth-protected-resource where
// to get one.
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
// that it is none: a script, a picture, what a script fetches. Vary names Cookie and
// Authorization. next may set a Cache-Control of its own, or delete it, and should add to
// Vary, not replace it. It counts whatever it says, so "public" gives what is answered to
// one person to others; but "private, max-age=600" is right for icons. An answer in which
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
// An answer depends on who asked once next has called FromContext. It then has Vary as
// with Require and, for somebody who is signed in, Cache-Control too, unless next has set
// its own. An answer of a handler that never asks is left alone, but for one in which the
// session is renewed. next gets a writer that can do what the server's own can, and sees
// to these headers as they go out.
func (a *Authenticator) Identify(next http.Handler) http.Handler { return a.server.Identify(next) }

// ServeHTTP answers the routes, for applications that mount them by hand. It
// does not look at what is in front of the base path.
func (a *Authenticator) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.server.ServeHTTP(w, r) }

// Sessions returns the sessions that w means, the last begun first: of a user, of a
// subject at an issuer, of a session at a provider. What is in them is what the person's
// own requests bring; [session.Session] says where from, in Device, and since when.
//
//	list, err := a.Sessions(ctx, session.OfUser(a.UserID(s)))
//
// It takes a [session.Config].Store that is a [session.Lister]; without one the error
// wraps [errors.ErrUnsupported]. Otherwise it wraps [ErrStore].
func (a *Authenticator) Sessions(ctx context.Context, w session.Whose) ([]*session.Session, error) {
	return a.sessions.List(ctx, w)
}

// Revoke ends the sessions that w means, with their next request and on all nodes. That
// there are none is no error. Who has been signed out that way may sign in again: what
// keeps somebody out is [Config].Policy or [session.Config].Revalidate.
//
//	err := a.Revoke(ctx, session.OfUser(id))                   // everywhere
//	err := a.Revoke(ctx, session.OfUser(id).Only(other.ID))    // one of them
//	err := a.Revoke(ctx, session.OfSubject(issuer, subject))   // as the provider knows them
//
// It takes a [session.Config].Store that is a [session.Lister], or Revocations; without
// either the error wraps [errors.ErrUnsupported]. Otherwise it wraps [ErrStore], and some
// of the sessions may have ended.
func (a *Authenticator) Revoke(ctx context.Context, w session.Whose) error {
	return a.sessions.Revoke(ctx, w)
}

// TokenOptions say what a token of [Authenticator.IssueToken] is. Both fields have to be set.
type TokenOptions struct {
	// Label is what lists of sessions call the token, [session.Session].TokenLabel, so that
	// whoever sees it there knows which program has it: 1 to 100 characters that can be seen.
	Label string

	// Expires is when the token ends, in whole seconds: later than now, and within 366 days.
	// It is not renewed, and [session.Config].MaxAge and Lifetime say nothing about it.
	Expires time.Time
}

// IssueToken begins a session for a script or a service, which acts as whom s is, and returns
// the token that stands for it and its [session.Session].ID. The token is shown here alone.
//
//	token, id, err := a.IssueToken(ctx, s, auth.TokenOptions{Label: "nightly backup", Expires: in90Days})
//	err = a.Revoke(ctx, session.OfUser(a.UserID(s)).Only(id))
//
// It counts in the header Authorization, as a bearer token (RFC 6750 2.1), and nowhere else:
// no cookie can be made of it. Where it is wrong, has expired or was taken back, everything
// that [Authenticator.Require] protects is 401 with the challenge invalid_token, for browsers
// too. It is looked at before access tokens of providers and before a [Backend], and costs what
// a session in a cookie costs.
//
// s is somebody who has signed in, of [FromContext], or of a session that the program's own
// code makes, with a Subject and without a Provider, for a program that is nobody's. What the
// session has at that time, groups and claims too, is what the token has until its end; claims
// of its own are set in a copy of s. [session.Session].Machine is true, so that
// [Identified] refuses it, and neither [RequireFresh] nor [RequireACR] takes it. Nobody sees
// or ends sessions with it.
//
// The token is ended on the page that shows the person's sessions, by [Authenticator.Revoke],
// and by signing out everywhere; signing out of s alone leaves it. [Config].Policy has been
// asked at the sign-in. [session.Config].Revalidate is asked at RevalidateEvery, or, where that
// is not set, once an hour on each node; what it changes in the session is not kept.
//
// It takes a [session.Config].Store that is a [session.Lister], or Revocations, for what cannot
// be taken back is not made. Without either, with a Database and with [Config].ReadOnly the
// error wraps [errors.ErrUnsupported]. It wraps [session.ErrEnded] where s holds no more,
// [ErrStore] where that cannot be told, and [session.ErrTooLarge]. There is no token for
// somebody who signed in with an access code or at a [Backend], nor for one who came with a
// token.
func (a *Authenticator) IssueToken(ctx context.Context, s *session.Session, o TokenOptions) (token Secret, id string, err error) {
	return a.server.IssueToken(ctx, s, o.Label, o.Expires)
}

// Ready returns nil when it can be told who is signed in: always where sessions are in
// cookies, and with a [session.Store] when that answers, within 5 seconds. It is for
// health checks; requests of people are answered 503 as long as it is not so. The error
// wraps [ErrStore].
func (a *Authenticator) Ready(ctx context.Context) error { return a.sessions.Ready(ctx) }

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

// TokenSource returns the tokens that the provider has given for the person whose request
// ctx belongs to, to call its API or another as that person. ok is false when nobody is
// signed in, and where no tokens are kept: see [Config].KeepTokens.
//
//	tokens, ok := auth.TokenSource(r.Context())
//	if ok {
//		client := oauth2.NewClient(r.Context(), tokens)
//		resp, err := client.Get("https://graph.microsoft.com/v1.0/me/events")
//
// A token that ends within a minute is made anew first, where there is a refresh token and
// the provider is a [Refresher]: once for each session, however many requests of it there
// are, and on however many nodes where the [session.Store] is a [session.Replacer]. That is
// done when Token is called; without a store it is done before the handler is, for the
// cookie has to be set in time, and Token does no I/O.
//
// Of a token, Extra has "id_token" and "scope". The refresh token is left out: whoever used
// it would end the session.
//
// The error of Token wraps [ErrSignInAgain] where the provider no longer stands for the
// person. Their session has ended then, so that sending a browser to the same address has
// it sign in. With every other error the token has expired and the session goes on:
// [ErrExpired] where there is no refresh token, the provider's, such as
// [ErrUnavailable], or [ErrStore], or ctx's.
//
// The source is safe for concurrent use, and for as long as ctx.
func TokenSource(ctx context.Context) (tokens oauth2.TokenSource, ok bool) {
	return web.TokenSource(ctx)
}
