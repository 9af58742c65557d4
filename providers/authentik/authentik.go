// Package authentik signs people in with an authentik application, by OpenID Connect.
//
// At authentik, the provider is an OAuth2/OpenID Provider with the strict redirect URI
// https://<host>/api/auth/callback/authentik, a signing key, and no encryption key:
// without the one, ID tokens are signed with the client's secret (HS256), with the
// other they are encrypted, and both are refused
// (https://docs.goauthentik.io/add-secure-apps/providers/oauth2/).
//
// In the environment, where the provider's id is "authentik", [FromEnv] reads
// AUTHENTIK_ISSUER, AUTHENTIK_CLIENT_ID and AUTHENTIK_CLIENT_SECRET, or as Auth.js
// spells them AUTH_AUTHENTIK_ISSUER, AUTH_AUTHENTIK_ID and AUTH_AUTHENTIK_SECRET.
//
// # Who somebody is
//
// The subject is what the provider's subject mode says, by default a hash of the
// user's id: changing the mode makes everybody somebody else. So does changing the
// issuer mode: the issuer is that of the application, or, where all providers have the
// same identifier, authentik's own address. Then a subject is the same person in all
// applications whose subject mode is the same, and it is the audience of an ID token,
// which is checked, that tells one application from another. The groups are the names
// of the user's groups in authentik, which come with the scope "profile".
//
// authentik 2025.10 and newer says that no e-mail address is verified, since nothing
// in it verifies one
// (https://docs.goauthentik.io/add-secure-apps/providers/property-mappings/). People
// sign in all the same, but a policy that goes by addresses admits none of them until
// a scope mapping of the administrator's vouches for the addresses.
package authentik

import (
	"net/http"
	"strings"
	"time"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/internal/fromenv"
	"github.com/sallyport/auth/providers/internal/oidcenv"
	"github.com/sallyport/auth/providers/oidc"
)

// Config describes an OAuth2/OpenID provider of authentik.
type Config struct {
	// Issuer is the "OpenID Configuration Issuer" of the provider's page:
	// https://host/application/o/slug/, with or without the slash at the end. It is
	// that of the application also where authentik's issuer mode is the same identifier
	// for all providers, and the page shows https://host/. Required.
	Issuer string

	ClientID     string      // of the provider's page. Required
	ClientSecret auth.Secret // shown when the provider is edited. Required

	// Scopes to ask for beside those of a sign-in, for [auth.TokenSource]: "offline_access"
	// for a refresh token.
	// If nil, none.
	Scopes []string

	HTTPClient *http.Client     // its Transport is used. If nil, one of our own
	Now        func() time.Time // If nil, time.Now
}

// New returns the provider "authentik". It does no network I/O. The error joins what
// is wrong with c.
func New(c Config) (auth.Provider, error) { return oidc.New(c.oidc()) }

func (c Config) oidc() oidc.Config {
	issuer := strings.TrimRight(c.Issuer, "/")
	issuer = strings.TrimSuffix(issuer, "/.well-known/openid-configuration") + "/" // as authentik writes it in "iss"
	return oidc.Config{
		Name:         "authentik",
		Issuer:       issuer,
		SharedIssuer: shared(issuer),
		ClientID:     c.ClientID,
		ClientSecret: c.ClientSecret,
		Scopes:       append([]string{"openid", "profile", "email"}, c.Scopes...),
		Presentation: auth.Presentation{Label: "authentik", Mark: mark},
		HTTPClient:   c.HTTPClient,
		Now:          c.Now,
	}
}

// shared is what an application's metadata calls itself where all providers have the
// same identifier: the address that authentik itself has, which may have a path. It is
// "" where issuer is no application's.
func shared(issuer string) string {
	application := strings.LastIndex(issuer, "/application/o/")
	if application < 0 || strings.Count(issuer[application:], "/") != 4 {
		return ""
	}
	return issuer[:application+1]
}

// FromEnv is the [auth.ProviderFactory] of "authentik".
func FromEnv(env auth.Env, id string, client *http.Client) (auth.Provider, error) {
	reg, err := fromenv.Read(env, id, "authentik", fromenv.Cures{
		Issuer:       "authentik shows it on the provider's page as OpenID Configuration Issuer, such as https://auth.example.com/application/o/slug/",
		ClientID:     "authentik shows it on the provider's page",
		ClientSecret: "authentik shows it when the provider is edited",
	})
	if err != nil {
		return nil, err
	}
	c := Config{Issuer: reg.Issuer, ClientID: reg.ClientID, ClientSecret: reg.ClientSecret, HTTPClient: client}.oidc()
	c.Name = id
	return oidcenv.New(c, reg.Settings)
}

var mark = auth.Mark{ViewBox: "0 0 24 24", Paths: []auth.Path{
	{D: "M4.57 6.29h14.86A4 4 0 0 1 23.43 10.29v3.42a4 4 0 0 1-4 4H16.57v-3.42H7.43v3.42H4.57A4 4 0 0 1 .57 13.71v-3.42A4 4 0 0 1 4.57 6.29z", Fill: "#FD4B2D"},
}}
