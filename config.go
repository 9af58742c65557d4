package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/sallyport/auth/pages"
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
	// admin.code-device, admin.again, admin.last (by which way the browser signed in, where there
	// are several) and admin.signout, each with its prefix __Secure- or __Host- over
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
	// application can make an account of its own. Of an access token (see [TokenVerifier]) it
	// makes the session that stands for it, about once a minute. An error refuses the sign-in; one that
	// wraps ErrStore says that the application's database is down: 503. If nil, nothing.
	Enrich func(ctx context.Context, s *session.Session, id *Identity) error

	// KeepTokens keeps with a session what the provider gave beside the identity: the access
	// token, and with the scopes for it a refresh token, and the ID token, for [TokenSource].
	// They are sealed, and shown to nobody. A session in a cookie has little room for
	// them; where they do not fit they are not kept, and a log line says so. If false,
	// they are forgotten with the sign-in.
	KeepTokens bool

	// BackChannelLogout takes logout tokens (OpenID Connect Back-Channel Logout 1.0): when
	// somebody signs out at a provider, its server posts one to /backchannel-logout/ and the
	// provider's name, below the routes. The person's sessions end on all nodes with their
	// next request. It takes a provider that is a [LogoutVerifier], as those of providers/oidc
	// are, and a Session.Store that is a [session.Lister], or Session.Revocations. If false,
	// there is no such address.
	BackChannelLogout bool

	// FrontChannelLogout has a frame in a provider's page end sessions (OpenID Connect
	// Front-Channel Logout 1.0): /frontchannel-logout/ and the provider's name, below the
	// routes, with iss and sid. Browsers bring no cookie there, so that whoever knows the id
	// of a session at the provider can end it here; and they may not show the frame at all.
	// Prefer BackChannelLogout. It takes a provider of the type "oidc" that is a [Voucher],
	// and a Session.Store that is a [session.Lister]. If false, there is no such address.
	FrontChannelLogout bool

	// SignOutAtProvider says what a sign-out is where the person does not choose, as with
	// Auth.js's client: POST /signout then leads to the provider with which they signed in,
	// which ends its own session, and from there back. If false, it ends the session here
	// alone. The sign-out page lets people choose, where the provider can; see
	// [SessionEnder]. The session here has ended before that, and a provider that is down
	// changes nothing about it.
	//
	// The address to return to has to be registered at the provider:
	// /api/auth/signout/ and the provider's name, below the public address of the site.
	//
	// With it, the ID token is kept, to say to the provider whose session it is: in a store
	// always, in a cookie if there is room beside all else, and in a database not.
	SignOutAtProvider bool

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
	//
	// What is in a page's style elements counts, and so do style sheets, pictures and fonts of
	// this origin; style attributes and whatever is elsewhere do not (Content-Security-Policy).
	Templates *template.Template

	// TemplateScripts are the paths of scripts that Templates run, such as
	// /static/signin.js, which must be reachable without signing in. Whatever a script can
	// do on these pages, it can do with a person's sign-in. If nil, none run.
	TemplateScripts []string

	// Brand is the site's name, logo, colours and links, on the pages. If zero, the sign-in
	// page names the host.
	Brand Brand

	// Languages are added to those of the pages, or change words of one: see
	// [github.com/sallyport/auth/pages.NewLanguages]. People get the one that their browser
	// asks for. If nil, those of this package: English, German, Spanish, French, Japanese,
	// and Chinese in simplified and traditional characters.
	Languages []pages.Language

	// OnEvent is told of every sign-in, refusal, update and sign-out, in the request's
	// goroutine; of a refresh of tokens that is refused, in one of its own. If nil, only the
	// logger is.
	OnEvent func(context.Context, Event)

	// Logger receives causes of failures. If nil, [slog.Default].
	Logger *slog.Logger

	// Now is the clock. If nil, [time.Now].
	Now func() time.Time
}

