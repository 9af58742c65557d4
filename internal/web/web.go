// Package web is the HTTP of signing in: the routes, the middleware, forms and
// redirects. It knows sessions and attempts, and nothing of identity providers,
// policies or protocols: the root hands it ways in, in these terms.
//
// # A sign-in, file by file
//
//	routes.go      which handler a path has
//	signin.go      GET  /signin              the page with every way in
//	               POST /signin/{provider}   a new attempt, and the redirect to the provider
//	callback.go    GET  /callback/{provider} the attempt that the state names, then Way.Finish
//	               POST /callback/{provider} Way.FormAnswer, and the redirect to the same by GET
//	code.go        POST /signin/access-code  Gate.Check
//	signout.go     GET, POST /signout        the question, and the end of the session
//	endsession.go  GET /signout/{provider}   the way back from the end of that at the provider
//	sessions.go    GET, POST /sessions       where somebody is signed in, and the end of that
//	backchannel.go POST /backchannel-logout/{provider}  Way.VerifyLogout, and the end of sessions
//	frontchannel.go GET /frontchannel-logout/{provider} the same, by a frame
//	lastused.go    by which way a browser signed in last
//	brand.go       GET  /logo/{hash}         the site's own picture
//	policy.go      what a page may load
//	redirect.go    where a person goes next, and what may be returned to
//	               returnorigins.go has the other origins of the application
//	failure.go     what they see instead
//
// # A request, file by file
//
//	middleware.go  Require, Identify
//	rule.go        RequireRule, and what a rule's error says
//	visit.go       who sent it: the session of a cookie, an access code in a header, the backend
//	token.go       whose access token it brings
//	resource.go    where clients of an API find whose they can bring
//	challenge.go   what somebody gets who is not signed in
//	navigation.go  what has sent it
//	elsewhere.go   what pages of other origins may do with its cookies
//	revalidate.go  whether somebody may still be there
//	renewal.go     a session that is written anew on the way
//	cache.go       which caches may keep the answer
//	writer.go      headers that are seen to as they go out
//	given.go       whose request it is, where a test says so
//
// # Who is asked to sign in, and how
//
// The first row that fits counts. A navigation is what the browser calls one, also when
// a service worker passes it on; an app's WebView names the app in X-Requested-With.
//
//	method     Sec-Fetch-Mode  Sec-Fetch-Dest  or else                         gets, without a session
//	any                                        Upgrade, CONNECT, prefetch      401, JSON
//	OPTIONS                                                                    401, JSON
//	not safe   navigate                                                        401, a page: what you sent has not arrived
//	safe       navigate        iframe, frame,                                  401, a page: sign in in a new tab
//	                           embed, object                                   or, with SameSiteNone and FrameAncestors, 303
//	safe       navigate        any other                                       303 to the sign-in page
//	any        any other       any             HX-Request                      401, JSON, HX-Redirect
//	any        any other       any             X-Up-Version, Turbo-Frame       401, a page
//	not safe   any other       any             a request of Turbo's            401, a page
//	any        any other       any                                             401, JSON
//	any        none                            X-Requested-With:               401, JSON
//	                                           XMLHttpRequest
//	safe       none                            Accept has text/html            303 to the sign-in page
//	POST       none                            the same, and a form's type     401, a page: what you sent has not arrived
//	any        none                                                            401, JSON
//
// GET and HEAD are safe.
package web

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/sallyport/auth/internal/attempt"
	"github.com/sallyport/auth/internal/forwarded"
	"github.com/sallyport/auth/internal/generations"
	"github.com/sallyport/auth/internal/pace"
	"github.com/sallyport/auth/pages"
	"github.com/sallyport/auth/session"
)

// Config is what the root's Config says of HTTP, with the ways in as this package
// sees them. Fields of the same name mean the same; the root documents them.
type Config struct {
	Secrets        []session.Secret
	Sessions       *session.Manager
	URL            string
	TrustedProxies []string
	Forwarded      bool
	AllowedHosts   []string

	Ways    []Way
	Backend Backend
	Gate    Gate

	AccessCodeHeaders  []string
	StraightToProvider bool
	PassPreflight      bool
	ReadOnly           bool
	NextAuthV4         bool
	SignInURL          string
	ErrorURL           string
	ReturnOrigins      []string
	CookiePrefix       string
	CookieDomain       string // of the session: [session.Config].CookieDomain
	FrameAncestors     []string
	SameSiteNone       bool // Session's
	SignOutAtProvider  bool
	Templates          *template.Template
	Languages          []pages.Language
	TemplateScripts    []string
	Brand              pages.Brand

	CrossOriginPatterns []string

	UserID   func(s *session.Session) string
	Update   func(ctx context.Context, s *session.Session, data json.RawMessage) error
	ReturnTo func(ctx context.Context, s *session.Session, to string) string
	Public   func(s *session.Session, shown *session.View)

	Revalidate      func(ctx context.Context, s *session.Session) error
	RevalidateEvery time.Duration
	OnEvent         func(context.Context, Event)

	KeepDevice, KeepAddress bool // in a session

	// TokensInCookie says that the provider's tokens are where only an answer can change
	// them: they are made anew before the application sees the request.
	TokensInCookie bool

	Logger *slog.Logger
	Now    func() time.Time
}

