package web

import (
	"net/http"
	"net/url"

	"github.com/sallyport/auth/internal/fault"
)

// confirmSignOut is GET /signout. It changes nothing: a link or a picture on
// another site must not sign anybody out.
func (s *Server) confirmSignOut(w http.ResponseWriter, r *http.Request, v *visit) {
	page := signOutPage{
		BasePath:    v.base,
		CSRFToken:   s.csrf.token(w, r, v.secure()),
		CallbackURL: s.returnPath(v, r.URL.Query().Get("callbackUrl")),
	}
	if v.session != nil {
		page.Name = v.session.Name
	}
	s.pages.signOut(w, r, http.StatusOK, page, s.returnOrigins)
}

// signOut is POST /signout.
func (s *Server) signOut(w http.ResponseWriter, r *http.Request, v *visit) {
	if !s.genuine(r, v) {
		s.refuseForged(w, r, v, false)
		return
	}
	if err := s.end(w, r, v); err != nil {
		id := s.reportFailure(r, "", fault.StoreUnavailable, err)
		w.Header().Set("Retry-After", "5")
		s.pages.error(w, r, http.StatusServiceUnavailable, errorPage{BasePath: v.base, Code: fault.StoreUnavailable, RequestID: id}, nil)
		return
	}
	if who := v.session; who != nil {
		s.report(r, eventOf(SignedOut, who))
	}
	to := s.returnPath(v, r.FormValue("callbackUrl"))
	if s.straight != nil {
		// The application's pages would send the browser straight back in.
		s.goTo(w, r, v.address(v.base)+"/signin?"+url.Values{"callbackUrl": {to}, "error": {string(fault.SignedOut)}}.Encode())
		return
	}
	s.goTo(w, r, v.address(to))
}

// end ends the session where it is kept: at the backend, or here.
func (s *Server) end(w http.ResponseWriter, r *http.Request, v *visit) error {
	who := v.session
	if v.refused != nil {
		who = v.refused.who
	}
	if v.decision != nil && who != nil {
		if err := s.backend.SignOut(w, r, who, v.secure()); err != nil {
			return err
		}
	}
	return s.sessions.End(w, r, v.secure())
}
