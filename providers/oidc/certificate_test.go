package oidc_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/oidc"
	"github.com/sallyport/auth/providers/providertest"
)

// certificate is one that signs itself.
func certificate(t *testing.T) *tls.Certificate {
	key := ecKey(t)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(nil, template, template, key.Public(), key)
	require.NoError(t, err)
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// secured is an identity provider with TLS, which has another address where it asks for a
// certificate, and counts those endpoints that saw none and those that saw one.
type secured struct {
	*relying
	idp          *providertest.IdP
	plain, mtls  *httptest.Server
	mu           sync.Mutex
	without, saw map[string]int
}

func newSecured(t *testing.T, aliases bool, idp providertest.Config, change func(*oidc.Config)) (*secured, error) {
	s := &secured{without: map[string]int{}, saw: map[string]int{}}
	serve := func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		if len(r.TLS.PeerCertificates) > 0 {
			s.saw[r.URL.Path]++
		} else {
			s.without[r.URL.Path]++
		}
		s.mu.Unlock()
		s.idp.ServeHTTP(w, r)
	}
	s.plain = httptest.NewTLSServer(http.HandlerFunc(serve))
	s.mtls = httptest.NewUnstartedServer(http.HandlerFunc(serve))
	authorities := x509.NewCertPool()
	authorities.AddCert(s.plain.Certificate())
	s.mtls.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert, ClientCAs: authorities} // none of which has signed what comes
	s.mtls.StartTLS()
	t.Cleanup(s.plain.Close)
	t.Cleanup(s.mtls.Close)
	s.relying = &relying{t: t, now: time.Now()}
	idp.Issuer, idp.Now = s.plain.URL, s.clock
	idp.People = []providertest.Person{{Subject: "ada", Name: "Ada"}}
	s.idp = providertest.New(idp)
	s.idp.SetFaults(providertest.Faults{Metadata: func(m map[string]any) {
		m["pushed_authorization_request_endpoint"] = s.plain.URL + "/par"
		if aliases {
			m["mtls_endpoint_aliases"] = map[string]any{
				"token_endpoint": s.mtls.URL + "/token", "revocation_endpoint": s.mtls.URL + "/revoke", "userinfo_endpoint": s.mtls.URL + "/userinfo",
				"introspection_endpoint": s.mtls.URL + "/introspect", "pushed_authorization_request_endpoint": s.mtls.URL + "/par",
			}
		}
	}})
	c := oidc.Config{Name: "idp", Issuer: s.plain.URL, ClientID: "app", AlwaysUserinfo: true, HTTPClient: s.plain.Client(), Now: s.clock}
	change(&c)
	var err error
	s.p, err = oidc.New(c)
	return s, err
}

func (s *secured) signIn() (*auth.Identity, error) {
	tx := s.transaction()
	address, err := s.p.AuthCodeURL(context.Background(), tx)
	if err != nil {
		return nil, err
	}
	return s.p.Exchange(context.Background(), tx, follow(s.t, s.plain.Client().Transport, address))
}

func TestCertificate(t *testing.T) { // RFC 8705
	known := certificate(t)
	for name, change := range map[string]func(*oidc.Config){
		"alone":       func(*oidc.Config) {},
		"self-signed": func(c *oidc.Config) { c.ClientAuth = oidc.SelfSignedTLSClientAuth },
		"pushed":      func(c *oidc.Config) { c.ClientAuth, c.PushedRequests = oidc.TLSClientAuth, true },
	} {
		t.Run(name, func(t *testing.T) {
			s, err := newSecured(t, true, providertest.Config{Clients: []providertest.Client{{ID: "app"}}}, func(c *oidc.Config) {
				c.Certificate, c.APIAudiences, c.Introspect, c.Scopes = known, []string{"api"}, true, []string{"openid", "offline_access"}
				change(c)
			})
			require.NoError(t, err)
			id, err := s.signIn()
			require.NoError(t, err)
			require.Equal(t, "ada", id.Subject)
			_, err = s.p.Refresh(context.Background(), id.Token)
			require.NoError(t, err)
			_, err = s.p.VerifyToken(context.Background(), "opaque")
			require.ErrorIs(t, err, auth.ErrInvalidToken)
			require.Empty(t, s.without["/token"]+s.without["/par"]+s.without["/userinfo"]+s.without["/introspect"])
			require.Equal(t, []int{2, 1, 1}, []int{s.saw["/token"], s.saw["/userinfo"], s.saw["/introspect"]})
			require.Equal(t, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {id.Token.RefreshToken}, "client_id": {"app"}}, s.idp.TokenRequests()[1])
			require.Equal(t, name == "pushed", s.saw["/par"] == 1)
		})
	}
	// Beside a key: tokens may be bound to it, and the key is who the client is.
	key := ecKey(t)
	s, err := newSecured(t, true, providertest.Config{Clients: []providertest.Client{{ID: "app", Key: key.Public()}}}, func(c *oidc.Config) {
		c.Certificate, c.PrivateKey = known, key
	})
	require.NoError(t, err)
	_, err = s.signIn()
	require.NoError(t, err)
	require.Equal(t, 1, s.saw["/token"])
	// Without aliases the ordinary endpoints are what there is; without a certificate, too.
	s, err = newSecured(t, true, providertest.Config{Clients: []providertest.Client{{ID: "app", Secret: "s"}}}, func(c *oidc.Config) { c.ClientSecret = auth.NewSecret("s") })
	require.NoError(t, err)
	_, err = s.signIn()
	require.NoError(t, err)
	require.Equal(t, 1, s.without["/token"])
}

func TestCertificateThatIsNone(t *testing.T) {
	for want, change := range map[string]func(*oidc.Config){
		"Certificate is nil, and tls_client_auth needs it":             func(c *oidc.Config) { c.ClientAuth = oidc.TLSClientAuth },
		"Certificate is nil, and self_signed_tls_client_auth needs it": func(c *oidc.Config) { c.ClientAuth = oidc.SelfSignedTLSClientAuth },
		"Certificate: want a certificate with its private key":         func(c *oidc.Config) { c.Certificate = &tls.Certificate{} },
		"HTTPClient: its Transport is a oidc_test.roundTripper": func(c *oidc.Config) {
			c.Certificate, c.HTTPClient = certificate(t), &http.Client{Transport: roundTripper{}}
		},
	} {
		c := oidc.Config{Name: "idp", Issuer: "https://idp.example", ClientID: "app"}
		change(&c)
		_, err := oidc.New(c)
		require.ErrorContains(t, err, want)
	}
	// By http nobody sees a certificate, and the id would be all that shows who it is.
	r := newRelying(t, func(c *oidc.Config) { c.ClientSecret, c.Certificate = auth.Secret{}, certificate(t) })
	_, err := r.signIn()
	require.ErrorIs(t, err, auth.ErrMisconfigured)
	require.ErrorContains(t, err, "sees no certificate")
}

type roundTripper struct{ http.RoundTripper }
