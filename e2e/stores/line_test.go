package stores_test

import (
	"net"
	"testing"

	"github.com/stretchr/testify/require"
)

// between returns the address at which serve stands between each client and the server at
// addr. It has to close both.
func between(t testing.TB, addr string, serve func(client, server net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", addr)
			if err != nil {
				client.Close()
				continue
			}
			serve(client, server)
		}
	}()
	return l.Addr().String()
}

// pass copies what from says to to, but what hand refuses, which is asked before each piece.
func pass(to, from net.Conn, hand func() bool) {
	defer to.Close()
	defer from.Close()
	b := make([]byte, 64<<10)
	for {
		n, err := from.Read(b)
		if n > 0 && hand() {
			if _, err := to.Write(b[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
