package session_test

import (
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/session"
)

func TestWhatIsRememberedIsBounded(t *testing.T) { // SE-08
	get, put, size := session.NewGenerations(10)
	_, ok := get("0")
	require.False(t, ok)
	for i := range 1000 {
		put(strconv.Itoa(i), i, 1)
		require.LessOrEqual(t, size(), 20)
		for back := range min(i, 10) {
			v, ok := get(strconv.Itoa(i - back))
			require.True(t, ok, "%d of %d", i-back, i)
			require.Equal(t, i-back, v)
		}
	}
	_, ok = get("979")
	require.False(t, ok)
	require.Equal(t, 20, size())
	put("999", -1, 1)
	v, _ := get("999")
	require.Equal(t, -1, v)
}

func TestWhatIsRememberedIsSafeForConcurrentUse(t *testing.T) {
	get, put, size := session.NewGenerations(10)
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			for j := range 200 {
				key := strconv.Itoa(i*1000 + j)
				put(key, j, 1)
				if v, ok := get(key); ok && v != j {
					t.Errorf("got %d for %s", v, key)
				}
			}
		})
	}
	wait.Wait()
	require.LessOrEqual(t, size(), 20)
}
