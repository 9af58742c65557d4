package fromenv_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/envvar"
	"github.com/sallyport/auth/providers/internal/fromenv"
)

var cures = fromenv.Cures{Issuer: "it is the address", ClientID: "it is the id", ClientSecret: "it is the secret"}

func TestRead(t *testing.T) { // LG-06
	for name, test := range map[string]struct {
		env                map[string]string
		issuer, id, secret string
		problems           string // if any, a line each
	}{
		"the documented spelling": {map[string]string{"X_ISSUER": "https://i", "X_CLIENT_ID": "c", "X_CLIENT_SECRET": "s"}, "https://i", "c", "s", ""},
		"Auth.js's spelling":      {map[string]string{"AUTH_X_ISSUER": "https://i", "AUTH_X_ID": "c", "AUTH_X_SECRET": "s"}, "https://i", "c", "s", ""},
		"one of each":             {map[string]string{"X_ISSUER": "https://i", "AUTH_X_ID": "c", "X_CLIENT_SECRET": "s"}, "https://i", "c", "s", ""},
		"both, the first counts": {map[string]string{
			"X_ISSUER": "https://i", "X_CLIENT_ID": "c", "X_CLIENT_SECRET": "s", "AUTH_X_ISSUER": "other", "AUTH_X_ID": "other", "AUTH_X_SECRET": "other",
		}, "https://i", "c", "s", ""},
		"set and empty is not set": {map[string]string{"X_ISSUER": "", "AUTH_X_ISSUER": "https://i", "X_CLIENT_ID": "c", "X_CLIENT_SECRET": "s"}, "https://i", "c", "s", ""},
		"other names do not count": {map[string]string{"X_ID": "c", "X_SECRET": "s", "AUTH_X_CLIENT_ID": "c", "AUTH_X_CLIENT_SECRET": "s", "AUTH_ISSUER": "i", "Y_ISSUER": "https://i"}, "", "", "",
			"auth: X_ISSUER is not set: it is the address\nauth: X_CLIENT_ID is not set: it is the id\nauth: X_CLIENT_SECRET is not set: it is the secret"},
		"nothing": {nil, "", "", "",
			"auth: X_ISSUER is not set: it is the address\nauth: X_CLIENT_ID is not set: it is the id\nauth: X_CLIENT_SECRET is not set: it is the secret"},
		"one is missing": {map[string]string{"X_ISSUER": "https://i", "X_CLIENT_SECRET": "s"}, "https://i", "", "s", "auth: X_CLIENT_ID is not set: it is the id"},
		"quotes and white space, by the spelling that has them": {map[string]string{"X_ISSUER": "https://i\n", "AUTH_X_ID": `"c"`, "X_CLIENT_SECRET": "hunter2 "}, "https://i\n", `"c"`, "hunter2 ",
			"auth: X_ISSUER begins or ends with white space: remove it; a value from a file often ends with a newline\n" +
				"auth: AUTH_X_ID is in quotes: remove them; docker --env-file keeps quotes as part of the value\n" +
				"auth: X_CLIENT_SECRET begins or ends with white space: remove it; a value from a file often ends with a newline"},
	} {
		t.Run(name, func(t *testing.T) {
			reg, err := fromenv.Read(func(name string) string { return test.env[name] }, "x", "x", cures)
			require.Equal(t, fromenv.Registration{Issuer: test.issuer, ClientID: test.id, ClientSecret: auth.NewSecret(test.secret)}, reg)
			if test.problems == "" {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, test.problems)
			var one *envvar.Error
			require.ErrorAs(t, err, &one)
			require.NotContains(t, err.Error(), "hunter2")
		})
	}
}

