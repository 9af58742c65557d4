package oidc_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/providers/providertest"
)

func TestKeyRotation(t *testing.T) { // JW-01, JW-02, JW-11
	r := newRelying(t, nil)
	_, err := r.signIn()
	require.NoError(t, err)
	for range 3 {
		r.idp.RotateKeys()
		_, err = r.signIn()
		require.NoError(t, err, "a key that was made just now")
	}
	require.Equal(t, 4, r.idp.Hits("keys"))
}

func TestUnknownKeyFlood(t *testing.T) { // JW-03
	r := newRelying(t, nil)
	_, err := r.signIn()
	require.NoError(t, err)
	r.idp.SetFaults(providertest.Faults{Header: func(h map[string]any) { h["kid"] = rand.Text() }})
	for range 100 {
		_, err := r.signIn()
		require.Error(t, err)
	}
	require.LessOrEqual(t, r.idp.Hits("keys"), 6)
	r.idp.SetFaults(providertest.Faults{})
	_, err = r.signIn()
	require.NoError(t, err, "the keys that there are keep working")
	r.advance(time.Minute)
	r.idp.RotateKeys()
	_, err = r.signIn()
	require.NoError(t, err, "and after a while new ones are found again")
}

func TestKeySets(t *testing.T) { // JW-05, JW-06, JW-07, JW-08, JW-09
	weak, _ := rsa.GenerateKey(rand.Reader, 1024)
	good := func(r *relying) map[string]any {
		k := r.idp.SigningKey()
		return map[string]any{"kty": "RSA", "kid": r.idp.SigningKeyID(), "n": base64.RawURLEncoding.EncodeToString(k.N.Bytes()), "e": "AQAB"}
	}
	plus := func(m map[string]any, name string, value any) map[string]any { m[name] = value; return m }
	cases := []struct {
		name string
		keys func(r *relying) any
		ok   bool
	}{
		{"bad ones beside", func(r *relying) any {
			return []any{map[string]any{"kty": "XYZ"}, map[string]any{"kty": "RSA"}, map[string]any{"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA"}, map[string]any{"kty": "RSA", "n": "!!", "e": "AQAB"}, "text", good(r)}
		}, true},
		{"ID-06 for encryption", func(r *relying) any { return []any{plus(good(r), "use", "enc")} }, false},
		{"ID-06 for signing only", func(r *relying) any { return []any{plus(good(r), "key_ops", []string{"sign"})} }, false},
		{"ID-06 for another algorithm", func(r *relying) any { return []any{plus(good(r), "alg", "PS256")} }, false},
		{"JW-08 even exponent", func(r *relying) any { return []any{plus(good(r), "e", "AQAC")} }, false},
		{"JW-08 short", func(r *relying) any {
			return []any{plus(good(r), "n", base64.RawURLEncoding.EncodeToString(weak.N.Bytes()))}
		}, false},
		{"JW-09 symmetric", func(r *relying) any {
			return []any{map[string]any{"kty": "oct", "kid": r.idp.SigningKeyID(), "k": "AAAA"}}
		}, false},
		{"none", func(*relying) any { return []any{} }, false},
		{"no list", func(*relying) any { return 5 }, false},
		{"JW-06 too many", func(r *relying) any {
			list := []any{}
			for range 101 {
				list = append(list, good(r))
			}
			return list
		}, false},
		{"JW-14 private members", func(r *relying) any { return []any{plus(good(r), "d", "AAAA")} }, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := newRelying(t, nil)
			r.idp.SetFaults(providertest.Faults{Endpoint: func(name string, w http.ResponseWriter, _ *http.Request) bool {
				if name == "keys" {
					providertest.WriteJSON(w, 200, map[string]any{"keys": c.keys(r)})
				}
				return name == "keys"
			}})
			_, err := r.signIn()
			require.Equal(t, c.ok, err == nil, "%v", err)
		})
	}
}
