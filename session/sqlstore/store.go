package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"time"

	"github.com/sallyport/auth/internal/sqlerror"
)

// Config is how a [Store] is made.
type Config struct {
	// Dialect is which database it is: [PostgreSQL] or [SQLite]. It is required.
	Dialect Dialect

	// Table is the table's name, in lower-case letters, digits and underscores, at most 50
	// of them; in PostgreSQL it may have a schema and a dot in front. If empty, it is
	// sallyport_sessions. The names of indexes and of other tables are this one with _lists,
	// _version, _expiry and _lists_expiry.
	Table string

	// Timeout is how long one call may take, with the wait for a connection. If zero, it
	// is 3 seconds. All calls that one request needs have 5, which is session.Manager's limit.
	Timeout time.Duration

	// Sweep is how often a goroutine removes what has expired, first a minute after New or
	// earlier, until [Store.Close]. If zero, there is no goroutine, and somebody has to call
	// [Store.DeleteExpired].
	Sweep time.Duration

	// Logger is told when a sweep fails. If nil, it is [slog.Default].
	Logger *slog.Logger

	// Now is the clock. If nil, it is [time.Now].
	Now func() time.Time
}

// Store is a session.Store, a session.Replacer and a session.Lister over database/sql. It is
// safe for concurrent use, by many nodes too. Use [New].
type Store struct {
	db      *sql.DB
	dialect Dialect
	table   string
	timeout time.Duration
	logger  *slog.Logger
	now     func() time.Time

	find, commit, insert, replace, remove string
	add, list, unlist                     string
	expired, expiredListed                string

	stop context.CancelFunc // ends the sweeping, or nil
	done chan struct{}      // is closed when it has ended
}

// New returns a store in db, which stays the caller's to close, after [Store.Close]. It asks
// the database nothing. The errors are those of config, joined.
func New(db *sql.DB, config Config) (*Store, error) {
	if err := check(db, &config); err != nil {
		return nil, err
	}
	s := &Store{
		db: db, dialect: config.Dialect, table: config.Table, timeout: config.Timeout, logger: config.Logger, now: config.Now,
	}
	s.find, s.commit, s.insert = s.statement(findSQL), s.statement(commitSQL), s.statement(insertSQL)
	s.replace, s.remove = s.statement(replaceSQL), s.statement(deleteSQL)
	s.add, s.list, s.unlist = s.statement(addSQL), s.statement(listSQL), s.statement(unlistSQL)
	s.expired, s.expiredListed = s.statement(expiredSQL[s.dialect]), s.statement(expiredListedSQL[s.dialect])
	if config.Sweep > 0 {
		ctx, stop := context.WithCancel(context.Background())
		s.stop, s.done = stop, make(chan struct{})
		go s.sweep(ctx, config.Sweep)
	}
	return s, nil
}

// Names are quoted where they are used, so that a word of SQL may be one. With a suffix
// they are shorter than PostgreSQL's 63 bytes.
var (
	plainTable     = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,49}$`)
	qualifiedTable = regexp.MustCompile(`^([a-z_][a-z0-9_]{0,62}\.)?[a-z_][a-z0-9_]{0,49}$`)
)

// check reports what is wrong with config, and sets what is not set.
func check(db *sql.DB, config *Config) error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf("sqlstore: "+format, args...)) }
	if db == nil {
		wrong("there is no database: db is nil")
	}
	if config.Table == "" {
		config.Table = "sallyport_sessions"
	}
	switch config.Dialect {
	case PostgreSQL:
		if !qualifiedTable.MatchString(config.Table) {
			wrong("Config.Table is %q: want lower-case letters, digits and underscores, at most 50, with or without a schema and a dot in front", config.Table)
		}
	case SQLite:
		if !plainTable.MatchString(config.Table) {
			wrong("Config.Table is %q: want lower-case letters, digits and underscores, at most 50", config.Table)
		}
	default:
		wrong("Config.Dialect is %v: want sqlstore.PostgreSQL or sqlstore.SQLite", config.Dialect)
	}
	if config.Timeout < 0 {
		wrong("Config.Timeout is %v: want more than 0, or 0 for 3s", config.Timeout)
	}
	if config.Sweep < 0 {
		wrong("Config.Sweep is %v: want more than 0, or 0 for never", config.Sweep)
	}
	if config.Timeout == 0 {
		config.Timeout = 3 * time.Second
	}
	if config.Logger == nil {
		config.Logger = slog.Default()
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	return errors.Join(errs...)
}

// Find returns what was committed under key last, unless it has expired.
func (s *Store) Find(ctx context.Context, key string) (data []byte, found bool, err error) {
	ctx, cancel := s.limit(ctx)
	defer cancel()
	defer sqlerror.Panicked(ctx, "sqlstore: find", &err)
	err = s.db.QueryRowContext(ctx, s.find, key, s.instant(s.now())).Scan(&data)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, sqlerror.Of(ctx, "sqlstore: find", err)
	}
	return data, true, nil
}

// Commit puts data under key until expiry, which is rounded down to a microsecond.
func (s *Store) Commit(ctx context.Context, key string, data []byte, expiry time.Time) error {
	_, err := s.exec(ctx, "commit", s.commit, key, blob(data), s.instant(expiry))
	return err
}

// Insert is Commit if nothing is under key, or only what has expired, in one statement.
func (s *Store) Insert(ctx context.Context, key string, data []byte, expiry time.Time) (inserted bool, err error) {
	n, err := s.exec(ctx, "insert", s.insert, key, blob(data), s.instant(expiry), s.instant(s.now()))
	return n == 1, err
}

// Replace is Commit if old is under key and has not expired, in one statement.
func (s *Store) Replace(ctx context.Context, key string, old, data []byte, expiry time.Time) (swapped bool, err error) {
	n, err := s.exec(ctx, "replace", s.replace, blob(data), s.instant(expiry), key, blob(old), s.instant(s.now()))
	return n == 1, err
}

// Delete removes key, if it is there.
func (s *Store) Delete(ctx context.Context, key string) error {
	_, err := s.exec(ctx, "delete", s.remove, key)
	return err
}

// exec runs one statement within the time limit and returns how many rows it changed.
func (s *Store) exec(ctx context.Context, call, statement string, args ...any) (rows int64, err error) {
	ctx, cancel := s.limit(ctx)
	defer cancel()
	defer sqlerror.Panicked(ctx, "sqlstore: "+call, &err)
	result, err := s.db.ExecContext(ctx, statement, args...)
	if err == nil {
		rows, err = result.RowsAffected()
	}
	if err != nil {
		return 0, sqlerror.Of(ctx, "sqlstore: "+call, err)
	}
	return rows, nil
}

// limit is ctx with the time limit of one call.
func (s *Store) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, s.timeout, timeoutError(s.timeout))
}

func (s *Store) statement(text string) string { return s.dialect.statement(text, s.table) }

// instant is t as the column has it. Drivers round what is finer than a microsecond in
// ways of their own.
func (s *Store) instant(t time.Time) any {
	if s.dialect == PostgreSQL {
		return time.UnixMicro(t.UnixMicro()).UTC()
	}
	return t.UnixMicro()
}

// blob is data, and no bytes for nil, which would be NULL.
func blob(data []byte) []byte {
	if data == nil {
		return []byte{}
	}
	return data
}
