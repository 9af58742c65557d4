package codegrant_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/internal/upstream"
	"github.com/sallyport/auth/providers/internal/codegrant"
	"github.com/sallyport/auth/providers/internal/signing"
)

var rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

func ecKey(t *testing.T, curve elliptic.Curve) *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	require.NoError(t, err)
	return key
}

// hsm is a key that only signs.
type hsm struct{ crypto.Signer }

func TestCheckClient(t *testing.T) { // TK-01, LG-06
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	require.NoError(t, err)
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	good := ecKey(t, elliptic.P256())
	secret := auth.NewSecret("s3cret")
	const kinds = "PrivateKey: want RSA of 2048 bits or more, ECDSA P-256 or Ed25519"
	for name, test := range map[string]struct {
		id     string
		secret auth.Secret
		method codegrant.Method
		key    crypto.Signer
		want   string
	}{
		"a secret":                    {"app", secret, "", nil, ""},
		"in the header":               {"app", secret, codegrant.ClientSecretBasic, nil, ""},
		"in the form":                 {"app", secret, codegrant.ClientSecretPost, nil, ""},
		"a key":                       {"app", auth.Secret{}, "", good, ""},
		"a key, as said":              {"app", auth.Secret{}, codegrant.PrivateKeyJWT, good, ""},
		"a key of RSA":                {"app", auth.Secret{}, codegrant.PrivateKeyJWT, rsaKey(), ""},
		"public":                      {"app", auth.Secret{}, codegrant.None, nil, ""},
		"nothing":                     {"", auth.Secret{}, "", nil, "ClientID is empty\nClientSecret is empty"},
		"no id":                       {"", secret, "", nil, "ClientID is empty"},
		"in the header, without":      {"app", auth.Secret{}, codegrant.ClientSecretBasic, nil, "ClientSecret is empty"},
		"in the form, without":        {"app", auth.Secret{}, codegrant.ClientSecretPost, nil, "ClientSecret is empty"},
		"in the form, and a key":      {"app", auth.Secret{}, codegrant.ClientSecretPost, good, "ClientSecret is empty"},
		"a key, without":              {"app", secret, codegrant.PrivateKeyJWT, nil, "PrivateKey is nil, and private_key_jwt needs it"},
		"by certificate":              {"app", auth.Secret{}, codegrant.TLS, nil, ""},
		"by a certificate of its own": {"app", auth.Secret{}, codegrant.SelfSignedTLS, nil, ""},
		"unknown":                     {"app", secret, "client_secret_jwt", nil, `ClientAuth "client_secret_jwt" is not known`},
		"a short key":                 {"app", auth.Secret{}, "", weak, kinds},
		"a key of another curve":      {"app", auth.Secret{}, codegrant.PrivateKeyJWT, ecKey(t, elliptic.P384()), kinds},
		"a key of Ed25519":            {"app", auth.Secret{}, codegrant.PrivateKeyJWT, ed, ""},
		"a key that only signs":       {"app", auth.Secret{}, codegrant.PrivateKeyJWT, hsm{good}, ""},
		"a short key that only signs": {"app", auth.Secret{}, codegrant.PrivateKeyJWT, hsm{weak}, kinds},
		"a short key that is not for": {"app", secret, codegrant.ClientSecretPost, weak, kinds},
	} {
		t.Run(name, func(t *testing.T) {
			err := codegrant.CheckClient("idp", test.id, test.secret, test.method, test.key)
			if test.want == "" {
				require.NoError(t, err)
				return
			}
			const prefix = `auth: provider "idp": `
			require.EqualError(t, err, prefix+strings.ReplaceAll(test.want, "\n", "\n"+prefix))
		})
	}
}

// redeem sends one code, and returns the request that the token endpoint got.
func redeem(t *testing.T, method codegrant.Method, client codegrant.Client) (*http.Request, error) {
	var got *http.Request
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		got = r
		_, _ = io.WriteString(w, `{"access_token":"at","token_type":"bearer"}`)
	}))
	t.Cleanup(server.Close)
	client.ID, client.Audience = "app", "https://x.example"
	_, err := codegrant.TokenRequest{Provider: "idp", Endpoint: server.URL, Method: method, Client: client}.
		Exchange(context.Background(), upstream.New(nil), auth.Transaction{Verifier: "v", RedirectURI: "https://app.example/cb"}, "the-code")
	return got, err
}

