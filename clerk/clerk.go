package clerk

import (
	"bytes"
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/clerk/clerk-sdk-go/v2/user"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/internal/forwarded"
	"github.com/sallyport/auth/internal/upstream"
)

// apiVersion is the version of Clerk's APIs that is asked for, in the header
// Clerk-Api-Version and in handshakes.
const apiVersion = "2026-05-12"

// Config describes an application of a Clerk instance. PublishableKey and
// SecretKey are required; the zero value of every other field is the safe default.
// [New] copies it, and checks it.
type Config struct {
	// PublishableKey is pk_test_... or pk_live_...: it names the instance, and says
	// whether that is a development or a production one. It is no secret.
	PublishableKey string

	// SecretKey is sk_test_... or sk_live_.... It authenticates calls of Clerk's
	// APIs, and goes nowhere else.
	SecretKey auth.Secret

	// MachineSecretKey is ak_..., the secret key of this machine, with which Clerk is
	// asked about opaque M2M tokens. If zero, SecretKey. Where AcceptTokens is
	// M2MToken alone, SecretKey may be left out for it, so that a service that people
	// do not use holds no key to their accounts; JWTs then need JWTKey, and count for
	// nothing without it.
	MachineSecretKey auth.Secret

	// JWTKey is the instance's public key, a PEM. With it tokens are verified
	// without any network call, and a key that Clerk rotates has to be changed here.
	// If empty, the keys are fetched at first use, and again after five minutes.
	JWTKey string

	// AuthorizedParties are the origins whose tokens count, claim "azp":
	// "https://example.com". If nil, any of the instance. Clerk makes tokens without
	// this claim on some navigations; those hand over to a handshake.
	AuthorizedParties []string

	// Satellite says that this is a satellite domain of an application whose primary
	// domain has the sign-in page, at SignInURL. It needs Domain or ProxyURL.
	Satellite bool

	// Domain is the satellite's: "example.net". Clerk's Frontend API is then at
	// clerk.example.net; a development instance makes no use of it.
	Domain string

	// SatelliteAutoSync asks the primary domain about everybody. If false, only
	// about people who were seen here before or come from signing in.
	SatelliteAutoSync bool

	// ProxyURL is where this application or another proxies Clerk's Frontend API:
	// "https://example.com/__clerk", https but on loopback, or "/__clerk", a path of
	// the site that is asked. It is then the issuer of tokens. If empty, the address
	// that PublishableKey names is.
	//
	// With a path, and no [auth.Config].URL, the issuer's host is the one that a request
	// names. Tokens count that this instance has made for another domain at which it is
	// proxied, with that one's name in Host; AuthorizedParties keeps them apart.
	ProxyURL string

	// SignInURL is a page of the application: an address, or the path of one of the
	// site that asks for it, which must be reachable without signing in. If empty,
	// Clerk's.
	SignInURL string

	// SignUpURL is a page of the application, likewise. If empty, SignInURL with
	// /create, or Clerk's.
	SignUpURL string

	// RedirectOrigins are other origins that a browser may be sent back to, such as
	// the satellites of a development instance. If nil, none.
	RedirectOrigins []string

	// OrganizationPaths are parts of the application that belong to one
	// organization: "/orgs/{slug}" or "/orgs/{id}", with whatever is below. A
	// navigation there makes that organization the active one; anything else keeps
	// the one that is active, so that a handler still has to look. If nil, none.
	OrganizationPaths []string

	// PersonalPaths are parts where no organization is active: "/me", with whatever
	// is below. If nil, none.
	PersonalPaths []string

	// AcceptTokens are the kinds of tokens that count. If nil, SessionToken. The
	// others count in the Authorization header only.
	AcceptTokens []TokenType

	// Audiences are those for whom a token may have been made, its claim "aud":
	// RFC 7519 4.1.3, RFC 9068 4. If nil, anybody. Where it is set, no token counts
	// that names another, and OAuth access tokens, be they JWTs or opaque, have to name
	// one of them. Others may name none: Clerk puts an audience into session tokens
	// only where the dashboard says so (Sessions, Customize session token:
	// {"aud": "https://api.example.com"}), into a machine's where whoever made it
	// did, and a key is for its whole instance.
	//
	// @clerk/backend looks at no audience of opaque M2M tokens and API keys, and takes
	// one that is no text; this package is stricter.
	Audiences []string

	// Profiles has Clerk say who people are: name, e-mail address, picture. It
	// costs a call for each person every 5 minutes; without it a session says only
	// which user it is. Where Clerk does not answer within 2 seconds, the last that
	// is known counts, or nothing. A Policy that asks for e-mail addresses needs it.
	Profiles bool

	// RequireProfiles has requests wait for what Clerk says of a person, and implies
	// Profiles. A person of whom Clerk has said nothing yet, because it does not answer,
	// is answered 503 in the place of a session without an address: to a policy they
	// would be somebody whom it refuses. What Clerk has said counts through an outage.
	// Whom Clerk does not know any more has an empty profile, and no address.
	RequireProfiles bool

	// ClockSkew is how far clocks may differ. If zero, 5 seconds; at most a minute.
	ClockSkew time.Duration

	// AcceptPending takes sessions with a task left, such as choosing an
	// organization or enrolling a second factor, for signed in. If false, people are
	// sent to the task.
	AcceptPending bool

	// APIURL is the address of Clerk's Backend API, https but on loopback. If empty,
	// https://api.clerk.com.
	APIURL string

	// HTTPClient makes the calls: its Transport is used, with timeouts and limits of
	// our own, and without redirects. If nil, a client of our own.
	HTTPClient *http.Client

	// Logger is told of what is refused, without tokens. If nil, slog.Default.
	Logger *slog.Logger

	// Now is the clock. If nil, time.Now.
	Now func() time.Time
}

