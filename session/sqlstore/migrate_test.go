package sqlstore_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/session/sqlstore"
)

// at answers that the schema has versions, one for each time that it is asked; an error for
// those below 0.
func at(d *database, versions ...int64) {
	d.answers(func(_ context.Context, a asked) ([][]driver.Value, int64, error) {
		if !strings.HasPrefix(a.sql, "SELECT coalesce") {
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
	require.Equal(t, []string{version, "BEGIN", lock, tables[0], version, tables[1], tables[2], tables[3], "COMMIT"}, d.statements())

	// Another node was first.
	at(d, -1, 1)
	require.NoError(t, s.Migrate(t.Context()))
	require.Equal(t, []string{version, "BEGIN", lock, tables[0], version, "COMMIT"}, d.statements())
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
		"COMMIT",
	}, d.statements())
}

// RL-09: a node of an older release starts beside newer ones.
func TestMigrateLeavesALaterSchemaAlone(t *testing.T) {
	s, d := newStore(t, sqlstore.Config{Dialect: sqlstore.PostgreSQL, Table: "app.sessions"})
	for _, v := range []int64{1, 2, 99} {
		at(d, v)
		require.NoError(t, s.Migrate(t.Context()))
		require.Equal(t, []string{version}, d.statements())
	}
}

func TestAMigrationThatFailsIsUndone(t *testing.T) {
	s, d := newStore(t, sqlstore.Config{Dialect: sqlstore.PostgreSQL, Table: "app.sessions"})
	for _, fails := range []string{lock, tables[0], tables[2], tables[3]} {
		at(d, -1, 0)
		rest := d.answer
		d.answers(func(ctx context.Context, a asked) ([][]driver.Value, int64, error) {
			if a.sql == fails {
				return nil, 0, errors.New("permission denied")
			}
			return rest(ctx, a)
		})
		require.EqualError(t, s.Migrate(t.Context()), "sqlstore: migrate: permission denied")
		said := d.statements()
		require.Equal(t, "ROLLBACK", said[len(said)-1])
	}
}

func TestSchema(t *testing.T) {
	s, d := newStore(t, sqlstore.Config{Dialect: sqlstore.PostgreSQL, Table: "app.sessions"})
	require.Equal(t, strings.Join(tables, ";\n")+";\n", s.Schema())
	require.Empty(t, d.said())
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
