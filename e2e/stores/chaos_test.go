package stores_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/session"
	"github.com/sallyport/auth/session/sqlstore"
)

// harm is what a line does to what a server answers.
type harm int32

const (
	harmless harm = iota
	cutOff        // the connection ends before the answer
	halfWay       // and in the middle of it
	slow          // the answer comes late
	mangled       // some of its bytes are others
)

// badLine hands bytes on between a client and the server at addr, and harms the answers.
// Questions arrive as they are.
func badLine(t *testing.T, addr string) (port string, harms *atomic.Int32) {
	t.Helper()
	harms = &atomic.Int32{}
	line := between(t, addr, func(client, server net.Conn) {
		go pass(server, client, func() bool { return true })
		go answers(client, server, harms)
	})
	_, port, err := net.SplitHostPort(line)
	require.NoError(t, err)
	return port, harms
}

// answers hands on what server says.
func answers(client, server net.Conn, harms *atomic.Int32) {
	defer client.Close()
	defer server.Close()
	b := make([]byte, 64<<10)
	for {
		n, err := server.Read(b)
		if err != nil {
			return
		}
		switch harm(harms.Load()) {
		case cutOff:
			return
		case halfWay:
			_, _ = client.Write(b[:n/2])
			return
		case slow:
			time.Sleep(time.Duration(rand.IntN(40)) * time.Millisecond)
		case mangled:
			for range 1 + rand.IntN(3) {
				b[rand.IntN(n)] = byte(rand.Uint32())
			}
		}
		if _, err := client.Write(b[:n]); err != nil {
			return
		}
	}
}

// onABadLine has people use two nodes whose lines to the store are bad, and compares with a
// node whose line is good. bad and good are stores on the same server.
func onABadLine(t *testing.T, bad [2]session.Store, good session.Store, lines []*atomic.Int32, worst harm) {
	secrets := []session.Secret{session.NewSecret("Hq2cY7Nn0wVtE4rXbS9uKd6LfJmZ1gPa")}
	manager := func(store session.Store) *session.Manager {
		m, err := session.NewManager(session.Config{Store: store, UpdateAge: time.Minute, Logger: slog.New(slog.DiscardHandler)}, secrets, time.Now)
		require.NoError(t, err)
		return m
	}
	nodes, witness := [2]*session.Manager{manager(bad[0]), manager(bad[1])}, manager(good)
	var stop atomic.Bool
	var people sync.WaitGroup
	var done, failed atomic.Int64
	for i := range 6 {
		people.Go(func() { badDay(t, fmt.Sprint("person ", i), nodes, witness, &stop, &done, &failed) })
	}
	for range 40 {
		for _, line := range lines {
			line.Store(rand.Int32N(int32(worst) + 1))
		}
		time.Sleep(60 * time.Millisecond)
	}
	for _, line := range lines {
		line.Store(int32(harmless))
	}
	stop.Store(true)
	people.Wait()
	t.Logf("%d calls, of which %d failed", done.Load(), failed.Load())
	require.Positive(t, failed.Load())

	// It recovers by itself.
	require.Eventually(t, func() bool {
		return nodes[0].Ready(context.Background()) == nil && nodes[1].Ready(context.Background()) == nil
	}, 10*time.Second, 50*time.Millisecond)
}

// badDay is one person's. What a call said it did is done, and nobody else is ever seen in the
// place of the person.
func badDay(t *testing.T, name string, nodes [2]*session.Manager, witness *session.Manager, stop *atomic.Bool, done, failed *atomic.Int64) {
	request := func(cookies []*http.Cookie) *http.Request {
		r := httptest.NewRequest(http.MethodGet, "https://app.example/", nil)
		for _, c := range cookies {
			r.AddCookie(c)
		}
		return r
	}
	ok := func(err error) bool {
		done.Add(1)
		if err != nil {
			failed.Add(1)
		}
		return err == nil
	}
	for !stop.Load() {
		w, s := httptest.NewRecorder(), &session.Session{Subject: name, Name: name}
		if !ok(nodes[rand.IntN(2)].Start(w, request(nil), s, true)) {
			if len(w.Result().Cookies()) > 0 {
				t.Error("a sign-in that failed sets a cookie")
			}
			continue
		}
		cookies := w.Result().Cookies()
		if seen, err := witness.Load(request(cookies), true); err != nil || seen == nil || seen.ID != s.ID {
			t.Errorf("a sign-in that was acknowledged is lost: %v", err)
			return
		}
		for range rand.IntN(8) {
			node := nodes[rand.IntN(2)]
			seen, err := node.Load(request(cookies), true)
			if !ok(err) || seen == nil {
				continue
			}
			if seen.ID != s.ID || seen.Subject != name {
				t.Errorf("%s is taken for %s", name, seen.Subject)
				return
			}
			seen.Picture = fmt.Sprintf("https://pictures.example/%d", rand.Uint32())
			if !ok(node.Rewrite(httptest.NewRecorder(), request(cookies), seen, true)) {
				continue
			}
			if after, err := witness.Load(request(cookies), true); err != nil || after == nil || after.Picture != seen.Picture {
				t.Errorf("a change that was acknowledged is lost: %v", err)
				return
			}
		}
		if ok(nodes[rand.IntN(2)].End(httptest.NewRecorder(), request(cookies), true)) {
			if seen, err := witness.Load(request(cookies), true); err != nil || seen != nil {
				t.Errorf("a sign-out that was acknowledged is undone: %v", err)
				return
			}
		}
	}
}

// SE-06, SE-07, SE-11: whatever is between a node and its store.
func TestBadLinesToRedis(t *testing.T) {
	server := startRedis(t, "redis-server", "port %s\nsave \"\"")
	var stores [2]session.Store
	var lines []*atomic.Int32
	for i := range stores {
		port, line := badLine(t, server.addr)
		lines = append(lines, line)
		stores[i] = redisStore(t, redis.NewClient(&redis.Options{Addr: "127.0.0.1:" + port, ContextTimeoutEnabled: true, ReadTimeout: 300 * time.Millisecond}))
	}
	onABadLine(t, stores, redisStore(t, redis.NewClient(&redis.Options{Addr: server.addr})), lines, mangled)
}

func TestBadLinesToPostgreSQL(t *testing.T) {
	// lib/pq trusts what it is told, and panics, or loses a connection of its pool, at what no
	// server says.
	for driver, worst := range map[string]harm{"pgx": mangled, "pq": slow} {
		t.Run(driver, func(t *testing.T) {
			d, table := databases(t)[driver], newTable()
			var stores [2]session.Store
			var lines []*atomic.Int32
			good := d.store(t, d.open(t), sqlstore.Config{Table: table})
			for i := range stores {
				port, line := badLine(t, "127.0.0.1:"+postgres.port)
				lines = append(lines, line)
				behind := d
				behind.source = strings.Replace(d.source, postgres.port, port, 1)
				s, err := sqlstore.New(behind.open(t), sqlstore.Config{Dialect: d.dialect, Table: table, Timeout: 500 * time.Millisecond})
				require.NoError(t, err)
				stores[i] = s
			}
			onABadLine(t, stores, good, lines, worst)
		})
	}
}
