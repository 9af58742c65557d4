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

var mark = auth.Mark{ViewBox: "0 0 24 24", Paths: []auth.Path{
	{D: "M12.54 7.34c1.07-.86 2.46-1.29 3.85-1.07 1.5 .21 2.79 .96 3.65 2.14-1.93 1.29-2.79 3.21-2.47 5.36 .21 1.82 1.29 3.21 3 4.07-.96 2.79-2.79 5.25-4.71 5.25-1.29 0-2.04-.75-3.32-.75s-2.04 .75-3.33 .75c-2.89 0-5.79-5.04-5.78-9.64 0-4.29 2.68-7.07 5.68-7.08 1.39 0 2.46 .54 3.43 .97zM12.54 5.73c-.11-2.46 1.71-4.5 4.07-4.82C16.82 3.48 14.89 5.63 12.54 5.73z"},
}}
