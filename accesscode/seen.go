package accesscode

import (
	"hash/maphash"
	"net/netip"
	"time"
)

const (
	// seenBits is the size of one filter, 256 KiB; seenMost is how many clients it
	// takes before the next one begins. With that many, 1 in 20 strangers is
	// taken for one of them.
	seenBits = 1 << 21
	seenMost = 1 << 18
	seenFor  = 12 * time.Hour
)

// seen remembers which clients sent a wrong code at the ceiling, and no more about
// them: far more than the counts have room for. Somebody who is new goes before
// them. It is a Bloom filter in two generations, whose zero value is empty and small.
type seen struct {
	seed     maphash.Seed
	now, old []uint64
	n        int
	since    time.Time
}

func (s *seen) add(one netip.Prefix, now time.Time) {
	if s.now == nil {
		s.seed = maphash.MakeSeed()
	}
	if s.now == nil || s.n >= seenMost || now.Sub(s.since) >= seenFor {
		s.now, s.old = make([]uint64, seenBits/64), s.now
		s.n, s.since = 0, now
	}
	s.n++
	for h, i := maphash.Comparable(s.seed, one), 0; i < 3; i++ {
		s.now[h%seenBits/64] |= 1 << (h % 64)
		h /= seenBits
	}
}

func (s *seen) has(one netip.Prefix) bool {
	if s.now == nil {
		return false
	}
	h := maphash.Comparable(s.seed, one)
	return in(s.now, h) || in(s.old, h)
}

func in(filter []uint64, h uint64) bool {
	if filter == nil {
		return false
	}
	for range 3 {
		if filter[h%seenBits/64]&(1<<(h%64)) == 0 {
			return false
		}
		h /= seenBits
	}
	return true
}
