package azuread_test

import (
	"log"
	"net/http"
	"os"

	"github.com/sallyport/auth"
	azuread "github.com/sallyport/auth/providers/azure-ad"
)

// The people of one tenant sign in, and its guests.
func Example() {
	tenant, err := azuread.New(azuread.Config{
		Tenant:       "11111111-2222-3333-4444-555555555555",
		ClientID:     os.Getenv("AZURE_AD_CLIENT_ID"),
		ClientSecret: auth.NewSecret(os.Getenv("AZURE_AD_CLIENT_SECRET")),
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
