package session

import "sync"

const (
	// maxVerified tokens are remembered in each of two generations: some 10 MB
	// when both are full.
	maxVerified = 4096

	// maxEnded sign-outs are remembered in each of two generations. Some 65,000
	// further sign-outs, at least, must pass before one is forgotten.
	maxEnded = 1 << 16
)

// generations is a map of bounded size: when the young half is full, the old half
// is forgotten and the young one becomes the old. It is safe for concurrent
// use, and its zero value is empty.
type generations[K comparable, V any] struct {
	mu         sync.RWMutex
	young, old map[K]V
}

func (g *generations[K, V]) get(k K) (v V, ok bool) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	if v, ok = g.young[k]; !ok {
		v, ok = g.old[k]
	}
	return v, ok
}

// put sets k in the young half, which holds at most max.
func (g *generations[K, V]) put(k K, v V, max int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.young == nil || len(g.young) >= max {
		g.old, g.young = g.young, make(map[K]V)
	}
	g.young[k] = v
}

// verifiedTokens knows tokens that were verified before, by their SHA-256, so that
// most requests decrypt nothing. Expiry and sign-out are checked at each use all
// the same. Only tokens that opened are in it: nobody without the secret fills it.
type verifiedTokens struct {
	seen generations[[32]byte, verifiedToken]
}

type verifiedToken struct {
	name    string // the cookie's, which is part of the key
	session *Session
}

func (v *verifiedTokens) get(key [32]byte, name string) *Session {
	if t, ok := v.seen.get(key); ok && t.name == name {
		return t.session
	}
	return nil
}

func (v *verifiedTokens) put(key [32]byte, name string, s *Session) {
	v.seen.put(key, verifiedToken{name, s}, maxVerified)
}

// endedSessions knows which sessions, by their ids, were signed out of in this
// process. It is all that ends a session without a store: other nodes do not know
// of it, and a restart empties it. A token without an id cannot be in it.
type endedSessions struct {
	ids generations[string, struct{}]
}

func (e *endedSessions) has(id string) bool {
	_, ok := e.ids.get(id)
	return ok
}

func (e *endedSessions) add(id string) {
	if id != "" {
		e.ids.put(id, struct{}{}, maxEnded)
	}
}
