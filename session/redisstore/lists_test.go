package redisstore_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/session/redisstore"
)

// newLists returns a store by whose clock it is noon, as by its server's.
func newLists(t *testing.T) (store *redisstore.Store, server *miniredis.Miniredis, noon time.Time) {
	t.Helper()
	store, server = newStore(t, redisstore.Config{})
	noon = time.Date(2031, 2, 3, 12, 0, 0, 0, time.UTC)
	redisstore.SetNow(store, func() time.Time { return noon })
	server.SetTime(noon)
	return store, server, noon
}

// SE-09: a list goes with the last key on it, and does not before.
func TestAListEndsWithTheLastKeyOnIt(t *testing.T) {
	store, server, noon := newLists(t)
	for _, step := range []struct {
		key  string
		life time.Duration
		want time.Duration
	}{
		{"a", time.Minute, time.Minute},
		{"b", time.Hour, time.Hour},
		{"c", time.Minute, time.Hour},
		{"b", time.Minute, time.Hour},
		{"a", 2 * time.Hour, 2 * time.Hour},
		{"d", -time.Hour, 2 * time.Hour},
		{"a", -time.Hour, 2 * time.Hour},
	} {
		require.NoError(t, store.Add(t.Context(), list, step.key, noon.Add(step.life)))
		require.Equal(t, step.want, server.TTL(listAt), step)
	}
	server.FastForward(2 * time.Hour)
	require.Empty(t, server.Keys())
}

// SE-14: by the clock of the node that asks, to the millisecond, and not rounded up.
func TestWhatHasExpiredIsNotListed(t *testing.T) {
	store, server, noon := newLists(t)
	end := noon.Add(5*time.Second + 6_999_999)
	require.NoError(t, store.Add(t.Context(), list, key, end))
	for now, want := range map[time.Time]int{noon: 1, end.Add(-time.Millisecond): 1, end.Truncate(time.Millisecond): 0, end: 0, end.Add(time.Hour): 0} {
		redisstore.SetNow(store, func() time.Time { return now })
		keys, err := store.List(t.Context(), list)
		require.NoError(t, err)
		require.Len(t, keys, want, now)
	}

	redisstore.SetNow(store, func() time.Time { return end })
	require.NoError(t, store.Add(t.Context(), list, "another", end.Add(time.Hour)))
	members, err := server.ZMembers(listAt)
	require.NoError(t, err)
	require.Equal(t, []string{"another"}, members, "what has expired is removed")

	for _, expiry := range []time.Time{{}, time.Unix(0, -1), end} {
		before := server.CommandCount()
		require.NoError(t, store.Add(t.Context(), list, key, expiry))
		require.Equal(t, before, server.CommandCount(), "what has expired is not added")
	}
	require.NoError(t, store.Add(t.Context(), list, key, time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)))
	keys, err := store.List(t.Context(), list)
	require.NoError(t, err)
	require.Equal(t, []string{"another", key}, keys)
}

func TestRemove(t *testing.T) {
	store, server, noon := newLists(t)
	require.NoError(t, store.Remove(t.Context(), list, key))
	require.NoError(t, store.Add(t.Context(), list, key, noon.Add(time.Hour)))
	require.NoError(t, store.Add(t.Context(), list, "another", noon.Add(time.Hour)))
	for range 2 {
		require.NoError(t, store.Remove(t.Context(), list, key))
		keys, err := store.List(t.Context(), list)
		require.NoError(t, err)
		require.Equal(t, []string{"another"}, keys)
	}
	require.NoError(t, store.Remove(t.Context(), list, "another"))
	require.Empty(t, server.Keys())
}

// between has something happen after the first command of a pipeline.
type between struct {
	hook
	happens func()
}

func (b *between) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if cmds[0].Name() != "zadd" { // a new connection's
			return next(ctx, cmds)
		}
		if err := next(ctx, cmds[:1]); err != nil {
			return err
		}
		b.happens()
		return next(ctx, cmds[1:])
	}
}

// SE-15: a set that expires while a key is added takes that with it, which is then added again.
func TestAddToASetThatExpires(t *testing.T) {
	_, server := newStore(t, redisstore.Config{})
	client := redis.NewClient(&redis.Options{Addr: server.Addr()})
	defer client.Close()
	var expires int
	client.AddHook(&between{happens: func() {
		if expires--; expires >= 0 {
			server.Del(listAt)
		}
	}})
	store, err := redisstore.New(client, redisstore.Config{})
	require.NoError(t, err)
	for n := range 2 {
		expires = n
		require.NoError(t, store.Add(t.Context(), list, key, time.Now().Add(time.Hour)))
		keys, err := store.List(t.Context(), list)
		require.NoError(t, err)
		require.Equal(t, []string{key}, keys)
	}
	expires = 2
	require.EqualError(t, store.Add(t.Context(), list, key, time.Now().Add(time.Hour)), "redisstore: add: the answer is not one of Redis (int64)")
}

// When only the answer is lost, the client asks again.
func TestAddAndRemoveWhoseAnswersAreLost(t *testing.T) {
	store, p, server := behindProxy(t, 2*time.Second, redis.Options{})
	loses(p, ":1")
	require.NoError(t, store.Add(t.Context(), list, "another", time.Now().Add(time.Hour)))
	members, err := server.ZMembers(listAt)
	require.NoError(t, err)
	require.Equal(t, []string{key, "another"}, members)
	loses(p, ":1")
	require.NoError(t, store.Remove(t.Context(), list, "another"))
	members, err = server.ZMembers(listAt)
	require.NoError(t, err)
	require.Equal(t, []string{key}, members)
}

// SE-06, SE-15: half a list is none, for the rest of the sessions would go on.
func TestHalfAList(t *testing.T) {
	store, p, server := behindProxy(t, 2*time.Second, redis.Options{})
	for _, other := range []string{"another", "a third"} {
		_, err := server.ZAdd(listAt, float64(time.Now().Add(time.Hour).UnixMilli()), other)
		require.NoError(t, err)
	}
	instead := func(answer []byte) {
		p.set(func(b []byte) ([]byte, bool) {
			if bytes.HasPrefix(b, []byte("*3\r\n$64")) {
				return answer, true
			}
			return b, false
		})
	}
	whole := "*3\r\n$64\r\n" + key + "\r\n$7\r\na third\r\n$7\r\nanother\r\n"
	for n := range whole {
		instead([]byte(whole[:n]))
		keys, err := store.List(t.Context(), list)
		require.Error(t, err, "%d bytes", n)
		require.Nil(t, keys)
	}
	for _, answer := range []string{"*2\r\n$1\r\na\r\n:7\r\n", "*2\r\n$1\r\na\r\n_\r\n", "*1\r\n*1\r\n$1\r\na\r\n", "*1\r\n-ERR " + secretData + "\r\n"} {
		instead([]byte(answer))
		keys, err := store.List(t.Context(), list)
		require.ErrorContains(t, err, "redisstore: list: the answer is not one of Redis", "%q", answer)
		require.NotContains(t, err.Error(), secretData)
		require.Nil(t, keys)
	}
	instead([]byte(whole))
	keys, err := store.List(t.Context(), list)
	require.NoError(t, err)
	require.Equal(t, []string{key, "a third", "another"}, keys)
}
