// Package sqltest has a database for tests that is none: it writes down what it is asked.
package sqltest

import (
	"context"
	"database/sql/driver"
	"io"
	"sync"
)

// Asked is one statement that a database was given.
type Asked struct {
	SQL  string
	Args []driver.Value
}

// Answer is what comes of a statement: rows, how many were changed, an error.
type Answer func(ctx context.Context, a Asked) (rows [][]driver.Value, changed int64, err error)

// Database is a [driver.Connector] for [database/sql.OpenDB]. It is safe for concurrent use,
// and its zero value answers nothing, and that nothing was changed. It knows no prepared
// statements, and panics at one.
type Database struct {
	mu     sync.Mutex
	asked  []Asked
	answer Answer
}

// Connect implements [driver.Connector].
func (d *Database) Connect(context.Context) (driver.Conn, error) { return &conn{d}, nil }

// Driver implements [driver.Connector].
func (d *Database) Driver() driver.Driver { return nil }

// Answers has answer say what comes of a statement from now on, and returns what did so before.
func (d *Database) Answers(answer Answer) (before Answer) {
	d.mu.Lock()
	defer d.mu.Unlock()
	before, d.answer = d.answer, answer
	return before
}

// Said is what was asked since it was last called.
func (d *Database) Said() []Asked {
	d.mu.Lock()
	defer d.mu.Unlock()
	said := d.asked
	d.asked = nil
	return said
}

// Statements are the texts of Said.
func (d *Database) Statements() (texts []string) {
	for _, a := range d.Said() {
		texts = append(texts, a.SQL)
	}
	return texts
}

func (d *Database) ask(ctx context.Context, query string, args []driver.NamedValue) ([][]driver.Value, int64, error) {
	a := Asked{SQL: query}
	for _, arg := range args {
		a.Args = append(a.Args, arg.Value)
	}
	d.mu.Lock()
	d.asked = append(d.asked, a)
	answer := d.answer
	d.mu.Unlock()
	if answer == nil {
		return nil, 0, nil
	}
	return answer(ctx, a)
}

type conn struct{ d *Database }

func (c *conn) Prepare(string) (driver.Stmt, error) { panic("a statement is prepared") }
func (c *conn) Close() error                        { return nil }
func (c *conn) Begin() (driver.Tx, error)           { panic("a transaction without a context") }

func (c *conn) BeginTx(ctx context.Context, _ driver.TxOptions) (driver.Tx, error) {
	_, _, err := c.d.ask(ctx, "BEGIN", nil)
	return tx{c.d}, err
}

func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	rows, _, err := c.d.ask(ctx, query, args)
	r := &result{rows: rows, columns: []string{"column"}}
	if len(rows) > 0 {
		r.columns = make([]string, len(rows[0]))
	}
	return r, err
}

func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	_, changed, err := c.d.ask(ctx, query, args)
	return driver.RowsAffected(changed), err
}

type tx struct{ d *Database }

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

func (r *result) Columns() []string { return r.columns }
func (r *result) Close() error      { return nil }

// Next fails where a row has an error in the place of its first value.
func (r *result) Next(into []driver.Value) error {
	if len(r.rows) == 0 {
		return io.EOF
	}
	if err, ok := r.rows[0][0].(error); ok {
		return err
	}
	copy(into, r.rows[0])
	r.rows = r.rows[1:]
	return nil
}
