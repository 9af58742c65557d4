package main

import (
	"testing"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/providertest"
)

func TestGitLab(t *testing.T) {
	providertest.Kit{}.TestProvider(t, func(x providertest.Target) (auth.Provider, error) {
		return gitlab(x.Base, x.ClientID, x.ClientSecret)
	})
}

func TestGitea(t *testing.T) {
	providertest.Kit{OAuth2: true}.TestProvider(t, func(x providertest.Target) (auth.Provider, error) {
		return gitea(x.Base, x.ClientID, x.ClientSecret)
	})
}
