package codegrant

import (
	"crypto/subtle"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/sallyport/auth"
)

var codeReasons = map[string]error{
	"access_denied":                auth.ErrDeclined,
	"consent_required":             auth.ErrDeclined,
	"user_cancelled_login":         auth.ErrDeclined,
	"redirect_uri_mismatch":        auth.ErrRedirectURI,
	"invalid_redirect_uri":         auth.ErrRedirectURI,
	"temporarily_unavailable":      auth.ErrUnavailable,
	"server_error":                 auth.ErrUnavailable,
	"slow_down":                    auth.ErrUnavailable,
	"unauthorized_client":          auth.ErrMisconfigured,
	"invalid_client":               auth.ErrMisconfigured,
	"incorrect_client_credentials": auth.ErrMisconfigured,
	"unsupported_response_type":    auth.ErrMisconfigured,
	"unsupported_grant_type":       auth.ErrMisconfigured,
	"invalid_scope":                auth.ErrMisconfigured,
	"invalid_grant":                auth.ErrExpired,
	"bad_verification_code":        auth.ErrExpired,
}

// ProviderError is the error code that a provider answered with.
func ProviderError(provider, code, description string) error {
	reason := codeReasons[code]
	switch {
	case reason == nil:
		reason = auth.ErrInvalidResponse
	case strings.Contains(description, "AADSTS50011"):
		reason = auth.ErrRedirectURI
	}
	return &auth.ProviderError{Provider: provider, Code: Printable(code, 64), Description: Printable(description, 200), Err: reason}
}

// Printable makes a stranger's text safe to print: quoted where it is odd.
func Printable(s string, most int) string {
	if len(s) > most {
		s = s[:most]
	}
	q := strconv.QuoteToASCII(s)
	return q[1 : len(q)-1]
}

// TenantMark is where the tenant stands in the issuer of many.
const TenantMark = "{tenantid}"

// maxCode is longer than any code seen in the wild.
const maxCode = 4 << 10

// Issuer is what "iss" in the callback is compared with: RFC 9207 2.4.
type Issuer struct {
	URL      string
	Template string // if set, the ID token decides
	Required bool
}

func (e Issuer) check(got string, there bool) error {
	switch {
	case !there && e.Required:
		return fmt.Errorf("%w: the callback lacks iss, which the issuer says it sends", auth.ErrInvalidResponse)
	case !there:
		return nil
	case e.Template != "":
		before, after, _ := strings.Cut(e.Template, TenantMark)
		if !strings.HasPrefix(got, before) || !strings.HasSuffix(got, after) {
			return fmt.Errorf("%w: iss of the callback is another issuer's", auth.ErrInvalidResponse)
		}
	case subtle.ConstantTimeCompare([]byte(got), []byte(e.URL)) != 1:
		return fmt.Errorf("%w: iss of the callback is %q, want %q", auth.ErrInvalidResponse, Printable(got, 200), e.URL)
	}
	return nil
}

// ReadResponse checks the answer at the callback and returns the code. The issuer
// is checked before an error is believed: nothing in the answer of another one is
// about us.
func ReadResponse(provider string, response url.Values, iss Issuer) (code string, err error) {
	for _, name := range []string{"state", "code", "iss", "error", "error_description"} {
		if len(response[name]) > 1 {
			return "", fmt.Errorf("%w: the callback has %s more than once", auth.ErrInvalidResponse, name)
		}
	}
	if err := iss.check(response.Get("iss"), response.Has("iss")); err != nil {
		return "", err
	}
	code = response.Get("code")
	switch {
	case response.Has("error") && response.Has("code"):
		return "", fmt.Errorf("%w: the callback has both a code and an error", auth.ErrInvalidResponse)
	case response.Has("error"):
		return "", ProviderError(provider, response.Get("error"), response.Get("error_description"))
	case response.Has("access_token") || response.Has("id_token"):
		return "", fmt.Errorf("%w: the callback brings tokens, want a code", auth.ErrInvalidResponse)
	case code == "" || len(code) > maxCode || strings.ContainsFunc(code, func(r rune) bool { return r < ' ' || r > '~' }):
		return "", fmt.Errorf("%w: the callback has no code of 1 to %d printable characters", auth.ErrInvalidResponse, maxCode)
	}
	return code, nil
}
