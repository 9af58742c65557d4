package oidc_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"
	"slices"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/oidc"
)

// A whole program: everybody whom the issuer knows may read the page.
func ExampleNew() {
	company, err := oidc.New(oidc.Config{
		Name:         "company",
		Issuer:       "https://id.example.com", // as its discovery document spells it
		ClientID:     os.Getenv("CLIENT_ID"),
		ClientSecret: auth.NewSecret(os.Getenv("CLIENT_SECRET")),
		Presentation: auth.Presentation{Label: "Example Ltd."},
	})
	if err != nil {
		log.Fatal(err)
	}
	a, err := auth.New(auth.Config{
		Secrets:   []auth.Secret{auth.NewSecret(os.Getenv("AUTH_SECRET"))},
		URL:       "https://app.example.com",
		Providers: []auth.Provider{company},
	})
	if err != nil {
		log.Fatal(err)
	}
	page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, _ := auth.FromContext(r.Context())
		fmt.Fprintf(w, "hello, %s\n", who.Name)
	})
	// The callback to register is https://app.example.com/api/auth/callback/company.
	log.Fatal(http.ListenAndServe(":3000", a.Require(page)))
}

// A Map reads claims that an issuer has of its own, and may refuse.
func ExampleConfig_map() {
	staff := func(ctx context.Context, c oidc.Claims) (*auth.Identity, error) {
		id, err := oidc.DefaultIdentity(ctx, c)
		if err != nil {
			return nil, err
		}
		if id.Groups = c.Strings("roles"); !slices.Contains(id.Groups, "staff") {
			return nil, fmt.Errorf("%w: not of the staff", auth.ErrNotAllowed)
		}
		return id, nil
	}
	p, err := oidc.New(oidc.Config{
		Name: "company", Issuer: "https://id.example.com",
		ClientID: "app", ClientSecret: auth.NewSecret("from the issuer"),
		Map: staff,
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(p.Name())
	// Output: company
}

// Without a client secret: the relying party signs an assertion (RFC 7523), or is a
// public client that has PKCE alone.
func ExampleConfig_clientAuth() {
	p, err := oidc.New(oidc.Config{
		Name: "company", Issuer: "https://id.example.com", ClientID: "app",
		ClientAuth: oidc.ClientAuthNone,
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(p.Name())
	// Output: company
}
