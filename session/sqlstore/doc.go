// Package sqlstore keeps sessions in PostgreSQL or SQLite, over database/sql. Its
// [Store] is a session.Store, a session.Replacer and a session.Lister. It brings no
// driver: the program chooses one and opens the database.
//
//	db, err := sql.Open("pgx", os.Getenv("DATABASE_URL"))
//	...
//	store, err := sqlstore.New(db, sqlstore.Config{Dialect: sqlstore.PostgreSQL, Sweep: time.Hour})
//	...
//	defer store.Close()
//	err = store.Migrate(ctx)
//	...
//	a, err := auth.New(auth.Config{Session: session.Config{Store: store}, ...})
//
// # The tables
//
// There is one row for each session: its key, which is a hash of the cookie's value; its
// data, which is sealed; and when it expires. Another table has lists, with a row for each
// key on one. Whoever reads them learns how many people are signed in, until when, and
// which sessions are one person's, not who they are. [Store.Migrate] makes the tables, and
// [Store.Schema] is its text for those who make their tables themselves. The rights that a
// program needs afterwards are SELECT, INSERT, UPDATE and DELETE on both.
//
// What has expired is not found, but stays until [Store.DeleteExpired] is called, or
// [Config].Sweep does that now and again.
//
// # Each call
//
// Each method is one statement, outside a transaction, with no state in the connection: no
// SET, no session's advisory lock, no prepared statement that this package keeps; only Migrate
// and DeleteExpired are more. Each has a time limit of its own, [Config].Timeout, which covers
// waiting for a connection of the pool too, so that requests are soon answered 503 where the
// database is down. Limit the pool by [sql.DB.SetMaxOpenConns], and have it keep as
// many by [sql.DB.SetMaxIdleConns]: unless that is set, it keeps two, and closes any other as soon as nobody
// waits for it. A call ends when its driver lets go of it: choose one that does when a context ends.
//
// Expiries are compared with the clock of the program, [Config].Now, and never with the
// database's.
//
// # PostgreSQL
//
// The driver github.com/jackc/pgx/v5/stdlib keeps to the time limit. github.com/lib/pq works
// too, but waits as long as a server that has fallen silent, and looks at no context
// while it connects: set its connect_timeout. All statements go to the primary, for a replica
// that lags lets somebody in who has signed out. The isolation level is to be READ
// COMMITTED, which is the default.
//
// A pooler that gives each transaction another connection, such as PgBouncer in transaction
// mode, has no room for what drivers prepare in a connection. For pgx, add
// default_query_exec_mode=exec to the connection string; for lib/pq,
// binary_parameters=yes. Each call is one round trip then. It is with pgx by
// itself too, which prepares each statement once in a connection; lib/pq by itself needs two.
//
// # SQLite
//
// Tried with the driver modernc.org/sqlite. SQLite has one writer at a time, and this
// package does not try again: what waits for another writer does so in SQLite, for the
// busy timeout. Set that, to less than [Config].Timeout, for drivers do not end that wait
// when a context ends; and the write-ahead log, with which readers and the writer do not wait
// for each other:
//
//	sql.Open("sqlite", "file:/var/lib/app/sessions.db?_pragma=journal_mode(WAL)&_pragma=busy_timeout(2000)&_pragma=synchronous(NORMAL)")
//
// With synchronous(NORMAL) a power failure may undo the last writes, a sign-out among
// them; leave it out where that matters more than the time that each write takes. The file
// must not be on a network file system. A database in memory is one for each connection,
// and needs SetMaxOpenConns(1).
//
// # Errors
//
// An error says which call failed and what the driver said of it. It wraps that, and
// [context.DeadlineExceeded] or [context.Canceled] where a context ended. It has
// neither keys nor data, nor a connection string.
package sqlstore