// TestWithoutIssuer: a provider that has one issuer for everybody reads none, and one
// without ID tokens nothing about them.
func TestWithoutIssuer(t *testing.T) {
	asked := map[string]bool{}
	reg, err := fromenv.Read(func(name string) string { asked[name] = true; return "" }, "x", "x", fromenv.Cures{ClientID: "id", ClientSecret: "secret", OAuth2: true})
	require.EqualError(t, err, "auth: X_CLIENT_ID is not set: id\nauth: X_CLIENT_SECRET is not set: secret")
	require.Empty(t, reg.Issuer)
	require.Equal(t, map[string]bool{
		"X_CLIENT_ID": true, "AUTH_X_ID": true, "X_CLIENT_SECRET": true, "AUTH_X_SECRET": true,
		"AUTH_X_NAME": true, "AUTH_X_SCOPES": true, "AUTH_X_PROMPT": true, "AUTH_INSECURE_HTTP": true, "AUTH_X_CLIENT_AUTH": true,
		"AUTH_ALLOWED_EMAILS": true, "AUTH_ALLOWED_GROUPS": true,
	}, asked, "all spellings")
}

// TestSpellingOfItsOwn: it counts first, where the provider has its own id, and it is
// what messages name.
func TestSpellingOfItsOwn(t *testing.T) {
	cures := fromenv.Cures{ClientID: "id", ClientSecret: "secret", OAuth2: true, IDName: "AUTH_X_APP_ID", SecretName: "AUTH_X_APP_SECRET"}
	values := map[string]string{}
	read := func(id string) (fromenv.Registration, error) {
		return fromenv.Read(func(name string) string { return values[name] }, id, "x", cures)
	}
	_, err := read("x")
	require.EqualError(t, err, "auth: AUTH_X_APP_ID is not set: id\nauth: AUTH_X_APP_SECRET is not set: secret")
	values = map[string]string{"AUTH_X_APP_ID": "app", "AUTH_X_ID": "id", "X_CLIENT_ID": "client", "AUTH_X_APP_SECRET": "app-secret", "X_CLIENT_SECRET": "s"}
	reg, err := read("x")
	require.NoError(t, err)
	require.Equal(t, "app app-secret", reg.ClientID+" "+reg.ClientSecret.Reveal())
	_, err = read("corp")
	require.EqualError(t, err, "auth: AUTH_CORP_ID is not set: id\nauth: AUTH_CORP_SECRET is not set: secret")
}

func TestSecretDoesNotShow(t *testing.T) { // LG-01
	reg, err := fromenv.Read(func(name string) string {
		return map[string]string{"X_CLIENT_ID": "c", "X_CLIENT_SECRET": "hunter2"}[name]
	}, "x", "x", fromenv.Cures{})
	require.NoError(t, err)
	require.Equal(t, "hunter2", reg.ClientSecret.Reveal())
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		require.NotContains(t, fmt.Sprintf(verb, reg), "hunter2", verb)
	}
}

func TestIssuerIsAnAddress(t *testing.T) {
	for value, want := range map[string]string{
		"https://id.example.com": "", "https://id.example.com/realms/a/": "", "http://localhost:8080": "", "http://127.0.0.1": "",
		"http://id.example.com": "X_ISSUER is no https address", "http://192.168.1.10:8000": "X_ISSUER is no https address",
		"id.example.com": "X_ISSUER is no address", "https://": "X_ISSUER is no address", "https://a:hunter2@id.example.com": "X_ISSUER is no address",
		"https://id.example.com/#a": "X_ISSUER is no address", "https://id.example.com/?tenant=hunter2": "X_ISSUER has a query",
		"ftp://id.example.com": "X_ISSUER is no https address",
	} {
		_, err := fromenv.Read(func(name string) string {
			return map[string]string{"X_ISSUER": value, "X_CLIENT_ID": "c", "X_CLIENT_SECRET": "s"}[name]
		}, "x", "x", cures)
		if want == "" {
			require.NoError(t, err, value)
			continue
		}
		require.ErrorContains(t, err, want, value)
		require.ErrorContains(t, err, cures.Issuer)
		require.NotContains(t, err.Error(), "hunter2")
	}
}
