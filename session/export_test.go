package session

import "time"

// Remembered reports whether m knows that it verified token, in pieces that end at cuts, as
// one of the session cookie's.
func Remembered(m *Manager, token string, secure bool, cuts ...int) bool {
	var p pieces
	begin := 0
	for _, end := range append(cuts, len(token)) {
		p, begin = append(p, token[begin:end]), end
	}
	return m.verified.get(p, m.codec(secure)) != nil
}

// Decode reads a token's payload.
func Decode(payload []byte) (*Session, bool) {
	s, _, ok := decode(payload)
	return s, ok
}

// Record is payload, a session's claims in JSON, as m keeps it under key.
func Record(m *Manager, key, payload string) []byte {
	s, _, _ := decode([]byte(payload))
	return Sealed(m, key, s.appendRecord(nil))
}

// Sealed is text as m keeps it under key.
func Sealed(m *Manager, key string, text []byte) []byte {
	return m.records.keys[0].seal([]byte{recordVersion}, key, text)
}

// Ended are sessions that were signed out of.
type Ended struct{ *endedSessions }

// NewEnded remembers at most max of them, and maxOfOne of one person.
func NewEnded(max, maxOfOne int) Ended { return Ended{newEndedSessions(max, maxOfOne)} }

// Add remembers id, of the person sub.
func (e Ended) Add(id, sub string, until, now time.Time) {
	e.add(id, &Session{Subject: sub}, until, now)
}

// Has reports whether id is remembered.
func (e Ended) Has(id string) bool { return e.has(id) }

// Remove forgets id.
func (e Ended) Remove(id string) { e.remove(id) }

// Size is how many are remembered, and of how many people.
func (e Ended) Size() (ids, people int) { return len(e.ids), len(e.people) }

// EndedOf are those of m.
func EndedOf(m *Manager) Ended { return Ended{m.ended} }

// Sweep is what m does now and again.
func Sweep(m *MemoryStore) { m.sweep() }

// SweepSome is what it does then while it holds the lock.
func SweepSome(m *MemoryStore) (more bool) { return m.sweepSome() }

// Sweeps reports whether m waits to sweep.
func Sweeps(m *MemoryStore) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.timer != nil
}

// SizeOf is how many entries and lists m has.
func SizeOf(m *MemoryStore) (entries, lists int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.ends), len(m.lists)
}

// RecordOf is the text of s as a store keeps it, before it is sealed.
func RecordOf(s *Session) []byte { return s.appendRecord(nil) }

// OfRecord reads it.
func OfRecord(text []byte) (*Session, bool) { return sessionOf(string(text)) }

// Collide has all keys, and all lists, of m have one hash.
func Collide(m *MemoryStore) { m.mask = 0 }

// RememberedBytes is what the tokens that m remembers take, as it has added them up, and as
// each of them says.
func RememberedBytes(m *Manager) (added, sum int) {
	for _, t := range m.verified.seen {
		sum += t.cost
	}
	return m.verified.cost, sum
}
