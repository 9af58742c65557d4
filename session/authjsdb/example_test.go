package authjsdb_test

import (
	"database/sql"
	"log"
	"os"

	"github.com/sallyport/auth/session"
	"github.com/sallyport/auth/session/authjsdb"
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
	users, err := authjsdb.New(db, authjsdb.Config{})
	if err != nil {
		log.Fatal(err)
	}
	_ = session.Config{Database: users} // is auth.Config.Session
}
