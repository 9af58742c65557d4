package web

import (
	"net/http"
	"net/url"

	"github.com/sallyport/auth/internal/returnto"
	"github.com/sallyport/auth/session"
)

// returnPath is where a form or a link wants to go afterwards, if that is a
// page of the application or of one of its other origins, and home otherwise. A
// path is one of the application's, with the prefix or without; an address is what
// it says.
func (s *Server) returnPath(r *http.Request, v *visit, raw string) string {
	raw = canonicalAddress(raw) // safe, for what is answered begins with an origin of ours
	if origin, rest, ok := s.others.split(raw); ok {
		if path, ok := s.clean(r, rest, v.base, s.routes); ok {
			return origin + path
		}
	}
	rest, ok := returnto.SameOrigin(raw, v.origin.String())
	if !ok {
		return s.page(r, v, raw)
	}
	path, ok := s.clean(r, rest, v.base, s.routes)
	if !ok {
		return v.home()
	}
	return path
}

// clean is [returnto.Clean], and says so in the log where a path is too long: that is
// nobody's attack, and people wonder why they are on the first page.
func (s *Server) clean(r *http.Request, raw string, own ...string) (path string, ok bool) {
	path, ok = returnto.Clean(raw, own...)
	if !ok && returnto.TooLong(raw) {
		s.log.WarnContext(r.Context(), "auth: a return path is longer than 4096 bytes and is dropped; the person goes to the first page", "bytes", len(raw))
	}
	return path, ok
}

// landing is where somebody who has signed in goes, who wanted to go to to.
func (s *Server) landing(r *http.Request, who *session.Session, v *visit, to string) string {
	if s.returnTo == nil {
		return to
	}
	return s.returnPath(r, v, s.returnTo(r.Context(), who, to))
}

// isHTTP reports whether target is an address of a web server, to which an identity
// provider may have people sent.
func isHTTP(target string) bool {
	u, err := url.Parse(target)
	return err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http")
}

// redirect sends the browser to location with GET, whatever it came with.
func redirect(w http.ResponseWriter, location string) {
	set(w.Header(), [2]string{"Location", location}, [2]string{"Cache-Control", "no-store"}, [2]string{"Referrer-Policy", "same-origin"})
	w.WriteHeader(http.StatusSeeOther)
}

// goTo redirects, or tells Auth.js's client where it would.
func (s *Server) goTo(w http.ResponseWriter, r *http.Request, location string) {
	if wantsAddress(r) {
		s.tell(w, http.StatusOK, location)
		return
	}
	redirect(w, location)
}

// tell is a redirect for a script.
func (s *Server) tell(w http.ResponseWriter, status int, location string) {
	s.writeJSON(w, status, struct {
		URL string `json:"url"`
	}{location})
}

// wantsAddress reports whether Auth.js's client asks for the address of a
// redirect as JSON, because a browser's fetch does not show it: v5's with a
// header, v4's with a field.
func wantsAddress(r *http.Request) bool {
	return len(r.Header["X-Auth-Return-Redirect"]) > 0 || isV4(r)
}

// isV4 reports whether next-auth v4's client sends r.
func isV4(r *http.Request) bool { return r.PostForm.Get("json") == "true" }
