package sqlstore_test

import (
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/internal/sqltest"
	"github.com/sallyport/auth/session/sqlstore"
)

type asked = sqltest.Asked

// newStore is a store in a new database, and the database.
func newStore(t *testing.T, config sqlstore.Config) (*sqlstore.Store, *sqltest.Database) {
	t.Helper()
	d := &sqltest.Database{}
	db := sql.OpenDB(d)
	t.Cleanup(func() { db.Close() })
	s, err := sqlstore.New(db, config)
	require.NoError(t, err)
	return s, d
}
