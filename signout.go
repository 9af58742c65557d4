package auth

import (
	"net/http"
	"net/url"
)

// confirmSignOut is GET /signout. It changes nothing: a link or a picture on
// another site must not sign anybody out.
func (a *Authenticator) confirmSignOut(w http.ResponseWriter, r *http.Request, v *visit) {
	page := signOutPage{
		BasePath:    a.base,
		CSRFToken:   a.csrf.token(w, r, v.secure()),
		CallbackURL: a.returnPath(v, r.URL.Query().Get("callbackUrl")),
	}
	if v.session != nil {
		page.Name = v.session.Name
	}
	a.pages.signOut(w, r, http.StatusOK, page, a.returnOrigins)
}

// signOut is POST /signout.
func (a *Authenticator) signOut(w http.ResponseWriter, r *http.Request, v *visit) {
	if !a.genuine(r, v) {
		a.refuseForged(w, r, v)
		return
	}
	if err := a.end(w, r, v); err != nil {
		id := a.logFailure(r, "", codeStoreUnavailable, err)
		w.Header().Set("Retry-After", "5")
		a.pages.error(w, r, http.StatusServiceUnavailable, errorPage{BasePath: a.base, Code: codeStoreUnavailable, RequestID: id}, nil)
		return
	}
	if s := v.session; s != nil {
		a.report(r, Event{Kind: EventSignedOut, Provider: s.Provider, Issuer: s.Issuer, Subject: s.Subject})
	}
	to := a.returnPath(v, r.FormValue("callbackUrl"))
	if a.straight != nil {
		// The application's pages would send the browser straight back in.
		a.goTo(w, r, v.origin.String()+a.base+"/signin?"+url.Values{"callbackUrl": {to}, "error": {codeSignedOut}}.Encode())
		return
	}
	a.goTo(w, r, v.address(to))
}

// end ends the session where it is kept: at the backend, or here.
func (a *Authenticator) end(w http.ResponseWriter, r *http.Request, v *visit) error {
	if v.decision != nil && v.session != nil {
		if err := a.backend.SignOut(w, r, v.session, v.secure()); err != nil {
			return err
		}
	}
	return a.sessions.End(w, r, v.secure())
}
