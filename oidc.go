package auth

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/sallyport/auth/internal/strictjson"
	"github.com/sallyport/auth/internal/upstream"
)

// OIDCConfig describes an OpenID Connect issuer to [NewOIDC].
type OIDCConfig struct {
	Name         string // the provider's id, required
	Issuer       string // exactly as the issuer writes it, required; http only on loopback
	ClientID     string // required
	ClientSecret Secret // required unless PrivateKey is set or ClientAuth is "none"

	// ClientAuth is the method at the token endpoint. If empty: private_key_jwt
	// when PrivateKey is set, otherwise what discovery says, basic before post.
	ClientAuth ClientAuth

	PrivateKey   crypto.Signer // for private_key_jwt: RSA of 2048 bits or more, or ECDSA P-256
	PrivateKeyID string        // its "kid"

	// Scopes to ask for. If nil: openid, profile, email. "openid" is always sent.
	Scopes []string

	// Algorithms that may sign ID tokens. If nil: RS256, PS256, ES256, EdDSA.
	// Symmetric ones and "none" are refused by NewOIDC.
	Algorithms []string

	// TrustedAudiences may stand in "aud" beside ClientID.
	TrustedAudiences []string

	// IssuerTemplate is for an issuer with many tenants (Microsoft's "common"):
	// what its metadata calls itself, with "{tenantid}" in it. An ID token's
	// issuer must then be the template with the token's own "tid", a GUID, in
	// that place. Metadata that has a GUID there already pins it: only that
	// tenant's tokens count. If empty, both must be Issuer exactly.
	IssuerTemplate string

	// AlwaysUserinfo calls the userinfo endpoint at each sign-in. Otherwise it is
	// called when the ID token has neither an e-mail address nor a name.
	AlwaysUserinfo bool

	// AuthParams are fixed extra parameters of the authorization request.
	AuthParams url.Values

	// ParamNames are the extra parameters that a sign-in may bring along. If nil:
	// prompt, login_hint, ui_locales, screen_hint, domain_hint, connection,
	// organization, max_age, acr_values. The protocol's own are refused by NewOIDC.
	ParamNames []string

	// Map turns verified claims into an identity, and may refuse with an error
	// that wraps [ErrNotAllowed]. If nil, [OIDCIdentity] does.
	Map func(ctx context.Context, c Claims) (*Identity, error)

	// AnyoneMayEnter says that anybody in the world can get an account there, so
	// that the environment's reader warns where no policy is set.
	AnyoneMayEnter bool

	Presentation Presentation     // If zero, the name
	HTTPClient   *http.Client     // its Transport is used. If nil, one of our own
	Now          func() time.Time // If nil, time.Now
}

// Claims are the verified claims of an ID token, with those of userinfo that
// it lacks.
type Claims struct{ object strictjson.Object }

// String returns a string claim, or "".
func (c Claims) String(name string) string { s, _ := c.object.String(name); return s }

// Bool reports whether a claim is the boolean true.
func (c Claims) Bool(name string) bool { b, _ := c.object.Bool(name); return b }

// Strings returns a claim that is an array of strings, or nil.
func (c Claims) Strings(name string) []string { s, _ := c.object.Strings(name); return s }

// Has reports whether the claim is there and not null.
func (c Claims) Has(name string) bool { return c.object.Present(name) }

// Raw returns the claim's JSON text, or nil.
func (c Claims) Raw(name string) []byte { return c.object[name] }

const (
	maxGroups     = 200
	maxGroupBytes = 8 << 10
)

// OIDCIdentity maps the standard claims of OpenID Connect Core 5.1, as Auth.js
// does: the name is name, nickname or preferred_username. email_verified counts
// only as the boolean true.
func OIDCIdentity(_ context.Context, c Claims) (*Identity, error) {
	id := &Identity{
		Issuer:        c.String("iss"),
		Subject:       c.String("sub"),
		Name:          firstOf(c.String("name"), c.String("nickname"), c.String("preferred_username")),
		Username:      c.String("preferred_username"),
		Email:         c.String("email"),
		EmailVerified: c.Bool("email_verified"),
		Picture:       c.String("picture"),
		Groups:        c.Strings("groups"),
	}
	return id, nil
}

func firstOf(list ...string) string {
	for _, s := range list {
		if s != "" {
			return s
		}
	}
	return ""
}

// OIDC is a [Provider] for one OpenID Connect issuer. It is safe for concurrent
// use.
type OIDC struct {
	config   OIDCConfig
	client   *upstream.Client
	metadata *upstream.Lazy[*metadata]
	keys     *keySource
}

