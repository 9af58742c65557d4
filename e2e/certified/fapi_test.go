package certified_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/oidc"
	"github.com/sallyport/auth/session"
)

// authority signs the certificates of one test.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	a := &authority{t: t}
	own := a.issue("authority", true)
	var err error
	a.key = own.PrivateKey.(*ecdsa.PrivateKey)
	a.cert, err = x509.ParseCertificate(own.Certificate[0])
	require.NoError(t, err)
	return a
}

func (a *authority) issue(name string, ca bool) *tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(a.t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, IsCA: ca, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	parent, signer := template, key
	if a.cert != nil && !strings.HasPrefix(name, "self") {
		parent, signer = a.cert, a.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	require.NoError(a.t, err)
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// startFAPI starts the provider with one client, and returns its address.
func (a *authority) startFAPI(client map[string]any) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(a.t, err)
	address := l.Addr().String()
	require.NoError(a.t, l.Close())
	_, port, err := net.SplitHostPort(address)
	require.NoError(a.t, err)
	own := a.issue("127.0.0.1", false)
	der, err := x509.MarshalPKCS8PrivateKey(own.PrivateKey)
	require.NoError(a.t, err)
	described, err := json.Marshal(client)
	require.NoError(a.t, err)
	certificates := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: own.Certificate[0]})
	certificates = append(certificates, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})...)
	cmd := exec.CommandContext(a.t.Context(), "node", "../servers/fapi.mjs")
	cmd.Env = append(os.Environ(), "ISSUER=https://"+address, "PORT="+port, "CLIENT="+string(described),
		"CERTIFICATE="+string(certificates), "KEY="+string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	require.NoError(a.t, cmd.Start())
	a.t.Cleanup(func() { _ = cmd.Wait() })
	require.Eventually(a.t, func() bool {
		resp, err := a.client(nil).Get("https://" + address + "/.well-known/openid-configuration")
		if err != nil {
			return false
		}
		return resp.Body.Close() == nil && resp.StatusCode == 200
	}, time.Minute, 100*time.Millisecond, "run e2e/setup")
	return "https://" + address
}

// client trusts the authority, and shows certificate, if it is not nil.
func (a *authority) client(certificate *tls.Certificate) *http.Client {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	config := &tls.Config{RootCAs: pool}
	if certificate != nil {
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return certificate, nil }
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: config}}
}

func keySet(t *testing.T, keys ...jose.JSONWebKey) map[string]any {
	raw, err := json.Marshal(jose.JSONWebKeySet{Keys: keys})
	require.NoError(t, err)
	var set map[string]any
	require.NoError(t, json.Unmarshal(raw, &set))
	return set
}

