package authjsdb_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"io"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/session/authjsdb"
)

// asked is one statement that a database was given.
type asked struct {
	sql  string
	args []driver.Value
}

// server is a driver that writes down what it is asked, and answers as it is told.
type server struct {
	mu     sync.Mutex
	asked  []asked
	answer func(ctx context.Context, a asked) ([][]driver.Value, int64, error)
}

func (d *server) Connect(context.Context) (driver.Conn, error) { return &conn{d}, nil }
func (d *server) Driver() driver.Driver                        { return nil }

func (d *server) ask(ctx context.Context, query string, args []driver.NamedValue) ([][]driver.Value, int64, error) {
	a := asked{sql: query}
	for _, arg := range args {
		a.args = append(a.args, arg.Value)
	}
	d.mu.Lock()
	d.asked = append(d.asked, a)
	answer := d.answer
	d.mu.Unlock()
	if answer == nil {
		return nil, 1, nil
	}
	return answer(ctx, a)
}

// said is what was asked since it was last called.
func (d *server) said() []asked {
	d.mu.Lock()
	defer d.mu.Unlock()
	said := d.asked
	d.asked = nil
	return said
}

type conn struct{ d *server }

func (c *conn) Prepare(string) (driver.Stmt, error) { panic("a statement is prepared") }
func (c *conn) Close() error                        { return nil }
func (c *conn) Begin() (driver.Tx, error)           { panic("a transaction without a context") }

func (c *conn) BeginTx(ctx context.Context, _ driver.TxOptions) (driver.Tx, error) {
	_, _, err := c.d.ask(ctx, "BEGIN", nil)
	return tx{c.d}, err
}

func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	rows, _, err := c.d.ask(ctx, query, args)
	return newResult(rows), err
}

func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	_, affected, err := c.d.ask(ctx, query, args)
	return driver.RowsAffected(affected), err
}

type tx struct{ d *server }

func (t tx) Commit() error {
	_, _, err := t.d.ask(context.Background(), "COMMIT", nil)
	return err
}

func (t tx) Rollback() error {
	_, _, err := t.d.ask(context.Background(), "ROLLBACK", nil)
	return err
}

type result struct {
	rows    [][]driver.Value
	columns []string
}

func newResult(rows [][]driver.Value) *result {
	r := &result{rows: rows}
	if len(rows) > 0 {
		r.columns = make([]string, len(rows[0]))
	}
	return r
}

func (r *result) Columns() []string { return r.columns }
func (r *result) Close() error      { return nil }

func (r *result) Next(into []driver.Value) error {
	if len(r.rows) == 0 {
		return io.EOF
	}
	copy(into, r.rows[0])
	r.rows = r.rows[1:]
	return nil
}

// open is a Database on a new server.
func open(t *testing.T, config authjsdb.Config) (*authjsdb.Database, *server) {
	t.Helper()
	d := &server{}
	db := sql.OpenDB(d)
	t.Cleanup(func() { db.Close() })
	users, err := authjsdb.New(db, config)
	require.NoError(t, err)
	return users, d
}
