package sqlstore_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/internal/sqltest"
	"github.com/sallyport/auth/session"
	"github.com/sallyport/auth/session/sqlstore"
)

var (
	_ session.Replacer = (*sqlstore.Store)(nil)
	_ session.Lister   = (*sqlstore.Store)(nil)
)

var (
	now    = time.Date(2031, 2, 3, 4, 5, 6, 7_890, time.UTC)
	expiry = time.Date(2031, 2, 3, 10, 5, 6, 1_999, time.FixedZone("", 3600))
)

func clock() time.Time { return now }

// SE-10: one statement for each call, with parameters alone, and times to the microsecond,
// rounded down.
func TestStatements(t *testing.T) {
	type call func(s *sqlstore.Store) error
	find := func(s *sqlstore.Store) error { _, _, err := s.Find(context.Background(), "key"); return err }
	commit := func(s *sqlstore.Store) error {
		return s.Commit(context.Background(), "key", []byte("data"), expiry)
	}
	nothing := func(s *sqlstore.Store) error { return s.Commit(context.Background(), "key", nil, expiry) }
	insert := func(s *sqlstore.Store) error {
		_, err := s.Insert(context.Background(), "key", []byte("data"), expiry)
		return err
	}
	replace := func(s *sqlstore.Store) error {
		_, err := s.Replace(context.Background(), "key", []byte("old"), []byte("data"), expiry)
		return err
	}
	remove := func(s *sqlstore.Store) error { return s.Delete(context.Background(), "key") }
	add := func(s *sqlstore.Store) error { return s.Add(context.Background(), "list", "key", expiry) }
	list := func(s *sqlstore.Store) error { _, err := s.List(context.Background(), "list"); return err }
	unlist := func(s *sqlstore.Store) error { return s.Remove(context.Background(), "list", "key") }

	text, bytes := "key", []byte("data")
	nowSQL, expirySQL := now.Truncate(time.Microsecond), time.Date(2031, 2, 3, 9, 5, 6, 1_000, time.UTC)
	for name, test := range map[string]struct {
		dialect sqlstore.Dialect
		call    call
		want    string
		args    []driver.Value
	}{
		"find": {sqlstore.PostgreSQL, find, `SELECT data FROM "a"."b" WHERE key = $1 AND expiry > $2`, []driver.Value{text, nowSQL}},
		"commit": {sqlstore.PostgreSQL, commit, `INSERT INTO "a"."b" (key, data, expiry) VALUES ($1, $2, $3)
ON CONFLICT (key) DO UPDATE SET data = excluded.data, expiry = excluded.expiry`, []driver.Value{text, bytes, expirySQL}},
		"commit of nothing": {sqlstore.PostgreSQL, nothing, `INSERT INTO "a"."b" (key, data, expiry) VALUES ($1, $2, $3)
ON CONFLICT (key) DO UPDATE SET data = excluded.data, expiry = excluded.expiry`, []driver.Value{text, []byte{}, expirySQL}},
		"replace": {sqlstore.PostgreSQL, replace, `UPDATE "a"."b" SET data = $1, expiry = $2 WHERE key = $3 AND data = $4 AND expiry > $5`,
			[]driver.Value{bytes, expirySQL, text, []byte("old"), nowSQL}},
		"delete": {sqlstore.PostgreSQL, remove, `DELETE FROM "a"."b" WHERE key = $1`, []driver.Value{text}},
		"insert": {sqlstore.PostgreSQL, insert, `INSERT INTO "a"."b" AS have (key, data, expiry) VALUES ($1, $2, $3)
ON CONFLICT (key) DO UPDATE SET data = excluded.data, expiry = excluded.expiry WHERE have.expiry <= $4`, []driver.Value{text, bytes, expirySQL, nowSQL}},
		"add": {sqlstore.PostgreSQL, add, `INSERT INTO "a"."b_lists" AS have (list, key, expiry) VALUES ($1, $2, $3)
ON CONFLICT (list, key) DO UPDATE SET expiry = excluded.expiry WHERE have.expiry < excluded.expiry`, []driver.Value{"list", text, expirySQL}},
		"list":   {sqlstore.PostgreSQL, list, `SELECT key FROM "a"."b_lists" WHERE list = $1 AND expiry > $2`, []driver.Value{"list", nowSQL}},
		"remove": {sqlstore.PostgreSQL, unlist, `DELETE FROM "a"."b_lists" WHERE list = $1 AND key = $2`, []driver.Value{"list", text}},

		"find in SQLite": {sqlstore.SQLite, find, `SELECT data FROM "b" WHERE key = ? AND expiry > ?`, []driver.Value{text, now.UnixMicro()}},
		"commit in SQLite": {sqlstore.SQLite, commit, `INSERT INTO "b" (key, data, expiry) VALUES (?, ?, ?)
ON CONFLICT (key) DO UPDATE SET data = excluded.data, expiry = excluded.expiry`, []driver.Value{text, bytes, expirySQL.UnixMicro()}},
		"replace in SQLite": {sqlstore.SQLite, replace, `UPDATE "b" SET data = ?, expiry = ? WHERE key = ? AND data = ? AND expiry > ?`,
			[]driver.Value{bytes, expirySQL.UnixMicro(), text, []byte("old"), now.UnixMicro()}},
		"delete in SQLite": {sqlstore.SQLite, remove, `DELETE FROM "b" WHERE key = ?`, []driver.Value{text}},
		"insert in SQLite": {sqlstore.SQLite, insert, `INSERT INTO "b" AS have (key, data, expiry) VALUES (?, ?, ?)
ON CONFLICT (key) DO UPDATE SET data = excluded.data, expiry = excluded.expiry WHERE have.expiry <= ?`,
			[]driver.Value{text, bytes, expirySQL.UnixMicro(), now.UnixMicro()}},
		"add in SQLite": {sqlstore.SQLite, add, `INSERT INTO "b_lists" AS have (list, key, expiry) VALUES (?, ?, ?)
ON CONFLICT (list, key) DO UPDATE SET expiry = excluded.expiry WHERE have.expiry < excluded.expiry`, []driver.Value{"list", text, expirySQL.UnixMicro()}},
		"list in SQLite":   {sqlstore.SQLite, list, `SELECT key FROM "b_lists" WHERE list = ? AND expiry > ?`, []driver.Value{"list", now.UnixMicro()}},
		"remove in SQLite": {sqlstore.SQLite, unlist, `DELETE FROM "b_lists" WHERE list = ? AND key = ?`, []driver.Value{"list", text}},
	} {
		t.Run(name, func(t *testing.T) {
			table := map[sqlstore.Dialect]string{sqlstore.PostgreSQL: "a.b", sqlstore.SQLite: "b"}[test.dialect]
			s, d := newStore(t, sqlstore.Config{Dialect: test.dialect, Table: table, Now: clock})
			require.NoError(t, test.call(s))
			require.Equal(t, []asked{{SQL: test.want, Args: test.args}}, d.Said())
		})
	}
}

