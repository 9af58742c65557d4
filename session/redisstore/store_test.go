package redisstore_test

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/session"
	"github.com/sallyport/auth/session/redisstore"
)

var (
	_ session.Replacer = (*redisstore.Store)(nil)
	_ session.Lister   = (*redisstore.Store)(nil)
)

func TestFindReturnsWhatWasCommittedLast(t *testing.T) {
	store, _ := newStore(t, redisstore.Config{})
	ctx, expiry := t.Context(), time.Now().Add(time.Hour)
	data, found, err := store.Find(ctx, key)
	require.NoError(t, err)
	require.False(t, found)
	require.Nil(t, data)

	for _, want := range []string{"one", "\x00\r\n$-1\r\n\xff", "", strings.Repeat("x", 1<<20)} {
		committed := []byte(want)
		require.NoError(t, store.Commit(ctx, key, committed, expiry))
		for i := range committed {
			committed[i] = '!' // it is the caller's again
		}
		data, found, err = store.Find(ctx, key)
		require.NoError(t, err)
		require.True(t, found)
		require.Equal(t, want, string(data))
	}

	require.NoError(t, store.Delete(ctx, key))
	require.NoError(t, store.Delete(ctx, key))
	_, found, err = store.Find(ctx, key)
	require.NoError(t, err)
	require.False(t, found)
}

func TestFoundDataMayBeChanged(t *testing.T) {
	store, _ := newStore(t, redisstore.Config{})
	require.NoError(t, store.Commit(t.Context(), key, []byte("data"), time.Now().Add(time.Hour)))
	data, _, _ := store.Find(t.Context(), key)
	copy(data, "xxxx")
	data, _, _ = store.Find(t.Context(), key)
	require.Equal(t, "data", string(data))
}

// What is sent is seen by a hook of the client.
type hook struct{ commands [][]any }

func (h *hook) DialHook(next redis.DialHook) redis.DialHook { return next }
func (h *hook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		for _, cmd := range cmds {
			if name := cmd.Name(); name != "hello" && name != "client" {
				h.commands = append(h.commands, cmd.Args())
			}
		}
		return next(ctx, cmds)
	}
}
func (h *hook) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if name := cmd.Name(); name != "hello" && name != "client" { // a new connection's
			h.commands = append(h.commands, cmd.Args())
		}
		return next(ctx, cmd)
	}
}

// SE-09: one command for each call, for the one key, under the prefix; expiries are absolute.
func TestEachCallIsOneCommand(t *testing.T) {
	_, server := newStore(t, redisstore.Config{})
	client := redis.NewClient(&redis.Options{Addr: server.Addr()})
	defer client.Close()
	var h hook
	client.AddHook(&h)
	store, err := redisstore.New(client, redisstore.Config{Prefix: "p:"})
	require.NoError(t, err)
	ctx := t.Context()
	expiry := time.Date(2100, 1, 2, 3, 4, 5, 6_999_999, time.FixedZone("", 3600))
	until := time.Date(2100, 1, 2, 2, 4, 5, 5_000_000, time.UTC).UnixMilli() // there until the 6th is reached

	now := time.Date(2099, 1, 2, 3, 4, 5, 6_999_999, time.UTC)
	redisstore.SetNow(store, func() time.Time { return now })

	_, err = store.Replace(ctx, key, nil, nil, expiry) // the server gets to know the script
	require.NoError(t, err)
	require.Len(t, h.commands, 2)
	require.Equal(t, "evalsha", h.commands[0][0])
	require.Equal(t, "eval", h.commands[1][0])

	h.commands = nil
	require.NoError(t, store.Commit(ctx, key, []byte("one"), expiry))
	swapped, err := store.Replace(ctx, key, []byte("one"), []byte("two"), expiry)
	require.NoError(t, err)
	require.True(t, swapped)
	_, _, err = store.Find(ctx, key)
	require.NoError(t, err)
	require.NoError(t, store.Delete(ctx, key))
	inserted, err := store.Insert(ctx, key, []byte("three"), expiry)
	require.NoError(t, err)
	require.True(t, inserted)
	require.Len(t, h.commands, 5)
	require.Equal(t, []any{"set", "p:" + key, "one", "pxat", until}, h.commands[0])
	require.Equal(t, "evalsha", h.commands[1][0])
	require.Equal(t, []any{1, "p:" + key, "one", "two", until}, h.commands[1][2:])
	require.Equal(t, []any{"get", "p:" + key}, h.commands[2])
	require.Equal(t, []any{"del", "p:" + key}, h.commands[3])
	require.Equal(t, []any{"set", "p:" + key, "three", "nx", "pxat", until}, h.commands[4])

	h.commands = nil
	require.NoError(t, store.Add(ctx, list, key, expiry)) // is three, together
	keys, err := store.List(ctx, list)
	require.NoError(t, err)
	require.Equal(t, []string{key}, keys)
	require.NoError(t, store.Remove(ctx, list, key))
	require.Len(t, h.commands, 5)
	require.Equal(t, []any{"zadd", "p:list:" + list, "gt", until + 1, key}, h.commands[0])
	require.Equal(t, []any{"zremrangebyscore", "p:list:" + list, "-inf", now.UnixMilli()}, h.commands[1])
	require.Equal(t, "eval", h.commands[2][0])
	require.Equal(t, []any{1, "p:list:" + list}, h.commands[2][2:])
	require.Equal(t, []any{"zrange", "p:list:" + list, "(" + strconv.FormatInt(now.UnixMilli(), 10), "+inf", "byscore"}, h.commands[3])
	require.Equal(t, []any{"zrem", "p:list:" + list, key}, h.commands[4])
	require.NoError(t, store.Delete(ctx, key))
	require.Empty(t, server.Keys())
}

