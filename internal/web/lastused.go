package web

import (
	"net/http"

	"github.com/sallyport/auth/internal/hostcookie"
)

// lastMaxAge is how many seconds a browser keeps by which way it signed in.
const lastMaxAge = 30 * 24 * 3600

// keepLast has r's browser keep by which way it has signed in, where there are several to
// choose from. The cookie holds a provider's id and nothing about anybody.
func (s *Server) keepLast(w http.ResponseWriter, v *visit, way string) {
	if len(s.order) > 1 || len(s.order) == 1 && s.gate != nil {
		http.SetCookie(w, hostcookie.New(hostcookie.Name(s.lastCookie, v.secure()), way, lastMaxAge, v.secure(), s.sameSiteNone))
	}
}

// last is what keepLast gave r's browser to keep, or whatever else the browser sends: it
// is for comparing, and never shown.
func (s *Server) last(r *http.Request, v *visit) string {
	cookie, err := r.Cookie(hostcookie.Name(s.lastCookie, v.secure()))
	if err != nil {
		return ""
	}
	return cookie.Value
}