func TestFind(t *testing.T) {
	s, d := newStore(t, sqlstore.Config{Dialect: sqlstore.PostgreSQL})
	data, found, err := s.Find(t.Context(), "key")
	require.NoError(t, err)
	require.False(t, found)
	require.Nil(t, data)

	kept := []byte("data")
	d.Answers(func(context.Context, asked) ([][]driver.Value, int64, error) { return [][]driver.Value{{kept}}, 0, nil })
	data, found, err = s.Find(t.Context(), "key")
	require.NoError(t, err)
	require.True(t, found)
	require.Equal(t, "data", string(data))
	data[0] = 'x'
	require.Equal(t, "data", string(kept))
}

// SE-11: where one row was changed, the data was inserted or replaced, and nowhere else.
func TestInsertAndReplaceSayWhetherARowWasChanged(t *testing.T) {
	s, d := newStore(t, sqlstore.Config{Dialect: sqlstore.PostgreSQL})
	for affected, want := range []bool{false, true} {
		d.Answers(func(context.Context, asked) ([][]driver.Value, int64, error) { return nil, int64(affected), nil })
		swapped, err := s.Replace(t.Context(), "key", []byte("old"), []byte("new"), expiry)
		require.NoError(t, err)
		require.Equal(t, want, swapped)
		inserted, err := s.Insert(t.Context(), "key", []byte("new"), expiry)
		require.NoError(t, err)
		require.Equal(t, want, inserted)
	}
}

