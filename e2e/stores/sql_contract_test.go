package stores_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/session"
	"github.com/sallyport/auth/session/sessiontest"
	"github.com/sallyport/auth/session/sqlstore"
)

// clock is moved on by a test.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// SE-02 SE-04 SE-05 SE-10 SE-11: what sessions have, concurrency and several nodes.
func TestSQLStoresHaveNoViolations(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		at := &clock{now: time.Now()}
		kit := sessiontest.Kit{Now: at.Now, Advance: at.Advance, MaxData: 1 << 20}
		kit.TestStore(t, func() (session.Store, error) { return d.store(t, d.open(t), sqlstore.Config{Now: at.Now}), nil })
	})
}

// SE-14: no expiry that a clock may come to is an error, and none is rounded up.
func TestSQLStoresKeepExpiriesToTheMicrosecond(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		end := time.Date(2031, 5, 6, 7, 8, 9, 123_456_999, time.FixedZone("", 5*3600+1800))
		at := &clock{}
		s := d.store(t, d.open(t), sqlstore.Config{Now: at.Now})
		require.NoError(t, s.Commit(t.Context(), "key", []byte("data"), end))
		for now, want := range map[time.Time]bool{end.Add(-2 * time.Microsecond): true, end.Add(-999): false, end: false, end.Add(1): false} {
			at.now = now
			_, found, err := s.Find(t.Context(), "key")
			require.NoError(t, err)
			require.Equal(t, want, found, now)
			swapped, err := s.Replace(t.Context(), "key", []byte("data"), []byte("data"), end)
			require.NoError(t, err)
			require.Equal(t, want, swapped, now)
		}
		at.now = time.Unix(1, 0)
		for _, expiry := range []time.Time{{}, time.Unix(0, 0), time.Unix(0, -1500), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)} {
			require.NoError(t, s.Commit(t.Context(), "key", nil, expiry))
			data, found, err := s.Find(t.Context(), "key")
			require.NoError(t, err)
			require.Equal(t, expiry.After(at.now), found)
			require.Empty(t, data)
		}
	})
}

