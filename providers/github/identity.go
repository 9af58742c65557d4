package github

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/oauth2"
)

// github asks the API of GitHub, or of a server, whose access token it is.
type github struct {
	api                  string // its address, without a slash at the end
	organizations, teams []string
}

// identify asks for the account, whether it may enter, and for its address
// (https://docs.github.com/en/rest/users/users#get-the-authenticated-user).
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

// email is the primary address if it is verified, or "". The one in a public profile
// is whatever its owner chose to show. A hundred are asked for, the most that a page
// has (https://docs.github.com/en/rest/users/emails).
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
