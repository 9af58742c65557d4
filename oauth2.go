package auth

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

	"github.com/sallyport/auth/internal/strictjson"
	"github.com/sallyport/auth/internal/upstream"
)

const userAgent = "sallyport"

// OAuth2Config describes a plain OAuth 2.0 server, one that has no ID tokens,
// to [NewOAuth2].
type OAuth2Config struct {
	Name string // the provider's id, required

	// Issuer vouches for identities, and is what "iss" in the callback (RFC
	// 9207) must be if it is there. Required.
	Issuer string

	AuthURL      string     // authorization endpoint, required
	TokenURL     string     // token endpoint, required
	ClientID     string     // required
	ClientSecret Secret     // required unless ClientAuth is "none"
	ClientAuth   ClientAuth // if empty, client_secret_post
	Scopes       []string   // to ask for
	AuthParams   url.Values // fixed extra parameters of the authorization request
	ParamNames   []string   // extra parameters that a sign-in may bring along. If nil: prompt, login_hint

	// RequiredScopes must be among those granted, when the server says which it
	// granted.
	RequiredScopes []string

	// Identify asks the server whom the access token belongs to. It may refuse
	// with an error that wraps [ErrNotAllowed]. Required.
	Identify func(ctx context.Context, api *API) (*Identity, error)

	// AnyoneMayEnter says that anybody in the world can get an account there, so
	// that the environment's reader warns where no policy is set.
	AnyoneMayEnter bool

	Presentation Presentation     // If zero, the name
	HTTPClient   *http.Client     // its Transport is used. If nil, one of our own
	Now          func() time.Time // If nil, time.Now
}

// OAuth2 is a [Provider] for one OAuth 2.0 server. It is safe for concurrent use.
type OAuth2 struct {
	config OAuth2Config
	auth   *url.URL
	client *upstream.Client
}

// NewOAuth2 checks c and returns the provider. It does no network I/O.
func NewOAuth2(c OAuth2Config) (*OAuth2, error) {
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
		err = errors.Join(err, fmt.Errorf("auth: OAuth2Config %q: "+format, append([]any{c.Name}, args...)...))
	}
	if !providerName.MatchString(c.Name) {
		problem("Name: want lower-case letters, digits and hyphens")
	}
	if c.ClientAuth == PrivateKeyJWT {
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
	p := &OAuth2{config: c, client: upstream.New(c.HTTPClient), auth: endpoint("AuthURL", c.AuthURL)}
	endpoint("TokenURL", c.TokenURL)
	endpoint("Issuer", c.Issuer)
	if e := checkParams(c.AuthParams, c.ParamNames); e != nil {
		problem("%w", e)
	}
	if c.ClientAuth != PrivateKeyJWT {
		err = errors.Join(err, checkClient(c.Name, c.ClientID, c.ClientSecret, c.ClientAuth, nil))
	}
	if err != nil {
		return nil, err
	}
	return p, nil
}

// Name implements [Provider].
func (p *OAuth2) Name() string { return p.config.Name }

// Presentation implements [Presenter].
func (p *OAuth2) Presentation() Presentation { return p.config.Presentation }

// Type implements [Typed].
func (p *OAuth2) Type() string { return "oauth" }

// AnyoneMayEnter implements [OpenDoor].
func (p *OAuth2) AnyoneMayEnter() bool { return p.config.AnyoneMayEnter }

// AuthCodeURL implements [Provider].
func (p *OAuth2) AuthCodeURL(_ context.Context, tx Transaction) (string, error) {
	return authURL(p.auth, p.config.ClientID, p.config.Scopes, tx, p.config.AuthParams, p.config.ParamNames, ""), nil
}

// Exchange implements [Provider].
func (p *OAuth2) Exchange(ctx context.Context, tx Transaction, response url.Values) (*Identity, error) {
	c := &p.config
	code, err := readResponse(c.Name, response, expectIssuer{issuer: c.Issuer})
	if err != nil {
		return nil, failure(c.Name, "callback", err)
	}
	t, err := tokenRequest{
		provider: c.Name, endpoint: c.TokenURL, method: c.ClientAuth, forms: true,
		client: client{id: c.ClientID, secret: c.ClientSecret, now: c.Now},
	}.send(ctx, p.client, tx, code)
	if err != nil {
		return nil, failure(c.Name, "token endpoint", err)
	}
	if t.scoped {
		granted := strings.FieldsFunc(t.scope, func(r rune) bool { return r == ' ' || r == ',' })
		for _, s := range c.RequiredScopes {
			if !slices.Contains(granted, s) {
				return nil, failure(c.Name, "token endpoint", fmt.Errorf("%w: the scope %q was not granted", ErrDeclined, s))
			}
		}
	}
	id, err := c.Identify(ctx, &API{token: t.token, client: p.client})
	if err != nil {
		return nil, failure(c.Name, "identity", err)
	}
	if id.Issuer == "" {
		id.Issuer = c.Issuer
	}
	id.Token = t.token
	trim(id)
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
		return nil, fmt.Errorf("%w: the API's address is malformed", ErrMisconfigured)
	}
	req.Header = http.Header{"Authorization": {"Bearer " + a.token.AccessToken}, "Accept": {"application/json"}, "User-Agent": {userAgent}}
	resp, err := a.client.Do(req, maxDocument)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	if resp.Status != http.StatusOK {
		limited := resp.Header.Get("X-Ratelimit-Remaining") == "0" || resp.Header.Get("Retry-After") != ""
		return nil, &APIError{Path: req.URL.Path, Status: resp.Status, limited: limited}
	}
	if strictjson.Check(resp.Body) != nil || json.Unmarshal(resp.Body, v) != nil {
		return nil, invalid("%s answered something else than the JSON that was expected", req.URL.Path)
	}
	return resp.Header, nil
}

// APIError is an API's refusal. It wraps [ErrUnavailable] when trying later may
// help: for status 429, for one of 500 and more, and for a 403 that is a rate limit.
type APIError struct {
	Path    string
	Status  int
	limited bool
}

func (e *APIError) Error() string { return fmt.Sprintf("%s answered status %d", e.Path, e.Status) }

// Unwrap returns ErrUnavailable or ErrInvalidResponse.
func (e *APIError) Unwrap() error {
	if e.Status >= 500 || e.Status == http.StatusTooManyRequests || e.Status == http.StatusForbidden && e.limited {
		return ErrUnavailable
	}
	return ErrInvalidResponse
}
