package session

import (
	"encoding/hex"
	"hash/maphash"
	"math"
	"time"
)

// memoryEntry is what there is under a key. There may be a million: key and data are one
// text, in which a session's key, 64 hexadecimal digits, is the 32 bytes that they stand for.
type memoryEntry struct {
	kept   string
	expiry int64        // in nanoseconds since 1970
	next   *memoryEntry // of the same hash
	lists  *membership  // the last that it was put on
	place  int32        // in the heap
	length int32        // of the key in kept; less than 0 where its digits are the key
}

// entry is what there is under key, expired or not, or nil. m.mu is held.
func (m *MemoryStore) entry(key string) *memoryEntry {
	for e := m.entries[m.hash(key)]; e != nil; e = e.next {
		if e.has(key) {
			return e
		}
	}
	return nil
}

func (m *MemoryStore) hash(text string) uint64 { return maphash.String(m.seed, text) & m.mask }

// keep has e keep a copy of data under key until expiry.
func (e *memoryEntry) keep(key string, data []byte, expiry time.Time) {
	var short [keyLength / 2]byte
	kept := key
	e.length = int32(len(key)) // #nosec G115 -- a key of 2 GB is nobody's
	if isDigits(key) {
		_, _ = hex.Decode(short[:], []byte(key))
		kept, e.length = string(short[:]), -int32(len(short))
	}
	e.expiry, e.kept = nanoseconds(expiry), kept+string(data)
}

// isDigits reports whether key has the form of a session's.
func isDigits(key string) bool {
	if len(key) != keyLength {
		return false
	}
	for i := range len(key) {
		if c := key[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

func (e *memoryEntry) key() string {
	if e.length < 0 {
		return hex.EncodeToString([]byte(e.kept[:-e.length]))
	}
	return e.kept[:e.length]
}

// has reports whether key is e's.
func (e *memoryEntry) has(key string) bool {
	if e.length >= 0 {
		return key == e.kept[:e.length]
	}
	if len(key) != keyLength {
		return false
	}
	const digits = "0123456789abcdef"
	for i := range keyLength / 2 {
		if b := e.kept[i]; key[2*i] != digits[b>>4] || key[2*i+1] != digits[b&15] {
			return false
		}
	}
	return true
}

func (e *memoryEntry) data() string { return e.kept[max(e.length, -e.length):] }

// after reports whether e ends after now.
func (e *memoryEntry) after(now time.Time) bool { return e.expiry > nanoseconds(now) }

// nanoseconds are those of t since 1970, as far as they can be counted: to the year 2262.
func nanoseconds(t time.Time) int64 {
	switch {
	case t.Year() > 2261:
		return math.MaxInt64
	case t.Year() < 1678:
		return math.MinInt64
	}
	return t.UnixNano()
}
