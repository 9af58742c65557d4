// Package oidc signs people in with any OpenID Connect issuer.
package oidc

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

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/internal/upstream"
	"github.com/sallyport/auth/providers/internal/codegrant"
)

// ClientAuth is how the relying party authenticates at the token endpoint.
type ClientAuth string

// The methods of OpenID Connect Core 9 that this package speaks.
const (
	ClientSecretBasic ClientAuth = "client_secret_basic"
	ClientSecretPost  ClientAuth = "client_secret_post"
	PrivateKeyJWT     ClientAuth = "private_key_jwt"
	ClientAuthNone    ClientAuth = "none" // a public client: PKCE alone
)

// Config describes an OpenID Connect issuer to [New].
type Config struct {
	Name         string      // the provider's id, required
	Issuer       string      // exactly as the issuer writes it, required; http only on loopback
	ClientID     string      // required
	ClientSecret auth.Secret // required unless PrivateKey is set or ClientAuth is "none"

	// ClientAuth is the method at the token endpoint. If empty: private_key_jwt
	// when PrivateKey is set, otherwise what discovery says, basic before post.
	ClientAuth ClientAuth

	PrivateKey   crypto.Signer // for private_key_jwt: RSA of 2048 bits or more, or ECDSA P-256
	PrivateKeyID string        // its "kid"

	// Scopes to ask for. If nil: openid, profile, email. "openid" is always sent.
	Scopes []string

	// Algorithms that may sign ID tokens. If nil: RS256, PS256, ES256, EdDSA.
	// Symmetric ones and "none" are refused by New.
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
	// organization, max_age, acr_values. The protocol's own are refused by New.
	ParamNames []string

	// Map turns verified claims into an identity, and may refuse with an error
	// that wraps [auth.ErrNotAllowed]. If nil, [DefaultIdentity] does.
	Map func(ctx context.Context, c Claims) (*auth.Identity, error)

	// AnyoneMayEnter says that anybody in the world can get an account there, so
	// that the environment's reader warns where no policy is set.
	AnyoneMayEnter bool

	Presentation auth.Presentation // If zero, the name
	HTTPClient   *http.Client      // its Transport is used. If nil, one of our own
	Now          func() time.Time  // If nil, time.Now
}

// New checks c and returns the provider. It does no network I/O: discovery
// (OpenID Connect Discovery 4) happens at the first sign-in.
func New(c Config) (*Provider, error) {
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
		c.Map = DefaultIdentity
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	p := &Provider{config: c, client: upstream.New(c.HTTPClient)}
	p.metadata = &upstream.Lazy[*metadata]{TTL: 24 * time.Hour, MaxStale: 7 * 24 * time.Hour, Now: c.Now, Fetch: p.discover}
	p.keys = newKeySource(c.Now, p.fetchKeys)
	return p, nil
}

func (c *Config) check() error {
	var err error
	problem := func(format string, args ...any) {
		err = errors.Join(err, fmt.Errorf("auth: oidc.Config %q: "+format, append([]any{c.Name}, args...)...))
	}
	if e := codegrant.CheckName(c.Name); e != nil {
		problem("%w", e)
	}
	if u, e := upstream.CheckURL(c.Issuer); e != nil {
		problem("Issuer: %w", e)
	} else if u.RawQuery != "" {
		problem("Issuer: want no query")
	}
	if c.IssuerTemplate != "" && strings.Count(c.IssuerTemplate, codegrant.TenantMark) > 1 {
		problem("IssuerTemplate: want %s once", codegrant.TenantMark)
	}
	err = errors.Join(err, codegrant.CheckClient(c.Name, c.ClientID, c.ClientSecret, codegrant.Method(c.ClientAuth), c.PrivateKey))
	for _, a := range c.Algorithms {
		if !asymmetric[jose.SignatureAlgorithm(a)] {
			problem("Algorithms: %q is none that may sign an ID token", a)
		}
	}
	if e := codegrant.CheckParams(c.AuthParams, c.ParamNames); e != nil {
		problem("%w", e)
	}
	return err
}
