package oidc_test

import (
	"cmp"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/internal/upstream"
	"github.com/sallyport/auth/providers/oidc"
	"github.com/sallyport/auth/providers/providertest"
)

// newFAPI is a client of the profile, whose key the issuer knows.
func newFAPI(t *testing.T, key crypto.Signer, change func(*oidc.Config)) *relying {
	r := newRelyingOn(t, providertest.Config{Clients: []providertest.Client{{ID: "app", Key: key.Public(), DPoP: true}}, Algorithm: "PS256"}, func(c *oidc.Config) {
		c.ClientSecret, c.PrivateKey, c.DPoPKey, c.FAPI2 = auth.Secret{}, key, ecKey(t), true
		if change != nil {
			change(c)
		}
	})
	r.idp.SetFaults(takesPushed(r, false, nil))
	return r
}

func TestFAPI2(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	for want, key := range map[jose.SignatureAlgorithm]crypto.Signer{"PS256": rsaKey, "ES256": ecKey(t), "EdDSA": ed} {
		r := newFAPI(t, key, func(c *oidc.Config) {
			if want == jose.EdDSA {
				c.DPoPKey = rsaKey
			}
		})
		var proof string
		faults := takesPushed(r, false, nil)
		faults.Endpoint = func(name string, _ http.ResponseWriter, req *http.Request) bool {
			proof = cmp.Or(req.Header.Get("DPoP"), proof)
			return false
		}
		r.idp.SetFaults(faults)
		id, err := r.signIn()
		require.NoError(t, err, want)
		_, err = jose.ParseSignedCompact(proof, []jose.SignatureAlgorithm{jose.PS256, jose.ES256})
		require.NoError(t, err)
		require.Equal(t, "ada", id.Subject)
		require.False(t, r.p.Restarts())
		require.Equal(t, "DPoP", id.Token.Type())
		require.Equal(t, 1, r.idp.Hits("par"))
		_, err = jose.ParseSignedCompact(r.idp.TokenRequests()[0].Get("client_assertion"), []jose.SignatureAlgorithm{want})
		require.NoError(t, err)
	}
}

// TestWhatFAPI2Refuses: what the profile has servers do, a client sees to.
func TestWhatFAPI2Refuses(t *testing.T) {
	key := ecKey(t)
	for name, test := range map[string]struct {
		faults providertest.Faults
		want   string
	}{
		"a callback without iss":       {providertest.Faults{Callback: func(v url.Values) { v.Del("iss") }}, "lacks iss"},
		"a bearer token":               {providertest.Faults{Token: func(m map[string]any) { m["token_type"] = "Bearer" }}, "want DPoP"},
		"no pushed requests":           {providertest.Faults{Metadata: func(m map[string]any) { delete(m, "pushed_authorization_request_endpoint") }}, "no pushed_authorization_request_endpoint"},
		"an ID token of RS256":         {providertest.Faults{Header: func(h map[string]any) { h["alg"] = "RS256" }}, "RS256"},
		"an issuer that has only that": {providertest.Faults{Metadata: func(m map[string]any) { m["id_token_signing_alg_values_supported"] = []string{"RS256"} }}, "signs ID tokens with"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newFAPI(t, key, nil)
			own := test.faults.Metadata
			test.faults.Metadata = func(m map[string]any) {
				m["pushed_authorization_request_endpoint"] = r.idp.Issuer() + "/par"
				// It says that there is none, and has to send it all the same.
				m["authorization_response_iss_parameter_supported"] = false
				if own != nil {
					own(m)
				}
			}
			r.idp.SetFaults(test.faults)
			_, err := r.signIn()
			require.ErrorContains(t, err, test.want)
		})
	}
}

func TestFAPI2Config(t *testing.T) {
	key, bound := ecKey(t), ecKey(t)
	const client, tokens = "the client authenticates by PrivateKey", "tokens are bound"
	for name, test := range map[string]struct {
		config oidc.Config
		want   []string
	}{
		"key and key":                   {oidc.Config{PrivateKey: key, DPoPKey: bound}, nil},
		"key and certificate":           {oidc.Config{PrivateKey: key, Certificate: certificate(t)}, nil},
		"certificate":                   {oidc.Config{Certificate: certificate(t)}, nil},
		"certificate and key":           {oidc.Config{Certificate: certificate(t), ClientAuth: oidc.TLSClientAuth, DPoPKey: bound}, nil},
		"ES256 alone":                   {oidc.Config{PrivateKey: key, DPoPKey: bound, Algorithms: []string{"ES256"}}, nil},
		"a secret":                      {oidc.Config{ClientSecret: auth.NewSecret("s"), DPoPKey: bound}, []string{client}},
		"a secret beside the key":       {oidc.Config{ClientSecret: auth.NewSecret("s"), PrivateKey: key, DPoPKey: bound}, []string{client}},
		"a secret that is signed":       {oidc.Config{SecretIssuer: "x", PrivateKey: key, DPoPKey: bound}, []string{client}},
		"a public client":               {oidc.Config{ClientAuth: oidc.ClientAuthNone, DPoPKey: bound}, []string{client}},
		"tokens that are bound to none": {oidc.Config{PrivateKey: key}, []string{tokens}},
		"no PKCE":                       {oidc.Config{PrivateKey: key, DPoPKey: bound, InsecureNoPKCE: true}, []string{"InsecureNoPKCE"}},
		"http":                          {oidc.Config{PrivateKey: key, DPoPKey: bound, InsecureHTTP: true}, []string{"InsecureHTTP"}},
		"RS256":                         {oidc.Config{PrivateKey: key, DPoPKey: bound, Algorithms: []string{"ES256", "RS256"}}, []string{`Algorithms: "RS256"`}},
		"all of it":                     {oidc.Config{ClientSecret: auth.NewSecret("s"), InsecureHTTP: true}, []string{client, tokens, "InsecureHTTP"}},
	} {
		c := test.config
		c.Name, c.Issuer, c.ClientID, c.FAPI2 = "idp", "https://idp.example", "app", true
		_, err := oidc.New(c)
		if test.want == nil {
			require.NoError(t, err, name)
			continue
		}
		for _, want := range test.want {
			require.ErrorContains(t, err, want, name)
		}
	}
	_, err := oidc.New(oidc.Config{
		Name: "idp", Issuer: "https://idp.example", ClientID: "app", FAPI2: true, PrivateKey: key, DPoPKey: bound, HTTPClient: &http.Client{Transport: roundTripper{}},
	})
	require.ErrorContains(t, err, "need an *http.Transport")
}

// TestFAPI2CipherSuites: RFC 9325 4.2, where TLS is 1.2.
func TestFAPI2CipherSuites(t *testing.T) {
	for suite, taken := range map[uint16]bool{
		tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: true, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA: false,
	} {
		for _, fapi := range []bool{true, false} {
			server := httptest.NewUnstartedServer(http.NotFoundHandler())
			server.TLS = &tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{suite}}
			server.StartTLS()
			c := oidc.Config{Name: "idp", Issuer: server.URL, ClientID: "app", PrivateKey: ecKey(t), DPoPKey: ecKey(t), FAPI2: fapi, HTTPClient: server.Client()}
			p, err := oidc.New(c)
			require.NoError(t, err)
			_, err = p.AuthCodeURL(t.Context(), auth.Transaction{})
			var network *upstream.Error
			require.Equal(t, !taken && fapi, errors.As(err, &network), "%v", err)
			server.Close()
		}
	}
}
