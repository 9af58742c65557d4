package stores_test

import (
	"bufio"
	"database/sql"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/session"
	"github.com/sallyport/auth/session/sqlstore"
)

// What docs/scaling.md counts with, beside BenchmarkStores: cpu-ns/op is the processor's time in
// this process.

// BenchmarkScaleRequests is Require for 20,000 people in turn, whom no memory helps: nearly all of a large
// site's requests come to a node that has not seen the session lately.
func BenchmarkScaleRequests(b *testing.B) {
	server := startRedis(b, "redis-server", "port %s\nsave \"\"")
	inRedis := redisStore(b, redis.NewClient(&redis.Options{Addr: server.addr, ContextTimeoutEnabled: true}))
	d := databases(b)["pgx"]
	db := d.open(b)
	db.SetMaxIdleConns(8) // two, unless set: Revocations ask three questions at once
	inPostgreSQL := d.store(b, db, sqlstore.Config{})
	for _, mode := range []struct {
		name   string
		config session.Config
	}{
		{"cookies", session.Config{}},
		{"Redis", session.Config{Store: inRedis}},
		{"PostgreSQL", session.Config{Store: inPostgreSQL}},
		{"cookies, Revocations in Redis", session.Config{Revocations: inRedis}},
		{"cookies, Revocations in PostgreSQL", session.Config{Revocations: inPostgreSQL}},
	} {
		site, _ := configuredSites(b, mode.config, 20_000)
		b.Run(mode.name, func(b *testing.B) { site.serve(b) })
	}
}

// BenchmarkScaleHTTP is a request without any of this: what net/http takes, and the client here.
func BenchmarkScaleHTTP(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }))
	defer server.Close()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	require.NoError(b, err)
	defer conn.Close()
	text, answers := []byte("GET /page HTTP/1.1\r\nHost: app.example\r\nAccept: text/html\r\nCookie: a="+strings.Repeat("a", 900)+"\r\n\r\n"), bufio.NewReader(conn)
	b.ReportAllocs()
	before := processor(b)
	for b.Loop() {
		if _, err := conn.Write(text); err != nil {
			b.Fatal(err)
		}
		answer, err := http.ReadResponse(answers, nil)
		if err != nil {
			b.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, answer.Body)
	}
	b.ReportMetric(float64(processor(b)-before)/float64(b.N), "cpu-ns/op")
}

// BenchmarkScaleBytes reports what 10,000 sessions take, each with its lists, and what each key takes in
// Redis by MEMORY USAGE.
func BenchmarkScaleBytes(b *testing.B) {
	const people = 10_000
	b.Run("Redis", func(b *testing.B) {
		server := startRedis(b, "redis-server", "port %s\nsave \"\"")
		client := server.client(b)
		used := func() (bytes float64) {
			text, err := client.Info(b.Context(), "memory").Result()
			require.NoError(b, err)
			_, after, _ := strings.Cut(text, "used_memory:")
			_, err = fmt.Sscan(after, &bytes)
			require.NoError(b, err)
			return bytes
		}
		before := used()
		configuredSites(b, session.Config{Store: redisStore(b, redis.NewClient(&redis.Options{Addr: server.addr}))}, people)
		for b.Loop() {
			b.ReportMetric((used()-before)/people, "B/session")
		}
		usage := map[string]float64{}
		keys := client.Scan(b.Context(), 0, "*", 1000).Iterator()
		for keys.Next(b.Context()) {
			kind, err := client.Type(b.Context(), keys.Val()).Result()
			require.NoError(b, err)
			bytes, err := client.MemoryUsage(b.Context(), keys.Val()).Result()
			require.NoError(b, err)
			usage[kind] += float64(bytes) / people
			usage[kind+"s"] += 1.0 / people
		}
		for what, n := range usage {
			b.ReportMetric(n, what+"/session")
		}
	})
	b.Run("PostgreSQL", func(b *testing.B) {
		d := databases(b)["pgx"]
		db, table := d.open(b), newTable()
		configuredSites(b, session.Config{Store: d.store(b, db, sqlstore.Config{Table: table})}, people)
		for b.Loop() {
			b.ReportMetric(size(b, db, table)/people, "B/session")
			b.ReportMetric(size(b, db, table+"_lists")/people, "lists-B/session")
		}
	})
}

// size is what a table takes, with its indexes.
func size(b *testing.B, db *sql.DB, table string) (bytes float64) {
	require.NoError(b, db.QueryRowContext(b.Context(), "SELECT pg_total_relation_size($1)", table).Scan(&bytes))
	return bytes
}
