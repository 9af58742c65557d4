package codegrant

import (
	"crypto/subtle"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/sallyport/auth"
)

// codeReasons says what a code is to the person who signs in and to the operator:
// those of RFC 6749 4.1.2.1 and 5.2, and what providers have in their place. GitHub
// calls a code that is used up bad_verification_code. What is not here is an
// answer that nothing is known of.
var codeReasons = map[string]error{
	"access_denied":                auth.ErrDeclined,
	"unauthorized":                 auth.ErrNotAllowed,          // Auth0's, of somebody who is blocked
	"login_required":               auth.ErrInteractionRequired, // Core 3.1.2.6, as those that follow
	"interaction_required":         auth.ErrInteractionRequired,
	"account_selection_required":   auth.ErrInteractionRequired,
	"consent_required":             auth.ErrInteractionRequired,
	"user_cancelled_login":         auth.ErrDeclined,
	"user_cancelled_authorize":     auth.ErrDeclined,
	"redirect_uri_mismatch":        auth.ErrRedirectURI,
	"invalid_redirect_uri":         auth.ErrRedirectURI,
	"temporarily_unavailable":      auth.ErrUnavailable,
	"server_error":                 auth.ErrUnavailable,
	"slow_down":                    auth.ErrUnavailable,
	"unauthorized_client":          auth.ErrMisconfigured,
	"invalid_client":               auth.ErrMisconfigured,
	"incorrect_client_credentials": auth.ErrMisconfigured,
	"invalid_request":              auth.ErrMisconfigured,
	"unsupported_response_type":    auth.ErrMisconfigured,
	"unsupported_grant_type":       auth.ErrMisconfigured,
	"invalid_request_object":       auth.ErrMisconfigured, // Core 3.1.2.6: it wants the request signed
	"invalid_dpop_proof":           auth.ErrMisconfigured, // RFC 9449 5 and 8: it wants tokens bound to a key
	"use_dpop_nonce":               auth.ErrMisconfigured,
	"invalid_scope":                auth.ErrMisconfigured,
	"invalid_grant":                auth.ErrExpired,
	"authorization_pending":        auth.ErrUnavailable, // RFC 8628 3.5, as slow_down: nothing is known yet
	"expired_token":                auth.ErrExpired,
	"authorization_declined":       auth.ErrDeclined,      // Microsoft's, in the device flow
	"incorrect_device_code":        auth.ErrExpired,       // GitHub's
	"device_flow_disabled":         auth.ErrMisconfigured, // likewise
	"bad_verification_code":        auth.ErrExpired,
	"invalid_code":                 auth.ErrExpired, // Slack's, as those that follow
	"code_already_used":            auth.ErrExpired,
	"invalid_refresh_token":        auth.ErrExpired,
	"bad_refresh_token":            auth.ErrExpired, // GitHub's
	"bad_client_secret":            auth.ErrMisconfigured,
	"invalid_client_id":            auth.ErrMisconfigured,
	"bad_redirect_uri":             auth.ErrRedirectURI,
}

// textReason is a description that says more than its code: a code of codeReasons, or
// any of them where it is empty.
type textReason struct {
	code, text string
	reason     error
}

var textReasons = []textReason{
	{"", "AADSTS50011", auth.ErrRedirectURI},
	{"", "AADSTS50105", auth.ErrNotAllowed},                                                 // Microsoft's, of somebody who is not assigned to the application
	{"", "AADSTS65004", auth.ErrDeclined},                                                   // Microsoft's, of somebody who declined to consent
	{"access_denied", "User is not assigned to the client application", auth.ErrNotAllowed}, // Okta's
	{"access_denied", "Policy evaluation failed", auth.ErrNotAllowed},                       // Okta's, of an access policy
	{expiredCode, expiredText, auth.ErrExpired},
}

// What Keycloak answers where its page was open for too long, or was finished in
// another tab.
const expiredCode, expiredText = "temporarily_unavailable", "authentication_expired"

// Expired is [auth.Expirer]'s.
func Expired(response url.Values) bool {
	return !response.Has("code") && response.Get("error") == expiredCode && response.Get("error_description") == expiredText
}

