package oauth2_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/oauth2"
	"github.com/sallyport/auth/providers/providertest"
)

type inProcess struct{ *providertest.IdP }

func (i inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	i.ServeHTTP(w, r)
	return w.Result(), nil
}

func TestDevice(t *testing.T) { // RFC 8628
	synctest.Test(t, func(t *testing.T) {
		idp := inProcess{providertest.New(providertest.Config{
			Issuer: "https://idp.example", Clients: []providertest.Client{{ID: "app"}},
			People: []providertest.Person{{Subject: "ada", Username: "ada", Claims: map[string]any{"id": 4711}}},
		})}
		config := oauth2.Config{
			Name: "idp", Issuer: "https://idp.example", AuthURL: "https://idp.example/authorize", TokenURL: "https://idp.example/token",
			DeviceURL: "https://idp.example/device_authorization", ClientID: "app", ClientAuth: oauth2.ClientAuthNone, Scopes: []string{"user", "repo"},
			RequiredScopes: []string{"user"}, HTTPClient: &http.Client{Transport: idp},
			Identify: func(ctx context.Context, api *oauth2.API) (*auth.Identity, error) {
				var user struct{ Login string }
				_, err := api.GetJSON(ctx, "https://idp.example/api/v3/user", &user)
				return &auth.Identity{Subject: user.Login}, err
			},
		}
		p, err := oauth2.New(config)
		require.NoError(t, err)
		d, err := p.AuthorizeDevice(context.Background())
		require.NoError(t, err)
		w := httptest.NewRecorder()
		idp.ServeHTTP(w, httptest.NewRequest("GET", d.VerificationURIComplete, nil))
		require.Equal(t, 200, w.Code)
		id, err := p.AwaitDevice(context.Background(), d)
		require.NoError(t, err)
		require.Equal(t, "ada", id.Subject)
		require.Equal(t, "https://idp.example", id.Issuer)
		require.Equal(t, "user repo", id.Token.Extra("scope"))

		_, err = p.AwaitDevice(context.Background(), d)
		require.ErrorIs(t, err, auth.ErrExpired, "the code is used up")

		config.DeviceURL = ""
		p, err = oauth2.New(config)
		require.NoError(t, err)
		_, err = p.AuthorizeDevice(context.Background())
		require.ErrorIs(t, err, auth.ErrMisconfigured)

		config.DeviceURL = "http://idp.example/device"
		_, err = oauth2.New(config)
		require.ErrorContains(t, err, "DeviceURL")
	})
}
