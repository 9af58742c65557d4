package web

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/sallyport/auth/internal/attempt"
	"github.com/sallyport/auth/internal/fault"
	"github.com/sallyport/auth/internal/hostcookie"
	"github.com/sallyport/auth/session"
)

// justNow is how long somebody has just signed in: from the callback to the page that
// they return to.
const justNow = time.Minute

// RequireRule returns the middleware that is [Server.Require] for those whom rule
// admits. What others get who are signed in, the rule's error says.
func (s *Server) RequireRule(rule func(*session.Session) error) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return s.middleware(next, func(w http.ResponseWriter, r *http.Request, v *visit) bool {
			if !s.admitSignedIn(w, r, v) {
				return false
			}
			if v.session == nil {
				return true // a preflight, which nobody sends
			}
			who := v.session
			if !v.given {
				dated := *who // the backend may keep its own
				dated.AsOf = s.now()
				who = &dated
			}
			err := rule(who)
			if err != nil {
				s.answerRule(w, r, v, err)
			}
			return err == nil
		})
	}
}

// answerRule answers somebody who is signed in and whom a rule refuses with err: as err
// itself answers, with the way to sign in again, or with 403.
func (s *Server) answerRule(w http.ResponseWriter, r *http.Request, v *visit, err error) {
	var own http.Handler
	var scope *fault.Scope
	switch {
	case errors.As(err, &own):
		s.reportRefusal(r, v.session, fault.AnotherWay, err)
		w.Header().Set("Cache-Control", "no-store")
		own.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), visitKey{}, v)))
	case v.token && errors.As(err, &scope):
		s.reportRefusal(r, v.session, fault.AnotherWay, err)
		w.Header().Set("Www-Authenticate", s.tokenChallenge(r, v, scope.Challenge()))
		s.writeJSON(w, http.StatusForbidden, problem{"insufficient_scope", "The access token is not for this. It needs: " + scope.Wanted})
	case errors.Is(err, fault.ErrSignInAgain) && s.signInAgain(w, r, v, err):
	default:
		s.turnAway(w, r, v, v.session, fault.AnotherWay, err, "Signed in, but not in a way that this asks for.")
	}
}

// signInAgain has somebody sign in again: by the same provider, where it can be told to
// ask, and otherwise by the page with every way in. Whatever is no navigation is answered
// as if nobody were signed in. It reports false, and has done nothing, where that would
// not help: for somebody who has just done so, and for the backend's people, whom the
// backend would send back as they are.
//
// The cookie says which session was sent away, and from where. It is no secret and proves
// nothing: whoever forges it has themselves refused.
func (s *Server) signInAgain(w http.ResponseWriter, r *http.Request, v *visit, cause error) bool {
	if v.foreign && !v.token {
		return false
	}
	wish := fault.StepUpOf(cause)
	if v.token || !isNavigation(r) {
		s.challenge(w, r, v, wish)
		return true
	}
	name := hostcookie.Name(s.againCookie, v.secure())
	page, who := againMark(r.URL.Path), againMark(v.session.ID)
	fresh := v.session.AuthTime.IsZero() || s.now().Sub(v.session.AuthTime) < justNow
	c, err := r.Cookie(name)
	if err == nil && fresh && strings.HasPrefix(c.Value, page) && c.Value != page+who {
		http.SetCookie(w, hostcookie.New(name, "", -1, v.secure(), s.sameSiteNone))
		return false
	}
	http.SetCookie(w, hostcookie.New(name, page+who, int(attempt.Life/time.Second), v.secure(), s.sameSiteNone))
	s.log.InfoContext(r.Context(), "auth: sign in again", "provider", v.session.Provider, "cause", cause.Error())
	if way := s.ways[v.session.Provider]; way != nil && way.LoginPrompt != "" && r.Method == "GET" {
		params := url.Values{}
		if wish != nil {
			params = wish.Params()
		}
		params.Set("prompt", way.LoginPrompt)
		s.start(w, r, v, way, s.attempts.New(way.Name, s.callbackURL(v, way), s.currentPath(r, v), params, false))
		return true
	}
	s.sendToSignIn(w, r, v)
	return true
}

// againMark is a short form of text, for a cookie.
func againMark(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}
