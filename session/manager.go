package session

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/sallyport/auth/internal/generations"
)

// The life of a session that is used all the time:
//
//	sign-in                                                time -->
//	Start         Renew         Renew                       the end
//	|- UpdateAge -|- UpdateAge -|                           |
//	|----------- MaxAge -----------|                        |
//	              |----------- MaxAge -----------|          |
//	                            |----------- MaxAge --------|--|
//	|----------------------- Lifetime ----------------------|
//
// A request before UpdateAge changes nothing. The first one after it has the
// session written anew, with a new MaxAge. Lifetime cuts the last MaxAge short.
// Rewrite is a renewal at once; End, and Start for the session before, are the end
// at once.

// tolerance is how far clocks of nodes may differ: Auth.js's 15 seconds. A token
// counts so long after its end, and so long before it was issued.
const tolerance = 15 * time.Second

// Manager reads and writes the sessions of one application. It is safe for
// concurrent use, and starts no goroutine that outlives what it is for. Make it with
// [NewManager].
//
// Its methods take secure, which says that the application's public address is
// https; it decides the cookie's name, and with it the key. Sessions of the two
// do not count for each other.
type Manager struct {
	config                Config
	plainName, secureName string
	plain, secure, v4     *Codec
	issued                *Codec // of programs' tokens
	records               *Codec // of what a store keeps
	names                 names
	now                   func() time.Time
	verified              verifiedTokens
	unreadable            generations.Map[string, struct{}] // keys in the store that were told of
	ended                 *endedSessions
	flights               flights
	paused                generations.Map[string, paused]
	refreshed             refreshedTokens
}

// NewManager returns a manager for c. The first secret seals, all of them open;
// there must be one to eight, and each must pass [CheckSecret]. now is the clock,
// [time.Now] but in tests, and must not be nil. The error joins every problem that
// there is in c and secrets, and shows none of the secrets. NewManager does not
// touch the store.
func NewManager(c Config, secrets []Secret, now func() time.Time) (*Manager, error) {
	var err error
	if len(secrets) == 0 {
		err = errors.New("session: no secret: make one with `openssl rand -base64 32`")
	}
	if len(secrets) > maxSecrets {
		err = errors.Join(err, fmt.Errorf("session: %d secrets: at most %d are tried", len(secrets), maxSecrets))
	}
	for i, s := range secrets {
		if e := CheckSecret(s); e != nil {
			err = errors.Join(err, fmt.Errorf("secret %d of %d: %w", i+1, len(secrets), e))
		}
	}
	err = errors.Join(err, c.check())
	if err != nil {
		return nil, err
	}
	m := &Manager{config: c, plainName: c.CookieName, secureName: securePrefix + c.CookieName, now: now, ended: newEndedSessions(maxEnded, maxEndedOfOne)}
	m.plain, m.secure, m.v4 = NewCodec(m.plainName, secrets), NewCodec(m.secureName, secrets), newV4Codec(secrets)
	m.issued, m.records = NewCodec(issuedSalt, secrets), NewCodec(recordSalt, secrets)
	m.names = newNames(secrets)
	return m, nil
}

// Load returns the session that r brings, or nil when it brings none that is
// valid: why is not told. The session is the caller's to change.
//
// Without a store it looks at the session cookie and its chunks, then at next-auth
// v4's, then at a bearer token (RFC 6750 2.1), which is how a server calls on
// somebody's behalf, or one of [Manager.Issue]. The first of them that holds counts, and of several cookies
// of one name the token that was issued last. A token holds if it opens, has
// "exp" and "iat", and the time is between them, give or take 15 seconds, not
// before "nbf" and not beyond Lifetime; and if nobody signed out of it in this
// process, nor took it back in [Config].Revocations.
//
// A store is asked for the cookie's value, if it has the shape of one; of several,
// one after the other until one holds, and at most 180. Data in it that cannot be
// read is left alone; a log line says so. Then comes a token of Issue.
//
// A database is asked in the same way, for the tokens of Auth.js's database strategy.
//
// The error wraps [ErrStore]: nobody knows then who it is. It is nil without a
// store, a database and Revocations.
func (m *Manager) Load(r *http.Request, secure bool) (*Session, error) {
	if m.config.Database != nil {
		return m.loadRow(r, secure)
	}
	if m.config.Store != nil {
		return m.loadStored(r, secure)
	}
	for range maxKeys {
		s := m.chosen(r, secure)
		if s == nil || m.config.Revocations == nil {
			return s, nil
		}
		gone, err := m.revoked(r.Context(), s)
		switch {
		case err != nil:
			return nil, err
		case !gone:
			return s, nil
		case s.ID == "":
			return nil, nil
		}
		m.endOne(s) // a token that was taken back hides none that holds
	}
	return nil, nil
}

