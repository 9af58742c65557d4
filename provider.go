package auth

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"golang.org/x/oauth2"

	"github.com/sallyport/auth/pages"
	"github.com/sallyport/auth/session"
)

// Secret is key material that never shows itself in a log, an error or JSON.
type Secret = session.Secret

// NewSecret wraps text.
func NewSecret(text string) Secret { return session.NewSecret(text) }

// A Provider signs people in by redirect. Most are made by oidc.New or
// oauth2.New of the packages below providers, which hold the protocol; a type of
// your own is needed only for something that is neither.
//
// A Provider is safe for concurrent use.
type Provider interface {
	// Name is the id in URLs and in the environment: "github". Lower-case
	// letters, digits and hyphens.
	Name() string

	// AuthCodeURL returns the address at the identity provider to send the
	// browser to. It must send tx.State, tx.RedirectURI and, as PKCE S256, the
	// challenge of tx.Verifier; an OpenID Connect provider sends tx.Nonce too.
	// Of tx.Params it may pass on what it knows.
	AuthCodeURL(ctx context.Context, tx Transaction) (string, error)

	// Exchange turns the answer at the callback into an identity. The caller
	// has matched response's state with tx. An error wraps one of this package's
	// errors where one fits; any other is shown as a failure of the provider. Beside an
	// error that wraps [ErrNotAllowed], the identity may say whom it refuses, for the
	// log and for the page; nobody is let in by it.
	Exchange(ctx context.Context, tx Transaction, response url.Values) (*Identity, error)
}

// Transaction is one attempt to sign in, from the redirect to the identity
// provider until the callback.
type Transaction struct {
	Provider    string     // the provider's name
	State       string     // binds the callback to this browser: RFC 6749 10.12
	Nonce       string     // binds the ID token to this attempt: OpenID Connect Core 3.1.2.1
	Verifier    string     // the PKCE code verifier: RFC 7636 4.1
	RedirectURI string     // the callback's public URL
	ReturnTo    string     // a path of the application, or an address at one of Config.ReturnOrigins
	Params      url.Values // extra authorization parameters, from an allow-list
	Restarted   bool       // whether an earlier attempt failed and began this one
	Begun       time.Time  // when the person was sent to the provider, to the second
	Expires     time.Time  // when the answer comes too late
}

// Format implements [fmt.Formatter]: it shows the provider's name and leaves out
// what the redirect and the callback stand on, so that no log line holds it.
func (t Transaction) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "{Provider:%s [redacted]}", t.Provider)
}

// LogValue implements [slog.LogValuer].
func (t Transaction) LogValue() slog.Value {
	return slog.GroupValue(slog.String("provider", t.Provider), slog.Time("expires", t.Expires))
}

// MarshalJSON implements [json.Marshaler].
func (t Transaction) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]string{"provider": t.Provider})
}

// Identity is who a provider says that somebody is.
type Identity struct {
	Issuer        string // who vouches: an issuer URL
	Subject       string // stable and unique within Issuer; at most 255 bytes
	Name          string
	Username      string // what the person is called there; may change hands
	Email         string
	EmailVerified bool // only when the provider said so
	Picture       string
	Groups        []string
	AuthTime      time.Time      // when they last showed who they are: "auth_time" of an ID token; zero where nobody says
	ACR           string         // in which class of ways: "acr" (OpenID Connect Core 2); at most 255 bytes
	AMR           []string       // by which methods: "amr" (RFC 8176); at most 16, of 255 bytes in all
	SessionID     string         // the session there: "sid" of an ID token (OpenID Connect Back-Channel Logout 2.1)
	IssuedAt      time.Time      // "iat" of an ID token, by the provider's clock; zero where there is none
	Claims        map[string]any // more to keep in the session
	Token         *oauth2.Token  // not kept by this package

	// Seen is for Config.Enrich, and set before that: whether it has been called, and has
	// returned no error, for somebody with this provider, Issuer and Subject before.
	Seen Seen
}

// Seen says whether somebody has signed in before.
type Seen int

const (
	// SeenUnknown is where nothing remembers people: sessions are in cookies alone, or in
	// this process's memory.
	SeenUnknown Seen = iota

	// SeenNever is somebody's first time, or the first for 400 days. Of two sign-ins at
	// once both may be: an application that makes an account of it needs a unique key.
	SeenNever

	// SeenBefore is somebody who comes back.
	SeenBefore
)

// Format implements [fmt.Formatter]: it shows who it is, and neither the token nor
// claims, which may hold one.
func (id Identity) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "{Issuer:%q Subject:%q}", id.Issuer, id.Subject)
}

