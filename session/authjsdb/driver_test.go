package authjsdb_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/internal/sqltest"
	"github.com/sallyport/auth/session/authjsdb"
)

type asked = sqltest.Asked

// open is a Database on a new server, which changes one row with each statement.
func open(t *testing.T, config authjsdb.Config) (*authjsdb.Database, *sqltest.Database) {
	t.Helper()
	d := &sqltest.Database{}
	d.Answers(func(context.Context, asked) ([][]driver.Value, int64, error) { return nil, 1, nil })
	db := sql.OpenDB(d)
	t.Cleanup(func() { db.Close() })
	users, err := authjsdb.New(db, config)
	require.NoError(t, err)
	return users, d
}
