package fromenv_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/envvar"
	"github.com/sallyport/auth/providers/internal/fromenv"
)

func pemOf(t *testing.T, key any) string {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func read(variables map[string]string, oauth2 bool) (fromenv.Settings, error) {
	r := envvar.NewReader(func(name string) string { return variables[strings.TrimPrefix(name, "AUTH_X_")] })
	s := fromenv.ReadSettings(r, "X", oauth2)
	return s, r.Err()
}

func TestSettings(t *testing.T) {
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	require.NoError(t, err)
	sec1, err := x509.MarshalECPrivateKey(p256)
	require.NoError(t, err)
	traditional := string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: sec1}))

	s, err := read(map[string]string{
		"NAME": "Acme 登录", "SCOPES": "openid, email  profile", "PROMPT": "login consent", "CLIENT_AUTH": "private_key_jwt",
		"PRIVATE_KEY": strings.ReplaceAll(pemOf(t, p256), "\n", `\n`), "PRIVATE_KEY_ID": "k1",
		"ALGORITHMS": "ES256,EdDSA", "TRUSTED_AUDIENCES": "project, other，third",
	}, false)
	require.NoError(t, err)
	require.Equal(t, fromenv.Settings{
		Label: "Acme 登录", Scopes: []string{"openid", "email", "profile"}, Prompt: "login consent", ClientAuth: "private_key_jwt",
		PrivateKey: p256, PrivateKeyID: "k1", Algorithms: []string{"ES256", "EdDSA"}, TrustedAudiences: []string{"project", "other", "third"},
	}, s)
	s, err = read(map[string]string{"PRIVATE_KEY": traditional}, false)
	require.NoError(t, err)
	require.Equal(t, p256, s.PrivateKey)
	s, err = read(nil, false)
	require.NoError(t, err)
	require.Equal(t, fromenv.Settings{}, s)

	for name, test := range map[string]struct {
		variables map[string]string
		oauth2    bool
		want      string
	}{
		"a name of two lines":          {map[string]string{"NAME": "a\nb"}, false, "AUTH_X_NAME is no name"},
		"a name that is a page":        {map[string]string{"NAME": strings.Repeat("登", 61)}, false, "AUTH_X_NAME is no name"},
		"a name of 60":                 {map[string]string{"NAME": strings.Repeat("登", 60)}, false, ""},
		"no scope":                     {map[string]string{"SCOPES": ","}, false, "AUTH_X_SCOPES is not a list of scopes"},
		"a scope in quotes":            {map[string]string{"SCOPES": `openid "email`}, false, "AUTH_X_SCOPES is not a list of scopes"},
		"a silent prompt":              {map[string]string{"PROMPT": "none"}, false, "AUTH_X_PROMPT"},
		"a prompt and a silent one":    {map[string]string{"PROMPT": "login none"}, false, "AUTH_X_PROMPT"},
		"select_account":               {map[string]string{"PROMPT": "select_account"}, false, ""},
		"an unknown authentication":    {map[string]string{"CLIENT_AUTH": "tls_client_auth"}, false, "private_key_jwt or none"},
		"none":                         {map[string]string{"CLIENT_AUTH": "none"}, false, ""},
		"a key for an OAuth 2.0 one":   {map[string]string{"CLIENT_AUTH": "private_key_jwt"}, true, "set it to client_secret_basic, client_secret_post or none"},
		"no key":                       {map[string]string{"CLIENT_AUTH": "private_key_jwt"}, false, "AUTH_X_PRIVATE_KEY is not set"},
		"no PEM":                       {map[string]string{"PRIVATE_KEY": "hunter2"}, false, "AUTH_X_PRIVATE_KEY is no private key"},
		"another curve":                {map[string]string{"PRIVATE_KEY": pemOf(t, p384)}, false, "AUTH_X_PRIVATE_KEY is no private key"},
		"RSA of 1024 bits":             {map[string]string{"PRIVATE_KEY": pemOf(t, weak)}, false, "AUTH_X_PRIVATE_KEY is no private key"},
		"a symmetric algorithm":        {map[string]string{"ALGORITHMS": "RS256 HS256"}, false, "AUTH_X_ALGORITHMS"},
		"no algorithm":                 {map[string]string{"ALGORITHMS": "none"}, false, "AUTH_X_ALGORITHMS"},
		"metadata without a scheme":    {map[string]string{"DISCOVERY_URL": "id.example.com"}, false, "AUTH_X_DISCOVERY_URL is no address of a server"},
		"metadata with a query":        {map[string]string{"DISCOVERY_URL": "https://id.example.com/?p=hunter2"}, false, "AUTH_X_DISCOVERY_URL has a query"},
		"metadata of an OAuth 2.0 one": {map[string]string{"DISCOVERY_URL": "id.example.com"}, true, ""},
		"an empty list of them":        {map[string]string{"ALGORITHMS": ","}, false, "AUTH_X_ALGORITHMS"},
		"an algorithm in another case": {map[string]string{"ALGORITHMS": "rs256"}, false, "AUTH_X_ALGORITHMS"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := read(test.variables, test.oauth2)
			if test.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, test.want)
			require.NotContains(t, err.Error(), "hunter2")
		})
	}
}

// TestSecretIsNotAlwaysNeeded: a client with a key, or a public one, has none.
func TestSecretIsNotAlwaysNeeded(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	for name, test := range map[string]struct {
		more   map[string]string
		needed bool
	}{
		"nothing":             {nil, true},
		"a public client":     {map[string]string{"AUTH_X_CLIENT_AUTH": "none"}, false},
		"a key":               {map[string]string{"AUTH_X_PRIVATE_KEY": pemOf(t, key)}, false},
		"a key, and a secret": {map[string]string{"AUTH_X_PRIVATE_KEY": pemOf(t, key), "AUTH_X_CLIENT_AUTH": "client_secret_post"}, true},
	} {
		env := map[string]string{"X_ISSUER": "https://i", "X_CLIENT_ID": "c"}
		for k, v := range test.more {
			env[k] = v
		}
		_, err := fromenv.Read(func(name string) string { return env[name] }, "x", "x", cures)
		require.Equal(t, test.needed, err != nil, "%s: %v", name, err)
	}
}
