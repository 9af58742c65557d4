package session

import (
	"encoding/binary"
	"strings"
	"time"
	"unicode/utf8"
)

// What a store has under a key:
//
//	03  IV  text  tag    the version, and A256CBC-HS512 (RFC 7518 5.2) under a key of that
//	1   16  ...   32     version's; the store's key is authenticated with it
//
// So what is sealed for one key counts under no other, and none of it is a token. A session's
// text is its fields, one after the other, those that say something:
//
//	01-0d length bytes          a text, by its number in [Session.texts]
//	10 11 12 seconds            AuthTime, IssuedAt, ExpiresAt: since 1970
//	13                          EmailVerified
//	14 length bytes ... seconds ProviderTokens: five texts and a time
//	15 length bytes             a group; as many as there are
//	16 length bytes length bytes a claim without a field, its name and JSON; likewise
//
// Lengths and seconds are varints. It is a third of the same in JSON, sealed as a token is, which
// is what a store's memory and a request's time are spent on.

const (
	// recordVersion is what this release writes and reads. It lets nodes of two releases
	// work beside each other: the older one leaves alone what it cannot read.
	recordVersion = 3

	// lastVersion is what a version can be at most. What begins with another byte is
	// nothing that any release writes.
	lastVersion = 0x1f

	// recordSalt keeps records apart from tokens, and from those of another version: none
	// is the other.
	recordSalt = "session record 3"

	// maxRecord bounds what is kept of one session, in bytes.
	maxRecord = 1 << 20
)

const (
	recordAuthTime byte = iota + 0x10
	recordIssuedAt
	recordExpiresAt
	recordEmailVerified
	recordTokens
	recordGroup
	recordClaim
)

// ofNewerNode reports whether a node of a later release wrote data, which that
// node can read, and which is not this one's to change.
func ofNewerNode(data []byte) bool {
	return len(data) > 0 && data[0] > recordVersion && data[0] <= lastVersion
}

// sealSession is s as the store keeps it under key. The error is [ErrTooLarge].
func (m *Manager) sealSession(s *Session, key string) ([]byte, error) {
	return m.sealRecord(s.appendRecord(nil), key)
}

// sealRecord is payload as a store keeps it under key.
func (m *Manager) sealRecord(payload []byte, key string) ([]byte, error) {
	data := m.records.keys[0].seal([]byte{recordVersion}, key, payload)
	if len(data) > maxRecord {
		return nil, ErrTooLarge
	}
	return data, nil
}

// openRecord is what was sealed as data under key.
func (m *Manager) openRecord(data []byte, key string) (payload []byte, ok bool) {
	if len(data) == 0 || len(data) > maxRecord || data[0] != recordVersion {
		return nil, false
	}
	for _, k := range m.records.keys {
		// A copy: a store may be asked later whether it still has data.
		if payload, err := k.open(key, append([]byte(nil), data[1:]...)); err == nil {
			return payload, true
		}
	}
	return nil, false
}

// texts are the fields that are texts, by their numbers less one.
func (s *Session) texts() [13]*string {
	return [...]*string{
		&s.ID, &s.Subject, &s.Name, &s.Email, &s.Picture, &s.Provider, &s.Issuer, &s.ProviderSubject, &s.Username,
		&s.ProviderSession, &s.Device, &s.Address, &s.TokenLabel,
	}
}

// texts are those of t.
func (t *ProviderTokens) texts() [5]*string {
	return [...]*string{&t.AccessToken, &t.RefreshToken, &t.IDToken, &t.TokenType, &t.Scope}
}

