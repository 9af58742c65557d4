package session

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"net/http"
	"regexp"
	"time"
)

// A session in the database of Auth.js:
//
//	cookie    N=6f3c...-...            Auth.js's session token: a UUID
//	sessions  the token, a user's id, when it ends
//	users     the id, name, e-mail address, picture
//
// A row has nothing else. When somebody signed in and with which provider is not
// known afterwards, and there is no end but the row's.
//
//	request   Find, for each value until one holds
//	renewal   Update: the row's end is MaxAge from now
//	sign-in   Start: the user and a new row; Delete of what was there before
//	sign-out  Delete, for each value

// Database has the sessions of Auth.js's database strategy, in the tables of its
// adapters, which an application with Auth.js reads and writes at the same time. Package
// authjsdb has one for PostgreSQL.
//
// All methods are called concurrently. ctx has a limit of 5 seconds for all calls of one
// request. An error means that the database failed, and nothing that a browser can send
// may cause one; requests are then answered 503. Token is a password, which no
// error may have in it.
type Database interface {
	// Find returns the session with token, or nil when there is none. What is to be set are
	// Subject, the user's id; Name, Email and Picture, of the user; EmailVerified, if Auth.js
	// has verified the address; and ExpiresAt. It may have expired. The session is the
	// caller's to change.
	Find(ctx context.Context, token string) (*Session, error)

	// Start begins a session with token until s.ExpiresAt, of the user who has the
	// account s.Subject at s.Provider, and sets of s what Find would. Where nobody has the
	// account, it makes the user, and a is kept along with the account; of several calls at
	// once one does. The error wraps [ErrNotLinked] where a user has the account's
	// e-mail address, but not the account.
	Start(ctx context.Context, token string, s *Session, a Account) error

	// Update has the session with token end at s.ExpiresAt, and gives its user the Name and
	// the Picture of s where they are not those of old, which is s as Find returned it.
	// found is false where there is no such session; nothing is changed then.
	Update(ctx context.Context, token string, old, s *Session) (found bool, err error)

	// Delete removes the session with token. One that is not there is no error.
	Delete(ctx context.Context, token string) error
}

// DatabaseLister is a [Database] that finds the sessions of a user, for [Manager.List] and
// [Manager.Revoke].
type DatabaseLister interface {
	Database

	// List returns the sessions of the user with the id subject, as Find does each, by their
	// tokens. There may be none, and they may have expired.
	List(ctx context.Context, subject string) (map[string]*Session, error)
}

// tokenPattern is what a session token looks like: Auth.js's are UUIDs, next-auth v4's
// may be 64 hexadecimal digits, and an application may make others. An encrypted token,
// from a time without a database, has dots.
var tokenPattern = regexp.MustCompile(`^[A-Za-z0-9_-]{16,255}$`)

// checkDatabase reports what means nothing beside a Database, and sets what has no
// meaning with one.
func (c *Config) checkDatabase() (err error) {
	if c.Store != nil {
		err = errors.New("session: Database and Store are both set: a session is in one of them")
	}
	if c.Revocations != nil {
		err = errors.Join(err, errors.New("session: Revocations are for sessions that are in cookies: leave it out beside a Database, in which sessions are deleted"))
	}
	if c.Lifetime != 0 {
		err = errors.Join(err, errors.New("session: Lifetime is set with a Database, whose rows do not say when somebody signed in: leave it 0"))
	}
	if c.UpgradeV4 {
		err = errors.Join(err, errors.New("session: UpgradeV4 is set with a Database, whose session tokens are the same in both versions: leave it false"))
	}
	c.Lifetime = math.MaxInt64
	return err
}

// loadRow is Load with a database: the first value counts that has a row which
// holds.
func (m *Manager) loadRow(r *http.Request, secure bool) (s *Session, err error) {
	var f found
	find(r.Header, m.cookieName(secure), &f)
	if f.nPlain == 0 {
		return nil, nil
	}
	ctx, done := m.limited(r.Context())
	defer done()
	f.shaped(tokenPattern.MatchString, func(token string) (more bool) {
		s, err = m.row(ctx, token)
		return s == nil && err == nil
	})
	return s, err
}

