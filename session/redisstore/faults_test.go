package redisstore_test

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/session/redisstore"
)

const (
	secretData = "sealed-data-that-nobody-else-sees"
	password   = "a-password-of-redis"
)

// behindProxy returns a store with a session in it, which is on a list, whose server is behind a
// proxy.
func behindProxy(t *testing.T, timeout time.Duration, o redis.Options) (*redisstore.Store, *proxy, *miniredis.Miniredis) {
	t.Helper()
	server := miniredis.RunT(t)
	p := newProxy(t, server.Addr())
	o.Addr = p.addr
	o.MinRetryBackoff, o.MaxRetryBackoff = time.Millisecond, time.Millisecond
	client := redis.NewClient(&o)
	t.Cleanup(func() { client.Close() })
	store, err := redisstore.New(client, redisstore.Config{Timeout: timeout})
	require.NoError(t, err)
	require.Eventually(t, func() bool { // on a busy machine timeout may be too little
		_, err := store.Replace(t.Context(), key, nil, nil, time.Now().Add(time.Hour)) // loads the script
		return err == nil && store.Add(t.Context(), list, key, time.Now().Add(time.Hour)) == nil &&
			store.Commit(t.Context(), key, []byte(secretData), time.Now().Add(time.Hour)) == nil
	}, 10*time.Second, time.Millisecond)
	return store, p, server
}

// calls are all methods, each of which returns its error.
func calls(store *redisstore.Store) map[string]func(context.Context) error {
	expiry := time.Now().Add(time.Hour)
	return map[string]func(context.Context) error{
		"find":   func(ctx context.Context) error { _, _, err := store.Find(ctx, key); return err },
		"commit": func(ctx context.Context) error { return store.Commit(ctx, key, []byte(secretData), expiry) },
		"delete": func(ctx context.Context) error { return store.Delete(ctx, key) },
		"insert": func(ctx context.Context) error {
			inserted, err := store.Insert(ctx, key, []byte(secretData), expiry)
			if err != nil && inserted {
				return errors.New("something is inserted, with an error")
			}
			return err
		},
		"replace": func(ctx context.Context) error {
			_, err := store.Replace(ctx, key, []byte(secretData), []byte(secretData), expiry)
			return err
		},
		"add": func(ctx context.Context) error { return store.Add(ctx, list, key, expiry) },
		"list": func(ctx context.Context) error {
			keys, err := store.List(ctx, list)
			if err != nil && keys != nil {
				return errors.New("something is listed, with an error")
			}
			return err
		},
		"remove": func(ctx context.Context) error { return store.Remove(ctx, list, key) },
	}
}

// SE-06: an answer that does not come ends with the store's own limit or with ctx, with the
// client's options as they are by default.
func TestACallEndsInTime(t *testing.T) {
	store, p, _ := behindProxy(t, 100*time.Millisecond, redis.Options{ReadTimeout: time.Second, MaxRetries: -1})
	p.set(func([]byte) ([]byte, bool) { return nil, false })
	for name, call := range calls(store) {
		t.Run(name, func(t *testing.T) {
			within(t, 100*time.Millisecond, func() {
				err := call(context.Background())
				require.ErrorIs(t, err, context.DeadlineExceeded)
				require.ErrorContains(t, err, "redisstore: "+name+": ")
			})
			ctx, cancel := context.WithCancel(context.Background())
			time.AfterFunc(10*time.Millisecond, cancel)
			within(t, 10*time.Millisecond, func() { require.ErrorIs(t, call(ctx), context.Canceled) })
		})
	}
	p.set(nil)
	require.Eventually(t, func() bool { return !running("redisstore.(*Store).ask") }, 5*time.Second, 10*time.Millisecond, "goroutines are left")
	data, found, err := store.Find(t.Context(), key)
	require.NoError(t, err, "it works again by itself")
	require.False(t, found && string(data) != secretData)
}

// running reports whether a goroutine is in function.
func running(function string) bool {
	stacks := make([]byte, 1<<20)
	return bytes.Contains(stacks[:runtime.Stack(stacks, true)], []byte(function))
}

func TestNothingIsSentWithAContextThatHasEnded(t *testing.T) {
	store, _, server := behindProxy(t, time.Second, redis.Options{})
	before := server.CommandCount()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, call := range calls(store) {
		require.ErrorIs(t, call(ctx), context.Canceled, name)
	}
	require.Equal(t, before, server.CommandCount())
	require.True(t, server.Exists(at))
}

