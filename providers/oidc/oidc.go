// Package oidc signs people in with any OpenID Connect issuer, by the authorization
// code flow with PKCE (OpenID Connect Core 1.0, section 3.1; RFC 7636).
//
//	p, err := oidc.New(oidc.Config{
//		Name:         "example",
//		Issuer:       "https://id.example.com",
//		ClientID:     "app",
//		ClientSecret: auth.NewSecret(os.Getenv("CLIENT_SECRET")),
//	})
//	if err != nil {
//		log.Fatal(err)
//	}
//	a, err := auth.New(auth.Config{Secrets: secrets, Providers: []auth.Provider{p}})
//	if err != nil {
//		log.Fatal(err)
//	}
//	log.Fatal(http.ListenAndServe(":3000", a.Require(app)))
//
// The callback to register at the issuer is /api/auth/callback/example.
//
// # What is checked
//
// Discovery, ID tokens and userinfo are the work of [github.com/coreos/go-oidc/v3/oidc],
// the exchange and PKCE that of [golang.org/x/oauth2]. What those two leave to
// their callers, or take more kindly than the specifications ask for, is checked
// here, and no option turns a check off:
//
//   - the issuer in the metadata, in the callback (RFC 9207) and in the ID token, to
//     the letter; how the configured one is spelled is mended, and what else an issuer
//     calls itself has to be configured;
//   - the nonce, the subject, every audience, the authorized party, and the age of
//     an ID token; at_hash and c_hash where they are;
//   - the form of each answer: its size, its JSON, the members that it must have and
//     their types. An answer with a member twice is refused, and iss never matches
//     ISS;
//   - the keys: only asymmetric ones of a safe size, each for its own algorithm.
//     Keys are fetched again when a token fits none, and no more often than twice a
//     minute after a few times, whoever sends the tokens;
//   - redirects of an endpoint are not followed, and an authorization code is sent
//     once.
//
// # What is not
//
// A provider vouches for what it says: whether an e-mail address is the person's own
// is what email_verified says, and [auth.Config] has the policy that looks at it.
// Encrypted ID tokens and userinfo, aggregated and distributed claims (Core 5.6.2), and
// the implicit and hybrid flows are not spoken.
package oidc

import (
	"cmp"
	"context"
	"crypto"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/internal/upstream"
	"github.com/sallyport/auth/providers/internal/codegrant"
)

// Needs says what has to be known of a person to decide about them.
type Needs struct {
	Email  bool // an e-mail address, and whether it is verified: for [auth.AllowEmails]
	Groups bool // for [auth.AllowGroups]
}

