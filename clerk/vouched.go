package clerk

import (
	"crypto/sha256"
	"sync"
)

// maxVouched bounds each of two generations, of 32 bytes and a map's overhead each.
const maxVouched = 4096

// vouched are texts of which Clerk has said something: the tokens that count, or the
// sessions that it has ended. Strangers cannot fill it, for what they make up is not
// among them. It is safe for concurrent use.
type vouched struct {
	mu         sync.Mutex
	young, old map[[sha256.Size]byte]struct{}
}

// has reports whether text is there, and keeps it longer.
func (v *vouched) has(text string) bool {
	key := sha256.Sum256([]byte(text))
	v.mu.Lock()
	defer v.mu.Unlock()
	if _, ok := v.young[key]; ok {
		return true
	}
	_, ok := v.old[key]
	if ok {
		v.put(key)
	}
	return ok
}

func (v *vouched) add(text string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.put(sha256.Sum256([]byte(text)))
}

func (v *vouched) remove(text string) {
	key := sha256.Sum256([]byte(text))
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.young, key)
	delete(v.old, key)
}

// put is for callers that hold mu.
func (v *vouched) put(key [sha256.Size]byte) {
	if v.young == nil || len(v.young) >= maxVouched {
		v.old, v.young = v.young, make(map[[sha256.Size]byte]struct{})
	}
	v.young[key] = struct{}{}
}
