package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"

	"github.com/sallyport/auth/internal/fault"
	"github.com/sallyport/auth/session"
)

// visit is what this package knows of one request. It is worked out once, by the
// outermost middleware.
type visit struct {
	owner   *Server
	client  netip.Addr // for events that come when the request is over
	origin  *url.URL   // the public address of this server
	prefix  string     // the path below which the site is; "" at the root
	base    string     // the public path of the routes
	place   *place     // nil until it is asked for, where no address is configured
	session *session.Session
	err     error // why nothing could be decided

	decision *Decision // the backend's, if it was asked

	// foreign: the session is in no cookie of ours, so that none is renewed. It sees and ends
	// no others.
	foreign bool

	// borne: whoever sent the request knows what signs it in, a token or a code, which
	// no browser adds by itself as it does a cookie.
	borne bool

	// token: the session is an access token's, or that of a program's token.
	token bool

	// given: the context says whose request it is, in a test.
	given bool

	// elsewhere is somebody in whose name a page of another site sends something, or
	// opens a WebSocket, with this browser's cookies. Nobody is signed in for it.
	elsewhere *refused

	gone    bool // who had a session here may not be there any more
	unsure  bool // nobody can tell whether that is so
	changed bool // the application has changed the session, which is to be written

	stale error // why the provider's tokens were not made anew

	asked atomic.Bool // the application has asked who it is
	kept  atomic.Bool // the answer says whom it is for, for Require has seen to it

	// refused is somebody whom the backend knows and the application does not
	// admit. To sign in again would not help.
	refused *refused
}

type refused struct {
	who *session.Session
	err error
}

type visitKey struct{}

// FromContext returns the session of the request that ctx belongs to.
func FromContext(ctx context.Context) (s *session.Session, ok bool) {
	v := asking(ctx)
	if v == nil || v.session == nil {
		return nil, false
	}
	return v.session, true
}

// asking is the visit that ctx belongs to, or nil, for the application, whose answer
// then depends on it.
func asking(ctx context.Context) *visit {
	v, _ := ctx.Value(visitKey{}).(*visit)
	if v != nil && !v.asked.Load() {
		v.asked.Store(true)
	}
	return v
}

// BackendValue returns the [Decision].Value of the request that ctx belongs to,
// or nil.
func BackendValue(ctx context.Context) any {
	if v := asking(ctx); v != nil && v.decision != nil {
		return v.decision.Value
	}
	return nil
}

// forget makes the request one of nobody's, for the application too.
func (v *visit) forget() {
	v.session = nil
	if v.decision != nil {
		d := *v.decision
		d.Session, d.Value = nil, nil
		v.decision = &d
	}
}

func (v *visit) secure() bool { return v.origin.Scheme == "https" }

// address is where to, a path of the application or an address, is.
func (v *visit) address(to string) string {
	if strings.HasPrefix(to, "/") {
		return v.at().origin + to
	}
	return to
}

// look finds out who r comes from. A session of ours counts first, in a cookie and then as a
// token, and a program's token that does not count is the end of it; then an access
// code in a header, then an access token, then the backend is asked. The error is about the address of
// r; v.err is about the session.
func (s *Server) look(r *http.Request) (*visit, error) {
	origin, err := s.Origin(r)
	if err != nil {
		return nil, err
	}
	prefix := s.prefixOf(r)
	v := &visit{owner: s, origin: origin, prefix: prefix, base: s.base, place: s.place}
	if prefix != s.prefix {
		v.base = prefix + s.routes
	}
	if v.lookAtContext(r) {
		return v, nil
	}
	v.session, v.err = s.sessions.Load(r, v.secure())
	if v.session != nil && !s.stillOffered(v.session) {
		v.session = nil
	}
	s.lookWhetherThere(r, v)
	s.lookAtIssued(r, v)
	v.borne = v.session != nil && v.session.Bearer()
	if v.session == nil && v.err == nil {
		s.lookAtCode(r, v)
		v.borne = v.session != nil
	}
	if v.session == nil && v.err == nil {
		s.lookAtToken(r, v)
	}
	if v.session == nil && v.err == nil && v.refused == nil && s.backend != nil {
		s.askBackend(r, v)
	}
	return v, nil
}

// Origin returns the public address of this server: the configured one, or
// else what the request, and the proxies that are trusted, say of it.
func (s *Server) Origin(r *http.Request) (*url.URL, error) {
	if s.origin != nil {
		return s.origin, nil
	}
	scheme, host, err := s.proxies.Origin(r)
	if err != nil {
		return nil, err
	}
	if s.hosts != nil && !s.hosts.Contain(scheme, host) {
		return nil, errors.New("the host of the request is none of Config.AllowedHosts")
	}
	return &url.URL{Scheme: scheme, Host: host}, nil
}

// Client returns the address that r comes from, as far as the proxies that are
// trusted say. It is the zero address where nobody knows.
func (s *Server) Client(r *http.Request) netip.Addr { return s.proxies.Client(r) }

// stillOffered reports whether the way in which who was signed in is still there:
// its provider is configured, at the issuer that the session names, its access code not
// withdrawn. Another application with the same secret may have a provider of the name.
func (s *Server) stillOffered(who *session.Session) bool {
	switch {
	case who.Provider == "" || s.readOnly:
		return true // Auth.js signed in, or whoever else has the secret
	case who.Provider == session.AccessCode:
		return s.gate != nil && s.gate.Valid(who.Subject)
	}
	way := s.ways[who.Provider]
	return way != nil && (way.VouchesFor == nil || who.Issuer == "" || way.VouchesFor(who.Issuer))
}

// askBackend lets the backend decide about a request without a session of ours.
func (s *Server) askBackend(r *http.Request, v *visit) {
	origin := v.origin
	if v.prefix != "" {
		origin = &url.URL{Scheme: origin.Scheme, Host: origin.Host, Path: v.prefix}
	}
	d, err := s.backend.Authenticate(r, origin)
	switch {
	case errors.Is(err, fault.ErrNotAllowed):
		v.decision, v.refused = d, &refused{d.Session, err}
		v.forget()
	case errors.Is(err, fault.ErrClock):
		v.err = err
	case err != nil:
		v.err = fmt.Errorf("%w: %w", fault.ErrUnavailable, err)
	default:
		v.decision, v.session, v.foreign, v.borne = d, d.Session, d.Session != nil, borne(r)
	}
}

// onlyBackend reports whether people sign in at the backend's pages and nowhere
// else.
func (s *Server) onlyBackend() bool {
	return s.backend != nil && len(s.order) == 0 && s.gate == nil
}

// stay is follow for the routes: they answer for themselves, and send nobody on.
func (v *visit) stay(w http.ResponseWriter) {
	if v.decision != nil && v.decision.Location == "" {
		v.follow(w)
	}
}

// setsCookie reports whether follow adds a cookie.
func (v *visit) setsCookie() bool {
	return v.decision != nil && len(v.decision.Header["Set-Cookie"]) > 0
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
	if v.decision.Location == "" {
		return false
	}
	h.Add("Vary", v.owner.vary)
	h.Set("Location", v.decision.Location)
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusTemporaryRedirect)
	return true
}