// Config describes an OpenID Connect issuer to [New].
//
// Issuer is what the issuer calls itself in its metadata and its ID tokens, with https,
// or http on loopback. A slash at its end that is too many or too few, capitals in its
// scheme and host, and characters of its path that a URL has encoded are mended by the
// metadata, which is at one address for all spellings (Discovery 4.1); the address of
// the metadata itself, with /.well-known/openid-configuration at its end, is cut. An
// identity has the issuer as the issuer spells it.
type Config struct {
	Name         string      // the provider's id, required: lower-case letters, digits and hyphens
	Issuer       string      // its address, required; see below
	ClientID     string      // required
	ClientSecret auth.Secret // required unless PrivateKey or Certificate is set or ClientAuth is "none"

	// ClientAuth is the method at the token endpoint. If empty: private_key_jwt
	// when PrivateKey is set, tls_client_auth when only Certificate is, otherwise what discovery says, basic before post; post
	// before basic where the id or the secret has characters that basic encodes (RFC
	// 6749 2.3.1), such as + / =, which some servers do not decode.
	ClientAuth ClientAuth

	// PrivateKey is for private_key_jwt, signed requests or SecretIssuer: RSA of 2048 bits or
	// more, ECDSA P-256 or Ed25519. It may be in a module that only signs. RSA signs with
	// RS256, or with PS256 where the issuer's metadata has no RS256.
	PrivateKey   crypto.Signer
	PrivateKeyID string // its "kid"

	// Certificate is what connections to the issuer are made with: for "tls_client_auth" and
	// "self_signed_tls_client_auth", and where the issuer binds tokens to it (RFC 8705). The
	// issuer's mtls_endpoint_aliases are then called, where there are some. An HTTPClient's
	// Transport has to be an [http.Transport]. If nil, without one.
	Certificate *tls.Certificate

	// DPoPKey binds the tokens of everybody to it (RFC 9449): whoever steals one cannot use
	// it. It is a key like PrivateKey, another one, and the same on all nodes. An issuer that
	// answers with tokens that are not bound is an error. Resources are called with
	// [Provider.DPoP]. If nil, tokens are bearer tokens, or bound to Certificate.
	DPoPKey crypto.Signer

	// SecretIssuer is for an issuer whose client secret is a JWT that the client signs,
	// as Apple's is. Each token request then has a new one as client_secret, signed by
	// PrivateKey: of this issuer (at Apple, the team's id), about ClientID, for Issuer,
	// good for five minutes. ClientSecret and ClientAuth are left out. If empty,
	// PrivateKey is for private_key_jwt.
	SecretIssuer string

	// Scopes to ask for. If nil: openid, profile, email. "openid" is always sent.
	Scopes []string

	// Algorithms that may sign ID tokens and logout tokens, of those that the issuer's metadata
	// names. If nil: RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512
	// and EdDSA. Symmetric ones and "none" are refused by [New].
	Algorithms []string

	// TrustedAudiences may stand in "aud" beside ClientID. If nil, nobody may, unless
	// AudiencesByIssuer is set. An ID token with several audiences must name ClientID
	// as its "azp" in any case.
	TrustedAudiences []string

	// AudiencesByIssuer takes whomever else the issuer names in "aud", where "azp" is
	// there and is ClientID. It is for issuers that name others by design, such as
	// ZITADEL, which names all clients of a project, and Keycloak, whose mapper adds
	// "account": Core 3.1.3.7, 3 leaves additional audiences to the client's trust. The
	// token was issued to this client in any case. What is given up: that the others,
	// to whom it may be shown, are known here.
	AudiencesByIssuer bool

	// APIAudiences are what the issuer calls this API in the "aud" of access tokens, such as
	// https://api.example.com. [auth.Authenticator.Require] then takes the issuer's access
	// tokens for one of them beside sessions: JWTs by RFC 9068, whose header calls them
	// at+jwt. Algorithms, Map, GroupsClaim and TrustEmail hold for them too. If nil, none.
	APIAudiences []string

	// Introspect has the issuer asked about access tokens that are no JWTs (RFC 7662), once a
	// minute for each. Its answer has to name one of APIAudiences. Of several providers one
	// may have it: such a token does not say whose it is. If false, they are refused.
	Introspect bool

	// IssuerTemplate is for an issuer with many tenants (Microsoft's "common"):
	// what its metadata calls itself, with "{tenantid}" in it. An ID token's
	// issuer must then be the template with the token's own "tid", a GUID, in
	// that place. Metadata that has a GUID there already pins it: only that
	// tenant's tokens count. If empty, both must be Issuer exactly.
	IssuerTemplate string

	// AlwaysUserinfo calls the userinfo endpoint at each sign-in, and makes its
	// failure one of the sign-in. Otherwise it is called when the ID token has
	// neither an e-mail address nor a name, and may be down; or lacks what Needs has.
	AlwaysUserinfo bool

	// Needs is what a policy looks at. Where the ID token lacks it, userinfo is asked,
	// and its failure is one of the sign-in: nobody is refused for what could not be
	// asked. If zero, nothing is needed.
	Needs Needs

	// AuthParams are fixed extra parameters of the authorization request, with one
	// value each. The protocol's own are refused by [New].
	AuthParams url.Values

	// FormPost asks for the answer as a form that a page of the issuer posts to the
	// callback (OAuth 2.0 Form Post Response Mode), in the place of a redirect. It is for
	// issuers that insist, as Apple does where a name or an address is asked for. What
	// is gained elsewhere is little: see [auth.FormPoster] for what becomes of the form.
	FormPost bool

	// ParamNames are the extra parameters that a sign-in may bring along. If nil:
	// prompt, login_hint, ui_locales, screen_hint, domain_hint, connection,
	// organization, max_age, acr_values. The protocol's own are refused by [New].
	ParamNames []string

	// Prompts are the values of the parameter "prompt" that the issuer heeds, of those
	// that ask a person anew: "login" and "select_account". The one that lets people take
	// another account is sent by somebody who was refused and tries again; see
	// [auth.Prompter]. Where AuthParams has a prompt, or ParamNames has none, nothing is
	// sent. If nil: login, which Core 15.1 has every issuer heed; an empty list is none.
	Prompts []string

	// Refusal says what an error at the callback, or at the token endpoint in the device
	// flow, means where the issuer means something
	// of its own by it: an error of package auth's, or nil for what the code means
	// everywhere. If nil, there is nothing of its own. It must be safe for concurrent use.
	Refusal func(code, description string) error

	// DiscoveryURL is where the metadata is, for an issuer that does not have it below
	// Issuer, where Discovery 4.1 looks for it: Azure AD B2C's is below the policy. The
	// path /.well-known/openid-configuration at its end may be left out. The metadata has
	// to call itself Issuer all the same. https, or http on loopback, or with
	// InsecureHTTP. If empty, below Issuer.
	DiscoveryURL string

	// SharedIssuer is what the metadata may call itself in the place of Issuer, to the
	// letter and at the same origin: authentik can have one issuer for all of its
	// applications, whose metadata is below each. Where it does, SharedIssuer is the
	// issuer of callbacks, ID tokens and identities, and Issuer is not. If empty, only
	// Issuer.
	SharedIssuer string

	// IssuerAlias is another spelling of the issuer that its ID tokens may have, to the
	// letter: accounts.google.com, which Google documents beside
	// https://accounts.google.com. Metadata and callbacks have to have Issuer, and
	// identities have it. If empty, there is none.
	IssuerAlias string

	// TrustEmail says that the issuer is the operator's own, where nobody has an
	// address that is somebody else's: each address counts as verified, whatever
	// email_verified says or does not. It is for issuers that leave the claim out or
	// send false (authentik since 2025.10, Casdoor, Entra without xms_edov, LDAP
	// behind Keycloak). What is given up: where a person can type in an address, and
	// the issuer does not verify it, that person signs in with anybody's, and enters
	// where [auth.AllowEmails] lets the other one in. An issuer of many tenants, or
	// one where anybody gets an account, is not the operator's, and refused.
	TrustEmail bool

	// GroupsClaim is where groups are: the name of a claim, or a path of names with
	// dots between them, "realm_access.roles" or "resource_access.app.roles". A claim
	// whose own name has dots wins over a path. See [Claims.Groups] for what counts as
	// groups. If empty, Map says; if not, it has the last word on groups, also when
	// the claim is missing and there are none.
	GroupsClaim string

	// PushedRequests sends each authorization request to the issuer's server first (RFC 9126),
	// so that a browser's address has a name of it alone. If false, that is done where the
	// issuer's metadata requires it.
	PushedRequests bool

	// SignedRequests sends each authorization request as a JWT that PrivateKey signs (RFC
	// 9101), in the browser's address or, with PushedRequests, to the issuer's server. If
	// false, that is done where the issuer's metadata requires it.
	SignedRequests bool

	// FAPI2 holds client and issuer to the FAPI 2.0 Security Profile, which banks and
	// governments ask for. The client authenticates by PrivateKey or by Certificate, pushes
	// its requests, and has its tokens bound to DPoPKey or to Certificate. It signs with
	// PS256, ES256 or EdDSA, and takes ID tokens signed so alone; each callback has to name
	// its issuer (RFC 9207). [New] refuses what does not go with that.
	FAPI2 bool

	// Map turns verified claims into an identity, and may refuse with an error
	// that wraps [auth.ErrNotAllowed]. The identity's issuer is the ID token's; another
	// one is an error. A logout token names people by "sub": of those to whom Map gives
	// another Subject, sessions are found by the token's "sid" alone. If nil,
	// [DefaultIdentity] does. It must be safe for concurrent use.
	Map func(ctx context.Context, c Claims) (*auth.Identity, error)

	// AnyoneMayEnter says that anybody in the world can get an account there, so
	// that the environment's reader warns where no policy is set.
	AnyoneMayEnter bool

	// NoGroups says that the issuer has no groups in any claim, so that the environment's
	// reader refuses a policy that asks for them, unless GroupsClaim names one.
	NoGroups bool

	// SignOutURL makes the address at which people are signed out at an issuer whose metadata
	// has no end_session_endpoint, as that of older Auth0 tenants. It leads to back, which has
	// a query, afterwards. If nil, there is none. It must be safe for concurrent use.
	SignOutURL func(back string) string

	Presentation auth.Presentation // If zero, the name

	// InternalURL is the issuer's address as this server reaches it, where that is not
	// where browsers do: "http://authentik-server:9000" for an issuer at
	// "https://auth.example.com/application/o/app/". Without a path it has the issuer's.
	// Discovery, token, keys and userinfo go there: scheme, host and what differs of the
	// path are replaced, and Host, X-Forwarded-Host and X-Forwarded-Proto are those of
	// the issuer. The issuer, and the address that browsers are sent to, stay. https, or
	// http on loopback, or with InsecureHTTP. If empty, the issuer's own.
	InternalURL string

	// InsecureHTTP takes http for an issuer, its endpoints and InternalURL on a private
	// network: where they are, or their names lead to, loopback or private addresses (RFC
	// 1918, RFC 4193), and never link-local ones. That is looked at where the connection is
	// made, after the name was looked up. An issuer with https has https endpoints all the
	// same. It MUST NOT be set where somebody else is on that network: whoever reads it has
	// the client's secret and everybody's codes and tokens, and whoever changes it signs in
	// as anybody. An HTTPClient whose Transport is no [http.Transport] reaches only
	// addresses that are written as numbers.
	InsecureHTTP bool

	// InsecureNoPKCE sends neither challenge nor verifier. The nonce, which is always
	// checked, then keeps a stolen code from being brought to another sign-in, as RFC 9700
	// 2.1.1 has it, and the client's secret alone keeps others from redeeming one: there has
	// to be one. It MUST NOT be set unless the issuer refuses a client that sends them.
	InsecureNoPKCE bool

	// HTTPClient's Transport is used, with limits where it has none; its cookie jar,
	// its time limit and its redirect policy are not. If nil, a transport of our
	// own, which does not connect to link-local addresses.
	HTTPClient *http.Client

	// Logger is told when somebody signs in without the name and the address that userinfo
	// would have, because it does not answer. If nil, [slog.Default].
	Logger *slog.Logger

	Now func() time.Time // If nil, time.Now
}

