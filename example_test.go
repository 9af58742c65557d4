package auth_test

import (
	"fmt"
	"log"
	"net/http"
	"os"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/accesscode"
	"github.com/sallyport/auth/clerk"
	"github.com/sallyport/auth/providers"
)

// A site that takes its configuration from the environment, as a LobeChat
// deployment has it: NEXT_AUTH_SECRET, NEXT_AUTH_SSO_PROVIDERS and the variables
// of the providers that it names, ACCESS_CODE, or Clerk's keys.
func Example() {
	config, err := auth.ConfigFromEnv(os.Getenv, auth.Parts{
		Providers:  providers.All(),
		Backend:    clerk.FromEnv,
		AccessCode: accesscode.FromEnv,
	})
	if err != nil {
		log.Fatal(err) // every problem of the environment, a line each
	}
	a, err := auth.New(config)
	if err != nil {
		log.Fatal(err)
	}
	site := http.NewServeMux()
	site.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		who, _ := auth.FromContext(r.Context())
		fmt.Fprintf(w, "Hello, %s\n", who.Name)
	})
	log.Fatal(http.ListenAndServe("127.0.0.1:3000", a.Require(site)))
}