// cookiePrefix is of characters that stand in a cookie's name as they are, and is no
// prefix that browsers know, which begin with "__".
var cookiePrefix = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]*$`)

// idle are the settings that would mean nothing beside what else is set. One that is
// meant to keep people out must not be left to mean nothing, and the others are
// mistakes too.
func (c *Config) idle() (err error) {
	redirect, code, backend := len(c.Providers) > 0, c.AccessCode != nil, c.Backend != nil
	signsIn := redirect || code
	_, lists := c.Session.Store.(session.Lister)
	takesBack := lists || c.Session.Revocations != nil
	tellsOfLogout := slices.ContainsFunc(c.Providers, func(p Provider) bool { _, ok := p.(LogoutVerifier); return ok })
	authorization := slices.ContainsFunc(c.AccessCodeHeaders, func(h string) bool { return strings.EqualFold(h, "Authorization") })
	tokens, _ := c.tokenWays()
	for _, x := range [...]struct {
		field string
		set   bool // whether the field says something
		means bool // whether that means something
		needs string
	}{
		{"Policy", c.Policy != nil, redirect || backend, "Providers or a Backend: whoever knows an access code is admitted by that"},
		{"KeepGroups", len(c.KeepGroups) > 0, redirect, "Providers: nobody else's groups are in a session of ours"},
		{"KeepTokens", c.KeepTokens, redirect && c.Session.Database == nil, "Providers, for nobody else gives tokens, and no Session.Database, whose rows have no room for them"},
		{"BackChannelLogout", c.BackChannelLogout, tellsOfLogout && takesBack, "Providers with a LogoutVerifier, and a Session.Store that is a session.Lister, or Session.Revocations: sessions that are in cookies alone cannot be taken back"},
		{"FrontChannelLogout", c.FrontChannelLogout, redirect && lists, "Providers, and a Session.Store that is a session.Lister, in which the provider's sessions are found"},
		{"SignOutAtProvider", c.SignOutAtProvider, slices.ContainsFunc(c.Providers, func(p Provider) bool { _, ok := p.(SessionEnder); return ok }), "a provider at which people can be signed out: a SessionEnder, as those of OpenID Connect are"},
		{"Enrich", c.Enrich != nil, redirect, "Providers: no other sign-in is given to it"},
		{"ReturnTo", c.ReturnTo != nil, signsIn, "a way to sign in here: Providers or AccessCode"},
		{"Update", c.Update != nil, signsIn, "sessions of this package: Providers or AccessCode"},
		{"UserIDClaim", c.UserIDClaim != "", (signsIn || c.ReadOnly) && c.Session.Database == nil, "sessions that a front end reads too, with claims: Providers, AccessCode or ReadOnly, and no Session.Database"},
		{"SignInURL", c.SignInURL != "", signsIn || c.ReadOnly, "Providers, AccessCode or ReadOnly: a Backend has a sign-in page of its own"},
		{"NextAuthV4", c.NextAuthV4, !c.ReadOnly, "the routes to be answered here: not ReadOnly"},
		{"FrameAncestors", len(c.FrameAncestors) > 0, !c.ReadOnly, "the routes to be answered here: not ReadOnly"},
		{"TemplateScripts", len(c.TemplateScripts) > 0, c.Templates != nil, "Templates: our own pages run no script"},
		{"Session.SameSiteNone", c.Session.SameSiteNone, signsIn, "sessions of this package: Providers or AccessCode"},
		{"Session.Public", c.Session.Public != nil, !c.ReadOnly, "the routes to be answered here: not ReadOnly"},
		{"Session.Revalidate", c.Session.Revalidate != nil, signsIn, "sessions of this package: Providers or AccessCode"},
		{"Session.Database", c.Session.Database != nil, redirect || c.ReadOnly, "Providers or ReadOnly: nobody else is a user there"},
		{"AccessCode", code, c.Session.Database == nil, "no Session.Database: whoever knows an access code is no user there"},
		{"Session.UpgradeV4", c.Session.UpgradeV4, !c.ReadOnly, "sessions to be written here: not ReadOnly"},
		{"AccessCodeHeaders with Authorization", authorization, !backend && !tokens, "no Backend and no provider whose access tokens are taken: they come in that header and would count as wrong codes"},
	} {
		if x.set && !x.means {
			err = errors.Join(err, fmt.Errorf("auth: Config.%s needs %s", x.field, x.needs))
		}
	}
	return err
}

// tokenWays reports whether access tokens of some provider are taken. Of the providers that
// are asked about tokens that do not say whose they are, one alone may be there, and no
// backend with tokens of its own: it would learn the others'.
func (c *Config) tokenWays() (takes bool, err error) {
	asked := ""
	for _, p := range c.Providers {
		v, ok := p.(TokenVerifier)
		if !ok {
			continue
		}
		_, audiences, opaque := v.TakesTokens()
		takes = takes || len(audiences) > 0
		if opaque && asked != "" {
			err = errors.Join(err, fmt.Errorf("auth: providers %q and %q are both asked about tokens that do not say whose they are: let one of them", asked, p.Name()))
		}
		if opaque {
			asked = p.Name()
		}
	}
	if asked != "" && c.Backend != nil {
		err = errors.Join(err, fmt.Errorf("auth: provider %q is asked about tokens that do not say whose they are, and may be the Backend's", asked))
	}
	return takes, err
}
