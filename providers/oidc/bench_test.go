package oidc_test

import (
	"context"
	"crypto/rand"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/oidc"
	"github.com/sallyport/auth/providers/providertest"
)

// BenchmarkExchange is the provider's part of a whole sign-in, over loopback:
// authorization, code, token, verification.
func BenchmarkExchange(b *testing.B) {
	idp := providertest.NewServer(providertest.Config{
		Clients: []providertest.Client{{ID: "app", Secret: "s"}},
		People:  []providertest.Person{{Subject: "ada", Name: "Ada", Email: "ada@example.com"}},
	})
	defer idp.Close()
	p, err := oidc.New(oidc.Config{Name: "idp", Issuer: idp.Issuer(), ClientID: "app", ClientSecret: auth.NewSecret("s")})
	require.NoError(b, err)
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		tx := auth.Transaction{Provider: "idp", State: rand.Text(), Nonce: rand.Text(), Verifier: rand.Text() + rand.Text(), RedirectURI: "https://app.example/cb"}
		target, err := p.AuthCodeURL(ctx, tx)
		require.NoError(b, err)
		resp, err := client.Get(target)
		require.NoError(b, err)
		resp.Body.Close()
		back, err := resp.Location()
		require.NoError(b, err)
		_, err = p.Exchange(ctx, tx, back.Query())
		require.NoError(b, err)
	}
}
