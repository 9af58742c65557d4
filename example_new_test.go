package auth_test

import (
	"context"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/github"
	"github.com/sallyport/auth/providers/oidc"
	"github.com/sallyport/auth/session"
)

// A site that is configured in code: two providers, people of one company, and
// sessions that end after a working day.
func ExampleNew() {
	byGitHub, err := github.New(github.Config{
		ClientID:     os.Getenv("GITHUB_CLIENT_ID"),
		ClientSecret: auth.NewSecret(os.Getenv("GITHUB_CLIENT_SECRET")),
	})
	if err != nil {
		log.Fatal(err)
	}
	byCompany, err := oidc.New(oidc.Config{
		Name:         "company",
		Issuer:       "https://login.example.com",
		ClientID:     os.Getenv("COMPANY_CLIENT_ID"),
		ClientSecret: auth.NewSecret(os.Getenv("COMPANY_CLIENT_SECRET")),
		Presentation: auth.Presentation{Label: "Example Ltd"},
	})
	if err != nil {
		log.Fatal(err)
	}
	employees, err := auth.AllowEmails("example.com")
	if err != nil {
		log.Fatal(err)
	}
	a, err := auth.New(auth.Config{
		Secrets:   []auth.Secret{auth.NewSecret(os.Getenv("AUTH_SECRET"))},
		URL:       "https://app.example.com",
		Providers: []auth.Provider{byCompany, byGitHub}, // as the sign-in page shows them
		Policy:    employees,
		Session:   session.Config{MaxAge: time.Hour, UpdateAge: 5 * time.Minute, Lifetime: 12 * time.Hour},
		OnEvent: func(_ context.Context, e auth.Event) {
			log.Print(e.Kind, " ", e.Provider, " ", e.Subject)
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	site := http.FileServer(http.Dir("public"))
	log.Fatal(http.ListenAndServe("127.0.0.1:3000", a.Require(site)))
}