// TestClientAuthentication: credentials of the one method, and of no other that there
// are.
func TestClientAuthentication(t *testing.T) { // TK-01
	now := func() time.Time { return time.Unix(1_800_000_000, 500) }
	all := codegrant.Client{Secret: auth.NewSecret("a b"), Key: signing.Key{Signer: ecKey(t, elliptic.P256())}, Now: now}
	form := func(more url.Values) url.Values {
		f := url.Values{"grant_type": {"authorization_code"}, "code": {"the-code"}, "redirect_uri": {"https://app.example/cb"}, "code_verifier": {"v"}}
		for name, v := range more {
			f[name] = v
		}
		return f
	}
	for method, test := range map[codegrant.Method]struct {
		header string
		form   url.Values
	}{
		codegrant.ClientSecretBasic: {"a+b", form(nil)},
		codegrant.ClientSecretPost:  {"", form(url.Values{"client_id": {"app"}, "client_secret": {"a b"}})},
		codegrant.None:              {"", form(url.Values{"client_id": {"app"}})},
	} {
		got, err := redeem(t, method, all)
		require.NoError(t, err)
		_, secret, _ := got.BasicAuth()
		require.Equal(t, test.header, secret, method)
		require.Equal(t, test.form, got.PostForm, method)
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	for algorithm, key := range map[jose.SignatureAlgorithm]crypto.Signer{"RS256": rsaKey(), "ES256": ecKey(t, elliptic.P256()), "EdDSA": ed} {
		jti := map[any]bool{}
		for range 2 {
			got, err := redeem(t, codegrant.PrivateKeyJWT, codegrant.Client{Secret: auth.NewSecret("a b"), Key: signing.Key{Signer: key, ID: "k1"}, Now: now})
			require.NoError(t, err)
			require.Empty(t, got.Header.Get("Authorization"))
			assertion := got.PostForm.Get("client_assertion")
			require.Equal(t, form(url.Values{
				"client_id": {"app"}, "client_assertion": {assertion}, "client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
			}), got.PostForm)
			signed, err := jose.ParseSignedCompact(assertion, []jose.SignatureAlgorithm{algorithm})
			require.NoError(t, err)
			payload, err := signed.Verify(key.Public())
			require.NoError(t, err)
			require.Equal(t, "k1", signed.Signatures[0].Header.KeyID)
			require.Equal(t, "JWT", signed.Signatures[0].Header.ExtraHeaders["typ"])
			var claims map[string]any
			require.NoError(t, json.Unmarshal(payload, &claims))
			jti[claims["jti"]] = true
			delete(claims, "jti")
			require.Equal(t, map[string]any{"iss": "app", "sub": "app", "aud": "https://x.example", "iat": 1_800_000_000., "exp": 1_800_000_060.}, claims)
		}
		require.Len(t, jti, 2, "each is for one request")
	}
}

// TestSignedSecret: a secret that is a JWT is client_secret_post's, and in the place of
// the one that does not change.
func TestSignedSecret(t *testing.T) { // TK-01
	key := ecKey(t, elliptic.P256())
	client := codegrant.Client{Secret: auth.NewSecret("a b"), Key: signing.Key{Signer: key, ID: "k1"}, SecretIssuer: "team", Now: func() time.Time { return time.Unix(1_800_000_000, 500) }}
	jti := map[any]bool{}
	for range 2 {
		got, err := redeem(t, codegrant.ClientSecretPost, client)
		require.NoError(t, err)
		require.Empty(t, got.Header.Get("Authorization"))
		require.Equal(t, "app", got.PostForm.Get("client_id"))
		signed, err := jose.ParseSignedCompact(got.PostForm.Get("client_secret"), []jose.SignatureAlgorithm{jose.ES256})
		require.NoError(t, err)
		payload, err := signed.Verify(key.Public())
		require.NoError(t, err)
		require.Equal(t, "k1", signed.Signatures[0].Header.KeyID)
		var claims map[string]any
		require.NoError(t, json.Unmarshal(payload, &claims))
		jti[claims["jti"]] = true
		delete(claims, "jti")
		require.Equal(t, map[string]any{"iss": "team", "sub": "app", "aud": "https://x.example", "iat": 1_800_000_000., "exp": 1_800_000_300.}, claims)
	}
	require.Len(t, jti, 2, "each is for one request")
	client.Key.Signer = hsm{broken{key}}
	got, err := redeem(t, codegrant.ClientSecretPost, client)
	require.ErrorContains(t, err, "does not sign")
	require.Nil(t, got, "the code is not sent")
}

func TestKeyThatDoesNotSign(t *testing.T) { // TK-01
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	require.NoError(t, err)
	for name, key := range map[string]crypto.Signer{
		"wrong": &rsa.PrivateKey{PublicKey: rsaKey().PublicKey, D: big.NewInt(1)}, "down": broken{rsaKey()}, "short": weak,
	} {
		got, err := redeem(t, codegrant.PrivateKeyJWT, codegrant.Client{Key: signing.Key{Signer: key}, Now: time.Now})
		require.ErrorContains(t, err, "the client's private key does not sign", name)
		require.NotContains(t, err.Error(), "4711", name)
		require.Nil(t, got, "the code is not sent")
	}
}

// broken is a module that does not answer.
type broken struct{ crypto.Signer }

func (broken) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("pin 4711")
}
