package redisstore_test

import (
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/session/redisstore"
)

// SE-11: what is there stays as it is, and as long as it was to.
func TestInsertChangesNothingThatIsThere(t *testing.T) {
	store, server := newStore(t, redisstore.Config{})
	ctx := t.Context()
	insert := func(data string) bool {
		t.Helper()
		inserted, err := store.Insert(ctx, key, []byte(data), time.Now().Add(time.Hour))
		require.NoError(t, err)
		return inserted
	}
	require.True(t, insert("one\x00\xff"))
	require.Greater(t, server.TTL(at), 59*time.Minute)
	require.NoError(t, store.Commit(ctx, key, []byte("two"), time.Now().Add(time.Minute)))
	require.False(t, insert("three"))
	data, found, err := store.Find(ctx, key)
	require.NoError(t, err)
	require.True(t, found)
	require.Equal(t, "two", string(data))
	require.LessOrEqual(t, server.TTL(at), time.Minute)

	server.FastForward(time.Minute)
	require.True(t, insert("four"), "it is expired")
	require.NoError(t, store.Delete(ctx, key))
	require.True(t, insert("five"), "it was deleted")
}

// SE-11: of all nodes that insert at once, one is told that it did, and what it inserted is there.
func TestInsertIsOneStepForAllNodes(t *testing.T) {
	first, server := newStore(t, redisstore.Config{})
	stores := []*redisstore.Store{first, storeAt(t, server.Addr(), redisstore.Config{}), storeAt(t, server.Addr(), redisstore.Config{})}
	ctx, expiry := t.Context(), time.Now().Add(time.Hour)
	for round := range 20 {
		require.NoError(t, first.Delete(ctx, key))
		var inserts, winner atomic.Int32
		var wg sync.WaitGroup
		for n := range 9 {
			wg.Go(func() {
				inserted, err := stores[n%3].Insert(ctx, key, []byte(strconv.Itoa(n)), expiry)
				if err == nil && inserted {
					inserts.Add(1)
					winner.Store(int32(n))
				}
			})
		}
		wg.Wait()
		require.EqualValues(t, 1, inserts.Load(), "round %d", round)
		data, _, err := first.Find(ctx, key)
		require.NoError(t, err)
		require.Equal(t, strconv.Itoa(int(winner.Load())), string(data))
	}
}

// When only the answer is lost, the client asks again, and is told that something is there: its own.
func TestInsertWhoseAnswerIsLost(t *testing.T) {
	store, p, server := behindProxy(t, 2*time.Second, redis.Options{})
	server.Del(at)
	loses(p, "+OK")
	inserted, err := store.Insert(t.Context(), key, []byte("new"), time.Now().Add(time.Hour))
	require.NoError(t, err)
	require.False(t, inserted)
	got, err := server.Get(at)
	require.NoError(t, err)
	require.Equal(t, "new", got)
}

// Only OK says that it was inserted.
func TestNothingButOKIsInserted(t *testing.T) {
	for _, answer := range []string{"_\r\n", "$-1\r\n", "+ok\r\n", "+OK2\r\n", ":1\r\n", "#t\r\n", "*1\r\n+OK\r\n"} {
		store, p, _ := behindProxy(t, 2*time.Second, redis.Options{MaxRetries: -1})
		p.set(func([]byte) ([]byte, bool) { return []byte(answer), false })
		inserted, err := store.Insert(t.Context(), key, []byte("new"), time.Now().Add(time.Hour))
		require.False(t, inserted, "%q", answer)
		require.Equal(t, answer == "_\r\n" || answer == "$-1\r\n", err == nil, "%q: %v", answer, err)
	}
}
