package stores_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// SE-09, SE-15: a list keeps all that is on it for as long as it should, and then goes by itself.
func TestRedisListsExpire(t *testing.T) {
	_, as := tlsRedis(t)
	store, admin := redisStore(t, as("sallyport")), as("admin")
	list, key := redisKey(), redisKey()
	end := time.Now().Add(2 * time.Second)
	require.NoError(t, store.Add(t.Context(), list, key, end))
	for n := range 200 { // more than fit where Redis keeps a small set
		require.NoError(t, store.Add(t.Context(), list, redisKey(), end.Add(-time.Duration(n+1)*10*time.Millisecond)))
	}
	for begun := time.Now(); begun.Before(end.Add(-100 * time.Millisecond)); begun = time.Now() {
		keys, err := store.List(t.Context(), list)
		require.NoError(t, err)
		require.True(t, slices.Contains(keys, key))
	}
	require.Eventually(t, func() bool { return admin.DBSize(t.Context()).Val() == 0 }, 5*time.Second, 20*time.Millisecond)
	require.False(t, time.Now().Before(end.Add(-time.Millisecond)), "gone too early")
}

// SE-07: what is under the name of a list and is none is left alone, and takes no key: a session
// that cannot be found cannot be ended.
func TestRedisListOfAnotherType(t *testing.T) {
	_, as := tlsRedis(t)
	store, admin := redisStore(t, as("sallyport")), as("admin")
	list, key := redisKey(), redisKey()
	require.NoError(t, admin.Set(t.Context(), "sallyport:session:list:"+list, "foreign", 0).Err())
	require.ErrorContains(t, store.Add(t.Context(), list, key, time.Now().Add(time.Hour)), "of another type")
	keys, err := store.List(t.Context(), list)
	require.NoError(t, err)
	require.Empty(t, keys)
	require.NoError(t, store.Remove(t.Context(), list, key))
	require.Equal(t, "foreign", admin.Get(t.Context(), "sallyport:session:list:"+list).Val())
}

// SE-15: what is on a list is there after a restart, as sessions are. Redis drops transactions of
// its append-only file when the default user is off, as it is here.
func TestRedisRestart(t *testing.T) {
	server, as := tlsRedis(t)
	store := redisStore(t, as("sallyport"))
	list, first, second := redisKey(), redisKey(), redisKey()
	require.NoError(t, store.Commit(t.Context(), first, []byte("old"), time.Now().Add(time.Hour)))
	_, err := store.Replace(t.Context(), first, []byte("old"), []byte("new"), time.Now().Add(time.Hour))
	require.NoError(t, err)
	require.NoError(t, store.Add(t.Context(), list, first, time.Now().Add(time.Hour)))
	server.kill()
	server.start(t)
	require.Eventually(t, func() bool { return store.Add(t.Context(), list, second, time.Now().Add(time.Minute)) == nil }, 5*time.Second, 10*time.Millisecond)
	keys, err := store.List(t.Context(), list)
	require.NoError(t, err)
	require.ElementsMatch(t, []string{first, second}, keys)
	require.Greater(t, as("admin").PTTL(t.Context(), "sallyport:session:list:"+list).Val(), 59*time.Minute)
	data, found, err := store.Find(t.Context(), first)
	require.NoError(t, err)
	require.True(t, found)
	require.Equal(t, "new", string(data))
}
