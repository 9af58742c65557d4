package session

import (
	"bytes"
	"unsafe"

	"github.com/sallyport/auth/internal/generations"
)

const (
	// maxVerified is how many bytes of tokens are remembered in each of two
	// generations: some 3,500 sessions of 400 bytes, and 6 MB when both are full.
	maxVerified = 3 << 20

	// maxVerifiedOne is the most that one of them may take. What this package
	// writes fits; larger ones, which only Auth.js makes, are verified each time. So
	// nobody's few sessions drive out those of everybody else.
	maxVerifiedOne = 32 << 10
)

// verifiedTokens knows tokens that were verified before, by their SHA-256, so that
// most requests decrypt nothing. Expiry and sign-out are checked at each use all
// the same. Only tokens that opened are in it: nobody without the secret fills it.
type verifiedTokens struct {
	seen generations.Map[[32]byte, verifiedToken]
}

// verifiedToken is a session and what opened it. The codec stands for the kind of
// the token: with it, v4's under a name that both versions use is not taken for
// one of v5.
type verifiedToken struct {
	codec   *Codec
	session *Session
}

// get returns the session of the token with the SHA-256 key, or nil. Nobody may
// change it.
func (v *verifiedTokens) get(key [32]byte, codec *Codec) *Session {
	if t, ok := v.seen.Get(key); ok && t.codec == codec {
		return t.session
	}
	return nil
}

func (v *verifiedTokens) put(key [32]byte, codec *Codec, s *Session, payload []byte) {
	if cost := costOf(s, payload); cost <= maxVerifiedOne {
		v.seen.Put(key, verifiedToken{codec, s}, cost, maxVerified)
	}
}

// costOf is how many bytes of memory s keeps, which was decoded from payload, or
// somewhat more. Texts are parts of the payload, unless something in them was
// escaped: then they are copies. An allocator's size class takes up to an eighth
// more. A map has room to spare: for half as many entries again, on the average.
func costOf(s *Session, payload []byte) int {
	const slot = (int(unsafe.Sizeof([32]byte{})+unsafe.Sizeof(verifiedToken{})) + 1) * 3 / 2
	text := len(payload)
	if bytes.IndexByte(payload, '\\') >= 0 {
		text *= 2
	}
	lists := cap(s.Groups)*int(unsafe.Sizeof("")) + cap(s.extra)*int(unsafe.Sizeof(extraClaim{}))
	heap := text + lists + int(unsafe.Sizeof(*s))
	return slot + heap + heap/8
}
