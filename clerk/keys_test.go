package clerk_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

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
	short, err := rsa.GenerateKey(rand.Reader, 2047)
	require.NoError(t, err)
	with := func(exponent int) *rsa.PublicKey { return &rsa.PublicKey{N: good.N, E: exponent} }
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	huge := &rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), 8199, 1), E: 65537}
	keys := []any{
		jose.JSONWebKey{Key: good.Public(), KeyID: "good", Algorithm: "RS256", Use: "sig"},
		jose.JSONWebKey{Key: good.Public(), KeyID: "bare"},
		jose.JSONWebKey{Key: good.Public(), KeyID: "enc", Use: "enc"},
		jose.JSONWebKey{Key: good.Public(), KeyID: "alg", Algorithm: "RS512"},
		jose.JSONWebKey{Key: weak.Public(), KeyID: "weak"},
		jose.JSONWebKey{Key: short.Public(), KeyID: "short"},
		jose.JSONWebKey{Key: with(1), KeyID: "one"},
		jose.JSONWebKey{Key: with(2), KeyID: "two"},
		jose.JSONWebKey{Key: with(65536), KeyID: "even"},
		jose.JSONWebKey{Key: with(3), KeyID: "three"},
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
		"short": "signed-out jwk-kid-mismatch", "one": "signed-out jwk-kid-mismatch", "two": "signed-out jwk-kid-mismatch", "even": "signed-out jwk-kid-mismatch",
		"three": "signed-out token-invalid-signature", // it counts, and has not signed this
		"huge":  "signed-out jwk-kid-mismatch", "oct": "signed-out jwk-kid-mismatch", "half": "signed-out jwk-kid-mismatch", "odd": "signed-out jwk-kid-mismatch", "": "signed-out jwk-kid-mismatch",
	} {
		signer := good
		switch id {
		case "weak":
			signer = weak
		case "short":
			signer = short
		}
		token := providertest.Sign(signer, map[string]any{"alg": "RS256", "kid": id}, map[string]any{"iss": "https://" + i.FrontendAPI, "sub": "user_1", "exp": int64(9999999999)})
		require.Equal(t, want, decide(t, b, bearer(token)), id)
	}
}

// TestWeakPEM: a fixed key is held to the same rules as a fetched one.
func TestWeakPEM(t *testing.T) { // JW-08, LG-06
	i := clerktest.New(clerktest.Config{Production: true})
	for bits, exponents := range map[int][]int{1024: {65537}, 2047: {65537}, 2048: {1, 2, 65536}} {
		key, err := rsa.GenerateKey(rand.Reader, bits)
		require.NoError(t, err)
		for _, e := range exponents {
			der, err := x509.MarshalPKIXPublicKey(&rsa.PublicKey{N: key.N, E: e})
			require.NoError(t, err)
			text := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
			for _, written := range []string{text, base64.StdEncoding.EncodeToString(der)} {
				_, err = clerk.New(clerk.Config{PublishableKey: i.PublishableKey, SecretKey: auth.NewSecret(i.SecretKey), JWTKey: written})
				require.ErrorContains(t, err, "JWTKey is no RSA public key of 2048 bits", "%d %d", bits, e)
				_, err = clerk.ConfigFromEnv(func(name string) string {
					return map[string]string{"CLERK_PUBLISHABLE_KEY": i.PublishableKey, "CLERK_SECRET_KEY": i.SecretKey, "CLERK_JWT_KEY": written}[name]
				})
				require.ErrorContains(t, err, "CLERK_JWT_KEY")
			}
		}
	}
}

// TestKeysDuringAnOutage: one fetch that fails keeps nobody from the next; while they
// fail, Clerk is asked after ever longer pauses of up to two seconds, and not by each
// request.
func TestKeysDuringAnOutage(t *testing.T) { // JW-05
	instance, b, at := setup(t, true, nil)
	instance.SetDown(true)
	asked := func(want int) {
		t.Helper()
		for range 3 {
			_, err := b.Decide(bearer(instance.Token(nil)), origin)
			require.ErrorContains(t, err, "status 503")
		}
		require.Equal(t, want, instance.Hits("/v1/jwks"))
	}
	asked(2)
	want := 2
	for _, pause := range []time.Duration{125, 250, 500, 1000, 2000, 2000, 2000} {
		at.advance(pause*time.Millisecond - 1)
		asked(want)
		at.advance(1)
		want++
		asked(want)
	}
	for range 500 {
		at.advance(2 * time.Second)
		asked(want + 1)
		want++
	}
	instance.SetDown(false)
	at.advance(2 * time.Second)
	require.Equal(t, "signed-in user_1", decide(t, b, bearer(instance.Token(nil))))
	require.Equal(t, want+1, instance.Hits("/v1/jwks"))
}

// TestKeysAfterOneFailure: the first request is answered that nobody can tell, and the
// one after it as ever.
func TestKeysAfterOneFailure(t *testing.T) { // JW-05
	instance, b, at := setup(t, true, nil)
	for range 3 {
		instance.SetDown(true)
		_, err := b.Decide(bearer(instance.Token(nil)), origin)
		require.ErrorContains(t, err, "status 503")
		instance.SetDown(false)
		require.Equal(t, "signed-in user_1", decide(t, b, bearer(instance.Token(nil))))
		at.advance(5 * time.Minute)
	}
}

