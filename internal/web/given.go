package web

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/sallyport/auth/session"
)

// Package authtest says in the context of a request whose it is, or that somebody is to be
// signed in. Nothing that comes over a network gets into a context, and the keys are this
// package's, so that no program outside of this module can make either.

// nowhere is the server of what is not behind one: it makes no provider's tokens anew.
var nowhere = &Server{now: time.Now, tokensInCookie: true}

// NewContext is ctx for requests of who, whatever they bring. Nobody is asked whether that
// is so, and nothing is written of it.
func NewContext(ctx context.Context, who *session.Session) context.Context {
	return context.WithValue(ctx, visitKey{}, &visit{owner: nowhere, session: who, given: true})
}

// lookAtContext takes who r's context says that it comes from, and reports whether it does.
func (v *visit) lookAtContext(r *http.Request) bool {
	before, ok := r.Context().Value(visitKey{}).(*visit)
	if !ok || !before.given {
		return false
	}
	v.session, v.given = before.session, true
	if v.session != nil && v.session.Bearer() {
		v.foreign, v.borne, v.token = true, true, true
	}
	return true
}

// entry is somebody whom a server is to sign in, and what has come of it.
type entry struct {
	who *session.Session
	err error
}

type entryKey struct{}

// SignIn has the [Server] behind h begin a session of who in answer to r, whatever r's path,
// as at the end of a sign-in. Policies are not asked.
func SignIn(h http.Handler, w http.ResponseWriter, r *http.Request, who *session.Session) error {
	e := &entry{who: who}
	h.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), entryKey{}, e)))
	return e.err
}

// enter begins the session of who. One that no request would find again is an error.
func (s *Server) enter(w http.ResponseWriter, r *http.Request, who *session.Session) error {
	v, err := s.look(r)
	if err != nil {
		return err
	}
	if !s.stillOffered(who) {
		return fmt.Errorf("no request would find the session: Provider %q, with Issuer %q and Subject %q, is no way in of this configuration", who.Provider, who.Issuer, who.Subject)
	}
	return s.begin(w, r, v, &Admitted{Session: who})
}
