// Package apple signs people in with Apple, by OpenID Connect.
//
// At Apple, the application is a Services ID with Sign in with Apple and the return URL
// https://<host>/api/auth/callback/apple, and a key for Sign in with Apple.
//
// In the environment, where the provider's id is "apple", [FromEnv] reads AUTH_APPLE_ID,
// AUTH_APPLE_TEAM_ID, AUTH_APPLE_KEY_ID and AUTH_APPLE_PRIVATE_KEY.
//
// # Who somebody is
//
// The subject is Apple's, the same for all of a team's applications and another for each
// team. The e-mail address is verified where Apple says so; it may be one that forwards
// to a person who hides theirs, and the session then has the claim "is_private_email".
// There are no groups.
//
// Apple tells the name by way of the browser, unsigned, and only when somebody signs in
// for the first time: a name to show, which [auth.Config].Enrich may keep.
//
// # What it does not protect from
//
// Anybody in the world can get an account at Apple. Set a policy.
package apple

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"net/http"
	"time"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/oidc"
)

// Config describes a Services ID. Its first four fields are required.
type Config struct {
	ClientID   string            // the Services ID's identifier, such as com.example.web
	TeamID     string            // of the Apple Developer account: ten letters and digits
	KeyID      string            // of the key: ten letters and digits
	PrivateKey *ecdsa.PrivateKey // of the .p8 file that Apple gives once; it signs the client secrets

	HTTPClient *http.Client     // its Transport is used. If nil, one of our own
	Now        func() time.Time // If nil, time.Now
}

// New returns the provider "apple". It does no network I/O. The error joins what is
// wrong with c.
func New(c Config) (auth.Provider, error) {
	p, err := oidc.New(c.oidc())
	if c.TeamID == "" || c.KeyID == "" {
		err = errors.Join(errors.New(`auth: provider "apple": TeamID or KeyID is empty`), err)
	}
	if err != nil {
		return nil, err
	}
	return &provider{p}, nil
}

func (c Config) oidc() oidc.Config {
	config := oidc.Config{
		Name:           "apple",
		Issuer:         "https://appleid.apple.com",
		ClientID:       c.ClientID,
		PrivateKeyID:   c.KeyID,
		SecretIssuer:   c.TeamID,
		Scopes:         []string{"openid", "name", "email"},
		Prompts:        []string{}, // Apple documents none
		FormPost:       true,       // Apple refuses these scopes without it
		Map:            identity,
		AnyoneMayEnter: true,
		NoGroups:       true,
		Presentation:   auth.Presentation{Label: "Apple", Mark: mark},
		HTTPClient:     c.HTTPClient,
		Now:            c.Now,
	}
	if c.PrivateKey != nil {
		config.PrivateKey = c.PrivateKey
	}
	return config
}

// identity reads what Apple sends as a boolean or as its text.
func identity(ctx context.Context, claims oidc.Claims) (*auth.Identity, error) {
	is := func(name string) bool { return claims.Bool(name) || claims.String(name) == "true" }
	id, err := oidc.DefaultIdentity(ctx, claims)
	id.EmailVerified = is("email_verified")
	if is("is_private_email") {
		id.Claims = map[string]any{"is_private_email": true}
	}
	return id, err
}

var mark = auth.Mark{ViewBox: ".3 .65 22.4 22.4", Paths: []auth.Path{
	{D: "M12 7.5c1-.8 2.3-1.2 3.6-1 1.4.2 2.6.9 3.4 2-1.8 1.2-2.6 3-2.3 5 .2 1.7 1.2 3 2.8 3.8-.9 2.6-2.6 4.9-4.4 4.9-1.2 0-1.9-.7-3.1-.7s-1.9.7-3.1.7c-2.7 0-5.4-4.7-5.4-9 0-4 2.5-6.6 5.3-6.6 1.3 0 2.3.5 3.2.9zM12 6c-.1-2.3 1.6-4.2 3.8-4.5C16 3.9 14.2 5.9 12 6z"},
}}
