package session

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/sallyport/auth/internal/generations"
)

// Provider tokens that are made anew, once for each session. A refresh token is often
// good for one use, and whoever brings it a second time ends them all (RFC 9700 4.14):
//
//	this process   one flight for each session; whoever else wants one waits for it
//	all nodes      Insert of a lease; whoever finds one looks at the session again
//	               until its tokens are others
//	then           Find, the provider, Find, Replace, Delete of the lease
//
// From where the lease is had, nothing waits for the person's request, which may end
// before the new tokens are written. They would be lost then, and the old ones worth nothing.
//
// Sessions in cookies have no place where other nodes would look. This process remembers
// what became of tokens, for requests that still bring the old ones.

const (
	// refreshLimit is how long a provider may take, in all of its calls.
	refreshLimit = 20 * time.Second

	// leaseLife is longer than a refresh and the writing of it can take, so that nobody
	// holds a lease that has expired. It keeps others waiting when a node dies.
	leaseLife = refreshLimit + 2*storeLimit

	// How long another node's refresh is waited for between two looks.
	firstLook, longestLook = 20 * time.Millisecond, 500 * time.Millisecond

	// refreshPause is how long a provider that failed is not asked again.
	refreshPause = 10 * time.Second

	maxPaused    = 1 << 14 // sessions whose provider failed, in each half
	maxRefreshed = 4 << 20 // bytes of tokens of sessions in cookies, in each half

	// maxBehind bounds how many refreshes a session in a cookie may be behind.
	maxBehind = 16
)

// ErrEnded says that a session is over: somebody has signed out of it, or its provider no
// longer stands for it.
var ErrEnded = errors.New("session: it has ended")

// errRefreshing says that another node took too long.
var errRefreshing = errors.New("session: another node refreshes the tokens, and does not finish")

// paused is a provider's failure, and until when it counts.
type paused struct {
	until time.Time
	err   error
}

