package github_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/github"
	"github.com/sallyport/auth/providers/providertest"
)

type inProcess struct {
	*providertest.IdP
	refused int
}

// RoundTrip is as GitHub answers: every refusal of its token endpoint has status 200.
func (i *inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	i.ServeHTTP(w, r)
	if r.URL.Path == "/login/oauth/access_token" && w.Code == 400 {
		w.Code = 200
		i.refused++
	}
	return w.Result(), nil
}

// TestDevice: a program without the secret signs people in.
func TestDevice(t *testing.T) { // RFC 8628
	synctest.Test(t, func(t *testing.T) {
		idp := &inProcess{IdP: providertest.New(providertest.Config{
			Issuer: "https://git.example", Clients: []providertest.Client{{ID: "app"}},
			People: []providertest.Person{{Subject: "ada", Username: "ada", Email: "ada@example.com", EmailVerified: true}},
		})}
		p, err := github.New(github.Config{ClientID: "app", DeviceOnly: true, BaseURL: "https://git.example", HTTPClient: &http.Client{Transport: idp}})
		require.NoError(t, err)
		there := p.(auth.DeviceAuthorizer)
		d, err := there.AuthorizeDevice(context.Background())
		require.NoError(t, err)
		timer := time.AfterFunc(10*time.Second, func() {
			idp.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", d.VerificationURIComplete, nil))
		})
		defer timer.Stop()
		id, err := there.AwaitDevice(context.Background(), d)
		require.NoError(t, err)
		require.Equal(t, "ada", id.Username)
		require.Equal(t, "ada@example.com", id.Email)
		require.GreaterOrEqual(t, idp.refused, 9)
		require.Equal(t, url.Values{"client_id": {"app"}, "grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "device_code": {d.DeviceCode.Reveal()}}, idp.TokenRequests()[0])
	})
}