// each calls every method, by the name that its errors have.
func each(s *sqlstore.Store, test func(name string, call func(ctx context.Context) error)) {
	test("find", func(ctx context.Context) error {
		data, found, err := s.Find(ctx, "key-4711")
		if err != nil && (data != nil || found) {
			return errors.New("something is found, with an error")
		}
		return err
	})
	test("commit", func(ctx context.Context) error { return s.Commit(ctx, "key-4711", []byte("data-4711"), expiry) })
	test("insert", func(ctx context.Context) error {
		inserted, err := s.Insert(ctx, "key-4711", []byte("data-4711"), expiry)
		if err != nil && inserted {
			return errors.New("something is inserted, with an error")
		}
		return err
	})
	test("replace", func(ctx context.Context) error {
		swapped, err := s.Replace(ctx, "key-4711", []byte("data-4711"), []byte("data-4711"), expiry)
		if err != nil && swapped {
			return errors.New("something is swapped, with an error")
		}
		return err
	})
	test("delete", func(ctx context.Context) error { return s.Delete(ctx, "key-4711") })
	test("add", func(ctx context.Context) error { return s.Add(ctx, "list-4711", "key-4711", expiry) })
	test("list", func(ctx context.Context) error {
		keys, err := s.List(ctx, "list-4711")
		if err != nil && keys != nil {
			return errors.New("something is listed, with an error")
		}
		return err
	})
	test("remove", func(ctx context.Context) error { return s.Remove(ctx, "list-4711", "key-4711") })
	test("delete expired", func(ctx context.Context) error { _, err := s.DeleteExpired(ctx); return err })
	test("migrate", s.Migrate)
}

// SE-06: an error is the driver's, says which call it was, and has neither key nor data.
func TestErrors(t *testing.T) {
	down := errors.New("connection refused")
	for _, dialect := range []sqlstore.Dialect{sqlstore.PostgreSQL, sqlstore.SQLite} {
		s, d := newStore(t, sqlstore.Config{Dialect: dialect})
		d.Answers(func(context.Context, asked) ([][]driver.Value, int64, error) { return nil, 1, down })
		each(s, func(name string, call func(ctx context.Context) error) {
			err := call(t.Context())
			require.ErrorIs(t, err, down, name)
			require.EqualError(t, err, "sqlstore: "+name+": connection refused")
		})
	}
}

// The error of a URL has the URL, with its password.
func TestErrorsHaveNoConnectionString(t *testing.T) {
	const source = "postgres://app:hunter/2@localhost/db"
	malformed := &url.Error{Op: "parse", URL: source, Err: errors.New("invalid port")}
	require.ErrorContains(t, malformed, source)
	s, d := newStore(t, sqlstore.Config{Dialect: sqlstore.PostgreSQL})
	d.Answers(func(context.Context, asked) ([][]driver.Value, int64, error) {
		return nil, 0, fmt.Errorf("pq: %w", malformed)
	})
	each(s, func(name string, call func(ctx context.Context) error) {
		require.EqualError(t, call(t.Context()), "sqlstore: "+name+": the connection string is not a URL; is the password percent-encoded?")
	})
}

// SE-06: a call ends at its time limit, by the context that the driver is given.
func TestTimeLimit(t *testing.T) {
	for set, want := range map[time.Duration]time.Duration{0: 3 * time.Second, 70 * time.Millisecond: 70 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			s, d := newStore(t, sqlstore.Config{Dialect: sqlstore.PostgreSQL, Timeout: set})
			stopped := errors.New("canceling statement due to user request")
			d.Answers(func(ctx context.Context, _ asked) ([][]driver.Value, int64, error) {
				<-ctx.Done()
				return nil, 0, stopped
			})
			each(s, func(name string, call func(ctx context.Context) error) {
				if name == "migrate" {
					return // has the caller's limit alone
				}
				begun := time.Now()
				err := call(t.Context())
				require.ErrorIs(t, err, context.DeadlineExceeded, name)
				require.ErrorIs(t, err, stopped, name)
				require.EqualError(t, err, fmt.Sprintf("sqlstore: %s: no answer of the database within %v: %v", name, want, stopped))
				require.Equal(t, want, time.Since(begun))
			})
		})
	}
}

// The time limit covers the wait for a connection.
func TestTimeLimitOfTheWaitForAConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := sql.OpenDB(&sqltest.Database{})
		defer db.Close()
		db.SetMaxOpenConns(1)
		s, err := sqlstore.New(db, sqlstore.Config{Dialect: sqlstore.PostgreSQL})
		require.NoError(t, err)
		held, err := db.Conn(t.Context())
		require.NoError(t, err)
		defer held.Close()
		begun := time.Now()
		_, _, err = s.Find(t.Context(), "key")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, 3*time.Second, time.Since(begun))
	})
}

func TestACallEndsWithItsContext(t *testing.T) {
	s, d := newStore(t, sqlstore.Config{Dialect: sqlstore.PostgreSQL})
	stopped := errors.New("interrupted")
	each(s, func(name string, call func(ctx context.Context) error) {
		ctx, cancel := context.WithCancel(t.Context())
		d.Answers(func(ctx context.Context, _ asked) ([][]driver.Value, int64, error) {
			cancel()
			<-ctx.Done()
			return nil, 0, stopped
		})
		require.ErrorIs(t, call(ctx), context.Canceled, name)
		d.Said()
		require.ErrorIs(t, call(ctx), context.Canceled, name)
		require.Empty(t, d.Said(), "the database was asked for nobody")
	})
}

