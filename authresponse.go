package auth

import (
	"crypto/subtle"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// ProviderError is an error code that an identity provider answered with. It
// wraps one of this package's errors.
type ProviderError struct {
	Provider    string
	Code        string // RFC 6749 4.1.2.1, 5.2; cut and made printable
	Description string // the provider's words, cut and made printable
	reason      error
}

func (e *ProviderError) Error() string {
	text := fmt.Sprintf("the provider answered %s", e.Code)
	if e.Description != "" {
		text += " (" + e.Description + ")"
	}
	return text + ": " + e.reason.Error()
}

// Unwrap returns this package's error for the code.
func (e *ProviderError) Unwrap() error { return e.reason }

var codeReasons = map[string]error{
	"access_denied":                ErrDeclined,
	"consent_required":             ErrDeclined,
	"user_cancelled_login":         ErrDeclined,
	"redirect_uri_mismatch":        ErrRedirectURI,
	"invalid_redirect_uri":         ErrRedirectURI,
	"temporarily_unavailable":      ErrUnavailable,
	"server_error":                 ErrUnavailable,
	"slow_down":                    ErrUnavailable,
	"unauthorized_client":          ErrMisconfigured,
	"invalid_client":               ErrMisconfigured,
	"incorrect_client_credentials": ErrMisconfigured,
	"unsupported_response_type":    ErrMisconfigured,
	"unsupported_grant_type":       ErrMisconfigured,
	"invalid_scope":                ErrMisconfigured,
	"invalid_grant":                ErrExpired,
	"bad_verification_code":        ErrExpired,
}

func providerError(provider, code, description string) error {
	reason := codeReasons[code]
	switch {
	case reason == nil:
		reason = ErrInvalidResponse
	case strings.Contains(description, "AADSTS50011"):
		reason = ErrRedirectURI
	}
	return &ProviderError{provider, printable(code, 64), printable(description, 200), reason}
}

// printable makes a stranger's text safe to print: quoted where it is odd.
func printable(s string, most int) string {
	if len(s) > most {
		s = s[:most]
	}
	q := strconv.QuoteToASCII(s)
	return q[1 : len(q)-1]
}

// maxCode is longer than any code seen in the wild.
const maxCode = 4 << 10

// expectIssuer is what "iss" in the callback is compared with: RFC 9207 2.4.
type expectIssuer struct {
	issuer   string
	template string // if set, the ID token decides
	required bool
}

func (e expectIssuer) check(got string, there bool) error {
	switch {
	case !there && e.required:
		return fmt.Errorf("%w: the callback lacks iss, which the issuer says it sends", ErrInvalidResponse)
	case !there:
		return nil
	case e.template != "":
		before, after, _ := strings.Cut(e.template, tenantMark)
		if !strings.HasPrefix(got, before) || !strings.HasSuffix(got, after) {
			return fmt.Errorf("%w: iss of the callback is another issuer's", ErrInvalidResponse)
		}
	case subtle.ConstantTimeCompare([]byte(got), []byte(e.issuer)) != 1:
		return fmt.Errorf("%w: iss of the callback is %q, want %q", ErrInvalidResponse, printable(got, 200), e.issuer)
	}
	return nil
}

// readResponse checks the answer at the callback and returns the code. The issuer
// is checked before an error is believed: nothing in the answer of another one is
// about us.
func readResponse(provider string, response url.Values, iss expectIssuer) (code string, err error) {
	for _, name := range []string{"state", "code", "iss", "error", "error_description"} {
		if len(response[name]) > 1 {
			return "", fmt.Errorf("%w: the callback has %s more than once", ErrInvalidResponse, name)
		}
	}
	if err := iss.check(response.Get("iss"), response.Has("iss")); err != nil {
		return "", err
	}
	code = response.Get("code")
	switch {
	case response.Has("error") && response.Has("code"):
		return "", fmt.Errorf("%w: the callback has both a code and an error", ErrInvalidResponse)
	case response.Has("error"):
		return "", providerError(provider, response.Get("error"), response.Get("error_description"))
	case response.Has("access_token") || response.Has("id_token"):
		return "", fmt.Errorf("%w: the callback brings tokens, want a code", ErrInvalidResponse)
	case code == "" || len(code) > maxCode || strings.ContainsFunc(code, func(r rune) bool { return r < ' ' || r > '~' }):
		return "", fmt.Errorf("%w: the callback has no code of 1 to %d printable characters", ErrInvalidResponse, maxCode)
	}
	return code, nil
}
