package accesscode

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/netip"
	"strings"
	"time"
)

// The count of a client in a store:
//
//	key    code-<HMAC of the client>
//	data   HMAC of the key and the rest, 16 bytes
//	       version, 1 byte
//	       a random number, 8 bytes, so that a node knows what it wrote itself
//	       wrong, 4 bytes; since, until and at, 8 bytes each, in milliseconds since 1970
//
// The HMACs are under the first secret: whoever reads the store finds no addresses in
// it, and what was written by somebody else, or copied from another key, is no count.
// Every version begins with the HMAC, so that what is newer can be told from what is
// damaged.
const (
	countVersion = 1
	countMAC     = 16
	countLen     = countMAC + 1 + 8 + 4 + 3*8
)

// storedCount is the counter of one client, as a store has it.
type storedCount struct {
	counter
	at      time.Time // when it was written, by the clock that was ahead
	newer   bool      // it is of a later release
	damaged bool      // it is no count
}

// expiry is when nothing of it is left to be forgotten, and somewhat later, or when it
// was written if nothing was left then.
func (n *storedCount) expiry() time.Time {
	if n.wrong == 0 {
		return n.at
	}
	return n.since.Add(time.Duration(n.wrong)*kinds[client].forgetAfter + keptLonger)
}

func (l *storeLimiter) key(one netip.Prefix) string {
	return "code-" + base64.RawURLEncoding.EncodeToString(l.mac("key", one.String()))
}

func (l *storeLimiter) mac(parts ...string) []byte {
	mac := hmac.New(sha256.New, []byte(l.secret.Reveal()))
	mac.Write([]byte("sallyport access code count\x00" + strings.Join(parts, "\x00")))
	return mac.Sum(nil)
}

func (l *storeLimiter) seal(key string, n *storedCount) []byte {
	body := make([]byte, 1+8, countLen-countMAC)
	body[0] = countVersion
	_, _ = rand.Read(body[1:])                                  // never fails: it ends the program instead
	body = binary.BigEndian.AppendUint32(body, uint32(n.wrong)) // #nosec G115 -- some ten at most
	for _, t := range []time.Time{n.since, n.until, n.at} {
		body = binary.BigEndian.AppendUint64(body, uint64(t.UnixMilli()))
	}
	return append(l.mac("data", key, string(body))[:countMAC], body...)
}

func (l *storeLimiter) open(key string, data []byte) (n storedCount) {
	if len(data) < countMAC || !hmac.Equal(data[:countMAC], l.mac("data", key, string(data[countMAC:]))[:countMAC]) {
		return storedCount{damaged: true}
	}
	body := data[countMAC:]
	if body[0] != countVersion {
		return storedCount{newer: true}
	}
	n.wrong = int(binary.BigEndian.Uint32(body[9:]))
	for i, t := range []*time.Time{&n.since, &n.until, &n.at} {
		*t = time.UnixMilli(int64(binary.BigEndian.Uint64(body[13+8*i:]))) // #nosec G115 -- as seal wrote it
	}
	return n
}
