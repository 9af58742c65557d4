package main

import (
	"context"
	"database/sql"
	"log/slog"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"github.com/sallyport/auth/session/sqlstore"
)

const (
	// connections of one gateway stay far below PostgreSQL's max_connections, which is
	// 100 unless it is set.
	connections    = 20
	connectionIdle = 5 * time.Minute

	// sweepEvery is how often rows that have expired are removed.
	sweepEvery = time.Hour

	migrateAgain = time.Second // after a failure
	migrateLimit = time.Minute // of one attempt
)

// openPostgreSQL reads a URL as libpq has it. What is sent needs no state of a connection,
// so that PgBouncer may stand in between.
func openPostgreSQL(raw string, logger *slog.Logger) (sessionStore, error) {
	if err := checkPassword(raw); err != nil {
		return sessionStore{}, err
	}
	config, err := pgx.ParseConfig(raw)
	if err != nil {
		return sessionStore{}, storeProblem("is not the URL of a PostgreSQL, or names a file that cannot be read", "write it like postgres://user:password@db.internal:5432/app?sslmode=verify-full, with the password percent-encoded")
	}
	config.DefaultQueryExecMode = pgx.QueryExecModeExec
	return openSQL(stdlib.OpenDB(*config), sqlstore.PostgreSQL, logger)
}

// openSQLite takes the path of a file. The driver would cut one with a question mark there,
// and //path is one file to some programs and another to others.
func openSQLite(path string, logger *slog.Logger) (sessionStore, error) {
	if path == "" || path == ":memory:" || strings.HasPrefix(path, "//") || strings.HasPrefix(path, "file:") || strings.Contains(path, "?") {
		return sessionStore{}, storeProblem("is not the path of a file for SQLite", "write it like sqlite:/var/lib/gateway/sessions.db, with one slash and no options; memory: keeps sessions in memory")
	}
	db, err := sql.Open("sqlite", path+"?_pragma=journal_mode(WAL)&_pragma=busy_timeout(2000)")
	if err != nil {
		return sessionStore{}, err
	}
	return openSQL(db, sqlstore.SQLite, logger)
}

// openSQL returns a store in db.
func openSQL(db *sql.DB, dialect sqlstore.Dialect, logger *slog.Logger) (sessionStore, error) {
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	db.SetConnMaxIdleTime(connectionIdle)
	store, err := sqlstore.New(db, sqlstore.Config{Dialect: dialect, Sweep: sweepEvery, Logger: logger})
	if err != nil {
		return sessionStore{}, err
	}
	return sessionStore{Replacer: store, migrate: store.Migrate, close: func() {
		_ = store.Close()
		_ = db.Close()
	}}, nil
}

// keepMigrating calls migrate until it succeeds once or ctx ends, so that the gateway starts
// while its database is down. People are answered 503 until then, unless an earlier start
// has made the tables.
func keepMigrating(ctx context.Context, migrate func(context.Context) error, logger *slog.Logger) {
	said := ""
	for {
		limited, cancel := context.WithTimeout(ctx, migrateLimit)
		err := migrate(limited)
		cancel()
		if err == nil {
			if said != "" {
				logger.Info("gateway: the session store is there")
			}
			return
		}
		if ctx.Err() == nil && err.Error() != said {
			said = err.Error()
			logger.Warn("gateway: the session store is not there yet; trying again until it is", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(migrateAgain):
		}
	}
}
