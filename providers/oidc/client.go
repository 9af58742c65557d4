package oidc

import (
	"crypto"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/sallyport/auth/internal/strictjson"
	"github.com/sallyport/auth/internal/upstream"
	"github.com/sallyport/auth/providers/internal/codegrant"
	"github.com/sallyport/auth/providers/internal/dpop"
	"github.com/sallyport/auth/providers/internal/signing"
)

// ClientAuth is how the relying party authenticates at the token endpoint.
type ClientAuth string

// The methods of OpenID Connect Core 9 and RFC 8705 that this package speaks.
const (
	ClientSecretBasic       ClientAuth = "client_secret_basic"         // the secret in the Authorization header: RFC 6749 2.3.1
	ClientSecretPost        ClientAuth = "client_secret_post"          // the secret in the form
	PrivateKeyJWT           ClientAuth = "private_key_jwt"             // a signed assertion: RFC 7523 2.2
	TLSClientAuth           ClientAuth = "tls_client_auth"             // Certificate, whose authority the issuer trusts: RFC 8705 2.1
	SelfSignedTLSClientAuth ClientAuth = "self_signed_tls_client_auth" // Certificate, which the issuer knows: RFC 8705 2.2
	ClientAuthNone          ClientAuth = "none"                        // a public client: PKCE alone
)

func (a ClientAuth) byCertificate() bool { return a == TLSClientAuth || a == SelfSignedTLSClientAuth }

// checkClient holds together what shows who the client is.
func (c *Config) checkClient() error {
	var err error
	problem := func(text string) { err = errors.Join(err, fmt.Errorf("auth: oidc.Config %q: %s", c.Name, text)) }
	method := codegrant.Method(c.ClientAuth)
	if method == "" && c.Certificate != nil && c.ClientSecret.IsZero() && c.PrivateKey == nil {
		method = codegrant.TLS
	}
	if c.SecretIssuer != "" {
		if !c.ClientSecret.IsZero() || c.ClientAuth != "" {
			problem("SecretIssuer: the secret is made of PrivateKey, and sent as client_secret: leave ClientSecret and ClientAuth out")
		}
		if method = ""; c.PrivateKey == nil {
			problem("PrivateKey is nil, and SecretIssuer needs it")
			method = codegrant.None // which needs nothing more
		}
	}
	if c.ClientAuth.byCertificate() && c.Certificate == nil {
		problem(fmt.Sprintf("Certificate is nil, and %s needs it", c.ClientAuth))
	}
	if c.Certificate != nil && (len(c.Certificate.Certificate) == 0 || c.Certificate.PrivateKey == nil) {
		problem("Certificate: want a certificate with its private key, as tls.LoadX509KeyPair returns")
	}
	if c.SignedRequests && c.PrivateKey == nil {
		problem("PrivateKey is nil, and SignedRequests needs it")
	}
	if c.DPoPKey != nil {
		if e := (signing.Key{Signer: c.DPoPKey}).Check(); e != nil {
			problem("DPoPKey: " + e.Error())
		}
	}
	if c.DPoPKey != nil && c.PrivateKey != nil && sameKey(c.DPoPKey, c.PrivateKey) {
		problem("DPoPKey is PrivateKey: a proof must not be good as anything else: make another key")
	}
	return errors.Join(err, codegrant.CheckClient(c.Name, c.ClientID, c.ClientSecret, method, c.PrivateKey))
}

func sameKey(a, b crypto.Signer) bool {
	public, ok := a.Public().(interface{ Equal(crypto.PublicKey) bool })
	return ok && public.Equal(b.Public())
}

