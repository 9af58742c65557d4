package web

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/sallyport/auth/internal/fault"
)

// challenge answers somebody who is not signed in. A navigation is sent to the sign-in
// page, and comes back; everything else gets 401 with a challenge (RFC 9110 11.6.1): a
// page where a person reads it, and otherwise JSON. So is somebody who is to sign in again
// as wish has it, if it is not nil.
func (s *Server) challenge(w http.ResponseWriter, r *http.Request, v *visit, wish *fault.StepUp) {
	h := w.Header()
	h["Vary"] = append(h["Vary"], "Accept, Sec-Fetch-Mode, Sec-Fetch-Dest, X-Requested-With, HX-Request, X-Up-Version, Turbo-Frame, X-Turbo-Request-Id")
	asks := whoAsks(r)
	if !v.token && (asks == browser || asks == frame && s.signsInFramed(v)) {
		s.sendToSignIn(w, r, v)
		return
	}
	h.Set("Cache-Control", "no-store")
	challenge, problems := v.at().challenge, ""
	refuse := func() { sendJSON(w, http.StatusUnauthorized, v.at().unauthorized) }
	if wish != nil {
		problems = wish.Challenge()
		challenge += ", " + problems
		refuse = func() {
			s.writeJSON(w, http.StatusUnauthorized, problem{"insufficient_user_authentication", "Signed in, but not lately or strongly enough. Sign in again at " + v.address(v.base) + "/signin"})
		}
	}
	switch {
	case v.token:
		h.Set("Www-Authenticate", s.tokenChallenge(r, v, problems))
		refuse()
		return
	case s.takesTokens: // before the other, which some clients do not read beyond
		h.Add("Www-Authenticate", s.tokenChallenge(r, v, ""))
	}
	h.Add("Www-Authenticate", challenge)
	switch asks {
	case frame:
		s.signInApart(w, r, v, fault.InsideAFrame, s.currentPath(r, v))
	case form:
		s.signInApart(w, r, v, fault.FormNotSent, s.returnPath(r, v, r.Referer()))
	case fragment:
		code := fault.FormNotSent
		if r.Method == "GET" || r.Method == "HEAD" {
			code = fault.SessionRequired
		}
		s.signInApart(w, r, v, code, s.returnPath(r, v, r.Referer()))
	case htmx:
		h.Set("HX-Redirect", s.signInAddress(v, s.returnPath(r, v, r.Header.Get("HX-Current-URL"))))
		fallthrough
	default:
		refuse()
	}
}

// sendToSignIn sends a navigation to the page with every way in.
func (s *Server) sendToSignIn(w http.ResponseWriter, r *http.Request, v *visit) {
	wanted := s.currentPath(r, v)
	to := s.signInAddress(v, wanted)
	if !s.ownPages() && samePage(to, v.address(wanted)) {
		id := s.reportFailure(r, "", fault.Configuration, errCircle)
		s.pages.error(w, r, http.StatusInternalServerError, errorPage{Visit: v, Code: fault.Configuration, RequestID: id}, nil)
		return
	}
	redirect(w, to)
}

// signInAddress is where somebody signs in who then goes to to, a path of the
// application or an address.
func (s *Server) signInAddress(v *visit, to string) string {
	if s.onlyBackend() {
		return s.backend.SignInURL(v.decision, v.address(to))
	}
	return v.at().signIn + url.QueryEscape(to)
}

// ownPages reports whether people sign in at pages of this package, which no return path
// leads to.
func (s *Server) ownPages() bool { return s.signInURL == "" && !s.onlyBackend() }

// signInApart is a page that opens another tab to sign in: so that Back still has what
// somebody typed, or because no provider shows itself inside a frame.
func (s *Server) signInApart(w http.ResponseWriter, r *http.Request, v *visit, code fault.Code, to string) {
	s.pages.error(w, r, http.StatusUnauthorized, errorPage{
		Visit: v, Code: code, SignInURL: s.signInAddress(v, to), Framed: inFrame(r), OutOfFrame: r.Header.Get("Turbo-Frame") != "",
	}, nil)
}

// signsInFramed reports whether people sign in inside a frame. They have to where its
// cookies are its own: those of a tab are not brought from there.
func (s *Server) signsInFramed(v *visit) bool {
	return s.sameSiteNone && v.secure() && len(s.ancestors) > 0
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
// an outer http.StripPrefix made of r.URL; at another origin of the application, the
// whole address.
func (s *Server) currentPath(r *http.Request, v *visit) string {
	raw := r.RequestURI
	if raw == "" || raw[0] != '/' {
		raw = r.URL.RequestURI()
	}
	if origin, ok := s.asked(r, v); ok {
		if path, ok := s.clean(r, raw, v.base, s.routes); ok {
			return origin + path
		}
		return origin + "/"
	}
	if v.prefix != "" {
		left := r.URL.RequestURI()
		if taken, ok := strings.CutSuffix(raw, left); ok && taken != "" && strings.HasSuffix(v.prefix, taken) {
			raw = v.prefix + left
		}
	}
	return s.page(r, v, raw)
}
