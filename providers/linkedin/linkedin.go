// Package linkedin signs people in with LinkedIn. LinkedIn speaks OpenID Connect, but
// its ID tokens never have the nonce of the request, so that they say nothing of the
// attempt that they are for: its API says who somebody is, by OAuth 2.0.
//
// At LinkedIn, the application has the product "Sign In with LinkedIn using OpenID
// Connect" and the redirect URL https://<host>/api/auth/callback/linkedin.
//
// In the environment, where the provider's id is "linkedin", [FromEnv] reads
// LINKEDIN_CLIENT_ID and LINKEDIN_CLIENT_SECRET, or as Auth.js spells them
// AUTH_LINKEDIN_ID and AUTH_LINKEDIN_SECRET.
//
// # Who somebody is
//
// The subject is LinkedIn's id of the member, which is another one for each
// application. The e-mail address is verified where LinkedIn says so. There are no
// groups.
//
// # What it does not protect from
//
// Anybody in the world can get an account. Set a policy. There is no PKCE: LinkedIn
// refuses a client that has a secret and sends a verifier, with invalid_client. Whoever
// steals a code from somebody's redirect can bring it to a sign-in of their own, and
// cannot redeem it without the secret.
package linkedin

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/internal/fromenv"
	"github.com/sallyport/auth/providers/internal/oauth2env"
	"github.com/sallyport/auth/providers/oauth2"
)

// Config describes an application of LinkedIn's developer portal.
type Config struct {
	ClientID     string           // of the page Auth. Required
	ClientSecret auth.Secret      // the primary one of the page Auth. Required
	HTTPClient   *http.Client     // its Transport is used. If nil, one of our own
	Now          func() time.Time // If nil, time.Now
}

// New returns the provider "linkedin". It does no network I/O. The error says what is
// wrong with c.
func New(c Config) (auth.Provider, error) { return oauth2.New(c.oauth2()) }

func (c Config) oauth2() oauth2.Config {
	return oauth2.Config{
		Name:           "linkedin",
		Issuer:         "https://www.linkedin.com/oauth",
		AuthURL:        "https://www.linkedin.com/oauth/v2/authorization",
		TokenURL:       "https://www.linkedin.com/oauth/v2/accessToken",
		ClientID:       c.ClientID,
		ClientSecret:   c.ClientSecret,
		ClientAuth:     oauth2.ClientSecretPost,
		Scopes:         []string{"openid", "profile", "email"},
		ParamNames:     []string{},
		Identify:       identify,
		AnyoneMayEnter: true,
		NoGroups:       true,
		Presentation:   auth.Presentation{Label: "LinkedIn"},
		Dialect:        oauth2.Dialect{InsecureNoPKCE: true},
		HTTPClient:     c.HTTPClient,
		Now:            c.Now,
	}
}

// identify asks for the member
// (https://learn.microsoft.com/en-us/linkedin/consumer/integrations/self-serve/sign-in-with-linkedin-v2).
func identify(ctx context.Context, a *oauth2.API) (*auth.Identity, error) {
	var user struct {
		Sub           string          `json:"sub"`
		Name          string          `json:"name"`
		Picture       string          `json:"picture"`
		Email         string          `json:"email"`
		EmailVerified json.RawMessage `json:"email_verified"` // true, and in some answers "true"
	}
	if _, err := a.GetJSON(ctx, "https://api.linkedin.com/v2/userinfo", &user); err != nil {
		return nil, err
	}
	if user.Sub == "" || len(user.Sub) > 255 {
		return nil, fmt.Errorf("%w: /v2/userinfo has no sub", auth.ErrInvalidResponse)
	}
	verified := string(user.EmailVerified) == "true" || string(user.EmailVerified) == `"true"`
	return &auth.Identity{Subject: user.Sub, Name: user.Name, Email: user.Email, EmailVerified: user.Email != "" && verified, Picture: user.Picture}, nil
}

// FromEnv is the [auth.ProviderFactory] of "linkedin".
func FromEnv(env auth.Env, id string, client *http.Client) (auth.Provider, error) {
	return oauth2env.Read(env, id, "linkedin", fromenv.Cures{
		ClientID:     "LinkedIn shows it in the developer portal, on the application's page Auth",
		ClientSecret: "LinkedIn shows it in the developer portal, on the application's page Auth",
	}, func(reg fromenv.Registration) oauth2.Config {
		return Config{ClientID: reg.ClientID, ClientSecret: reg.ClientSecret, HTTPClient: client}.oauth2()
	})
}
