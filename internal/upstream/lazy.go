package upstream

import (
	"context"
	"fmt"
	"sync"
	"time"
)

const (
	firstBackOff = time.Second
	lastBackOff  = 30 * time.Second
)

// Lazy is a value that is fetched when it is needed first, shared by all who
// need it meanwhile, and fetched again when it is older than TTL. When that
// fails, the old value serves for MaxStale more. After a failure the next fetch
// waits, longer each time. It is safe for concurrent use and leaves no goroutine
// behind.
type Lazy[T any] struct {
	TTL      time.Duration
	MaxStale time.Duration
	Now      func() time.Time
	Fetch    func(context.Context) (T, error)

	mu       sync.Mutex
	value    T
	at       time.Time // when value was fetched; zero for never
	flight   *flight[T]
	failed   error
	failures int
	notUntil time.Time
}

type flight[T any] struct {
	done  chan struct{}
	value T
	err   error
}

// Get returns the value. ctx bounds the waiting of this caller alone.
func (l *Lazy[T]) Get(ctx context.Context) (T, error) {
	l.mu.Lock()
	now := l.Now()
	age := now.Sub(l.at)
	have := !l.at.IsZero() && age >= 0
	if have && age < l.TTL {
		defer l.mu.Unlock()
		return l.value, nil
	}
	if l.flight == nil && now.Before(l.notUntil) && l.notUntil.Sub(now) <= lastBackOff {
		defer l.mu.Unlock()
		if have && age < l.TTL+l.MaxStale {
			return l.value, nil
		}
		return *new(T), fmt.Errorf("tried a moment ago: %w", l.failed)
	}
	f := l.join(ctx)
	l.mu.Unlock()
	v, err := f.wait(ctx)
	if err != nil && have && age < l.TTL+l.MaxStale {
		return l.Last(), nil
	}
	return v, err
}

// Refresh fetches the value now, or joins whoever does already. The caller
// limits how often.
func (l *Lazy[T]) Refresh(ctx context.Context) (T, error) {
	l.mu.Lock()
	f := l.join(ctx)
	l.mu.Unlock()
	return f.wait(ctx)
}

// Renew is for a caller to whom the value that it got was of no use. It returns
// another one that came meanwhile, or that of a fetch under way, or fetches if may
// allows it. ok is false when it does not. useless and may are called with a lock
// held, and do not call l.
func (l *Lazy[T]) Renew(ctx context.Context, useless func(T) bool, may func() bool) (value T, ok bool, err error) {
	l.mu.Lock()
	if !useless(l.value) {
		defer l.mu.Unlock()
		return l.value, true, nil
	}
	if l.flight == nil && !may() {
		defer l.mu.Unlock()
		return *new(T), false, nil
	}
	f := l.join(ctx)
	l.mu.Unlock()
	value, err = f.wait(ctx)
	return value, true, err
}

// Last is the value that was fetched last, however old, or the zero value.
func (l *Lazy[T]) Last() T {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.value
}

// join starts a fetch, or returns the one under way. It is detached from ctx:
// whoever goes away must not spoil it for the others.
func (l *Lazy[T]) join(ctx context.Context) *flight[T] {
	if l.flight != nil {
		return l.flight
	}
	f := &flight[T]{done: make(chan struct{})}
	l.flight = f
	go func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), Timeout)
		defer cancel()
		f.value, f.err = l.Fetch(ctx)
		l.land(f)
		close(f.done)
	}()
	return f
}

func (l *Lazy[T]) land(f *flight[T]) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.flight = nil
	now := l.Now()
	if f.err == nil {
		l.value, l.at, l.failed, l.failures, l.notUntil = f.value, now, nil, 0, time.Time{}
		return
	}
	wait := min(firstBackOff<<min(l.failures, 10), lastBackOff)
	l.failed, l.failures, l.notUntil = f.err, l.failures+1, now.Add(wait)
}

func (f *flight[T]) wait(ctx context.Context) (T, error) {
	select {
	case <-f.done:
		return f.value, f.err
	case <-ctx.Done():
		return *new(T), ctx.Err()
	}
}
