package web

import (
	"cmp"
	"errors"
	"net/http"

	"github.com/sallyport/auth/internal/attempt"
	"github.com/sallyport/auth/internal/fault"
)

// failed answers an attempt that came to nothing, and logs why. The page says
// what [fault.Of] makes of err, and no more.
func (s *Server) failed(w http.ResponseWriter, r *http.Request, v *visit, way *Way, a attempt.Attempt, err error) {
	code, status := fault.Of(err)
	id := s.reportFailure(r, way.Name, code, err)
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "5")
	}
	if location, ok := s.elsewhere(r, v, code); ok {
		q := code.Query()
		q.Set("request_id", id)
		q.Set("callbackUrl", cmp.Or(a.ReturnTo, v.home()))
		s.goTo(w, r, location+"?"+q.Encode())
		return
	}
	page := errorPage{
		Visit: v, Code: code, RequestID: id, Provider: way.Label, CallbackURL: cmp.Or(a.ReturnTo, v.home()),
		RetryProvider: way.Name, CSRFToken: s.csrf.token(w, r, v.secure()),
	}
	if code == fault.AccessDenied {
		page.RetryPrompt = way.AccountPrompt
	}
	var who *fault.Person
	if errors.As(err, &who) {
		page.Name = who.Shown
	}
	if code == fault.UnknownRedirectURI {
		page.RedirectURI = s.callbackURL(v, way)
	}
	s.pages.error(w, r, status, page, formOrigins(v))
}

// elsewhere is the address of the page that shows code, where that is not what answers
// the request: because the application has pages of its own, or a script asks.
func (s *Server) elsewhere(r *http.Request, v *visit, code fault.Code) (location string, ok bool) {
	own := s.errorURL != "" || s.signInURL != "" && code.OfSignIn()
	return v.address(s.failurePage(v, code)), own || wantsAddress(r)
}

// failurePage is the path of the page for code: what went wrong with a sign-in is the
// sign-in page's to show, as Auth.js has it, and the rest the error page's.
func (s *Server) failurePage(v *visit, code fault.Code) string {
	switch {
	case code.OfSignIn():
		return s.signInPage(v)
	case s.errorURL != "":
		return v.public(s.errorURL)
	}
	return v.base + "/error"
}

// refuseForged answers a form that this server did not make for this browser, or whose
// cookie the browser did not keep. One that signs in is answered as every sign-in that
// failed, unless it is our own form.
func (s *Server) refuseForged(w http.ResponseWriter, r *http.Request, v *visit, signsIn bool) {
	code := fault.MissingCSRF
	if len(r.Cookies()) == 0 {
		code = fault.CookiesBlocked
	}
	id := s.reportFailure(r, "", code, nil)
	location, ok := s.elsewhere(r, v, code)
	switch {
	case wantsAddress(r):
		s.goTo(w, r, v.address(v.base)+"/signin?error="+string(fault.MissingCSRF))
	case ok && signsIn && !isOwnForm(r):
		q := code.Query()
		q.Set("request_id", id)
		q.Set("callbackUrl", s.returnPath(r, v, r.FormValue("callbackUrl")))
		redirect(w, location+"?"+q.Encode())
	default:
		s.pages.error(w, r, http.StatusForbidden, errorPage{Visit: v, Code: code, RequestID: id}, nil)
	}
}
