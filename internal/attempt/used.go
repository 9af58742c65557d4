package attempt

import (
	"crypto/sha256"
	"sync"
	"time"
)

// maxUsed bounds how many states are remembered in each of two generations.
const maxUsed = 1 << 16

// usedStates remembers, for as long as an attempt lives, which states this
// process has taken. Two generations bound it in time, maxUsed in space. It keeps
// hashes: a memory dump gives nobody a state.
type usedStates struct {
	mu         sync.Mutex
	young, old map[[32]byte]struct{}
	since      time.Time
}

// add reports whether state is new.
func (u *usedStates) add(state string, now time.Time) bool {
	key := sha256.Sum256([]byte(state))
	u.mu.Lock()
	defer u.mu.Unlock()
	if age := now.Sub(u.since); u.young == nil || age > Life || age < 0 || len(u.young) >= maxUsed {
		u.old, u.young, u.since = u.young, make(map[[32]byte]struct{}), now
	}
	_, young := u.young[key]
	_, old := u.old[key]
	if young || old {
		return false
	}
	u.young[key] = struct{}{}
	return true
}