// LogValue implements [slog.LogValuer]: who it is, and no more.
func (id Identity) LogValue() slog.Value {
	return slog.GroupValue(slog.String("issuer", id.Issuer), slog.String("subject", id.Subject))
}

// MarshalJSON implements [json.Marshaler]: it leaves the token out.
func (id Identity) MarshalJSON() ([]byte, error) {
	type plain Identity // without this method
	id.Token = nil
	return json.Marshal(plain(id))
}

// Typed is a [Provider] that says what GET /providers calls its kind, as Auth.js
// does: "oidc" or "oauth". Without it, the kind is "oidc".
type Typed interface {
	Type() string
}

// A Voucher is a [Provider] that knows whose word it passes on. Two applications that
// have a secret in common may each have a provider of one name at issuers of their own;
// a session that names an issuer for which the provider of its name does not vouch is no
// session here. Without it, the name is all that counts, as it is for a session that
// names no issuer, because Auth.js began it.
type Voucher interface {
	// VouchesFor reports whether issuer may be [Identity].Issuer of people who sign in.
	// It is called for each request, and does not wait for the network.
	VouchesFor(issuer string) bool
}

// A Presenter is a [Provider] that says what its button looks like. Without it
// the button shows the provider's name.
type Presenter interface {
	Presentation() Presentation
}

// A FormPoster is a [Provider] whose answer may come as a form that a page of the
// identity provider posts to the callback (OAuth 2.0 Form Post Response Mode).
//
// Browsers send none of this server's cookies along with another site's POST. So the
// form is not looked at where it arrives: the browser is redirected to the same
// callback by GET, with what FormAnswer keeps of it, and its cookies come with that.
// From there on, it is an answer like any other. A POST to the callback of a provider
// that is none, or whose FormAnswer is nil, is refused.
type FormPoster interface {
	// FormAnswer returns of a posted form the parameters to go on with, which Exchange
	// is then given. They stand in a URL, and so in logs: it leaves out what has no
	// place there. Nothing of the form is verified. It is nil, for every form, where the
	// provider did not ask for one.
	FormAnswer(form url.Values) url.Values
}

// An Expirer is a [Provider] whose answer may say that its own part of a sign-in took too
// long, or was finished in another tab, so that nothing was decided: Keycloak's does.
// Somebody who is signed in goes on then; for everybody else the sign-in begins again,
// once, as it does for an answer to an attempt that is over.
type Expirer interface {
	// Expired reports whether response, which need not belong to any attempt, says so.
	// Nothing of it is verified, and nothing follows but an attempt that begins again.
	Expired(response url.Values) bool
}

// A Restarter is a [Provider] that says whether a sign-in begins again by itself, once,
// where the browser comes back with an answer to an attempt that is over, or to none: after
// a laptop's sleep, say. Nothing of such an answer is redeemed in any case. Without it, one
// does.
type Restarter interface {
	Restarts() bool
}

// A Prompter is a [Provider] that heeds the parameter "prompt" of the authorization
// request (OpenID Connect Core 3.1.2.1). Without it, whoever was refused and tries again
// may be signed in as the same person at once, without being asked.
type Prompter interface {
	// Prompts returns what stands as "prompt" in Transaction.Params where a person is to
	// be able to take another account, and where they are to show anew who they are. Each
	// is empty where there is no such value, or where the configuration has fixed one.
	Prompts() (account, login string)
}

// A LogoutVerifier is a [Provider] that tells this server by itself when somebody has signed
// out there: [Config].BackChannelLogout.
type LogoutVerifier interface {
	// VerifyLogout checks a logout token (OpenID Connect Back-Channel Logout 1.0, 2.6), which
	// anybody may have sent, and returns what it says. Logout.Issuer and Subject are as in an
	// [Identity] of that person. It refuses a token that was issued more than 10 minutes ago;
	// whether one was used before is not its to find out.
	VerifyLogout(ctx context.Context, token string) (*Logout, error)
}

// Logout is what a provider says of somebody who has signed out there.
type Logout = session.Logout

// A Refresher is a [Provider] that has tokens made anew (RFC 6749 6). Without it, those
// that are kept ([Config].KeepTokens) are good until the access token expires.
type Refresher interface {
	// Refresh returns what comes in the place of old, which is [Identity].Token or what it
	// has returned before; of Extra there are "id_token" and "scope". It sends
	// old.RefreshToken once. What it leaves empty stays as it was.
	//
	// The error wraps [ErrSignInAgain] where the provider no longer stands for the person,
	// whose session then ends; with any other the session goes on, and nothing is tried
	// for a while.
	Refresh(ctx context.Context, old *oauth2.Token) (*oauth2.Token, error)
}

