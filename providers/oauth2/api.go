package oauth2

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"golang.org/x/oauth2"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/internal/strictjson"
	"github.com/sallyport/auth/internal/upstream"
	"github.com/sallyport/auth/providers/internal/codegrant"
)

// API calls a provider's API with the access token of one sign-in. A call takes 10
// seconds at most, its answer has at most 1 MiB, and no redirect is followed. It is
// safe for concurrent use.
type API struct {
	token  *oauth2.Token
	client *upstream.Client
}

// Token is the token of the sign-in, for an API that wants the access token somewhere
// else than in the header, and for what [Dialect].Extra has of the answer.
func (a *API) Token() *oauth2.Token { return a.token }

// GetJSON fetches address into v, which gets the JSON object or array. The
// answer's header is returned.
//
// The access token goes to address, in the Authorization header (RFC 6750 2.1): an
// address that the server itself brings, such as that of a next page, is the
// caller's to check. An answer with a member twice in one object is refused; that
// names match v's fields in any case is encoding/json's doing.
//
// A status other than 200 is an [*APIError]. Any other error wraps
// [auth.ErrUnavailable] or, for an answer that is not the JSON that v takes,
// [auth.ErrInvalidResponse].
func (a *API) GetJSON(ctx context.Context, address string, v any) (http.Header, error) {
	req, err := http.NewRequestWithContext(ctx, "GET", address, nil)
	if err != nil {
		return nil, codegrant.Misconfigured("the API's address is malformed")
	}
	req.Header = http.Header{"Authorization": {"Bearer " + a.token.AccessToken}, "Accept": {"application/json"}, "User-Agent": {upstream.UserAgent}}
	resp, err := a.client.Do(req, codegrant.MaxDocument)
	if err != nil {
		return nil, codegrant.Unavailable("%w", err)
	}
	if resp.Status != http.StatusOK {
		limited := resp.Header.Get("X-Ratelimit-Remaining") == "0" || resp.Header.Get("Retry-After") != ""
		return nil, &APIError{Path: req.URL.Path, Status: resp.Status, limited: limited}
	}
	if strictjson.Check(resp.Body) != nil || json.Unmarshal(resp.Body, v) != nil {
		return nil, codegrant.Invalid("%s answered something else than the JSON that was expected", req.URL.Path)
	}
	return resp.Header, nil
}

// APIError is an API's refusal. It wraps [auth.ErrUnavailable] when trying later may
// help: for status 429, for one of 500 and more, and for a 403 that is a rate limit.
// Otherwise it wraps [auth.ErrInvalidResponse].
type APIError struct {
	Path    string // of the address; without its query
	Status  int    // the HTTP status
	limited bool
}

// Error has the path and the status.
func (e *APIError) Error() string { return fmt.Sprintf("%s answered status %d", e.Path, e.Status) }

// Unwrap returns [auth.ErrUnavailable] or [auth.ErrInvalidResponse].
func (e *APIError) Unwrap() error {
	if e.Status >= 500 || e.Status == http.StatusTooManyRequests || e.Status == http.StatusForbidden && e.limited {
		return auth.ErrUnavailable
	}
	return auth.ErrInvalidResponse
}
