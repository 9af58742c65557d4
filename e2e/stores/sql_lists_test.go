package stores_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/session/sqlstore"
)

// SE-10: names of lists are parameters, as keys are.
func TestSQLInAListIsAList(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		s := d.store(t, d.open(t), sqlstore.Config{})
		names := []string{`' OR 1=1 --`, `"; DROP TABLE sessions; --`, `$1`, `?`, `%`, `\`}
		for _, name := range names {
			require.NoError(t, s.Add(t.Context(), name, name, time.Now().Add(time.Hour)))
		}
		require.NoError(t, s.Remove(t.Context(), `%`, `%`))
		require.NoError(t, s.Remove(t.Context(), `?`, `%`))
		for _, name := range names {
			keys, err := s.List(t.Context(), name)
			require.NoError(t, err)
			if name == `%` {
				require.Empty(t, keys)
			} else {
				require.Equal(t, []string{name}, keys)
			}
		}
	})
}

// SE-14: an expiry on a list is kept to the microsecond, and not rounded up.
func TestSQLListsKeepExpiriesToTheMicrosecond(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		end := time.Date(2031, 5, 6, 7, 8, 9, 123_456_999, time.FixedZone("", 5*3600+1800))
		at := &clock{}
		s := d.store(t, d.open(t), sqlstore.Config{Now: at.Now})
		for _, expiry := range []time.Time{{}, end, time.Unix(0, -1500), end.Add(-time.Microsecond)} {
			require.NoError(t, s.Add(t.Context(), "list", "key", expiry))
		}
		for now, want := range map[time.Time]int{end.Add(-2 * time.Microsecond): 1, end.Add(-999): 0, end: 0, end.Add(1): 0} {
			at.now = now
			keys, err := s.List(t.Context(), "list")
			require.NoError(t, err)
			require.Len(t, keys, want, now)
		}
		require.NoError(t, s.Add(t.Context(), "list", "key", time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)))
		keys, err := s.List(t.Context(), "list")
		require.NoError(t, err)
		require.Len(t, keys, 1)
	})
}

// firstSchema is the schema of releases that had no lists, by dialect.
var firstSchema = map[sqlstore.Dialect]string{
	sqlstore.PostgreSQL: `CREATE TABLE {}_version (version integer PRIMARY KEY);
CREATE TABLE {} (key text COLLATE "C" PRIMARY KEY CHECK (length(key) <= 64), data bytea NOT NULL, expiry timestamptz NOT NULL);
CREATE INDEX {}_expiry ON {} (expiry);
INSERT INTO {}_version (version) VALUES (1)`,
	sqlstore.SQLite: `CREATE TABLE {}_version (version integer PRIMARY KEY);
CREATE TABLE {} (key text NOT NULL PRIMARY KEY CHECK (length(key) <= 64), data blob NOT NULL, expiry integer NOT NULL);
CREATE INDEX {}_expiry ON {} (expiry);
INSERT INTO {}_version (version) VALUES (1)`,
}

// RL-09: lists are added to a schema that is in use, by several nodes at once, and no session is
// lost or held up by that.
func TestMigrationOfSessionsInUse(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		db, table := d.open(t), newTable()
		for statement := range strings.SplitSeq(strings.ReplaceAll(firstSchema[d.dialect], "{}", table), ";\n") {
			_, err := db.Exec(statement)
			require.NoError(t, err)
		}
		old, err := sqlstore.New(db, sqlstore.Config{Dialect: d.dialect, Table: table})
		require.NoError(t, err)
		expiry := time.Now().Add(time.Hour)
		for i := range 100 {
			require.NoError(t, old.Commit(t.Context(), fmt.Sprint("key", i), []byte("old"), expiry))
		}

		var wait sync.WaitGroup
		errs := make([]error, 5)
		for i := range 4 {
			s, err := sqlstore.New(d.open(t), sqlstore.Config{Dialect: d.dialect, Table: table})
			require.NoError(t, err)
			wait.Go(func() { errs[i] = s.Migrate(t.Context()) })
		}
		wait.Go(func() {
			for i := 0; i < 100 && errs[4] == nil; i += 2 {
				_, errs[4] = old.Replace(t.Context(), fmt.Sprint("key", i), []byte("old"), []byte("new"), expiry)
			}
		})
		wait.Wait()
		for _, err := range errs {
			require.NoError(t, err)
		}

		s := d.store(t, d.open(t), sqlstore.Config{Table: table})
		for i := range 100 {
			data, found, err := s.Find(t.Context(), fmt.Sprint("key", i))
			require.NoError(t, err)
			require.True(t, found)
			require.Equal(t, []string{"new", "old"}[i%2], string(data))
		}
		require.NoError(t, s.Add(t.Context(), "list", "key1", expiry))
		keys, err := s.List(t.Context(), "list")
		require.NoError(t, err)
		require.Equal(t, []string{"key1"}, keys)
	})
}
