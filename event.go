package auth

import (
	"log/slog"
	"net/http"
	"net/netip"

	"github.com/sallyport/auth/session"
)

// EventKind says what an [Event] reports. The set is closed.
type EventKind string

// The kinds of events.
const (
	EventSignedIn     EventKind = "signed_in"
	EventSignInFailed EventKind = "sign_in_failed"
	EventSignedOut    EventKind = "signed_out"
	EventUpdated      EventKind = "updated" // a session was written anew because the browser asked: POST /session
	EventRefused      EventKind = "refused" // a Rule or an update refused somebody who is signed in
)

// Event is something that an audit trail wants to know. It holds no secret.
type Event struct {
	Kind      EventKind
	Provider  string // the provider's name; may be empty
	Issuer    string // with Subject, who it is; empty when nobody was identified
	Subject   string
	Label     string     // of a sign-in by access code: which
	Client    netip.Addr // of an attempt by access code: where it came from
	Reason    string     // of EventSignInFailed and EventRefused: a code from the closed set of the error page
	RequestID string     // of the same: what the person's error page shows
	Err       error      // of the same: the cause
}

func (a *Authenticator) report(r *http.Request, e Event) {
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
	if e.Kind == EventSignInFailed || e.Kind == EventRefused {
		level = slog.LevelWarn
		attrs = append(attrs, slog.String("reason", e.Reason), slog.String("request_id", e.RequestID))
		if e.Err != nil {
			attrs = append(attrs, slog.String("cause", e.Err.Error()))
		}
	}
	a.log.LogAttrs(r.Context(), level, "auth: "+string(e.Kind), attrs...)
	if a.onEvent != nil {
		a.onEvent(r.Context(), e)
	}
}

// reportRefusal tells of what somebody who is signed in may not do, and returns
// the id that ties the log to what the person sees.
func (a *Authenticator) reportRefusal(r *http.Request, s *session.Session, code string, err error) (id string) {
	id = randomText(9)
	a.report(r, Event{Kind: EventRefused, Provider: s.Provider, Issuer: s.Issuer, Subject: s.Subject, Reason: code, RequestID: id, Err: err})
	return id
}
