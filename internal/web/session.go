package web

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"

	"github.com/sallyport/auth/internal/fault"
	"github.com/sallyport/auth/session"
)

// showSession is GET /session: who is signed in, and until when. It never shows
// a token, and nothing at all to a script of another origin, but for those of the
// application.
func (s *Server) showSession(w http.ResponseWriter, r *http.Request, v *visit) {
	own := s.share(w, r)
	switch {
	case !own && !readable(r, v):
		s.refuse(w, r, v, http.StatusForbidden, fault.BadRequest)
	case v.err != nil:
		s.undecided(w, r, v)
	case v.session == nil:
		s.clearBroken(w, r, v)
		s.writeSession(w, nil)
	default:
		s.renew(w, r, v)
		s.writeSession(w, v.session)
	}
}

// share lets a script of one of the application's other origins read the answer
// (Fetch 3.3), with the browser's cookies, and reports whether one asks.
func (s *Server) share(w http.ResponseWriter, r *http.Request) bool {
	if len(s.others.exact)+len(s.others.wildcards) == 0 {
		return false
	}
	h := w.Header()
	h.Add("Vary", "Origin")
	if !s.ownOrigin(r) {
		return false
	}
	h.Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
	h.Set("Access-Control-Allow-Credentials", "true")
	return true
}

// permit answers a preflight for what is shared with one of those origins. Auth.js's
// client causes one: it sends a Content-Type with its GET.
func (s *Server) permit(w http.ResponseWriter, r *http.Request) {
	s.share(w, r)
	h := w.Header()
	h.Set("Access-Control-Allow-Methods", "GET")
	if wanted := r.Header.Get("Access-Control-Request-Headers"); wanted != "" {
		h.Set("Access-Control-Allow-Headers", wanted)
	}
	w.WriteHeader(http.StatusNoContent)
}

// readable reports whether r is a person's who looks at the address, or a
// script's of this origin: RFC 6454's sense, so that a subdomain is none.
func readable(r *http.Request, v *visit) bool {
	return r.Header.Get("Sec-Fetch-Mode") == "navigate" || sameOrigin(r, v.origin.String())
}

// updateSession is POST /session: Auth.js's update(). What the browser sends
// goes to Config.Update, which decides what becomes of it.
func (s *Server) updateSession(w http.ResponseWriter, r *http.Request, v *visit) {
	switch {
	case !s.genuine(r, v):
		s.reportFailure(r, "", fault.MissingCSRF, nil)
		s.writeJSON(w, http.StatusBadRequest, nil) // as Auth.js answers
		return
	case v.err != nil:
		s.undecided(w, r, v)
		return
	case v.session == nil:
		s.clearBroken(w, r, v)
		s.writeSession(w, nil)
		return
	case v.foreign || v.session.ReadOnly():
		s.writeSession(w, v.session)
		return
	}
	if v.unsure {
		w.Header().Set("Retry-After", "5")
		s.writeJSON(w, http.StatusServiceUnavailable, problem{"unavailable", "The session cannot be written at the moment. Try again later."})
		return
	}
	who := v.session
	data := json.RawMessage(r.PostForm.Get(updateField))
	if s.update != nil && len(data) > 0 {
		if err := s.update(r.Context(), who, data); err != nil {
			id := s.reportRefusal(r, who, fault.AccessDenied, err)
			s.writeJSON(w, http.StatusForbidden, problem{"forbidden", "The session was not changed. Request " + id + "."})
			return
		}
	}
	groups := len(who.Groups)
	switch err := s.sessions.Rewrite(w, r, who, v.secure()); {
	case errors.Is(err, session.ErrTooLarge):
		s.reportRefusal(r, who, fault.SessionTooLarge, err)
		s.writeJSON(w, http.StatusBadRequest, problem{"bad_request", "The session would be too large."})
	case err != nil:
		s.reportOutage(r, eventOf(SessionFailed, who), fault.StoreUnavailable, err)
		w.Header().Set("Retry-After", "5")
		s.writeJSON(w, http.StatusServiceUnavailable, problem{"unavailable", "The session cannot be written at the moment. Try again later."})
	default:
		s.tellOfGroups(r, who, groups)
		s.report(r, eventOf(Updated, who))
		s.writeSession(w, who)
	}
}

// writeSession answers with what is to be seen of who, which may be nil.
func (s *Server) writeSession(w http.ResponseWriter, who *session.Session) {
	if who == nil {
		var nobody any
		if s.nextAuthV4 {
			nobody = struct{}{}
		}
		s.writeJSON(w, http.StatusOK, nobody)
		return
	}
	view := session.View{User: map[string]any{}, More: map[string]any{}}
	for name, value := range map[string]string{"id": s.userID(who), "name": who.Name, "email": who.Email, "image": who.Picture} {
		if value != "" {
			view.User[name] = value
		}
	}
	if s.public != nil {
		s.public(who, &view)
	}
	body := make(map[string]any, len(view.More)+2)
	maps.Copy(body, view.More)
	body["user"] = view.User
	body["expires"] = who.ExpiresAt.UTC().Format("2006-01-02T15:04:05.000Z")
	s.writeJSON(w, http.StatusOK, body)
}
