// Package generic signs people in with any OpenID Connect issuer, as the environment
// names it. It is the environment's face of package oidc; in code, [oidc.New] does the
// same and more.
//
// At the identity provider, the application is a confidential client for the
// authorization code flow with the redirect URI
// https://<host>/api/auth/callback/generic-oidc. The issuer has a discovery document
// (OpenID Connect Discovery 4) and signs its ID tokens with an asymmetric key.
//
// In the environment, where the provider's id is "generic-oidc", [FromEnv] reads
// GENERIC_OIDC_ISSUER, GENERIC_OIDC_CLIENT_ID and GENERIC_OIDC_CLIENT_SECRET, or as
// Auth.js spells them AUTH_GENERIC_OIDC_ISSUER, AUTH_GENERIC_OIDC_ID and
// AUTH_GENERIC_OIDC_SECRET.
//
// # Who somebody is
//
// What [oidc.DefaultIdentity] says: the subject is "sub", the e-mail address "email",
// verified where "email_verified" is true, and the groups "groups", or else the first
// of the other claims that groups are known to be in.
//
// # What it does not protect from
//
// Whoever can get an account at the issuer can sign in. Set a policy where that is
// more people than may.
package generic

import (
	"net/http"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/internal/fromenv"
	"github.com/sallyport/auth/providers/internal/oidcenv"
	"github.com/sallyport/auth/providers/oidc"
)

// FromEnv is an [auth.ProviderFactory]. id becomes the provider's name, and so a part
// of the callback URL; under another id than "generic-oidc" its variables are those of
// Auth.js's spelling with that id.
//
// How the issuer is spelled is mended, by what its metadata calls it; see
// [oidc.Config].
func FromEnv(env auth.Env, id string, client *http.Client) (auth.Provider, error) {
	reg, err := fromenv.Read(env, id, "generic-oidc", fromenv.Cures{
		Issuer:       "it is the issuer exactly as its /.well-known/openid-configuration spells it, such as https://id.example.com",
		ClientID:     "the identity provider gives it to the application",
		ClientSecret: "the identity provider gives it to the application",
	})
	if err != nil {
		return nil, err
	}
	return oidcenv.New(oidc.Config{
		Name:         id,
		Issuer:       reg.Issuer,
		ClientID:     reg.ClientID,
		ClientSecret: reg.ClientSecret,
		Presentation: auth.Presentation{Label: "OpenID Connect"},
		HTTPClient:   client,
	}, reg.Settings)
}
