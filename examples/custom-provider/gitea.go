package main

import (
	"context"
	"strconv"

	"github.com/sallyport/auth"
)

// gitea signs people in with a Gitea server, by plain OAuth 2.0.
func gitea(base, clientID string, secret auth.Secret) (auth.Provider, error) {
	return auth.NewOAuth2(auth.OAuth2Config{
		Name:         "gitea",
		Issuer:       base,
		AuthURL:      base + "/login/oauth/authorize",
		TokenURL:     base + "/login/oauth/access_token",
		ClientID:     clientID,
		ClientSecret: secret,
		Presentation: auth.Presentation{Label: "Gitea"},
		Identify: func(ctx context.Context, api *auth.API) (*auth.Identity, error) {
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
