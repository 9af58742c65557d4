package auth

import (
	"context"
	"net/netip"
	"time"

	"github.com/sallyport/auth/session"
)

// AccessCode is what [session.Session].Provider is for somebody who signed in
// with an access code. No provider can have that name.
const AccessCode = session.AccessCode

// A CodeVerifier lets in whoever knows a code; package accesscode has one. It is
// safe for concurrent use.
//
// It has to limit attempts by itself: the routes ask it about every code that
// anybody sends.
type CodeVerifier interface {
	// Verify checks a code that client sent, which is the zero address where that
	// is unknown. The identity that it returns needs an issuer and a subject, its
	// name is what logs and pages call the code, and its groups are the session's.
	// The error wraps [ErrWrongCode] or [ErrStore], or is a [*LimitError].
	Verify(ctx context.Context, client netip.Addr, code string) (*Identity, error)

	// Valid reports whether subject, which Verify gave out here, on another
	// node or before a restart, still belongs to a code. It is called for each
	// request of such a session, so that withdrawing a code ends its sessions.
	Valid(subject string) bool
}

// A DeviceVerifier is a [CodeVerifier] that knows browsers again which sent a right
// code, so that wrong codes of somebody else at the same address do not keep them
// out.
type DeviceVerifier interface {
	CodeVerifier

	// VerifyDevice is Verify for a form that a browser sent, with what the last
	// such call gave that browser to keep: the routes have it in a cookie. It is
	// empty, or anything that the browser's owner made up, and has to be bounded in
	// wrong codes like a client. keep takes its place for 90 days if the code was
	// right and it is not empty; it is of characters that a cookie may have.
	VerifyDevice(ctx context.Context, client netip.Addr, device, code string) (id *Identity, keep string, err error)
}

// LimitError says that a client sent too many wrong codes. The person is told
// when to come back, a script gets 429 with Retry-After.
type LimitError struct {
	RetryAfter time.Duration // from now until the next attempt counts
}

// Error says how long to wait.
func (e *LimitError) Error() string {
	return "auth: too many wrong access codes from this client; wait " + e.RetryAfter.Round(time.Second).String()
}