// NewOIDC checks c and returns the provider. It does no network I/O: discovery
// (OpenID Connect Discovery 4) happens at the first sign-in.
func NewOIDC(c OIDCConfig) (*OIDC, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Scopes == nil {
		c.Scopes = []string{"openid", "profile", "email"}
	} else if !slices.Contains(c.Scopes, "openid") {
		c.Scopes = append([]string{"openid"}, c.Scopes...)
	}
	if c.Algorithms == nil {
		c.Algorithms = []string{"RS256", "PS256", "ES256", "EdDSA"}
	}
	if c.ParamNames == nil {
		c.ParamNames = []string{"prompt", "login_hint", "ui_locales", "screen_hint", "domain_hint", "connection", "organization", "max_age", "acr_values"}
	}
	if c.Map == nil {
		c.Map = OIDCIdentity
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	p := &OIDC{config: c, client: upstream.New(c.HTTPClient)}
	p.metadata = &upstream.Lazy[*metadata]{TTL: 24 * time.Hour, MaxStale: 7 * 24 * time.Hour, Now: c.Now, Fetch: p.discover}
	p.keys = newKeySource(c.Now, p.fetchKeys)
	return p, nil
}

func (c *OIDCConfig) check() error {
	var err error
	problem := func(format string, args ...any) {
		err = errors.Join(err, fmt.Errorf("auth: OIDCConfig %q: "+format, append([]any{c.Name}, args...)...))
	}
	if !providerName.MatchString(c.Name) {
		problem("Name: want lower-case letters, digits and hyphens")
	}
	if u, e := upstream.CheckURL(c.Issuer); e != nil {
		problem("Issuer: %w", e)
	} else if u.RawQuery != "" {
		problem("Issuer: want no query")
	}
	if c.IssuerTemplate != "" && strings.Count(c.IssuerTemplate, tenantMark) > 1 {
		problem("IssuerTemplate: want %s once", tenantMark)
	}
	err = errors.Join(err, checkClient(c.Name, c.ClientID, c.ClientSecret, c.ClientAuth, c.PrivateKey))
	for _, a := range c.Algorithms {
		if !asymmetric[jose.SignatureAlgorithm(a)] {
			problem("Algorithms: %q is none that may sign an ID token", a)
		}
	}
	if e := checkParams(c.AuthParams, c.ParamNames); e != nil {
		problem("%w", e)
	}
	return err
}

// Name implements [Provider].
func (p *OIDC) Name() string { return p.config.Name }

// Presentation implements [Presenter].
func (p *OIDC) Presentation() Presentation { return p.config.Presentation }

// AnyoneMayEnter implements [OpenDoor].
func (p *OIDC) AnyoneMayEnter() bool { return p.config.AnyoneMayEnter }

// AuthCodeURL implements [Provider].
func (p *OIDC) AuthCodeURL(ctx context.Context, tx Transaction) (string, error) {
	m, err := p.metadata.Get(ctx)
	if err != nil {
		return "", p.fail("discovery", err)
	}
	return authURL(m.authorization, p.config.ClientID, p.config.Scopes, tx, p.config.AuthParams, p.config.ParamNames, tx.Nonce), nil
}

// Exchange implements [Provider].
func (p *OIDC) Exchange(ctx context.Context, tx Transaction, response url.Values) (*Identity, error) {
	m, err := p.metadata.Get(ctx)
	if err != nil {
		return nil, p.fail("discovery", err)
	}
	iss := expectIssuer{issuer: p.config.Issuer, required: m.issInResponse}
	if p.config.IssuerTemplate != "" {
		iss.template = p.config.IssuerTemplate
	}
	code, err := readResponse(p.config.Name, response, iss)
	if err != nil {
		return nil, p.fail("callback", err)
	}
	t, err := p.redeem(ctx, m, tx, code)
	if err != nil {
		return nil, p.fail("token endpoint", err)
	}
	claims, err := p.verifyIDToken(ctx, m, t, tx, code)
	if err != nil {
		return nil, p.fail("ID token", err)
	}
	if got := response.Get("iss"); iss.template != "" && got != "" && got != claims.String("iss") {
		return nil, p.fail("callback", fmt.Errorf("%w: iss of the callback is not the ID token's", ErrInvalidResponse))
	}
	if claims, err = p.completeFromUserinfo(ctx, m, t, claims); err != nil {
		return nil, p.fail("userinfo", err)
	}
	id, err := p.config.Map(ctx, claims)
	if err != nil {
		return nil, p.fail("identity", err)
	}
	id.Token = t.token
	trim(id)
	return id, nil
}

// trim keeps what a provider sends within what a session can hold.
func trim(id *Identity) {
	size := 0
	for i, g := range id.Groups {
		if size += len(g) + 3; i >= maxGroups || size > maxGroupBytes {
			id.Groups = id.Groups[:i]
			break
		}
	}
	if len(id.Picture) > 2048 || !strings.HasPrefix(id.Picture, "https://") {
		id.Picture = ""
	}
}

// fail names the provider and the step. An error of no class of ours is the
// provider being unreachable.
func (p *OIDC) fail(step string, err error) error { return failure(p.config.Name, step, err) }

func failure(provider, step string, err error) error {
	for _, f := range failures {
		if errors.Is(err, f.cause) {
			return fmt.Errorf("auth: %s: %s: %w", provider, step, err)
		}
	}
	return fmt.Errorf("auth: %s: %s: %w: %w", provider, step, ErrUnavailable, err)
}