// secure gives the provider what its requests are bound to, and its connections.
func (p *Provider) secure() error {
	c := &p.config
	if c.DPoPKey != nil {
		var err error
		key := signing.Key{Signer: c.DPoPKey}
		if c.FAPI2 {
			key.Algorithms = fapiAlgorithms
		}
		if p.dpop, err = dpop.New(key, c.Now); err != nil {
			return fmt.Errorf("auth: oidc.Config %q: DPoPKey: %w", c.Name, err)
		}
	}
	if c.Certificate == nil && !c.FAPI2 {
		return nil
	}
	client, ok := p.client.WithTLS(func(config *tls.Config) {
		if c.Certificate != nil {
			// Whatever authorities the server names: one that knows the certificate itself names
			// none that has signed it, and crypto/tls would send none of Certificates then.
			config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return c.Certificate, nil }
		}
		if c.FAPI2 {
			config.CipherSuites = fapiCipherSuites
		}
	})
	if !ok {
		return fmt.Errorf("auth: oidc.Config %q: HTTPClient: its Transport is a %T, and Certificate and FAPI2 need an *http.Transport", c.Name, c.HTTPClient.Transport)
	}
	p.client = client
	return nil
}

// DPoP returns a transport for resources that tokens of this provider are for, such as
// those of [auth.TokenSource]. It adds a proof (RFC 9449 7) to each request whose
// Authorization is of the scheme DPoP, and sends it once more where the server wants a
// nonce in the proof. Requests with a body want a GetBody for that, which
// [http.NewRequest] sets. Other requests pass as they are.
//
//	client := &http.Client{Transport: &oauth2.Transport{Source: tokens, Base: provider.DPoP(nil)}}
//
// If next is nil, it is [http.DefaultTransport]. Without [Config].DPoPKey, next is
// returned. The transport is safe for concurrent use.
func (p *Provider) DPoP(next http.RoundTripper) http.RoundTripper {
	if next == nil {
		next = http.DefaultTransport
	}
	if p.dpop == nil {
		return next
	}
	return dpop.Transport{Prover: p.dpop, Next: next}
}

// clientAt is who we are to the issuer's endpoints.
func (p *Provider) clientAt(m *metadata) codegrant.Client {
	c := &p.config
	audience := c.Issuer
	if c.IssuerTemplate == "" {
		audience = m.issuer
	}
	assertions, requests := m.assertionAlgorithms, m.requestAlgorithms
	if c.FAPI2 {
		assertions, requests = fapiAlgorithms, fapiAlgorithms
	}
	return codegrant.Client{
		ID: c.ClientID, Secret: c.ClientSecret, SecretIssuer: c.SecretIssuer, Audience: audience, Now: c.Now, DPoP: p.dpop,
		Key: signing.Key{Signer: c.PrivateKey, ID: c.PrivateKeyID, Algorithms: assertions}, RequestAlgorithms: requests,
	}
}

// agreeOnClientAuth says how to authenticate, before a code is there to be lost by
// trying.
func (p *Provider) agreeOnClientAuth(o strictjson.Object) (ClientAuth, error) {
	theirs, ok := o.Strings("token_endpoint_auth_methods_supported")
	switch {
	case p.config.ClientAuth != "":
		return p.config.ClientAuth, nil
	case p.config.SecretIssuer != "":
		return ClientSecretPost, nil
	case p.config.PrivateKey != nil:
		return PrivateKeyJWT, nil
	case p.config.ClientSecret.IsZero(): // and there is a certificate, for New has looked
		return TLSClientAuth, nil
	// In the form there is one encoding that every server decodes. In the header, some
	// compare what RFC 6749 2.3.1 has a client encode as it came: Casdoor, LemonLDAP.
	case slices.Contains(theirs, string(ClientSecretPost)) && codegrant.NeedsEncoding(p.config.ClientID, p.config.ClientSecret):
		return ClientSecretPost, nil
	case !ok || slices.Contains(theirs, string(ClientSecretBasic)): // the default: Discovery 3
		return ClientSecretBasic, nil
	case slices.Contains(theirs, string(ClientSecretPost)):
		return ClientSecretPost, nil
	}
	return "", codegrant.Misconfigured("the issuer wants clients to authenticate by %.200q, which a client secret cannot", theirs)
}

// certified refuses an endpoint that sees no certificate: it would take anybody for the
// client who knows its id.
func (m *metadata) certified() error {
	if u, err := upstream.CheckURL(m.token); m.clientAuth.byCertificate() && (err != nil || u.Scheme != "https") {
		return codegrant.Misconfigured("the issuer's token_endpoint is not https, and sees no certificate")
	}
	return nil
}
