package providertest

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/sallyport/auth"
)

// SignIn takes p through one sign-in at an [IdP] that asks nothing, without a
// browser and without an application. params are the extra parameters that a
// sign-in brings along.
func SignIn(p auth.Provider, params url.Values) (*auth.Identity, error) {
	ctx := context.Background()
	tx := auth.Transaction{
		Provider: p.Name(), State: randomText(), Nonce: randomText(), Verifier: randomText() + randomText(), Params: params,
		RedirectURI: "https://app.example/api/auth/callback/" + p.Name(), ReturnTo: "/", Expires: time.Now().Add(time.Minute),
	}
	address, err := p.AuthCodeURL(ctx, tx)
	if err != nil {
		return nil, err
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Get(address)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	back, err := resp.Location()
	if err != nil {
		return nil, fmt.Errorf("providertest: the authorization endpoint answers %s: %w", resp.Status, err)
	}
	return p.Exchange(ctx, tx, back.Query())
}
