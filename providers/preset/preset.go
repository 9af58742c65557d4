// Package preset signs people in with the OpenID Connect providers that need knowledge
// and no protocol of their own: each is an entry of a table.
//
//	id                       issuer
//	authelia                 https://auth.example.com
//	casdoor                  https://casdoor.example.com
//	cloudflare-zero-trust    https://<team>.cloudflareaccess.com/cdn-cgi/access/sso/oidc/<client id>
//	cognito                  https://cognito-idp.<region>.amazonaws.com/<user pool id>
//	gitlab                   https://gitlab.com, unless the environment names another
//	google                   https://accounts.google.com, always
//	keycloak                 https://keycloak.example.com/realms/<realm>
//	logto                    https://<tenant>.logto.app/oidc
//	okta                     https://<org>.okta.com, or .../oauth2/<authorization server>
//	slack                    https://slack.com, always
//
// The application is a confidential client there, for the authorization code flow, with
// the redirect URI https://<host>/api/auth/callback/<id>.
//
// In the environment, each reads its ISSUER, CLIENT_ID and CLIENT_SECRET behind its id,
// as KEYCLOAK_ISSUER, KEYCLOAK_CLIENT_ID and KEYCLOAK_CLIENT_SECRET, or as Auth.js
// spells them, AUTH_KEYCLOAK_ISSUER, AUTH_KEYCLOAK_ID and AUTH_KEYCLOAK_SECRET.
// AUTH_GOOGLE_CLIENT_ID and AUTH_GOOGLE_CLIENT_SECRET are LobeChat's.
//
// In code, [oidc.New] does the same and more.
//
// # Who somebody is
//
// What [oidc.DefaultIdentity] says, and what a product calls by a name of its own:
// Casdoor's displayName and avatar, Cognito's cognito:username, and the roles that
// Keycloak gives for the client, beside those of the realm, where it sends no "groups".
// At Google, the one group is the domain of the Google Workspace that the account is in,
// at Slack the id of the workspace, "T0123456789".
//
// # What it does not protect from
//
// Anybody in the world can get an account at Google, Slack and gitlab.com: set a policy
// there. Slack has no PKCE for a client with a secret: the nonce of its ID tokens is what
// a stolen code fails at. At the others, whoever can get one at the issuer can sign in.
package preset

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/internal/fromenv"
	"github.com/sallyport/auth/providers/internal/oidcenv"
	"github.com/sallyport/auth/providers/oidc"
)

const (
	googleIssuer = "https://accounts.google.com"
	gitlabIssuer = "https://gitlab.com"
	slackIssuer  = "https://slack.com"
)

type entry struct {
	label       string
	issuer      string   // the only one, or with asks the default
	asks        string   // what the issuer looks like, for the operator. If empty, no variable names one
	issuerAlias string   // another spelling of it in ID tokens, which the provider documents
	groupsScope string   // has the groups said, and is asked for where a policy looks at them
	groupsClaim string   // where the groups are, if not where [oidc.DefaultIdentity] looks
	prompts     []string // that it heeds, if not login alone
	noPKCE      bool     // it is refused, and the nonce has to do
	clientAuth  oidc.ClientAuth
	mark        auth.Mark

	audiencesByIssuer bool
	identity          func(clientID string) func(context.Context, oidc.Claims) (*auth.Identity, error)
}

// entries is the table. Authelia refuses a scope that the client is not registered for,
// and registrations for other software lack "groups". Casdoor compares a secret in the
// header as it came, where RFC 6749 2.3.1 has it encoded, and its discovery says nothing
// of methods. Google's ID tokens have one of two issuers, and the domain of the Workspace
// that an account is in, which no other account can have, is "hd"
// (https://developers.google.com/identity/openid-connect/openid-connect#an-id-tokens-payload). Slack answers
// internal_error to a verifier beside a secret. Google knows select_account and not login;
// GitLab answers select_account with an error, and Keycloak ignores it; Casdoor, Cloudflare
// and Slack document no prompt that asks a person anew.
var entries = map[string]entry{
	"authelia":              {label: "Authelia", asks: "it is Authelia's address, such as https://auth.example.com", groupsScope: "groups", mark: autheliaMark},
	"casdoor":               {label: "Casdoor", asks: "it is Casdoor's address, such as https://casdoor.example.com", clientAuth: oidc.ClientSecretPost, prompts: []string{}, identity: casdoor},
	"cloudflare-zero-trust": {label: "Cloudflare Zero Trust", asks: "Cloudflare shows it with the application, such as https://team.cloudflareaccess.com/cdn-cgi/access/sso/oidc/<client id>", prompts: []string{}},
	"cognito":               {label: "Amazon Cognito", asks: "it is like https://cognito-idp.eu-central-1.amazonaws.com/<user pool id>", identity: cognito},
	"gitlab":                {label: "GitLab", issuer: gitlabIssuer, asks: "it is GitLab's address, such as https://gitlab.example.com", mark: gitlabMark},
	"google":                {label: "Google", issuer: googleIssuer, issuerAlias: "accounts.google.com", groupsClaim: "hd", prompts: []string{"select_account"}, mark: googleMark},
	"keycloak":              {label: "Keycloak", asks: "it is the realm's address, such as https://keycloak.example.com/realms/corp", audiencesByIssuer: true, identity: keycloak, mark: keycloakMark},
	"logto":                 {label: "Logto", asks: "Logto shows it as the issuer endpoint, such as https://<tenant>.logto.app/oidc", mark: logtoMark},
	"okta":                  {label: "Okta", asks: "it is like https://<org>.okta.com, or the issuer URI of an authorization server", mark: oktaMark},
	"slack":                 {label: "Slack", issuer: slackIssuer, groupsClaim: "https://slack.com/team_id", prompts: []string{}, noPKCE: true, mark: slackMark},
}

