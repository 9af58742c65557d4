package sqlstore

import (
	"context"
	"database/sql"
	"strconv"
	"strings"

	"github.com/sallyport/auth/internal/sqlerror"
)

// migrations are the statements of each version of the schema, the first one first. They
// are harmless where what they make is there already.
var migrations = map[Dialect][][]string{
	PostgreSQL: {{
		`CREATE TABLE IF NOT EXISTS {table} (
	key text COLLATE "C" PRIMARY KEY CHECK (length(key) <= 64),
	data bytea NOT NULL,
	expiry timestamptz NOT NULL
)`,
		`CREATE INDEX IF NOT EXISTS {index_expiry} ON {table} (expiry)`,
	}, {
		`CREATE TABLE IF NOT EXISTS {table_lists} (
	list text COLLATE "C" CHECK (length(list) <= 64),
	key text COLLATE "C" CHECK (length(key) <= 64),
	expiry timestamptz NOT NULL,
	PRIMARY KEY (list, key)
)`,
		`CREATE INDEX IF NOT EXISTS {index_lists_expiry} ON {table_lists} (expiry)`,
	}},
	// expiry is in microseconds since 1970.
	SQLite: {{
		`CREATE TABLE IF NOT EXISTS {table} (
	key text NOT NULL PRIMARY KEY CHECK (length(key) <= 64),
	data blob NOT NULL,
	expiry integer NOT NULL
)`,
		`CREATE INDEX IF NOT EXISTS {index_expiry} ON {table} (expiry)`,
	}, {
		`CREATE TABLE IF NOT EXISTS {table_lists} (
	list text NOT NULL CHECK (length(list) <= 64),
	key text NOT NULL CHECK (length(key) <= 64),
	expiry integer NOT NULL,
	PRIMARY KEY (list, key)
)`,
		`CREATE INDEX IF NOT EXISTS {index_lists_expiry} ON {table_lists} (expiry)`,
	}},
}

const (
	// versionsSQL makes the table that has a row for each migration that was run.
	versionsSQL = `CREATE TABLE IF NOT EXISTS {table_version} (version integer PRIMARY KEY)`

	versionSQL = `SELECT coalesce(max(version), 0) FROM {table_version}`

	// migratedSQL is the last statement of a migration.
	migratedSQL = `INSERT INTO {table_version} (version) VALUES ({version}) ON CONFLICT (version) DO NOTHING`
)

// lockSQL is what a transaction that migrates begins with, so that of several nodes one
// goes on at a time. The locks end with the transaction. In PostgreSQL, CREATE TABLE IF NOT
// EXISTS alone may fail where two run it at once. In SQLite a transaction that begins by
// reading may not be let write, and this one begins by writing.
var lockSQL = map[Dialect][]string{
	PostgreSQL: {`SELECT pg_advisory_xact_lock(7305808869229538676)`, versionsSQL},
	SQLite:     {`INSERT INTO {table_version} (version) VALUES (0) ON CONFLICT (version) DO NOTHING`},
}

// Migrate makes the tables, or brings them to the version that this release wants. It may be
// called at each start, and by many nodes at once: where there is nothing to do it is one
// question, for which the right to read the table with the suffix _version is enough. A
// schema of a later release is left as it is. The only time limit is ctx.
func (s *Store) Migrate(ctx context.Context) error {
	if v, err := s.version(ctx, s.db); err == nil && v >= len(migrations[s.dialect]) {
		return nil
	}
	return sqlerror.Of(ctx, "sqlstore: migrate", s.migrate(ctx))
}

func (s *Store) migrate(ctx context.Context) error {
	if s.dialect == SQLite {
		if _, err := s.db.ExecContext(ctx, s.statement(versionsSQL)); err != nil {
			return err
		}
	}
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	run := func(statements []string) error {
		for _, text := range statements {
			if _, err := tx.ExecContext(ctx, s.statement(text)); err != nil {
				return err
			}
		}
		return nil
	}
	if err := run(lockSQL[s.dialect]); err != nil {
		return err
	}
	v, err := s.version(ctx, tx)
	if err != nil {
		return err
	}
	for v < len(migrations[s.dialect]) {
		if err := run(migration(s.dialect, v)); err != nil {
			return err
		}
		v++
	}
	return tx.Commit()
}

// version is how many migrations were run.
func (s *Store) version(ctx context.Context, db interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}) (v int, err error) {
	err = db.QueryRowContext(ctx, s.statement(versionSQL)).Scan(&v)
	return v, err
}

// migration is what leads from version v to the next one.
func migration(d Dialect, v int) []string {
	done := strings.ReplaceAll(migratedSQL, "{version}", strconv.Itoa(v+1))
	return append(append([]string(nil), migrations[d][v]...), done)
}

// Schema returns the statements that Migrate would run in an empty database, for those who
// run them by a tool of their own. Each ends with a semicolon, and may be run again.
func (s *Store) Schema() string {
	var b strings.Builder
	write := func(text string) { b.WriteString(s.statement(text) + ";\n") }
	write(versionsSQL)
	for v := range migrations[s.dialect] {
		for _, text := range migration(s.dialect, v) {
			write(text)
		}
	}
	return b.String()
}