// HasCookie reports whether r brings any session cookie, valid or not, or a chunk
// of one. It tells nothing about who sent r.
func (m *Manager) HasCookie(r *http.Request, secure bool) bool {
	var f found
	find(r.Header, m.cookieName(secure), &f)
	find(r.Header, v4Name(secure), &f)
	return f.any
}

// Due reports whether s is UpdateAge old or older, and so to be written anew. One
// that is read-only never is: whoever wrote it renews it, and signs out by deleting
// it.
func (m *Manager) Due(s *Session) bool {
	return !s.readOnly && m.now().Sub(s.IssuedAt) >= m.config.UpdateAge
}

// Renew writes s anew when it is due, and otherwise does nothing. For the rest it
// is [Manager.Rewrite]. It must be called before w's header is sent.
func (m *Manager) Renew(w http.ResponseWriter, r *http.Request, s *Session, secure bool) error {
	if !m.Due(s) {
		return nil
	}
	return m.Rewrite(w, r, s, secure)
}

// Rewrite writes s, which [Manager.Load] returned for r, anew with what has changed
// in it: its IssuedAt is now and its ExpiresAt MaxAge later, or at the end of
// Lifetime. ID and AuthTime stay; a session without AuthTime gets the IssuedAt
// that it had. A read-only session is left alone. So is one that the store no
// longer has: what was signed out of stays so, and the error is nil.
//
// What does not fit into [Config].MaxSetCookieBytes is dropped, as by [Manager.Start]; not
// the groups of a session that Auth.js began, for they are Auth.js's. With a store, a
// session whose ProviderTokens were not changed keeps those that the store has.
//
// Nor is one written that was signed out of in this process, however long before
// the answer that was. A sign-out elsewhere between the two calls of a store, one
// that asks and one that writes, is undone, unless the store is a [Replacer]. Of
// two changes at once the later one stays.
//
// The error is or wraps [ErrTooLarge] or [ErrStore]. No cookie is set then, and s is
// as it was.
func (m *Manager) Rewrite(w http.ResponseWriter, r *http.Request, s *Session, secure bool) error {
	if s.readOnly {
		return nil
	}
	if m.config.Database != nil {
		return m.rewriteRow(w, r, s, secure)
	}
	next := copyOf(s)
	if next.AuthTime.IsZero() {
		next.AuthTime = s.IssuedAt
	}
	m.stamp(next)
	var old []string
	if s.v4 && v4Name(secure) != m.cookieName(secure) {
		old = []string{v4Name(secure)}
	}
	lines, err := []string(nil), error(nil)
	if m.config.Store != nil {
		var value string
		if value, err = m.replace(r, next, secure); err != nil || value == "" {
			return err
		}
		lines, err = m.written(r, value, next.ExpiresAt, secure, old...)
	} else if lines, err = m.fit(w, r, next, secure, s.Provider != "", old...); m.ended.has(s.ID) {
		return nil
	}
	if err != nil {
		return err
	}
	add(w, lines)
	*s = *next
	return nil
}

