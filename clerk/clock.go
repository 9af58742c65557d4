package clerk

import (
	"fmt"
	"time"

	"github.com/sallyport/auth"
)

// A handshake brings a token of this moment. Where that one counts no more, or not yet,
// the next handshake's will not either, and Clerk's sign-in page sends whoever is
// signed in there straight back: the browser would go between the three without end. So
// after one handshake the person is told that a clock is wrong, and the log how far.
//
//	                     before a handshake        after one
//	not valid yet        a handshake               the clock is behind
//	valid no more        a refresh or a handshake  the clock is ahead
//
// Clerk makes no token for later, so that whatever ends a handshake with one is enough
// to tell. Tokens that have expired are there to be found, in the history of a browser
// that comes back to the end of a handshake: these tell something only where the browser
// has been sent on one just now, which the cookie that counts them says.

// clockWrong wraps [auth.ErrClock] for t, which Clerk has just made: its signature is
// right, and its time is not, by the clock here.
func (b *Backend) clockWrong(t *jwt) error {
	since := t.issued
	for _, other := range [...]numericDate{t.notBefore, t.expires} {
		if !since.there {
			since = other
		}
	}
	off, way := b.now().Sub(time.Unix(since.at, 0)).Round(time.Second), "ahead of"
	if off < 0 {
		off, way = -off, "behind"
	}
	return fmt.Errorf("%w: clerk: the clock here is about %v %s Clerk's: synchronize it; up to a minute can be allowed for by CLERK_CLOCK_SKEW", auth.ErrClock, off, way)
}
