package session

import (
	"errors"
	"sync"
)

// flights are refreshes that are under way in this process, by whose they are. Whoever
// wants one that is under way waits for it. Each goes on when nobody waits any more.
type flights struct {
	mu      sync.Mutex
	running map[string]*flight
}

// flight is one of them. What it comes to may be read when done is closed.
type flight struct {
	done   chan struct{}
	tokens *ProviderTokens
	err    error
}

// errRefreshPanic stands for the panic of a provider or a store.
var errRefreshPanic = errors.New("session: a refresh panicked")

// join is the flight of key, which is work's unless there is one.
func (f *flights) join(key string, work func() (*ProviderTokens, error)) *flight {
	f.mu.Lock()
	defer f.mu.Unlock()
	if x, there := f.running[key]; there {
		return x
	}
	x := &flight{done: make(chan struct{}), err: errRefreshPanic}
	if f.running == nil {
		f.running = map[string]*flight{}
	}
	f.running[key] = x
	go func() {
		defer func() {
			_ = recover() // in a goroutine of ours nobody else would
			f.mu.Lock()
			delete(f.running, key)
			f.mu.Unlock()
			close(x.done)
		}()
		x.tokens, x.err = work()
	}()
	return x
}
