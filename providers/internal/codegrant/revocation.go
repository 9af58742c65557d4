package codegrant

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/sallyport/auth/internal/upstream"
)

// Revoke takes one token back: RFC 7009 2.1. kind is "refresh_token" or
// "access_token". It is sent once, and not sent again after an error, which shows
// nothing of it.
func (c Client) Revoke(ctx context.Context, client *upstream.Client, endpoint string, method Method, token, kind string) error {
	form := url.Values{"token": {token}, "token_type_hint": {kind}}
	req, err := http.NewRequestWithContext(ctx, "POST", endpoint, nil)
	if err != nil {
		return Misconfigured("the revocation endpoint has no address")
	}
	if err := c.Authenticate(method, form, req); err != nil {
		return err
	}
	body := form.Encode()
	req.Body, req.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body)) // which cannot be sent twice
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", upstream.UserAgent)
	answer, err := client.Do(req, MaxDocument)
	if err != nil {
		return err
	}
	if answer.Status != http.StatusOK {
		return BadStatus(answer.Status)
	}
	return nil
}
