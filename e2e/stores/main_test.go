// Package stores_test holds the session stores to their contract, on real servers.
package stores_test

import (
	"fmt"
	"net"
	"os"
	"testing"
)

// servers start what the tests need, in dir, and return what ends it.
var servers = []func(dir string) (stop func(), err error){startPostgreSQL, startPgBouncer}

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e/stores:", err)
		code = 1
	}
	os.Exit(code)
}

// run starts everything. A server that is missing fails; nothing is skipped.
func run(m *testing.M) (code int, err error) {
	dir, err := os.MkdirTemp("", "sallyport-stores")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o711); err != nil { // for servers that do not run as root
		return 1, err
	}
	for _, start := range servers {
		stop, err := start(dir)
		if err != nil {
			return 1, fmt.Errorf("%w (run e2e/setup)", err)
		}
		defer stop()
	}
	return m.Run(), nil
}

// freePort is a port of the loopback address that nobody listens on.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}