// An answer that comes too late is nobody else's.
func TestALateAnswerIsNotTheNextCalls(t *testing.T) {
	store, p, server := behindProxy(t, 50*time.Millisecond, redis.Options{PoolSize: 1, ContextTimeoutEnabled: true, MaxRetries: -1})
	other := strings.Repeat("0", 64)
	server.Set("sallyport:session:"+other, "another session")
	for range 5 {
		p.set(func(b []byte) ([]byte, bool) { time.Sleep(70 * time.Millisecond); return b, false })
		_, found, err := store.Find(t.Context(), key)
		require.Error(t, err)
		require.False(t, found)
		p.set(nil)
		require.Eventually(t, func() bool {
			data, found, err := store.Find(t.Context(), other)
			require.False(t, found && string(data) != "another session", "%q", data)
			return found && err == nil
		}, 5*time.Second, 10*time.Millisecond)
	}
}

// SE-06: wherever an answer is cut off, it is an error and no session; if that
// happens once, the client asks again.
func TestHalfAnswers(t *testing.T) {
	store, p, _ := behindProxy(t, 2*time.Second, redis.Options{})
	whole := len(secretData) + len("$33\r\n\r\n")
	for n := range whole {
		half := func(b []byte) ([]byte, bool) { return b[:min(n, len(b))], true }
		p.set(half)
		data, found, err := store.Find(t.Context(), key)
		require.Error(t, err, "%d bytes", n)
		require.False(t, found)
		require.Nil(t, data)
		require.NotContains(t, err.Error(), "sealed")

		var done atomic.Bool
		p.set(func(b []byte) ([]byte, bool) {
			if bytes.HasPrefix(b, []byte("$33")) && done.CompareAndSwap(false, true) {
				return half(b)
			}
			return b, false
		})
		data, found, err = store.Find(t.Context(), key)
		require.NoError(t, err)
		require.True(t, found)
		require.Equal(t, secretData, string(data))
	}
}

// What was acknowledged is there, though connections are cut all the time.
func TestCutConnections(t *testing.T) {
	store, p, server := behindProxy(t, 2*time.Second, redis.Options{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for range 100 {
			p.cut()
			time.Sleep(time.Millisecond)
		}
	}()
	for n, running := 0, true; running; n++ {
		select {
		case <-ended:
			running = false
		default:
		}
		k := strings.Repeat("0", 56) + string([]byte{'a' + byte(n>>12&15), 'a' + byte(n>>8&15), 'a' + byte(n>>4&15), 'a' + byte(n&15)})
		if err := store.Commit(t.Context(), k, []byte(k), time.Now().Add(time.Hour)); err == nil {
			got, err := server.Get("sallyport:session:" + k)
			require.NoError(t, err)
			require.Equal(t, k, got)
		}
		if data, found, err := store.Find(t.Context(), k); err == nil && found {
			require.Equal(t, k, string(data))
		}
	}
	require.NoError(t, store.Delete(t.Context(), key))
}

// loses has p lose the first answer that begins so, with its connection.
func loses(p *proxy, answer string) {
	var done atomic.Bool
	p.set(func(b []byte) ([]byte, bool) {
		if bytes.HasPrefix(b, []byte(answer)) && done.CompareAndSwap(false, true) {
			return nil, true
		}
		return b, false
	})
}

// When only the answer is lost, the client asks again: what was to be written is there.
func TestReplaceWhoseAnswerIsLost(t *testing.T) {
	store, p, server := behindProxy(t, 2*time.Second, redis.Options{})
	loses(p, ":1")
	_, err := store.Replace(t.Context(), key, []byte(secretData), []byte("new"), time.Now().Add(time.Hour))
	require.NoError(t, err)
	got, err := server.Get(at)
	require.NoError(t, err)
	require.Equal(t, "new", got)
}

// SE-06, SE-07, SE-09: whatever is answered, nobody is signed in by it, nothing counts as written, and
// the error shows neither what was answered nor the password.
func TestGarbageAnswers(t *testing.T) {
	for name, garbage := range map[string]string{
		"a number":           ":7\r\n",
		"a status":           "+" + secretData + "\r\n",
		"a list":             "*1\r\n$33\r\n" + secretData + "\r\n",
		"a map":              "%1\r\n+a\r\n$33\r\n" + secretData + "\r\n",
		"null":               "_\r\n",
		"a boolean":          "#t\r\n",
		"no RESP":            secretData + "\r\n",
		"bytes":              "\x00\xff\x00\xff\r\n",
		"HTTP":               "HTTP/1.1 400 Bad Request\r\n\r\n" + secretData,
		"a negative length":  "$-7\r\n",
		"a great length":     "$9223372036854775800\r\n",
		"a length in words":  "$" + secretData + "\r\n",
		"a push":             ">2\r\n+invalidate\r\n*0\r\n",
		"nothing but an end": "\r\n",
		"an unknown command": "-ERR unknown command 'hello', with args beginning with: '3' 'auth' 'sallyport' '" + password + "'\r\n",
		"and in backticks":   "-ERR unknown command `hello`, with args beginning with: `3`, `auth`, `" + password + "`, \r\n",
		"a long error":       "-ERR " + strings.Repeat("long ", 1000) + password + "\r\n",
		"an empty error":     "-\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			for method := range calls(nil) {
				garbageAnswer(t, method, name, garbage)
			}
		})
	}
}

