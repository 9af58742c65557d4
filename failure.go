package auth

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
)

// The codes of the error page, a closed set. Those that Auth.js has keep its
// names.
const (
	codeConfiguration    = "Configuration"
	codeAccessDenied     = "AccessDenied"
	codeDeclined         = "Declined"
	codeUnavailable      = "Unavailable"
	codeRedirectURI      = "RedirectURI"
	codeClock            = "Clock"
	codeCookiesBlocked   = "CookiesBlocked"
	codeExpired          = "Expired"
	codeInvalidResponse  = "InvalidResponse"
	codeSessionTooLarge  = "SessionTooLarge"
	codeStoreUnavailable = "StoreUnavailable"
	codeMissingCSRF      = "MissingCSRF"
	codeOAuthCallback    = "OAuthCallbackError"
	codeSessionRequired  = "SessionRequired"
	codeSignedOut        = "SignedOut"
	codeWrongCode        = "CredentialsSignin"
	codeRateLimited      = "RateLimited"
	codeAnotherWay       = "AnotherWay"
	codeNotFound         = "NotFound"
	codeMethodNotAllowed = "MethodNotAllowed"
	codeBadRequest       = "BadRequest"
	codeDefault          = "Default"
)

var errorCodes = []string{
	codeConfiguration, codeAccessDenied, codeDeclined, codeUnavailable, codeRedirectURI, codeClock, codeCookiesBlocked,
	codeExpired, codeInvalidResponse, codeSessionTooLarge, codeStoreUnavailable, codeMissingCSRF, codeOAuthCallback,
	codeSessionRequired, codeSignedOut, codeWrongCode, codeRateLimited, codeAnotherWay, codeNotFound, codeMethodNotAllowed, codeBadRequest, codeDefault,
}

// errCookies: the browser brings back no cookie at all.
var errCookies = errors.New("auth: the browser keeps no cookies")

// failures says what each cause is called and answered with. The first that
// fits counts.
var failures = []struct {
	cause  error
	code   string
	status int
}{
	{errCookies, codeCookiesBlocked, http.StatusBadRequest},
	{ErrDeclined, codeDeclined, http.StatusForbidden},
	{ErrNotAllowed, codeAccessDenied, http.StatusForbidden},
	{ErrRedirectURI, codeRedirectURI, http.StatusBadRequest},
	{ErrClock, codeClock, http.StatusBadRequest},
	{ErrExpired, codeExpired, http.StatusBadRequest},
	{ErrNoTransaction, codeExpired, http.StatusBadRequest},
	{ErrSessionTooLarge, codeSessionTooLarge, http.StatusBadRequest},
	{ErrInvalidResponse, codeInvalidResponse, http.StatusBadRequest},
	{ErrStore, codeStoreUnavailable, http.StatusServiceUnavailable},
	{ErrMisconfigured, codeConfiguration, http.StatusBadGateway},
	{ErrUnavailable, codeUnavailable, http.StatusServiceUnavailable},
}

// authjsError says code as pages made for Auth.js know it, in "error", and as it
// is, in "detail".
func authjsError(code string) url.Values {
	q := url.Values{"error": {codeConfiguration}}
	switch code {
	case codeConfiguration, codeAccessDenied, codeMissingCSRF, codeOAuthCallback, codeSessionRequired, codeDefault:
		return url.Values{"error": {code}}
	case codeSignedOut:
		return url.Values{"error": {code}} // none of Auth.js's: no failure either
	case codeWrongCode:
		return url.Values{"error": {code}, "code": {"credentials"}}
	case codeRateLimited:
		q.Set("error", codeWrongCode)
		q.Set("code", "rate_limited")
	case codeDeclined, codeExpired, codeInvalidResponse:
		q.Set("error", codeOAuthCallback)
	}
	q.Set("detail", code)
	return q
}

// failed answers an attempt that came to nothing, and logs why.
func (a *Authenticator) failed(w http.ResponseWriter, r *http.Request, v *visit, p Provider, tx Transaction, err error) {
	code, status := codeUnavailable, http.StatusServiceUnavailable
	for _, f := range failures {
		if errors.Is(err, f.cause) {
			code, status = f.code, f.status
			break
		}
	}
	id := a.logFailure(r, p.Name(), code, err)
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "5")
	}
	if a.errorURL != "" || wantsAddress(r) {
		page := cmp.Or(a.errorURL, a.base+"/error")
		q := authjsError(code)
		q.Set("request_id", id)
		a.goTo(w, r, v.origin.String()+page+"?"+q.Encode())
		return
	}
	page := errorPage{
		BasePath: a.base, Code: code, RequestID: id, Provider: label(p), CallbackURL: tx.ReturnTo,
		RetryProvider: p.Name(), CSRFToken: a.csrf.token(w, r, v.secure()),
	}
	if page.CallbackURL == "" {
		page.CallbackURL = "/"
	}
	if code == codeRedirectURI {
		page.RedirectURI = a.callbackURL(v, p)
	}
	a.pages.error(w, r, status, page, formOrigins(v))
}

// logFailure reports a refusal and returns the id that ties the log to the page
// that the person sees.
func (a *Authenticator) logFailure(r *http.Request, provider, code string, err error) string {
	id := randomText(9)
	a.report(r, Event{Kind: EventSignInFailed, Provider: provider, Reason: code, RequestID: id, Err: err})
	return id
}
