package auth

import (
	"fmt"
	"net/http"

	"github.com/sallyport/auth/session"
)

// Rule decides whether a session is good enough for a route: nil for yes, an
// error that wraps [ErrNotAllowed] for no; any other error refuses too. It is
// called for each request and is safe for concurrent use.
type Rule func(s *session.Session) error

// Identified is a [Rule] that wants somebody for whom a provider vouches: an
// access code says only that somebody knows it.
func Identified(s *session.Session) error {
	if s.Provider == AccessCode {
		return fmt.Errorf("%w: signed in with an access code, and this asks for a person", ErrNotAllowed)
	}
	return nil
}

// RequireRule is [Authenticator.Require] for those whom rule admits. Others who
// are signed in get 403.
func (a *Authenticator) RequireRule(rule Rule, next http.Handler) http.Handler {
	return a.middleware(next, func(w http.ResponseWriter, r *http.Request, v *visit) bool {
		if !a.admitSignedIn(w, r, v) {
			return false
		}
		err := rule(v.session)
		if err == nil {
			return true
		}
		id := a.reportRefusal(r, v.session, codeAnotherWay, err)
		w.Header().Set("Cache-Control", "no-store")
		if isNavigation(r) {
			a.pages.error(w, r, http.StatusForbidden, errorPage{BasePath: a.base, Code: codeAnotherWay, RequestID: id, CallbackURL: a.currentPath(r)}, nil)
			return false
		}
		a.writeJSON(w, http.StatusForbidden, problem{"forbidden", "Signed in, but not in a way that this asks for."})
		return false
	})
}
