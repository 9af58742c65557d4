package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/sallyport/auth/internal/fault"
	"github.com/sallyport/auth/session"
)

// revalidation is how long the application may take to say whether somebody may still
// be there.
const revalidation = 5 * time.Second

// stillThere asks the application about who. A panic is an error: it must not take the
// request of somebody with it who has done nothing.
func (s *Server) stillThere(ctx context.Context, who *session.Session) (err error) {
	if s.revalidate == nil {
		return nil
	}
	ctx, done := context.WithTimeout(ctx, revalidation)
	defer done()
	defer func() {
		if problem := recover(); problem != nil {
			err = fmt.Errorf("panic: %v", problem)
		}
	}()
	return s.revalidate(ctx, who)
}

// lookWhetherThere asks about somebody whose session is to be renewed. Who may not be
// there any more is nobody, and endGone sees to it that they stay so; while nobody can
// tell, the session is left as it is.
func (s *Server) lookWhetherThere(r *http.Request, v *visit) {
	if s.revalidate == nil || v.session == nil || v.foreign || s.readOnly || !s.sessions.Due(v.session) {
		return
	}
	err := s.stillThere(r.Context(), v.session)
	switch {
	case err == nil:
	case errors.Is(err, fault.ErrNotAllowed):
		s.reportRefusal(r, v.session, fault.AccessDenied, fmt.Errorf("Session.Revalidate: %w", err))
		v.session, v.gone = nil, true
	default:
		s.log.WarnContext(r.Context(), "auth: nobody can tell whether somebody may still be there; their session is not renewed",
			"provider", v.session.Provider, "subject", v.session.Subject, "cause", err.Error())
		v.unsure = true
	}
}

// endGone ends the session of somebody who may not be there any more. The routes that
// tell who somebody is delete a cookie without a session by themselves.
func (s *Server) endGone(w http.ResponseWriter, r *http.Request, v *visit) {
	if !v.gone {
		return
	}
	if err := s.sessions.End(w, r, v.secure()); err != nil {
		s.log.WarnContext(r.Context(), "auth: session not ended", "cause", err.Error())
	}
}
