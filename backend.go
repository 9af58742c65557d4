package auth

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/sallyport/auth/session"
)

// A Backend decides about requests by itself, with sessions that are not this
// package's: clerk.New. It is safe for concurrent use.
type Backend interface {
	// Authenticate decides who sent r. origin is r's public address. An error
	// means that nobody can tell: the request is answered 503.
	Authenticate(r *http.Request, origin *url.URL) (*Decision, error)

	// SignInURL is where to send a person who has to sign in and then come back
	// to returnTo, a URL of the application. d is what was decided about the
	// request.
	SignInURL(d *Decision, returnTo string) string

	// SignOut ends s. secure says that the public URL is https.
	SignOut(w http.ResponseWriter, r *http.Request, s *session.Session, secure bool) error
}

// Decision is a [Backend]'s.
type Decision struct {
	Session  *session.Session // nil when nobody is signed in
	Header   http.Header      // to answer with
	Location string           // where the browser has to go first, with 307; empty for nowhere
	Value    any              // what [BackendValue] returns
}

// BackendValue returns the [Decision].Value of the request that ctx belongs to,
// or nil. Packages of backends use it for functions with types of their own.
func BackendValue(ctx context.Context) any {
	if v, ok := ctx.Value(visitKey{}).(*visit); ok && v.decision != nil {
		return v.decision.Value
	}
	return nil
}

// onlyBackend reports whether people sign in at the backend's pages and nowhere
// else.
func (a *Authenticator) onlyBackend() bool {
	return a.backend != nil && len(a.order) == 0 && a.code == nil
}

// askBackend lets the backend decide about a request without a session of ours.
func (a *Authenticator) askBackend(r *http.Request, v *visit) {
	d, err := a.backend.Authenticate(r, v.origin)
	if err != nil {
		v.err = fmt.Errorf("%w: %w", ErrUnavailable, err)
		return
	}
	v.decision, v.session, v.foreign = d, d.Session, d.Session != nil
}

// stay is follow for the routes: they answer for themselves, and send nobody on.
func (v *visit) stay(w http.ResponseWriter) {
	if v.decision != nil && v.decision.Location == "" {
		v.follow(w)
	}
}

// follow adds what the backend wants answered, and reports whether that is all.
func (v *visit) follow(w http.ResponseWriter) (done bool) {
	if v.decision == nil {
		return false
	}
	h := w.Header()
	for name, values := range v.decision.Header {
		h[name] = append(h[name], values...)
	}
	if len(h["Set-Cookie"]) > 0 {
		h.Set("Cache-Control", "no-store")
	}
	if v.decision.Location == "" {
		return false
	}
	h.Set("Location", v.decision.Location)
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusTemporaryRedirect)
	return true
}
