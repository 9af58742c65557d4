package generic_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/generic"
	"github.com/sallyport/auth/providers/providertest"
)

// inMemory is an identity provider at whatever address it says it has, and at no other.
type inMemory struct{ *providertest.IdP }

func (s inMemory) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	if own, err := url.Parse(s.Issuer()); err == nil && own.Host == r.URL.Host && strings.HasPrefix(r.URL.Path, own.Path+"/") {
		s.ServeHTTP(w, r)
	} else {
		http.NotFound(w, r)
	}
	return w.Result(), nil
}

// signIn is a sign-in with the environment, to which the client is added.
func (s inMemory) signIn(env map[string]string) (*auth.Identity, error) {
	env["GENERIC_OIDC_CLIENT_ID"], env["GENERIC_OIDC_CLIENT_SECRET"] = "app", "app-secret"
	p, err := generic.FromEnv(func(name string) string { return env[name] }, "generic-oidc", &http.Client{Transport: s})
	if err != nil {
		return nil, err
	}
	tx := auth.Transaction{Provider: p.Name(), State: "s", Nonce: "n", Verifier: strings.Repeat("v", 43), RedirectURI: "https://app.example/cb"}
	address, err := p.AuthCodeURL(context.Background(), tx)
	if err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest("GET", address, nil))
	back, err := w.Result().Location()
	if err != nil {
		return nil, err
	}
	return p.Exchange(context.Background(), tx, back.Query())
}
