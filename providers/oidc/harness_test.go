package oidc_test

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/oidc"
	"github.com/sallyport/auth/providers/providertest"
)

const clientSecret = "client:secret %+é-that-must-not-show"

// relying is a relying party and the identity provider that it trusts.
type relying struct {
	t   *testing.T
	idp *providertest.Server
	p   *oidc.Provider
	now time.Time
	mu  sync.Mutex
}

func (r *relying) clock() time.Time { r.mu.Lock(); defer r.mu.Unlock(); return r.now }
func (r *relying) advance(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now = r.now.Add(d)
}

func newRelying(t *testing.T, change func(*oidc.Config)) *relying {
	return newRelyingOn(t, providertest.Config{Clients: []providertest.Client{{ID: "app", Secret: clientSecret}}}, change)
}

// newRelyingOn is [newRelying] at an identity provider of another kind.
func newRelyingOn(t *testing.T, idp providertest.Config, change func(*oidc.Config)) *relying {
	r := &relying{t: t, now: time.Now()}
	idp.Now, idp.People = r.clock, []providertest.Person{{Subject: "ada", Name: "Ada", Email: "ada@example.com", EmailVerified: true}}
	r.idp = providertest.NewServer(idp)
	t.Cleanup(r.idp.Close)
	c := oidc.Config{Name: "idp", Issuer: r.idp.Issuer(), ClientID: "app", ClientSecret: auth.NewSecret(clientSecret), Now: r.clock}
	if change != nil {
		change(&c)
	}
	var err error
	r.p, err = oidc.New(c)
	require.NoError(t, err)
	return r
}

func (r *relying) transaction() auth.Transaction {
	return auth.Transaction{Provider: "idp", State: rand.Text(), Nonce: rand.Text(), Verifier: rand.Text() + rand.Text(), RedirectURI: "https://app.example/cb"}
}

// signIn goes to the identity provider and back.
func (r *relying) signIn() (*auth.Identity, error) {
	tx := r.transaction()
	response, err := r.authorize(tx)
	if err != nil {
		return nil, err
	}
	return r.p.Exchange(context.Background(), tx, response)
}

func (r *relying) authorize(tx auth.Transaction) (url.Values, error) {
	target, err := r.p.AuthCodeURL(context.Background(), tx)
	if err != nil {
		return nil, err
	}
	return r.follow(target), nil
}

// follow is a browser that goes to target, and where that leads back to.
func (r *relying) follow(target string) url.Values { return follow(r.t, nil, target) }

func follow(t *testing.T, transport http.RoundTripper, target string) url.Values {
	client := http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Get(target)
	require.NoError(t, err)
	resp.Body.Close()
	back, err := resp.Location()
	require.NoError(t, err)
	return back.Query()
}
