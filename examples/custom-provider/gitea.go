package main

import (
	"context"
	"strconv"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/oauth2"
)

// gitea signs people in with a Gitea server, by plain OAuth 2.0.
func gitea(base, clientID string, secret auth.Secret) (auth.Provider, error) {
	return oauth2.New(oauth2.Config{
		Name:         "gitea",
		Issuer:       base,
		AuthURL:      base + "/login/oauth/authorize",
		TokenURL:     base + "/login/oauth/access_token",
		ClientID:     clientID,
		ClientSecret: secret,
		Presentation: auth.Presentation{Label: "Gitea"},
		Identify: func(ctx context.Context, api *oauth2.API) (*auth.Identity, error) {
			var user struct {
				ID    int64  `json:"id"`
				Login string `json:"login"`
				Name  string `json:"full_name"`
				Email string `json:"email"`
			}
			if _, err := api.GetJSON(ctx, base+"/api/v1/user", &user); err != nil {
				return nil, err
			}
			return &auth.Identity{Subject: strconv.FormatInt(user.ID, 10), Username: user.Login, Name: user.Name, Email: user.Email}, nil
		},
	})
}