func TestNewRefuses(t *testing.T) {
	db := sql.OpenDB(&sqltest.Database{})
	defer db.Close()
	for name, test := range map[string]struct {
		db     *sql.DB
		config sqlstore.Config
		want   string
	}{
		"no database":      {nil, sqlstore.Config{Dialect: sqlstore.SQLite}, "db is nil"},
		"no dialect":       {db, sqlstore.Config{}, "Config.Dialect is Dialect(0): want sqlstore.PostgreSQL or sqlstore.SQLite"},
		"another dialect":  {db, sqlstore.Config{Dialect: 3}, "Config.Dialect is Dialect(3)"},
		"a negative limit": {db, sqlstore.Config{Dialect: sqlstore.SQLite, Timeout: -1}, "Config.Timeout is -1ns: want more than 0, or 0 for 3s"},
		"a negative sweep": {db, sqlstore.Config{Dialect: sqlstore.SQLite, Sweep: -1}, "Config.Sweep is -1ns: want more than 0, or 0 for never"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := sqlstore.New(test.db, test.config)
			require.ErrorContains(t, err, "sqlstore: ")
			require.ErrorContains(t, err, test.want)
		})
	}
	_, err := sqlstore.New(nil, sqlstore.Config{Timeout: -1, Table: "no good"})
	require.Len(t, strings.Split(err.Error(), "\n"), 3, "all is said at once: %v", err)
}

// SE-10: what is not a plain name is refused, for it cannot be a parameter.
func TestNamesOfTables(t *testing.T) {
	db := sql.OpenDB(&sqltest.Database{})
	defer db.Close()
	long := strings.Repeat("x", 50)
	for name, want := range map[string]struct{ postgreSQL, sqlite bool }{
		"": {true, true}, "sessions": {true, true}, "_s1": {true, true}, "select": {true, true}, long: {true, true},
		"app.sessions": {true, false}, "app." + long: {true, false}, strings.Repeat("y", 63) + ".s": {true, false},
		long + "x": {}, "app." + long + "x": {}, strings.Repeat("y", 64) + ".s": {}, "a.b.c": {}, ".b": {}, "a.": {}, "1s": {},
		"Sessions": {}, `s"; DROP TABLE users; --`: {}, "s'": {}, "s s": {}, "s-s": {}, "sé": {}, "s\n": {}, "s\x00": {}, "{table}": {}, "s?": {}, "$1": {},
	} {
		_, err := sqlstore.New(db, sqlstore.Config{Dialect: sqlstore.PostgreSQL, Table: name})
		require.Equal(t, want.postgreSQL, err == nil, "%q: %v", name, err)
		_, err = sqlstore.New(db, sqlstore.Config{Dialect: sqlstore.SQLite, Table: name})
		require.Equal(t, want.sqlite, err == nil, "%q: %v", name, err)
		if err != nil {
			require.ErrorContains(t, err, fmt.Sprintf("Config.Table is %q: want lower-case letters", name))
		}
	}
}

// New asks the database nothing, and without Sweep starts nothing.
func TestNewAsksNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, d := newStore(t, sqlstore.Config{Dialect: sqlstore.PostgreSQL})
		time.Sleep(1000 * time.Hour)
		synctest.Wait()
		require.Empty(t, d.Said())
		require.NoError(t, s.Close())
	})
}

func TestDialectString(t *testing.T) {
	require.Equal(t, "PostgreSQL SQLite Dialect(9)", fmt.Sprint(sqlstore.PostgreSQL, " ", sqlstore.SQLite, " ", sqlstore.Dialect(9)))
}

// SE-06: a driver that panics is a database that is down.
func TestADriverThatPanics(t *testing.T) {
	s, d := newStore(t, sqlstore.Config{Dialect: sqlstore.PostgreSQL})
	d.Answers(func(context.Context, asked) ([][]driver.Value, int64, error) { panic("index out of range") })
	ctx := t.Context()
	for call, do := range map[string]func() error{
		"find":           func() error { _, _, err := s.Find(ctx, "k"); return err },
		"commit":         func() error { return s.Commit(ctx, "k", nil, time.Now()) },
		"list":           func() error { _, err := s.List(ctx, "l"); return err },
		"delete expired": func() error { _, err := s.DeleteExpired(ctx); return err },
	} {
		require.EqualError(t, do(), "sqlstore: "+call+": the driver panicked")
	}
}