// A SessionEnder is a [Provider] at which the browser can sign somebody out (OpenID
// Connect RP-Initiated Logout 1.0). Without it, people stay signed in there, and the
// sign-out page says so.
type SessionEnder interface {
	// EndSessionURL returns the address at the provider that ends the session there by which
	// s began, and sends the browser back to back, with state as the parameter of that name.
	// It is "" where there is none. back is an address without a query, which has to be
	// registered at the provider. The sign-out page asks as well, without back and state.
	//
	// s has ended here. The ID token is in s.ProviderTokens if it is kept: see
	// [Config].SignOutAtProvider. An error keeps nobody signed in here.
	EndSessionURL(ctx context.Context, s *session.Session, back, state string) (string, error)
}

// A TokenRevoker is a [Provider] that takes back the tokens that it gave (RFC 7009).
type TokenRevoker interface {
	// RevokeTokens has the provider take back t, of a session that has ended. It does nothing
	// where the provider cannot do that. It is called beside the request, and an error is
	// only logged. It must end when ctx does, and not show t in the error.
	RevokeTokens(ctx context.Context, t *session.ProviderTokens) error
}

// A TokenVerifier is a [Provider] whose access tokens an API takes beside sessions, where
// its configuration says so.
type TokenVerifier interface {
	// TakesTokens returns the issuer, as its metadata spells it, what tokens call this API,
	// and whether tokens count that do not say whose they are. Without audiences, no tokens
	// are taken, and VerifyToken is not called.
	TakesTokens() (issuer string, audiences []string, opaque bool)

	// VerifyToken says whose a token is, which anybody may have sent. The result is nil
	// without an error for one of another issuer. An error wraps [ErrInvalidToken], or
	// [ErrNotAllowed], or else means that nobody can tell.
	VerifyToken(ctx context.Context, token string) (*AccessToken, error)
}

// AccessToken is what the issuer of an access token says of it.
type AccessToken struct {
	Identity *Identity // by whose leave it was issued, or the client, if Machine
	Scopes   []string  // what it is for
	Machine  bool      // a client has it for itself
	Expires  time.Time // zero where the issuer does not say
}

// OpenDoor is a [Provider] that anybody in the world can get an account with,
// so that a policy is called for.
type OpenDoor interface {
	AnyoneMayEnter() bool
}

// Lacking is a [Provider] that says what it never tells of anybody: verified e-mail
// addresses, or groups. A policy that asks for them would let nobody in who signs in
// there. Without it, a provider tells of both.
type Lacking interface {
	Lacks() (emails, groups bool)
}

// Presentation is a provider's display name and mark.
type Presentation struct {
	Label string // "Microsoft"
	Mark  Mark
}

// Mark is a small vector drawing, for a button.
type Mark = pages.Mark

// Path is one SVG path of a [Mark].
type Path = pages.Path

// Brand is what the pages say of the site.
type Brand = pages.Brand

// A DeviceAuthorizer is a [Provider] at which people sign in to a program that has no
// browser, by one on another device (RFC 8628). It is for command-line programs and the
// like: the routes of this package do not use it, and package native does.
type DeviceAuthorizer interface {
	// AuthorizeDevice has the provider begin a sign-in. The error wraps one of this
	// package's: [ErrMisconfigured] where the provider has no device flow.
	AuthorizeDevice(ctx context.Context) (*DeviceAuthorization, error)

	// AwaitDevice asks the provider, no more often than it wants, until the person has
	// decided, and returns who it is. That takes minutes, until d.Expires at most, and it
	// ends when ctx does. The error wraps one of this package's: [ErrDeclined] where the
	// person said no, [ErrExpired] where they took too long.
	AwaitDevice(ctx context.Context, d *DeviceAuthorization) (*Identity, error)
}

// DeviceAuthorization is what a provider answers to a program that has no browser: RFC
// 8628 3.2. Its texts are printable ASCII, so that a terminal may show them.
type DeviceAuthorization struct {
	DeviceCode Secret // what the program waits with

	UserCode        string // what the person types at VerificationURI; at most 64 bytes
	VerificationURI string // https, or http on loopback

	// VerificationURIComplete is of the same origin, and has the code in it: for a link or
	// a QR code. May be empty. UserCode is to be shown beside it, for the person to
	// compare: RFC 8628 3.3.1.
	VerificationURIComplete string

	Expires  time.Time     // when both codes do; an hour from now at most
	Interval time.Duration // between two questions: a second to an hour
}
