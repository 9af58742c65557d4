package zitadel_test

import (
	"log"
	"net/http"
	"os"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/zitadel"
)

// The users of one instance sign in, with the roles of one project as their groups.
func Example() {
	project, err := zitadel.New(zitadel.Config{
		Issuer:       "https://example.zitadel.cloud",
		ClientID:     os.Getenv("ZITADEL_CLIENT_ID"),
		ClientSecret: auth.NewSecret(os.Getenv("ZITADEL_CLIENT_SECRET")),
		ProjectIDs:   []string{"164849364939012353"},
	})
	if err != nil {
		log.Fatal(err)
	}
	a, err := auth.New(auth.Config{
		Secrets:   []auth.Secret{auth.NewSecret(os.Getenv("AUTH_SECRET"))},
		Providers: []auth.Provider{project},
	})
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.ListenAndServe("127.0.0.1:3000", a.Require(http.FileServer(http.Dir("site")))))
}
