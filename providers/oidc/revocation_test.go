package oidc_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"io"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/oidc"
	"github.com/sallyport/auth/providers/providertest"
	"github.com/sallyport/auth/session"
)

func TestRevokeTokens(t *testing.T) { // RF-07, TK-01
	for _, method := range []oidc.ClientAuth{oidc.ClientSecretBasic, oidc.ClientSecretPost} {
		r := newRelying(t, func(c *oidc.Config) { c.ClientAuth = method })
		for want, tokens := range map[string]session.ProviderTokens{
			"refresh_token": {RefreshToken: "s3cret-refresh", AccessToken: "s3cret-access"},
			"access_token":  {AccessToken: "s3cret-access"},
		} {
			before := len(r.idp.Revocations())
			require.NoError(t, r.p.RevokeTokens(context.Background(), &tokens))
			got := r.idp.Revocations()[before:]
			require.Len(t, got, 1)
			require.Equal(t, want, got[0].Get("token_type_hint"))
			require.Equal(t, map[string]string{"refresh_token": "s3cret-refresh", "access_token": "s3cret-access"}[want], got[0].Get("token"))
			require.Equal(t, method == oidc.ClientSecretPost, got[0].Has("client_secret"))
		}
		require.NoError(t, r.p.RevokeTokens(context.Background(), &session.ProviderTokens{IDToken: "hint"}))
		require.Len(t, r.idp.Revocations(), 2, "an ID token is not revoked")
	}
}

func TestRevokeTokensByPrivateKey(t *testing.T) { // RF-07
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	r := newRelying(t, func(c *oidc.Config) { c.ClientSecret, c.PrivateKey = auth.Secret{}, key })
	var sent url.Values
	r.idp.SetFaults(providertest.Faults{Endpoint: func(name string, _ http.ResponseWriter, req *http.Request) bool {
		if name == "revocation" {
			_ = req.ParseForm()
			sent = req.PostForm
			_, _, basic := req.BasicAuth()
			require.False(t, basic)
		}
		return name == "revocation"
	}})
	require.NoError(t, r.p.RevokeTokens(context.Background(), &session.ProviderTokens{AccessToken: "at"}))
	require.Equal(t, "app", sent.Get("client_id"))
	require.Equal(t, "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", sent.Get("client_assertion_type"))
	require.NotEmpty(t, sent.Get("client_assertion"))
}

// TestRevocationThatFails: it costs one bounded call, and its error shows nothing.
func TestRevocationThatFails(t *testing.T) { // RF-07, I1
	tokens := &session.ProviderTokens{RefreshToken: "s3cret-refresh"}
	for name, answer := range map[string]http.HandlerFunc{
		"down": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) },
		"redirect": func(w http.ResponseWriter, req *http.Request) {
			http.Redirect(w, req, "/keys", http.StatusTemporaryRedirect)
		},
		"refused":    func(w http.ResponseWriter, _ *http.Request) { http.Error(w, `{"error":"s3cret-refresh"}`, 400) },
		"too large":  func(w http.ResponseWriter, _ *http.Request) { _, _ = io.CopyN(w, zeros{}, 2<<20) },
		"breaks off": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		r := newRelying(t, nil)
		r.idp.SetFaults(providertest.Faults{Endpoint: func(endpoint string, w http.ResponseWriter, req *http.Request) bool {
			if endpoint == "revocation" {
				answer(w, req)
			}
			return endpoint == "revocation"
		}})
		err := r.p.RevokeTokens(context.Background(), tokens)
		require.ErrorIs(t, err, auth.ErrUnavailable, name)
		require.NotContains(t, err.Error(), "s3cret", name)
		require.Equal(t, 1, r.idp.Hits("revocation"), name)
		require.Zero(t, r.idp.Hits("keys"), name)
	}
}

func TestRevocationEndsWithItsContext(t *testing.T) { // RF-07
	r := newRelying(t, nil)
	done := make(chan struct{})
	defer close(done)
	r.idp.SetFaults(providertest.Faults{Endpoint: func(endpoint string, _ http.ResponseWriter, _ *http.Request) bool {
		if endpoint == "revocation" {
			<-done
		}
		return false
	}})
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, r.p.RevokeTokens(ctx, &session.ProviderTokens{AccessToken: "at"}), context.DeadlineExceeded)
}

func TestRevocationEndpoints(t *testing.T) { // DI-07
	for _, endpoint := range []any{nil, 7, "", "http://idp.example/revoke", "javascript:alert(1)"} {
		r := newRelying(t, nil)
		r.idp.SetFaults(providertest.Faults{Metadata: func(m map[string]any) { m["revocation_endpoint"] = endpoint }})
		_, err := r.signIn()
		require.NoError(t, err, "%v", endpoint)
		require.NoError(t, r.p.RevokeTokens(context.Background(), &session.ProviderTokens{AccessToken: "at"}))
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }
