package web

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/sallyport/auth/internal/fault"
)

// challenge answers somebody who is not signed in: a navigation is sent to the
// sign-in page, and comes back; everything else gets 401 with a challenge
// (RFC 9110 11.6.1).
func (s *Server) challenge(w http.ResponseWriter, r *http.Request, v *visit) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Add("Vary", "Accept, Sec-Fetch-Mode, Sec-Fetch-Dest")
	if !isNavigation(r) {
		w.Header().Set("WWW-Authenticate", `Cookie realm="`+v.origin.Host+`", form-action="`+v.base+`/signin"`)
		s.writeJSON(w, http.StatusUnauthorized, problem{"unauthorized", "Not signed in. Sign in at " + v.address(v.base) + "/signin"})
		return
	}
	wanted := s.currentPath(r, v)
	to := v.address(s.signInPage(v)) + "?" + url.Values{"callbackUrl": {wanted}}.Encode()
	if s.onlyBackend() {
		to = s.backend.SignInURL(v.decision, v.address(wanted))
	}
	if samePage(to, v.address(wanted)) {
		id := s.reportFailure(r, "", fault.Configuration, errCircle)
		s.pages.error(w, r, http.StatusInternalServerError, errorPage{BasePath: v.base, Code: fault.Configuration, RequestID: id}, nil)
		return
	}
	redirect(w, to)
}

var errCircle = errors.New("auth: the sign-in page itself asks for a sign-in: serve it outside Require (gateway: GATEWAY_OPEN_PATHS)")

// samePage reports whether two addresses differ in their queries alone.
func samePage(a, b string) bool {
	a, _, _ = strings.Cut(a, "?")
	b, _, _ = strings.Cut(b, "?")
	return a == b
}

// signInPage is the path of the page with every way in: ours, or the application's.
func (s *Server) signInPage(v *visit) string {
	if s.signInURL != "" {
		return v.public(s.signInURL)
	}
	return v.base + "/signin"
}

// currentPath is the path and query that the browser asked for, whatever a proxy or
// an outer http.StripPrefix made of r.URL.
func (s *Server) currentPath(r *http.Request, v *visit) string {
	raw := r.RequestURI
	if raw == "" || raw[0] != '/' {
		raw = r.URL.RequestURI()
	}
	left := r.URL.RequestURI()
	if taken, ok := strings.CutSuffix(raw, left); ok && taken != "" && strings.HasSuffix(v.prefix, taken) {
		raw = v.prefix + left
	}
	return v.page(raw)
}