// Way is a way in by redirect: an identity provider.
type Way struct {
	Name  string // in paths
	Label string // for people
	Type  string // Auth.js's: "oidc", "oauth"
	Mark  pages.Mark

	// VouchesFor reports whether sessions of issuer may be this way's. If nil, all are.
	VouchesFor func(issuer string) bool

	// Begin returns the address at the identity provider that starts a.
	Begin func(ctx context.Context, a attempt.Attempt) (location string, err error)

	// FormAnswer keeps the answer of a form that a page of the identity provider posts to
	// the callback. If nil, no form is taken.
	FormAnswer func(form url.Values) url.Values

	// Expired reports whether an answer, of any attempt or of none, says that the identity
	// provider's own part took too long. If nil, none does.
	Expired func(answer url.Values) bool

	// NoRestart has an answer of no attempt, or of one that is over, be an error: the sign-in
	// does not begin again by itself.
	NoRestart bool

	// The parameter prompt of an attempt with which somebody can take another account, and
	// with which they show anew who they are. Empty where the way has none.
	AccountPrompt, LoginPrompt string

	// VerifyLogout checks a logout token. If nil, none is taken.
	VerifyLogout func(ctx context.Context, token string) (*session.Logout, error)

	// FrontChannelLogout has pages of the identity provider end sessions, in a frame.
	FrontChannelLogout bool

	// Bearer turns an access token into somebody for one request, or into nil where it is
	// none of this way's. If nil, no tokens are taken; see the root's TokenVerifier.
	Bearer      func(ctx context.Context, token string) (*session.Session, error)
	TakesTokens func() (issuer string, audiences []string, opaque bool)

	// EndSession returns the address at the identity provider that ends the session there by
	// which who began, and then leads to back with state; "" where there is none. If nil,
	// there never is.
	EndSession func(ctx context.Context, who *session.Session, back, state string) (location string, err error)

	// Revoke has the identity provider take back what it gave. If nil, it does not do that.
	Revoke func(ctx context.Context, t *session.ProviderTokens) error

	// Finish turns the answer at the callback into somebody who may come in.
	Finish func(ctx context.Context, a attempt.Attempt, answer url.Values) (*Admitted, error)

	// Refresh has the identity provider make tokens anew. The error wraps
	// [fault.ErrSignInAgain] where it no longer stands for the person. If nil, none are.
	Refresh func(ctx context.Context, old *session.ProviderTokens) (*session.ProviderTokens, error)
}

// Admitted is somebody who may come in.
type Admitted struct {
	Session *session.Session
	Account session.Account // by which, for a database

	// Who that is to the way in, whatever the application made of the session.
	Issuer, Subject string
	Label           string // of an access code
	Device          string // for the browser to keep, if it is not empty
}

// Gate is the way in by access code.
type Gate interface {
	// Check turns a code that client sent into somebody who may come in. The error
	// wraps [fault.ErrWrongCode] or [session.ErrStore], or is a [*fault.Limited].
	Check(ctx context.Context, client netip.Addr, code string) (*Admitted, error)

	// CheckDevice is Check for a browser, with what Admitted.Device of an earlier
	// one gave it.
	CheckDevice(ctx context.Context, client netip.Addr, device, code string) (*Admitted, error)

	// Valid reports whether a session's subject still belongs to a code.
	Valid(subject string) bool
}

// Backend decides about requests that bring no session of ours. The root's
// Backend documents the methods.
type Backend interface {
	Authenticate(r *http.Request, origin *url.URL) (*Decision, error)
	SignInURL(d *Decision, returnTo string) string
	SignOut(w http.ResponseWriter, r *http.Request, s *session.Session, secure bool) error
}

// Decision is a [Backend]'s. It has the fields of the root's Decision, which
// documents them, and converts to it.
type Decision struct {
	Session  *session.Session
	Header   http.Header
	Location string
	Value    any
}

