package main

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// Each new reason is said once, and an attempt that hangs is given up.
func TestKeepMigrating(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, begun, calls := &output{}, time.Now(), 0
		keepMigrating(t.Context(), func(ctx context.Context) error {
			calls++
			switch {
			case calls <= 3:
				return errors.New("refused")
			case calls == 4:
				<-ctx.Done()
				return ctx.Err()
			}
			return nil
		}, slog.New(slog.NewTextHandler(log, nil)))
		require.Equal(t, 5, calls)
		require.Equal(t, 4*migrateAgain+migrateLimit, time.Since(begun))
		require.Equal(t, 2, strings.Count(log.String(), "not there yet"), log.String())
		require.Equal(t, 1, strings.Count(log.String(), "the session store is there\""))
	})
}

func TestKeepMigratingEndsWithTheGateway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, hangs := range []bool{false, true} {
			log := &output{}
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			begun := time.Now()
			keepMigrating(ctx, func(ctx context.Context) error {
				if hangs {
					<-ctx.Done()
				}
				return errors.New("down")
			}, slog.New(slog.NewTextHandler(log, nil)))
			require.Equal(t, 30*time.Second, time.Since(begun))
			require.Equal(t, !hangs, strings.Contains(log.String(), "down"))
		}
	})
}

func TestNothingIsSaidWhereTheStoreIsThere(t *testing.T) {
	log := &output{}
	keepMigrating(t.Context(), func(context.Context) error { return nil }, slog.New(slog.NewTextHandler(log, nil)))
	require.Empty(t, log.String())
}

// Who writes waits for another who writes.
func TestSQLiteIsShared(t *testing.T) {
	file := filepath.Join(t.TempDir(), "sessions.db")
	store, err := openStore("sqlite:"+file, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	defer store.close()
	require.NoError(t, store.migrate(t.Context()))
	other, err := sql.Open("sqlite", file)
	require.NoError(t, err)
	defer other.Close()
	tx, err := other.Begin()
	require.NoError(t, err)
	_, err = tx.Exec("DELETE FROM sallyport_sessions")
	require.NoError(t, err)
	time.AfterFunc(100*time.Millisecond, func() { _ = tx.Rollback() })
	require.NoError(t, store.Commit(t.Context(), "key", []byte("data"), time.Now().Add(time.Hour)))
}