// ProviderError is the error code that a provider answered with, with the class that
// it means: an [*auth.ProviderError]. Code and description are cut to 64 and 200
// bytes, and printable.
func ProviderError(provider, code, description string) *auth.ProviderError {
	reason := codeReasons[code]
	if reason == nil {
		reason = auth.ErrInvalidResponse
	} else if i := slices.IndexFunc(textReasons, func(t textReason) bool {
		return (t.code == "" || t.code == code) && strings.Contains(description, t.text)
	}); i >= 0 {
		reason = textReasons[i].reason
	}
	return &auth.ProviderError{Provider: provider, Code: Printable(code, 64), Description: Printable(description, 200), Err: reason}
}

// Printable makes a stranger's text safe for a log and a terminal: at most so many
// bytes of it, and control characters, direction marks and all that is not ASCII as
// escapes.
func Printable(s string, most int) string {
	if len(s) > most {
		s = s[:most]
	}
	q := strconv.QuoteToASCII(s)
	return q[1 : len(q)-1]
}

// FormAnswer is what of a form that a provider's page posted is an answer: RFC 6749
// 4.1.2 and RFC 9207. The rest is dropped, tokens too, for it goes on in a URL.
func FormAnswer(form url.Values) url.Values {
	answer := url.Values{}
	for _, name := range []string{"state", "code", "iss", "error", "error_description"} {
		if form.Has(name) {
			answer[name] = form[name]
		}
	}
	return answer
}

// TenantMark is where the tenant's GUID stands in the name of an issuer that is one
// for many tenants.
const TenantMark = "{tenantid}"

// maxCode is longer than any code seen in the wild.
const maxCode = 4 << 10

// Issuer is what "iss" in the callback is compared with: RFC 9207 2.4. It keeps an
// honest provider's code from being redeemed at another one (the mix-up attack of
// RFC 9700 4.4).
type Issuer struct {
	URL      string // to the letter, unless Template is set
	Template string // with a [TenantMark]; the ID token says which tenant it was
	Required bool   // whether the metadata promises iss; it is checked where it is, in any case
}

func (e Issuer) check(got string, there bool) error {
	switch {
	case !there && e.Required:
		return Invalid("the callback lacks iss, which has to be there")
	case !there:
		return nil
	case e.Template != "":
		before, after, _ := strings.Cut(e.Template, TenantMark)
		if !strings.HasPrefix(got, before) || !strings.HasSuffix(got, after) {
			return Invalid("iss of the callback is another issuer's")
		}
	case subtle.ConstantTimeCompare([]byte(got), []byte(e.URL)) != 1:
		return Invalid("iss of the callback is %q, want %q", Printable(got, 200), e.URL)
	}
	return nil
}

// ReadResponse checks the answer at the callback (RFC 6749 4.1.2) and returns the
// code. The issuer is checked before an error is believed: nothing in the answer of
// another one is about us. The caller has matched the state.
//
// asked is the prompt of the attempt. Without "none", a provider that answers
// consent_required has asked, as LemonLDAP::NG does, and the person declined.
//
// A parameter that stands twice is refused (RFC 6749 3.1), and so are a code beside
// an error, tokens, which only a flow that was not begun brings, and a code that is
// empty, longer than 4 KiB or not printable ASCII (RFC 6749 A.11).
func ReadResponse(provider, asked string, response url.Values, iss Issuer) (code string, err error) {
	for _, name := range []string{"state", "code", "iss", "error", "error_description"} {
		if len(response[name]) > 1 {
			return "", Invalid("the callback has %s more than once", name)
		}
	}
	if err := iss.check(response.Get("iss"), response.Has("iss")); err != nil {
		return "", err
	}
	code = response.Get("code")
	switch {
	case response.Has("error") && response.Has("code"):
		return "", Invalid("the callback has both a code and an error")
	case response.Has("error"):
		refused := ProviderError(provider, response.Get("error"), response.Get("error_description"))
		if refused.Code == "consent_required" && asked != "none" {
			refused.Err = auth.ErrDeclined
		}
		return "", refused
	case response.Has("response"):
		return "", Invalid("the callback brings its answer as a JWT (JARM), which was not asked for")
	case response.Has("access_token") || response.Has("id_token"):
		return "", Invalid("the callback brings tokens, want a code")
	case !isPrintable(code, maxCode):
		return "", Invalid("the callback has no code of 1 to %d printable characters", maxCode)
	}
	return code, nil
}
