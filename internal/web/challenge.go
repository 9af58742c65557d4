package web

import (
	"net/http"
	"net/url"

	"github.com/sallyport/auth/internal/returnto"
)

// challenge answers somebody who is not signed in: a navigation is sent to the
// sign-in page, and comes back; everything else gets 401 with a challenge
// (RFC 9110 11.6.1).
func (s *Server) challenge(w http.ResponseWriter, r *http.Request, v *visit) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Add("Vary", "Accept, Sec-Fetch-Mode, Sec-Fetch-Dest")
	if !isNavigation(r) {
		w.Header().Set("WWW-Authenticate", `Cookie realm="`+v.origin.Host+`", form-action="`+s.base+`/signin"`)
		s.writeJSON(w, http.StatusUnauthorized, problem{"unauthorized", "Not signed in. Sign in at " + v.origin.String() + s.base + "/signin"})
		return
	}
	if s.onlyBackend() {
		redirect(w, s.backend.SignInURL(v.decision, v.origin.String()+s.currentPath(r)))
		return
	}
	target := v.origin.String() + s.base + "/signin"
	if s.signInURL != "" {
		target = v.origin.String() + s.signInURL
	}
	redirect(w, target+"?"+url.Values{"callbackUrl": {s.currentPath(r)}}.Encode())
}

// currentPath is the path and query that the browser asked for, whatever an
// outer http.StripPrefix made of r.URL.
func (s *Server) currentPath(r *http.Request) string {
	raw := r.RequestURI
	if raw == "" || raw[0] != '/' {
		raw = r.URL.RequestURI()
	}
	path, ok := returnto.Clean(raw, s.base)
	if !ok {
		return "/"
	}
	return path
}
