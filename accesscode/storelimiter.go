package accesscode

import (
	"bytes"
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/session"
)

const (
	// storeTime bounds the calls of a store that one Take or GiveBack makes. Two of
	// them and maxQueue, which is all that an attempt may take, are less than firstDelay.
	storeTime = 2 * time.Second

	// maxSwaps is how often a count is changed anew because another attempt of the
	// same client changed it first.
	maxSwaps = 32

	// keptLonger is how long a store keeps a count that nothing is left of: as much
	// its clock, and those of the nodes, may differ.
	keptLonger = 5 * time.Minute
)

// errContended is not the store's fault, but nothing was written.
var errContended = errors.New("the count was changed by others again and again")

// storeLimiter is the [Limiter] of Config.Store. It has the rules of the count in memory.
type storeLimiter struct {
	store  session.Replacer
	secret auth.Secret
	now    func() time.Time
}

// Take implements [Limiter]. Of attempts that come at the same time, those that are
// overtaken again and again are refused.
func (l *storeLimiter) Take(ctx context.Context, one netip.Prefix) (wait time.Duration, err error) {
	err = l.change(ctx, one, func(n *storedCount, now time.Time) (changed bool) {
		switch {
		case n.newer:
			wait = firstDelay
			return false
		case n.damaged:
			// What stood there may have closed the client out.
			for range kinds[client].allowance {
				n.add(client, now)
			}
			wait = n.closed(now)
			return true
		}
		if wait = n.closed(now); wait > 0 {
			return false
		}
		n.add(client, now)
		return true
	})
	if errors.Is(err, errContended) {
		return time.Second, nil
	}
	return wait, err
}

// GiveBack implements [Limiter]. It ends the client's wait as well, which there would not
// be without the attempt: there was none when it was taken, no attempt lasts as long as
// a wait, and so the one that began it is this one or had this one's place.
func (l *storeLimiter) GiveBack(ctx context.Context, one netip.Prefix) error {
	return l.change(ctx, one, func(n *storedCount, _ time.Time) (changed bool) {
		if n.wrong == 0 { // forgotten, or no count that this node reads
			return false
		}
		n.wrong--
		n.until = time.Time{}
		return true
	})
}

// change has step change the count of one, and writes it as long as the store has what
// step has seen. It goes on when the request has ended: nobody would know whether the
// attempt was counted.
func (l *storeLimiter) change(ctx context.Context, one netip.Prefix, step func(n *storedCount, now time.Time) (changed bool)) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTime)
	defer cancel()
	key := l.key(one)
	var written []byte
	for range maxSwaps {
		old, found, err := l.store.Find(ctx, key)
		if err != nil {
			return err
		}
		if written != nil && bytes.Equal(old, written) {
			return nil // it was done, and the answer that said so was lost
		}
		n := storedCount{}
		if found {
			n = l.open(key, old)
		}
		now := l.now()
		if now.Before(n.at) {
			now = n.at // of a node whose clock is ahead: else, two nodes would forget for each other
		}
		if !step(&n, now) {
			return nil
		}
		n.at = now
		written = l.seal(key, &n)
		var done bool
		if found {
			done, err = l.store.Replace(ctx, key, old, written, n.expiry())
		} else {
			done, err = l.store.Insert(ctx, key, written, n.expiry())
		}
		if err != nil || done {
			return err
		}
	}
	return errContended
}