// garbageAnswer has one call answered so.
func garbageAnswer(t *testing.T, method, name, garbage string) {
	t.Helper()
	store, p, server := behindProxy(t, 150*time.Millisecond, redis.Options{ReadTimeout: 50 * time.Millisecond, MaxRetries: 1})
	p.set(func([]byte) ([]byte, bool) { return []byte(garbage), false })
	err := calls(store)[method](t.Context())
	switch method + " " + name {
	case "find a status", "list a list": // data that no secret has sealed, and a key that nothing is under
		require.NoError(t, err)
	case "find null", "insert null", "replace null", "list null", "remove null":
		require.NoError(t, err)
	default:
		require.Error(t, err, method)
		require.NotContains(t, err.Error(), "sealed", method)
		require.NotContains(t, err.Error(), password, method)
		require.Less(t, len(err.Error()), 300)
	}
	p.set(nil)
	p.cut()
	server.Set(at, secretData)
	require.Eventually(t, func() bool {
		data, found, err := store.Find(t.Context(), key)
		require.False(t, found && string(data) != secretData, "%q", data)
		return found && err == nil
	}, 5*time.Second, 10*time.Millisecond, "it works again by itself")
}

// SE-06, SE-09: what an operator has to know is in the error, and the password is not.
func TestErrorsOfTheServer(t *testing.T) {
	server := miniredis.RunT(t)
	server.RequireUserAuth("sallyport", password)
	for name, test := range map[string]struct {
		o    redis.Options
		want string
	}{
		"a wrong password": {redis.Options{Addr: server.Addr(), Username: "sallyport", Password: password + "!"}, "WRONGPASS"},
		"no password":      {redis.Options{Addr: server.Addr()}, "NOAUTH"},
		"nobody there":     {redis.Options{Addr: "127.0.0.1:1", DialerRetries: 1, MaxRetries: -1, Username: "sallyport", Password: password}, "127.0.0.1:1: connect: connection refused"},
	} {
		t.Run(name, func(t *testing.T) {
			client := redis.NewClient(&test.o)
			defer client.Close()
			store, err := redisstore.New(client, redisstore.Config{Timeout: 3 * time.Second})
			require.NoError(t, err)
			for method, call := range calls(store) {
				err := call(t.Context())
				require.ErrorContains(t, err, "redisstore: "+method+": ")
				require.ErrorContains(t, err, test.want)
				require.NotContains(t, err.Error(), password)
			}
		})
	}
	server.RequireUserAuth("", "")
	store := storeAt(t, server.Addr(), redisstore.Config{})
	for _, code := range []string{"NOPERM", "OOM", "READONLY", "LOADING", "CLUSTERDOWN"} {
		server.SetError(code + " command not allowed")
		_, found, err := store.Find(t.Context(), key)
		require.ErrorContains(t, err, "redisstore: find: "+code+" command not allowed")
		require.False(t, found)
	}
}

// SE-06: when a node of a Cluster has died, the next one is found at once, and not when the
// client looks at the Cluster again by itself, which it does every minute.
func TestAnotherNodeOfAClusterTakesOver(t *testing.T) {
	server := miniredis.RunT(t)
	server.Set(at, "data")
	next := server.Addr() // the client may ask once more after the test
	var asked atomic.Int32
	client := redis.NewClusterClient(&redis.ClusterOptions{
		DialerRetries: 1, MaxRedirects: 1,
		ClusterSlots: func(context.Context) ([]redis.ClusterSlot, error) {
			addr := "127.0.0.1:1"
			if asked.Add(1) > 1 {
				addr = next
			}
			return []redis.ClusterSlot{{End: 16383, Nodes: []redis.ClusterNode{{Addr: addr}}}}, nil
		},
	})
	defer client.Close()
	store, err := redisstore.New(client, redisstore.Config{})
	require.NoError(t, err)
	_, _, err = store.Find(t.Context(), key)
	require.ErrorContains(t, err, "connection refused")
	require.Eventually(t, func() bool { _, found, err := store.Find(t.Context(), key); return found && err == nil }, 3*time.Second, 10*time.Millisecond)
}
