package authjsdb

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/sallyport/auth/internal/sqlerror"
	"github.com/sallyport/auth/session"
)

// limit is how long one call may take.
const limit = 5 * time.Second

// Config is how a [Database] is made. The zero value is @auth/pg-adapter's.
type Config struct {
	// Names are other names of tables and columns than @auth/pg-adapter's, by its own: a
	// table by "accounts", a column by "users.image". A table's may have a schema and a dot
	// in front.
	Names map[string]string

	// UserID is the id of a user that is made for the account subject at provider. If nil,
	// the database makes one.
	UserID func(provider, subject string) string
}

// LobeChat is the configuration for LobeChat's tables, in which a user's id is the id at
// the provider.
func LobeChat() Config {
	return Config{
		Names: map[string]string{
			"accounts": "nextauth_accounts", "sessions": "nextauth_sessions",
			"users.name": "full_name", "users.emailVerified": "email_verified_at", "users.image": "avatar",
		},
		UserID: func(_, subject string) string { return subject },
	}
}

// Database is a session.Database. It is safe for concurrent use, and starts no goroutine.
// Use [New].
type Database struct {
	db     *sql.DB
	userID func(provider, subject string) string

	find, list, extend, rename, remove string
	byAccount, lock, taken             string
	newUser, newAccount, newSession    string
}

// New returns a Database in db, which stays the caller's to close. It asks the database
// nothing. The errors are those of config, joined.
func New(db *sql.DB, config Config) (*Database, error) {
	err := checkNames(config.Names)
	if db == nil {
		err = errors.Join(errors.New("authjsdb: there is no database: db is nil"), err)
	}
	if err != nil {
		return nil, err
	}
	d := &Database{
		db: db, userID: config.UserID, find: findSQL, list: listSQL, extend: extendSQL, rename: renameSQL, remove: removeSQL,
		byAccount: byAccountSQL, lock: lockSQL, taken: takenSQL, newUser: newUserSQL, newAccount: newAccountSQL, newSession: newSessionSQL,
	}
	if d.userID != nil {
		d.taken, d.newUser = takenWithIDSQL, newUserWithIDSQL
	}
	names := replacer(config.Names)
	for _, text := range []*string{&d.find, &d.list, &d.extend, &d.rename, &d.remove, &d.byAccount, &d.taken, &d.newUser, &d.newAccount, &d.newSession} {
		*text = names.Replace(*text)
	}
	return d, nil
}

const (
	findSQL = `SELECT s.{sessions.expires}, u.{users.id}, u.{users.name}, u.{users.email}, u.{users.emailVerified} IS NOT NULL, u.{users.image}
FROM {sessions} s JOIN {users} u ON u.{users.id} = s.{sessions.userId} WHERE s.{sessions.sessionToken} = $1`

	// listSQL compares texts: not every text is an id.
	listSQL = `SELECT s.{sessions.sessionToken}, s.{sessions.expires}, u.{users.id}, u.{users.name}, u.{users.email}, u.{users.emailVerified} IS NOT NULL, u.{users.image}
FROM {sessions} s JOIN {users} u ON u.{users.id} = s.{sessions.userId} WHERE CAST(u.{users.id} AS text) = $1`

	extendSQL = `UPDATE {sessions} SET {sessions.expires} = $2 WHERE {sessions.sessionToken} = $1`

	renameSQL = `UPDATE {users} SET {users.name} = $2, {users.image} = $3 WHERE {users.id} = $1`

	removeSQL = `DELETE FROM {sessions} WHERE {sessions.sessionToken} = $1`
)

// Find implements session.Database.
func (d *Database) Find(ctx context.Context, token string) (*session.Session, error) {
	ctx, done := context.WithTimeout(ctx, limit)
	defer done()
	s := &session.Session{}
	err := d.db.QueryRowContext(ctx, d.find, token).Scan(append([]any{&s.ExpiresAt}, user(s)...)...)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, sqlerror.Of(ctx, "authjsdb: find", err)
	}
	return s, nil
}

// List implements session.DatabaseLister.
func (d *Database) List(ctx context.Context, subject string) (map[string]*session.Session, error) {
	ctx, done := context.WithTimeout(ctx, limit)
	defer done()
	list, err := d.listed(ctx, subject)
	return list, sqlerror.Of(ctx, "authjsdb: list", err)
}

func (d *Database) listed(ctx context.Context, subject string) (map[string]*session.Session, error) {
	rows, err := d.db.QueryContext(ctx, d.list, subject)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	list := map[string]*session.Session{}
	for rows.Next() {
		var token string
		s := &session.Session{}
		if err := rows.Scan(append([]any{&token, &s.ExpiresAt}, user(s)...)...); err != nil {
			return nil, err
		}
		list[token] = s
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	return list, nil
}

// Update implements session.Database.
func (d *Database) Update(ctx context.Context, token string, old, s *session.Session) (found bool, err error) {
	ctx, done := context.WithTimeout(ctx, limit)
	defer done()
	result, err := d.db.ExecContext(ctx, d.extend, token, s.ExpiresAt.UTC())
	if err != nil {
		return false, sqlerror.Of(ctx, "authjsdb: update", err)
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return false, sqlerror.Of(ctx, "authjsdb: update", err)
	}
	if s.Name != old.Name || s.Picture != old.Picture {
		if _, err := d.db.ExecContext(ctx, d.rename, old.Subject, known(s.Name), known(s.Picture)); err != nil {
			return false, sqlerror.Of(ctx, "authjsdb: update", err)
		}
	}
	return true, nil
}

// Delete implements session.Database.
func (d *Database) Delete(ctx context.Context, token string) error {
	ctx, done := context.WithTimeout(ctx, limit)
	defer done()
	_, err := d.db.ExecContext(ctx, d.remove, token)
	return sqlerror.Of(ctx, "authjsdb: delete", err)
}

// user is where the columns of a user go that are asked for. Those that are null are
// empty.
func user(s *session.Session) []any {
	return []any{&s.Subject, text{&s.Name}, text{&s.Email}, &s.EmailVerified, text{&s.Picture}}
}

// text is a column that may be null.
type text struct{ to *string }

// Scan implements [sql.Scanner].
func (t text) Scan(value any) error {
	var s sql.NullString
	err := s.Scan(value)
	*t.to = s.String
	return err
}

// known is value as a column has it: null if it is empty.
func known(value string) sql.NullString { return sql.NullString{String: value, Valid: value != ""} }
