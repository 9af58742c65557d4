package clerk

import "sync"

// maxRemembered bounds each of two generations.
const maxRemembered = 2048

// rememberedTokens are tokens whose signature this process has verified, so that
// a session's next request costs no RSA. Only the signature is remembered, with
// the key; time and everything else is checked each time.
type rememberedTokens struct {
	mu         sync.Mutex
	young, old map[string]seen
}

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

func (m *rememberedTokens) add(token string, s seen) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.put(token, s)
}

func (m *rememberedTokens) put(token string, s seen) {
	if m.young == nil || len(m.young) >= maxRemembered {
		m.old, m.young = m.young, make(map[string]seen)
	}
	m.young[token] = s
}
