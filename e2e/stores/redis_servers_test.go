package stores_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	mathrand "math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/session/redisstore"
)

// redisServer is a process of redis-server or redis-sentinel.
type redisServer struct {
	program, dir, addr, port string

	cmd    *exec.Cmd
	output bytes.Buffer
	ended  chan struct{}
}

// startRedis starts program with what config says of a server, and waits until it
// listens. %s in config is the port.
func startRedis(t testing.TB, program, config string) *redisServer {
	t.Helper()
	s := &redisServer{program: program, dir: t.TempDir(), port: redisPort(t)}
	s.addr = "127.0.0.1:" + s.port
	config = fmt.Sprintf("bind 127.0.0.1\ndir %s\n", s.dir) + fmt.Sprintf(config, s.port)
	require.NoError(t, os.WriteFile(filepath.Join(s.dir, "redis.conf"), []byte(config), 0o600))
	s.start(t)
	t.Cleanup(s.kill)
	return s
}

// redisPort is a free one that has a free one 10,000 above it, as nodes of a Cluster want.
func redisPort(t testing.TB) string {
	t.Helper()
	for range 100 {
		port := 15000 + mathrand.IntN(17000)
		one, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue
		}
		two, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port+10000))
		one.Close()
		if err == nil {
			two.Close()
			return fmt.Sprint(port)
		}
	}
	require.FailNow(t, "no free port")
	return ""
}

func (s *redisServer) start(t testing.TB) {
	t.Helper()
	s.cmd = exec.Command(s.program, filepath.Join(s.dir, "redis.conf"))
	s.cmd.Stdout, s.cmd.Stderr = &s.output, &s.output
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	require.NoError(t, s.cmd.Start(), "run e2e/setup")
	ended := make(chan struct{})
	s.ended = ended
	go func() { _ = s.cmd.Wait(); close(ended) }()
	for range 500 {
		if conn, err := net.Dial("tcp", s.addr); err == nil {
			conn.Close()
			return
		}
		select {
		case <-ended:
			require.FailNow(t, s.program+" ended", s.output.String())
		case <-time.After(10 * time.Millisecond):
		}
	}
	require.FailNow(t, s.program+" does not listen")
}

// kill is kill -9.
func (s *redisServer) kill() {
	_ = s.cmd.Process.Kill()
	<-s.ended
}

// client is one for the test's own questions.
func (s *redisServer) client(t testing.TB) *redis.Client {
	c := redis.NewClient(&redis.Options{Addr: s.addr})
	t.Cleanup(func() { c.Close() })
	return c
}

// redisStore is a store over client, which it closes in the end.
func redisStore(t testing.TB, client redis.UniversalClient) *redisstore.Store {
	t.Helper()
	t.Cleanup(func() { client.Close() })
	store, err := redisstore.New(client, redisstore.Config{})
	require.NoError(t, err)
	return store
}

// redisKey has the shape of a session's key.
func redisKey() string {
	var b [32]byte
	_, _ = rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// redisCall is one that succeeded.
type redisCall struct{ began, ended time.Time }

// redisLoad is what people do: they sign in, are let in, and every second of them
// signs out. What was acknowledged, and when, is kept.
type redisLoad struct {
	store *redisstore.Store
	key   func() string

	mu        sync.Mutex
	signedIn  map[string]time.Time
	signedOut map[string]time.Time
	succeeded []redisCall
	failed    int
	longest   time.Duration
	wrong     int // sessions found with other data
	lastError error

	stop    context.CancelFunc
	workers sync.WaitGroup
}

func startRedisLoad(store *redisstore.Store, key func() string) *redisLoad {
	l := &redisLoad{store: store, key: key, signedIn: map[string]time.Time{}, signedOut: map[string]time.Time{}}
	ctx, stop := context.WithCancel(context.Background())
	l.stop = stop
	for range 4 {
		l.workers.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				l.person(n%2 == 0)
				time.Sleep(time.Millisecond)
			}
		})
	}
	return l
}

// end waits for calls that are under way.
func (l *redisLoad) end() {
	l.stop()
	l.workers.Wait()
}

func (l *redisLoad) person(leaves bool) {
	key, ctx := l.key(), context.Background()
	if !l.call(func() error { return l.store.Commit(ctx, key, []byte(key), time.Now().Add(time.Hour)) }, func() { l.signedIn[key] = time.Now() }) {
		return
	}
	var data []byte
	var found bool
	l.call(func() (err error) { data, found, err = l.store.Find(ctx, key); return err }, func() {
		if found && string(data) != key {
			l.wrong++
		}
	})
	if leaves {
		l.call(func() error { return l.store.Delete(ctx, key) }, func() { delete(l.signedIn, key); l.signedOut[key] = time.Now() })
	}
}

func (l *redisLoad) call(do func() error, done func()) bool {
	began := time.Now()
	err := do()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.longest = max(l.longest, time.Since(began))
	if err != nil {
		l.failed++
		l.lastError = err
		return false
	}
	l.succeeded = append(l.succeeded, redisCall{began, time.Now()})
	done()
	return true
}

// firstAfter is how long after moment the first call succeeded that began after it, or -1.
func (l *redisLoad) firstAfter(moment time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, call := range l.succeeded {
		if call.began.After(moment) {
			return call.ended.Sub(moment)
		}
	}
	return -1
}

// check holds that nothing was lost that was acknowledged more than a second before
// moment, or after it, and returns how many were in between.
func (l *redisLoad) check(t *testing.T, moment time.Time) (lost, risen int) {
	t.Helper()
	require.Zero(t, l.wrong, "a session was another's")
	for key, at := range l.signedIn {
		if data, found, err := l.store.Find(t.Context(), key); err != nil || !found || string(data) != key {
			require.NoError(t, err)
			require.WithinDuration(t, moment, at, time.Second, "a session was lost")
			lost++
		}
	}
	for key, at := range l.signedOut {
		if _, found, err := l.store.Find(t.Context(), key); err != nil || found {
			require.NoError(t, err)
			require.WithinDuration(t, moment, at, time.Second, "a session that was signed out of is there")
			risen++
		}
	}
	return lost, risen
}
