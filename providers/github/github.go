// Package github signs people in with GitHub, at github.com, on a GitHub Enterprise
// Server or with data residency at ghe.com, by OAuth 2.0: GitHub has no ID tokens for
// people, so its API says who somebody is.
//
// At GitHub, the application is an OAuth App or a GitHub App with the callback URL
// https://<host>/api/auth/callback/github. A GitHub App needs the account permission
// "Email addresses: read-only" for addresses; without it people sign in and have none.
//
// In the environment, where the provider's id is "github", [FromEnv] reads
// GITHUB_CLIENT_ID and GITHUB_CLIENT_SECRET, or as Auth.js spells them AUTH_GITHUB_ID
// and AUTH_GITHUB_SECRET; and AUTH_GITHUB_BASE_URL for a GitHub Enterprise Server or an
// enterprise at ghe.com.
//
// # Who somebody is
//
// The subject is GitHub's number for the account, in decimal. The login name, which is
// the user name here, is free for anybody once its owner takes another
// (https://docs.github.com/en/account-and-profile/setting-up-and-managing-your-personal-account-on-github/managing-personal-account-settings/changing-your-github-username).
// The e-mail address is the primary one, and only if it is verified. There are no
// groups: [Config.Organizations] and [Config.Teams] decide who may sign in.
//
// # What it does not protect from
//
// Anybody in the world can get an account at github.com. Set Organizations, Teams or a
// policy. Membership is looked at when somebody signs in: who leaves an organization
// keeps the session until it ends.
package github

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/envvar"
	"github.com/sallyport/auth/providers/internal/fromenv"
	"github.com/sallyport/auth/providers/internal/oauth2env"
	"github.com/sallyport/auth/providers/oauth2"
)

const readOrg = "read:org" // the scope with which memberships can be read

// Config describes an OAuth App or a GitHub App.
type Config struct {
	ClientID     string      // of the app's page. Required
	ClientSecret auth.Secret // of the app's page, shown once. Required unless DeviceOnly is set

	// DeviceOnly is for a program that has no secret to keep, and signs people in by the
	// device flow alone ([auth.DeviceAuthorizer]), which GitHub takes without one. It has to
	// be enabled on the app's page.
	DeviceOnly bool

	// Organizations, by login name, and Teams ("org/team-slug") say who may sign in:
	// the active members of any of them. Case does not count. If both are nil,
	// everybody; an empty list is an error, and no open door. With either, people
	// are asked for the scope read:org, and whose membership cannot be read does not
	// get in: an organization may have to approve the app first.
	Organizations, Teams []string

	// BaseURL is a GitHub Enterprise Server's, "https://github.example.com", or that
	// of an enterprise with data residency, "https://example.ghe.com". If empty,
	// https://github.com.
	BaseURL string

	// Scopes to ask for beside those of a sign-in, for [auth.TokenSource]: "repo".
	// If nil, none.
	Scopes []string

	HTTPClient *http.Client     // its Transport is used. If nil, one of our own
	Now        func() time.Time // If nil, time.Now
}

// New returns the provider "github". It does no network I/O. The error says what is
// wrong with c.
func New(c Config) (auth.Provider, error) {
	config, err := c.oauth2()
	if err != nil {
		return nil, err
	}
	return oauth2.New(config)
}

func (c Config) oauth2() (oauth2.Config, error) {
	if c.Organizations != nil && len(c.Organizations) == 0 || c.Teams != nil && len(c.Teams) == 0 {
		return oauth2.Config{}, fmt.Errorf("auth: provider github: Organizations or Teams is empty and would let nobody in")
	}
	for _, t := range c.Teams {
		if org, slug, ok := strings.Cut(t, "/"); !ok || org == "" || slug == "" || strings.Contains(slug, "/") {
			return oauth2.Config{}, fmt.Errorf("auth: provider github: Teams: %q: want org/team-slug", t)
		}
	}
	base, api := addresses(c.BaseURL)
	scopes := append([]string{"read:user", "user:email"}, c.Scopes...)
	restricted := c.Organizations != nil || c.Teams != nil
	if restricted {
		scopes = append(scopes, readOrg)
	}
	var method oauth2.ClientAuth
	if c.DeviceOnly {
		method = oauth2.ClientAuthNone
	}
	g := &github{api: api, organizations: c.Organizations, teams: c.Teams}
	return oauth2.Config{
		Name:           "github",
		Issuer:         base + "/login/oauth", // what GitHub sends as "iss" (RFC 9207)
		AuthURL:        base + "/login/oauth/authorize",
		TokenURL:       base + "/login/oauth/access_token",
		ClientID:       c.ClientID,
		DeviceURL:      base + "/login/device/code",
		ClientSecret:   c.ClientSecret,
		ClientAuth:     method,
		Scopes:         scopes,
		ParamNames:     []string{"prompt", "login"},
		Prompts:        []string{"select_account"},
		Identify:       g.identify,
		AnyoneMayEnter: !restricted,
		NoGroups:       true,
		Presentation:   auth.Presentation{Label: "GitHub", Mark: mark},
		HTTPClient:     c.HTTPClient,
		Now:            c.Now,
	}, nil
}

