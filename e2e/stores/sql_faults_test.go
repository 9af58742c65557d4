package stores_test

import (
	"context"
	"database/sql"
	"errors"
	"net"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/session"
	"github.com/sallyport/auth/session/sqlstore"
)

// calls are all that a store is asked, by name.
func calls(s *sqlstore.Store) map[string]func(ctx context.Context) error {
	return map[string]func(ctx context.Context) error{
		"find": func(ctx context.Context) error { _, _, err := s.Find(ctx, "key"); return err },
		"commit": func(ctx context.Context) error {
			return s.Commit(ctx, "key", []byte("data"), time.Now().Add(time.Hour))
		},
		"insert": func(ctx context.Context) error {
			_, err := s.Insert(ctx, "key", []byte("data"), time.Now().Add(time.Hour))
			return err
		},
		"replace": func(ctx context.Context) error {
			_, err := s.Replace(ctx, "key", []byte("data"), []byte("data"), time.Now().Add(time.Hour))
			return err
		},
		"delete":         func(ctx context.Context) error { return s.Delete(ctx, "key") },
		"add":            func(ctx context.Context) error { return s.Add(ctx, "list", "key", time.Now().Add(time.Hour)) },
		"list":           func(ctx context.Context) error { _, err := s.List(ctx, "list"); return err },
		"remove":         func(ctx context.Context) error { return s.Remove(ctx, "list", "key") },
		"delete expired": func(ctx context.Context) error { _, err := s.DeleteExpired(ctx); return err },
	}
}

// SE-06: a database that is down is an error soon, and works again by itself. Where PgBouncer
// holds a statement until the database is up, lib/pq waits with it.
func TestDatabaseDownAndUp(t *testing.T) {
	all := databases(t)
	for _, name := range []string{"pgx", "pq", "pgx PgBouncer"} {
		t.Run(name, func(t *testing.T) {
			d := all[name]
			s := d.store(t, d.open(t), sqlstore.Config{Timeout: time.Second})
			require.NoError(t, s.Commit(t.Context(), "key", []byte("data"), time.Now().Add(time.Hour)))
			m, err := session.NewManager(session.Config{Store: s}, []session.Secret{session.NewSecret("Hq2cY7Nn0wVtE4rXbS9uKd6LfJmZ1gPa")}, time.Now)
			require.NoError(t, err)
			w := httptest.NewRecorder()
			require.NoError(t, m.Start(w, httptest.NewRequest("GET", "https://app.example/", nil), &session.Session{Subject: "4711"}, true))
			request := httptest.NewRequest("GET", "https://app.example/", nil)
			request.AddCookie(w.Result().Cookies()[0])

			postgres.stop()
			for name, call := range calls(s) {
				begun := time.Now()
				err := call(t.Context())
				require.Error(t, err, name)
				require.ErrorContains(t, err, "sqlstore: "+name+": ")
				require.Less(t, time.Since(begun), 1500*time.Millisecond, name)
			}
			who, err := m.Load(request, true)
			require.ErrorIs(t, err, session.ErrStore)
			require.Nil(t, who)

			require.NoError(t, postgres.start())
			begun := time.Now()
			require.Eventually(t, func() bool {
				_, found, err := s.Find(t.Context(), "key")
				return err == nil && found
			}, 10*time.Second, 10*time.Millisecond)
			t.Logf("again after %v", time.Since(begun))
			for name, call := range calls(s) {
				require.NoError(t, call(t.Context()), name)
			}
			who, err = m.Load(request, true)
			require.NoError(t, err)
			require.Equal(t, "4711", who.Subject)
		})
	}
}

// SE-06: one that takes connections and says nothing does not hold a request. lib/pq looks at
// no context while it connects.
func TestDatabaseThatSaysNothing(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	for driver, limit := range map[string]time.Duration{"pgx": 500 * time.Millisecond, "postgres": 1500 * time.Millisecond} {
		t.Run(driver, func(t *testing.T) {
			d := database{sqlstore.PostgreSQL, driver, "postgres://postgres:a-password@" + l.Addr().String() + "/postgres?sslmode=disable&connect_timeout=1"}
			s, err := sqlstore.New(d.open(t), sqlstore.Config{Dialect: sqlstore.PostgreSQL, Timeout: 200 * time.Millisecond})
			require.NoError(t, err)
			for name, call := range calls(s) {
				begun := time.Now()
				err := call(t.Context())
				require.ErrorIs(t, err, context.DeadlineExceeded, name)
				require.ErrorContains(t, err, "no answer of the database within 200ms")
				require.NotContains(t, err.Error(), "a-password")
				require.Less(t, time.Since(begun), limit, name)
			}
		})
	}
}

// wire hands bytes on between a client and PostgreSQL.
type wire struct {
	port string
	turns
	cut atomic.Bool // nothing is handed on, and nothing closed
}

func newWire(t *testing.T) *wire {
	t.Helper()
	w := &wire{}
	line := between(t, "127.0.0.1:"+postgres.port, func(client, server net.Conn) {
		w.count(client, server, func() bool { return !w.cut.Load() })
	})
	var err error
	_, w.port, err = net.SplitHostPort(line)
	require.NoError(t, err)
	return w
}

