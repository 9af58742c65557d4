package oidc_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"net/url"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/oidc"
	"github.com/sallyport/auth/providers/providertest"
)

// newSigning is a relying party that authenticates by key, which the issuer knows.
func newSigning(t *testing.T, key crypto.Signer, change func(*oidc.Config)) *relying {
	return newRelyingOn(t, providertest.Config{Clients: []providertest.Client{{ID: "app", Key: key.Public()}}}, func(c *oidc.Config) {
		c.ClientSecret, c.PrivateKey, c.PrivateKeyID = auth.Secret{}, key, "k1"
		if change != nil {
			change(c)
		}
	})
}

func TestSignedRequests(t *testing.T) { // RFC 9101
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	for name, test := range map[string]struct {
		signs    bool
		metadata map[string]any
		want     jose.SignatureAlgorithm
	}{
		"configured":              {true, nil, jose.RS256},
		"the issuer requires it":  {false, map[string]any{"require_signed_request_object": true}, jose.RS256},
		"algorithms of metadata":  {true, map[string]any{"request_object_signing_alg_values_supported": []string{"PS256"}}, jose.PS256},
		"and not of an assertion": {true, map[string]any{"token_endpoint_auth_signing_alg_values_supported": []string{"PS256"}}, jose.RS256},
	} {
		t.Run(name, func(t *testing.T) {
			r := newSigning(t, key, func(c *oidc.Config) {
				c.SignedRequests = test.signs
				c.AuthParams = url.Values{"claims": {`{"id_token":{"acr":null}}`}, "x": {"1"}}
			})
			r.idp.SetFaults(providertest.Faults{Metadata: func(m map[string]any) {
				m["authorization_endpoint"] = m["authorization_endpoint"].(string) + "?tenant=x"
				for name, value := range test.metadata {
					m[name] = value
				}
			}})
			tx := r.transaction()
			tx.Params = url.Values{"login_hint": {"ada"}, "max_age": {"300"}, "evil": {"1"}}
			address, err := r.p.AuthCodeURL(context.Background(), tx)
			require.NoError(t, err)
			u, err := url.Parse(address)
			require.NoError(t, err)
			q := u.Query()
			require.Equal(t, url.Values{"tenant": {"x"}, "client_id": {"app"}, "response_type": {"code"}, "scope": {"openid profile email"}, "request": q["request"]}, q)
			signed, err := jose.ParseSignedCompact(q.Get("request"), []jose.SignatureAlgorithm{test.want})
			require.NoError(t, err)
			require.Equal(t, "k1", signed.Signatures[0].Header.KeyID)
			require.Equal(t, "oauth-authz-req+jwt", signed.Signatures[0].Header.ExtraHeaders["typ"])
			payload, err := signed.Verify(key.Public())
			require.NoError(t, err)
			var claims map[string]any
			require.NoError(t, json.Unmarshal(payload, &claims))
			at := float64(r.clock().Unix())
			require.NotEmpty(t, claims["jti"])
			require.Len(t, claims["code_challenge"], 43)
			delete(claims, "jti")
			delete(claims, "code_challenge")
			require.Equal(t, map[string]any{
				"iss": "app", "aud": r.idp.Issuer(), "iat": at, "nbf": at, "exp": at + 300,
				"client_id": "app", "response_type": "code", "scope": "openid profile email", "redirect_uri": tx.RedirectURI, "state": tx.State, "nonce": tx.Nonce,
				"code_challenge_method": "S256", "login_hint": "ada", "max_age": 300., "x": "1", "claims": map[string]any{"id_token": map[string]any{"acr": nil}},
			}, claims)

			// What stands beside it, a person can change, and it changes nothing.
			q.Set("scope", "openid admin")
			q.Set("state", "evil")
			u.RawQuery = q.Encode()
			back := r.follow(u.String())
			require.Equal(t, tx.State, back.Get("state"))
			id, err := r.p.Exchange(context.Background(), tx, back)
			require.NoError(t, err)
			require.Equal(t, "ada", id.Subject)
		})
	}
}

func TestSignedPushedRequests(t *testing.T) { // RFC 9126 3
	key := ecKey(t)
	r := newSigning(t, key, func(c *oidc.Config) { c.SignedRequests, c.PushedRequests = true, true })
	var sent []string
	faults := takesPushed(r, true, nil)
	faults.Endpoint = func(name string, _ http.ResponseWriter, req *http.Request) bool {
		if name == "par" {
			_ = req.ParseForm()
			for name := range req.PostForm {
				sent = append(sent, name)
			}
		}
		return false
	}
	r.idp.SetFaults(faults)
	id, err := r.signIn()
	require.NoError(t, err)
	require.Equal(t, "ada", id.Subject)
	require.ElementsMatch(t, []string{"client_id", "client_assertion", "client_assertion_type", "request"}, sent)
}

func TestSignedRequestsThatCannotBe(t *testing.T) {
	r := newRelying(t, nil)
	r.idp.SetFaults(providertest.Faults{Metadata: func(m map[string]any) { m["require_signed_request_object"] = true }})
	_, err := r.signIn()
	require.ErrorIs(t, err, auth.ErrMisconfigured)
	require.ErrorContains(t, err, "set PrivateKey")
	_, err = oidc.New(oidc.Config{Name: "idp", Issuer: "https://idp.example", ClientID: "app", ClientSecret: auth.NewSecret("s"), SignedRequests: true})
	require.ErrorContains(t, err, "PrivateKey is nil, and SignedRequests needs it")
}

// TestAnswersAsJWT: JARM, which nobody asks for here, brings no code in the clear, and what
// is in the JWT is not looked at.
func TestAnswersAsJWT(t *testing.T) {
	r := newRelying(t, nil)
	for name, response := range map[string]url.Values{
		"alone":         {"response": {"eyJhbGciOiJub25lIn0.e30."}},
		"beside a code": {"response": {"eyJhbGciOiJub25lIn0.e30."}, "code": {"x"}},
	} {
		response.Set("iss", r.idp.Issuer())
		_, err := r.p.Exchange(context.Background(), r.transaction(), response)
		require.ErrorIs(t, err, auth.ErrInvalidResponse, name)
		require.ErrorContains(t, err, "JARM", name)
	}
	require.Zero(t, r.idp.Hits("token"))
}
