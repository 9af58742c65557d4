package clerk

import (
	"context"
	"fmt"
	"time"
)

// Forget makes b see token as if for the first time.
func Forget(b *Backend, token string) {
	b.remembered.mu.Lock()
	defer b.remembered.mu.Unlock()
	delete(b.remembered.young, token)
	delete(b.remembered.old, token)
}

// Describe fetches a profile as a request of that person does.
func Describe(b *Backend, id string) { b.profiles.get(context.Background(), id) }

// SetProfileWait replaces how long a request waits for a profile.
func SetProfileWait(b *Backend, d time.Duration) { b.profiles.wait = d }

// NewVouched is what is remembered of tokens.
func NewVouched() (has func(string) bool, add, remove func(string), size func() int) {
	var v vouched
	return v.has, v.add, v.remove, func() int { return len(v.young) + len(v.old) }
}

// ProfilesKept says how many there are.
func ProfilesKept(b *Backend) int {
	b.profiles.mu.Lock()
	defer b.profiles.mu.Unlock()
	return len(b.profiles.young) + len(b.profiles.old)
}

// RememberedBytes puts tokens of size bytes into a memory of verified tokens, and
// returns how many bytes of tokens it keeps.
func RememberedBytes(tokens, size int) (kept int) {
	var m rememberedTokens
	for i := range tokens {
		m.add(fmt.Sprintf("%0*d", size, i), seen{})
		if _, ok := m.get(fmt.Sprintf("%0*d", size, i)); !ok {
			return -1
		}
	}
	for _, generation := range []map[string]seen{m.young, m.old} {
		for token := range generation {
			kept += len(token)
		}
	}
	return kept
}