// appendRecord appends the text of s to dst. A claim gives way to a field of its name that has
// been given a value, as in a token.
func (s *Session) appendRecord(dst []byte) []byte {
	for i, text := range s.texts() {
		if *text != "" {
			dst = appendText(append(dst, byte(i+1)), *text)
		}
	}
	if !s.AuthTime.IsZero() {
		dst = appendTime(append(dst, recordAuthTime), s.AuthTime)
	}
	dst = appendTime(append(dst, recordIssuedAt), s.IssuedAt)
	dst = appendTime(append(dst, recordExpiresAt), s.ExpiresAt)
	if s.EmailVerified {
		dst = append(dst, recordEmailVerified)
	}
	if t := s.ProviderTokens; t != nil {
		dst = append(dst, recordTokens)
		for _, text := range t.texts() {
			dst = appendText(dst, *text)
		}
		dst = appendTime(dst, t.ExpiresAt)
	}
	for _, group := range s.Groups {
		dst = appendText(append(dst, recordGroup), group)
	}
	f := s.fields()
	for _, claim := range s.extra {
		if _, said := f.has(claim.name); !said {
			dst = appendText(appendText(append(dst, recordClaim), claim.name), claim.raw)
		}
	}
	return dst
}

// appendText appends text, in UTF-8 as in a token.
func appendText(dst []byte, text string) []byte {
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\uFFFD")
	}
	return append(binary.AppendUvarint(dst, uint64(len(text))), text...)
}

// appendTime appends t, cut to what a token can say. The zero time is 0.
func appendTime(dst []byte, t time.Time) []byte {
	return binary.AppendUvarint(dst, uint64(max(0, min(t.Unix(), maxTime))))
}

// sessionOf reads the text of a session. ok is false for what [Session.appendRecord] does not
// write, and for a session without an end: that is none.
func sessionOf(record string) (s *Session, ok bool) {
	s = &Session{}
	texts, r := s.texts(), recordReader{text: record}
	for last := byte(0); len(r.text) > 0 && !r.broken; {
		field := r.text[0]
		r.text = r.text[1:]
		if field < last || field == last && field != recordGroup && field != recordClaim {
			return nil, false
		}
		last = field
		switch field {
		case recordAuthTime:
			s.AuthTime = r.time()
		case recordIssuedAt:
			s.IssuedAt = r.time()
		case recordExpiresAt:
			s.ExpiresAt = r.time()
		case recordEmailVerified:
			s.EmailVerified = true
		case recordTokens:
			t := &ProviderTokens{}
			for _, text := range t.texts() {
				*text = r.next()
			}
			if t.ExpiresAt = r.time(); t.ExpiresAt.Unix() == 0 {
				t.ExpiresAt = time.Time{}
			}
			s.ProviderTokens, s.given = t, t
		case recordGroup:
			if s.Groups == nil {
				s.Groups = make([]string, 0, r.run(recordGroup))
			}
			s.Groups = append(s.Groups, r.next())
		case recordClaim:
			s.extra = append(s.extra, extraClaim{r.next(), r.next()})
		default:
			if field == 0 || int(field) > len(texts) {
				return nil, false
			}
			*texts[field-1] = r.next()
		}
	}
	s.Machine = s.TokenLabel != ""
	return s, !r.broken && !s.IssuedAt.IsZero() && !s.ExpiresAt.IsZero()
}

// recordReader reads what is left of a record. Once it is broken, nothing that it has given
// counts.
type recordReader struct {
	text   string
	broken bool
}

func (r *recordReader) varint() uint64 {
	var n uint64
	for i := range min(len(r.text), binary.MaxVarintLen64) {
		b := r.text[i]
		n |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			r.text = r.text[i+1:]
			return n
		}
	}
	r.broken = true
	return 0
}

// next is a text, which shares memory with the record.
func (r *recordReader) next() string {
	n := r.varint()
	if r.broken || n > uint64(len(r.text)) {
		r.broken = true
		return ""
	}
	text := r.text[:n]
	r.text = r.text[n:]
	return text
}

func (r *recordReader) time() time.Time {
	n := r.varint()
	if r.broken || n > maxTime {
		r.broken = true
		return time.Time{}
	}
	return time.Unix(int64(n), 0)
}

// run is how many texts follow each other from the one that begins here, each behind field.
func (r *recordReader) run(field byte) int {
	ahead := *r
	for n := 1; ; n++ {
		ahead.next()
		if ahead.broken || len(ahead.text) == 0 || ahead.text[0] != field {
			return n
		}
		ahead.text = ahead.text[1:]
	}
}
