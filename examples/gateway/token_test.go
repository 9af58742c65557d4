package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/examples/internal/visit"
	"github.com/sallyport/auth/session"
)

func pkcs8(t *testing.T, key any) string {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func sentToken(t *testing.T, body string) string {
	_, rest, ok := strings.Cut(body, "X-Identity-Token: ")
	require.True(t, ok, body)
	token, _, _ := strings.Cut(rest, "\n")
	return token
}

// TestIdentityToken: a token that the served key verifies, in the place of the headers or beside
// them, and none that a client made.
func TestIdentityToken(t *testing.T) { // MW-06
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	rs, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	for _, test := range []struct {
		identity, key string
		algorithm     jose.SignatureAlgorithm
		plain         bool
	}{
		{"jwt", "", jose.ES256, false},
		{"both", pkcs8(t, ec), jose.ES256, true},
		{"jwt", strings.ReplaceAll(pkcs8(t, rs), "\n", `\n`), jose.RS256, false},
		{"jwt", string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(rs)})), jose.RS256, false},
	} {
		t.Run(fmt.Sprint(test.identity, test.algorithm), func(t *testing.T) {
			server, _ := inFront(t, application(t), "http://localhost:1", "NEXTAUTH_URL", "http://app.example.com/sub/api/auth", "GATEWAY_IDENTITY", test.identity, "GATEWAY_JWT_KEY", test.key)
			ada := carrying(t, server, &session.Session{Subject: "ada", Name: "Ada", Email: "ada@example.com", EmailVerified: true, Username: "al", Provider: "generic-oidc", Groups: []string{"a,b", "staff"}})
			for _, base := range []string{"/api/auth", "/sub/api/auth"} {
				page := visit.New(t).Get(server.URL + base + "/.well-known/jwks.json")
				require.Equal(t, "application/jwk-set+json", page.Header.Get("Content-Type"))
				var keys jose.JSONWebKeySet
				require.NoError(t, json.Unmarshal([]byte(page.Body), &keys))
				require.Len(t, keys.Keys, 1)
				require.True(t, keys.Keys[0].IsPublic(), "never the private one")

				body := ada.Do("GET", server.URL+"/x", nil, http.Header{"X-Identity-Token": {"mallory"}, "x_identity_token": {"mallory"}, "X-Forwarded-User": {"mallory"}}).Body
				require.NotContains(t, body, "mallory")
				require.Equal(t, test.plain, strings.Contains(body, "X-Forwarded-User: ada\n"), body)
				signed, err := jose.ParseSignedCompact(sentToken(t, body), []jose.SignatureAlgorithm{test.algorithm})
				require.NoError(t, err)
				require.Equal(t, keys.Keys[0].KeyID, signed.Signatures[0].Header.KeyID)
				payload, err := signed.Verify(keys.Keys[0])
				require.NoError(t, err)
				var claims identityClaims
				require.NoError(t, json.Unmarshal(payload, &claims))
				now := time.Now().Unix()
				require.InDelta(t, now, claims.IssuedAt, 60)
				require.Equal(t, claims.IssuedAt+300, claims.Expiry)
				claims.IssuedAt, claims.Expiry = 0, 0
				require.Equal(t, identityClaims{
					Issuer: "http://app.example.com/sub/api/auth", Audience: "http://app.example.com", Subject: "ada", Name: "Ada",
					Email: "ada@example.com", EmailVerified: true, Username: "al", Groups: []string{"a,b", "staff"}, Provider: "generic-oidc",
				}, claims)
			}
			require.Equal(t, 405, visit.New(t).Do("POST", server.URL+"/api/auth/.well-known/jwks.json", nil, nil).Status)
		})
	}
	server, _ := inFront(t, application(t), "http://localhost:1")
	require.NotContains(t, carrying(t, server, &session.Session{Subject: "ada"}).Do("GET", server.URL+"/x", nil, http.Header{"X-Identity-Token": {"mallory"}}).Body, "mallory", "dropped where none is made, too")
	require.Equal(t, 404, visit.New(t).Get(server.URL+"/api/auth/.well-known/jwks.json").Status)
}

// TestTokensAreSentAgain: for a minute, to the same person who is still the same, and no longer.
func TestTokensAreSentAgain(t *testing.T) {
	key, err := readKey("")
	require.NoError(t, err)
	tokens, err := newIdentityTokens(key, &url.URL{Scheme: "https", Host: "app.example.com"})
	require.NoError(t, err)
	now := time.Unix(1_800_000_000, 0)
	tokens.now = func() time.Time { return now }
	of := func(s *session.Session) string {
		token, err := tokens.of(s, "ada")
		require.NoError(t, err)
		return token
	}
	first := of(&session.Session{Subject: "ada", Groups: []string{"staff"}})
	now = now.Add(59 * time.Second)
	require.Equal(t, first, of(&session.Session{Subject: "ada", Groups: []string{"staff"}}))
	require.NotEqual(t, first, of(&session.Session{Subject: "ada"}), "the groups have changed")
	require.NotContains(t, string(mustPayload(t, tokens, of(&session.Session{Subject: "ada", Email: "a@example.com"}))), "a@example.com", "nobody has verified it")
	now = now.Add(time.Second)
	require.NotEqual(t, first, of(&session.Session{Subject: "ada", Groups: []string{"staff"}}))
	for i := range maxTokens + 10 {
		of(&session.Session{Subject: "ada", Name: fmt.Sprint(i)})
	}
	require.LessOrEqual(t, len(tokens.kept), maxTokens)
}

func mustPayload(t *testing.T, tokens *identityTokens, token string) []byte {
	signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.ES256})
	require.NoError(t, err)
	return signed.UnsafePayloadWithoutVerification()
}

func TestWrongKeys(t *testing.T) { // LG-06
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	require.NoError(t, err)
	good, err := readKey("")
	require.NoError(t, err)
	var _ crypto.Signer = good
	for name, key := range map[string]string{
		"no PEM": "hunter2", "P-384": pkcs8(t, p384), "1024 bits": pkcs8(t, small), "two": pkcs8(t, good) + pkcs8(t, good),
		"a certificate": "-----BEGIN CERTIFICATE-----\naHVudGVyMg==\n-----END CERTIFICATE-----\n", "no key": "-----BEGIN PRIVATE KEY-----\naHVudGVyMg==\n-----END PRIVATE KEY-----\n",
	} {
		_, err := readKey(key)
		require.ErrorContains(t, err, "GATEWAY_JWT_KEY is no private key that can be used", name)
	}
	for want, env := range map[string]map[string]string{
		"GATEWAY_IDENTITY names no way":                     {"GATEWAY_IDENTITY": "saml"},
		"which say for which site: set NEXTAUTH_URL":        {"GATEWAY_IDENTITY": "jwt"},
		"GATEWAY_JWT_KEY is set, and nothing is signed":     {"GATEWAY_JWT_KEY": "x"},
		"GATEWAY_ADMIN_ADDR is not an address to listen at": {"GATEWAY_ADMIN_ADDR": "9090"},
		"GATEWAY_PASS_PREFLIGHT is neither 0 nor 1":         {"GATEWAY_PASS_PREFLIGHT": "x"},
	} {
		_, err := readOptions(func(name string) string { return env[name] }, "")
		require.ErrorContains(t, err, want)
	}
}
