package sqlstore_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/internal/sqltest"
	"github.com/sallyport/auth/session/sqlstore"
)

// at answers that the schema has versions, one for each time that it is asked; an error for
// those below 0.
func at(d *sqltest.Database, versions ...int64) {
	d.Answers(func(_ context.Context, a asked) ([][]driver.Value, int64, error) {
		if !strings.HasPrefix(a.SQL, "SELECT coalesce") {
			return nil, 0, nil
		}
		v := versions[0]
		versions = versions[1:]
		if v < 0 {
			return nil, 0, errors.New("no such table")
		}
		return [][]driver.Value{{v}}, 0, nil
	})
}

// tables are the statements that make them in PostgreSQL.
var tables = []string{
	`CREATE TABLE IF NOT EXISTS "app"."sessions_version" (version integer PRIMARY KEY)`,
	`CREATE TABLE IF NOT EXISTS "app"."sessions" (
	key text COLLATE "C" PRIMARY KEY CHECK (length(key) <= 64),
	data bytea NOT NULL,
	expiry timestamptz NOT NULL
)`,
	`CREATE INDEX IF NOT EXISTS "sessions_expiry" ON "app"."sessions" (expiry)`,
	`INSERT INTO "app"."sessions_version" (version) VALUES (1) ON CONFLICT (version) DO NOTHING`,
	`CREATE TABLE IF NOT EXISTS "app"."sessions_lists" (
	list text COLLATE "C" CHECK (length(list) <= 64),
	key text COLLATE "C" CHECK (length(key) <= 64),
	expiry timestamptz NOT NULL,
	PRIMARY KEY (list, key)
)`,
	`CREATE INDEX IF NOT EXISTS "sessions_lists_expiry" ON "app"."sessions_lists" (expiry)`,
	`INSERT INTO "app"."sessions_version" (version) VALUES (2) ON CONFLICT (version) DO NOTHING`,
}

const (
	version = `SELECT coalesce(max(version), 0) FROM "app"."sessions_version"`
	lock    = `SELECT pg_advisory_xact_lock(7305808869229538676)`
)

// The lock ends with the transaction, for a session's would stay in a pooler's connection.
func TestMigrateInPostgreSQL(t *testing.T) {
	s, d := newStore(t, sqlstore.Config{Dialect: sqlstore.PostgreSQL, Table: "app.sessions"})
	at(d, -1, 0)
	require.NoError(t, s.Migrate(t.Context()))
	begin := []string{version, "BEGIN", lock, tables[0], version}
	require.Equal(t, slices.Concat(begin, tables[1:], []string{"COMMIT"}), d.Statements())

	// An older release was there before.
	at(d, 1, 1)
	require.NoError(t, s.Migrate(t.Context()))
	require.Equal(t, slices.Concat(begin, tables[4:], []string{"COMMIT"}), d.Statements())

	// Another node was first.
	at(d, 1, 2)
	require.NoError(t, s.Migrate(t.Context()))
	require.Equal(t, slices.Concat(begin, []string{"COMMIT"}), d.Statements())
}

func TestMigrateInSQLite(t *testing.T) {
	s, d := newStore(t, sqlstore.Config{Dialect: sqlstore.SQLite})
	at(d, -1, 0)
	require.NoError(t, s.Migrate(t.Context()))
	require.Equal(t, []string{
		`SELECT coalesce(max(version), 0) FROM "sallyport_sessions_version"`,
		`CREATE TABLE IF NOT EXISTS "sallyport_sessions_version" (version integer PRIMARY KEY)`,
		"BEGIN",
		`INSERT INTO "sallyport_sessions_version" (version) VALUES (0) ON CONFLICT (version) DO NOTHING`,
		`SELECT coalesce(max(version), 0) FROM "sallyport_sessions_version"`,
		`CREATE TABLE IF NOT EXISTS "sallyport_sessions" (
	key text NOT NULL PRIMARY KEY CHECK (length(key) <= 64),
	data blob NOT NULL,
	expiry integer NOT NULL
)`,
		`CREATE INDEX IF NOT EXISTS "sallyport_sessions_expiry" ON "sallyport_sessions" (expiry)`,
		`INSERT INTO "sallyport_sessions_version" (version) VALUES (1) ON CONFLICT (version) DO NOTHING`,
		`CREATE TABLE IF NOT EXISTS "sallyport_sessions_lists" (
	list text NOT NULL CHECK (length(list) <= 64),
	key text NOT NULL CHECK (length(key) <= 64),
	expiry integer NOT NULL,
	PRIMARY KEY (list, key)
)`,
		`CREATE INDEX IF NOT EXISTS "sallyport_sessions_lists_expiry" ON "sallyport_sessions_lists" (expiry)`,
		`INSERT INTO "sallyport_sessions_version" (version) VALUES (2) ON CONFLICT (version) DO NOTHING`,
		"COMMIT",
	}, d.Statements())
}

// RL-09: a node of an older release starts beside newer ones.
func TestMigrateLeavesALaterSchemaAlone(t *testing.T) {
	s, d := newStore(t, sqlstore.Config{Dialect: sqlstore.PostgreSQL, Table: "app.sessions"})
	for _, v := range []int64{2, 3, 99} {
		at(d, v)
		require.NoError(t, s.Migrate(t.Context()))
		require.Equal(t, []string{version}, d.Statements())
	}
}

func TestAMigrationThatFailsIsUndone(t *testing.T) {
	s, d := newStore(t, sqlstore.Config{Dialect: sqlstore.PostgreSQL, Table: "app.sessions"})
	for _, fails := range append([]string{lock}, tables...) {
		at(d, -1, 0)
		rest := d.Answers(nil)
		d.Answers(func(ctx context.Context, a asked) ([][]driver.Value, int64, error) {
			if a.SQL == fails {
				return nil, 0, errors.New("permission denied")
			}
			return rest(ctx, a)
		})
		require.EqualError(t, s.Migrate(t.Context()), "sqlstore: migrate: permission denied")
		said := d.Statements()
		require.Equal(t, "ROLLBACK", said[len(said)-1])
	}
}

// No name that is made of a table's is cut by PostgreSQL, to 63 bytes, and so no other's.
func TestNamesOfTheSchemaAreShort(t *testing.T) {
	s, _ := newStore(t, sqlstore.Config{Dialect: sqlstore.PostgreSQL, Table: strings.Repeat("x", 50)})
	names := map[string]bool{}
	for _, name := range regexp.MustCompile(`"(x[^"]*)"`).FindAllStringSubmatch(s.Schema(), -1) {
		require.LessOrEqual(t, len(name[1]), 63)
		names[name[1]] = true
	}
	require.Len(t, names, 5)
}

func TestSchema(t *testing.T) {
	s, d := newStore(t, sqlstore.Config{Dialect: sqlstore.PostgreSQL, Table: "app.sessions"})
	require.Equal(t, strings.Join(tables, ";\n")+";\n", s.Schema())
	require.Empty(t, d.Said())
}

// The guide shows the schema that Migrate makes.
func TestTheGuideHasTheSchema(t *testing.T) {
	guide, err := os.ReadFile("../../docs/stores.md")
	require.NoError(t, err)
	for _, dialect := range []sqlstore.Dialect{sqlstore.PostgreSQL, sqlstore.SQLite} {
		s, _ := newStore(t, sqlstore.Config{Dialect: dialect})
		require.Contains(t, strings.ReplaceAll(string(guide), "\r\n", "\n"), "```sql\n"+s.Schema()+"```")
	}
}
