package github_test

import (
	"log"
	"net/http"
	"os"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/github"
)

// Members of one organization sign in, and of one team of another.
func Example() {
	members, err := github.New(github.Config{
		ClientID:      os.Getenv("GITHUB_CLIENT_ID"),
		ClientSecret:  auth.NewSecret(os.Getenv("GITHUB_CLIENT_SECRET")),
		Organizations: []string{"acme"},
		Teams:         []string{"partner/core"},
	})
	if err != nil {
		log.Fatal(err)
	}
	a, err := auth.New(auth.Config{
		Secrets:   []auth.Secret{auth.NewSecret(os.Getenv("AUTH_SECRET"))},
		Providers: []auth.Provider{members},
	})
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.ListenAndServe("127.0.0.1:3000", a.Require(http.FileServer(http.Dir("site")))))
}
