// Package fault is the closed set of what can go wrong on the way to a session:
// the causes that code tests for, the codes that stand for them on the wire and
// on pages, and the HTTP status that goes with each.
//
//	a cause (an error) --Of--> a Code and a status --Query--> ?error=... for pages made for Auth.js
//	                              |
//	                              +--> the words of a page, in package pages
//
// Nothing here is said to a person; package pages has a sentence for each code
// in each language, and a test holds the two together.
package fault

import (
	"errors"
	"net/http"
	"time"

	"github.com/sallyport/auth/session"
)

// The causes. The root package exports them, with what each means to a caller.
var (
	ErrDeclined            = errors.New("auth: the person declined at the identity provider")
	ErrInteractionRequired = errors.New("auth: the identity provider has to ask the person, and may not")
	ErrUnavailable         = errors.New("auth: identity provider unavailable")
	ErrMisconfigured       = errors.New("auth: provider misconfigured")
	ErrRedirectURI         = errors.New("auth: callback URL not registered at the identity provider")
	ErrClock               = errors.New("auth: clocks of this server and the identity provider disagree")
	ErrExpired             = errors.New("auth: sign-in attempt expired")
	ErrNoTransaction       = errors.New("auth: no sign-in attempt for this callback in this browser")
	ErrInvalidResponse     = errors.New("auth: invalid response from the identity provider")
	ErrNotAllowed          = errors.New("auth: this person may not sign in")
	ErrWrongCode           = errors.New("auth: wrong access code")
	ErrInvalidToken        = errors.New("auth: invalid access token")

	// ErrSignInAgain: a rule wants somebody who is signed in to sign in anew.
	ErrSignInAgain = errors.New("auth: this person has to sign in again")

	// ErrTooMany: too many sign-ins of this client came to nothing.
	ErrTooMany = errors.New("auth: too many failed sign-ins of this client")

	// ErrNoCookies: the browser brings back no cookie at all.
	ErrNoCookies = errors.New("auth: the browser keeps no cookies")
)

// Person is whom a cause is about, where somebody was identified before it: for the
// log, and for the page, which names the account.
type Person struct {
	Issuer, Subject, Email string
	Shown                  string // what the page calls the account
	Err                    error
}

func (p *Person) Error() string { return p.Err.Error() }

// Unwrap returns the cause.
func (p *Person) Unwrap() error { return p.Err }

// Limited says that a client has to wait before its next attempt counts. Err is
// the cause, whose text it has.
type Limited struct {
	Wait time.Duration
	Err  error
}

func (l *Limited) Error() string { return l.Err.Error() }

// Unwrap returns the cause.
func (l *Limited) Unwrap() error { return l.Err }

// Seconds is the wait as a Retry-After header has it: whole seconds, at least
// one, and never too early (RFC 9110 10.2.3).
func (l *Limited) Seconds() int { return max(1, int((l.Wait+time.Second-1)/time.Second)) }

// causes are asked in this order, and the first that an error wraps counts: an
// error often wraps two, and the one that tells a person more stands first.
var causes = []struct {
	err    error
	code   Code
	status int
}{
	{ErrNoCookies, CookiesBlocked, http.StatusBadRequest},
	{ErrTooMany, TooManyFailures, http.StatusTooManyRequests},
	{ErrDeclined, PersonDeclined, http.StatusForbidden},
	{session.ErrNotLinked, AccountNotLinked, http.StatusForbidden},
	{ErrNotAllowed, AccessDenied, http.StatusForbidden},
	{ErrInteractionRequired, NotSignedInThere, http.StatusForbidden},
	{ErrRedirectURI, UnknownRedirectURI, http.StatusBadRequest},
	{ErrClock, ClockWrong, http.StatusBadRequest},
	{ErrExpired, AttemptExpired, http.StatusBadRequest},
	{ErrNoTransaction, AttemptExpired, http.StatusBadRequest},
	{session.ErrLoggedOut, AttemptExpired, http.StatusBadRequest},
	{session.ErrTooLarge, SessionTooLarge, http.StatusBadRequest},
	{ErrInvalidResponse, ResponseInvalid, http.StatusBadRequest},
	{session.ErrStore, StoreUnavailable, http.StatusServiceUnavailable},
	{ErrMisconfigured, Configuration, http.StatusBadGateway},
	{ErrUnavailable, ProviderUnavailable, http.StatusServiceUnavailable},
}

// Of returns the code and the status of a sign-in that failed with err. An error
// of no known cause is the provider's: whatever a provider's own code returns
// must not let anybody in, and says nothing about the person.
func Of(err error) (Code, int) {
	for _, c := range causes {
		if errors.Is(err, c.err) {
			return c.code, c.status
		}
	}
	return ProviderUnavailable, http.StatusServiceUnavailable
}
