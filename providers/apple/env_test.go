package apple_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/apple"
)

func p8(t *testing.T, key any) string {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// fromEnv is the provider of AUTH_<id>_* with more beside a good registration.
func fromEnv(t *testing.T, a *appleID, id string, more map[string]string) (auth.Provider, error) {
	prefix := "AUTH_" + strings.ToUpper(id) + "_"
	env := map[string]string{"ID": clientID, "TEAM_ID": "TEAM123456", "KEY_ID": "KEY1234567", "PRIVATE_KEY": p8(t, a.key)}
	for name, value := range more {
		env[name] = value
	}
	return apple.FromEnv(func(name string) string {
		rest, ok := strings.CutPrefix(name, prefix)
		if !ok {
			return ""
		}
		return env[rest]
	}, id, &http.Client{Transport: a})
}

func TestFromEnvSignsIn(t *testing.T) {
	for name, test := range map[string]struct {
		id   string
		more map[string]string
	}{
		"a PEM":                      {"apple", nil},
		"line breaks as in Compose":  {"apple", map[string]string{"PRIVATE_KEY": "escaped"}},
		"one of several":             {"x", nil},
		"no way to say client_auth":  {"apple", map[string]string{"CLIENT_AUTH": "none"}},
		"no key of private_key_jwt":  {"apple", map[string]string{"PRIVATE_KEY_ID": "another"}},
		"the address has to be read": {"apple", map[string]string{"ALLOWED_EMAILS": "example.com"}},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAppleID(t)
			if test.more["PRIVATE_KEY"] != "" {
				test.more["PRIVATE_KEY"] = strings.ReplaceAll(p8(t, a.key), "\n", `\n`)
			}
			p, err := fromEnv(t, a, test.id, test.more)
			require.NoError(t, err)
			require.Equal(t, test.id, p.Name())
			require.True(t, p.(auth.OpenDoor).AnyoneMayEnter())
			id, err := a.signIn(p, `{"name":{"firstName":"Ada"}}`)
			require.NoError(t, err)
			require.Equal(t, "Ada", id.Name)
			require.Len(t, a.seen, 1)
			require.Len(t, strings.Split(a.seen[0], "."), 3)
		})
	}
}

func TestFromEnvKeys(t *testing.T) { // LG-01, LG-06
	a := newAppleID(t)
	weak, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	public, err := x509.MarshalPKIXPublicKey(a.key.Public())
	require.NoError(t, err)
	good := p8(t, a.key)
	for name, key := range map[string]string{
		"RSA": p8(t, weak), "P-384": p8(t, p384), "Ed25519": p8(t, ed), "no PEM": "hunter2", "cut": good[:len(good)/2],
		"public": string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})), "the key's id": "KEY1234567", "a file's name": "AuthKey_KEY1234567.p8",
	} {
		_, err := fromEnv(t, a, "apple", map[string]string{"PRIVATE_KEY": key})
		require.EqualError(t, err, `auth: AUTH_APPLE_PRIVATE_KEY is no ECDSA P-256 key: set it to the text of the .p8 file that Apple gave with the key, from BEGIN to END, whose line breaks may be written \n`, name)
	}
}

func TestFromEnvMissing(t *testing.T) { // LG-06
	_, err := apple.FromEnv(func(string) string { return "" }, "apple", nil)
	require.EqualError(t, err, "auth: AUTH_APPLE_ID is not set: it is the identifier of the Services ID, such as com.example.web\n"+
		"auth: AUTH_APPLE_TEAM_ID is not set: Apple shows it under Membership details\n"+
		"auth: AUTH_APPLE_KEY_ID is not set: Apple shows it with the key, under Keys\n"+
		"auth: AUTH_APPLE_PRIVATE_KEY is not set: set it to the text of the .p8 file that Apple gave with the key")
	a := newAppleID(t)
	_, err = fromEnv(t, a, "apple", map[string]string{"TRUST_EMAIL": "1"})
	require.ErrorContains(t, err, "AUTH_APPLE_TRUST_EMAIL is set for a provider at which anybody can get an account")
	_, err = fromEnv(t, a, "apple", map[string]string{"PROMPT": "none", "KEY_ID": ""})
	require.ErrorContains(t, err, "AUTH_APPLE_PROMPT")
	require.ErrorContains(t, err, "AUTH_APPLE_KEY_ID")
}
