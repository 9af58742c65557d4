// Package zitadel signs people in with a ZITADEL instance, by OpenID Connect.
//
// At ZITADEL, the application is of type Web with the method Code, in the project
// whose roles count, and has the redirect URI
// https://<host>/api/auth/callback/zitadel.
//
// In the environment, where the provider's id is "zitadel", [FromEnv] reads
// ZITADEL_ISSUER, ZITADEL_CLIENT_ID and ZITADEL_CLIENT_SECRET, or as Auth.js spells
// them AUTH_ZITADEL_ISSUER, AUTH_ZITADEL_ID and AUTH_ZITADEL_SECRET.
//
// # Who somebody is
//
// The subject is ZITADEL's user id, a number in decimal. The e-mail address is
// verified where ZITADEL says so. The groups are the keys of the roles that the user
// has in the project, in order, of whichever organization granted them
// (https://zitadel.com/docs/guides/integrate/retrieve-user-roles); the claim "groups",
// if an action sets one, where no roles are asserted.
//
// # What it does not protect from
//
// A user without any role in the project can sign in too, unless the project has
// "Check authorization on Authentication" on, or [auth.AllowGroups] asks for a role.
package zitadel

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/internal/fromenv"
	"github.com/sallyport/auth/providers/internal/oidcenv"
	"github.com/sallyport/auth/providers/oidc"
)

// rolesClaim is a claim and the scope that asks for it: an object with the role's key,
// and under it the domain of each organization that granted it by the organization's
// id (https://zitadel.com/docs/apis/openidoauth/claims).
const rolesClaim = "urn:zitadel:iam:org:project:roles"

// Config describes a web application of a ZITADEL project.
type Config struct {
	// Issuer is the instance's address, such as https://example.zitadel.cloud. Required.
	Issuer string

	ClientID     string      // of the application's page. Required
	ClientSecret auth.Secret // shown once, when the application is made. Required

	// ProjectIDs narrows down who may stand as an audience of an ID token beside the
	// client: projects, and other clients of theirs. If nil, whomever ZITADEL names,
	// which are all clients of the project, and the project. "azp" must be ClientID in
	// any case.
	ProjectIDs []string

	// Scopes to ask for beside those of a sign-in, for [auth.TokenSource]: "offline_access"
	// for a refresh token.
	// If nil, none.
	Scopes []string

	HTTPClient *http.Client     // its Transport is used. If nil, one of our own
	Now        func() time.Time // If nil, time.Now
}

// New returns the provider "zitadel". It does no network I/O. The error joins what is
// wrong with c. It does not matter whether "User Info inside ID Token" is on: without
// it, the userinfo endpoint is asked.
func New(c Config) (auth.Provider, error) { return oidc.New(c.oidc()) }

func (c Config) oidc() oidc.Config {
	return oidc.Config{
		Name:              "zitadel",
		Issuer:            c.Issuer,
		ClientID:          c.ClientID,
		ClientSecret:      c.ClientSecret,
		Scopes:            append([]string{"openid", "profile", "email", rolesClaim}, c.Scopes...),
		TrustedAudiences:  c.ProjectIDs,
		AudiencesByIssuer: c.ProjectIDs == nil, // nobody can turn that off at ZITADEL
		Prompts:           []string{"select_account", "login"},
		Map:               identity,
		Presentation:      auth.Presentation{Label: "ZITADEL", Mark: mark},
		HTTPClient:        c.HTTPClient,
		Now:               c.Now,
	}
}

// identity reads the roles. A claim of another shape gives nobody a role.
func identity(ctx context.Context, claims oidc.Claims) (*auth.Identity, error) {
	id, err := oidc.DefaultIdentity(ctx, claims)
	if err != nil {
		return nil, err
	}
	id.Groups = claims.Groups("groups") // not "roles": at ZITADEL that is a claim of an action's own
	var roles map[string]map[string]string
	if json.Unmarshal(claims.Raw(rolesClaim), &roles) == nil {
		id.Groups = slices.Sorted(maps.Keys(roles))
	}
	return id, nil
}

// FromEnv is the [auth.ProviderFactory] of "zitadel".
func FromEnv(env auth.Env, id string, client *http.Client) (auth.Provider, error) {
	reg, err := fromenv.Read(env, id, "zitadel", fromenv.Cures{
		Issuer:       "ZITADEL shows it on the application's page under URLs, such as https://example.zitadel.cloud",
		ClientID:     "ZITADEL shows it on the application's page",
		ClientSecret: "ZITADEL shows it once, when the application is made",
	})
	if err != nil {
		return nil, err
	}
	c := Config{Issuer: reg.Issuer, ClientID: reg.ClientID, ClientSecret: reg.ClientSecret, HTTPClient: client}.oidc()
	c.Name = id
	return oidcenv.New(c, reg.Settings)
}

var mark = auth.Mark{ViewBox: "0 0 24 24", Paths: []auth.Path{
	{D: "M1.81 1.81h20.38l-10.76 9.06L22.19 22.19H1.81l10.76-10.19z"},
}}
