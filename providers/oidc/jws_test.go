package oidc_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/oidc"
	"github.com/sallyport/auth/providers/providertest"
)

func TestTokenForm(t *testing.T) { // ID-01, ID-25, ID-30 to ID-34, TK-08
	with := func(name string, value any) string {
		return providertest.Encode(map[string]any{"alg": "RS256", name: value}) + ".AA.AA"
	}
	sized := func(size int) string { // the token has so many bytes
		start := with("kid", "k")
		return strings.TrimSuffix(start, "AA") + strings.Repeat("A", size-len(start)+2)
	}
	header := func(size int) string { // the header has so many bytes
		return with("x", strings.Repeat("x", size-len(`{"alg":"RS256","x":""}`)))
	}
	for name, test := range map[string]struct {
		token, says string // "" for a good one
		class       error
	}{
		"good":               {with("typ", "jwt"), "", nil},
		"as long as can be":  {sized(64 << 10), "", nil},
		"longer":             {sized(64<<10 + 1), "more than 65536 bytes", auth.ErrInvalidResponse},
		"a large header":     {header(8 << 10), "", nil},
		"a larger one":       {header(8<<10 + 1), "header is malformed", auth.ErrInvalidResponse},
		"a long key id":      {with("kid", strings.Repeat("k", 1<<10)), "", nil},
		"a longer one":       {with("kid", strings.Repeat("k", 1<<10+1)), "at most 1024 bytes", auth.ErrInvalidResponse},
		"a key id of null":   {with("kid", nil), "its kid", auth.ErrInvalidResponse},
		"not signed":         {providertest.Encode(map[string]any{"alg": "none"}) + ".e30.", "it is not signed (alg none)", auth.ErrInvalidResponse},
		"encrypted":          {"e30.AA.AA.AA.AA", "it is encrypted", auth.ErrMisconfigured},
		"two parts":          {"e30.e30", "three parts", auth.ErrInvalidResponse},
		"four parts":         {"e30.e30.e30.e30", "three parts", auth.ErrInvalidResponse},
		"an empty part":      {"e30..AA", "not canonical", auth.ErrInvalidResponse},
		"a break in a part":  {"e30.e3\n0.AA", "not canonical", auth.ErrInvalidResponse},
		"bits to spare":      {"e30.e30.AB", "not canonical", auth.ErrInvalidResponse},
		"no JSON":            {"AA.e30.AA", "header is malformed", auth.ErrInvalidResponse},
		"crit":               {with("crit", nil), "its header has crit", auth.ErrInvalidResponse},
		"b64":                {with("b64", true), "its header has b64", auth.ErrInvalidResponse},
		"zip":                {with("zip", ""), "its header has zip", auth.ErrInvalidResponse},
		"a type of null":     {with("typ", nil), "its typ is", auth.ErrInvalidResponse},
		"a type of another":  {with("typ", "at+jwt"), "its typ is", auth.ErrInvalidResponse},
		"a type in a number": {with("typ", 5), "its typ is", auth.ErrInvalidResponse},
	} {
		t.Run(name, func(t *testing.T) {
			algorithm, _, err := oidc.ReadJWS(test.token)
			if test.says == "" {
				require.NoError(t, err)
				require.Equal(t, "RS256", algorithm)
				return
			}
			require.ErrorContains(t, err, test.says)
			require.ErrorIs(t, err, test.class)
		})
	}
	_, id, err := oidc.ReadJWS(with("kid", "k1"))
	require.NoError(t, err)
	require.Equal(t, "k1", id)
}