// Backend is an [auth.Backend] for one instance of Clerk. It shares no key and no
// cache with others: clerk-sdk-go does, so that a token of one instance counts at
// another. It is safe for concurrent use. [New] makes it.
type Backend struct {
	config      Config
	instance    instance
	frontendAPI string   // base URL, or a path, without a slash at the end
	issuers     []string // one, or a satellite's two; nil: each request's, see issuersAt
	parties     []string // nil: any
	fixedKey    *rsa.PublicKey
	orgPaths    []orgPath // in the order of the configuration; the first that matches counts
	keys        *keyCache
	remembered  rememberedTokens
	vouched     vouched // tokens that only Clerk can read
	ended       vouched // sessions, by id
	bounds      *bounds // of what strangers have Clerk asked about
	client      *upstream.Client
	users       *user.Client // nil without Profiles
	profiles    profiles
	clientOf    atomic.Pointer[func(*http.Request) netip.Addr]
	log         *slog.Logger
	now         func() time.Time
}

var (
	_ auth.Backend     = (*Backend)(nil)
	_ auth.ClientAware = (*Backend)(nil)
)

// New checks c and returns the backend. It does no network I/O and starts no
// goroutine. The error joins every problem that c has, and names none of its
// secrets.
func New(c Config) (*Backend, error) {
	if c.APIURL == "" {
		c.APIURL = "https://api.clerk.com"
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.ClockSkew == 0 {
		c.ClockSkew = 5 * time.Second
	}
	b := &Backend{config: c, client: upstream.New(c.HTTPClient), log: c.Logger, now: c.Now, parties: c.AuthorizedParties}
	b.UseClient(forwarded.Default(c.Logger).Client)
	var err error
	problem := func(e error) {
		if e != nil {
			err = errors.Join(err, e)
		}
	}
	var e error
	b.instance, e = parseKey(c.PublishableKey)
	problem(e)
	if !isSecretKey(c.SecretKey.Reveal()) && !(c.SecretKey.IsZero() && c.onlyMachines()) {
		problem(errors.New("clerk: SecretKey is none: want sk_test_... or sk_live_..., as Clerk's dashboard shows it under API keys"))
	}
	if !c.MachineSecretKey.IsZero() && !isMachineKey(c.MachineSecretKey.Reveal()) {
		problem(errors.New("clerk: MachineSecretKey is none: want ak_..., as Clerk's dashboard shows it under Machines"))
	}
	if c.JWTKey != "" {
		b.fixedKey, e = parsePEM(c.JWTKey)
		problem(e)
	}
	problem(c.check(b.instance.production))
	for i, list := range [][]string{c.OrganizationPaths, c.PersonalPaths} {
		for _, pattern := range list {
			p, e := parseOrgPath(pattern, i == 1)
			problem(e)
			b.orgPaths = append(b.orgPaths, p)
		}
	}
	if err != nil {
		return nil, err
	}
	b.frontendAPI = "https://" + b.instance.frontendAPI
	b.issuers = []string{b.frontendAPI}
	switch {
	case c.ProxyURL != "":
		b.frontendAPI = strings.TrimRight(c.ProxyURL, "/")
		b.issuers = []string{b.frontendAPI}
		if b.frontendAPI[0] == '/' {
			b.issuers = nil
		}
	case c.Satellite && b.instance.production:
		b.frontendAPI = "https://clerk." + c.Domain
		b.issuers = append(b.issuers, b.frontendAPI)
	}
	b.bounds = newBounds(c.Now)
	b.keys = &keyCache{now: c.Now, fetch: b.fetchKeys}
	if c.Profiles || c.RequireProfiles {
		b.users = user.NewClient(b.SDK())
		b.profiles = profiles{now: c.Now, fetch: b.fetchProfile, wait: profileWait, log: c.Logger}
	}
	return b, nil
}

// check finds what is wrong with fields that stand on their own, or beside one
// another. A list that is empty and not nil is a mistake, such as a variable that
// was not set: taken for "any" it would open what somebody meant to close.
func (c *Config) check(production bool) (err error) {
	problem := func(format string, args ...any) { err = errors.Join(err, fmt.Errorf("clerk: "+format, args...)) }
	if !isAPI(c.APIURL) {
		problem("APIURL: want an https address")
	}
	if !isProxy(c.ProxyURL) {
		problem("ProxyURL: want an https address, or a path such as /__clerk")
	}
	for field, raw := range map[string]string{"SignInURL": c.SignInURL, "SignUpURL": c.SignUpURL} {
		if !isPage(raw) {
			problem("%s: want an address such as https://example.com/sign-in, or a path", field)
		}
	}
	if c.AcceptTokens != nil && len(c.AcceptTokens) == 0 {
		problem("AcceptTokens is empty, not nil, and would admit nobody")
	}
	if c.Audiences != nil && (len(c.Audiences) == 0 || slices.Contains(c.Audiences, "")) {
		problem("Audiences is empty, not nil, or has an empty string: want those for whom tokens are made, such as https://api.example.com")
	}
	for _, kind := range c.AcceptTokens {
		if kind != SessionToken && kind != APIKey && kind != M2MToken && kind != OAuthToken {
			problem("AcceptTokens: %q is no kind of token", kind)
		}
	}
	for _, list := range [][]string{c.AuthorizedParties, c.RedirectOrigins} {
		if list != nil && len(list) == 0 {
			problem("AuthorizedParties or RedirectOrigins is empty, not nil, and would admit nobody")
		}
		for _, o := range list {
			if !isOrigin(o) {
				problem("%q is no origin: want one like https://example.com", o)
			}
		}
	}
	for _, o := range c.RedirectOrigins {
		if !strings.HasPrefix(o, "https://") && !strings.HasPrefix(o, "http://") {
			problem("RedirectOrigins: %q is no website's", o)
		}
	}
	if c.Satellite && c.Domain == "" && c.ProxyURL == "" {
		problem("Satellite: want Domain or ProxyURL")
	}
	if !isDomain(c.Domain) {
		problem("Domain: want one like example.com")
	}
	if c.Satellite && !isElsewhere(c.SignInURL) && (c.SignInURL != "" || !production) {
		problem("Satellite: want SignInURL, the address of the primary domain's page")
	}
	if c.Satellite && onItself(c.SignInURL, c.Domain, c.ProxyURL) {
		problem("Satellite: SignInURL is on the satellite itself: want the address of the primary domain's page")
	}
	if c.ClockSkew < 0 || c.ClockSkew > time.Minute {
		problem("ClockSkew: want up to a minute")
	}
	return err
}

// onlyMachines reports whether nothing counts but what MachineSecretKey is enough for.
func (c *Config) onlyMachines() bool {
	return !c.MachineSecretKey.IsZero() && len(c.AcceptTokens) == 1 && c.AcceptTokens[0] == M2MToken && !c.Profiles && !c.RequireProfiles
}

// isSecretKey looks at the form alone: whether Clerk takes the key shows at the
// first call.
func isSecretKey(s string) bool {
	return strings.HasPrefix(s, "sk_test_") || strings.HasPrefix(s, "sk_live_")
}

// isMachineKey looks at the form alone, too.
func isMachineKey(s string) bool { return strings.HasPrefix(s, "ak_") }

// isAPI reports whether raw is empty or can be the address of an API: https, but on
// loopback.
func isAPI(raw string) bool {
	u, err := upstream.CheckURL(raw)
	return raw == "" || err == nil && u.RawQuery == "" && u.Fragment == ""
}

// isProxy reports whether raw is empty or can be the address of a proxy, which may be a
// path of the site.
func isProxy(raw string) bool {
	return isAPI(raw) || isPath(raw) && strings.Trim(raw, "/") != "" && !strings.ContainsAny(raw, "?#")
}

// isPage reports whether raw is empty or can be a page: an http address, or a path of
// the site.
func isPage(raw string) bool { return raw == "" || isElsewhere(raw) || isPath(raw) }

// isPath reports whether raw is a path of the site, which no browser takes for another
// host.
func isPath(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && strings.HasPrefix(raw, "/") && u.Host == "" && !strings.HasPrefix(raw, "//") && !strings.ContainsAny(raw, "\\\t\r\n")
}

// onItself reports whether signIn, a page, is on a satellite's own host: that of domain,
// or of its proxy.
func onItself(signIn, domain, proxy string) bool {
	page, err := url.Parse(signIn)
	if err != nil || page.Host == "" {
		return false
	}
	return slices.ContainsFunc([]string{"https://" + domain, proxy}, func(own string) bool {
		u, err := url.Parse(own)
		return err == nil && u.Host != "" && sameHost(page, u)
	})
}

// isElsewhere reports whether raw is a whole http address.
func isElsewhere(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
}

// isDomain reports whether s is empty or a host.
func isDomain(s string) bool {
	u, err := url.Parse("https://" + s)
	return s == "" || err == nil && u.Host == s
}

// isOrigin reports whether s is a scheme and a host as a browser writes them in the
// header Origin: RFC 6454 6.1. An app's, such as "app://example", is one too.
func isOrigin(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Scheme+"://"+u.Host == s && u.Host != ""
}

// fetchKeys gets the instance's key set, RFC 7517, which only the secret key may see.
func (b *Backend) fetchKeys(ctx context.Context) ([]byte, error) {
	resp, err := b.call(ctx, "GET", "/v1/jwks", nil)
	if err != nil {
		return nil, err
	}
	if resp.Status != http.StatusOK {
		return nil, unreachable("the key set is answered with status %d: is CLERK_SECRET_KEY right?", resp.Status)
	}
	return resp.Body, nil
}

// maxAnswer bounds an answer of Clerk's API, in bytes after decompression.
const maxAnswer = 1 << 20

// call asks Clerk's Backend API with the secret key. path begins with a slash and may have a query; its
// parts are escaped by the caller. The error wraps errUnreachable; any status is an
// answer.
func (b *Backend) call(ctx context.Context, method, path string, body []byte) (*upstream.Response, error) {
	return b.callWith(ctx, b.config.SecretKey, method, path, body)
}

// callWith is call with another key. A key goes to that host and follows no redirect.
func (b *Backend) callWith(ctx context.Context, key auth.Secret, method, path string, body []byte) (*upstream.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimRight(b.config.APIURL, "/")+path, bytes.NewReader(body))
	if err != nil {
		return nil, unreachable("its address is malformed")
	}
	req.Header = http.Header{
		"Authorization": {"Bearer " + key.Reveal()}, "Clerk-Api-Version": {apiVersion},
		"Accept": {"application/json"}, "Content-Type": {"application/json"}, "User-Agent": {"sallyport"},
	}
	resp, err := b.client.Do(req, maxAnswer)
	if err != nil {
		return nil, unreachable("%w", err)
	}
	return resp, nil
}
