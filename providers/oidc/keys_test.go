package oidc_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"hash"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/oidc"
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

// TestRefetchRate: five at once, and one more in half a minute.
func TestRefetchRate(t *testing.T) { // JW-03
	r := newRelying(t, nil)
	r.idp.SetFaults(providertest.Faults{Header: func(h map[string]any) { h["kid"] = "unknown" }})
	for _, step := range []struct {
		advance time.Duration
		hits    int
	}{{0, 6}, {29 * time.Second, 6}, {time.Second, 7}, {29 * time.Second, 7}, {10 * time.Minute, 12}} {
		r.advance(step.advance)
		for range 7 {
			_, err := r.signIn()
			require.ErrorIs(t, err, auth.ErrInvalidResponse)
		}
		require.Equal(t, step.hits, r.idp.Hits("keys"), step.advance)
	}
}

func TestRefetchAfterTheClockWasSetBack(t *testing.T) { // JW-02, JW-03
	r := newRelying(t, nil)
	for _, back := range []time.Duration{0, 0, time.Hour, 0} {
		r.advance(-back)
		_, err := r.signIn()
		require.NoError(t, err)
		r.idp.RotateKeys()
	}
}

func TestKeySetSize(t *testing.T) { // JW-06
	for size, fits := range map[int]bool{512 << 10: true, 512<<10 + 1: false} {
		r := newRelying(t, nil)
		r.idp.SetFaults(providertest.Faults{Endpoint: func(name string, w http.ResponseWriter, _ *http.Request) bool {
			if name == "keys" {
				set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: r.idp.SigningKey().Public(), KeyID: r.idp.SigningKeyID()}}})
				require.NoError(t, err)
				_, _ = w.Write([]byte(string(set) + strings.Repeat(" ", size-len(set))))
			}
			return name == "keys"
		}})
		_, err := r.signIn()
		require.Equal(t, fits, err == nil, "%d: %v", size, err)
		require.Equal(t, !fits, errors.Is(err, auth.ErrUnavailable))
	}
}

func TestKeySetWithAnotherStatus(t *testing.T) { // JW-05
	for _, status := range []int{201, 404, 500} {
		r := newRelying(t, nil)
		r.idp.SetFaults(providertest.Faults{Endpoint: func(name string, w http.ResponseWriter, _ *http.Request) bool {
			if name == "keys" {
				providertest.WriteJSON(w, status, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: r.idp.SigningKey().Public(), KeyID: r.idp.SigningKeyID()}}})
			}
			return name == "keys"
		}})
		_, err := r.signIn()
		require.ErrorIs(t, err, auth.ErrUnavailable)
	}
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

// publish makes the key set the one signing key of the moment, under the id kid, or
// without one; and the header likewise.
func (r *relying) publish(kid string) {
	r.idp.SetFaults(providertest.Faults{
		Endpoint: func(name string, w http.ResponseWriter, _ *http.Request) bool {
			if name == "keys" {
				providertest.WriteJSON(w, 200, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: r.idp.SigningKey().Public(), KeyID: kid}}})
			}
			return name == "keys"
		},
		Header: func(h map[string]any) {
			if h["kid"] = kid; kid == "" {
				delete(h, "kid")
			}
		},
	})
}

func TestKeyRotatedUnderItsID(t *testing.T) { // JW-01, JW-02, ID-22
	for name, kid := range map[string]string{"the same id": "signing", "no id": ""} {
		t.Run(name, func(t *testing.T) {
			r := newRelying(t, nil)
			r.publish(kid)
			_, err := r.signIn()
			require.NoError(t, err)
			r.idp.RotateKeys()
			_, err = r.signIn()
			require.NoError(t, err)
			require.Equal(t, 2, r.idp.Hits("keys"))
			_, err = r.signIn()
			require.NoError(t, err)
			require.Equal(t, 2, r.idp.Hits("keys"), "what was found is kept")
		})
	}
}

