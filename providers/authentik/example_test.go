package authentik_test

import (
	"log"
	"net/http"
	"os"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/authentik"
)

// Everybody signs in who is bound to the application.
func Example() {
	application, err := authentik.New(authentik.Config{
		Issuer:       "https://auth.example.com/application/o/wiki/",
		ClientID:     os.Getenv("AUTHENTIK_CLIENT_ID"),
		ClientSecret: auth.NewSecret(os.Getenv("AUTHENTIK_CLIENT_SECRET")),
	})
	if err != nil {
		log.Fatal(err)
	}
	a, err := auth.New(auth.Config{
		Secrets:   []auth.Secret{auth.NewSecret(os.Getenv("AUTH_SECRET"))},
		Providers: []auth.Provider{application},
	})
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.ListenAndServe("127.0.0.1:3000", a.Require(http.FileServer(http.Dir("site")))))
}
