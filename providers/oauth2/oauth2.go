// Package oauth2 signs people in with a plain OAuth 2.0 server.
package oauth2

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/internal/strictjson"
	"github.com/sallyport/auth/internal/upstream"
	"github.com/sallyport/auth/providers/internal/codegrant"
)

// ClientAuth is how the relying party authenticates at the token endpoint.
type ClientAuth string

// The methods of RFC 6749 2.3.1 and 3.2.1.
const (
	ClientSecretBasic ClientAuth = "client_secret_basic"
	ClientSecretPost  ClientAuth = "client_secret_post"
	ClientAuthNone    ClientAuth = "none" // a public client: PKCE alone

	privateKeyJWT ClientAuth = "private_key_jwt"
)

// Config describes a plain OAuth 2.0 server, one that has no ID tokens,
// to [New].
type Config struct {
	Name string // the provider's id, required

	// Issuer vouches for identities, and is what "iss" in the callback (RFC
	// 9207) must be if it is there. Required.
	Issuer string

	AuthURL      string      // authorization endpoint, required
	TokenURL     string      // token endpoint, required
	ClientID     string      // required
	ClientSecret auth.Secret // required unless ClientAuth is "none"
	ClientAuth   ClientAuth  // if empty, client_secret_post
	Scopes       []string    // to ask for
	AuthParams   url.Values  // fixed extra parameters of the authorization request
	ParamNames   []string    // extra parameters that a sign-in may bring along. If nil: prompt, login_hint

	// RequiredScopes must be among those granted, when the server says which it
	// granted.
	RequiredScopes []string

	// Identify asks the server whom the access token belongs to. It may refuse
	// with an error that wraps [auth.ErrNotAllowed]. Required.
	Identify func(ctx context.Context, api *API) (*auth.Identity, error)

	// AnyoneMayEnter says that anybody in the world can get an account there, so
	// that the environment's reader warns where no policy is set.
	AnyoneMayEnter bool

	Presentation auth.Presentation // If zero, the name
	HTTPClient   *http.Client      // its Transport is used. If nil, one of our own
	Now          func() time.Time  // If nil, time.Now
}

// Provider is an [auth.Provider] for one OAuth 2.0 server. It is safe for concurrent use.
type Provider struct {
	config Config
	auth   *url.URL
	client *upstream.Client
}

// New checks c and returns the provider. It does no network I/O.
func New(c Config) (*Provider, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.ClientAuth == "" {
		c.ClientAuth = ClientSecretPost
	}
	if c.ParamNames == nil {
		c.ParamNames = []string{"prompt", "login_hint"}
	}
	var err error
	problem := func(format string, args ...any) {
		err = errors.Join(err, fmt.Errorf("auth: oauth2.Config %q: "+format, append([]any{c.Name}, args...)...))
	}
	if e := codegrant.CheckName(c.Name); e != nil {
		problem("%w", e)
	}
	if c.ClientAuth == privateKeyJWT {
		problem("ClientAuth: private_key_jwt is for OpenID Connect issuers")
	}
	if c.Identify == nil {
		problem("Identify is nil")
	}
	endpoint := func(field, raw string) *url.URL {
		u, e := upstream.CheckURL(raw)
		if e != nil {
			problem("%s: %w", field, e)
		}
		return u
	}
	p := &Provider{config: c, client: upstream.New(c.HTTPClient), auth: endpoint("AuthURL", c.AuthURL)}
	endpoint("TokenURL", c.TokenURL)
	endpoint("Issuer", c.Issuer)
	if e := codegrant.CheckParams(c.AuthParams, c.ParamNames); e != nil {
		problem("%w", e)
	}
	if c.ClientAuth != privateKeyJWT {
		err = errors.Join(err, codegrant.CheckClient(c.Name, c.ClientID, c.ClientSecret, codegrant.Method(c.ClientAuth), nil))
	}
	if err != nil {
		return nil, err
	}
	return p, nil
}

// Name implements [auth.Provider].
func (p *Provider) Name() string { return p.config.Name }

// Presentation implements [auth.Presenter].
func (p *Provider) Presentation() auth.Presentation { return p.config.Presentation }

