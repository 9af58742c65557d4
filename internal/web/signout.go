package web

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/sallyport/auth/internal/fault"
)

// confirmSignOut is GET /signout. It changes nothing: a link or a picture on
// another site must not sign anybody out. It says that nobody is signed in, where that
// is so: that is where signing out ends.
func (s *Server) confirmSignOut(w http.ResponseWriter, r *http.Request, v *visit) {
	to, stay := "", s.returnPath(r, v, r.URL.Query().Get("callbackUrl"))
	if r.URL.Query().Get("callbackUrl") != "" {
		to = stay
	}
	switch {
	case v.err != nil:
		s.undecided(w, r, v)
	case v.session == nil && v.refused == nil:
		s.clearBroken(w, r, v)
		s.pages.error(w, r, http.StatusOK, errorPage{BasePath: v.base, Code: fault.SignedOut, CallbackURL: to}, nil)
	default:
		page := signOutPage{BasePath: v.base, CSRFToken: s.csrf.token(w, r, v.secure()), Name: v.whoIsIn(), CallbackURL: to, StayURL: stay}
		if v.session != nil && !v.foreign && s.sessions.CanRevoke() {
			page.SessionsURL = v.base + "/sessions"
		}
		s.pages.signOut(w, r, http.StatusOK, page, s.others.list())
	}
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
	raw := r.FormValue("callbackUrl")
	to := s.returnPath(r, v, raw)
	if s.straight == nil && (raw != "" || wantsAddress(r)) {
		s.goTo(w, r, v.address(to))
		return
	}
	// Without a page to go to, and where the application's would send the browser straight
	// back in.
	q := url.Values{}
	if raw != "" {
		q.Set("callbackUrl", to)
	}
	s.goTo(w, r, strings.TrimSuffix(v.address(v.base)+"/signout?"+q.Encode(), "?"))
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
