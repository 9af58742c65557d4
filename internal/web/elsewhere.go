package web

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/sallyport/auth/internal/fault"
)

// ownOrigin reports whether a page of one of the application's other origins sends r.
func (s *Server) ownOrigin(r *http.Request) bool {
	from := r.Header["Origin"]
	if len(from) != 1 {
		return false
	}
	origin, _, ok := s.others.split(from[0])
	return ok && origin == from[0]
}

// lookWhereFrom makes r nobody's where a page of another origin sends it with this
// browser's cookies, to change something or to open a WebSocket. What no browser adds
// by itself, a bearer token or an access code in a header, is sent by whoever knows it.
func (s *Server) lookWhereFrom(r *http.Request, v *visit) {
	if v.session == nil || v.borne || s.welcome(r, v) {
		return
	}
	v.elsewhere = &refused{v.session, fmt.Errorf("%w: %s from another origin, %q: if it is yours, name it in Config.ReturnOrigins; to take it from any, Config.CrossOriginPatterns",
		fault.ErrNotAllowed, r.Method, strings.Join(r.Header["Origin"], ", "))}
	v.forget()
}

// welcome reports whether r may act with the cookies that it brings.
func (s *Server) welcome(r *http.Request, v *visit) bool {
	switch {
	case s.ownOrigin(r):
		return true
	case isUpgrade(r):
		return upgradeAllowed(r, v.origin)
	}
	// net/http goes by Host. Behind a proxy the public origin may be another.
	return s.crossOrigin.Check(r) == nil || sameOrigin(r, v.origin.String())
}

// refuseElsewhere answers a page of another site.
func (s *Server) refuseElsewhere(w http.ResponseWriter, r *http.Request, v *visit) {
	id := s.reportRefusal(r, v.elsewhere.who, fault.AnotherSite, v.elsewhere.err)
	switch {
	case readsPages(r):
		s.pages.error(w, r, http.StatusForbidden, errorPage{Visit: v, Code: fault.AnotherSite, RequestID: id, Framed: inFrame(r)}, nil)
	case isUpgrade(r):
		s.writeJSON(w, http.StatusForbidden, problem{"forbidden", "This connection comes from another site."})
	default:
		s.writeJSON(w, http.StatusForbidden, problem{"forbidden", "This request comes from another site."})
	}
}

// borne reports whether r has a credential in Authorization that no browser adds by
// itself, and no page of another origin without leave (Fetch 4.8): a bearer token, or
// a token alone, as Clerk takes it.
func borne(r *http.Request) bool {
	lines := r.Header["Authorization"]
	if len(lines) != 1 || lines[0] == "" {
		return false
	}
	scheme, _, more := strings.Cut(lines[0], " ")
	return !more || strings.EqualFold(scheme, "Bearer")
}

// crossOrigin is net/http's check of where requests come from, with the patterns that
// are let through.
func crossOrigin(patterns []string) (c *http.CrossOriginProtection, err error) {
	c = http.NewCrossOriginProtection()
	for _, pattern := range patterns {
		if err := letThrough(c, pattern); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// letThrough returns as an error what net/http panics with.
func letThrough(c *http.CrossOriginProtection, pattern string) (err error) {
	defer func() {
		if problem := recover(); problem != nil {
			err = fmt.Errorf("auth: Config.CrossOriginPatterns: %q: want a pattern of http.ServeMux, such as POST /webhooks/: %v", pattern, problem)
		}
	}()
	c.AddInsecureBypassPattern(pattern)
	return nil
}
