package auth

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"

	"github.com/sallyport/auth/session"
)

// showSession is GET /session: who is signed in, and until when. It never shows
// a token, and nothing at all to a script of another origin.
func (a *Authenticator) showSession(w http.ResponseWriter, r *http.Request, v *visit) {
	switch {
	case !readable(r, v):
		a.refuse(w, r, http.StatusForbidden, codeBadRequest)
	case v.err != nil:
		a.undecided(w, r, v)
	case v.session == nil:
		a.clearBroken(w, r, v)
		a.writeSession(w, nil)
	default:
		a.writeSession(a.renew(w, r, v), v.session)
	}
}

// readable reports whether r is a person's who looks at the address, or a
// script's of this origin: RFC 6454's sense, so that a subdomain is none.
func readable(r *http.Request, v *visit) bool {
	return r.Header.Get("Sec-Fetch-Mode") == "navigate" || sameOrigin(r, v.origin.String())
}

// updateSession is POST /session: Auth.js's update(). What the browser sends
// goes to Config.Update, which decides what becomes of it.
func (a *Authenticator) updateSession(w http.ResponseWriter, r *http.Request, v *visit) {
	switch {
	case !a.genuine(r, v):
		a.logFailure(r, "", codeMissingCSRF, nil)
		a.writeJSON(w, http.StatusBadRequest, nil) // as Auth.js answers
		return
	case v.err != nil:
		a.undecided(w, r, v)
		return
	case v.session == nil:
		a.clearBroken(w, r, v)
		a.writeSession(w, nil)
		return
	case v.foreign || v.session.ReadOnly():
		a.writeSession(w, v.session)
		return
	}
	data := json.RawMessage(r.PostForm.Get(updateField))
	if a.update != nil && len(data) > 0 {
		if err := a.update(r.Context(), v.session, data); err != nil {
			id := a.reportRefusal(r, v.session, codeAccessDenied, err)
			a.writeJSON(w, http.StatusForbidden, problem{"forbidden", "The session was not changed. Request " + id + "."})
			return
		}
	}
	switch err := a.sessions.Rewrite(w, r, v.session, v.secure()); {
	case errors.Is(err, ErrSessionTooLarge):
		a.reportRefusal(r, v.session, codeSessionTooLarge, err)
		a.writeJSON(w, http.StatusBadRequest, problem{"bad_request", "The session would be too large."})
		return
	case err != nil:
		a.reportRefusal(r, v.session, codeStoreUnavailable, err)
		w.Header().Set("Retry-After", "5")
		a.writeJSON(w, http.StatusServiceUnavailable, problem{"unavailable", "The session cannot be written at the moment. Try again later."})
		return
	}
	s := v.session
	a.report(r, Event{Kind: EventUpdated, Provider: s.Provider, Issuer: s.Issuer, Subject: s.Subject})
	a.writeSession(w, s)
}

// writeSession answers with what is to be seen of s, which may be nil.
func (a *Authenticator) writeSession(w http.ResponseWriter, s *session.Session) {
	if s == nil {
		var nobody any
		if a.nextAuthV4 {
			nobody = struct{}{}
		}
		a.writeJSON(w, http.StatusOK, nobody)
		return
	}
	view := session.View{User: map[string]any{}, More: map[string]any{}}
	for name, value := range map[string]string{"id": s.Subject, "name": s.Name, "email": s.Email, "image": s.Picture} {
		if value != "" {
			view.User[name] = value
		}
	}
	if a.public != nil {
		a.public(s, &view)
	}
	body := make(map[string]any, len(view.More)+2)
	maps.Copy(body, view.More)
	body["user"] = view.User
	body["expires"] = s.ExpiresAt.UTC().Format("2006-01-02T15:04:05.000Z")
	a.writeJSON(w, http.StatusOK, body)
}
