package generic_test

import (
	"log"
	"net/http"
	"os"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/accesscode"
	"github.com/sallyport/auth/providers/generic"
)

// The environment names the issuer. The program links this provider and no other.
func Example() {
	config, err := auth.ConfigFromEnv(os.Getenv, auth.Parts{
		Providers:  map[string]auth.ProviderFactory{"generic-oidc": generic.FromEnv},
		AccessCode: accesscode.FromEnv,
	})
	if err != nil {
		log.Fatal(err) // each variable that is wrong, and what to do about it
	}
	a, err := auth.New(config)
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.ListenAndServe("127.0.0.1:3000", a.Require(http.FileServer(http.Dir("site")))))
}
