package auth

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/sallyport/auth/internal/returnto"
	"github.com/sallyport/auth/session"
)

// visit is what this package knows of one request. It is worked out once, by
// the outermost middleware.
type visit struct {
	owner   *Authenticator
	origin  *url.URL // the public address of this server
	session *session.Session
	err     error // why nothing could be decided

	// foreign: the session is in no cookie of ours, so that none is renewed.
	foreign  bool
	decision *Decision // the backend's, if it was asked
}

func (v *visit) secure() bool { return v.origin.Scheme == "https" }

// address is where to, a path of the application or an address, is.
func (v *visit) address(to string) string {
	if strings.HasPrefix(to, "/") {
		return v.origin.String() + to
	}
	return to
}

type visitKey struct{}

// FromContext returns the session of the request that ctx belongs to. ok is
// false when nobody is signed in.
func FromContext(ctx context.Context) (s *session.Session, ok bool) {
	v, ok := ctx.Value(visitKey{}).(*visit)
	if !ok || v.session == nil {
		return nil, false
	}
	return v.session, true
}

// Require answers the routes itself and lets only signed-in people reach next.
//
// Without a session, a navigation (GET or HEAD, for a document) is answered 303
// to the sign-in page and returns to the same path and query afterwards.
// Everything else, fetch, prefetch, an API client, a form, gets 401 with
// WWW-Authenticate (RFC 9110 11.6.1) and a JSON body. A WebSocket upgrade from
// another origin gets 403. When it cannot be decided whether somebody is signed
// in, because the session store is down, everything gets 503.
//
// What next answers is kept out of caches unless next says otherwise. The
// request's body and the answer are left alone.
func (a *Authenticator) Require(next http.Handler) http.Handler {
	return a.middleware(next, a.admitSignedIn)
}

func (a *Authenticator) admitSignedIn(w http.ResponseWriter, r *http.Request, v *visit) bool {
	switch {
	case v.err != nil:
		a.undecided(w, r, v)
	case v.session == nil:
		a.challenge(w, r, v)
	case isUpgrade(r) && !upgradeAllowed(r, v.origin):
		a.writeJSON(w, http.StatusForbidden, problem{"forbidden", "This connection comes from another site."})
	default:
		return true
	}
	return false
}

// Identify answers the routes itself and lets everybody reach next, which
// learns from [FromContext] who it is, if anybody.
func (a *Authenticator) Identify(next http.Handler) http.Handler {
	return a.middleware(next, func(http.ResponseWriter, *http.Request, *visit) bool { return true })
}

func (a *Authenticator) middleware(next http.Handler, admit func(http.ResponseWriter, *http.Request, *visit) bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if v, ok := r.Context().Value(visitKey{}).(*visit); ok && v.owner == a {
			if admit(w, r, v) {
				next.ServeHTTP(w, r)
			}
			return
		}
		if a.isRoute(r.URL.Path) {
			a.ServeHTTP(w, r)
			return
		}
		v, err := a.look(r)
		if err != nil {
			a.badHost(w, r, err)
			return
		}
		h := w.Header()
		h.Add("Vary", "Cookie")
		if v.follow(w) {
			return
		}
		if !admit(w, r, v) {
			return
		}
		if v.session != nil {
			h.Set("Cache-Control", "private, no-store")
			w = a.renew(w, r, v)
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), visitKey{}, v)))
	})
}

// look finds out who r comes from. The error is about the address of r; v.err
// is about the session.
func (a *Authenticator) look(r *http.Request) (*visit, error) {
	origin, err := a.originOf(r)
	if err != nil {
		return nil, err
	}
	v := &visit{owner: a, origin: origin}
	v.session, v.err = a.sessions.Load(r, v.secure())
	if v.session != nil && !a.stillOffered(v.session) {
		v.session = nil
	}
	if v.session == nil && v.err == nil {
		a.lookAtCode(r, v)
	}
	if v.session == nil && v.err == nil && a.backend != nil {
		a.askBackend(r, v)
	}
	return v, nil
}

