package accesscode

import (
	"context"
	"net/netip"
	"time"
)

// A Limiter counts attempts for several nodes by rules of its own; Config.Store does by
// those of this package. A client is an IPv4 address (/32), an IPv6 network of 64 bits (/64), the zero
// prefix for all peers that have no address, or for a device the number that is its
// name (/128). A Limiter has to be safe for concurrent use.
//
// How many attempts a client has, and when they come back, is the implementation's
// to decide. Of an attempt's device and its address, the gate makes no more
// than one Take each, and one GiveBack for what it took if the code was right or was
// not looked at; there is none when the process dies in between, so counts have to
// expire by themselves.
type Limiter interface {
	// Take counts an attempt, before the code is looked at. If client has to wait
	// first, it says how long, and counts nothing. It has to look and count in one
	// atomic step: guesses that come at the same time, on several nodes, must not
	// all pass. An error refuses the attempt, as [auth.ErrStore].
	Take(ctx context.Context, client netip.Prefix) (wait time.Duration, err error)

	// GiveBack takes back one attempt: it was no wrong code. It must take back no
	// other, and should not count below zero. The request of ctx may have ended. An
	// error refuses the attempt too.
	GiveBack(ctx context.Context, client netip.Prefix) error
}
