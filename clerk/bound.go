package clerk

import (
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/sallyport/auth/internal/pace"
)

// Whoever sends a request can make some of them a call of Clerk's API with the secret
// key, which Clerk counts against the application:
//
//	a made-up handshake nonce .......................... GET handshake_payload
//	a made-up token that only Clerk can read ........... POST verify
//	an expired session, with a made-up refresh token ... POST refresh
//
// So they are bounded for each client, which is a network (see package pace), in two
// ways. Those that come to nothing are few: a person has hardly any. All of them
// together are more, for a whole company may be one client on a Monday morning; this
// bound counts calls that are still under way, or that the client did not wait for.
//
// What is beyond a bound is not asked about, and does not count. A token for which
// Clerk has vouched is asked about in any case, so that a stranger does not keep out
// the programs of the same network. An outage of Clerk's is no failure of anybody's.
const (
	failureBurst = 30
	failureEvery = 2 * time.Second
	callBurst    = 300
	callEvery    = 100 * time.Millisecond

	boundLogPause = time.Minute // between log lines, whoever the client is
)

// bounds are those of all clients. They are safe for concurrent use.
type bounds struct {
	failures, calls *pace.Pacer
	now             func() time.Time

	mu     sync.Mutex // also held between asking a pacer and taking from it
	logged time.Time
}

func newBounds(now func() time.Time) *bounds {
	return &bounds{failures: pace.New(failureBurst, failureEvery, now), calls: pace.New(callBurst, callEvery, now), now: now}
}

// take reports whether client may cause a call now; where it may not, tell says that
// the log has not heard of that lately.
func (l *bounds) take(client netip.Addr) (ok, tell bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failures.Wait(client) == 0 && l.calls.Wait(client) == 0 {
		l.calls.Take(client)
		return true, false
	}
	now := l.now()
	if d := now.Sub(l.logged); d >= 0 && d < boundLogPause {
		return false, false
	}
	l.logged = now
	return false, true
}

// mayAsk reports whether r may cause a call of Clerk's API now.
func (b *Backend) mayAsk(r *http.Request) bool {
	client := (*b.clientOf.Load())(r)
	ok, tell := b.bounds.take(client)
	if tell {
		b.log.WarnContext(r.Context(), "clerk: a client sends more handshakes and tokens than Clerk is asked about; they do not count for the moment", "client", client)
	}
	return ok
}

// cameToNothing is for a call that r has caused, and of which Clerk knew nothing.
func (b *Backend) cameToNothing(r *http.Request) { b.bounds.failures.Take((*b.clientOf.Load())(r)) }

// aboutUs reports whether a status of Clerk's API says nothing of what was asked
// about: our key is wrong, we ask too often, or it is out of order.
func aboutUs(status int) bool {
	return status == http.StatusUnauthorized || status == http.StatusTooManyRequests || status >= 500
}
