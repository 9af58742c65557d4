package oauth2_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"
	"strconv"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/oauth2"
)

// A whole program: everybody who has an account at a Gitea server may read the
// page.
func ExampleNew() {
	const base = "https://git.example.com"
	gitea, err := oauth2.New(oauth2.Config{
		Name:         "gitea",
		Issuer:       base,
		AuthURL:      base + "/login/oauth/authorize",
		TokenURL:     base + "/login/oauth/access_token",
		ClientID:     os.Getenv("CLIENT_ID"),
		ClientSecret: auth.NewSecret(os.Getenv("CLIENT_SECRET")),
		Presentation: auth.Presentation{Label: "Gitea"},
		Identify: func(ctx context.Context, api *oauth2.API) (*auth.Identity, error) {
			var user struct {
				ID    int64  `json:"id"`
				Login string `json:"login"`
				Name  string `json:"full_name"`
			}
			if _, err := api.GetJSON(ctx, base+"/api/v1/user", &user); err != nil {
				return nil, err
			}
			if user.ID <= 0 {
				return nil, fmt.Errorf("%w: the user has no id", auth.ErrInvalidResponse)
			}
			// The number stays; the login may change hands.
			return &auth.Identity{Subject: strconv.FormatInt(user.ID, 10), Username: user.Login, Name: user.Name}, nil
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	a, err := auth.New(auth.Config{
		Secrets:   []auth.Secret{auth.NewSecret(os.Getenv("AUTH_SECRET"))},
		URL:       "https://app.example.com",
		Providers: []auth.Provider{gitea},
	})
	if err != nil {
		log.Fatal(err)
	}
	page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, _ := auth.FromContext(r.Context())
		fmt.Fprintf(w, "hello, %s\n", who.Name)
	})
	// The callback to register is https://app.example.com/api/auth/callback/gitea.
	log.Fatal(http.ListenAndServe(":3000", a.Require(page)))
}