// algorithms are those that may sign an ID token: all asymmetric ones that go-jose
// verifies (RFC 7518 3.1, RFC 8037 3.1). A key that the issuer shares with its
// clients could be used by each of them: RFC 8725 3.2.
var algorithms = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}

// New checks c and returns the provider. It does no network I/O: discovery
// (OpenID Connect Discovery 4) happens at the first sign-in, and is shared, kept
// for a day, and retried with growing pauses while it fails. The error joins every
// problem of c.
func New(c Config) (*Provider, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Scopes == nil {
		c.Scopes = []string{"openid", "profile", "email"}
	} else if !slices.Contains(c.Scopes, "openid") {
		c.Scopes = append([]string{"openid"}, c.Scopes...)
	}
	if c.FAPI2 {
		c.PushedRequests = true
	}
	if c.Algorithms == nil {
		c.Algorithms = algorithms
		if c.FAPI2 {
			c.Algorithms = fapiAlgorithms
		}
	}
	if c.ParamNames == nil {
		c.ParamNames = []string{"prompt", "login_hint", "ui_locales", "screen_hint", "domain_hint", "connection", "organization", "max_age", "acr_values"}
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Prompts == nil {
		c.Prompts = []string{"login"}
	}
	mapped := c.Map != nil
	if !mapped {
		c.Map = DefaultIdentity
	}
	for _, end := range []string{wellKnown, wellKnown + "/"} {
		c.Issuer = strings.TrimSuffix(c.Issuer, end)
		c.InternalURL = strings.TrimSuffix(c.InternalURL, end)
		c.DiscoveryURL = strings.TrimSuffix(c.DiscoveryURL, end)
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	c.Issuer = requested(c.Issuer)
	p := &Provider{config: c, client: upstream.New(c.HTTPClient), mapped: mapped}
	if err := p.secure(); err != nil {
		return nil, err
	}
	if c.InsecureHTTP {
		p.client = p.client.PrivateHTTP()
	}
	if c.InternalURL != "" {
		public, _ := c.address(cmp.Or(c.DiscoveryURL, c.Issuer)) // checked
		p.internal, _ = c.address(c.InternalURL)
		p.client = p.client.Via(public, p.internal)
	}
	p.metadata = &upstream.Lazy[*metadata]{TTL: 24 * time.Hour, MaxStale: 7 * 24 * time.Hour, Now: c.Now, Fetch: p.discover}
	p.keys = newKeySource(c.Now, p.fetchKeys)
	return p, nil
}

func (c *Config) check() error {
	var err error
	problem := func(format string, args ...any) {
		err = errors.Join(err, fmt.Errorf("auth: oidc.Config %q: "+format, append([]any{c.Name}, args...)...))
	}
	if !codegrant.ValidName(c.Name) {
		problem("Name: want lower-case letters, digits and hyphens")
	}
	for _, field := range []struct{ name, value string }{{"Issuer", c.Issuer}, {"InternalURL", c.InternalURL}, {"DiscoveryURL", c.DiscoveryURL}} {
		u, e := c.address(field.value)
		_, private := upstream.CheckPrivateURL(field.value)
		switch {
		case field.name != "Issuer" && field.value == "":
		case e != nil && private == nil:
			problem("%s: %w, or with InsecureHTTP (AUTH_INSECURE_HTTP=1) on a private network", field.name, e)
		case errors.Is(e, upstream.ErrInsecure) && c.InsecureHTTP:
			problem("%s: want an https address (http only on loopback and private addresses)", field.name)
		case e != nil:
			problem("%s: %w%s", field.name, e, withScheme(field.value))
		case u.RawQuery != "":
			problem("%s: want no query", field.name)
		}
	}
	if own, err := url.Parse(c.Issuer); c.SharedIssuer != "" && err == nil {
		if shared, err := c.address(c.SharedIssuer); err != nil || !upstream.SameOrigin(shared, own) {
			problem("SharedIssuer: want an address at the issuer's own origin")
		}
	}
	if c.TrustEmail && c.AnyoneMayEnter {
		problem("TrustEmail: anybody can get an account there, with any address: it is for an issuer of your own")
	}
	if c.InsecureNoPKCE && c.ClientAuth == ClientAuthNone {
		problem("InsecureNoPKCE: a client without a secret has nothing else to show")
	}
	if slices.Contains(c.APIAudiences, "") || c.APIAudiences != nil && len(c.APIAudiences) == 0 {
		problem("APIAudiences: want the names of this API, or nil")
	}
	if slices.Contains(c.APIAudiences, c.ClientID) {
		problem("APIAudiences: the client id is the audience of ID tokens: have the issuer give this API a name of its own")
	}
	if c.Introspect && (len(c.APIAudiences) == 0 || c.ClientAuth == ClientAuthNone) {
		problem("Introspect: want APIAudiences, and a client that can authenticate")
	}
	if c.GroupsClaim != "" && slices.Contains(strings.Split(c.GroupsClaim, "."), "") {
		problem("GroupsClaim %q: want the name of a claim, or names with single dots between them", c.GroupsClaim)
	}
	if strings.Count(c.IssuerTemplate, codegrant.TenantMark) > 1 {
		problem("IssuerTemplate: want %s once", codegrant.TenantMark)
	}
	err = errors.Join(err, c.checkClient(), c.checkFAPI2())
	for _, a := range c.Algorithms {
		if !slices.Contains(algorithms, a) {
			problem("Algorithms: %q is none that may sign an ID token", a)
		}
	}
	if e := codegrant.CheckParams(c.AuthParams, c.ParamNames); e != nil {
		problem("%w", e)
	}
	return err
}

// address checks one that is https, or http where that is taken.
func (c *Config) address(raw string) (*url.URL, error) {
	if c.InsecureHTTP {
		return upstream.CheckPrivateURL(raw)
	}
	return upstream.CheckURL(raw)
}

// withScheme shows an address that has none with the one that was meant.
func withScheme(issuer string) string {
	rest := strings.TrimLeft(issuer, "/")
	if rest == "" || strings.ContainsAny(rest, "@#? ") || strings.Contains(rest, "://") {
		return ""
	}
	for _, scheme := range []string{"https://", "http://"} {
		u, err := url.Parse(scheme + rest)
		if err == nil && u.Hostname() != "" && (scheme == "http://") == upstream.IsLoopback(u.Hostname()) {
			return fmt.Sprintf(": %q, not %.200q", u, issuer)
		}
	}
	return ""
}