// AnyoneMayEnter implements [auth.OpenDoor].
func (p *Provider) AnyoneMayEnter() bool { return p.config.AnyoneMayEnter }

// Type implements [auth.Typed].
func (p *Provider) Type() string { return "oauth" }

// AuthCodeURL implements [auth.Provider].
func (p *Provider) AuthCodeURL(_ context.Context, tx auth.Transaction) (string, error) {
	return codegrant.AuthURL(p.auth, p.config.ClientID, p.config.Scopes, tx, p.config.AuthParams, p.config.ParamNames, ""), nil
}

// Exchange implements [auth.Provider].
func (p *Provider) Exchange(ctx context.Context, tx auth.Transaction, response url.Values) (*auth.Identity, error) {
	c := &p.config
	code, err := codegrant.ReadResponse(c.Name, response, codegrant.Issuer{URL: c.Issuer})
	if err != nil {
		return nil, codegrant.Fail(c.Name, "callback", err)
	}
	t, err := codegrant.TokenRequest{
		Provider: c.Name, Endpoint: c.TokenURL, Method: codegrant.Method(c.ClientAuth), Forms: true,
		Client: codegrant.Client{ID: c.ClientID, Secret: c.ClientSecret, Now: c.Now},
	}.Send(ctx, p.client, tx, code)
	if err != nil {
		return nil, codegrant.Fail(c.Name, "token endpoint", err)
	}
	if t.Scoped {
		granted := strings.FieldsFunc(t.Scope, func(r rune) bool { return r == ' ' || r == ',' })
		for _, s := range c.RequiredScopes {
			if !slices.Contains(granted, s) {
				return nil, codegrant.Fail(c.Name, "token endpoint", fmt.Errorf("%w: the scope %q was not granted", auth.ErrDeclined, s))
			}
		}
	}
	id, err := c.Identify(ctx, &API{token: t.Token, client: p.client})
	if err != nil {
		return nil, codegrant.Fail(c.Name, "identity", err)
	}
	if id.Issuer == "" {
		id.Issuer = c.Issuer
	}
	id.Token = t.Token
	codegrant.Trim(id)
	return id, nil
}

// API calls a provider's API with the access token of one sign-in. Calls are
// bounded in time and size and follow no redirect.
type API struct {
	token  *oauth2.Token
	client *upstream.Client
}

// GetJSON fetches address into v, which gets the JSON object or array. The
// answer's header is returned. A status other than 200 is an [*APIError].
func (a *API) GetJSON(ctx context.Context, address string, v any) (http.Header, error) {
	req, err := http.NewRequestWithContext(ctx, "GET", address, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: the API's address is malformed", auth.ErrMisconfigured)
	}
	req.Header = http.Header{"Authorization": {"Bearer " + a.token.AccessToken}, "Accept": {"application/json"}, "User-Agent": {codegrant.UserAgent}}
	resp, err := a.client.Do(req, codegrant.MaxDocument)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", auth.ErrUnavailable, err)
	}
	if resp.Status != http.StatusOK {
		limited := resp.Header.Get("X-Ratelimit-Remaining") == "0" || resp.Header.Get("Retry-After") != ""
		return nil, &APIError{Path: req.URL.Path, Status: resp.Status, limited: limited}
	}
	if strictjson.Check(resp.Body) != nil || json.Unmarshal(resp.Body, v) != nil {
		return nil, codegrant.Invalid("%s answered something else than the JSON that was expected", req.URL.Path)
	}
	return resp.Header, nil
}

// APIError is an API's refusal. It wraps [auth.ErrUnavailable] when trying later may
// help: for status 429, for one of 500 and more, and for a 403 that is a rate limit.
type APIError struct {
	Path    string
	Status  int
	limited bool
}

func (e *APIError) Error() string { return fmt.Sprintf("%s answered status %d", e.Path, e.Status) }

// Unwrap returns auth.ErrUnavailable or ErrInvalidResponse.
func (e *APIError) Unwrap() error {
	if e.Status >= 500 || e.Status == http.StatusTooManyRequests || e.Status == http.StatusForbidden && e.limited {
		return auth.ErrUnavailable
	}
	return auth.ErrInvalidResponse
}
