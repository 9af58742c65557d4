package auth_test

import (
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/authtest"
	"github.com/sallyport/auth/providers/oidc"
	"github.com/sallyport/auth/providers/providertest"
	"github.com/sallyport/auth/session"
)

// mustNew is auth.New, with Secrets, and with one provider where c has none.
func mustNew(c auth.Config) *auth.Authenticator {
	c.Secrets = []auth.Secret{auth.NewSecret(testSecret)}
	c.Logger = slog.New(slog.DiscardHandler)
	if c.Providers == nil {
		c.Providers = []auth.Provider{company("https://id.example.com")}
	}
	a, err := auth.New(c)
	if err != nil {
		log.Fatal(err)
	}
	return a
}

// company is the provider "company" at issuer.
func company(issuer string) auth.Provider {
	p, err := oidc.New(oidc.Config{
		Name: "company", Issuer: issuer, ClientID: "app", ClientSecret: auth.NewSecret("app-secret"),
		APIAudiences: []string{"https://api.example"},
	})
	if err != nil {
		log.Fatal(err)
	}
	return p
}

// directory is an identity provider of people, in this process.
func directory(people ...providertest.Person) *providertest.Server {
	return providertest.NewServer(providertest.Config{
		Ask: true, People: people,
		Clients: []providertest.Client{{ID: "app", Secret: "app-secret"}},
	})
}

// visit is h's answer to who, or to nobody where who is nil, at path.
func visit(h http.Handler, path string, who *session.Session) *httptest.ResponseRecorder {
	r, w := httptest.NewRequest("GET", path, nil), httptest.NewRecorder()
	if who != nil {
		r = authtest.As(r, who)
	}
	h.ServeHTTP(w, r)
	return w
}
