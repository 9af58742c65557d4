package auth

import (
	"context"
	"net/netip"

	"github.com/sallyport/auth/internal/web"
)

// EventKind says what an [Event] reports. The set is closed; its texts are what
// the log lines say too.
type EventKind string

// The kinds of events.
const (
	EventSignedIn      EventKind = "signed_in"      // somebody has a new session
	EventSignInFailed  EventKind = "sign_in_failed" // an attempt came to nothing, or a form was not ours
	EventSignedOut     EventKind = "signed_out"     // somebody ended their session
	EventSessionsEnded EventKind = "sessions_ended" // somebody ended other sessions of theirs: POST /sessions
	EventTokenIssued   EventKind = "token_issued"   // a program has a token for a session of its own: IssueToken
	EventLoggedOut     EventKind = "logged_out"     // a provider said that somebody has signed out there; Subject may be empty
	EventUpdated       EventKind = "updated"        // a session was written anew because the browser asked: POST /session
	EventRefused       EventKind = "refused"        // a Rule, an update or the provider refused somebody who is signed in
	EventSessionFailed EventKind = "session_failed" // a session could not be read, written or ended: the store, the backend or a clock fails
)

// Event is something that an audit trail wants to know. It holds no secret: no
// token, no code, nothing that a person typed.
type Event struct {
	Kind     EventKind // what has happened
	Provider string    // the provider's name, or AccessCode; may be empty

	// Issuer and Subject are who it is, as the provider has it, whatever Config.Enrich
	// makes of the subject. Both are empty when nobody was identified.
	Issuer, Subject string

	Email  string     // the person's address, verified or not, where it is known
	Label  string     // of a sign-in by access code, which code, never its text; of a program's token, what it is called
	Client netip.Addr // where the request came from, by the trusted proxies

	// Reason is, for EventSignInFailed, EventRefused and EventSessionFailed, a code from the closed
	// set of the error page; RequestID is the id that the person's error page shows
	// and the log line has; Err is the cause, which wraps one of this package's
	// errors where one fits.
	Reason    string
	RequestID string
	Err       error
}

// eventsTo is hook as the routes call it.
func eventsTo(hook func(context.Context, Event)) func(context.Context, web.Event) {
	if hook == nil {
		return nil
	}
	return func(ctx context.Context, e web.Event) {
		hook(ctx, Event{
			Kind: EventKind(e.Kind), Provider: e.Provider, Issuer: e.Issuer, Subject: e.Subject, Email: e.Email, Label: e.Label,
			Client: e.Client, Reason: e.Reason, RequestID: e.RequestID, Err: e.Err,
		})
	}
}
