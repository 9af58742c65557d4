package codegrant_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/internal/codegrant"
	"github.com/sallyport/auth/providers/internal/signing"
)

// TestAuthenticate: by the method that is asked for, and no other.
func TestAuthenticate(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	client := codegrant.Client{ID: "a b", Secret: auth.NewSecret("s:+é"), Key: signing.Key{Signer: key, ID: "k"}, Audience: "https://idp.example", Now: time.Now}
	authenticate := func(c codegrant.Client, method codegrant.Method) (url.Values, string) {
		req, err := http.NewRequest("POST", "https://idp.example/introspect", nil)
		require.NoError(t, err)
		form := url.Values{}
		require.NoError(t, c.Authenticate(method, form, req))
		return form, req.Header.Get("Authorization")
	}
	claims := func(token string) (c jwt.Claims) {
		signed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.ES256})
		require.NoError(t, err)
		require.NoError(t, signed.Claims(key.Public(), &c))
		return c
	}
	form, header := authenticate(client, codegrant.ClientSecretBasic)
	require.Empty(t, form)
	require.Equal(t, "Basic YStiOnMlM0ElMkIlQzMlQTk=", header, "a+b:s%3A%2B%C3%A9")

	form, header = authenticate(client, codegrant.ClientSecretPost)
	require.Equal(t, url.Values{"client_id": {"a b"}, "client_secret": {"s:+é"}}, form)
	require.Empty(t, header)

	form, header = authenticate(client, codegrant.None)
	require.Equal(t, url.Values{"client_id": {"a b"}}, form)
	require.Empty(t, header)

	form, header = authenticate(client, codegrant.PrivateKeyJWT)
	require.Empty(t, header)
	require.False(t, form.Has("client_secret"))
	require.Equal(t, "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", form.Get("client_assertion_type"))
	require.Equal(t, "a b", claims(form.Get("client_assertion")).Issuer)

	client.SecretIssuer = "team"
	form, _ = authenticate(client, codegrant.ClientSecretPost)
	require.Equal(t, "team", claims(form.Get("client_secret")).Issuer)
	require.Len(t, form, 2)
}
