package accesscode

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/sallyport/auth"
)

// giveBackTime bounds a GiveBack, which goes on when its request has ended.
const giveBackTime = 5 * time.Second

// Verify implements [auth.CodeVerifier]. It refuses a client that sent too many
// wrong codes, and compares. While too many wrong codes come from everywhere, it
// waits first, for 10 seconds at most or until ctx ends; an attempt that was not
// compared is not counted, and a right code never is.
//
// The identity is the caller's own. The error wraps [auth.ErrWrongCode], or
// [auth.ErrStore] when Config.Limiter failed, or is an [*auth.LimitError], whose
// RetryAfter says when the next attempt counts. White space around text is ignored:
// whoever pastes a code brings some along. A text of more than 1024 bytes is a wrong
// one.
func (g *Gate) Verify(ctx context.Context, client netip.Addr, text string) (*auth.Identity, error) {
	found, err := g.verify(ctx, text, networksOf(client))
	if err != nil {
		return nil, err
	}
	return found.copy(), nil
}

// copy is the caller's own identity.
func (c *code) copy() *auth.Identity {
	id := c.identity
	id.Groups = slices.Clone(id.Groups)
	return &id
}

// verify has the first of accounts answer for the attempt that is not closed out.
func (g *Gate) verify(ctx context.Context, text string, accounts ...networks) (found *code, err error) {
	if text = strings.TrimSpace(text); len(text) > maxLength {
		text = "" // counted, and wrong
	}
	for len(accounts) > 0 {
		wait := g.blocked(&accounts[0])
		if wait <= 0 {
			break
		}
		err = &auth.LimitError{RetryAfter: wait}
		accounts = accounts[1:]
	}
	if len(accounts) == 0 {
		return nil, err
	}
	digest := g.digest(text)
	if g.shared != nil {
		return g.countAndCompare(ctx, accounts, &digest)
	}
	return g.compare(ctx, &accounts[0], &digest)
}

// blocked spares a flood the digest.
func (g *Gate) blocked(from *networks) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.closed(from, g.now())
}

// closed says how long the client has to wait, where this node counts.
func (g *Gate) closed(from *networks, now time.Time) time.Duration {
	if g.shared != nil {
		return 0
	}
	return g.counts.closed(from[client], now)
}

// countAndCompare has the Limiter count first, since no lock is held over I/O, and
// takes back what was no wrong code.
func (g *Gate) countAndCompare(ctx context.Context, accounts []networks, digest *[sha256.Size]byte) (*code, error) {
	from := &accounts[0]
	blocked, err := g.shared.Take(ctx, from[client])
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, &auth.LimitError{RetryAfter: time.Second}
	case err != nil:
		return nil, fmt.Errorf("%w: access code limiter: %w", auth.ErrStore, err)
	case blocked > 0 && len(accounts) > 1:
		return g.countAndCompare(ctx, accounts[1:], digest)
	case blocked > 0:
		return nil, &auth.LimitError{RetryAfter: blocked}
	}
	found, err := g.compare(ctx, from, digest)
	if errors.Is(err, auth.ErrWrongCode) {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), giveBackTime)
	defer cancel()
	if e := g.shared.GiveBack(ctx, from[client]); e != nil {
		return nil, fmt.Errorf("%w: access code limiter: %w", auth.ErrStore, e)
	}
	return found, err
}

// compare says which code it is, once it is the attempt's turn. The error is
// [auth.ErrWrongCode] itself or an [*auth.LimitError].
func (g *Gate) compare(ctx context.Context, from *networks, digest *[sha256.Size]byte) (*code, error) {
	g.mu.Lock()
	now := g.now()
	found, w, err := g.enter(from, digest, now)
	g.mu.Unlock()
	if w == nil {
		return found, err
	}
	patience := time.NewTimer(maxQueue)
	defer patience.Stop()
	select {
	case <-w.done:
		return w.code, w.err
	case <-ctx.Done():
	case <-patience.C:
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ceiling.leave(w)
	select {
	case <-w.done: // meanwhile
		return w.code, w.err
	default:
		return nil, &auth.LimitError{RetryAfter: time.Second}
	}
}

// enter compares at once, or returns who waits for it. Codes that nobody guesses
// need no ceiling, and no allowance for wider networks either: they would only
// refuse people on account of others.
func (g *Gate) enter(from *networks, digest *[sha256.Size]byte, now time.Time) (*code, *waiter, error) {
	if wait := g.closed(from, now); wait > 0 {
		return nil, nil, &auth.LimitError{RetryAfter: wait}
	}
	if i := find(g.strong, digest, now); i >= 0 {
		return g.welcome(&g.strong[i], from, now), nil, nil
	}
	if !slices.ContainsFunc(g.weak, func(c code) bool { return !over(c.expires, now) }) {
		g.counts.add(from, client, now)
		return nil, nil, auth.ErrWrongCode
	}
	if len(g.ceiling.queue) == 0 && g.ceiling.room(now) <= 0 {
		found, err := g.judge(from, digest, now)
		return found, nil, err
	}
	ahead, same := g.ceiling.ahead(from, digest)
	if same != nil {
		same.waiting++
		return nil, same, nil
	}
	w := &waiter{from: *from, digest: *digest, waiting: 1, done: make(chan struct{})}
	known := g.counts.isKnown(from[client], now)
	if wait := g.counts.exhausted(from, now); wait > 0 && !known {
		return nil, nil, &auth.LimitError{RetryAfter: wait}
	}
	w.rank = g.counts.rank(from, ahead, known, now)
	if ahead[client] >= kinds[client].allowance || !g.ceiling.put(w) {
		return nil, nil, &auth.LimitError{RetryAfter: time.Second}
	}
	g.serve(now)
	return nil, w, nil
}

// judge compares with the codes that can be guessed, at the ceiling's expense and
// its networks' if it is none of them. It counts and compares in one step, under
// mu: neither do parallel guesses get past a limit nor parallel right codes into it.
func (g *Gate) judge(from *networks, digest *[sha256.Size]byte, now time.Time) (*code, error) {
	wait := g.closed(from, now)
	if !g.counts.isKnown(from[client], now) {
		wait = max(wait, g.counts.exhausted(from, now))
	}
	if wait > 0 {
		return nil, &auth.LimitError{RetryAfter: wait}
	}
	if i := find(g.weak, digest, now); i >= 0 {
		return g.welcome(&g.weak[i], from, now), nil
	}
	g.ceiling.take()
	g.counts.add(from, provider, now)
	return nil, auth.ErrWrongCode
}

// welcome remembers where a right code came from; a device knows by itself.
func (g *Gate) welcome(found *code, from *networks, now time.Time) *code {
	if !isDevice(from[client]) {
		*g.counts.known.touch(from[client]) = success{now, found.expires}
	}
	return found
}

// serve answers who waits, as long as there is room at the ceiling, and comes
// back when there is room again.
func (g *Gate) serve(now time.Time) {
	c := &g.ceiling
	for len(c.queue) > 0 {
		if wait := c.room(now); wait > 0 {
			if c.timer == nil {
				c.timer = time.AfterFunc(wait, g.serveAgain)
			}
			return
		}
		first := c.queue[0]
		c.queue = slices.Delete(c.queue, 0, 1)
		first.answer(g.judge(&first.from, &first.digest, now))
	}
}

func (g *Gate) serveAgain() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ceiling.timer = nil
	g.serve(g.now())
}
