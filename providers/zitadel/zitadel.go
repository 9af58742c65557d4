// Package zitadel signs people in with a ZITADEL instance.
package zitadel

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/envvar"
	"github.com/sallyport/auth/providers/oidc"
)

// rolesClaim is an object: the role's key, and under it who granted it.
const rolesClaim = "urn:zitadel:iam:org:project:roles"

// Config describes a web application of a ZITADEL project.
type Config struct {
	Issuer       string      // the instance's address, as its discovery document spells it
	ClientID     string      // the application's
	ClientSecret auth.Secret // the application's

	// ProjectIDs are the projects that ZITADEL names as audiences of its tokens
	// beside the client.
	ProjectIDs []string

	HTTPClient *http.Client     // If nil, one of our own
	Now        func() time.Time // If nil, time.Now
}

// New returns the provider "zitadel". It does no network I/O. The roles of the
// project become the identity's groups. It does not matter whether "User Info
// inside ID Token" is on.
func New(c Config) (auth.Provider, error) {
	return oidc.New(oidc.Config{
		Name:             "zitadel",
		Issuer:           c.Issuer,
		ClientID:         c.ClientID,
		ClientSecret:     c.ClientSecret,
		Scopes:           []string{"openid", "profile", "email", rolesClaim},
		TrustedAudiences: c.ProjectIDs,
		Map:              identity,
		Presentation:     auth.Presentation{Label: "ZITADEL", Mark: mark},
		HTTPClient:       c.HTTPClient,
		Now:              c.Now,
	})
}

func identity(ctx context.Context, claims oidc.Claims) (*auth.Identity, error) {
	id, err := oidc.DefaultIdentity(ctx, claims)
	if err != nil {
		return nil, err
	}
	var roles map[string]map[string]string
	if raw := claims.Raw(rolesClaim); raw != nil && json.Unmarshal(raw, &roles) == nil {
		id.Groups = slices.Sorted(maps.Keys(roles))
	}
	return id, nil
}

// FromEnv is an [auth.ProviderFactory].
func FromEnv(env auth.Env, _ string, client *http.Client) (auth.Provider, error) {
	r := envvar.NewReader(env)
	c := Config{
		Issuer:       r.Need("ZITADEL shows it on the application's page under URLs, such as https://example.zitadel.cloud", "ZITADEL_ISSUER", "AUTH_ZITADEL_ISSUER"),
		ClientID:     r.Need("ZITADEL shows it on the application's page", "ZITADEL_CLIENT_ID", "AUTH_ZITADEL_ID"),
		ClientSecret: auth.NewSecret(r.Need("ZITADEL shows it once, when the application is made", "ZITADEL_CLIENT_SECRET", "AUTH_ZITADEL_SECRET")),
		HTTPClient:   client,
	}
	if err := r.Err(); err != nil {
		return nil, err
	}
	return New(c)
}

var mark = auth.Mark{ViewBox: "0 0 24 24", Paths: []auth.Path{
	{D: "M3 3h18l-9.5 8L21 21H3l9.5-9z"},
}}
