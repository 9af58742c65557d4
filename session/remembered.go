package session

import "sync"

const (
	// maxVerified tokens are remembered in each of two generations.
	maxVerified = 4096

	// maxEnded sign-outs are remembered in each of two generations.
	maxEnded = 1 << 16
)

// generations is a map of bounded size: when the young half is full, the old
// half is forgotten.
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

func (g *generations[K, V]) put(k K, v V, max int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.young == nil || len(g.young) >= max {
		g.old, g.young = g.young, make(map[K]V)
	}
	g.young[k] = v
}

// verifiedTokens knows tokens that were verified before, by their SHA-256.
// Expiry and sign-out are checked at each use all the same.
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

// endedSessions knows who signed out of this process.
type endedSessions struct {
	ids generations[string, struct{}]
}

func (e *endedSessions) has(id string) bool {
	if id == "" {
		return false
	}
	_, ok := e.ids.get(id)
	return ok
}

func (e *endedSessions) add(id string) {
	if id != "" {
		e.ids.put(id, struct{}{}, maxEnded)
	}
}
