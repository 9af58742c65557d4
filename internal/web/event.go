package web

import (
	"crypto/rand"
	"encoding/base64"
	"log/slog"
	"net/http"
	"net/netip"

	"github.com/sallyport/auth/internal/fault"
	"github.com/sallyport/auth/session"
)

// The kinds of events. The root documents them.
const (
	SignedIn     = "signed_in"
	SignInFailed = "sign_in_failed"
	SignedOut    = "signed_out"
	Updated      = "updated"
	Refused      = "refused"
)

// Event is something that an audit trail wants to know. It has the fields of the
// root's Event, which documents them.
type Event struct {
	Kind      string
	Provider  string
	Issuer    string
	Subject   string
	Label     string
	Client    netip.Addr
	Reason    string
	RequestID string
	Err       error
}

// report logs e and hands it to the application.
func (s *Server) report(r *http.Request, e Event) {
	level, attrs := slog.LevelInfo, []slog.Attr{slog.String("provider", e.Provider)}
	if e.Subject != "" {
		attrs = append(attrs, slog.String("issuer", e.Issuer), slog.String("subject", e.Subject))
	}
	if e.Label != "" {
		attrs = append(attrs, slog.String("label", e.Label))
	}
	if e.Client.IsValid() {
		attrs = append(attrs, slog.String("client", e.Client.String()))
	}
	if e.Kind == SignInFailed || e.Kind == Refused {
		level = slog.LevelWarn
		attrs = append(attrs, slog.String("reason", e.Reason), slog.String("request_id", e.RequestID))
		if e.Err != nil {
			attrs = append(attrs, slog.String("cause", e.Err.Error()))
		}
	}
	s.log.LogAttrs(r.Context(), level, "auth: "+e.Kind, attrs...)
	if s.onEvent != nil {
		s.onEvent(r.Context(), e)
	}
}

// reportFailure tells of a sign-in that came to nothing, and returns the id that
// ties the log to the page that the person sees.
func (s *Server) reportFailure(r *http.Request, provider string, code fault.Code, err error) (id string) {
	id = requestID()
	s.report(r, Event{Kind: SignInFailed, Provider: provider, Reason: string(code), RequestID: id, Err: err})
	return id
}

// reportRefusal tells of what somebody who is signed in may not do, and returns
// such an id.
func (s *Server) reportRefusal(r *http.Request, who *session.Session, code fault.Code, err error) (id string) {
	id = requestID()
	s.report(r, Event{Kind: Refused, Provider: who.Provider, Issuer: who.Issuer, Subject: who.Subject, Reason: string(code), RequestID: id, Err: err})
	return id
}

func requestID() string {
	b := make([]byte, 9)
	_, _ = rand.Read(b) // never fails: it ends the program instead
	return base64.RawURLEncoding.EncodeToString(b)
}
