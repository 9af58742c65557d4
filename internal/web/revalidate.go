package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"time"

	"github.com/sallyport/auth/internal/fault"
	"github.com/sallyport/auth/session"
)

// revalidation is how long the application may take to say whether somebody may still
// be there.
const revalidation = 5 * time.Second

const (
	// askAgain is how long a request of somebody of whom nobody can tell is not made to
	// wait for the next answer.
	askAgain = 10 * time.Second

	// maxAnswers bounds those that are remembered in each half.
	maxAnswers = 1 << 15
)

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

// said is what the application said of a session last, and until when that counts.
type said struct {
	until time.Time
	err   error // it did not say whether the person may still be there
}

// lookWhetherThere asks about somebody whose session is to be renewed, or of whom the
// application has not said anything for long. Who may not be there any more is nobody, and
// endGone sees to it that they stay so; while nobody can tell, the session is left as it is.
func (s *Server) lookWhetherThere(r *http.Request, v *visit) {
	who := v.session
	if s.revalidate == nil || who == nil || v.foreign || s.readOnly {
		return
	}
	last, known := s.answers.Get(who.ID)
	known = known && who.ID != "" && s.now().Before(last.until)
	due, every := s.sessions.Due(who), s.askedEvery(who)
	switch {
	case known && (last.err != nil || every > 0):
		v.unsure = last.err != nil
		return
	case !due && every == 0:
		return
	}
	before := *who
	err := s.stillThere(r.Context(), who)
	switch {
	case err == nil:
		s.remember(who, nil)
		if who.TokenLabel != "" {
			*who = before // nothing is written, and no request is another than the next
			return
		}
		v.changed = !reflect.DeepEqual(&before, who)
	case errors.Is(err, fault.ErrNotAllowed):
		s.reportRefusal(r, who, fault.AccessDenied, fmt.Errorf("Session.Revalidate: %w", err))
		v.session, v.gone = nil, true
	default:
		s.log.WarnContext(r.Context(), "auth: nobody can tell whether somebody may still be there; their session is not renewed",
			"provider", who.Provider, "subject", who.Subject, "cause", err.Error())
		s.remember(who, err)
		*who, v.unsure = before, true
	}
}

// askedEvery is how long an answer about who counts; with 0, until their session is renewed.
func (s *Server) askedEvery(who *session.Session) time.Duration {
	if s.revalidateEvery == 0 && who.TokenLabel != "" {
		return tokenAsked
	}
	return s.revalidateEvery
}

// remember is what the application has said of who, for as long as it counts.
func (s *Server) remember(who *session.Session, err error) {
	counts := s.askedEvery(who)
	if err != nil && (counts == 0 || counts > askAgain) {
		counts = askAgain
	}
	s.answers.Put(who.ID, said{s.now().Add(counts), err}, 1, maxAnswers)
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