// FromEnv is the [auth.ProviderFactory] of "github". AUTH_GITHUB_ORGANIZATIONS are
// [Config].Organizations and Teams, "acme,partner/core".
func FromEnv(env auth.Env, id string, client *http.Client) (auth.Provider, error) {
	reg, err := fromenv.Read(env, id, "github", fromenv.Cures{
		ClientID:     "GitHub shows it under Settings, Developer settings, on the app's page",
		ClientSecret: "GitHub makes it on the app's page under Client secrets",
		OAuth2:       true,
	})
	r := envvar.NewReader(env)
	r.Problem(err)
	c := Config{ClientID: reg.ClientID, ClientSecret: reg.ClientSecret, HTTPClient: client}
	c.BaseURL = fromenv.Address(r, "it is that of a GitHub Enterprise Server, such as https://github.example.com, or of an enterprise at ghe.com, such as https://example.ghe.com", "AUTH_"+fromenv.Variable(id)+"_BASE_URL")
	c.readMembers(r, "AUTH_"+fromenv.Variable(id)+"_ORGANIZATIONS")
	if err := r.Err(); err != nil {
		return nil, err
	}
	config, err := c.oauth2()
	if err != nil {
		return nil, err
	}
	config.Name = id
	if reg.Settings.Scopes != nil && (c.Organizations != nil || c.Teams != nil) {
		reg.Settings.Scopes = append(slices.DeleteFunc(reg.Settings.Scopes, func(scope string) bool { return scope == readOrg }), readOrg)
	}
	return oauth2env.New(config, reg.Settings)
}

// A login name of an organization, and a team's slug.
var orgName, teamSlug = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_-]{0,99})$`), regexp.MustCompile(`^[A-Za-z0-9._-]{1,255}$`)

func (c *Config) readMembers(r *envvar.Reader, variable string) {
	value := r.Get(variable)
	for _, entry := range envvar.Split(value) {
		org, team, isTeam := strings.Cut(entry, "/")
		switch {
		case !orgName.MatchString(org) || isTeam && !teamSlug.MatchString(team):
			r.Problem(&envvar.Error{Variable: variable, Problem: "is not a list of organizations and teams", Cure: "write it like acme,partner/core: names as they stand in addresses at GitHub"})
			return
		case isTeam:
			c.Teams = append(c.Teams, entry)
		default:
			c.Organizations = append(c.Organizations, entry)
		}
	}
	if value != "" && c.Teams == nil && c.Organizations == nil {
		r.Problem(&envvar.Error{Variable: variable, Problem: "names nobody, and would let nobody in", Cure: "write it like acme,partner/core, or unset it"})
	}
}

var mark = auth.Mark{ViewBox: "0 0 24 24", Paths: []auth.Path{
	{D: "M12 .99C5.76 .99 .71 6.04 .71 12.28c0 5 3.23 9.22 7.72 10.72 .56 .1 .78-.24 .77-.54 0-.27-.01-1.16-.01-2.1-2.84 .52-3.57-.69-3.8-1.33-.13-.32-.68-1.33-1.15-1.59-.4-.21-.96-.73-.02-.75 .89-.01 1.52 .82 1.74 1.15 1.02 1.71 2.64 1.23 3.29 .94 .1-.73 .4-1.23 .72-1.51-2.51-.28-5.14-1.26-5.14-5.58 0-1.23 .44-2.24 1.16-3.04-.11-.28-.51-1.44 .11-2.99 0 0 .95-.3 3.1 1.16 .9-.25 1.86-.38 2.83-.38s1.92 .13 2.82 .38c2.16-1.47 3.11-1.16 3.11-1.16 .62 1.55 .23 2.71 .11 2.99 .72 .79 1.16 1.79 1.16 3.04 0 4.33-2.64 5.29-5.15 5.58 .41 .35 .76 1.03 .76 2.09 0 1.51-.01 2.72-.02 3.1 0 .3 .21 .65 .78 .54A11.31 11.31 0 0 0 23.29 12.28c0-6.24-5.05-11.29-11.29-11.29z"},
}}
