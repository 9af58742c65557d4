package linkedin_test

import (
	"log"
	"net/http"
	"os"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/linkedin"
)

// Those with a verified address of one domain sign in.
func Example() {
	members, err := auth.AllowEmails("example.com")
	if err != nil {
		log.Fatal(err)
	}
	p, err := linkedin.New(linkedin.Config{
		ClientID:     os.Getenv("LINKEDIN_CLIENT_ID"),
		ClientSecret: auth.NewSecret(os.Getenv("LINKEDIN_CLIENT_SECRET")),
	})
	if err != nil {
		log.Fatal(err)
	}
	a, err := auth.New(auth.Config{
		Secrets:   []auth.Secret{auth.NewSecret(os.Getenv("AUTH_SECRET"))},
		Providers: []auth.Provider{p},
		Policy:    members,
	})
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.ListenAndServe("127.0.0.1:3000", a.Require(http.FileServer(http.Dir("site")))))
}
