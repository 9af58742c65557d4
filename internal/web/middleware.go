package web

import (
	"cmp"
	"context"
	"errors"
	"net/http"

	"github.com/sallyport/auth/internal/fault"
	"github.com/sallyport/auth/session"
)

// admit decides whether the application sees a request. Where it does not, admit
// has answered it.
type admit func(w http.ResponseWriter, r *http.Request, v *visit) bool

// Require answers the routes itself and lets only signed-in people reach next.
func (s *Server) Require(next http.Handler) http.Handler {
	return s.middleware(next, s.admitSignedIn)
}

// Identify answers the routes itself and lets everybody reach next.
func (s *Server) Identify(next http.Handler) http.Handler {
	return s.middleware(next, func(http.ResponseWriter, *http.Request, *visit) bool { return true })
}

func (s *Server) middleware(next http.Handler, admit admit) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if v, ok := r.Context().Value(visitKey{}).(*visit); ok && v.owner == s {
			if admit(w, r, v) {
				next.ServeHTTP(w, r)
			}
			return
		}
		if _, ok := s.route(r.URL.Path, s.prefixOf(r)); ok {
			s.ServeHTTP(w, r)
			return
		}
		if s.answerResource(w, r) {
			return
		}
		v, err := s.look(r)
		if err != nil {
			s.badHost(w, r, err)
			return
		}
		s.lookWhereFrom(r, v)
		s.refreshInCookie(r, v)
		s.endGone(w, r, v)
		before := get(w.Header(), "Cache-Control")
		if v.follow(w) || !admit(w, r, v) {
			return
		}
		var g *guarded
		if cookie := s.renew(w, r, v) || v.setsCookie(); cookie || !v.kept.Load() && !isUpgrade(r) {
			g = &guarded{ResponseWriter: w, v: v, cookie: cookie, before: before, keep: keep(r)}
			w = g.like(w)
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), visitKey{}, v)))
		if g != nil {
			g.finish()
		}
	})
}

func (s *Server) admitSignedIn(w http.ResponseWriter, r *http.Request, v *visit) bool {
	if !v.kept.Swap(true) {
		keeps := ""
		if v.session != nil {
			keeps = keep(r)
		}
		v.keepFrom(w.Header(), keeps)
	}
	switch {
	case v.err != nil:
		s.undecided(w, r, v)
	case v.elsewhere != nil:
		s.refuseElsewhere(w, r, v)
	case v.refused != nil:
		s.turnAway(w, r, v, v.refused.who, fault.AccessDenied, v.refused.err, "Signed in, but this site does not admit the account.")
	case v.session == nil && s.passPreflight && isPreflight(r):
		return true
	case v.session == nil:
		s.challenge(w, r, v, nil)
	default:
		return true
	}
	return false
}

// turnAway answers who, who is signed in and may not see this: because of err, which
// code stands for on a page and message for a script.
func (s *Server) turnAway(w http.ResponseWriter, r *http.Request, v *visit, who *session.Session, code fault.Code, err error, message string) {
	id := s.reportRefusal(r, who, code, err)
	w.Header().Set("Cache-Control", "no-store")
	if readsPages(r) {
		s.pages.error(w, r, http.StatusForbidden, errorPage{Visit: v, Code: code, RequestID: id, Name: cmp.Or(who.Email, who.Username, who.Name), CallbackURL: s.currentPath(r, v)}, nil)
		return
	}
	s.writeJSON(w, http.StatusForbidden, problem{"forbidden", message})
}

// undecided answers a request of which nobody can tell at the moment whose it is:
// the session store, the backend or the limiter of access codes is down, or a clock is
// wrong. Nobody is let in, and nobody is asked to sign in, which would not help.
func (s *Server) undecided(w http.ResponseWriter, r *http.Request, v *visit) {
	var limited *fault.Limited
	switch {
	case errors.As(v.err, &limited):
		setRetryAfter(w, 0, limited)
		what := "access codes"
		if errors.Is(v.err, fault.ErrTooMany) {
			what = "access tokens"
		}
		s.writeJSON(w, http.StatusTooManyRequests, problem{"rate_limited", "Too many wrong " + what + ". Try again later."})
		return
	case errors.Is(v.err, fault.ErrInvalidToken):
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Www-Authenticate", s.tokenChallenge(r, v, `error="invalid_token"`))
		s.writeJSON(w, http.StatusUnauthorized, problem{"invalid_token", "The access token is not valid, or not for this API."})
		return
	case errors.Is(v.err, fault.ErrWrongCode): // RFC 6750 3
		w.Header().Set("Www-Authenticate", `Bearer realm="`+v.origin.Host+`", error="invalid_token"`)
		s.writeJSON(w, http.StatusUnauthorized, problem{"unauthorized", "The access code is wrong."})
		return
	}
	code, status, message := fault.StoreUnavailable, http.StatusServiceUnavailable, "Sessions cannot be read at the moment. Try again later."
	if errors.Is(v.err, fault.ErrClock) {
		code, status = fault.Of(v.err)
		message = "The clocks of this site and of the sign-in service disagree."
	} else {
		w.Header().Set("Retry-After", "5")
	}
	id := s.reportOutage(r, Event{}, code, v.err)
	if readsPages(r) {
		s.pages.error(w, r, status, errorPage{Visit: v, Code: code, RequestID: id}, nil)
		return
	}
	s.writeJSON(w, status, problem{"unavailable", message})
}

func (s *Server) badHost(w http.ResponseWriter, r *http.Request, err error) {
	s.log.WarnContext(r.Context(), "auth: the address of a request cannot be told; set Config.URL (NEXTAUTH_URL)", "cause", err.Error())
	s.writeJSON(w, http.StatusBadRequest, problem{"bad_request", "The host of this request is not valid."})
}