// RefreshTokens returns ProviderTokens of s that are not due: those that another request
// has had made meanwhile, or those that refresh makes of the ones that there are. refresh
// is called once at a time for each session: in this process, and with a Store that is a
// [Replacer] on all nodes. It is called in a goroutine of its own and with a context that
// does not end with ctx, which bounds the waiting alone; where it fails, it is not
// called again for 10 seconds, and its error is everybody's.
//
// With a Store the new tokens are kept with the session, of which nothing else changes. s
// is left as it is. Without a Store the caller has to set s.ProviderTokens and call
// [Manager.Rewrite], and other nodes do not know of them until the browser does.
//
// An error of refresh that wraps [ErrEnded] ends the session, in the store or else in this
// process and in [Config].Revocations; not where another node has made new tokens
// meanwhile. The error also wraps [ErrEnded] if the store no longer has the session, and
// [ErrStore] if that failed. It may be ctx's.
func (m *Manager) RefreshTokens(ctx context.Context, s *Session, due func(*ProviderTokens) bool, refresh func(ctx context.Context, old *ProviderTokens) (*ProviderTokens, error)) (*ProviderTokens, error) {
	if s.ProviderTokens == nil || !due(s.ProviderTokens) {
		return s.ProviderTokens, nil
	}
	id := s.ID
	if m.config.Store != nil {
		id = s.key
	}
	x := refreshing{m: m, id: id, session: copyOf(s), due: due, refresh: refresh}
	f := m.flights.join(id, func() (*ProviderTokens, error) {
		ctx, done := context.WithTimeout(context.WithoutCancel(ctx), leaseLife)
		defer done()
		if m.config.Store != nil {
			return x.stored(ctx)
		}
		return x.inCookie(ctx)
	})
	select {
	case <-f.done:
		return f.tokens, f.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// refreshing is one call of RefreshTokens that others wait for.
type refreshing struct {
	m       *Manager
	id      string
	session *Session // as the request brought it
	due     func(*ProviderTokens) bool
	refresh func(context.Context, *ProviderTokens) (*ProviderTokens, error)
}

// stored is for sessions in a store: whoever has the lease calls the provider.
func (x *refreshing) stored(ctx context.Context) (*ProviderTokens, error) {
	for look := firstLook; ; look = min(2*look, longestLook) {
		if t, err := x.current(ctx); err != nil || !x.due(t) {
			return t, err
		}
		mine, err := x.m.lease(ctx, x.id)
		switch {
		case err != nil:
			return nil, err
		case mine:
			return x.alone(ctx)
		}
		select {
		case <-time.After(look):
		case <-ctx.Done():
			return nil, errRefreshing
		}
	}
}

// current are the tokens that the store has.
func (x *refreshing) current(ctx context.Context) (*ProviderTokens, error) {
	ctx, done := x.m.limited(ctx)
	defer done()
	s, err := x.m.read(ctx, x.id)
	switch {
	case err != nil:
		return nil, err
	case s == nil || s.ProviderTokens == nil:
		return nil, ErrEnded
	}
	return s.ProviderTokens, nil
}

// lease reports whether the refresh of the session under key is this call's. Without a
// [Replacer] it always is.
func (m *Manager) lease(ctx context.Context, key string) (mine bool, err error) {
	store, ok := m.config.Store.(Replacer)
	if !ok {
		return true, nil
	}
	ctx, done := m.limited(ctx)
	defer done()
	mine, err = store.Insert(ctx, leaseName(key), []byte("refreshing"), m.now().Add(leaseLife))
	if err != nil {
		err = fmt.Errorf("%w: %w", ErrStore, err)
	}
	return mine, err
}

// release is the end of a lease. One that stays ends by itself.
func (m *Manager) release(ctx context.Context, key string) {
	if store, ok := m.config.Store.(Replacer); ok {
		ctx, done := m.limited(context.WithoutCancel(ctx))
		defer done()
		_ = store.Delete(ctx, leaseName(key))
	}
}

// leaseName is made without the secrets, of which nodes may have others in front.
func leaseName(key string) string { return storeKey("refresh " + key) }

// alone refreshes with the lease in hand. The one before may have been given back after
// the last look.
func (x *refreshing) alone(ctx context.Context) (*ProviderTokens, error) {
	defer x.m.release(ctx, x.id)
	old, err := x.current(ctx)
	if err != nil || !x.due(old) {
		return old, err
	}
	next, err := x.ask(ctx, old)
	switch {
	case errors.Is(err, ErrEnded):
		return x.refused(ctx, old, err)
	case err != nil:
		return nil, err
	}
	return next, x.m.keepTokens(ctx, x.id, next)
}

// ask calls the provider, unless it has just failed.
func (x *refreshing) ask(ctx context.Context, old *ProviderTokens) (*ProviderTokens, error) {
	if p, there := x.m.paused.Get(x.id); there && x.m.now().Before(p.until) {
		return nil, p.err
	}
	ctx, done := context.WithTimeout(ctx, refreshLimit)
	defer done()
	next, err := x.refresh(ctx, old)
	if err != nil && !errors.Is(err, ErrEnded) {
		x.m.paused.Put(x.id, paused{x.m.now().Add(refreshPause), err}, 1, maxPaused)
	}
	return next, err
}

// refused ends the session, unless another node has used the tokens meanwhile: without a
// lease two may, and the later one is refused.
func (x *refreshing) refused(ctx context.Context, old *ProviderTokens, cause error) (*ProviderTokens, error) {
	now, err := x.current(ctx)
	if err == nil && now.digest() != old.digest() {
		return now, nil
	}
	ctx, done := x.m.limited(context.WithoutCancel(ctx))
	defer done()
	if err := x.m.endKey(ctx, x.id, x.session); err != nil {
		return nil, err
	}
	return nil, cause
}

// keepTokens writes next into the session that the store has under key. The tokens before
// are worth nothing any more, so a store that fails is tried again, as long as there is time.
func (m *Manager) keepTokens(ctx context.Context, key string, next *ProviderTokens) error {
	ctx, done := context.WithTimeout(context.WithoutCancel(ctx), storeLimit)
	defer done()
	for {
		written, err := m.change(ctx, key, func(now *Session) *Session {
			if now == nil {
				return nil
			}
			changed := copyOf(now)
			changed.ProviderTokens = next
			return changed
		})
		switch {
		case err == nil && !written:
			return ErrEnded
		case err == nil || errors.Is(err, ErrTooLarge):
			return err
		}
		select {
		case <-time.After(firstLook):
		case <-ctx.Done():
			return err
		}
	}
}

// refreshedTokens knows what became of tokens of sessions in cookies.
type refreshedTokens struct {
	next generations.Map[[32]byte, *ProviderTokens]
}

// latest is what t has become, as far as it is remembered.
func (r *refreshedTokens) latest(t *ProviderTokens) *ProviderTokens {
	for range maxBehind {
		next, there := r.next.Get(t.digest())
		if !there {
			break
		}
		t = next
	}
	return t
}

func (r *refreshedTokens) put(old, next *ProviderTokens) {
	cost := len(next.AccessToken) + len(next.RefreshToken) + len(next.IDToken) + len(next.Scope) + 200
	r.next.Put(old.digest(), next, cost, maxRefreshed)
}

// digest stands for t where no token has to be kept.
func (t *ProviderTokens) digest() [32]byte {
	return sha256.Sum256([]byte(t.AccessToken + " " + t.RefreshToken))
}

// inCookie is for sessions in cookies.
func (x *refreshing) inCookie(ctx context.Context) (*ProviderTokens, error) {
	old := x.m.refreshed.latest(x.session.ProviderTokens)
	if !x.due(old) {
		return old, nil
	}
	next, err := x.ask(ctx, old)
	switch {
	case errors.Is(err, ErrEnded):
		x.m.endOne(x.session)
		if x.m.config.Revocations != nil && x.session.ID != "" {
			ctx, done := x.m.limited(context.WithoutCancel(ctx))
			defer done()
			if err := x.m.revokeOne(ctx, x.session.ID, x.m.endsBy(x.session)); err != nil { // other nodes are refused by the provider, too
				x.m.config.Logger.WarnContext(ctx, "auth: that a session has ended could not be written down", "cause", err.Error())
			}
		}
		return nil, err
	case err != nil:
		return nil, err
	}
	x.m.refreshed.put(old, next)
	return next, nil
}
