package codegrant

import (
	"crypto/rand"
	"encoding/json"
	"net/url"
	"strconv"
	"time"

	"github.com/sallyport/auth"
)

// requestLife is how long a signed request is good: the browser, or this server, brings it
// at once, and clocks differ.
const requestLife = 5 * time.Minute

// SignedURL is where the browser goes for tx, with the request as a JWT that c signs: RFC
// 9101. What OAuth 2.0 and OpenID Connect want to see beside it (Core 6.1) stands there
// too, and counts for nothing. The dialect's own names are not for it.
func (r AuthRequest) SignedURL(tx auth.Transaction, c Client) (string, error) {
	endpoint, request, err := r.query(tx)
	if err != nil {
		return "", err
	}
	signed, err := c.signRequest(request)
	if err != nil {
		return "", err
	}
	query := endpoint.Query()
	for _, name := range []string{"client_id", "response_type", "scope"} {
		query.Set(name, request.Get(name))
	}
	query.Set("request", signed)
	endpoint.RawQuery = query.Encode()
	return endpoint.String(), nil
}

// signRequest is the request object of RFC 9101 4.
func (c Client) signRequest(request url.Values) (string, error) {
	now := c.Now()
	claims := map[string]any{
		"iss": c.ID, "aud": c.Audience, "jti": rand.Text(),
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(requestLife).Unix(),
	}
	for name := range request {
		claims[name] = asJSON(name, request.Get(name))
	}
	key := c.Key
	key.Algorithms = c.RequestAlgorithms
	signed, err := key.Sign("oauth-authz-req+jwt", claims, false)
	if err != nil {
		return "", Misconfigured("the client's private key does not sign")
	}
	return signed, nil
}

// asJSON is a parameter as a claim: a number and an object where Core 3.1.2.1 and 5.5 have
// them so, and otherwise text.
func asJSON(name, value string) any {
	switch name {
	case "max_age":
		if n, err := strconv.ParseInt(value, 10, 64); err == nil {
			return n
		}
	case "claims":
		if json.Valid([]byte(value)) {
			return json.RawMessage(value)
		}
	}
	return value
}
