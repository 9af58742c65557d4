// Package auth0 signs people in with an Auth0 tenant, by OpenID Connect.
//
// At Auth0, the application is a Regular Web Application, and its Allowed Callback
// URLs have https://<host>/api/auth/callback/auth0. For people to be signed out there too,
// its Allowed Logout URLs have https://<host>/api/auth/signout/auth0.
//
// In the environment, where the provider's id is "auth0", [FromEnv] reads
// AUTH0_ISSUER, AUTH0_CLIENT_ID and AUTH0_CLIENT_SECRET, or as Auth.js spells them
// AUTH_AUTH0_ISSUER, AUTH_AUTH0_ID and AUTH_AUTH0_SECRET.
//
// # Who somebody is
//
// The subject is Auth0's user id, such as "auth0|5f7c8ec7c33c6c004bbafe82": the
// connection and the account there, so that the same person is another subject through
// another connection. The e-mail address is verified where Auth0 says so. The groups
// are the claim "groups", which an Action has to set.
//
// # What it does not protect from
//
// With a social connection on, anybody in the world can get an account in the tenant.
// Turn the connections off, set [Config.Organization], or set a policy.
package auth0

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/internal/fromenv"
	"github.com/sallyport/auth/providers/internal/oidcenv"
	"github.com/sallyport/auth/providers/oidc"
)

// Config describes an application of an Auth0 tenant.
type Config struct {
	// Issuer is https:// and the Domain of the application's page, such as
	// https://example.eu.auth0.com, or the tenant's custom domain, which Auth0 then
	// signs with. With or without a slash at the end. Required.
	Issuer string

	ClientID     string      // of the application's page. Required
	ClientSecret auth.Secret // of the application's page. Required

	// ClientAuth is what the application's page has under Credentials as Authentication
	// Method. If empty, [oidc.ClientSecretPost], which it is when it is made.
	ClientAuth oidc.ClientAuth

	// Organization is an id (org_...) or a name: only its members may sign in. If
	// empty, everybody whom the tenant lets in.
	Organization string

	// Scopes to ask for beside those of a sign-in, for [auth.TokenSource]: "offline_access"
	// for a refresh token.
	// If nil, none.
	Scopes []string

	HTTPClient *http.Client     // its Transport is used. If nil, one of our own
	Now        func() time.Time // If nil, time.Now
}

// New returns the provider "auth0". It does no network I/O. The error joins what is
// wrong with c.
func New(c Config) (auth.Provider, error) { return oidc.New(c.oidc()) }

func (c Config) oidc() oidc.Config {
	config := oidc.Config{
		Name:         "auth0",
		Issuer:       strings.TrimRight(c.Issuer, "/") + "/", // as Auth0 writes it in "iss"
		ClientID:     c.ClientID,
		ClientSecret: c.ClientSecret,
		Scopes:       append([]string{"openid", "profile", "email"}, c.Scopes...),
		Refusal:      refusal,
		ClientAuth:   cmp.Or(c.ClientAuth, oidc.ClientSecretPost),
		Presentation: auth.Presentation{Label: "Auth0", Mark: mark},
		HTTPClient:   c.HTTPClient,
		Now:          c.Now,
	}
	config.SignOutURL = func(back string) string {
		return config.Issuer + "v2/logout?" + url.Values{"client_id": {c.ClientID}, "returnTo": {back}}.Encode()
	}
	if c.Organization != "" {
		config.AuthParams = url.Values{"organization": {c.Organization}}
		// oidc's own list without "organization", which is not for the browser to say.
		config.ParamNames = []string{"prompt", "login_hint", "ui_locales", "screen_hint", "connection", "max_age", "acr_values"}
		config.Map = c.membersOnly
	}
	return config
}

// refusal tells the refusals of an Action or a Rule from the person's own: to Auth0, they
// have one code, and the text is the Action's. A request for an API that the tenant does
// not have has it too (https://community.auth0.com/t/why-am-i-getting-an-access-denied-error/63027).
func refusal(code, description string) error {
	switch {
	case code != "access_denied" || description == "",
		strings.HasPrefix(description, "User has canceled the interaction"), strings.HasPrefix(description, "User did not authorize the request"):
		return nil
	case strings.HasPrefix(description, "Service not found"):
		return auth.ErrMisconfigured
	}
	return auth.ErrNotAllowed
}

// membersOnly refuses whom the ID token does not name a member of the organization.
// To ask for it is not enough: the request goes through the browser
// (https://auth0.com/docs/manage-users/organizations/using-tokens). An id and a name
// have a claim each, and a name can look like an id of another organization's, so
// each is looked for in its own.
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

// FromEnv is the [auth.ProviderFactory] of "auth0". There is no variable for an
// organization.
func FromEnv(env auth.Env, id string, client *http.Client) (auth.Provider, error) {
	reg, err := fromenv.Read(env, id, "auth0", fromenv.Cures{
		Issuer:       "it is your tenant's address, such as https://example.eu.auth0.com",
		ClientID:     "Auth0 shows it under Applications, Settings, Client ID",
		ClientSecret: "Auth0 shows it under Applications, Settings, Client Secret",
	})
	if err != nil {
		return nil, err
	}
	c := Config{Issuer: reg.Issuer, ClientID: reg.ClientID, ClientSecret: reg.ClientSecret, HTTPClient: client}.oidc()
	c.Name = id
	return oidcenv.New(c, reg.Settings)
}

var mark = auth.Mark{ViewBox: "0 0 24 24", Paths: []auth.Path{
	{D: "M12 1L3 4.2v6.6C3 16.4 6.8 20.9 12 23c5.2-2.1 9-6.6 9-12.2V4.2z m0 4l1.6 4.6h4.9l-4 2.9 1.5 4.6-4-2.8-4 2.8 1.5-4.6-4-2.9h4.9z", Fill: "#EB5424"},
}}
