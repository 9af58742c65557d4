package web

import (
	"cmp"
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
	if s.errorURL != "" || wantsAddress(r) {
		page := v.base + "/error"
		if s.errorURL != "" {
			page = v.public(s.errorURL)
		}
		q := code.Query()
		q.Set("request_id", id)
		s.goTo(w, r, v.address(page)+"?"+q.Encode())
		return
	}
	page := errorPage{
		BasePath: v.base, Code: code, RequestID: id, Provider: way.Label, CallbackURL: cmp.Or(a.ReturnTo, v.home()),
		RetryProvider: way.Name, CSRFToken: s.csrf.token(w, r, v.secure()),
	}
	if code == fault.UnknownRedirectURI {
		page.RedirectURI = s.callbackURL(v, way)
	}
	s.pages.error(w, r, status, page, formOrigins(v))
}

// refuseForged answers a form that this server did not make for this browser,
// or whose cookie the browser did not keep.
func (s *Server) refuseForged(w http.ResponseWriter, r *http.Request, v *visit) {
	code := fault.MissingCSRF
	if len(r.Cookies()) == 0 {
		code = fault.CookiesBlocked
	}
	id := s.reportFailure(r, "", code, nil)
	if wantsAddress(r) {
		s.goTo(w, r, v.address(v.base)+"/signin?error="+string(fault.MissingCSRF))
		return
	}
	s.pages.error(w, r, http.StatusForbidden, errorPage{BasePath: v.base, Code: code, RequestID: id}, nil)
}
