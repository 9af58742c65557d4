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

	"github.com/sallyport/auth/session/sqlstore"
)

// expired answers that so many rows were removed, one number for each statement.
func expired(d *database, counts ...int64) {
	d.answers(func(context.Context, asked) ([][]driver.Value, int64, error) {
		if len(counts) == 0 {
			return nil, 0, errors.New("asked once too often")
		}
		n := counts[0]
		counts = counts[1:]
		return nil, n, nil
	})
}

func TestDeleteExpiredEndsWithABatchThatIsNotFull(t *testing.T) {
	s, d := newStore(t, sqlstore.Config{Dialect: sqlstore.PostgreSQL})
	for want, counts := range map[int64][]int64{0: {0}, 499: {499}, 500: {500, 0}, 1207: {500, 500, 207}} {
		expired(d, counts...)
		n, err := s.DeleteExpired(t.Context())
		require.NoError(t, err)
		require.Equal(t, want, n)
		require.Len(t, d.said(), len(counts))
	}
}

func TestDeleteExpiredCountsWhatWasDoneBeforeAnError(t *testing.T) {
	s, d := newStore(t, sqlstore.Config{Dialect: sqlstore.PostgreSQL})
	expired(d, 500)
	n, err := s.DeleteExpired(t.Context())
	require.ErrorContains(t, err, "sqlstore: delete expired: asked once too often")
	require.EqualValues(t, 500, n)
}

// SE-08: the goroutine sweeps early, at each interval, says what fails and goes on, and ends.
func TestSweepUntilClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		s, d := newStore(t, sqlstore.Config{Dialect: sqlstore.SQLite, Sweep: time.Hour, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		time.Sleep(time.Minute - time.Nanosecond)
		synctest.Wait()
		require.Empty(t, d.said())
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		require.Len(t, d.said(), 1)

		d.answers(func(context.Context, asked) ([][]driver.Value, int64, error) { return nil, 0, errors.New("down") })
		time.Sleep(time.Hour)
		synctest.Wait()
		require.Len(t, d.said(), 1)
		require.Contains(t, log.String(), `level=WARN msg="expired sessions were not removed" error="sqlstore: delete expired: down"`)

		d.answers(nil)
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		require.Len(t, d.said(), 2)

		log.Reset()
		require.NoError(t, s.Close())
		require.NoError(t, s.Close())
		time.Sleep(5 * time.Hour)
		synctest.Wait()
		require.Empty(t, d.said())
		require.Empty(t, log.String())
	})
}

// Close ends what the database is asked, and waits until the driver has ended it.
func TestCloseEndsASweepThatRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		s, d := newStore(t, sqlstore.Config{Dialect: sqlstore.SQLite, Sweep: time.Second, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		d.answers(func(ctx context.Context, _ asked) ([][]driver.Value, int64, error) {
			<-ctx.Done()
			time.Sleep(time.Millisecond)
			return nil, 0, ctx.Err()
		})
		time.Sleep(time.Second)
		synctest.Wait()
		begun := time.Now()
		require.NoError(t, s.Close())
		require.Equal(t, time.Millisecond, time.Since(begun))
		require.Len(t, d.said(), 1)
		require.Empty(t, log.String(), "an end that was asked for is no failure")
	})
}
