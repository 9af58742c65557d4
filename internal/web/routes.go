package web

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/sallyport/auth/internal/fault"
	"github.com/sallyport/auth/session"
)

const (
	// maxForm bounds the body of every form that the routes take, in bytes.
	maxForm = 16 << 10

	// maxQuery bounds the query of every route, before it is parsed.
	maxQuery = 32 << 10
)

// route finds what path, with the prefix that this server has or without it, names
// below the routes. ok is false where it belongs to the application. Whatever is
// below them does not, so that no odd spelling of a route reaches the application.
func (s *Server) route(path, prefix string) (rest string, ok bool) {
	for _, base := range [...]string{prefix + s.routes, s.routes} {
		rest, below := strings.CutPrefix(path, base)
		if below && (rest == "" || rest[0] == '/') {
			return strings.TrimPrefix(rest, "/"), true
		}
	}
	return "", false
}

// ServeHTTP answers the routes, for applications that mount them by hand. It
// does not look at what is in front of the base path.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if e, ok := r.Context().Value(entryKey{}).(*entry); ok {
		e.err = s.enter(w, r, e.who)
		return
	}
	if s.logoutByProvider(w, r) || s.serveLogo(w, r) {
		return
	}
	v, err := s.look(r)
	if err != nil {
		s.badHost(w, r, err)
		return
	}
	v.stay(w)
	if len(r.URL.RawQuery) > maxQuery {
		s.refuse(w, r, v, http.StatusRequestURITooLong, fault.BadRequest)
		return
	}
	rest, ok := s.route(r.URL.Path, v.prefix)
	action, id, _ := strings.Cut(rest, "/")
	if !ok || strings.Contains(id, "/") || s.readOnly {
		s.refuse(w, r, v, http.StatusNotFound, fault.NotFound)
		return
	}
	s.answer(w, r, v, s.actionOf(action, id))
}

// logoutByProvider answers what identity providers ask for when somebody has signed out
// there. ok is false where r is something else. Who sent it is of no interest: no session
// is looked for, and the backend is not asked.
func (s *Server) logoutByProvider(w http.ResponseWriter, r *http.Request) (ok bool) {
	rest, _ := s.route(r.URL.Path, s.prefixOf(r))
	name, id, _ := strings.Cut(rest, "/")
	way := s.ways[id]
	method, answer := "POST", s.backChannelLogout
	switch {
	case way == nil:
		return false
	case name == "backchannel-logout" && way.VerifyLogout != nil:
	case name == "frontchannel-logout" && way.FrontChannelLogout:
		method, answer = "GET", s.frontChannelLogout
	default:
		return false
	}
	if r.Method != method {
		w.Header().Set("Allow", method)
		s.writeJSON(w, http.StatusMethodNotAllowed, problem{"method_not_allowed", http.StatusText(http.StatusMethodNotAllowed)})
		return true
	}
	answer(w, r, way)
	return true
}

// action is what one path answers to.
type action struct {
	get, post func(http.ResponseWriter, *http.Request, *visit) // nil: not with that method
	limit     int64                                            // of a form, in bytes
	page      bool                                             // to look at: HEAD is GET
	shared    bool                                             // the application's other origins read it
}

// actionOf finds the one of /name/id. Its get is nil where there is none.
func (s *Server) actionOf(name, id string) action {
	way := s.ways[id]
	switch {
	case s.gate != nil && id == session.AccessCode && name == "signin":
		return action{get: s.askForCode, post: s.signInByCode, limit: maxForm, page: true}
	case s.gate != nil && id == session.AccessCode && name == "callback":
		// Auth.js's client posts credentials here.
		return action{get: s.toSignInPage, post: s.signInByCode, limit: maxForm}
	case way != nil && name == "signin":
		return action{get: s.toSignInPage, limit: maxForm,
			post: func(w http.ResponseWriter, r *http.Request, v *visit) { s.signIn(w, r, v, way) }}
	case way != nil && name == "callback":
		to := action{get: func(w http.ResponseWriter, r *http.Request, v *visit) { s.callback(w, r, v, way) }}
		if way.FormAnswer != nil {
			to.post, to.limit = func(w http.ResponseWriter, r *http.Request, v *visit) { s.callbackByForm(w, r, v, way) }, maxForm
		}
		return to
	case way != nil && way.EndSession != nil && name == "signout":
		return action{get: func(w http.ResponseWriter, r *http.Request, v *visit) { s.sessionEnded(w, r, v, way) }}
	case id != "":
		return action{}
	}
	switch name {
	case "providers":
		return action{get: s.listProviders}
	case "csrf":
		return action{get: s.showCSRF}
	case "session":
		return action{get: s.showSession, post: s.updateSession, limit: maxForm, shared: true}
	case "sessions":
		return action{get: s.showSessions, post: s.endSessions, limit: maxForm, page: true}
	case "error":
		return action{get: s.showError, page: true}
	case "signout":
		return action{get: s.confirmSignOut, post: s.signOut, limit: maxForm, page: true}
	case "signin":
		return action{get: s.chooseWay, post: s.toSignInPage, limit: maxForm, page: true}
	}
	return action{}
}

func (s *Server) answer(w http.ResponseWriter, r *http.Request, v *visit, to action) {
	switch {
	case to.get == nil:
		s.refuse(w, r, v, http.StatusNotFound, fault.NotFound)
	case r.Method == "GET" || r.Method == "HEAD" && to.page:
		to.get(w, r, v)
	case to.shared && isPreflight(r) && s.ownOrigin(r):
		s.permit(w, r)
	case r.Method == "POST" && to.post != nil:
		if status := parseForm(w, r, to.limit); status != 0 {
			s.refuse(w, r, v, status, fault.BadRequest)
			return
		}
		to.post(w, r, v)
	default:
		// HEAD of a callback too: a link scanner that sends it must not use anything up.
		allow := "GET"
		if to.page {
			allow = "GET, HEAD"
		}
		if to.post != nil {
			allow += ", POST"
		}
		w.Header().Set("Allow", allow)
		s.refuse(w, r, v, http.StatusMethodNotAllowed, fault.MethodNotAllowed)
	}
}

// refuse answers a request that no route takes.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, v *visit, status int, code fault.Code) {
	if readsPages(r) {
		s.pages.error(w, r, status, errorPage{Visit: v, Code: code}, nil)
		return
	}
	s.writeJSON(w, status, problem{strings.ToLower(strings.ReplaceAll(http.StatusText(status), " ", "_")), http.StatusText(status)})
}

// knownError is the code of ours that a query of the sign-in and error pages
// brings, by itself or beside one of Auth.js's.
func knownError(r *http.Request) fault.Code {
	q := r.URL.Query()
	code := fault.Code(q.Get("error"))
	if detail := fault.Code(q.Get("detail")); slices.Contains(fault.Codes, detail) {
		code = detail
	}
	if code != "" && !slices.Contains(fault.Codes, code) {
		return fault.Default
	}
	return code
}

// showError is GET /error: the page that a link with a code leads to. It says
// only what belongs to the code.
func (s *Server) showError(w http.ResponseWriter, r *http.Request, v *visit) {
	status := http.StatusOK // as Auth.js answers
	switch r.URL.Query().Get("error") {
	case string(fault.Configuration):
		status = http.StatusInternalServerError
	case string(fault.AccessDenied), "Verification":
		status = http.StatusForbidden
	}
	s.pages.error(w, r, status, errorPage{Visit: v, Code: cmp.Or(knownError(r), fault.Default)}, nil)
}