func TestKeyRotatedForManyAtOnce(t *testing.T) { // JW-03, DI-04
	r := newRelying(t, nil)
	r.publish("signing")
	_, err := r.signIn()
	require.NoError(t, err)
	r.idp.RotateKeys()
	var wait sync.WaitGroup
	for range 40 {
		wait.Go(func() {
			if _, err := r.signIn(); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	require.Equal(t, 2, r.idp.Hits("keys"), "one fetch for all")
}

func TestBadSignatureFlood(t *testing.T) { // JW-03
	own, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	r := newRelying(t, nil)
	_, err = r.signIn()
	require.NoError(t, err)
	for _, kid := range []bool{true, false} {
		r.idp.SetFaults(providertest.Faults{Sign: func(h, m map[string]any) string {
			if !kid {
				delete(h, "kid")
			}
			return providertest.Sign(own, h, m)
		}})
		for range 50 {
			_, err := r.signIn()
			require.ErrorIs(t, err, auth.ErrInvalidResponse)
		}
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

func TestManyKeysWithoutID(t *testing.T) { // ID-23
	r := newRelying(t, nil)
	var keys []jose.JSONWebKey
	for range 100 {
		n := new(big.Int).Lsh(big.NewInt(1), 2047)
		n.Or(n, new(big.Int).SetBytes([]byte(rand.Text())))
		n.SetBit(n, 0, 1)
		keys = append(keys, jose.JSONWebKey{Key: &rsa.PublicKey{N: n, E: 65537}})
	}
	place := 3
	r.idp.SetFaults(providertest.Faults{
		Endpoint: func(name string, w http.ResponseWriter, _ *http.Request) bool {
			if name == "keys" {
				list := slices.Clone(keys)
				list[place] = jose.JSONWebKey{Key: r.idp.SigningKey().Public()}
				providertest.WriteJSON(w, 200, jose.JSONWebKeySet{Keys: list})
			}
			return name == "keys"
		},
		Header: func(h map[string]any) { delete(h, "kid") },
	})
	_, err := r.signIn()
	require.NoError(t, err, "one of the first four")
	place = 4
	r.advance(2 * time.Hour)
	_, err = r.signIn()
	require.ErrorIs(t, err, auth.ErrInvalidResponse, "no more are tried: the work for a token is bounded")
}

// TestKeysThatDoNotFitAreNotTried: nor counted among the four.
func TestKeysThatDoNotFitAreNotTried(t *testing.T) { // ID-06, ID-23
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	r := newRelying(t, nil)
	own := r.idp.SigningKey().Public()
	keys := slices.Repeat([]jose.JSONWebKey{{Key: ec.Public()}, {Key: own, Algorithm: "PS256"}, {Key: own, Use: "enc"}}, 5)
	keys = append(keys, jose.JSONWebKey{Key: own})
	r.idp.SetFaults(providertest.Faults{
		Endpoint: func(name string, w http.ResponseWriter, _ *http.Request) bool {
			if name == "keys" {
				providertest.WriteJSON(w, 200, jose.JSONWebKeySet{Keys: keys})
			}
			return name == "keys"
		},
		Header: func(h map[string]any) { delete(h, "kid") },
	})
	_, err = r.signIn()
	require.NoError(t, err)
}

func TestKeysOfTwoIssuers(t *testing.T) { // JW-10
	a, b := newRelying(t, nil), newRelying(t, nil)
	a.publish("shared")
	b.publish("shared")
	_, err := a.signIn()
	require.NoError(t, err)
	b.idp.SetFaults(providertest.Faults{Sign: func(h, m map[string]any) string {
		h["kid"] = "shared"
		return providertest.Sign(a.idp.SigningKey(), h, m)
	}})
	_, err = b.signIn()
	require.ErrorIs(t, err, auth.ErrInvalidResponse)
}

func TestCacheControlOfKeysIsNotObeyed(t *testing.T) { // JW-12
	for _, value := range []string{"max-age=0", "no-store", "max-age=1000000000000"} {
		r := newRelying(t, nil)
		r.idp.SetFaults(providertest.Faults{Endpoint: func(name string, w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Cache-Control", value)
			return false
		}})
		for range 3 {
			_, err := r.signIn()
			require.NoError(t, err)
		}
		require.Equal(t, 1, r.idp.Hits("keys"), value)
		r.advance(61 * time.Minute)
		_, err := r.signIn()
		require.NoError(t, err)
		require.Equal(t, 2, r.idp.Hits("keys"), value)
	}
}

// TestAlgorithms: each asymmetric algorithm, with a key of its own kind. The hash of
// at_hash and of c_hash goes with the algorithm.
func TestAlgorithms(t *testing.T) { // ID-05, ID-06, ID-19, ID-20, DI-13
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	curve := func(c elliptic.Curve) *ecdsa.PrivateKey {
		k, err := ecdsa.GenerateKey(c, rand.Reader)
		require.NoError(t, err)
		return k
	}
	keys := map[jose.SignatureAlgorithm]crypto.Signer{
		"RS256": rsaKey, "RS384": rsaKey, "RS512": rsaKey, "PS256": rsaKey, "PS384": rsaKey, "PS512": rsaKey,
		"ES256": curve(elliptic.P256()), "ES384": curve(elliptic.P384()), "ES512": curve(elliptic.P521()), "EdDSA": ed,
	}
	hashes := map[string]func() hash.Hash{"256": sha256.New, "384": sha512.New384, "512": sha512.New, "DSA": sha512.New}
	r := newRelying(t, nil)
	for algorithm, key := range keys {
		t.Run(string(algorithm), func(t *testing.T) {
			listed, wrong, code := true, "", ""
			faults := providertest.Faults{
				Metadata: func(m map[string]any) {
					m["id_token_signing_alg_values_supported"] = []any{algorithm}
					if !listed {
						m["id_token_signing_alg_values_supported"] = slices.DeleteFunc([]any{"RS256", "ES256"}, func(a any) bool { return a == string(algorithm) })
					}
				},
				Endpoint: func(name string, w http.ResponseWriter, _ *http.Request) bool {
					if name == "keys" {
						providertest.WriteJSON(w, 200, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public()}}})
					}
					return name == "keys"
				},
				Callback: func(v url.Values) { code = v.Get("code") },
				Token: func(m map[string]any) {
					access, _ := m["access_token"].(string)
					now := r.clock().Unix()
					half := func(name, of string) string {
						h := hashes[string(algorithm[len(algorithm)-3:])]()
						h.Write([]byte(of))
						sum := h.Sum(nil)
						if wrong == name {
							sum[0]++
						}
						return base64.RawURLEncoding.EncodeToString(sum[:h.Size()/2])
					}
					claims, err := json.Marshal(map[string]any{"iss": r.idp.Issuer(), "aud": "app", "sub": "ada", "name": "Ada", "nonce": "the-nonce",
						"iat": now, "exp": now + 60, "at_hash": half("at_hash", access), "c_hash": half("c_hash", code)})
					require.NoError(t, err)
					signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, nil)
					require.NoError(t, err)
					signed, err := signer.Sign(claims)
					require.NoError(t, err)
					m["id_token"], err = signed.CompactSerialize()
					require.NoError(t, err)
				},
			}
			r.idp.SetFaults(faults)
			signIn := func() error {
				p, err := oidc.New(oidc.Config{Name: "idp", Issuer: r.idp.Issuer(), ClientID: "app", ClientSecret: auth.NewSecret(clientSecret), Now: r.clock})
				require.NoError(t, err)
				tx := r.transaction()
				tx.Nonce = "the-nonce"
				target, err := p.AuthCodeURL(context.Background(), tx)
				require.NoError(t, err)
				_, err = p.Exchange(context.Background(), tx, r.follow(target))
				return err
			}
			require.NoError(t, signIn())
			for _, wrong = range []string{"at_hash", "c_hash"} {
				require.ErrorContains(t, signIn(), wrong)
			}
			wrong, listed = "", false
			require.ErrorIs(t, signIn(), auth.ErrMisconfigured, "discovery does not name it")
		})
	}
}