// TestKeysOfAllKinds: each kind for its own algorithms, and of a safe size.
func TestKeysOfAllKinds(t *testing.T) { // ID-06, JW-07, JW-08, JW-09, JW-14
	number := func(bits int) string {
		n := new(big.Int).SetBit(new(big.Int).Lsh(big.NewInt(1), uint(bits-1)), 0, 1)
		return base64.RawURLEncoding.EncodeToString(n.Bytes())
	}
	rsa := func(bits int, e string, more map[string]any) map[string]any {
		m := map[string]any{"kty": "RSA", "n": number(bits), "e": e}
		for name, value := range more {
			m[name] = value
		}
		return m
	}
	ec := func(c elliptic.Curve) any {
		k, err := ecdsa.GenerateKey(c, rand.Reader)
		require.NoError(t, err)
		return jose.JSONWebKey{Key: k.Public()}
	}
	ed, _, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	all := []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
	for name, test := range map[string]struct {
		key  any
		want []string
	}{
		"RSA":                       {rsa(2048, "AQAB", nil), all},
		"RSA, short":                {rsa(2047, "AQAB", nil), nil},
		"RSA, as long as can be":    {rsa(4096, "AQAB", nil), all},
		"RSA, longer":               {rsa(4097, "AQAB", nil), nil},
		"RSA, exponent 3":           {rsa(2048, "Aw", nil), all},
		"RSA, exponent 1":           {rsa(2048, "AQ", nil), nil},
		"RSA, exponent 2":           {rsa(2048, "Ag", nil), nil},
		"RSA, exponent 4":           {rsa(2048, "BA", nil), nil},
		"RSA, for signatures":       {rsa(2048, "AQAB", map[string]any{"use": "sig"}), all},
		"RSA, for encryption":       {rsa(2048, "AQAB", map[string]any{"use": "enc"}), nil},
		"RSA, to verify":            {rsa(2048, "AQAB", map[string]any{"key_ops": []string{"sign", "verify"}}), all},
		"RSA, to sign":              {rsa(2048, "AQAB", map[string]any{"key_ops": []string{"sign"}}), nil},
		"RSA, to do nothing":        {rsa(2048, "AQAB", map[string]any{"key_ops": []string{}}), nil},
		"RSA, and its private half": {rsa(2048, "AQAB", map[string]any{"d": "AQ", "p": "AQ", "q": "AQ", "dp": "AQ", "dq": "AQ", "qi": "AQ"}), all},
		"P-224":                     {map[string]any{"kty": "EC", "crv": "P-224", "x": "AA", "y": "AA"}, nil},
		"P-256":                     {ec(elliptic.P256()), []string{"ES256"}},
		"P-384":                     {ec(elliptic.P384()), []string{"ES384"}},
		"P-521":                     {ec(elliptic.P521()), []string{"ES512"}},
		"P-256, off the curve":      {map[string]any{"kty": "EC", "crv": "P-256", "x": strings.Repeat("A", 43), "y": strings.Repeat("A", 43)}, nil},
		"Ed25519":                   {jose.JSONWebKey{Key: ed}, []string{"EdDSA"}},
		"Ed25519, all zero":         {map[string]any{"kty": "OKP", "crv": "Ed25519", "x": strings.Repeat("A", 43)}, nil},
		"symmetric":                 {map[string]any{"kty": "oct", "k": "AAAA"}, nil},
		"text":                      {"RSA", nil},
	} {
		t.Run(name, func(t *testing.T) {
			set, err := json.Marshal(map[string]any{"keys": []any{test.key}})
			require.NoError(t, err)
			got, err := oidc.KeyAlgorithms(set)
			require.NoError(t, err)
			require.Equal(t, test.want, got)
		})
	}
	defer func(n int) { jose.MaxRSAModulusBits = n }(jose.MaxRSAModulusBits)
	jose.MaxRSAModulusBits = 1 << 14 // as an application may
	for bits, want := range map[int][]string{8192: all, 8193: nil} {
		set, err := json.Marshal(map[string]any{"keys": []any{rsa(bits, "AQAB", nil)}})
		require.NoError(t, err)
		got, err := oidc.KeyAlgorithms(set)
		require.NoError(t, err)
		require.Equal(t, want, got, bits)
	}
	for name, set := range map[string]string{
		"as many as can be": `{"keys":[` + strings.Repeat(`5,`, 99) + `5]}`,
		"none":              `{"keys":[]}`,
	} {
		_, err := oidc.KeyAlgorithms([]byte(set))
		require.NoError(t, err, name)
	}
	for name, set := range map[string]string{
		"too many": `{"keys":[` + strings.Repeat(`5,`, 100) + `5]}`, "no object": `[]`, "no list": `{"keys":{}}`, "no keys": `{}`, "twice": `{"keys":[],"keys":[]}`,
	} {
		_, err := oidc.KeyAlgorithms([]byte(set))
		require.ErrorIs(t, err, auth.ErrUnavailable, name)
	}
}