// Factories returns the [auth.ProviderFactory] of each by its id, in a map of the
// caller's own.
func Factories() map[string]auth.ProviderFactory {
	list := map[string]auth.ProviderFactory{}
	for id, e := range entries {
		list[id] = e.factory(id)
	}
	return list
}

func (e entry) factory(kind string) auth.ProviderFactory {
	return func(env auth.Env, id string, client *http.Client) (auth.Provider, error) {
		if kind == "google" {
			env = lobeChats(env)
		}
		reg, err := fromenv.Read(env, id, kind, fromenv.Cures{
			Issuer:        e.asks,
			DefaultIssuer: e.issuer,
			ClientID:      e.label + " gives it to the application",
			ClientSecret:  e.label + " gives it to the application",
		})
		if err != nil {
			return nil, err
		}
		c := oidc.Config{
			Name:              id,
			Issuer:            reg.Issuer,
			ClientID:          reg.ClientID,
			ClientSecret:      reg.ClientSecret,
			ClientAuth:        e.clientAuth,
			IssuerAlias:       e.issuerAlias,
			GroupsClaim:       e.groupsClaim,
			AudiencesByIssuer: e.audiencesByIssuer,
			AnyoneMayEnter:    slices.Contains([]string{googleIssuer, gitlabIssuer, slackIssuer}, strings.TrimRight(reg.Issuer, "/")),
			Prompts:           e.prompts,
			InsecureNoPKCE:    e.noPKCE,
			Presentation:      auth.Presentation{Label: e.label, Mark: e.mark},
			HTTPClient:        client,
		}
		if e.groupsScope != "" && reg.Settings.NeedsGroups {
			c.Scopes = []string{"openid", "profile", "email", e.groupsScope}
		}
		if e.identity != nil {
			c.Map = e.identity(reg.ClientID)
		}
		return oidcenv.New(c, reg.Settings)
	}
}

// lobeChats has the spelling that LobeChat looks for first.
func lobeChats(env auth.Env) auth.Env {
	return func(name string) string {
		if name == "GOOGLE_CLIENT_ID" || name == "GOOGLE_CLIENT_SECRET" {
			return cmp.Or(env("AUTH_"+name), env(name))
		}
		return env(name)
	}
}

// casdoor reads Casdoor's record of the user, which its default token is: "name" is the
// login name there, and the display name in the standard tokens, which have no
// displayName.
func casdoor(string) func(context.Context, oidc.Claims) (*auth.Identity, error) {
	return func(ctx context.Context, c oidc.Claims) (*auth.Identity, error) {
		id, _ := oidc.DefaultIdentity(ctx, c)
		if c.Has("displayName") {
			id.Username = cmp.Or(id.Username, c.String("name"))
			id.Name = cmp.Or(c.String("displayName"), id.Name)
		}
		id.Picture = cmp.Or(id.Picture, c.String("avatar"))
		return id, nil
	}
}

// cognito knows that Cognito's userinfo endpoint writes email_verified as text, where
// its ID tokens have the boolean.
func cognito(string) func(context.Context, oidc.Claims) (*auth.Identity, error) {
	return func(ctx context.Context, c oidc.Claims) (*auth.Identity, error) {
		id, _ := oidc.DefaultIdentity(ctx, c)
		id.EmailVerified = id.EmailVerified || id.Email != "" && c.String("email_verified") == "true"
		id.Username = cmp.Or(id.Username, c.String("cognito:username"))
		id.Name = cmp.Or(id.Name, id.Username)
		return id, nil
	}
}

// keycloak adds the roles of this client. Those of other clients say nothing here.
func keycloak(clientID string) func(context.Context, oidc.Claims) (*auth.Identity, error) {
	return func(ctx context.Context, c oidc.Claims) (*auth.Identity, error) {
		id, _ := oidc.DefaultIdentity(ctx, c)
		if c.Has("groups") {
			return id, nil
		}
		var clients map[string]struct{ Roles []string }
		if json.Unmarshal(c.Raw("resource_access"), &clients) == nil {
			for _, role := range clients[clientID].Roles {
				if !slices.Contains(id.Groups, role) {
					id.Groups = append(id.Groups, role)
				}
			}
		}
		return id, nil
	}
}
