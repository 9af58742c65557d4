package auth

import (
	"context"
	"net/http"
	"net/netip"
	"net/url"

	"github.com/sallyport/auth/internal/controlchar"
	"github.com/sallyport/auth/internal/web"
	"github.com/sallyport/auth/session"
)

// A Backend decides about requests by itself, with sessions that are not this
// package's: clerk.New. It is asked where a request brings no session of ours, and
// is safe for concurrent use.
type Backend interface {
	// Authenticate decides who sent r. origin is r's public address: scheme and host,
	// and as its path the prefix of the site, if that has one, which a proxy may have
	// taken off r.URL. It must not be changed. An error means that nobody can tell: the
	// request is answered 503, or, where the error wraps [ErrClock], with the page that
	// says that a clock is wrong.
	Authenticate(r *http.Request, origin *url.URL) (*Decision, error)

	// SignInURL is where to send a person who has to sign in and then come back
	// to returnTo, a URL of the application. d is what was decided about the
	// request; it may be nil.
	SignInURL(d *Decision, returnTo string) string

	// SignOut ends s. secure says that the public URL is https, which decides the
	// names of cookies.
	SignOut(w http.ResponseWriter, r *http.Request, s *session.Session, secure bool) error
}

// ClientAware is a [Backend] that asks which address a request comes from, for a
// limit, a log or a header of its own.
type ClientAware interface {
	// UseClient hands in client, which looks at forwarding headers as
	// [Config].TrustedProxies and [Config].Forwarded say. [New] calls it, once and
	// only if it returns no error; of two Authenticators with one Backend the last
	// counts. Requests may be under way. client is safe for concurrent use; it returns
	// the zero address where nobody knows.
	UseClient(client func(r *http.Request) netip.Addr)
}

// Decision is what a [Backend] decides about one request.
type Decision struct {
	Session  *session.Session // nil when nobody is signed in
	Header   http.Header      // to answer with
	Location string           // where the browser has to go first, with 307; empty for nowhere
	Value    any              // what [BackendValue] returns
}

// BackendValue returns the [Decision].Value of the request that ctx belongs to,
// or nil. Packages of backends use it for functions with types of their own.
func BackendValue(ctx context.Context) any { return web.BackendValue(ctx) }

// backend is a [Backend] as the routes see it.
type backend struct {
	Backend
	policy Policy
}

// Authenticate implements [web.Backend]. A session is held to the same rules as
// one of a provider: see [checked]. Where the policy refuses it, the error wraps
// [ErrNotAllowed], and the decision says whom.
func (b backend) Authenticate(r *http.Request, origin *url.URL) (*web.Decision, error) {
	d, err := b.Backend.Authenticate(r, origin)
	if err != nil {
		return nil, err
	}
	if d.Session != nil && !clean(d.Session) {
		d = cleaned(d)
	}
	if d.Session != nil && b.policy != nil {
		err = ask(r.Context(), b.policy, d.Session.Provider, identityOf(d.Session))
	}
	return (*web.Decision)(d), err
}

// SignInURL implements [web.Backend].
func (b backend) SignInURL(d *web.Decision, returnTo string) string {
	return b.Backend.SignInURL((*Decision)(d), returnTo)
}

// identityOf is what s says of somebody.
func identityOf(s *session.Session) *Identity {
	return &Identity{
		Issuer: s.Issuer, Subject: s.Subject, Name: s.Name, Username: s.Username,
		Email: s.Email, EmailVerified: s.EmailVerified, Picture: s.Picture, Groups: s.Groups, Claims: s.Claims(),
	}
}

// clean reports whether nothing in s has to go, which is so for all but a few. It is
// [checked] without a copy.
func clean(s *session.Session) bool {
	if s.Issuer == "" || s.Subject == "" || len(s.Subject) > maxSubject || s.Picture != "" && !showable(s.Picture) {
		return false
	}
	for _, text := range [...]string{s.Subject, s.Issuer, s.Name, s.Username, s.Email, s.Picture} {
		if controlchar.In(text) {
			return false
		}
	}
	for _, g := range s.Groups {
		if controlchar.In(g) {
			return false
		}
	}
	return true
}

// cleaned is d with a clean session, or without one. It changes a copy: the
// backend may keep what it decided.
func cleaned(d *Decision) *Decision {
	copied, s := *d, *d.Session
	id, err := checked(identityOf(&s))
	if err != nil {
		copied.Session, copied.Value = nil, nil
		return &copied
	}
	s.Name, s.Username, s.Email, s.EmailVerified = id.Name, id.Username, id.Email, id.EmailVerified
	s.Picture, s.Groups = id.Picture, id.Groups
	copied.Session = &s
	return &copied
}
