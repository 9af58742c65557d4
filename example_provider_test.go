package auth_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/url"

	"github.com/sallyport/auth"
)

// ticketProvider signs people in with a server that hands the browser a ticket,
// and tells whose it is when it is asked. A protocol that is OAuth 2.0 or OpenID
// Connect has one in providers/oauth2 and providers/oidc, with every check.
type ticketProvider struct {
	base string
	ask  func(ctx context.Context, ticket, verifier string) (subject, name string, err error)
}

func (ticketProvider) Name() string { return "tickets" }

func (ticketProvider) Presentation() auth.Presentation { return auth.Presentation{Label: "Tickets"} }

func (p ticketProvider) AuthCodeURL(_ context.Context, tx auth.Transaction) (string, error) {
	return p.base + "/login?" + url.Values{"state": {tx.State}, "return": {tx.RedirectURI}}.Encode(), nil
}

func (p ticketProvider) Exchange(ctx context.Context, tx auth.Transaction, response url.Values) (*auth.Identity, error) {
	ticket := response.Get("ticket")
	if ticket == "" {
		return nil, fmt.Errorf("%w: no ticket", auth.ErrInvalidResponse)
	}
	subject, name, err := p.ask(ctx, ticket, tx.Verifier)
	if err != nil {
		return nil, errors.Join(auth.ErrUnavailable, err)
	}
	return &auth.Identity{Issuer: p.base, Subject: subject, Name: name}, nil
}

// A provider of one's own, for a protocol that is neither OAuth 2.0 nor OpenID
// Connect.
func ExampleProvider() {
	tickets := ticketProvider{base: "https://tickets.example.com"} // and how it asks
	a, err := auth.New(auth.Config{
		Secrets:   []auth.Secret{auth.NewSecret("kY3nC0p9V1xJm5Q8sT2wZ7bL4hF6gD0a")},
		Providers: []auth.Provider{tickets},
	})
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.ListenAndServe("127.0.0.1:3000", a.Require(http.FileServer(http.Dir("public")))))
}
