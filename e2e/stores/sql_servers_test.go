package stores_test

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "github.com/lib/pq"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"github.com/sallyport/auth/session/sqlstore"
)

// daemon is a server that runs in a directory of its own. What runs here refuses root,
// and then runs as postgres.
type daemon struct {
	dir, port string
	command   []string
	cmd       *exec.Cmd
	output    bytes.Buffer
	ended     chan error
}

var postgres, pgbouncer *daemon

var postgresBin string // where PostgreSQL's programs are

// asPostgres has cmd run as postgres, if this is root.
func asPostgres(cmd *exec.Cmd, own string) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if os.Getuid() != 0 {
		return nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return err
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	cmd.Dir = own
	return os.Chown(own, uid, gid)
}

// start runs the server and waits until it answers.
func (d *daemon) start() error {
	d.cmd = exec.Command(d.command[0], d.command[1:]...)
	d.cmd.Stdout, d.cmd.Stderr = &d.output, &d.output
	if err := asPostgres(d.cmd, d.dir); err != nil {
		return err
	}
	if err := d.cmd.Start(); err != nil {
		return err
	}
	d.ended = make(chan error, 1)
	go func() { d.ended <- d.cmd.Wait() }()
	db, err := sql.Open("pgx", "postgres://postgres@127.0.0.1:"+d.port+"/postgres?sslmode=disable&default_query_exec_mode=exec")
	if err != nil {
		return err
	}
	defer db.Close()
	for range 100 {
		if err = db.Ping(); err == nil {
			return nil
		}
		select {
		case <-d.ended:
			return fmt.Errorf("%s ended: %s", d.command[0], d.output.String())
		case <-time.After(50 * time.Millisecond):
		}
	}
	return fmt.Errorf("%s does not answer: %w: %s", d.command[0], err, d.output.String())
}

// stop ends the server and the connections to it.
func (d *daemon) stop() {
	_ = d.cmd.Process.Signal(syscall.SIGINT)
	select {
	case <-d.ended:
	case <-time.After(10 * time.Second):
		_ = d.cmd.Process.Kill()
		<-d.ended
	}
}

func newDaemon(dir, name string) (*daemon, error) {
	own := filepath.Join(dir, name)
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	return &daemon{dir: own, port: port}, os.Mkdir(own, 0o700)
}

func startPostgreSQL(dir string) (stop func(), err error) {
	if postgres, err = newDaemon(dir, "postgresql"); err != nil {
		return nil, err
	}
	installed, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	if len(installed) == 0 {
		return nil, errors.New("there is no PostgreSQL")
	}
	postgresBin = installed[len(installed)-1]
	data := filepath.Join(postgres.dir, "data")
	initdb := exec.Command(filepath.Join(postgresBin, "initdb"), "-D", data, "-A", "trust", "-U", "postgres", "-N", "-E", "UTF8")
	if err := asPostgres(initdb, postgres.dir); err != nil {
		return nil, err
	}
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	postgres.command = []string{filepath.Join(postgresBin, "postgres"), "-D", data, "-p", postgres.port, "-k", "", "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"}
	return postgres.stop, postgres.start()
}

// startPgBouncer has few connections to the database, so that one client's
// statements go over several.
func startPgBouncer(dir string) (stop func(), err error) {
	if pgbouncer, err = newDaemon(dir, "pgbouncer"); err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "pgbouncer.ini")
	err = os.WriteFile(file, []byte(`[databases]
postgres = host=127.0.0.1 port=`+postgres.port+` user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = `+pgbouncer.port+`
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 3
server_login_retry = 1
`), 0o644)
	if err != nil {
		return nil, err
	}
	pgbouncer.command = []string{"/usr/sbin/pgbouncer", "-q", file}
	return pgbouncer.stop, pgbouncer.start()
}

// database is one that a store can be in, by one driver.
type database struct {
	dialect        sqlstore.Dialect
	driver, source string
}

// databases are all of them, with an empty file for SQLite.
func databases(t testing.TB) map[string]database {
	direct := "postgres://postgres@127.0.0.1:" + postgres.port + "/postgres?sslmode=disable"
	pooled := "postgres://postgres@127.0.0.1:" + pgbouncer.port + "/postgres?sslmode=disable"
	return map[string]database{
		"pgx":           {sqlstore.PostgreSQL, "pgx", direct},
		"pq":            {sqlstore.PostgreSQL, "postgres", direct},
		"pgx PgBouncer": {sqlstore.PostgreSQL, "pgx", pooled + "&default_query_exec_mode=exec"},
		"pq PgBouncer":  {sqlstore.PostgreSQL, "postgres", pooled + "&binary_parameters=yes"},
		"SQLite": {sqlstore.SQLite, "sqlite",
			"file:" + filepath.Join(t.TempDir(), "sessions.db") + "?_pragma=journal_mode(WAL)&_pragma=busy_timeout(2000)&_pragma=synchronous(NORMAL)"},
	}
}

// open is a pool of connections, as a node has one.
func (d database) open(t testing.TB) *sql.DB {
	t.Helper()
	db, err := sql.Open(d.driver, d.source)
	require.NoError(t, err)
	t.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(8)
	return db
}

var tables atomic.Int64

// newTable is the name of a table that nobody has.
func newTable() string { return fmt.Sprintf("sessions_%d", tables.Add(1)) }

// store is one in db, with its table made.
func (d database) store(t testing.TB, db *sql.DB, config sqlstore.Config) *sqlstore.Store {
	t.Helper()
	config.Dialect = d.dialect
	if config.Table == "" {
		config.Table = newTable()
	}
	s, err := sqlstore.New(db, config)
	require.NoError(t, err)
	require.NoError(t, s.Migrate(t.Context()))
	return s
}

// each runs test with every database.
func each(t *testing.T, test func(t *testing.T, d database)) {
	for name, d := range databases(t) {
		t.Run(name, func(t *testing.T) { test(t, d) })
	}
}
