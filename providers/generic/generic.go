// Package generic signs people in with any OpenID Connect issuer, as the
// environment names it.
package generic

import (
	"net/http"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/envvar"
	"github.com/sallyport/auth/providers/oidc"
)

// FromEnv is the [auth.ProviderFactory] of "generic-oidc". In code,
// [oidc.New] does the same and more.
func FromEnv(env auth.Env, id string, client *http.Client) (auth.Provider, error) {
	r := envvar.NewReader(env)
	c := oidc.Config{
		Name:         id,
		Issuer:       r.Need("it is the issuer exactly as its /.well-known/openid-configuration spells it", "GENERIC_OIDC_ISSUER", "AUTH_GENERIC_OIDC_ISSUER"),
		ClientID:     r.Need("the identity provider gives it to the application", "GENERIC_OIDC_CLIENT_ID", "AUTH_GENERIC_OIDC_ID"),
		ClientSecret: auth.NewSecret(r.Need("the identity provider gives it to the application", "GENERIC_OIDC_CLIENT_SECRET", "AUTH_GENERIC_OIDC_SECRET")),
		Presentation: auth.Presentation{Label: "OpenID Connect"},
		HTTPClient:   client,
	}
	if err := r.Err(); err != nil {
		return nil, err
	}
	return oidc.New(c)
}