// stillOffered reports whether the way in which s was signed in is still there:
// its provider is configured, its access code not withdrawn.
func (a *Authenticator) stillOffered(s *session.Session) bool {
	switch {
	case s.Provider == "" || a.readOnly:
		return true // Auth.js signed in, or whoever else has the secret
	case s.Provider == AccessCode:
		return a.code != nil && a.code.Valid(s.Subject)
	default:
		return a.providers[s.Provider] != nil
	}
}

// renew re-issues a session that is due. Only then is w wrapped, so that no
// cache keeps an answer that carries the new cookie.
func (a *Authenticator) renew(w http.ResponseWriter, r *http.Request, v *visit) http.ResponseWriter {
	if v.foreign || a.readOnly || isUpgrade(r) || !a.sessions.Due(v.session) {
		return w
	}
	if err := a.sessions.Renew(w, r, v.session, v.secure()); err != nil {
		a.log.WarnContext(r.Context(), "auth: session not renewed", "cause", err.Error())
		return w
	}
	return &uncached{ResponseWriter: w}
}

// challenge answers somebody who is not signed in.
func (a *Authenticator) challenge(w http.ResponseWriter, r *http.Request, v *visit) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Add("Vary", "Accept, Sec-Fetch-Mode, Sec-Fetch-Dest")
	if !isNavigation(r) {
		w.Header().Set("WWW-Authenticate", `Cookie realm="`+v.origin.Host+`", form-action="`+a.base+`/signin"`)
		a.writeJSON(w, http.StatusUnauthorized, problem{"unauthorized", "Not signed in. Sign in at " + v.origin.String() + a.base + "/signin"})
		return
	}
	if a.onlyBackend() {
		redirect(w, a.backend.SignInURL(v.decision, v.origin.String()+a.currentPath(r)))
		return
	}
	target := v.origin.String() + a.base + "/signin"
	if a.signInURL != "" {
		target = v.origin.String() + a.signInURL
	}
	q := url.Values{"callbackUrl": {a.currentPath(r)}}
	redirect(w, target+"?"+q.Encode())
}

// currentPath is the path and query that the browser asked for, whatever an
// outer http.StripPrefix made of r.URL.
func (a *Authenticator) currentPath(r *http.Request) string {
	raw := r.RequestURI
	if !strings.HasPrefix(raw, "/") {
		raw = r.URL.RequestURI()
	}
	path, ok := returnto.Clean(raw, a.base)
	if !ok {
		return "/"
	}
	return path
}

// undecided answers a request of which the store could not tell whose it is.
func (a *Authenticator) undecided(w http.ResponseWriter, r *http.Request, v *visit) {
	if a.refuseAPICode(w, v) {
		return
	}
	w.Header().Set("Retry-After", "5")
	if isNavigation(r) {
		id := a.logFailure(r, "", codeStoreUnavailable, v.err)
		a.pages.error(w, r, http.StatusServiceUnavailable, errorPage{BasePath: a.base, Code: codeStoreUnavailable, RequestID: id}, nil)
		return
	}
	a.logFailure(r, "", codeStoreUnavailable, v.err)
	a.writeJSON(w, http.StatusServiceUnavailable, problem{"unavailable", "Sessions cannot be read at the moment. Try again later."})
}

func (a *Authenticator) badHost(w http.ResponseWriter, r *http.Request, err error) {
	a.log.WarnContext(r.Context(), "auth: the address of a request cannot be told; set Config.URL (NEXTAUTH_URL)", "cause", err.Error())
	a.writeJSON(w, http.StatusBadRequest, problem{"bad_request", "The host of this request is not valid."})
}

type problem struct {
	Error   string `json:"error"`
	Message string `json:"message"`
}

func (a *Authenticator) writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		a.log.Error("auth: JSON", "cause", err.Error())
		status, body = http.StatusInternalServerError, []byte("null")
	}
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "private, no-cache, no-store")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// redirect sends the browser to location with GET, whatever it came with.
func redirect(w http.ResponseWriter, location string) {
	h := w.Header()
	h.Set("Location", location)
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "same-origin")
	w.WriteHeader(http.StatusSeeOther)
}
