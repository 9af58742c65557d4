package auth

import (
	"context"
	"net/netip"

	"github.com/sallyport/auth/internal/web"
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

// eventsTo is hook as the routes call it.
func eventsTo(hook func(context.Context, Event)) func(context.Context, web.Event) {
	if hook == nil {
		return nil
	}
	return func(ctx context.Context, e web.Event) {
		hook(ctx, Event{
			Kind: EventKind(e.Kind), Provider: e.Provider, Issuer: e.Issuer, Subject: e.Subject, Label: e.Label,
			Client: e.Client, Reason: e.Reason, RequestID: e.RequestID, Err: e.Err,
		})
	}
}
