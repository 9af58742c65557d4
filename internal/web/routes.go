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

	// maxCodeForm bounds the body of the form that an access code comes in.
	maxCodeForm = 4 << 10

	// maxQuery bounds the query of every route, before it is parsed.
	maxQuery = 32 << 10
)

// isRoute reports whether path belongs to this package. Whatever is under the
// base path does, so that no odd spelling of a route reaches the application.
func (s *Server) isRoute(path string) bool {
	return path == s.base || strings.HasPrefix(path, s.base+"/")
}

// ServeHTTP answers the routes, for applications that mount them by hand. It
// does not look at what is in front of the base path.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	v, err := s.look(r)
	if err != nil {
		s.badHost(w, r, err)
		return
	}
	v.stay(w)
	if len(r.URL.RawQuery) > maxQuery {
		s.refuse(w, r, http.StatusRequestURITooLong, fault.BadRequest)
		return
	}
	action, id, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, s.base+"/"), "/")
	if !s.isRoute(r.URL.Path) || strings.Contains(id, "/") || s.readOnly {
		s.refuse(w, r, http.StatusNotFound, fault.NotFound)
		return
	}
	s.answer(w, r, v, s.route(action, id))
}

// route is what one path answers to.
type route struct {
	get, post func(http.ResponseWriter, *http.Request, *visit) // nil: not with that method
	limit     int64                                            // of a form, in bytes
}

// route finds the one of /action/id. Its get is nil where there is none.
func (s *Server) route(action, id string) route {
	way := s.ways[id]
	switch {
	case s.gate != nil && id == session.AccessCode && (action == "signin" || action == "callback"):
		// Auth.js's client posts credentials to callback.
		return route{get: s.toSignInPage, post: s.signInByCode, limit: maxCodeForm}
	case way != nil && action == "signin":
		return route{get: s.toSignInPage, limit: maxForm,
			post: func(w http.ResponseWriter, r *http.Request, v *visit) { s.signIn(w, r, v, way) }}
	case way != nil && action == "callback":
		return route{get: func(w http.ResponseWriter, r *http.Request, v *visit) { s.callback(w, r, v, way) }}
	case id != "":
		return route{}
	}
	switch action {
	case "providers":
		return route{get: s.listProviders}
	case "csrf":
		return route{get: s.showCSRF}
	case "session":
		return route{get: s.showSession, post: s.updateSession, limit: maxForm}
	case "error":
		return route{get: s.showError}
	case "signout":
		return route{get: s.confirmSignOut, post: s.signOut, limit: maxForm}
	case "signin":
		return route{get: s.chooseWay, post: s.toSignInPage, limit: maxForm}
	}
	return route{}
}

func (s *Server) answer(w http.ResponseWriter, r *http.Request, v *visit, to route) {
	switch {
	case to.get == nil:
		s.refuse(w, r, http.StatusNotFound, fault.NotFound)
	case r.Method == "GET":
		to.get(w, r, v)
	case r.Method == "POST" && to.post != nil:
		if status := parseForm(w, r, to.limit); status != 0 {
			s.refuse(w, r, status, fault.BadRequest)
			return
		}
		to.post(w, r, v)
	default:
		// HEAD too: a link scanner that sends it must not use anything up.
		allow := "GET"
		if to.post != nil {
			allow = "GET, POST"
		}
		w.Header().Set("Allow", allow)
		s.refuse(w, r, http.StatusMethodNotAllowed, fault.MethodNotAllowed)
	}
}

// refuse answers a request that no route takes.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, status int, code fault.Code) {
	if isNavigation(r) {
		s.pages.error(w, r, status, errorPage{BasePath: s.base, Code: code}, nil)
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
func (s *Server) showError(w http.ResponseWriter, r *http.Request, _ *visit) {
	status := http.StatusOK // as Auth.js answers
	switch r.URL.Query().Get("error") {
	case string(fault.Configuration):
		status = http.StatusInternalServerError
	case string(fault.AccessDenied), "Verification":
		status = http.StatusForbidden
	}
	s.pages.error(w, r, status, errorPage{BasePath: s.base, Code: cmp.Or(knownError(r), fault.Default)}, nil)
}
