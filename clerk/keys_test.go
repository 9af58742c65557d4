package clerk_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"math/big"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/clerk"
	"github.com/sallyport/auth/clerk/clerktest"
	"github.com/sallyport/auth/providers/providertest"
)

// TestWhichKeysCount: one bad key spoils none of the others, and none that is weak,
// of another kind, or not for signatures counts.
func TestWhichKeysCount(t *testing.T) { // JW-07, JW-08, JW-09, ID-06
	good, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	require.NoError(t, err)
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	huge := &rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), 8199, 1), E: 65537}
	keys := []any{
		jose.JSONWebKey{Key: good.Public(), KeyID: "good", Algorithm: "RS256", Use: "sig"},
		jose.JSONWebKey{Key: good.Public(), KeyID: "bare"},
		jose.JSONWebKey{Key: good.Public(), KeyID: "enc", Use: "enc"},
		jose.JSONWebKey{Key: good.Public(), KeyID: "alg", Algorithm: "RS512"},
		jose.JSONWebKey{Key: weak.Public(), KeyID: "weak"},
		jose.JSONWebKey{Key: curve.Public(), KeyID: "curve"},
		jose.JSONWebKey{Key: huge, KeyID: "huge"},
		jose.JSONWebKey{Key: []byte("0123456789abcdef0123456789abcdef"), KeyID: "oct"},
		map[string]any{"kty": "RSA", "kid": "half", "e": "AQAB"},
		map[string]any{"kty": "XYZ", "kid": "odd"},
		5, nil, "x",
	}
	set, err := json.Marshal(map[string]any{"keys": keys})
	require.NoError(t, err)
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(set) }))
	defer api.Close()
	i := clerktest.New(clerktest.Config{Production: true})
	b, err := clerk.New(clerk.Config{PublishableKey: i.PublishableKey, SecretKey: auth.NewSecret(i.SecretKey), APIURL: api.URL})
	require.NoError(t, err)
	for id, want := range map[string]string{
		"good": "signed-in user_1", "bare": "signed-in user_1",
		"enc": "signed-out jwk-kid-mismatch", "alg": "signed-out jwk-kid-mismatch", "weak": "signed-out jwk-kid-mismatch", "curve": "signed-out jwk-kid-mismatch",
		"huge": "signed-out jwk-kid-mismatch", "oct": "signed-out jwk-kid-mismatch", "half": "signed-out jwk-kid-mismatch", "odd": "signed-out jwk-kid-mismatch", "": "signed-out jwk-kid-mismatch",
	} {
		signer := good
		if id == "weak" {
			signer = weak
		}
		token := providertest.Sign(signer, map[string]any{"alg": "RS256", "kid": id}, map[string]any{"iss": "https://" + i.FrontendAPI, "sub": "user_1", "exp": int64(9999999999)})
		require.Equal(t, want, decide(t, b, bearer(token)), id)
	}
}
