// Package github signs people in with GitHub or a GitHub Enterprise Server.
package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/envvar"
	"github.com/sallyport/auth/providers/oauth2"
)

// Config describes an OAuth App or a GitHub App.
type Config struct {
	ClientID     string
	ClientSecret auth.Secret

	// Organizations and Teams ("org/team-slug") say who may sign in: the active
	// members of any of them. If both are nil, everybody.
	Organizations, Teams []string

	// BaseURL is a GitHub Enterprise Server's: "https://github.example.com". If
	// empty, https://github.com.
	BaseURL string

	HTTPClient *http.Client     // If nil, one of our own
	Now        func() time.Time // If nil, time.Now
}

// New returns the provider "github". It does no network I/O.
//
// An identity's subject is GitHub's number for the account; the login name may
// change hands. The e-mail address is the primary one, and only if it is verified.
func New(c Config) (auth.Provider, error) {
	if c.Organizations != nil && len(c.Organizations) == 0 || c.Teams != nil && len(c.Teams) == 0 {
		return nil, fmt.Errorf("auth: provider github: Organizations or Teams is empty and would let nobody in")
	}
	for _, t := range c.Teams {
		if org, slug, ok := strings.Cut(t, "/"); !ok || org == "" || slug == "" || strings.Contains(slug, "/") {
			return nil, fmt.Errorf("auth: provider github: Teams: %q: want org/team-slug", t)
		}
	}
	base, api := "https://github.com", "https://api.github.com"
	if b := strings.TrimRight(c.BaseURL, "/"); b != "" && b != base {
		base, api = b, b+"/api/v3"
	}
	scopes := []string{"read:user", "user:email"}
	restricted := c.Organizations != nil || c.Teams != nil
	if restricted {
		scopes = append(scopes, "read:org")
	}
	g := &github{api: api, organizations: c.Organizations, teams: c.Teams}
	return oauth2.New(oauth2.Config{
		Name:           "github",
		Issuer:         base + "/login/oauth", // what GitHub sends as "iss"
		AuthURL:        base + "/login/oauth/authorize",
		TokenURL:       base + "/login/oauth/access_token",
		ClientID:       c.ClientID,
		ClientSecret:   c.ClientSecret,
		Scopes:         scopes,
		ParamNames:     []string{"prompt", "login"},
		Identify:       g.identify,
		AnyoneMayEnter: !restricted,
		Presentation:   auth.Presentation{Label: "GitHub", Mark: mark},
		HTTPClient:     c.HTTPClient,
		Now:            c.Now,
	})
}

type github struct {
	api                  string
	organizations, teams []string
}

func (g *github) identify(ctx context.Context, api *oauth2.API) (*auth.Identity, error) {
	var user struct {
		ID        int64  `json:"id"`
		Login     string `json:"login"`
		Name      string `json:"name"`
		AvatarURL string `json:"avatar_url"`
	}
	if _, err := api.GetJSON(ctx, g.api+"/user", &user); err != nil {
		return nil, err
	}
	if user.ID <= 0 {
		return nil, fmt.Errorf("%w: /user has no id", auth.ErrInvalidResponse)
	}
	if user.Name == "" {
		user.Name = user.Login
	}
	if err := g.admit(ctx, api); err != nil {
		return nil, err
	}
	email, err := g.email(ctx, api)
	if err != nil {
		return nil, err
	}
	return &auth.Identity{
		Subject: strconv.FormatInt(user.ID, 10), Name: user.Name, Username: user.Login,
		Email: email, EmailVerified: email != "", Picture: user.AvatarURL,
	}, nil
}

// email is the primary address if it is verified. The one in a public profile is
// whatever its owner chose to show.
func (g *github) email(ctx context.Context, api *oauth2.API) (string, error) {
	var list []struct {
		Email             string
		Primary, Verified bool
	}
	_, err := api.GetJSON(ctx, g.api+"/user/emails?per_page=100", &list)
	var refused *oauth2.APIError
	if errors.As(err, &refused) && (refused.Status == 403 || refused.Status == 404) && !errors.Is(err, auth.ErrUnavailable) {
		return "", nil // a GitHub App without the permission to read addresses
	}
	if err != nil {
		return "", err
	}
	for _, e := range list {
		if e.Primary && e.Verified {
			return e.Email, nil
		}
	}
	return "", nil
}

// FromEnv is an [auth.ProviderFactory].
func FromEnv(env auth.Env, _ string, client *http.Client) (auth.Provider, error) {
	r := envvar.NewReader(env)
	c := Config{
		ClientID:     r.Need("GitHub shows it under Settings, Developer settings, on the app's page", "GITHUB_CLIENT_ID", "AUTH_GITHUB_ID"),
		ClientSecret: auth.NewSecret(r.Need("GitHub makes it on the app's page under Client secrets", "GITHUB_CLIENT_SECRET", "AUTH_GITHUB_SECRET")),
		BaseURL:      r.Get("AUTH_GITHUB_BASE_URL"),
		HTTPClient:   client,
	}
	if err := r.Err(); err != nil {
		return nil, err
	}
	return New(c)
}

var mark = auth.Mark{ViewBox: "0 0 16 16", Paths: []auth.Path{{
	D: "M8 0C3.58 0 0 3.58 0 8c0 3.54 2.29 6.53 5.47 7.59.4.07.55-.17.55-.38 0-.19-.01-.82-.01-1.49-2.01.37-2.53-.49-2.69-.94-.09-.23-.48-.94-.82-1.13-.28-.15-.68-.52-.01-.53.63-.01 1.08.58 1.23.82.72 1.21 1.87.87 2.33.66.07-.52.28-.87.51-1.07-1.78-.2-3.64-.89-3.64-3.95 0-.87.31-1.59.82-2.15-.08-.2-.36-1.02.08-2.12 0 0 .67-.21 2.2.82.64-.18 1.32-.27 2-.27s1.36.09 2 .27c1.53-1.04 2.2-.82 2.2-.82.44 1.1.16 1.92.08 2.12.51.56.82 1.27.82 2.15 0 3.07-1.87 3.75-3.65 3.95.29.25.54.73.54 1.48 0 1.07-.01 1.93-.01 2.2 0 .21.15.46.55.38A8.01 8.01 0 0 0 16 8c0-4.42-3.58-8-8-8z",
}}}
