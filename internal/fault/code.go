package fault

import "net/url"

// Code is what a fault is called in the query of the sign-in and error pages, in
// events and on pages. Codes that Auth.js has keep its names.
type Code string

// The codes, a closed set.
const (
	Configuration       Code = "Configuration"
	AccessDenied        Code = "AccessDenied"
	PersonDeclined      Code = "Declined"
	NotSignedInThere    Code = "NotSignedInThere"
	ProviderUnavailable Code = "Unavailable"
	UnknownRedirectURI  Code = "RedirectURI"
	ClockWrong          Code = "Clock"
	CookiesBlocked      Code = "CookiesBlocked"
	AttemptExpired      Code = "Expired"
	ResponseInvalid     Code = "InvalidResponse"
	AccountNotLinked    Code = "OAuthAccountNotLinked"
	SessionTooLarge     Code = "SessionTooLarge"
	StoreUnavailable    Code = "StoreUnavailable"
	MissingCSRF         Code = "MissingCSRF"
	OAuthCallback       Code = "OAuthCallbackError"
	SessionRequired     Code = "SessionRequired"
	FormNotSent         Code = "FormNotSent"
	InsideAFrame        Code = "InsideAFrame"
	AnotherSite         Code = "AnotherSite"
	SignedOut           Code = "SignedOut"
	CodeWrong           Code = "CredentialsSignin"
	RateLimited         Code = "RateLimited"
	TooManyFailures     Code = "TooManyFailures"
	AnotherWay          Code = "AnotherWay"
	NotFound            Code = "NotFound"
	MethodNotAllowed    Code = "MethodNotAllowed"
	BadRequest          Code = "BadRequest"
	Default             Code = "Default"
)

// Codes are all of them.
var Codes = []Code{
	Configuration, AccessDenied, PersonDeclined, NotSignedInThere, ProviderUnavailable, UnknownRedirectURI, ClockWrong, CookiesBlocked,
	AttemptExpired, ResponseInvalid, AccountNotLinked, SessionTooLarge, StoreUnavailable, MissingCSRF, OAuthCallback, SessionRequired,
	FormNotSent, InsideAFrame, AnotherSite, SignedOut, CodeWrong, RateLimited, TooManyFailures, AnotherWay, NotFound, MethodNotAllowed, BadRequest, Default,
}

// Query says c as pages made for Auth.js know it, in "error", and as it is, in
// "detail", where Auth.js has no such code. SignedOut is none of Auth.js's and
// stands alone, for it is no failure.
func (c Code) Query() url.Values {
	q := url.Values{"error": {string(Configuration)}}
	switch c {
	case Configuration, AccessDenied, AccountNotLinked, MissingCSRF, OAuthCallback, SessionRequired, Default, SignedOut:
		return url.Values{"error": {string(c)}}
	case CodeWrong:
		return url.Values{"error": {string(c)}, "code": {"credentials"}}
	case RateLimited:
		q.Set("error", string(CodeWrong))
		q.Set("code", "rate_limited")
	case FormNotSent, InsideAFrame:
		q.Set("error", string(SessionRequired))
	case AnotherSite:
		q.Set("error", string(AccessDenied))
	case PersonDeclined, NotSignedInThere, AttemptExpired, ResponseInvalid, TooManyFailures:
		q.Set("error", string(OAuthCallback))
	}
	q.Set("detail", string(c))
	return q
}

// OfSignIn reports whether c belongs on a sign-in page, where the person can begin
// again, as Auth.js has it, and not on an error page.
func (c Code) OfSignIn() bool {
	switch Code(c.Query().Get("error")) {
	case OAuthCallback, AccountNotLinked, MissingCSRF, CodeWrong, SessionRequired, SignedOut:
		return true
	}
	return false
}
