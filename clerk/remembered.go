package clerk

import "sync"

// Each of two generations is bounded in tokens and in what they take: when the young
// one is full it becomes the old one, and the old one is forgotten, but for what is
// used again. A token is some 800 bytes, and what was read of it as much.
const (
	maxRemembered      = 2048
	maxRememberedBytes = 4 << 20
)

// rememberedTokens are tokens whose signature this process has verified, so that
// a session's next request costs no RSA. Only the signature is remembered, with
// the key; time and everything else is checked each time, and a key that Clerk took
// back counts no more. Only verified tokens get here, so that strangers cannot fill
// it. It is safe for concurrent use.
type rememberedTokens struct {
	mu         sync.Mutex
	young, old map[string]seen
	size       int // of young, in bytes
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
	cost := 2 * len(token)
	if m.young == nil || len(m.young) >= maxRemembered || m.size+cost > maxRememberedBytes {
		m.old, m.young, m.size = m.young, make(map[string]seen), 0
	}
	if _, there := m.young[token]; !there {
		m.size += cost
	}
	m.young[token] = s
}
