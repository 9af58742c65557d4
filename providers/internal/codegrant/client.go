package codegrant

import (
	"crypto"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"time"

	"golang.org/x/oauth2"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/internal/dpop"
	"github.com/sallyport/auth/providers/internal/signing"
)

// Method is how the relying party authenticates at the token endpoint.
type Method string

// The methods of OpenID Connect Core 9 that this package speaks.
const (
	ClientSecretBasic Method = "client_secret_basic" // RFC 6749 2.3.1, in the header
	ClientSecretPost  Method = "client_secret_post"  // RFC 6749 2.3.1, in the form
	PrivateKeyJWT     Method = "private_key_jwt"     // RFC 7523 2.2
	TLS               Method = "tls_client_auth"     // RFC 8705 2: the certificate of the connection
	SelfSignedTLS     Method = "self_signed_tls_client_auth"
	None              Method = "none" // a public client: PKCE alone
)

// CheckClient says what a configuration lacks for method. An empty method, which
// discovery is to fill in, needs a secret or a key; a certificate is the caller's to look
// at. The error joins every problem, and does not show the secret.
func CheckClient(name, id string, secret auth.Secret, method Method, key crypto.Signer) error {
	var err error
	problem := func(text string) { err = errors.Join(err, fmt.Errorf("auth: provider %q: %s", name, text)) }
	if id == "" {
		problem("ClientID is empty")
	}
	switch method {
	case "", ClientSecretBasic, ClientSecretPost:
		if secret.IsZero() && (method != "" || key == nil) {
			problem("ClientSecret is empty")
		}
	case PrivateKeyJWT:
		if key == nil {
			problem("PrivateKey is nil, and private_key_jwt needs it")
		}
	case TLS, SelfSignedTLS, None:
	default:
		problem(fmt.Sprintf("ClientAuth %q is not known", method))
	}
	if key != nil {
		if e := (signing.Key{Signer: key}).Check(); e != nil {
			problem("PrivateKey: " + e.Error())
		}
	}
	return err
}

// NeedsEncoding reports whether client_secret_basic changes an id or a secret: RFC 6749
// 2.3.1 has both form-encoded before they are joined.
func NeedsEncoding(id string, secret auth.Secret) bool {
	return url.QueryEscape(id) != id || url.QueryEscape(secret.Reveal()) != secret.Reveal()
}

// Client is who we are at a token endpoint.
type Client struct {
	ID       string
	Secret   auth.Secret      // for client_secret_basic and client_secret_post
	Key      signing.Key      // for private_key_jwt and for request objects, whose algorithms are those below
	Audience string           // of both: the issuer, as RFC 7523bis wants it
	Now      func() time.Time // the clock of assertions and of a token's expiry
	DPoP     *dpop.Prover     // what tokens are bound to; nil for nothing

	// RequestAlgorithms are those that request objects may be signed with, as far as the
	// provider says so.
	RequestAlgorithms []string

	// SecretIssuer, if it is not empty, has client_secret_post send a JWT of this
	// issuer, which Key signs, in the place of Secret.
	SecretIssuer string
}

// config is x/oauth2's configuration for one method, with the credentials of that
// method and of no other, and the parameters that go with it.
//
// The style is always said. Where it is not, x/oauth2 finds out by sending the
// code with the credentials in the header, and after an error once more with them
// in the form.
func (c Client) config(method Method) (*oauth2.Config, url.Values, error) {
	config, params := &oauth2.Config{ClientID: c.ID}, url.Values{}
	config.Endpoint.AuthStyle = oauth2.AuthStyleInParams
	switch method {
	case ClientSecretBasic: // form-encoded before they are joined: RFC 6749 2.3.1
		config.ClientSecret, config.Endpoint.AuthStyle = c.Secret.Reveal(), oauth2.AuthStyleInHeader
	case ClientSecretPost:
		config.ClientSecret = c.Secret.Reveal()
		if c.SecretIssuer != "" {
			signed, err := c.sign(c.SecretIssuer, secretLife)
			if err != nil {
				return nil, nil, err
			}
			config.ClientSecret = signed
		}
	case PrivateKeyJWT:
		assertion, err := c.sign(c.ID, assertionLife)
		if err != nil {
			return nil, nil, err
		}
		params.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
		params.Set("client_assertion", assertion)
	}
	return config, params, nil
}

// How long what a client signs for one request is good. Apple's servers have a clock
// of their own, and no leeway that they speak of.
const (
	assertionLife = time.Minute
	secretLife    = 5 * time.Minute
)

// sign is the JWT of RFC 7523 3 about this client, by issuer, for one request.
func (c Client) sign(issuer string, life time.Duration) (string, error) {
	now := c.Now()
	signed, err := c.Key.Sign("JWT", map[string]any{
		"iss": issuer, "sub": c.ID, "aud": c.Audience, "jti": rand.Text(),
		"iat": now.Unix(), "exp": now.Add(life).Unix(),
	}, false)
	if err != nil {
		return "", Misconfigured("the client's private key does not sign")
	}
	return signed, nil
}