// SE-14: by the clock of whoever writes, and by the server's own.
func TestWhatHasExpiredIsNotFound(t *testing.T) {
	store, server := newStore(t, redisstore.Config{})
	ctx := t.Context()
	for _, expiry := range []time.Time{{}, time.Unix(0, 0), time.Now().Add(-time.Minute), time.Now()} {
		require.NoError(t, store.Commit(ctx, key, []byte("there"), time.Now().Add(time.Hour)))
		require.NoError(t, store.Commit(ctx, key, []byte("gone"), expiry))
		_, found, err := store.Find(ctx, key)
		require.NoError(t, err)
		require.False(t, found, "%v", expiry)
		require.Empty(t, server.Keys())

		require.NoError(t, store.Commit(ctx, key, []byte("there"), time.Now().Add(time.Hour)))
		_, err = store.Replace(ctx, key, []byte("there"), []byte("gone"), expiry)
		require.NoError(t, err)
		_, found, err = store.Find(ctx, key)
		require.NoError(t, err)
		require.False(t, found, "%v", expiry)

		inserted, err := store.Insert(ctx, key, []byte("gone"), expiry)
		require.NoError(t, err)
		require.True(t, inserted)
		_, found, err = store.Find(ctx, key)
		require.NoError(t, err)
		require.False(t, found, "%v", expiry)
	}

	// A server whose clock is behind does not keep what has ended for its caller.
	server.SetTime(time.Now().Add(-time.Hour))
	require.NoError(t, store.Commit(ctx, key, []byte("gone"), time.Now().Add(-time.Minute)))
	_, found, err := store.Find(ctx, key)
	require.NoError(t, err)
	require.False(t, found)

	server.SetTime(time.Time{})
	require.NoError(t, store.Commit(ctx, key, []byte("there"), time.Now().Add(time.Hour)))
	server.FastForward(time.Hour)
	_, found, err = store.Find(ctx, key)
	require.NoError(t, err)
	require.False(t, found)
	require.Empty(t, server.Keys())
}

// SE-07: what is no session is not found, and what is no list is empty.
func TestOtherTypesAreNotFound(t *testing.T) {
	store, server := newStore(t, redisstore.Config{})
	ctx, expiry := t.Context(), time.Now().Add(time.Hour)
	_, err := server.Push(at, "a list")
	require.NoError(t, err)
	data, found, err := store.Find(ctx, key)
	require.NoError(t, err)
	require.False(t, found)
	require.Nil(t, data)
	inserted, err := store.Insert(ctx, key, []byte("data"), expiry)
	require.NoError(t, err)
	require.False(t, inserted)
	swapped, err := store.Replace(ctx, key, []byte("a list"), []byte("data"), expiry)
	require.NoError(t, err)
	require.False(t, swapped)

	require.NoError(t, server.Set(listAt, "a string"))
	require.ErrorContains(t, store.Add(ctx, list, key, expiry), "of another type", "a session that cannot be found cannot be ended")
	keys, err := store.List(ctx, list)
	require.NoError(t, err)
	require.Empty(t, keys)
	require.NoError(t, store.Remove(ctx, list, key))
	require.Equal(t, []string{at, listAt}, server.Keys(), "what is not ours is left alone")
	value, err := server.Get(listAt)
	require.NoError(t, err)
	require.Equal(t, "a string", value)
	require.Zero(t, server.TTL(listAt))

	require.NoError(t, store.Delete(ctx, key))
	require.Equal(t, []string{listAt}, server.Keys())
}

func TestKeysOfOneStoreAreNotAnothersWithAnotherPrefix(t *testing.T) {
	store, server := newStore(t, redisstore.Config{})
	other := storeAt(t, server.Addr(), redisstore.Config{Prefix: "other:"})
	require.NoError(t, store.Commit(t.Context(), key, []byte("data"), time.Now().Add(time.Hour)))
	_, found, err := other.Find(t.Context(), key)
	require.NoError(t, err)
	require.False(t, found)
	require.NoError(t, store.Add(t.Context(), list, key, time.Now().Add(time.Hour)))
	keys, err := other.List(t.Context(), list)
	require.NoError(t, err)
	require.Empty(t, keys)
}

func TestNewRefusesWhatCannotWork(t *testing.T) {
	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1"})
	defer client.Close()
	cluster := func(o redis.ClusterOptions) redis.UniversalClient {
		o.Addrs = []string{"127.0.0.1:1"}
		c := redis.NewClusterClient(&o)
		t.Cleanup(func() { c.Close() })
		return c
	}
	sentinel := redis.NewFailoverClusterClient(&redis.FailoverOptions{MasterName: "m", SentinelAddrs: []string{"127.0.0.1:1"}, RouteRandomly: true})
	defer sentinel.Close()
	for name, test := range map[string]struct {
		client redis.UniversalClient
		config redisstore.Config
		want   string
	}{
		"no client":        {nil, redisstore.Config{}, "no client"},
		"negative timeout": {client, redisstore.Config{Timeout: -1}, "Timeout"},
		"replicas":         {cluster(redis.ClusterOptions{ReadOnly: true}), redisstore.Config{}, "replicas"},
		"nearest node":     {cluster(redis.ClusterOptions{RouteByLatency: true}), redisstore.Config{}, "replicas"},
		"any replica":      {sentinel, redisstore.Config{}, "replicas"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := redisstore.New(test.client, test.config)
			require.ErrorContains(t, err, test.want)
		})
	}
	_, err := redisstore.New(cluster(redis.ClusterOptions{}), redisstore.Config{})
	require.NoError(t, err)
	_, err = redisstore.New(nil, redisstore.Config{Timeout: -1})
	require.ErrorContains(t, err, "no client")
	require.ErrorContains(t, err, "Timeout")
}
