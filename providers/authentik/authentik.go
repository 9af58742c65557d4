// Package authentik signs people in with an authentik application.
package authentik

import (
	"net/http"
	"strings"
	"time"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/envvar"
	"github.com/sallyport/auth/providers/oidc"
)

// Config describes an OAuth2/OpenID provider of authentik.
type Config struct {
	Issuer       string      // the "OpenID Configuration Issuer": https://host/application/o/slug/
	ClientID     string      // the provider's
	ClientSecret auth.Secret // the provider's

	HTTPClient *http.Client     // If nil, one of our own
	Now        func() time.Time // If nil, time.Now
}

// New returns the provider "authentik". It does no network I/O. authentik's
// groups become the identity's.
func New(c Config) (auth.Provider, error) {
	return oidc.New(oidc.Config{
		Name:         "authentik",
		Issuer:       strings.TrimRight(c.Issuer, "/") + "/", // authentik's own name ends with a slash
		ClientID:     c.ClientID,
		ClientSecret: c.ClientSecret,
		Presentation: auth.Presentation{Label: "authentik", Mark: mark},
		HTTPClient:   c.HTTPClient,
		Now:          c.Now,
	})
}

// FromEnv is an [auth.ProviderFactory].
func FromEnv(env auth.Env, _ string, client *http.Client) (auth.Provider, error) {
	r := envvar.NewReader(env)
	c := Config{
		Issuer:       r.Need("authentik shows it on the provider's page as OpenID Configuration Issuer, such as https://auth.example.com/application/o/slug/", "AUTHENTIK_ISSUER", "AUTH_AUTHENTIK_ISSUER"),
		ClientID:     r.Need("authentik shows it on the provider's page", "AUTHENTIK_CLIENT_ID", "AUTH_AUTHENTIK_ID"),
		ClientSecret: auth.NewSecret(r.Need("authentik shows it when the provider is edited", "AUTHENTIK_CLIENT_SECRET", "AUTH_AUTHENTIK_SECRET")),
		HTTPClient:   client,
	}
	if err := r.Err(); err != nil {
		return nil, err
	}
	return New(c)
}

var mark = auth.Mark{ViewBox: "0 0 24 24", Paths: []auth.Path{
	{D: "M5.5 7h13A3.5 3.5 0 0 1 22 10.5v3a3.5 3.5 0 0 1-3.5 3.5H16v-3H8v3H5.5A3.5 3.5 0 0 1 2 13.5v-3A3.5 3.5 0 0 1 5.5 7z", Fill: "#FD4B2D"},
}}
