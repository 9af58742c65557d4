package oidc_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/oidc"
	"github.com/sallyport/auth/providers/providertest"
)

// takesPushed has the metadata of an issuer name the endpoint, and require it if it says so.
func takesPushed(r *relying, required bool, more func(map[string]any)) providertest.Faults {
	return providertest.Faults{Metadata: func(m map[string]any) {
		m["pushed_authorization_request_endpoint"] = r.idp.Issuer() + "/par"
		m["require_pushed_authorization_requests"] = required
		if more != nil {
			more(m)
		}
	}}
}

func TestPushedRequests(t *testing.T) { // RFC 9126
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	for name, test := range map[string]struct {
		required bool
		change   func(*oidc.Config)
		pushed   bool
	}{
		"not asked for":          {false, nil, false},
		"the issuer requires it": {true, nil, true},
		"configured":             {false, func(c *oidc.Config) { c.PushedRequests = true }, true},
		"secret in the form":     {true, func(c *oidc.Config) { c.ClientAuth = oidc.ClientSecretPost }, true},
		"by a form":              {true, func(c *oidc.Config) { c.FormPost = true }, true},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRelying(t, test.change)
			r.idp.SetFaults(takesPushed(r, test.required, func(m map[string]any) {
				m["authorization_endpoint"] = m["authorization_endpoint"].(string) + "?tenant=x&state=evil"
			}))
			tx := r.transaction()
			tx.Params = url.Values{"login_hint": {"ada"}, "evil": {"1"}}
			address, err := r.p.AuthCodeURL(context.Background(), tx)
			require.NoError(t, err)
			u, err := url.Parse(address)
			require.NoError(t, err)
			q := u.Query()
			require.Equal(t, test.pushed, q.Has("request_uri"))
			require.Equal(t, test.pushed, !q.Has("state"))
			if test.pushed {
				require.Equal(t, []string{"app", "x"}, []string{q.Get("client_id"), q.Get("tenant")})
				require.Len(t, q, 3, "nothing else is to be seen")
				require.NotContains(t, address, tx.State)
				require.Equal(t, 1, r.idp.Hits("par"))
			}
			id, err := r.p.Exchange(context.Background(), tx, r.follow(address))
			require.NoError(t, err)
			require.Equal(t, "ada", id.Subject)
		})
	}

	var sent url.Values
	r := newRelying(t, func(c *oidc.Config) { c.ClientSecret, c.PrivateKey, c.PushedRequests = auth.Secret{}, key, true })
	faults := takesPushed(r, true, nil)
	faults.Endpoint = func(name string, w http.ResponseWriter, req *http.Request) bool {
		if name == "par" {
			_ = req.ParseForm()
			sent = req.PostForm
			providertest.WriteJSON(w, http.StatusCreated, map[string]any{"request_uri": "urn:x", "expires_in": 60})
		}
		return name == "par"
	}
	r.idp.SetFaults(faults)
	tx := r.transaction()
	_, err = r.p.AuthCodeURL(context.Background(), tx)
	require.NoError(t, err)
	require.NotEmpty(t, sent.Get("client_assertion"))
	require.Equal(t, []string{tx.State, tx.Nonce, tx.RedirectURI, "code", "S256"},
		[]string{sent.Get("state"), sent.Get("nonce"), sent.Get("redirect_uri"), sent.Get("response_type"), sent.Get("code_challenge_method")})
	require.False(t, sent.Has("code_verifier"))
}

// One bounded call, after which the browser goes nowhere, and an error that says what to mend.
func TestPushedRequestsThatFail(t *testing.T) {
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		want   error
	}{
		"down": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }, auth.ErrUnavailable},
		"an error": {func(w http.ResponseWriter, _ *http.Request) {
			providertest.WriteJSON(w, 503, map[string]any{"error": "server_error"})
		}, auth.ErrUnavailable},
		"no JSON": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(201); _, _ = io.WriteString(w, "<html>") }, auth.ErrInvalidResponse},
		"no name": {func(w http.ResponseWriter, _ *http.Request) {
			providertest.WriteJSON(w, 201, map[string]any{"expires_in": 60})
		}, auth.ErrInvalidResponse},
		"a number": {func(w http.ResponseWriter, _ *http.Request) {
			providertest.WriteJSON(w, 201, map[string]any{"request_uri": 5})
		}, auth.ErrInvalidResponse},
		"too long": {func(w http.ResponseWriter, _ *http.Request) {
			providertest.WriteJSON(w, 201, map[string]any{"request_uri": strings.Repeat("x", 600)})
		}, auth.ErrInvalidResponse},
		"a refusal": {func(w http.ResponseWriter, _ *http.Request) {
			providertest.WriteJSON(w, 401, map[string]any{"error": "invalid_client"})
		}, auth.ErrMisconfigured},
		"an address": {func(w http.ResponseWriter, _ *http.Request) {
			providertest.WriteJSON(w, 400, map[string]any{"error": "invalid_request", "error_description": "redirect_uri is not registered"})
		}, nil},
		"elsewhere": {func(w http.ResponseWriter, req *http.Request) {
			http.Redirect(w, req, "/keys", http.StatusTemporaryRedirect)
		}, auth.ErrUnavailable},
		"large": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(201); _, _ = io.CopyN(w, zeros{}, 2<<20) }, auth.ErrUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRelying(t, nil)
			faults := takesPushed(r, true, nil)
			faults.Endpoint = func(endpoint string, w http.ResponseWriter, req *http.Request) bool {
				if endpoint == "par" {
					test.answer(w, req)
				}
				return endpoint == "par"
			}
			r.idp.SetFaults(faults)
			address, err := r.p.AuthCodeURL(context.Background(), r.transaction())
			require.Error(t, err)
			require.Empty(t, address)
			require.Contains(t, err.Error(), "pushed authorization request")
			require.NotContains(t, err.Error(), clientSecret)
			if test.want != nil {
				require.True(t, errors.Is(err, test.want), "%v", err)
			}
			require.Equal(t, 1, r.idp.Hits("par"))
			require.Zero(t, r.idp.Hits("authorize"))
		})
	}
}

// Where requests are pushed they are never anywhere else.
func TestPushedRequestsHaveToHaveAPlace(t *testing.T) {
	for name, change := range map[string]func(map[string]any){
		"none":       func(m map[string]any) { delete(m, "pushed_authorization_request_endpoint") },
		"http":       func(m map[string]any) { m["pushed_authorization_request_endpoint"] = "http://x.example/par" },
		"javascript": func(m map[string]any) { m["pushed_authorization_request_endpoint"] = "javascript:1" },
	} {
		r := newRelying(t, func(c *oidc.Config) { c.PushedRequests = true })
		r.idp.SetFaults(takesPushed(r, false, change))
		_, err := r.p.AuthCodeURL(context.Background(), r.transaction())
		require.ErrorIs(t, err, auth.ErrMisconfigured, name)
	}
}
