package session

// Forgetter returns a function that makes m forget that it verified token.
func Forgetter(m *Manager, token, name string) func() {
	key := digest(token)
	return func() {
		m.verified.seen.mu.Lock()
		delete(m.verified.seen.young, key)
		m.verified.seen.mu.Unlock()
	}
}

// Remembered reports whether m knows that it verified token.
func Remembered(m *Manager, token, name string) bool {
	return m.verified.get(digest(token), name) != nil
}

// Decode reads a token's payload.
func Decode(payload []byte) (*Session, bool) {
	s, _, ok := decode(payload)
	return s, ok
}

// NewGenerations is a map of two halves of at most max.
func NewGenerations(max int) (get func(string) (int, bool), put func(string, int), size func() int) {
	var g generations[string, int]
	put = func(k string, v int) { g.put(k, v, max) }
	return g.get, put, func() int { return len(g.young) + len(g.old) }
}