// TestNewKeyDuringAnOutage: while the keys cannot be fetched nobody can tell whose an
// unknown one is. Those that are known go on, and a failed fetch uses up none of the
// few for unknown keys.
func TestNewKeyDuringAnOutage(t *testing.T) { // JW-02, JW-03, JW-04
	instance, b, at := setup(t, true, nil)
	old := instance.Token(nil)
	require.Equal(t, "signed-in user_1", decide(t, b, bearer(old)))
	instance.RotateKeys()
	instance.SetDown(true)
	for range 9 {
		_, err := b.Decide(bearer(instance.Token(nil)), origin)
		require.ErrorContains(t, err, "status 503")
		require.Equal(t, "signed-in user_1", decide(t, b, bearer(old)))
	}
	require.Equal(t, 3, instance.Hits("/v1/jwks"))
	instance.SetDown(false)
	at.advance(time.Second)
	require.Equal(t, "signed-in user_1", decide(t, b, bearer(instance.Token(nil))))
	require.Equal(t, 4, instance.Hits("/v1/jwks"))
	for range 9 {
		require.Equal(t, "signed-out jwk-kid-mismatch", decide(t, b, bearer(instance.Token(setHeader("kid", "unknown")))))
	}
	require.Equal(t, 4, instance.Hits("/v1/jwks"))
}

// TestFailedFetchIsShared: all that wait for it are answered by it.
func TestFailedFetchIsShared(t *testing.T) { // JW-03
	release, fetches, instance := make(chan struct{}), 0, clerktest.New(clerktest.Config{Production: true})
	now := time.Now()
	b, err := clerk.New(clerk.Config{PublishableKey: instance.PublishableKey, SecretKey: auth.NewSecret(instance.SecretKey), Now: func() time.Time { return now },
		HTTPClient: &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
			fetches++
			<-release
			return nil, errors.New("no route")
		})}})
	require.NoError(t, err)
	answers := make(chan error)
	for range 20 {
		go func() { _, err := b.Decide(bearer(instance.Token(nil)), origin); answers <- err }()
	}
	close(release)
	for range 20 {
		require.ErrorContains(t, <-answers, "no route")
	}
	require.LessOrEqual(t, fetches, 2)
}

// TestLifeOfTheKeys: five minutes and thirty seconds, to the nanosecond.
func TestLifeOfTheKeys(t *testing.T) { // JW-03, JW-11
	instance, b, at := setup(t, true, nil)
	token := instance.Token(set("exp", at.Now().Unix()+3600))
	fetched := func(want int, text, token string) {
		t.Helper()
		require.Equal(t, text, decide(t, b, bearer(token)))
		require.Equal(t, want, instance.Hits("/v1/jwks"))
	}
	fetched(1, "signed-in user_1", token)
	at.advance(5*time.Minute - 1)
	fetched(1, "signed-in user_1", token)
	at.advance(1)
	fetched(2, "signed-in user_1", token)
	unknown := instance.Token(func(header, claims map[string]any) { header["kid"], claims["exp"] = "unknown", at.Now().Unix()+3600 })
	fetched(3, "signed-out jwk-kid-mismatch", unknown)
	at.advance(30*time.Second - 1)
	fetched(3, "signed-out jwk-kid-mismatch", unknown)
	at.advance(1)
	fetched(4, "signed-out jwk-kid-mismatch", unknown)
}

// TestKeysOfARequestThatIsGone: the request ends, and what it has begun is there for
// the next one.
func TestKeysOfARequestThatIsGone(t *testing.T) {
	release, instance := make(chan struct{}), clerktest.New(clerktest.Config{Production: true})
	b, err := clerk.New(clerk.Config{PublishableKey: instance.PublishableKey, SecretKey: auth.NewSecret(instance.SecretKey),
		HTTPClient: &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			<-release
			return inProcess{instance}.RoundTrip(r)
		})}})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = b.Decide(bearer(instance.Token(nil)).WithContext(ctx), origin)
	require.ErrorIs(t, err, context.Canceled)
	close(release)
	require.Equal(t, "signed-in user_1", decide(t, b, bearer(instance.Token(nil))))
	require.Equal(t, 1, instance.Hits("/v1/jwks"))
}

// TestKeySetThatIsNone: nothing can be decided with it.
func TestKeySetThatIsNone(t *testing.T) {
	i := clerktest.New(clerktest.Config{Production: true})
	for status, answers := range map[int][]string{200: {"", "[]", "{}", `{"keys":null}`, `{"keys":{}}`, "hello"}, 204: {""}, 404: {`{"keys":[]}`}} {
		for _, answer := range answers {
			b, err := clerk.New(clerk.Config{PublishableKey: i.PublishableKey, SecretKey: auth.NewSecret(i.SecretKey), HTTPClient: &http.Client{Transport: &scripted{status: status, answer: answer}}})
			require.NoError(t, err)
			_, err = b.Decide(bearer(i.Token(nil)), origin)
			require.ErrorContains(t, err, "key set", "%d %s", status, answer)
		}
	}
}
