package providers_test

import (
	"fmt"
	"log"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/accesscode"
	"github.com/sallyport/auth/providers"
)

// The environment names the providers and everything about them.
func Example() {
	config, err := auth.ConfigFromEnv(os.Getenv, auth.Parts{Providers: providers.All(), AccessCode: accesscode.FromEnv})
	if err != nil {
		log.Fatal(err) // each variable that is wrong, and what to do about it
	}
	a, err := auth.New(config)
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.ListenAndServe("127.0.0.1:3000", a.Require(http.FileServer(http.Dir("site")))))
}

func ExampleAll() {
	fmt.Println(strings.Join(slices.Sorted(maps.Keys(providers.All())), "\n"))
	// Output:
	// apple
	// auth0
	// authelia
	// authentik
	// azure-ad
	// casdoor
	// cloudflare-zero-trust
	// cognito
	// discord
	// feishu
	// generic-oidc
	// github
	// gitlab
	// google
	// keycloak
	// linkedin
	// logto
	// microsoft
	// microsoft-entra-id
	// okta
	// slack
	// wechat
	// zitadel
}
