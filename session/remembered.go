package session

import (
	"bytes"
	"encoding/binary"
	"strings"
	"sync"
	"unsafe"
)

const (
	// maxVerified is how many bytes remembered tokens take in all: some 6,000 sessions
	// of 600 bytes.
	maxVerified = 16 << 20

	// maxVerifiedOne is the most that one of them may take. What this package
	// writes fits; larger ones, which only Auth.js makes, are verified each time. So
	// nobody's few sessions drive out those of everybody else.
	maxVerifiedOne = 64 << 10
)

// verifiedTokens knows tokens that were verified before, so that most requests decrypt
// nothing. Expiry and sign-out are checked at each use all the same. Only tokens that
// opened are in it: nobody without the secret fills it.
//
// A token is looked up by the beginning of its authentication tag, and then compared as a
// whole with the one that opened. So what counts is, byte for byte, what counted before:
// the look-up decides nothing, it only finds. Nobody without the key chooses a tag, and of
// two tokens whose tags begin alike the later one is remembered. Nothing of a token can be
// found out here piece by piece: the map's hash is seeded for each process, and the
// comparison takes as long wherever the two differ.
type verifiedTokens struct {
	mu   sync.RWMutex
	seen map[uint64]verifiedToken
	cost int
}

// verifiedToken is a token, its session and what opened it. The codec stands for the
// kind of the token: with it, v4's under a name that both versions use is not taken for
// one of v5.
type verifiedToken struct {
	text    string
	codec   *Codec
	session *Session
	cost    int
}

// get returns the session of token, or nil. Nobody may change it.
func (v *verifiedTokens) get(token pieces, codec *Codec) *Session {
	key, ok := token.tag()
	if !ok {
		return nil
	}
	v.mu.RLock()
	t := v.seen[key]
	v.mu.RUnlock()
	if t.codec == codec && token.are(t.text) {
		return t.session
	}
	return nil
}

// put remembers that codec opens token, in which s was, decoded from payload. Where there
// is no room, any others are forgotten.
func (v *verifiedTokens) put(token string, codec *Codec, s *Session, payload []byte) {
	t := verifiedToken{token, codec, s, costOf(token, s, payload)}
	key, ok := pieces{token}.tag()
	if !ok || t.cost > maxVerifiedOne {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.forget(key)
	for other := range v.seen {
		if v.cost+t.cost <= maxVerified {
			break
		}
		v.forget(other)
	}
	if v.seen == nil {
		v.seen = map[uint64]verifiedToken{}
	}
	v.seen[key] = t
	v.cost += t.cost
}

// forget forgets the token with the tag key, if there is one. v.mu is held.
func (v *verifiedTokens) forget(key uint64) {
	v.cost -= v.seen[key].cost
	delete(v.seen, key)
}

// costOf is how many bytes of memory token and s keep, which was decoded from payload, or
// somewhat more. Texts are parts of the payload, unless something in them was
// escaped: then they are copies. An allocator's size class takes up to an eighth
// more. A map has room to spare: for half as many entries again, on the average.
func costOf(token string, s *Session, payload []byte) int {
	const slot = (int(unsafe.Sizeof(uint64(0))+unsafe.Sizeof(verifiedToken{})) + 1) * 3 / 2
	text := len(payload)
	if bytes.IndexByte(payload, '\\') >= 0 {
		text *= 2
	}
	lists := cap(s.Groups)*int(unsafe.Sizeof("")) + cap(s.extra)*int(unsafe.Sizeof(extraClaim{}))
	heap := len(token) + text + lists + int(unsafe.Sizeof(*s))
	return slot + heap + heap/8
}

// pieces are a token as a request brings it: whole, or in chunks, in which it need not be
// put together to be found.
type pieces []string

func (p pieces) length() (n int) {
	for _, s := range p {
		n += len(s)
	}
	return n
}

// tag is the beginning of the tag of A256CBC-HS512, or in a token with A256GCM of what stands
// in its place. ok is false for what is too short to be a token.
func (p pieces) tag() (begins uint64, ok bool) {
	var end [cbcTagText]byte
	left := len(end)
	for i := len(p) - 1; i >= 0 && left > 0; i-- {
		s := p[i]
		s = s[max(0, len(s)-left):]
		left -= copy(end[left-len(s):], s)
	}
	return binary.LittleEndian.Uint64(end[:8]), left == 0
}

// are reports whether p are whole, in a time that depends on the lengths alone.
func (p pieces) are(whole string) bool {
	if p.length() != len(whole) {
		return false
	}
	var differ uint64
	for _, s := range p {
		differ |= difference(s, whole[:len(s)])
		whole = whole[len(s):]
	}
	return differ == 0
}

// difference is 0 if a and b, which are of one length, are the same. It is
// [crypto/subtle.ConstantTimeCompare] by eight bytes at a time: tokens are long.
func difference(a, b string) (d uint64) {
	for len(a) >= 8 && len(b) >= 8 {
		d |= binary.LittleEndian.Uint64([]byte(a[:8])) ^ binary.LittleEndian.Uint64([]byte(b[:8]))
		a, b = a[8:], b[8:]
	}
	for i := range len(a) {
		d |= uint64(a[i] ^ b[i])
	}
	return d
}

func (p pieces) joined() string {
	if len(p) == 1 {
		return p[0]
	}
	return strings.Join(p, "")
}
