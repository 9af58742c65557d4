// Package discord signs people in with Discord, by OAuth 2.0.
//
// At Discord, the application has the redirect https://<host>/api/auth/callback/discord.
//
// In the environment, where the provider's id is "discord", [FromEnv] reads
// DISCORD_CLIENT_ID and DISCORD_CLIENT_SECRET, or as Auth.js spells them
// AUTH_DISCORD_ID and AUTH_DISCORD_SECRET.
//
// # Who somebody is
//
// The subject is the account's id, a number in decimal. The user name may change hands.
// The e-mail address is verified where Discord says so. The groups are the ids of the
// servers (guilds), with [Config].Guilds, which AUTH_ALLOWED_GROUPS sets.
//
// # What it does not protect from
//
// Anybody in the world can get an account. Set a policy. Who is in a server, its owner
// says. Membership is looked at when somebody signs in.
package discord

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"regexp"
	"time"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/internal/fromenv"
	"github.com/sallyport/auth/providers/internal/oauth2env"
	"github.com/sallyport/auth/providers/oauth2"
)

const api = "https://discord.com/api"

// Config describes an application of Discord's developer portal.
type Config struct {
	ClientID     string      // of the page OAuth2. Required
	ClientSecret auth.Secret // likewise. Required

	// Guilds has the ids of the servers that somebody is in as groups, by the scope guilds.
	Guilds bool

	HTTPClient *http.Client     // its Transport is used. If nil, one of our own
	Now        func() time.Time // If nil, time.Now
}

// New returns the provider "discord". It does no network I/O.
func New(c Config) (auth.Provider, error) { return oauth2.New(c.oauth2()) }

func (c Config) oauth2() oauth2.Config {
	var required []string
	if c.Guilds {
		required = []string{"guilds"}
	}
	return oauth2.Config{
		Name:           "discord",
		Issuer:         "https://discord.com", // what Discord sends as "iss" (RFC 9207)
		AuthURL:        "https://discord.com/oauth2/authorize",
		TokenURL:       api + "/oauth2/token",
		ClientID:       c.ClientID,
		ClientSecret:   c.ClientSecret,
		Scopes:         append([]string{"identify", "email"}, required...),
		RequiredScopes: required,
		ParamNames:     []string{"prompt"},
		Identify:       c.identify,
		AnyoneMayEnter: true,
		NoGroups:       !c.Guilds,
		Presentation:   auth.Presentation{Label: "Discord", Mark: mark}, HTTPClient: c.HTTPClient, Now: c.Now,
	}
}

// What an id and the name of an avatar are made of: both become part of an address.
var snowflake, hash = regexp.MustCompile(`^[1-9][0-9]{0,19}$`), regexp.MustCompile(`^[a-z0-9_]{1,64}$`)

// identify asks for https://discord.com/developers/docs/resources/user#get-current-user.
func (c Config) identify(ctx context.Context, a *oauth2.API) (*auth.Identity, error) {
	var user struct {
		ID         string `json:"id"`
		Username   string `json:"username"`
		GlobalName string `json:"global_name"`
		Avatar     string `json:"avatar"`
		Email      string `json:"email"`
		Verified   bool   `json:"verified"`
	}
	if _, err := a.GetJSON(ctx, api+"/users/@me", &user); err != nil {
		return nil, err
	}
	if !snowflake.MatchString(user.ID) {
		return nil, fmt.Errorf("%w: /users/@me has no id", auth.ErrInvalidResponse)
	}
	id := &auth.Identity{
		Subject: user.ID, Name: cmp.Or(user.GlobalName, user.Username), Username: user.Username,
		Email: user.Email, EmailVerified: user.Email != "" && user.Verified,
	}
	if hash.MatchString(user.Avatar) {
		id.Picture = "https://cdn.discordapp.com/avatars/" + user.ID + "/" + user.Avatar + ".png"
	}
	if !c.Guilds {
		return id, nil
	}
	var in []struct{ ID string } // at most 200, and nobody is in more
	_, err := a.GetJSON(ctx, api+"/users/@me/guilds", &in)
	for _, g := range in {
		id.Groups = append(id.Groups, g.ID)
	}
	return id, err
}

// FromEnv is the [auth.ProviderFactory] of "discord".
func FromEnv(env auth.Env, id string, client *http.Client) (auth.Provider, error) {
	return oauth2env.Read(env, id, "discord", fromenv.Cures{
		ClientID:     "Discord shows it in the developer portal, on the application's page OAuth2",
		ClientSecret: "Discord makes it in the developer portal, on the application's page OAuth2",
	}, func(reg fromenv.Registration) oauth2.Config {
		return Config{ClientID: reg.ClientID, ClientSecret: reg.ClientSecret, Guilds: reg.Settings.NeedsGroups, HTTPClient: client}.oauth2()
	})
}

var mark = auth.Mark{ViewBox: "0 0 24 24", Paths: []auth.Path{
	{D: "M19.5 5A18.4 18.4 0 0 0 15 3.6l-.5 1.2a16.5 16.5 0 0 0-5.1 0L8.8 3.6a18.4 18.4 0 0 0-4.5 1.4C1.4 9.3 .6 13.5 1 17.6a18.4 18.4 0 0 0 5.5 2.8l1.2-1.9c-.6-.2-1.2-.5-1.8-.8l.5-.4a12.9 12.9 0 0 0 11.1 0l.5 .4c-.6 .3-1.1 .6-1.8 .8l1.2 1.9a18.4 18.4 0 0 0 5.5-2.8c.5-4.8-.7-8.9-3.4-12.6zM8.2 15c-1.1 0-2-1-2-2.2s.9-2.2 2-2.2 2 1 2.1 2.2-.9 2.2-2.1 2.2z m7.4 0c-1.1 0-2-1-2-2.2s.9-2.2 2-2.2 2 1 2 2.2-.9 2.2-2 2.2z", Fill: "#5865F2"},
}}
