package keycloak_test

import (
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestPKCE: the realm asks for it, and somebody who takes the challenge away does not
// get in.
func TestPKCE(t *testing.T) { // PK-01
	s := newSite(t)
	issuer := newRealm(t, "pkce", object{"users": []object{user("ada", nil)}, "clients": []object{client(s, nil)}})
	s.configure(issuer, nil)
	s.signIn("ada").session()

	v := s.visitor()
	v.client.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		q := r.URL.Query()
		q.Del("code_challenge")
		r.URL.RawQuery = q.Encode()
		return nil
	}
	v.begin("keycloak").refused(http.StatusBadGateway, misconfigured, "invalid_request", "code_challenge")
}

func TestPushedAuthorizationRequired(t *testing.T) {
	s := newSite(t)
	issuer := newRealm(t, "pushed", object{
		"users":   []object{user("ada", nil)},
		"clients": []object{client(s, object{"attributes": object{"require.pushed.authorization.requests": "true"}})},
	})
	s.configure(issuer, nil)
	s.visitor().begin("keycloak").refused(http.StatusBadGateway, misconfigured, "invalid_request (Pushed Authorization Request is only allowed.)")
}

// TestSecret: those with characters that are encoded in the header, and one that is not
// the realm's.
func TestSecret(t *testing.T) {
	const odd = "a+b/c=d%2Be%f:g h&i"
	s := newSite(t)
	issuer := newRealm(t, "secrets", object{"users": []object{user("ada", nil)}, "clients": []object{client(s, object{"secret": odd})}})
	for _, method := range []string{"client_secret_basic", "client_secret_post", ""} {
		t.Run(cmp.Or(method, "as discovery says"), func(t *testing.T) {
			s.t = t
			s.configure(issuer, map[string]string{"AUTH_KEYCLOAK_SECRET": odd, "AUTH_KEYCLOAK_CLIENT_AUTH": method})
			s.signIn("ada").session()
			s.configure(issuer, map[string]string{"AUTH_KEYCLOAK_CLIENT_AUTH": method})
			s.signIn("ada").refused(http.StatusBadGateway, misconfigured, "unauthorized_client", "are client id and secret right?")
		})
	}
}

// TestPrivateKey: no secret, and a key whose certificate the realm has.
func TestPrivateKey(t *testing.T) {
	strong, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	s := newSite(t)
	certified := func(id string, key crypto.Signer) object {
		c := client(s, object{"clientId": id, "clientAuthenticatorType": "client-jwt", "attributes": object{"jwt.credential.certificate": certificate(t, key)}})
		delete(c, "secret")
		return c
	}
	issuer := newRealm(t, "private-key", object{"users": []object{user("ada", nil)}, "clients": []object{certified("rsa", strong), certified("ecdsa", curve)}})
	for _, test := range []struct {
		name, id string
		key      crypto.Signer
		refusal  string
	}{
		{"RSA", "rsa", strong, ""},
		{"ECDSA", "ecdsa", curve, ""},
		{"another key", "rsa", other, "invalid_client"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s.t = t
			s.configure(issuer, map[string]string{"AUTH_KEYCLOAK_ID": test.id, "AUTH_KEYCLOAK_SECRET": "", "AUTH_KEYCLOAK_CLIENT_AUTH": "private_key_jwt", "AUTH_KEYCLOAK_PRIVATE_KEY": keyText(t, test.key)})
			g := s.signIn("ada")
			if test.refusal == "" {
				g.session()
				return
			}
			g.refused(http.StatusBadGateway, misconfigured, test.refusal)
		})
	}
}

// certificate is one that key has signed for itself, as Keycloak keeps it.
func certificate(t *testing.T, key crypto.Signer) string {
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "web"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	return base64.StdEncoding.EncodeToString(der)
}

func keyText(t *testing.T, key crypto.Signer) string {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}
