package web

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"

	"github.com/sallyport/auth/internal/fault"
	"github.com/sallyport/auth/session"
)

// The kinds of events. The root documents them.
const (
	SignedIn      = "signed_in"
	SignInFailed  = "sign_in_failed"
	SignedOut     = "signed_out"
	SessionsEnded = "sessions_ended"
	LoggedOut     = "logged_out"
	TokenIssued   = "token_issued"
	Updated       = "updated"
	Refused       = "refused"
	SessionFailed = "session_failed"
)

// Event is something that an audit trail wants to know. It has the fields of the
// root's Event, which documents them.
type Event struct {
	Kind      string
	Provider  string
	Issuer    string
	Subject   string
	Email     string
	Label     string
	Client    netip.Addr
	Reason    string
	RequestID string
	Err       error
}

// report logs e, which comes of r, and hands it to the application.
func (s *Server) report(r *http.Request, e Event) {
	e.Client = s.Client(r)
	s.publish(r.Context(), e)
}

func (s *Server) publish(ctx context.Context, e Event) {
	level, attrs := slog.LevelInfo, []slog.Attr{slog.String("provider", e.Provider)}
	if e.Subject != "" {
		attrs = append(attrs, slog.String("issuer", e.Issuer), slog.String("subject", e.Subject))
	}
	if e.Email != "" {
		attrs = append(attrs, slog.String("email", e.Email))
	}
	if e.Label != "" {
		attrs = append(attrs, slog.String("label", e.Label))
	}
	if e.Client.IsValid() {
		attrs = append(attrs, slog.String("client", e.Client.String()))
	}
	if e.Kind == SignInFailed || e.Kind == Refused || e.Kind == SessionFailed {
		level = slog.LevelWarn
		if e.Kind == SessionFailed { // the operator's to mend, and nobody else's
			level = slog.LevelError
		}
		attrs = append(attrs, slog.String("reason", e.Reason), slog.String("request_id", e.RequestID))
		if e.Err != nil {
			attrs = append(attrs, slog.String("cause", e.Err.Error()))
		}
	}
	s.log.LogAttrs(ctx, level, "auth: "+e.Kind, attrs...)
	if s.onEvent != nil {
		s.onEvent(ctx, e)
	}
}

// reportFailure tells of a sign-in that came to nothing, and returns the id that
// ties the log to the page that the person sees.
func (s *Server) reportFailure(r *http.Request, provider string, code fault.Code, err error) (id string) {
	e := Event{Kind: SignInFailed, Provider: provider, Reason: string(code), RequestID: requestID(), Err: err}
	var who *fault.Person
	if errors.As(err, &who) {
		e.Issuer, e.Subject, e.Email = who.Issuer, who.Subject, who.Email
	}
	s.report(r, e)
	return e.RequestID
}

// reportRefusal tells of what somebody who is signed in may not do, and returns
// such an id.
func (s *Server) reportRefusal(r *http.Request, who *session.Session, code fault.Code, err error) (id string) {
	e := eventOf(Refused, who)
	e.Reason, e.RequestID, e.Err = string(code), requestID(), err
	s.report(r, e)
	return e.RequestID
}

// reportOutage tells of a session that could not be read, written or ended, and returns
// such an id. e says whose it is, or where, as far as that is known.
func (s *Server) reportOutage(r *http.Request, e Event, code fault.Code, err error) (id string) {
	e.Kind, e.Reason, e.RequestID, e.Err = SessionFailed, string(code), requestID(), err
	s.report(r, e)
	return e.RequestID
}

// eventOf is an event about somebody who has a session: as the provider knows them,
// whatever the application made of the subject.
func eventOf(kind string, who *session.Session) Event {
	return Event{Kind: kind, Provider: who.Provider, Issuer: who.Issuer, Subject: cmp.Or(who.ProviderSubject, who.Subject), Email: who.Email}
}

// idLetters are those that nobody takes for another, read out or written down.
const idLetters = "34679ACDEFGHJKMNPRTWXY"

// requestID ties a page to the log: three groups of four, of 53 random bits.
func requestID() string {
	var id []byte
	for b := [1]byte{}; len(id) < 14; {
		if len(id) == 4 || len(id) == 9 {
			id = append(id, '-')
		}
		_, _ = rand.Read(b[:])                             // never fails: it ends the program instead
		if int(b[0]) < 256/len(idLetters)*len(idLetters) { // each letter as often as any
			id = append(id, idLetters[int(b[0])%len(idLetters)])
		}
	}
	return string(id)
}
