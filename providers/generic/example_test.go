package generic_test

import (
	"fmt"
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
	hello := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, _ := auth.FromContext(r.Context())
		fmt.Fprintf(w, "Hello, %s\n", who.Name)
	})
	log.Fatal(http.ListenAndServe("127.0.0.1:3000", a.Require(hello)))
}
