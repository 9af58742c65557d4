package clerk

import (
	"crypto/rsa"
	"sync"
)

// maxRemembered bounds each of two generations.
const maxRemembered = 2048

// rememberedTokens are tokens whose signature this process has verified, so that
// a session's next request costs no RSA. Only the signature is remembered, with
// the key; time and everything else is checked each time.
type rememberedTokens struct {
	mu         sync.Mutex
	young, old map[string]remembered
}

type remembered struct {
	token *jwt
	key   *rsa.PublicKey
}

func (m *rememberedTokens) get(token string) (remembered, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r, ok := m.young[token]; ok {
		return r, true
	}
	r, ok := m.old[token]
	if ok {
		m.put(token, r)
	}
	return r, ok
}

func (m *rememberedTokens) add(token string, r remembered) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.put(token, r)
}

func (m *rememberedTokens) put(token string, r remembered) {
	if m.young == nil || len(m.young) >= maxRemembered {
		m.old, m.young = m.young, make(map[string]remembered)
	}
	m.young[token] = r
}
