package auth_test

import (
	"context"
	"fmt"
	"log"

	"github.com/sallyport/auth"
)

// An address counts only where the provider has verified it.
func ExampleAllowEmails() {
	policy, err := auth.AllowEmails("example.com", "lin@partner.example")
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	fmt.Println(policy(ctx, "github", &auth.Identity{Email: "Ada@example.com", EmailVerified: true}))
	fmt.Println(policy(ctx, "keycloak", &auth.Identity{Email: "eve@example.com"}))
	fmt.Println(policy(ctx, "github", &auth.Identity{Email: "eve@partner.example", EmailVerified: true}))
	// Output:
	// <nil>
	// auth: this person may not sign in: the provider has not verified the e-mail address; where the OpenID Connect issuer is your own, AUTH_KEYCLOAK_TRUST_EMAIL=1 (oidc.Config.TrustEmail) says that its addresses are right
	// auth: this person may not sign in: the e-mail address is not on the allow-list
}

// A policy is a function, so that two of them are one that asks both.
func ExamplePolicy() {
	staff, err := auth.AllowGroups("staff")
	if err != nil {
		log.Fatal(err)
	}
	var both auth.Policy = func(ctx context.Context, provider string, id *auth.Identity) error {
		if provider != "company" {
			return fmt.Errorf("%w: by %s", auth.ErrNotAllowed, provider)
		}
		return staff(ctx, provider, id)
	}
	ada := &auth.Identity{Groups: []string{"staff"}}
	fmt.Println(both(context.Background(), "company", ada))
	fmt.Println(both(context.Background(), "github", ada))
	// Output:
	// <nil>
	// auth: this person may not sign in: by github
}
