package codegrant

import (
	"context"
	"net/http"
	"net/url"

	"github.com/sallyport/auth/internal/upstream"
)

// Revoke takes one token back: RFC 7009 2.1. kind is "refresh_token" or
// "access_token". It is sent once, and not sent again after an error, which shows
// nothing of it.
func (c Client) Revoke(ctx context.Context, client *upstream.Client, endpoint string, method Method, token, kind string) error {
	answer, err := c.post(ctx, client, endpoint, method, url.Values{"token": {token}, "token_type_hint": {kind}})
	if err != nil {
		return err
	}
	if answer.Status != http.StatusOK {
		return BadStatus(answer.Status)
	}
	return nil
}