// SE-10: keys are parameters.
func TestSQLInAKeyIsAKey(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		s := d.store(t, d.open(t), sqlstore.Config{})
		keys := []string{`' OR 1=1 --`, `"; DROP TABLE sessions; --`, `$1`, `?`, `%`, `\`}
		for _, key := range keys {
			require.NoError(t, s.Commit(t.Context(), key, []byte(key), time.Now().Add(time.Hour)))
		}
		require.NoError(t, s.Delete(t.Context(), `%`))
		for _, key := range keys {
			data, found, err := s.Find(t.Context(), key)
			require.NoError(t, err)
			require.Equal(t, key != `%`, found)
			require.True(t, !found || string(data) == key)
		}
	})
}

// SE-02: a dump gives nobody a session, a name, an address or a token.
func TestADumpOfTheTableTellsNothing(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		db := d.open(t)
		table := newTable()
		s := d.store(t, db, sqlstore.Config{Table: table})
		m, err := session.NewManager(session.Config{Store: s}, []session.Secret{session.NewSecret("Hq2cY7Nn0wVtE4rXbS9uKd6LfJmZ1gPa")}, time.Now)
		require.NoError(t, err)
		who := &session.Session{Subject: "subject-4711", Name: "Ada Lovelace", Email: "ada@example.com", Issuer: "https://issuer.example"}
		require.NoError(t, who.SetClaim("token", "gho_ofAnApplication"))
		w := httptest.NewRecorder()
		require.NoError(t, m.Start(w, httptest.NewRequest(http.MethodGet, "https://app.example/", nil), who, true))
		cookie := w.Result().Cookies()[0].Value
		require.NotEmpty(t, cookie)

		var dump strings.Builder
		if d.dialect == sqlstore.PostgreSQL {
			out, err := exec.Command(filepath.Join(postgresBin, "pg_dump"), "-t", table, "-h", "127.0.0.1", "-p", postgres.port, "-U", "postgres", "postgres").CombinedOutput()
			require.NoError(t, err, string(out))
			dump.Write(out)
		}
		rows, err := db.Query("SELECT key, data, expiry FROM " + table)
		require.NoError(t, err)
		defer rows.Close()
		n := 0
		for ; rows.Next(); n++ {
			var key, data []byte
			var expiry any
			require.NoError(t, rows.Scan(&key, &data, &expiry))
			fmt.Fprintf(&dump, "%s %s %v\n", key, data, expiry)
		}
		require.Equal(t, 1, n)
		require.Contains(t, dump.String(), " \x03", "a sealed session of this version")
		for _, secret := range []string{cookie, "Lovelace", "example.com", "provider_issuer"} {
			require.NotContains(t, dump.String(), secret)
		}
	})
}

// Several programs start at once, the first time and later.
func TestManyNodesMigrateAtOnce(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		table := newTable()
		for range 2 {
			var wait sync.WaitGroup
			errs := make([]error, 8)
			for i := range errs {
				db := d.open(t)
				s, err := sqlstore.New(db, sqlstore.Config{Dialect: d.dialect, Table: table})
				require.NoError(t, err)
				wait.Go(func() { errs[i] = s.Migrate(t.Context()) })
			}
			wait.Wait()
			for _, err := range errs {
				require.NoError(t, err)
			}
		}
		var versions int
		require.NoError(t, d.open(t).QueryRow("SELECT count(*) FROM "+table+"_version WHERE version > 0").Scan(&versions))
		require.Equal(t, 2, versions)
	})
}

// A schema that was made by hand needs no migration, nor the right to one.
func TestASchemaMadeByHand(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		db, table := d.open(t), newTable()
		s, err := sqlstore.New(db, sqlstore.Config{Dialect: d.dialect, Table: table})
		require.NoError(t, err)
		for range 2 {
			for statement := range strings.SplitSeq(s.Schema(), ";\n") {
				_, err := db.Exec(statement)
				require.NoError(t, err)
			}
		}
		if d.dialect == sqlstore.PostgreSQL {
			for _, statement := range []string{
				"CREATE ROLE app_" + table + " LOGIN",
				"REVOKE CREATE ON SCHEMA public FROM PUBLIC",
				"GRANT SELECT, INSERT, UPDATE, DELETE ON " + table + ", " + table + "_lists TO app_" + table,
				"GRANT SELECT ON " + table + "_version TO app_" + table,
			} {
				_, err := db.Exec(statement)
				require.NoError(t, err)
			}
			direct := databases(t)["pgx"]
			direct.source = strings.Replace(direct.source, "postgres@", "app_"+table+"@", 1)
			s, err = sqlstore.New(direct.open(t), sqlstore.Config{Dialect: d.dialect, Table: table})
			require.NoError(t, err)
		}
		require.NoError(t, s.Migrate(t.Context()))
		require.NoError(t, s.Commit(t.Context(), "key", []byte("data"), time.Now().Add(time.Hour)))
		swapped, err := s.Replace(t.Context(), "key", []byte("data"), []byte("new"), time.Now().Add(-time.Second))
		require.NoError(t, err)
		require.True(t, swapped)
		for _, expiry := range []time.Time{time.Now().Add(-2 * time.Second), time.Now().Add(-time.Second)} {
			require.NoError(t, s.Add(t.Context(), "list", "key", expiry))
		}
		_, err = s.List(t.Context(), "list")
		require.NoError(t, err)
		require.NoError(t, s.Remove(t.Context(), "list", "another key"))
		n, err := s.DeleteExpired(t.Context())
		require.NoError(t, err)
		require.EqualValues(t, 2, n)
	})
}

// A table may have the name of a word of SQL, and in PostgreSQL a schema.
func TestNamesOfTables(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		db := d.open(t)
		names := []string{"order", "select"}
		if d.dialect == sqlstore.PostgreSQL {
			_, err := db.Exec(`CREATE SCHEMA IF NOT EXISTS "user"`)
			require.NoError(t, err)
			names = append(names, "user.table", "user."+strings.Repeat("x", 50))
		}
		for _, name := range names {
			s := d.store(t, db, sqlstore.Config{Table: name})
			require.NoError(t, s.Commit(t.Context(), "key", []byte("data"), time.Now().Add(time.Hour)))
			_, found, err := s.Find(t.Context(), "key")
			require.NoError(t, err)
			require.True(t, found)
			require.NoError(t, s.Add(t.Context(), "list", "key", time.Now().Add(time.Hour)))
			keys, err := s.List(t.Context(), "list")
			require.NoError(t, err)
			require.Equal(t, []string{"key"}, keys)
		}
	})
}

// SE-10: a sweep removes what has expired in statements of a bounded size, and no more.
func TestSweepsOfTwoNodes(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		db, table := d.open(t), newTable()
		at := &clock{now: time.Now()}
		first := d.store(t, db, sqlstore.Config{Table: table, Now: at.Now})
		second := d.store(t, d.open(t), sqlstore.Config{Table: table, Now: at.Now})
		const expired, live = 1203, 20
		for i := range expired {
			require.NoError(t, first.Commit(t.Context(), fmt.Sprint("expired", i), []byte("data"), at.now))
			require.NoError(t, first.Add(t.Context(), fmt.Sprint("list", i%7), fmt.Sprint("expired", i), at.now))
		}
		for i := range live {
			require.NoError(t, first.Commit(t.Context(), fmt.Sprint("live", i), []byte("data"), at.now.Add(time.Second)))
			require.NoError(t, first.Add(t.Context(), "list0", fmt.Sprint("live", i), at.now.Add(time.Second)))
		}
		var wait sync.WaitGroup
		var counts [2]int64
		var errs [2]error
		for i, s := range []*sqlstore.Store{first, second} {
			wait.Go(func() { counts[i], errs[i] = s.DeleteExpired(t.Context()) })
		}
		wait.Wait()
		require.NoError(t, errs[0])
		require.NoError(t, errs[1])
		require.EqualValues(t, 2*expired, counts[0]+counts[1])
		for _, name := range []string{table, table + "_lists"} {
			var left int
			require.NoError(t, db.QueryRow("SELECT count(*) FROM "+name).Scan(&left))
			require.Equal(t, live, left)
		}
	})
}

// SE-11: nothing rises again after a delete, whatever a sweep and renewals do beside it.
func TestASweepTakesNoSessionThatWasPutOff(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		at := &clock{now: time.Now()}
		s := d.store(t, d.open(t), sqlstore.Config{Now: at.Now})
		ctx, cancel := context.WithCancel(t.Context())
		swept := make(chan error, 1)
		go func() {
			for ctx.Err() == nil {
				if _, err := s.DeleteExpired(ctx); err != nil && ctx.Err() == nil {
					swept <- err
					return
				}
			}
			swept <- nil
		}()
		for i := range 100 {
			key := fmt.Sprint("key", i)
			require.NoError(t, s.Commit(t.Context(), key, []byte("old"), at.now))
			require.NoError(t, s.Commit(t.Context(), key, []byte("new"), at.now.Add(time.Hour)))
			_, found, err := s.Find(t.Context(), key)
			require.NoError(t, err)
			require.True(t, found)
		}
		cancel()
		require.NoError(t, <-swept)
	})
}
