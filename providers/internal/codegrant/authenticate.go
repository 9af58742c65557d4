package codegrant

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/sallyport/auth/internal/upstream"
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

// post sends form to an endpoint as the client, once.
func (c Client) post(ctx context.Context, client *upstream.Client, endpoint string, method Method, form url.Values) (*upstream.Response, error) {
	req, err := http.NewRequestWithContext(ctx, "POST", endpoint, nil)
	if err != nil {
		return nil, Misconfigured("the endpoint has no address")
	}
	if err := c.Authenticate(method, form, req); err != nil {
		return nil, err
	}
	body := form.Encode()
	req.Body, req.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body)) // which cannot be sent twice
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", upstream.UserAgent)
	return client.Do(req, MaxDocument)
}
