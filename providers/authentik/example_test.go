package authentik_test

import (
	"fmt"
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
	hello := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, _ := auth.FromContext(r.Context())
		fmt.Fprintf(w, "Hello, %s\n", who.Name)
	})
	log.Fatal(http.ListenAndServe("127.0.0.1:3000", a.Require(hello)))
}
