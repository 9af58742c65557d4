package web

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/sallyport/auth/internal/fault"
	"github.com/sallyport/auth/internal/hostcookie"
	"github.com/sallyport/auth/session"
)

// deviceMaxAge is how many seconds a browser keeps the cookie that says that somebody
// signed in there by code. It signs nobody in.
const deviceMaxAge = 90 * 24 * 3600

// maxCodeHeader bounds an access code in a header, in bytes.
const maxCodeHeader = 1 << 10

// ownForm is the field by which our form for an access code is known, so that what goes
// wrong is shown there, and not on an application's page that has no such form.
const ownForm = "form"

// codeAlone is its value where there is nothing else on the page.
const codeAlone = "code"

func isOwnForm(r *http.Request) bool { return r.PostForm.Get(ownForm) != "" }

// askForCode is GET /signin/access-code: our form, whatever page the application has
// for the other ways in.
func (s *Server) askForCode(w http.ResponseWriter, r *http.Request, v *visit) {
	s.clearBroken(w, r, v)
	to, code := s.returnPath(r, v, r.URL.Query().Get("callbackUrl")), knownError(r)
	page := signInPage{
		Visit: v, CSRFToken: s.csrf.token(w, r, v.secure()), CallbackURL: to, Name: v.whoIsIn(), AccessCode: true, Code: code,
	}
	if len(s.order) > 0 {
		page.SignInURL = s.signInAddress(v, to)
	}
	s.pages.signIn(w, r, page, formOrigins(v))
}

// signInByCode is POST /signin/access-code.
func (s *Server) signInByCode(w http.ResponseWriter, r *http.Request, v *visit) {
	if !s.genuine(r, v) {
		s.refuseForged(w, r, v, true)
		return
	}
	to := s.returnPath(r, v, r.FormValue("callbackUrl"))
	client := s.Client(r)
	who, err := s.gate.CheckDevice(r.Context(), client, s.device(r, v.secure()), r.PostForm.Get("code"))
	if err == nil {
		err = s.begin(w, r, v, who)
	}
	if err != nil {
		s.codeRefused(w, r, v, to, err)
		return
	}
	if who.Device != "" {
		http.SetCookie(w, hostcookie.New(hostcookie.Name(s.deviceCookie, v.secure()), who.Device, deviceMaxAge, v.secure(), s.sameSiteNone))
	}
	s.report(r, Event{Kind: SignedIn, Provider: session.AccessCode, Issuer: who.Issuer, Subject: who.Subject, Label: who.Label})
	s.goTo(w, r, v.address(s.landing(r, who.Session, v, to)))
}

// device is what an earlier sign-in by code gave r's browser to keep.
func (s *Server) device(r *http.Request, secure bool) string {
	cookie, err := r.Cookie(hostcookie.Name(s.deviceCookie, secure))
	if err != nil {
		return ""
	}
	return cookie.Value
}

// codeRefused leads back to the page that the code was typed into, or says when to come
// back.
func (s *Server) codeRefused(w http.ResponseWriter, r *http.Request, v *visit, to string, err error) {
	var limited *fault.Limited
	code, status := fault.StoreUnavailable, http.StatusServiceUnavailable
	switch {
	case errors.As(err, &limited):
		code, status = fault.RateLimited, http.StatusTooManyRequests
	case errors.Is(err, fault.ErrWrongCode):
		code, status = fault.CodeWrong, http.StatusForbidden
	case errors.Is(err, fault.ErrNotAllowed):
		code, status = fault.AccessDenied, http.StatusForbidden
	}
	id := s.reportFailure(r, session.AccessCode, code, err)
	setRetryAfter(w, status, limited)
	switch {
	case wantsAddress(r) || s.signInURL != "" && !isOwnForm(r):
		s.codeRefusedElsewhere(w, r, v, to, code, status)
		return
	case code == fault.CodeWrong: // elsewhere, so that Back and a reload do not send it again
		page := v.base + "/signin"
		if s.signInURL != "" || r.PostForm.Get(ownForm) == codeAlone {
			page += "/" + session.AccessCode
		}
		q := code.Query()
		q.Set("callbackUrl", to)
		redirect(w, v.address(page)+"?"+q.Encode())
		return
	}
	page := errorPage{Visit: v, Code: code, RequestID: id, CallbackURL: to}
	if limited != nil {
		page.Wait = limited.Wait
	}
	s.pages.error(w, r, status, page, nil)
}

// codeRefusedElsewhere tells the application's own page, or Auth.js's client.
func (s *Server) codeRefusedElsewhere(w http.ResponseWriter, r *http.Request, v *visit, to string, code fault.Code, status int) {
	q := code.Query()
	q.Set("callbackUrl", to)
	page := s.signInPage(v)
	if s.errorURL != "" {
		page = s.failurePage(v, code)
	}
	location := v.address(page) + "?" + q.Encode()
	switch {
	case isV4(r) && code == fault.CodeWrong:
		s.tell(w, http.StatusUnauthorized, location) // its client goes by the status
	case isV4(r):
		s.tell(w, status, location)
	default:
		s.goTo(w, r, location)
	}
}

func setRetryAfter(w http.ResponseWriter, status int, limited *fault.Limited) {
	switch {
	case limited != nil:
		w.Header().Set("Retry-After", strconv.Itoa(limited.Seconds()))
	case status == http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", "5")
	}
}

// codeInHeader is the access code that an API client sent in one of the headers
// that are configured for it.
func (s *Server) codeInHeader(r *http.Request) (code string, sent bool) {
	for _, name := range s.codeHeaders {
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
			if code = strings.TrimLeft(rest, " "); strings.Count(code, ".") == 4 && len(code) > 100 {
				continue // a session token, of this server or another, that does not count any more
			}
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
func (s *Server) lookAtCode(r *http.Request, v *visit) {
	code, sent := s.codeInHeader(r)
	if !sent {
		return
	}
	client := s.Client(r)
	who, err := s.gate.Check(r.Context(), client, code)
	if err != nil {
		v.err = err
		var limited *fault.Limited
		switch {
		case errors.As(err, &limited):
			s.reportFailure(r, session.AccessCode, fault.RateLimited, err)
		case errors.Is(err, fault.ErrWrongCode):
			s.reportFailure(r, session.AccessCode, fault.CodeWrong, err)
		}
		return
	}
	v.session = who.Session
	v.session.IssuedAt = s.now()
	v.session.ExpiresAt = v.session.IssuedAt
	v.foreign = true
}
