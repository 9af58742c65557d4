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

// SE-11: what was deleted or changed meanwhile is not overwritten.
func TestReplaceComparesByteForByte(t *testing.T) {
	store, server := newStore(t, redisstore.Config{})
	ctx, expiry := t.Context(), time.Now().Add(time.Hour)
	replace := func(old, data string) bool {
		t.Helper()
		swapped, err := store.Replace(ctx, key, []byte(old), []byte(data), expiry)
		require.NoError(t, err)
		return swapped
	}
	require.False(t, replace("", "new"), "there is nothing to replace")
	require.Empty(t, server.Keys())

	require.NoError(t, store.Commit(ctx, key, []byte("a\x00\xff"), time.Now().Add(time.Minute)))
	for _, old := range []string{"", "a", "a\x00", "a\x00\xfe", "A\x00\xff", "a\x00\xff ", "nil", "0"} {
		require.False(t, replace(old, "new"), "%q", old)
	}
	require.True(t, replace("a\x00\xff", "b"))
	require.False(t, replace("a\x00\xff", "c"), "once")
	data, found, err := store.Find(ctx, key)
	require.NoError(t, err)
	require.True(t, found)
	require.Equal(t, "b", string(data))
	require.Greater(t, server.TTL(at), 59*time.Minute, "the expiry is replaced too")

	server.FastForward(time.Hour)
	require.False(t, replace("b", "c"), "it is expired")
	require.NoError(t, store.Commit(ctx, key, []byte("b"), expiry))
	require.NoError(t, store.Delete(ctx, key))
	require.False(t, replace("b", "c"), "it was deleted")
	require.Empty(t, server.Keys())
}

func TestReplaceOfAMebibyte(t *testing.T) {
	store, _ := newStore(t, redisstore.Config{})
	old, data := make([]byte, 1<<20), make([]byte, 1<<20)
	data[1<<20-1] = 1
	require.NoError(t, store.Commit(t.Context(), key, old, time.Now().Add(time.Hour)))
	swapped, err := store.Replace(t.Context(), key, data, old, time.Now().Add(time.Hour))
	require.NoError(t, err)
	require.False(t, swapped)
	swapped, err = store.Replace(t.Context(), key, old, data, time.Now().Add(time.Hour))
	require.NoError(t, err)
	require.True(t, swapped)
}

// A server that was restarted does not know the script.
func TestReplaceWhereTheScriptIsNotLoaded(t *testing.T) {
	store, server := newStore(t, redisstore.Config{})
	client := redis.NewClient(&redis.Options{Addr: server.Addr()})
	defer client.Close()
	require.NoError(t, store.Commit(t.Context(), key, []byte("0"), time.Now().Add(time.Hour)))
	for i := range 3 {
		swapped, err := store.Replace(t.Context(), key, []byte(strconv.Itoa(i)), []byte(strconv.Itoa(i+1)), time.Now().Add(time.Hour))
		require.NoError(t, err)
		require.True(t, swapped)
		require.NoError(t, client.ScriptFlush(t.Context()).Err())
	}
}

// SE-11: of all nodes that replace the same data at once, one succeeds.
func TestReplaceIsOneStepForAllNodes(t *testing.T) {
	first, server := newStore(t, redisstore.Config{})
	stores := []*redisstore.Store{first, storeAt(t, server.Addr(), redisstore.Config{}), storeAt(t, server.Addr(), redisstore.Config{})}
	ctx, expiry := t.Context(), time.Now().Add(time.Hour)
	for round := range 20 {
		require.NoError(t, first.Commit(ctx, key, []byte("old"), expiry))
		var swaps atomic.Int32
		var wg sync.WaitGroup
		for n := range 9 {
			wg.Go(func() {
				swapped, err := stores[n%3].Replace(ctx, key, []byte("old"), []byte(strconv.Itoa(n)), expiry)
				if err == nil && swapped {
					swaps.Add(1)
				}
			})
		}
		wg.Wait()
		require.EqualValues(t, 1, swaps.Load(), "round %d", round)
	}
}

// SE-11: a deletion that runs against renewals wins, whichever comes first.
func TestNothingRisesAfterDelete(t *testing.T) {
	store, server := newStore(t, redisstore.Config{})
	ctx, expiry := t.Context(), time.Now().Add(time.Hour)
	for range 50 {
		require.NoError(t, store.Commit(ctx, key, []byte("old"), expiry))
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() { _, _ = store.Replace(ctx, key, []byte("old"), []byte("old"), expiry) })
		}
		wg.Go(func() { _ = store.Delete(ctx, key) })
		wg.Wait()
		require.Empty(t, server.Keys())
	}
}
