package sqlstore_test

import (
	"context"
	"database/sql"
	"log"
	"os"
	"time"

	"github.com/sallyport/auth/session"
	"github.com/sallyport/auth/session/sqlstore"
)

// The program imports the driver: for "pgx", _ "github.com/jackc/pgx/v5/stdlib".
func Example() {
	db, err := sql.Open("pgx", os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal("DATABASE_URL cannot be read") // err may have the password
	}
	defer db.Close()
	db.SetMaxOpenConns(20)
	db.SetMaxIdleConns(20)
	store, err := sqlstore.New(db, sqlstore.Config{Dialect: sqlstore.PostgreSQL, Sweep: time.Hour})
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	if err := store.Migrate(context.Background()); err != nil {
		log.Fatal(err)
	}
	_ = session.Config{Store: store} // is auth.Config.Session
}

// A job of its own removes what has expired, in a program that does nothing else.
func ExampleStore_DeleteExpired() {
	db, err := sql.Open("sqlite", "file:/var/lib/app/sessions.db?_pragma=busy_timeout(2000)")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	store, err := sqlstore.New(db, sqlstore.Config{Dialect: sqlstore.SQLite})
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	n, err := store.DeleteExpired(ctx)
	log.Print(n, " rows were removed")
	if err != nil {
		log.Fatal(err)
	}
}
