package auth0_test

import (
	"log"
	"net/http"
	"os"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/auth0"
)

// Only members of one organization sign in.
func Example() {
	tenant, err := auth0.New(auth0.Config{
		Issuer:       "https://example.eu.auth0.com",
		ClientID:     os.Getenv("AUTH0_CLIENT_ID"),
		ClientSecret: auth.NewSecret(os.Getenv("AUTH0_CLIENT_SECRET")),
		Organization: "org_9ybsU1dN2dKfDkBi",
	})
	if err != nil {
		log.Fatal(err)
	}
	a, err := auth.New(auth.Config{
		Secrets:   []auth.Secret{auth.NewSecret(os.Getenv("AUTH_SECRET"))},
		Providers: []auth.Provider{tenant},
	})
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.ListenAndServe("127.0.0.1:3000", a.Require(http.FileServer(http.Dir("site")))))
}
