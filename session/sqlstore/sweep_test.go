package sqlstore_test

import (
	"bytes"
	"context"
	"database/sql/driver"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/internal/sqltest"
	"github.com/sallyport/auth/session/sqlstore"
)

// expired answers that so many rows were removed, one number for each statement.
func expired(d *sqltest.Database, counts ...int64) {
	d.Answers(func(context.Context, asked) ([][]driver.Value, int64, error) {
		if len(counts) == 0 {
			return nil, 0, errors.New("asked once too often")
		}
		n := counts[0]
		counts = counts[1:]
		return nil, n, nil
	})
}

// SE-10: sessions first, and then lists; each ends with a batch that is not full.
func TestDeleteExpiredGoesInBatches(t *testing.T) {
	for dialect, test := range map[sqlstore.Dialect]struct {
		sessions, lists string
		args            []driver.Value
	}{
		sqlstore.PostgreSQL: {
			`DELETE FROM "t" WHERE key = ANY (ARRAY(
SELECT key FROM "t" WHERE expiry <= $1 ORDER BY expiry LIMIT $2 FOR UPDATE SKIP LOCKED))`,
			`WITH expired AS (
SELECT list, key FROM "t_lists" WHERE expiry <= $1 ORDER BY expiry LIMIT $2 FOR UPDATE SKIP LOCKED)
DELETE FROM "t_lists" AS have USING expired WHERE have.list = expired.list AND have.key = expired.key`,
			[]driver.Value{now.Truncate(time.Microsecond), int64(500)},
		},
		sqlstore.SQLite: {
			`DELETE FROM "t" WHERE rowid IN (SELECT rowid FROM "t" WHERE expiry <= ? ORDER BY expiry LIMIT ?)`,
			`DELETE FROM "t_lists" WHERE rowid IN (SELECT rowid FROM "t_lists" WHERE expiry <= ? ORDER BY expiry LIMIT ?)`,
			[]driver.Value{now.UnixMicro(), int64(50)},
		},
	} {
		s, d := newStore(t, sqlstore.Config{Dialect: dialect, Table: "t", Now: clock})
		batch := test.args[1].(int64)
		for _, counts := range [][2][]int64{{{0}, {0}}, {{batch - 1}, {3}}, {{batch, 0}, {batch, batch, 7}}, {{batch, batch, 207 % batch}, {0}}} {
			var want int64
			var asks []asked
			for i, statement := range []string{test.sessions, test.lists} {
				for _, n := range counts[i] {
					want += n
					asks = append(asks, asked{SQL: statement, Args: test.args})
				}
			}
			expired(d, append(counts[0], counts[1]...)...)
			n, err := s.DeleteExpired(t.Context())
			require.NoError(t, err)
			require.Equal(t, want, n)
			require.Equal(t, asks, d.Said())
		}
	}
}

func TestDeleteExpiredCountsWhatWasDoneBeforeAnError(t *testing.T) {
	s, d := newStore(t, sqlstore.Config{Dialect: sqlstore.PostgreSQL})
	for want, counts := range map[int64][]int64{500: {500}, 507: {500, 7}, 1007: {500, 7, 500}} {
		expired(d, counts...)
		n, err := s.DeleteExpired(t.Context())
		require.ErrorContains(t, err, "sqlstore: delete expired: asked once too often")
		require.Equal(t, want, n)
	}
}

// SE-08: the goroutine sweeps early, at each interval, says what fails and goes on, and ends.
func TestSweepUntilClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		s, d := newStore(t, sqlstore.Config{Dialect: sqlstore.SQLite, Sweep: time.Hour, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		time.Sleep(time.Minute - time.Nanosecond)
		synctest.Wait()
		require.Empty(t, d.Said())
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		require.Len(t, d.Said(), 2)

		d.Answers(func(context.Context, asked) ([][]driver.Value, int64, error) { return nil, 0, errors.New("down") })
		time.Sleep(time.Hour)
		synctest.Wait()
		require.Len(t, d.Said(), 1)
		require.Contains(t, log.String(), `level=WARN msg="auth: expired sessions were not removed" cause="sqlstore: delete expired: down"`)

		d.Answers(nil)
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		require.Len(t, d.Said(), 4)

		log.Reset()
		require.NoError(t, s.Close())
		require.NoError(t, s.Close())
		time.Sleep(5 * time.Hour)
		synctest.Wait()
		require.Empty(t, d.Said())
		require.Empty(t, log.String())
	})
}

// Close ends what the database is asked, and waits until the driver has ended it.
func TestCloseEndsASweepThatRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		s, d := newStore(t, sqlstore.Config{Dialect: sqlstore.SQLite, Sweep: time.Second, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		d.Answers(func(ctx context.Context, _ asked) ([][]driver.Value, int64, error) {
			<-ctx.Done()
			time.Sleep(time.Millisecond)
			return nil, 0, ctx.Err()
		})
		time.Sleep(time.Second)
		synctest.Wait()
		begun := time.Now()
		require.NoError(t, s.Close())
		require.Equal(t, time.Millisecond, time.Since(begun))
		require.Len(t, d.Said(), 1)
		require.Empty(t, log.String(), "an end that was asked for is no failure")
	})
}
