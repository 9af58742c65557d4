// Package oauth2 signs people in with a plain OAuth 2.0 server, one that has no ID
// tokens, by the authorization code flow with PKCE (RFC 6749 4.1, RFC 7636). Who it
// is that signs in, an API of the server says. Where a server speaks OpenID Connect,
// package oidc is the better choice: what it says there is signed.
//
//	p, err := oauth2.New(oauth2.Config{
//		Name:         "example",
//		Issuer:       "https://git.example.com",
//		AuthURL:      "https://git.example.com/login/oauth/authorize",
//		TokenURL:     "https://git.example.com/login/oauth/access_token",
//		ClientID:     "app",
//		ClientSecret: auth.NewSecret(os.Getenv("CLIENT_SECRET")),
//		Identify: func(ctx context.Context, api *oauth2.API) (*auth.Identity, error) {
//			var user struct{ ID int64 }
//			if _, err := api.GetJSON(ctx, "https://git.example.com/api/v1/user", &user); err != nil {
//				return nil, err
//			}
//			return &auth.Identity{Subject: strconv.FormatInt(user.ID, 10)}, nil
//		},
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
// The callback to register at the server is /api/auth/callback/example.
//
// The exchange and PKCE are the work of [golang.org/x/oauth2]. A gate in front of it
// sends a code once, with credentials of one kind, follows no redirect, bounds the
// answer in time and size, and passes on only the members that a token has, by their
// exact names and of their types. An error holds the server's error code and a cut,
// printable description, and never the answer.
//
// What a server calls its user's e-mail address may be whatever that user typed in:
// set EmailVerified only where the API says that it was checked.
package oauth2

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/internal/upstream"
	"github.com/sallyport/auth/providers/internal/codegrant"
)

// ClientAuth is how the relying party authenticates at the token endpoint.
type ClientAuth string

// The methods of RFC 6749 2.3.1, and none.
const (
	ClientSecretBasic ClientAuth = "client_secret_basic" // the secret in the Authorization header
	ClientSecretPost  ClientAuth = "client_secret_post"  // the secret in the form
	ClientAuthNone    ClientAuth = "none"                // a public client: PKCE alone
)

// Config describes a plain OAuth 2.0 server to [New].
type Config struct {
	Name string // the provider's id, required: lower-case letters, digits and hyphens

	// Issuer vouches for identities, and is what "iss" in the callback (RFC
	// 9207) must be if it is there. Required.
	Issuer string

	AuthURL      string      // authorization endpoint, required; https, or http on loopback; see InsecureHTTP
	TokenURL     string      // token endpoint, required; likewise
	DeviceURL    string      // device authorization endpoint (RFC 8628 3.1); likewise. If empty, there is no device flow
	ClientID     string      // required
	ClientSecret auth.Secret // required unless ClientAuth is "none"
	ClientAuth   ClientAuth  // if empty, client_secret_post

	Scopes     []string   // to ask for. If nil, the parameter is not sent
	AuthParams url.Values // fixed extra parameters of the authorization request, with one value each
	ParamNames []string   // extra parameters that a sign-in may bring along. If nil: prompt, login_hint

	// Prompts are the values of the parameter "prompt" that the server heeds, of those
	// that ask a person anew: "login" and "select_account". The one that lets people take
	// another account is sent by somebody who was refused and tries again; see
	// [auth.Prompter]. Where AuthParams has a prompt, or ParamNames has none, nothing is
	// sent. If nil, none: RFC 6749 knows no such parameter.
	Prompts []string

	// RequiredScopes must be among those granted, when the server says which it
	// granted (RFC 6749 3.3). If one is not, the sign-in fails with
	// [auth.ErrDeclined].
	RequiredScopes []string

	// Identify asks the server whom the access token belongs to. It may refuse
	// with an error that wraps [auth.ErrNotAllowed]; one that wraps none of package
	// auth's counts as the server being unavailable. If it leaves the identity's
	// issuer empty, that is Issuer; another one is an error. Required, and safe for
	// concurrent use.
	Identify func(ctx context.Context, api *API) (*auth.Identity, error)

	// AnyoneMayEnter says that anybody in the world can get an account there, so
	// that the environment's reader warns where no policy is set.
	AnyoneMayEnter bool

	// NoEmails says that Identify never has an address that is verified, and NoGroups that
	// it has no groups, so that the environment's reader refuses a policy that asks for
	// them and would let nobody in.
	NoEmails, NoGroups bool

	Presentation auth.Presentation // If zero, the name

	Dialect Dialect // where the server departs from RFC 6749. If zero, nowhere

	// InsecureHTTP takes http for a server on a private network: where its names lead to
	// loopback or private addresses (RFC 1918, RFC 4193), and never link-local ones, which
	// is looked at where the connection is made. It MUST NOT be set where somebody else is
	// on that network: whoever reads it has the client's secret and everybody's codes and
	// tokens. An HTTPClient whose Transport is no [http.Transport] reaches only addresses
	// that are written as numbers.
	InsecureHTTP bool

	// HTTPClient's Transport is used, with limits where it has none; its cookie jar,
	// its time limit and its redirect policy are not. If nil, a transport of our
	// own, which does not connect to link-local addresses.
	HTTPClient *http.Client

	Now func() time.Time // If nil, time.Now
}

// New checks c and returns the provider. It does no network I/O. The error joins
// every problem of c.
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
	if !codegrant.ValidName(c.Name) {
		problem("Name: want lower-case letters, digits and hyphens")
	}
	method := codegrant.Method(c.ClientAuth)
	if method == codegrant.PrivateKeyJWT {
		problem("ClientAuth: private_key_jwt is for OpenID Connect issuers")
	}
	if p := c.Dialect.problem(method); p != "" {
		problem("Dialect: %s", p)
	}
	if c.Identify == nil {
		problem("Identify is nil")
	}
	endpoint := func(field, raw string) *url.URL {
		u, e := c.address(raw)
		switch {
		case errors.Is(e, upstream.ErrInsecure) && c.InsecureHTTP:
			problem("%s: want an https address (http only on loopback and private addresses)", field)
		case e != nil:
			problem("%s: %w", field, e)
		}
		return u
	}
	p := &Provider{config: c, client: upstream.New(c.HTTPClient), auth: endpoint("AuthURL", c.AuthURL)}
	if c.InsecureHTTP {
		p.client = p.client.PrivateHTTP()
	}
	endpoint("TokenURL", c.TokenURL)
	if c.DeviceURL != "" {
		endpoint("DeviceURL", c.DeviceURL)
	}
	endpoint("Issuer", c.Issuer)
	if e := codegrant.CheckParams(c.AuthParams, c.ParamNames); e != nil {
		problem("%w", e)
	}
	if method != codegrant.PrivateKeyJWT {
		err = errors.Join(err, codegrant.CheckClient(c.Name, c.ClientID, c.ClientSecret, method, nil))
	}
	if err != nil {
		return nil, err
	}
	return p, nil
}

// address parses that of an endpoint.
func (c *Config) address(raw string) (*url.URL, error) {
	if c.InsecureHTTP {
		return upstream.CheckPrivateURL(raw)
	}
	return upstream.CheckURL(raw)
}