// row is the session that the database has with token, or nil when it has none
// that holds. Auth.js writes a row anew when it is UpdateAge old, and so its end says
// when that was last.
func (m *Manager) row(ctx context.Context, token string) (*Session, error) {
	s, err := m.config.Database.Find(ctx, token)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrStore, err)
	}
	if s == nil || !m.now().Before(s.ExpiresAt) {
		return nil, nil
	}
	m.dated(s, token)
	return s, nil
}

// dated sets of s, the session with token, what its end says, and which row it is.
func (m *Manager) dated(s *Session, token string) {
	s.IssuedAt = s.ExpiresAt.Add(-m.config.MaxAge)
	if now := m.now(); s.IssuedAt.After(now) {
		s.IssuedAt = now
	}
	m.keep(s, token)
}

// errUsersAlone says that rows do not have whom they are asked for by.
var errUsersAlone = fmt.Errorf("session: a Database finds the sessions of a user alone, OfUser: %w", errors.ErrUnsupported)

// eachRow calls visit with each session that w means, and its token. Only a user's can
// be found, by the id that is their subject.
func (m *Manager) eachRow(ctx context.Context, w Whose, visit func(token string, s *Session) error) error {
	database, ok := m.config.Database.(DatabaseLister)
	if !ok {
		return errNoLists
	}
	if w.owner.kind != ofUser {
		return errUsersAlone
	}
	list, err := database.List(ctx, w.owner.a)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrStore, err)
	}
	for token, s := range list {
		m.dated(s, token)
		if !m.means(w, s) {
			continue
		}
		if err := visit(token, s); err != nil {
			return err
		}
	}
	return nil
}

// revokeRows deletes the sessions that w means.
func (m *Manager) revokeRows(ctx context.Context, w Whose) error {
	return m.eachRow(ctx, w, func(token string, _ *Session) error {
		if err := m.config.Database.Delete(ctx, token); err != nil {
			return fmt.Errorf("%w: %w", ErrStore, err)
		}
		return nil
	})
}

// keep has s know which row it is, and how that is now.
func (m *Manager) keep(s *Session, token string) {
	s.ID, s.key, s.row = rowID(token), storeKey(token), nil
	s.row = copyOf(s)
}

// readyRow is Ready with a database.
func (m *Manager) readyRow(ctx context.Context) error {
	ctx, done := m.limited(ctx)
	defer done()
	if _, err := m.config.Database.Find(ctx, ""); err != nil {
		return fmt.Errorf("%w: %w", ErrStore, err)
	}
	return nil
}

// rewriteRow is Rewrite with a database. What was deleted in the meantime stays so.
func (m *Manager) rewriteRow(w http.ResponseWriter, r *http.Request, s *Session, secure bool) error {
	token := m.tokenOf(r, s, secure)
	if token == "" {
		return nil
	}
	next := copyOf(s)
	next.IssuedAt = m.now().Truncate(time.Second)
	next.ExpiresAt = next.IssuedAt.Add(m.config.MaxAge)
	ctx, done := m.limited(r.Context())
	defer done()
	there, err := m.config.Database.Update(ctx, token, s.row, next)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrStore, err)
	}
	if !there {
		return nil
	}
	lines, err := m.written(r, token, next.ExpiresAt, secure)
	if err != nil {
		return err
	}
	add(w, lines)
	m.keep(next, token)
	*s = *next
	return nil
}

// tokenOf is the token of s among those that r brings.
func (m *Manager) tokenOf(r *http.Request, s *Session, secure bool) (token string) {
	var f found
	find(r.Header, m.cookieName(secure), &f)
	f.shaped(tokenPattern.MatchString, func(value string) (more bool) {
		if storeKey(value) == s.key {
			token = value
		}
		return token == ""
	})
	return token
}

// endRows deletes all rows that r brings a token of.
func (m *Manager) endRows(r *http.Request, secure bool) (err error) {
	var f found
	find(r.Header, m.cookieName(secure), &f)
	ctx, done := m.limited(r.Context())
	defer done()
	f.shaped(tokenPattern.MatchString, func(token string) (more bool) {
		if err = m.config.Database.Delete(ctx, token); err != nil {
			err = fmt.Errorf("%w: %w", ErrStore, err)
		}
		return err == nil
	})
	return err
}

// rowID is the ID of the session with token: a UUID, as others are (RFC 9562 5.8), which
// may be shown, for nobody finds the token by it.
func rowID(token string) string {
	b := sha256.Sum256([]byte("id of " + token))
	b[6], b[8] = b[6]&0x0f|0x80, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:16])
}
