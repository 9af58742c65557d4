// Package auth0 signs people in with an Auth0 tenant.
package auth0

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/envvar"
	"github.com/sallyport/auth/providers/oidc"
)

// Config describes an application of an Auth0 tenant.
type Config struct {
	Issuer       string      // https://tenant.eu.auth0.com, or a custom domain; with or without a slash at the end
	ClientID     string      // the application's
	ClientSecret auth.Secret // the application's

	// Organization is an id (org_...) or a name: only its members may sign in. If
	// empty, everybody whom the tenant lets in.
	Organization string

	HTTPClient *http.Client     // If nil, one of our own
	Now        func() time.Time // If nil, time.Now
}

// New returns the provider "auth0". It does no network I/O.
func New(c Config) (auth.Provider, error) {
	config := oidc.Config{
		Name:         "auth0",
		Issuer:       strings.TrimRight(c.Issuer, "/") + "/", // Auth0's own name ends with a slash
		ClientID:     c.ClientID,
		ClientSecret: c.ClientSecret,
		ClientAuth:   oidc.ClientSecretPost, // what an Auth0 application is set to when it is made
		Presentation: auth.Presentation{Label: "Auth0", Mark: mark},
		HTTPClient:   c.HTTPClient,
		Now:          c.Now,
	}
	if c.Organization != "" {
		config.AuthParams = url.Values{"organization": {c.Organization}}
		config.ParamNames = []string{"prompt", "login_hint", "ui_locales", "screen_hint", "connection", "max_age", "acr_values"}
		config.Map = c.membersOnly
	}
	return oidc.New(config)
}

func (c Config) membersOnly(ctx context.Context, claims oidc.Claims) (*auth.Identity, error) {
	claim := "org_name"
	if strings.HasPrefix(c.Organization, "org_") {
		claim = "org_id"
	}
	if claims.String(claim) != c.Organization {
		return nil, fmt.Errorf("%w: %s is not the configured organization", auth.ErrNotAllowed, claim)
	}
	return oidc.DefaultIdentity(ctx, claims)
}

// FromEnv is an [auth.ProviderFactory].
func FromEnv(env auth.Env, _ string, client *http.Client) (auth.Provider, error) {
	r := envvar.NewReader(env)
	c := Config{
		Issuer:       r.Need("it is your tenant's address, such as https://example.eu.auth0.com", "AUTH0_ISSUER", "AUTH_AUTH0_ISSUER"),
		ClientID:     r.Need("Auth0 shows it under Applications, Settings, Client ID", "AUTH0_CLIENT_ID", "AUTH_AUTH0_ID"),
		ClientSecret: auth.NewSecret(r.Need("Auth0 shows it under Applications, Settings, Client Secret", "AUTH0_CLIENT_SECRET", "AUTH_AUTH0_SECRET")),
		HTTPClient:   client,
	}
	if err := r.Err(); err != nil {
		return nil, err
	}
	return New(c)
}

var mark = auth.Mark{ViewBox: "0 0 24 24", Paths: []auth.Path{{
	D: "M12 1 3 4.2v6.6C3 16.4 6.8 20.9 12 23c5.2-2.1 9-6.6 9-12.2V4.2zm0 4 1.6 4.6h4.9l-4 2.9 1.5 4.6-4-2.8-4 2.8 1.5-4.6-4-2.9h4.9z", Fill: "#EB5424",
}}}
