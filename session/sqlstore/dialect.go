package sqlstore

import (
	"strconv"
	"strings"
)

// Dialect is which database it is. The zero value is none.
type Dialect int

const (
	// PostgreSQL is version 9.5 or later.
	PostgreSQL Dialect = iota + 1

	// SQLite is version 3.24 or later.
	SQLite
)

// String is the database's name.
func (d Dialect) String() string {
	switch d {
	case PostgreSQL:
		return "PostgreSQL"
	case SQLite:
		return "SQLite"
	}
	return "Dialect(" + strconv.Itoa(int(d)) + ")"
}

// Statements have {table} for the table's name, {table_lists}, {table_version}, {index_expiry}
// and {index_lists_expiry} for those that are made of it, and ? for each parameter.
const (
	findSQL = `SELECT data FROM {table} WHERE key = ? AND expiry > ?`

	commitSQL = `INSERT INTO {table} (key, data, expiry) VALUES (?, ?, ?)
ON CONFLICT (key) DO UPDATE SET data = excluded.data, expiry = excluded.expiry`

	insertSQL = `INSERT INTO {table} AS have (key, data, expiry) VALUES (?, ?, ?)
ON CONFLICT (key) DO UPDATE SET data = excluded.data, expiry = excluded.expiry WHERE have.expiry <= ?`

	replaceSQL = `UPDATE {table} SET data = ?, expiry = ? WHERE key = ? AND data = ? AND expiry > ?`

	deleteSQL = `DELETE FROM {table} WHERE key = ?`

	addSQL = `INSERT INTO {table_lists} AS have (list, key, expiry) VALUES (?, ?, ?)
ON CONFLICT (list, key) DO UPDATE SET expiry = excluded.expiry WHERE have.expiry < excluded.expiry`

	listSQL = `SELECT key FROM {table_lists} WHERE list = ? AND expiry > ?`

	unlistSQL = `DELETE FROM {table_lists} WHERE list = ? AND key = ?`
)

// expiredSQL removes some of what has expired. In PostgreSQL a row that somebody writes at
// the same time is left to the next sweep: nobody waits for a sweep, nor a sweep for
// another node's. The array has the inner query run once.
var expiredSQL = map[Dialect]string{
	PostgreSQL: `DELETE FROM {table} WHERE key = ANY (ARRAY(
SELECT key FROM {table} WHERE expiry <= ? ORDER BY expiry LIMIT ? FOR UPDATE SKIP LOCKED))`,

	SQLite: `DELETE FROM {table} WHERE rowid IN (SELECT rowid FROM {table} WHERE expiry <= ? ORDER BY expiry LIMIT ?)`,
}

// expiredListedSQL does that with lists. A query in WITH is run once too, for it locks.
var expiredListedSQL = map[Dialect]string{
	PostgreSQL: `WITH expired AS (
SELECT list, key FROM {table_lists} WHERE expiry <= ? ORDER BY expiry LIMIT ? FOR UPDATE SKIP LOCKED)
DELETE FROM {table_lists} AS have USING expired WHERE have.list = expired.list AND have.key = expired.key`,

	SQLite: `DELETE FROM {table_lists} WHERE rowid IN (SELECT rowid FROM {table_lists} WHERE expiry <= ? ORDER BY expiry LIMIT ?)`,
}

// statement is text for this dialect and the table that is named, which checkTable has
// passed.
func (d Dialect) statement(text, table string) string {
	quoted := `"` + strings.ReplaceAll(table, ".", `"."`) + `"`
	name := table[strings.LastIndexByte(table, '.')+1:]
	text = strings.NewReplacer(
		"{table}", quoted,
		"{table_lists}", quoted[:len(quoted)-1]+`_lists"`,
		"{table_version}", quoted[:len(quoted)-1]+`_version"`,
		"{index_expiry}", `"`+name+`_expiry"`, // an index is in its table's schema
		"{index_lists_expiry}", `"`+name+`_lists_expiry"`,
	).Replace(text)
	if d != PostgreSQL {
		return text
	}
	var b strings.Builder
	for n := 1; ; n++ {
		before, after, more := strings.Cut(text, "?")
		b.WriteString(before)
		if !more {
			return b.String()
		}
		b.WriteString("$" + strconv.Itoa(n))
		text = after
	}
}
