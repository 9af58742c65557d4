package web

import (
	"net/http"

	"github.com/sallyport/auth/internal/fault"
)

// confirmSignOut is GET /signout. It changes nothing: a link or a picture on
// another site must not sign anybody out. It says that nobody is signed in, where that
// is so: that is where signing out ends.
func (s *Server) confirmSignOut(w http.ResponseWriter, r *http.Request, v *visit) {
	to, stay, forms := "", s.returnPath(r, v, r.URL.Query().Get("callbackUrl")), s.others.list()
	if r.URL.Query().Get("callbackUrl") != "" {
		to = stay
	}
	switch {
	case v.err != nil:
		s.undecided(w, r, v)
	case v.session == nil && v.refused == nil:
		s.clearBroken(w, r, v)
		page := errorPage{Visit: v, Code: fault.SignedOut, CallbackURL: to}
		if way := s.ways[r.URL.Query().Get("provider")]; way != nil {
			page.StillIn = way.Label
		}
		s.pages.error(w, r, http.StatusOK, page, nil)
	default:
		page := signOutPage{Visit: v, CSRFToken: s.csrf.token(w, r, v.secure()), Name: v.whoIsIn(), CallbackURL: to, StayURL: stay}
		if v.session != nil && !v.foreign && s.sessions.CanRevoke() {
			page.SessionsURL = v.base + "/sessions"
		}
		if way := s.wayOf(v); way != nil {
			page.Provider, page.AtProvider = way.Label, s.signOutAtProvider
			page.CanEndSession = s.canEndSession(r, way, v.session)
			if way.EndSession != nil {
				forms = append(forms, formOrigins(v)...)
			}
		}
		s.pages.signOut(w, r, http.StatusOK, page, forms)
	}
}

// signOut is POST /signout.
func (s *Server) signOut(w http.ResponseWriter, r *http.Request, v *visit) {
	if !s.genuine(r, v) {
		s.refuseForged(w, r, v, false)
		return
	}
	if err := s.end(w, r, v); err != nil {
		id := s.reportOutage(r, Event{}, fault.StoreUnavailable, err)
		w.Header().Set("Retry-After", "5")
		s.pages.error(w, r, http.StatusServiceUnavailable, errorPage{Visit: v, Code: fault.StoreUnavailable, RequestID: id}, nil)
		return
	}
	who, way := v.session, s.wayOf(v)
	if who != nil {
		s.report(r, eventOf(SignedOut, who))
		s.revokeTokens(r, way, who)
	}
	if way != nil && s.wantsEndSession(r) && s.endSession(w, r, v, way, who, s.afterSignOut(r, v, nil)) {
		return
	}
	s.goTo(w, r, s.afterSignOut(r, v, way))
}

// wantsEndSession reports whether somebody is to be signed out at the identity provider
// too: what they have chosen, or else what is configured.
func (s *Server) wantsEndSession(r *http.Request) bool {
	switch r.PostForm.Get("atProvider") {
	case "1":
		return true
	case "0":
		return false
	}
	return s.signOutAtProvider
}

// afterSignOut is the address where somebody goes then, who is still signed in with stays,
// if that is not nil: to the page that says so, without one to go to, and where the
// application's would send the browser straight back in.
func (s *Server) afterSignOut(r *http.Request, v *visit, stays *Way) string {
	raw := r.FormValue("callbackUrl")
	to := s.returnPath(r, v, raw)
	switch {
	case s.straight == nil && (raw != "" || wantsAddress(r)):
		return v.address(to)
	case raw == "":
		to = ""
	}
	return s.signedOutPage(v, stays, to)
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