// Start begins the session s with a new id, writes it to w and ends the one that r
// brings, so that an id from before the sign-in is worth nothing after it. It sets
// s.ID and the times; the rest is the caller's. It must be called before w's header
// is sent. Without a store, what does not fit into [Config].MaxSetCookieBytes is dropped:
// s.ProviderTokens, and of s.Groups the last first; s says so afterwards.
//
// The error is or wraps [ErrTooLarge], [ErrLoggedOut] or [ErrStore]. No cookie is set then,
// unless the store failed when the session before was to be ended.
func (m *Manager) Start(w http.ResponseWriter, r *http.Request, s *Session, secure bool) error {
	if m.config.Database != nil {
		return m.StartWithAccount(w, r, s, Account{}, secure)
	}
	before, err := m.Load(r, secure)
	if err != nil {
		return err
	}
	s.ID, s.AuthTime = newID(), m.now()
	if m.config.Revocations != nil {
		if err := m.comesAfter(r.Context(), s); err != nil {
			return err
		}
	}
	m.stamp(s)
	var old []string
	if m.config.UpgradeV4 && v4Name(secure) != m.cookieName(secure) {
		old = []string{v4Name(secure)}
	}
	var lines []string
	if m.config.Store == nil {
		lines, err = m.fit(w, r, s, secure, true, old...)
	} else {
		value := newKeyText()
		if err = m.commit(r.Context(), s, value); err == nil {
			lines, err = m.written(r, value, s.ExpiresAt, secure, old...)
		}
	}
	if err != nil {
		return err
	}
	add(w, lines)
	return m.end(r, before, secure)
}

// stamp sets the times of s, of which AuthTime is known. A token has whole seconds
// (RFC 7519 2), and a session must not look newer than its token. What is in a cookie is no
// program's.
func (m *Manager) stamp(s *Session) {
	s.TokenLabel = ""
	s.IssuedAt = m.now().Truncate(time.Second)
	s.ExpiresAt = s.IssuedAt.Add(m.config.MaxAge)
	if last := s.AuthTime.Add(m.config.Lifetime); last.Before(s.ExpiresAt) {
		s.ExpiresAt = last
	}
}

// seal is the cookie's value where s is kept in it.
func (m *Manager) seal(s *Session, secure bool) (string, error) {
	payload, err := s.encode()
	if err != nil {
		return "", err
	}
	return m.codec(secure).Seal(payload), nil
}

// End deletes the cookies of r's session and ends it: in the store, or else in
// this process, which refuses its token from now on. Of several that r brings, all
// are ended, in cookies of v4 and a bearer token too, so that none of them signs
// in at the next request. Cookies are deleted even when the session is not valid, or
// not there; at most 12, and 6 with a CookieDomain, in an
// answer that proxies pass. It must be called before
// w's header is sent.
//
// Without a store and Revocations a copy of the token still counts on other nodes, and here
// after a restart, until it expires. This process remembers 131,072 sign-outs, and 1,024
// of one person; beyond that it forgets one of whoever has most. A token without an
// ID is not remembered.
//
// The error wraps [ErrStore]. The cookies are then left, so that nobody believes to
// be signed out who is not, and the person can try again.
func (m *Manager) End(w http.ResponseWriter, r *http.Request, secure bool) error {
	var s *Session
	var err error
	if m.config.Store != nil {
		s, err = m.loadStored(r, secure)
	}
	if err == nil {
		err = m.end(r, s, secure)
	}
	if err != nil {
		return err
	}
	add(w, m.cleared(r, secure, m.cookieName(secure), v4Name(secure)))
	return nil
}

// end ends all sessions that r brings. who is the one that a store has for it, and
// may be nil.
func (m *Manager) end(r *http.Request, who *Session, secure bool) error {
	if m.config.Database != nil {
		return m.endRows(r, secure)
	}
	if m.config.Store != nil {
		return m.endStored(r, who, secure)
	}
	return m.endBrought(r, secure)
}

// bound holds a session of ours to this configuration, whatever another holder of the
// secret made of its token's times: Auth.js writes a token anew whenever it reads one,
// with an exp of its own. AuthTime is what it leaves alone, and says that a session is
// ours.
func (m *Manager) bound(s *Session) {
	if s.AuthTime.IsZero() {
		return
	}
	for _, end := range [...]time.Time{s.IssuedAt.Add(m.config.MaxAge), s.AuthTime.Add(m.config.Lifetime)} {
		if end.Before(s.ExpiresAt) {
			s.ExpiresAt = end
		}
	}
}

// last is when no token of the session s can hold any more, whichever node renews
// it until then: a token without AuthTime gets its IssuedAt for that.
func (m *Manager) last(s *Session) time.Time {
	last := s.begun().Add(m.config.Lifetime)
	if s.ExpiresAt.After(last) {
		last = s.ExpiresAt
	}
	return last.Add(tolerance)
}

// newID is a random UUID, which is what Auth.js puts into "jti": RFC 9562 5.4.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
