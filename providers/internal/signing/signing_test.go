package signing_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/providers/internal/signing"
)

// hsm is a key that only signs.
type hsm struct{ crypto.Signer }

func TestSign(t *testing.T) { // TK-01
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	for name, test := range map[string]struct {
		key   crypto.Signer
		taken []string
		want  jose.SignatureAlgorithm
	}{
		"RSA":                          {r, nil, jose.RS256},
		"RSA, both taken":              {r, []string{"PS256", "RS256"}, jose.RS256},
		"RSA, one taken":               {r, []string{"ES256", "PS256"}, jose.PS256},
		"RSA, others taken":            {r, []string{"ES256"}, jose.RS256},
		"RSA in a module":              {hsm{r}, nil, jose.RS256},
		"RSA in a module, PS256 taken": {hsm{r}, []string{"PS256"}, jose.PS256},
		"ECDSA":                        {ec, nil, jose.ES256},
		"ECDSA in a module":            {hsm{ec}, []string{"RS256"}, jose.ES256},
		"Ed25519":                      {ed, nil, jose.EdDSA},
		"Ed25519 in a module":          {hsm{ed}, []string{"EdDSA"}, jose.EdDSA},
	} {
		t.Run(name, func(t *testing.T) {
			key := signing.Key{Signer: test.key, ID: "k1", Algorithms: test.taken}
			require.NoError(t, key.Check())
			for _, embed := range []bool{false, true} {
				text, err := key.Sign("x+jwt", map[string]any{"a": 1}, embed)
				require.NoError(t, err)
				signed, err := jose.ParseSignedCompact(text, []jose.SignatureAlgorithm{test.want})
				require.NoError(t, err)
				payload, err := signed.Verify(test.key.Public())
				require.NoError(t, err)
				require.JSONEq(t, `{"a":1}`, string(payload))
				header := signed.Signatures[0].Header
				require.Equal(t, "x+jwt", header.ExtraHeaders["typ"])
				if embed {
					require.Empty(t, header.KeyID)
					require.Equal(t, test.key.Public(), header.JSONWebKey.Key)
					require.True(t, header.JSONWebKey.IsPublic())
				} else {
					require.Equal(t, "k1", header.KeyID)
					require.Nil(t, header.JSONWebKey)
				}
			}
		})
	}
}

// TestSaltOfPS256: RFC 7518 3.5 has it as long as the hash, and servers that were told so
// take no other.
func TestSaltOfPS256(t *testing.T) {
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	for name, key := range map[string]crypto.Signer{"here": r, "in a module": hsm{r}} {
		text, err := signing.Key{Signer: key, Algorithms: []string{"PS256"}}.Sign("JWT", nil, false)
		require.NoError(t, err)
		input, encoded, _ := cutLast(text)
		signature, err := base64.RawURLEncoding.DecodeString(encoded)
		require.NoError(t, err)
		sum := sha256.Sum256([]byte(input))
		require.NoError(t, rsa.VerifyPSS(&r.PublicKey, crypto.SHA256, sum[:], signature, &rsa.PSSOptions{SaltLength: 32}), name)
	}
}

func cutLast(s string) (before, after string, ok bool) {
	i := strings.LastIndexByte(s, '.')
	return s[:i], s[i+1:], i >= 0
}

func TestKeysThatAreNone(t *testing.T) { // TK-01, LG-06
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	require.NoError(t, err)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	for name, key := range map[string]crypto.Signer{"short": weak, "another curve": p384, "short, in a module": hsm{weak}, "no public half": nothing{}} {
		require.ErrorContains(t, signing.Key{Signer: key}.Check(), "want RSA of 2048 bits or more", name)
		_, err := signing.Key{Signer: key, Algorithms: []string{"RS256", "ES384"}}.Sign("JWT", nil, false)
		require.Error(t, err, name)
	}
}

type nothing struct{ crypto.Signer }

func (nothing) Public() crypto.PublicKey { return nil }
