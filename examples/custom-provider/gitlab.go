package main

import (
	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/oidc"
)

// gitlab signs people in with a GitLab server, by OpenID Connect.
func gitlab(issuer, clientID string, secret auth.Secret) (auth.Provider, error) {
	return oidc.New(oidc.Config{
		Name: "gitlab", Issuer: issuer, ClientID: clientID, ClientSecret: secret,
		Presentation: auth.Presentation{Label: "GitLab"},
	})
}
