package web

import (
	"cmp"
	"errors"
	"maps"
	"net/http"
	"net/url"

	"github.com/sallyport/auth/internal/attempt"
	"github.com/sallyport/auth/internal/fault"
)

// chooseWay is GET /signin: the page with every way to sign in.
func (s *Server) chooseWay(w http.ResponseWriter, r *http.Request, v *visit) {
	query := r.URL.Query()
	to := s.returnPath(r, v, query.Get("callbackUrl"))
	// Somebody who is sent here on the way to a page is not asked to press the
	// one button that there is; somebody who signed out, or failed, is.
	if s.straight != nil && query.Has("callbackUrl") && !query.Has("error") && v.session == nil && r.Method == "GET" && isNavigation(r) {
		s.start(w, r, v, s.straight, s.attempts.New(s.straight.Name, s.callbackURL(v, s.straight), to, nil, false))
		return
	}
	if s.onlyBackend() {
		redirect(w, s.backend.SignInURL(v.decision, v.address(to)))
		return
	}
	if s.signInURL != "" {
		q := url.Values{"callbackUrl": {to}}
		if code := knownError(r); code != "" {
			maps.Copy(q, code.Query())
		}
		redirect(w, v.address(s.signInPage(v))+"?"+q.Encode())
		return
	}
	s.clearBroken(w, r, v)
	s.showSignIn(w, r, v, to, knownError(r))
}

// showSignIn shows every way to sign in, and code, what went wrong before, if
// anything did.
func (s *Server) showSignIn(w http.ResponseWriter, r *http.Request, v *visit, to string, code fault.Code) {
	s.pages.signIn(w, r, signInPage{
		Visit:       v,
		CSRFToken:   s.csrf.token(w, r, v.secure()),
		CallbackURL: to,
		Name:        v.whoIsIn(),
		Ways:        s.order,
		AccessCode:  s.gate != nil,
		Last:        s.last(r, v),
		Code:        code,
	}, formOrigins(v))
}

// whoIsIn names somebody who is signed in, or is "".
func (v *visit) whoIsIn() string {
	if v.session == nil {
		return ""
	}
	return cmp.Or(v.session.Name, v.session.Email, v.session.Username, v.session.Subject)
}

// toSignInPage answers whoever opens the address of a sign-in's start: only a
// form of this server starts one.
func (s *Server) toSignInPage(w http.ResponseWriter, r *http.Request, v *visit) {
	to := v.address(v.base) + "/signin"
	if raw := r.FormValue("callbackUrl"); raw != "" {
		to += "?" + url.Values{"callbackUrl": {s.returnPath(r, v, raw)}}.Encode()
	}
	s.goTo(w, r, to)
}

// signIn is POST /signin/{provider}: it starts an attempt.
func (s *Server) signIn(w http.ResponseWriter, r *http.Request, v *visit, way *Way) {
	if !s.genuine(r, v) {
		s.refuseForged(w, r, v, true)
		return
	}
	to := s.returnPath(r, v, r.FormValue("callbackUrl"))
	s.start(w, r, v, way, s.attempts.New(way.Name, s.callbackURL(v, way), to, signInParams(r), false))
}

// maxParams bounds the extra parameters of a sign-in, encoded: they have to fit into
// the attempt's cookie.
const maxParams = 1 << 10

// signInParams are the extra authorization parameters that a sign-in brings,
// as Auth.js's client sends them: in the query. The provider takes those that it
// knows. One that would be too much is left out.
func signInParams(r *http.Request) url.Values {
	params, query := url.Values{}, r.URL.Query()
	// What asks for a stronger sign-in comes first: it must not be crowded out.
	for _, name := range []string{"max_age", "acr_values", "prompt", "organization", "connection", "login_hint", "screen_hint", "ui_locales", "domain_hint"} {
		value := query.Get(name)
		if value == "" || len(value) > 256 {
			continue
		}
		if params.Set(name, value); len(params.Encode()) > maxParams {
			params.Del(name)
		}
	}
	return params
}

// start sends the browser to the identity provider.
func (s *Server) start(w http.ResponseWriter, r *http.Request, v *visit, way *Way, a attempt.Attempt) {
	target, err := way.Begin(r.Context(), a)
	if err != nil {
		s.failed(w, r, v, way, a, err)
		return
	}
	if !isHTTP(target) {
		s.failed(w, r, v, way, a, errors.Join(fault.ErrMisconfigured, errors.New("the authorization URL is not an http address")))
		return
	}
	if err := s.attempts.Begin(w, r, a, v.secure()); err != nil {
		s.failed(w, r, v, way, a, err)
		return
	}
	s.goTo(w, r, target)
}

// clearBroken deletes a session cookie that opens no session.
func (s *Server) clearBroken(w http.ResponseWriter, r *http.Request, v *visit) {
	if v.session == nil && v.err == nil && s.sessions.HasCookie(r, v.secure()) {
		if err := s.sessions.End(w, r, v.secure()); err != nil {
			s.log.WarnContext(r.Context(), "auth: broken session cookie not cleared", "cause", err.Error())
		}
	}
}
