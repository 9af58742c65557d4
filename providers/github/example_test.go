package github_test

import (
	"fmt"
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
	hello := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, _ := auth.FromContext(r.Context())
		fmt.Fprintf(w, "Hello, %s\n", who.Name)
	})
	log.Fatal(http.ListenAndServe("127.0.0.1:3000", a.Require(hello)))
}
