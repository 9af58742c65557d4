// Package sessiontest holds a [session.Store] to its contract: what the documentation of
// that interface says, and what a [session.Manager] on several nodes makes of it.
//
//	func TestStore(t *testing.T) {
//		sessiontest.Kit{}.TestStore(t, func() (session.Store, error) { return mystore.New(db) })
//	}
//
// A store that is a [session.Replacer] or a [session.Lister] is held to that too. What a store does when its
// database is down, or slow, is its own tests' to say: the kit cannot take it away.
package sessiontest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/sallyport/auth/session"
)

// Kit checks stores. Its zero value checks one that goes by the time of day, and takes
// some seconds, in which it waits for sessions to expire.
type Kit struct {
	// Now is the clock that the store goes by, and Advance moves it on. If Advance is
	// nil, the kit waits; if Now is, it is [time.Now].
	Now     func() time.Time
	Advance func(d time.Duration)

	// MaxData is how many bytes the store takes in one session. If zero, 64 KiB.
	MaxData int
}

// TestStore fails t with everything that [Kit.Check] finds.
func (k Kit) TestStore(t testing.TB, newStore func() (session.Store, error)) {
	t.Helper()
	if err := k.Check(newStore); err != nil {
		t.Error(err)
	}
}

// Check holds the store that newStore makes to the contract of [session.Store]. It
// makes one, and leaves what it puts there, which expires within an hour. The error
// joins every violation, each with the reason why it matters; it is nil when there are
// none.
func (k Kit) Check(newStore func() (session.Store, error)) error {
	if k.Now == nil {
		k.Now = time.Now
	}
	if k.MaxData == 0 {
		k.MaxData = 64 << 10
	}
	store, err := newStore()
	if err != nil {
		return fmt.Errorf("the store cannot be made: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	c := &checker{kit: k, store: store, ctx: ctx}
	c.bytes()
	c.keys()
	c.replaced()
	c.expiry()
	c.cancelled()
	c.concurrency()
	if r, ok := store.(session.Replacer); ok {
		c.swaps(r)
		c.swapsAtOnce(r)
		c.inserts(r)
		c.insertsAtOnce(r)
	}
	if l, ok := store.(session.Lister); ok {
		c.lists(l)
		c.listNames(l)
		c.listExpiry(l)
		c.longList(l)
		c.listsAtOnce(l)
	}
	c.nodes()
	c.model()
	return errors.Join(c.found...)
}

type checker struct {
	kit   Kit
	store session.Store
	ctx   context.Context
	last  int // of the keys that were made
	found []error
}

func (c *checker) violation(format string, args ...any) {
	c.found = append(c.found, fmt.Errorf(format, args...))
}

// key is a new key, of the shape that a Manager's have.
func (c *checker) key() string {
	c.last++
	return fmt.Sprintf("%032x%032x", time.Now().UnixNano(), c.last)
}

// soon is an expiry that no check waits for.
func (c *checker) soon() time.Time { return c.kit.Now().Add(time.Hour) }

// pass lets d go by.
func (c *checker) pass(d time.Duration) {
	if c.kit.Advance != nil {
		c.kit.Advance(d)
		return
	}
	time.Sleep(d)
}

// commit reports whether it was done.
func (c *checker) commit(key, data string, expiry time.Time) bool {
	if err := c.store.Commit(c.ctx, key, []byte(data), expiry); err != nil {
		c.violation("Commit of %d bytes: %w", len(data), err)
		return false
	}
	return true
}

// find is what the store has, and "" with false where it has nothing.
func (c *checker) find(key string) (data string, found bool) {
	raw, found, err := c.store.Find(c.ctx, key)
	switch {
	case err != nil:
		c.violation("Find: %w: an error means that the store itself failed, and answers everybody 503", err)
	case !found && raw != nil:
		c.violation("Find returns data that it has not found")
	}
	return string(raw), found && err == nil
}

// expect is a violation unless the store has want under key.
func (c *checker) expect(key, want, why string) {
	if got, found := c.find(key); !found {
		c.violation("a session is not found that was committed: %s", why)
	} else if got != want {
		c.violation("other data is found than was committed (%d bytes, and not %d): %s", len(got), len(want), why)
	}
}

// expectNothing is a violation if the store has anything under key.
func (c *checker) expectNothing(key, why string) {
	if _, found := c.find(key); found {
		c.violation("a session is found that must not be: %s", why)
	}
}