// Server answers the routes and guards handlers. It is safe for concurrent use.
type Server struct {
	sessions *session.Manager
	attempts *attempt.Keeper
	csrf     *csrf
	pages    *pageWriter

	origin  *url.URL // nil: from each request
	prefix  string   // "/app", where the site is below that; "" at the root
	routes  string   // "/api/auth", below prefix
	base    string   // both
	place   *place   // nil: where each request says
	derive  bool     // no address is configured: the prefix is each request's
	proxies *forwarded.Proxies
	hosts   forwarded.Hosts // nil: any

	failures  *pace.Pacer // callbacks that came to nothing, by client
	tokenPace *pace.Pacer // tokens that an issuer was asked about for nothing, by client
	tokens    generations.Map[string, knownToken]

	ways     map[string]*Way
	order    []*Way
	straight *Way
	backend  Backend
	gate     Gate

	codeHeaders          []string
	deviceCookie         string
	againCookie          string // that a rule has sent somebody to sign in again
	lastCookie           string // by which way this browser signed in
	awayCookie           string // that somebody is at a provider to be signed out
	awayCodec            *session.Codec
	signOutAtProvider    bool
	revoking             chan struct{} // has one for each that is under way
	vary                 string        // what answers depend on
	readOnly, nextAuthV4 bool
	passPreflight        bool
	takesTokens          bool // some way does
	crossOrigin          *http.CrossOriginProtection
	sameSiteNone         bool
	ancestors            []string // those of the pages, in a frame
	signInURL, errorURL  string
	others               returnOrigins

	userID   func(*session.Session) string
	update   func(context.Context, *session.Session, json.RawMessage) error
	returnTo func(context.Context, *session.Session, string) string
	public   func(*session.Session, *session.View)

	revalidate      func(context.Context, *session.Session) error
	revalidateEvery time.Duration
	answers         generations.Map[string, said] // to that, by session
	onEvent         func(context.Context, Event)

	keepDevice, keepAddress bool
	tokensInCookie          bool

	log *slog.Logger
	now func() time.Time
}

// New checks c, but for its Secrets and Sessions, which the caller has checked.
// The error joins every problem.
func New(c Config) (*Server, error) {
	s := &Server{
		sessions: c.Sessions, ways: make(map[string]*Way, len(c.Ways)),
		backend: c.Backend, gate: c.Gate,
		readOnly: c.ReadOnly, nextAuthV4: c.NextAuthV4, passPreflight: c.PassPreflight, sameSiteNone: c.SameSiteNone, signOutAtProvider: c.SignOutAtProvider,
		revoking:  make(chan struct{}, maxRevocations),
		signInURL: c.SignInURL, errorURL: c.ErrorURL,
		userID: c.UserID, update: c.Update, returnTo: c.ReturnTo, public: c.Public, revalidate: c.Revalidate, revalidateEvery: c.RevalidateEvery, onEvent: c.OnEvent,
		keepDevice: c.KeepDevice, keepAddress: c.KeepAddress, tokensInCookie: c.TokensInCookie,
		log: c.Logger, now: c.Now,
	}
	var errs [12]error
	var base string
	s.origin, base, errs[0] = ParseURL(c.URL)
	s.prefix, s.routes = splitBase(base)
	s.base = base
	s.derive = c.URL == ""
	s.proxies, errs[1] = trustedProxies(c)
	s.ancestors, errs[8] = parseAncestors(c.FrameAncestors)
	errs[11] = CheckBrand(c.Brand, s.origin)
	s.pages, errs[2] = newPageWriter(c, s.ancestors)
	s.others, errs[3] = parseReturnOrigins(c.ReturnOrigins, c.CookieDomain)
	s.codeHeaders, errs[4] = codeHeaders(c)
	errs[5] = checkPage("SignInURL", c.SignInURL)
	errs[6] = checkPage("ErrorURL", c.ErrorURL)
	s.hosts, errs[7] = allowedHosts(c, s.origin != nil)
	s.crossOrigin, errs[9] = crossOrigin(c.CrossOriginPatterns)
	if c.SameSiteNone && s.origin != nil && s.origin.Scheme != "https" {
		errs[10] = errors.New("auth: Config.Session.SameSiteNone is set, and Config.URL is http: browsers take such cookies over https alone")
	}
	err := errors.Join(errs[:]...)
	for i := range c.Ways {
		w := &c.Ways[i]
		if s.ways[w.Name] != nil {
			err = errors.Join(err, fmt.Errorf("auth: two providers have the name %q: give one another", w.Name))
			continue
		}
		s.ways[w.Name] = w
		s.order = append(s.order, w)
		s.takesTokens = s.takesTokens || w.Bearer != nil
	}
	if err != nil {
		return nil, err
	}
	// A session's token counts as a bearer token, and a backend looks there too.
	s.vary = "Cookie, Authorization"
	for _, name := range s.codeHeaders {
		if name != "Authorization" {
			s.vary += ", " + name
		}
	}
	if c.StraightToProvider && len(s.order) == 1 && s.gate == nil {
		s.straight = s.order[0]
	}
	if s.origin != nil {
		s.place = placeAt(s.origin, s.base, s.signInPage(&visit{prefix: s.prefix, base: s.base}))
	}
	s.failures, s.tokenPace = pace.New(failureBurst, failureEvery, c.Now), pace.New(tokenBurst, tokenEvery, c.Now)
	prefix := cmp.Or(c.CookiePrefix, "authjs")
	s.attempts, s.csrf = attempt.NewKeeper(prefix, c.Secrets, c.Now, c.SameSiteNone), newCSRF(prefix+".csrf-token", c.Secrets, c.SameSiteNone)
	s.deviceCookie, s.againCookie, s.lastCookie = prefix+".code-device", prefix+".again", prefix+".last"
	s.awayCookie, s.awayCodec = prefix+".signout", session.NewCodec("sallyport.signout", c.Secrets)
	return s, nil
}
