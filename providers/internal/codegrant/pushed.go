package codegrant

import (
	"context"
	"net/http"
	"net/url"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/internal/strictjson"
	"github.com/sallyport/auth/internal/upstream"
)

// maxRequestURI bounds the name of a pushed request, which stands in an address.
const maxRequestURI = 512

// Push sends the request for tx to the provider's server (RFC 9126 2), and returns where
// the browser goes with the name that it was given there: what is asked for, the browser
// and whoever reads its addresses do not see, and cannot change. provider is for errors.
func (r AuthRequest) Push(ctx context.Context, tx auth.Transaction, provider string, c Client, client *upstream.Client, endpoint string, method Method) (string, error) {
	authorization, request, err := r.query(tx)
	if err != nil {
		return "", err
	}
	if r.Signed { // RFC 9126 3
		object, err := c.signRequest(request)
		if err != nil {
			return "", err
		}
		request = url.Values{"request": {object}}
	}
	answer, err := c.post(ctx, client, endpoint, method, request)
	if err != nil {
		return "", err
	}
	name, err := pushed(provider, answer)
	if err != nil {
		return "", err
	}
	query := authorization.Query()
	query.Set("client_id", r.ClientID)
	query.Set("request_uri", name)
	authorization.RawQuery = query.Encode()
	return authorization.String(), nil
}

// pushed is the name that a provider has given a request: RFC 9126 2.2 and 2.3.
func pushed(provider string, r *upstream.Response) (string, error) {
	o, err := strictjson.Parse(r.Body)
	if code, ok := o.String("error"); err == nil && ok && code != "" && r.Status < 500 {
		description, _ := o.String("error_description")
		return "", ProviderError(provider, code, description)
	}
	if r.Status != http.StatusCreated && r.Status != http.StatusOK {
		return "", BadStatus(r.Status)
	}
	name, _ := o.String("request_uri")
	if err != nil || name == "" || len(name) > maxRequestURI {
		return "", Invalid("the answer to the pushed request has no request_uri of 1 to %d bytes", maxRequestURI)
	}
	return name, nil
}
