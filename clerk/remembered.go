package clerk

import "sync"

// maxRemembered bounds each of two generations: when the young one is full it
// becomes the old one, and the old one is forgotten, but for what is used again.
// A token is some 800 bytes.
const maxRemembered = 2048

// rememberedTokens are tokens whose signature this process has verified, so that
// a session's next request costs no RSA. Only the signature is remembered, with
// the key; time and everything else is checked each time, and a key that Clerk took
// back counts no more. Only verified tokens get here, so that strangers cannot fill
// it. It is safe for concurrent use.
type rememberedTokens struct {
	mu         sync.Mutex
	young, old map[string]seen
}

// get returns what is known of token, and keeps it longer.
func (m *rememberedTokens) get(token string) (seen, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s, ok := m.young[token]; ok {
		return s, true
	}
	s, ok := m.old[token]
	if ok {
		m.put(token, s)
	}
	return s, ok
}

// add remembers a token whose signature is right.
func (m *rememberedTokens) add(token string, s seen) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.put(token, s)
}

// put is add for callers that hold mu.
func (m *rememberedTokens) put(token string, s seen) {
	if m.young == nil || len(m.young) >= maxRemembered {
		m.old, m.young = m.young, make(map[string]seen)
	}
	m.young[token] = s
}