// SE-06: a server that falls silent in the middle does not hold a request. lib/pq would
// wait for its answer.
func TestDatabaseThatFallsSilent(t *testing.T) {
	w, d := newWire(t), databases(t)["pgx"]
	d.source = strings.Replace(d.source, postgres.port, w.port, 1)
	s := d.store(t, d.open(t), sqlstore.Config{Timeout: 200 * time.Millisecond})
	for name, call := range calls(s) {
		require.NoError(t, call(t.Context()), name)
		w.cut.Store(true)
		begun := time.Now()
		err := call(t.Context())
		require.ErrorIs(t, err, context.DeadlineExceeded, name)
		require.Less(t, time.Since(begun), 500*time.Millisecond, name)
		w.cut.Store(false)
	}
}

// Each statement is one round trip, once the connection is there and pgx has prepared. A sweep
// has two.
func TestRoundTrips(t *testing.T) {
	for name, test := range map[string]struct {
		d         database
		parameter string
		trips     int64
	}{
		"pgx":                        {databases(t)["pgx"], "", 1},
		"pgx without preparing":      {databases(t)["pgx"], "&default_query_exec_mode=exec", 1},
		"pq with binary parameters":  {databases(t)["pq"], "&binary_parameters=yes", 1},
		"pq without, which prepares": {databases(t)["pq"], "", 2},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWire(t)
			test.d.source = strings.Replace(test.d.source, postgres.port, w.port, 1) + test.parameter
			db := test.d.open(t)
			db.SetMaxOpenConns(1)
			for name, call := range calls(test.d.store(t, db, sqlstore.Config{})) {
				require.NoError(t, call(t.Context()))
				before := w.n.Load()
				for range 5 {
					require.NoError(t, call(t.Context()))
				}
				statements := int64(1)
				if name == "delete expired" {
					statements = 2
				}
				require.Equal(t, 5*statements*test.trips, w.n.Load()-before, name)
			}
		})
	}
}

// hold has another connection keep everybody from the tables until release.
func (d database) hold(t *testing.T, table string) (release func()) {
	t.Helper()
	conn, err := d.open(t).Conn(t.Context())
	require.NoError(t, err)
	begin := "BEGIN EXCLUSIVE"
	if d.dialect == sqlstore.PostgreSQL {
		begin = "BEGIN"
	}
	_, err = conn.ExecContext(t.Context(), begin)
	require.NoError(t, err)
	if d.dialect == sqlstore.PostgreSQL {
		_, err = conn.ExecContext(t.Context(), "LOCK TABLE "+table+", "+table+"_lists IN ACCESS EXCLUSIVE MODE")
		require.NoError(t, err)
	}
	return func() {
		_, err := conn.ExecContext(context.Background(), "ROLLBACK")
		require.NoError(t, err)
		conn.Close()
	}
}

// A call that waits ends with its context, or at its own time limit, and harms no later
// one. In SQLite only those wait that write, and as long as the busy timeout says.
func TestACallThatWaitsEnds(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		if d.dialect == sqlstore.SQLite {
			d.source += "&_pragma=busy_timeout(100)"
		}
		table := newTable()
		s := d.store(t, d.open(t), sqlstore.Config{Table: table, Timeout: 300 * time.Millisecond})
		release := d.hold(t, table)
		for name, call := range calls(s) {
			if d.dialect == sqlstore.SQLite && (name == "find" || name == "list") {
				require.NoError(t, call(t.Context()))
				continue
			}
			begun := time.Now()
			err := call(t.Context())
			require.Error(t, err, name)
			require.Less(t, time.Since(begun), 2*time.Second, name)
			if d.dialect == sqlstore.PostgreSQL {
				require.ErrorIs(t, err, context.DeadlineExceeded, name)
			}

			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(50*time.Millisecond, cancel)
			begun = time.Now()
			err = call(ctx)
			require.Error(t, err, name)
			require.True(t, errors.Is(err, context.Canceled) || d.dialect == sqlstore.SQLite, "%s: %v", name, err)
			require.Less(t, time.Since(begun), 250*time.Millisecond, name)
		}
		release()
		require.Eventually(t, func() bool {
			for _, call := range calls(s) {
				if call(t.Context()) != nil {
					return false
				}
			}
			return true
		}, 5*time.Second, 10*time.Millisecond)
	})
}

// Errors have no password, not even of a connection string that no driver can read.
func TestErrorsOfAConnectionStringHaveNoPassword(t *testing.T) {
	for _, driver := range []string{"pgx", "postgres"} {
		for _, source := range []string{"postgres://app:hunter#2@127.0.0.1:1/db", "postgres://app:hunter/2@127.0.0.1:1/db", "postgres://app:hunter%2@127.0.0.1:1/db", "postgres://app:hunter2@127.0.0.1:1/db?sslmode=disable"} {
			db, err := sql.Open(driver, source)
			if err == nil {
				defer db.Close()
				var s *sqlstore.Store
				s, err = sqlstore.New(db, sqlstore.Config{Dialect: sqlstore.PostgreSQL, Timeout: time.Second})
				require.NoError(t, err)
				_, _, err = s.Find(t.Context(), "key")
			}
			require.Error(t, err)
			require.NotContains(t, err.Error(), "hunter", driver)
		}
	}
}
