package auth

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/sallyport/auth/session"
)

// AccessCode is what [session.Session].Provider is for somebody who signed in
// with an access code. No provider can have that name.
const AccessCode = "access-code"

// maxCodeForm bounds the body of the form that an access code comes in.
const maxCodeForm = 4 << 10

// maxCodeHeader bounds an access code in a header.
const maxCodeHeader = 1 << 10

// A CodeVerifier lets in whoever knows a code; package accesscode has one. It is
// safe for concurrent use.
type CodeVerifier interface {
	// Verify checks a code that client sent. The error wraps [ErrWrongCode] or
	// [ErrStore], or is a [*LimitError].
	Verify(ctx context.Context, client netip.Addr, code string) (*Identity, error)

	// Valid reports whether subject, which Verify gave out here, on another
	// node or before a restart, still belongs to a code. It is called for each
	// request of such a session.
	Valid(subject string) bool
}

// LimitError says that a client sent too many wrong codes.
type LimitError struct {
	RetryAfter time.Duration // from now until the next attempt counts
}

func (e *LimitError) Error() string {
	return "auth: too many wrong access codes from this client; wait " + e.RetryAfter.Round(time.Second).String()
}

// seconds is for the Retry-After header: RFC 9110 10.2.3.
func (e *LimitError) seconds() int { return max(1, int((e.RetryAfter+time.Second-1)/time.Second)) }

// signInByCode is POST /signin/access-code.
func (a *Authenticator) signInByCode(w http.ResponseWriter, r *http.Request, v *visit) {
	if !a.genuine(r, v) {
		a.refuseForged(w, r, v)
		return
	}
	to := a.returnPath(v, r.FormValue("callbackUrl"))
	client := a.proxies.Client(r)
	id, err := a.code.Verify(r.Context(), client, r.PostForm.Get("code"))
	if err == nil {
		err = checkIdentity(id)
	}
	if err != nil {
		a.codeRefused(w, r, v, to, client, err)
		return
	}
	s := codeSession(id)
	if err := a.sessions.Start(w, r, s, v.secure()); err != nil {
		a.codeRefused(w, r, v, to, client, err)
		return
	}
	a.report(r, Event{Kind: EventSignedIn, Provider: AccessCode, Issuer: id.Issuer, Subject: id.Subject, Label: id.Name, Client: client})
	a.goTo(w, r, v.address(a.landing(r, s, v, to)))
}

func codeSession(id *Identity) *session.Session {
	return &session.Session{Subject: id.Subject, Issuer: id.Issuer, Provider: AccessCode, Name: id.Name, Groups: id.Groups}
}

// codeRefused shows the sign-in page again, or when to come back.
func (a *Authenticator) codeRefused(w http.ResponseWriter, r *http.Request, v *visit, to string, client netip.Addr, err error) {
	var limit *LimitError
	code, status := codeStoreUnavailable, http.StatusServiceUnavailable
	switch {
	case errors.As(err, &limit):
		code, status = codeRateLimited, http.StatusTooManyRequests
	case errors.Is(err, ErrWrongCode):
		code, status = codeWrongCode, http.StatusForbidden
	}
	id := randomText(9)
	a.report(r, Event{Kind: EventSignInFailed, Provider: AccessCode, Reason: code, RequestID: id, Client: client, Err: err})
	setRetryAfter(w, status, limit)
	if wantsAddress(r) || a.signInURL != "" {
		page := a.base + "/signin"
		if a.signInURL != "" {
			page = a.signInURL
		}
		q := authjsError(code)
		q.Set("callbackUrl", to)
		location := v.origin.String() + page + "?" + q.Encode()
		switch {
		case isV4(r) && code == codeWrongCode:
			a.tell(w, http.StatusUnauthorized, location) // its client goes by the status
		case isV4(r):
			a.tell(w, status, location)
		default:
			a.goTo(w, r, location)
		}
		return
	}
	if code == codeWrongCode {
		a.showSignIn(w, r, v, status, to, code)
		return
	}
	page := errorPage{BasePath: a.base, Code: code, RequestID: id, CallbackURL: to}
	if limit != nil {
		page.Wait = limit.RetryAfter
	}
	a.pages.error(w, r, status, page, nil)
}

func setRetryAfter(w http.ResponseWriter, status int, limit *LimitError) {
	switch {
	case limit != nil:
		w.Header().Set("Retry-After", strconv.Itoa(limit.seconds()))
	case status == http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", "5")
	}
}

// codeInHeader is the access code that an API client sent in one of the headers
// that are configured for it.
func (a *Authenticator) codeInHeader(r *http.Request) (code string, sent bool) {
	for _, name := range a.codeHeaders {
		values := r.Header.Values(name)
		if len(values) == 0 {
			continue
		}
		code := values[0]
		if name == "Authorization" {
			scheme, rest, _ := strings.Cut(code, " ")
			if !strings.EqualFold(scheme, "Bearer") {
				continue
			}
			code = strings.TrimLeft(rest, " ")
		}
		if len(values) > 1 || len(code) > maxCodeHeader {
			code = "" // a wrong one, whatever it is
		}
		return code, true
	}
	return "", false
}

// lookAtCode makes a session, which lasts for one request, of the code that an
// API client sent.
func (a *Authenticator) lookAtCode(r *http.Request, v *visit) {
	code, sent := a.codeInHeader(r)
	if !sent {
		return
	}
	client := a.proxies.Client(r)
	id, err := a.code.Verify(r.Context(), client, code)
	if err == nil {
		err = checkIdentity(id)
	}
	if err != nil {
		v.err = err
		var limit *LimitError
		switch {
		case errors.As(err, &limit):
			a.report(r, Event{Kind: EventSignInFailed, Provider: AccessCode, Reason: codeRateLimited, Client: client, Err: err})
		case errors.Is(err, ErrWrongCode):
			a.report(r, Event{Kind: EventSignInFailed, Provider: AccessCode, Reason: codeWrongCode, Client: client, Err: err})
		}
		return
	}
	v.session = codeSession(id)
	v.session.IssuedAt = a.now()
	v.session.ExpiresAt = a.now()
	v.foreign = true
}

// refuseAPICode answers an API client whose code did not count: RFC 6750 3.
func (a *Authenticator) refuseAPICode(w http.ResponseWriter, v *visit) (done bool) {
	var limit *LimitError
	switch {
	case errors.As(v.err, &limit):
		setRetryAfter(w, 0, limit)
		a.writeJSON(w, http.StatusTooManyRequests, problem{"rate_limited", "Too many wrong access codes. Try again later."})
	case errors.Is(v.err, ErrWrongCode):
		w.Header().Set("WWW-Authenticate", `Bearer realm="`+v.origin.Host+`", error="invalid_token"`)
		a.writeJSON(w, http.StatusUnauthorized, problem{"unauthorized", "The access code is wrong."})
	default:
		return false
	}
	return true
}