// TestFAPI2 signs somebody in at a certified provider that takes nothing less than the
// profile, and calls a resource of its, userinfo, with tokens that were made anew.
func TestFAPI2(t *testing.T) { // RFC 8705, RFC 9101, RFC 9126, RFC 9207, RFC 9449
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	a := newAuthority(t)
	known, self := a.issue("app", false), a.issue("self-signed", false)
	byKey := func(key crypto.Signer, alg string) map[string]any {
		return map[string]any{
			"token_endpoint_auth_method": "private_key_jwt", "token_endpoint_auth_signing_alg": alg, "request_object_signing_alg": alg, "require_signed_request_object": true,
			"jwks": keySet(t, jose.JSONWebKey{Key: key.Public(), KeyID: "k1", Use: "sig", Algorithm: alg}), "id_token_signed_response_alg": alg,
		}
	}
	bound := func(name string, client map[string]any) map[string]any { client[name] = true; return client }
	for name, test := range map[string]struct {
		client map[string]any
		config oidc.Config
		kind   string
	}{
		"PS256 and DPoP": {bound("dpop_bound_access_tokens", byKey(rsaKey, "PS256")), oidc.Config{PrivateKey: rsaKey, PrivateKeyID: "k1", DPoPKey: ec, SignedRequests: true}, "DPoP"},
		"EdDSA and DPoP": {bound("dpop_bound_access_tokens", byKey(ed, "EdDSA")), oidc.Config{PrivateKey: ed, PrivateKeyID: "k1", DPoPKey: rsaKey, SignedRequests: true}, "DPoP"},
		"ES256 and a certificate": {bound("tls_client_certificate_bound_access_tokens", byKey(ec, "ES256")),
			oidc.Config{PrivateKey: ec, PrivateKeyID: "k1", Certificate: self, SignedRequests: true}, "Bearer"},
		"a certificate": {map[string]any{
			"token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_subject_dn": "CN=app", "tls_client_certificate_bound_access_tokens": true, "id_token_signed_response_alg": "PS256",
		}, oidc.Config{Certificate: known}, "Bearer"},
		"a certificate of its own": {map[string]any{
			"token_endpoint_auth_method": "self_signed_tls_client_auth", "tls_client_certificate_bound_access_tokens": true, "id_token_signed_response_alg": "ES256",
			"jwks": keySet(t, jose.JSONWebKey{Key: self.PrivateKey.(*ecdsa.PrivateKey).Public(), Certificates: []*x509.Certificate{parse(t, self)}}),
		}, oidc.Config{Certificate: self, ClientAuth: oidc.SelfSignedTLSClientAuth}, "Bearer"},
	} {
		t.Run(name, func(t *testing.T) {
			var handler http.Handler
			site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
			t.Cleanup(site.Close)
			client := map[string]any{
				"client_id": "app", "redirect_uris": []string{site.URL + "/api/auth/callback/op"}, "grant_types": []string{"authorization_code", "refresh_token"},
			}
			for name, value := range test.client {
				client[name] = value
			}
			own := *a
			own.t = t
			c := test.config
			c.Name, c.Issuer, c.ClientID, c.FAPI2 = "op", own.startFAPI(client), "app", true
			c.Scopes, c.AuthParams, c.HTTPClient = []string{"openid", "offline_access"}, url.Values{"login_hint": {"ada"}, "prompt": {"consent"}}, a.client(nil)
			p, err := oidc.New(c)
			require.NoError(t, err)
			at, err := auth.New(auth.Config{
				Secrets: []auth.Secret{auth.NewSecret("kY3nC0p9V1xJm5Q8sT2wZ7bL4hF6gD0aR3eU9iOqXyE=")}, URL: site.URL, Providers: []auth.Provider{p}, StraightToProvider: true,
				KeepTokens: true, Session: session.Config{Store: session.NewMemoryStore(0, nil)},
			})
			require.NoError(t, err)
			var tokens []*oauth2.Token
			handler = at.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				source, ok := auth.TokenSource(r.Context())
				require.True(t, ok)
				token, err := source.Token()
				if !assertNoError(t, err) {
					return
				}
				tokens = append(tokens, token)
				api := &http.Client{Transport: &oauth2.Transport{Source: source, Base: p.DPoP(a.client(test.config.Certificate).Transport)}}
				resp, err := api.Get(c.Issuer + "/me")
				if !assertNoError(t, err) {
					return
				}
				defer resp.Body.Close()
				_, _ = io.Copy(w, resp.Body)
			}))
			jar, err := cookiejar.New(nil)
			require.NoError(t, err)
			v := &visitor{T: t, Client: http.Client{Jar: jar, Transport: a.client(nil).Transport}}
			for range 2 {
				_, text := v.get(site.URL + "/")
				require.JSONEq(t, `{"sub":"ada"}`, text)
			}
			require.Equal(t, test.kind, tokens[0].Type())
			require.NotEqual(t, tokens[0].AccessToken, tokens[1].AccessToken)
			for _, thief := range []*http.Client{a.client(nil), a.client(a.issue("another", false))} {
				req, err := http.NewRequestWithContext(context.Background(), "GET", c.Issuer+"/me", nil)
				require.NoError(t, err)
				tokens[1].SetAuthHeader(req)
				resp, err := thief.Do(req)
				require.NoError(t, err)
				resp.Body.Close()
				require.GreaterOrEqual(t, resp.StatusCode, 400, "whoever has the token alone has nothing")
			}
		})
	}
}

func assertNoError(t *testing.T, err error) bool {
	if err != nil {
		t.Error(err)
	}
	return err == nil
}

func parse(t *testing.T, c *tls.Certificate) *x509.Certificate {
	cert, err := x509.ParseCertificate(c.Certificate[0])
	require.NoError(t, err)
	return cert
}
