package codegrant

import (
	"net/http"
	"net/url"
)

// Authenticate adds to req, which will have form as its body, what shows who the client
// is: by method and no other (RFC 6749 2.3, RFC 7523 2.2). It is for the endpoints beside
// the token endpoint.
func (c Client) Authenticate(method Method, form url.Values, req *http.Request) error {
	if method == ClientSecretBasic { // form-encoded before they are joined: RFC 6749 2.3.1
		req.SetBasicAuth(url.QueryEscape(c.ID), url.QueryEscape(c.Secret.Reveal()))
		return nil
	}
	form.Set("client_id", c.ID)
	switch {
	case method == PrivateKeyJWT:
		assertion, err := c.sign(c.ID, assertionLife)
		if err != nil {
			return err
		}
		form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
		form.Set("client_assertion", assertion)
	case method == ClientSecretPost && c.SecretIssuer != "":
		signed, err := c.sign(c.SecretIssuer, secretLife)
		if err != nil {
			return err
		}
		form.Set("client_secret", signed)
	case method == ClientSecretPost:
		form.Set("client_secret", c.Secret.Reveal())
	}
	return nil
}
