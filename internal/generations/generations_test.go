package generations

import (
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// newMap is a map of two halves that cost at most max.
func newMap(max int) (get func(string) (int, bool), put func(k string, v, cost int), size func() int) {
	var m Map[string, int]
	put = func(k string, v, cost int) { m.Put(k, v, cost, max) }
	return m.Get, put, func() int { return len(m.young) + len(m.old) }
}

func TestWhatIsRememberedIsBounded(t *testing.T) { // SE-08
	get, put, size := newMap(10)
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
	get, put, size := newMap(10)
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

func TestWhatIsRememberedIsBoundedInBytes(t *testing.T) { // SE-08
	get, put, size := newMap(100)
	for i := range 100 {
		put(strconv.Itoa(i), i, 30)
		put(strconv.Itoa(i), i, 30)
		require.LessOrEqual(t, size(), 6, "of each half, three")
	}
	_, ok := get("99")
	require.True(t, ok)
	put("big", 1, 99)
	put("big", 2, 99)
	_, ok = get("99")
	require.True(t, ok, "what one drives out is what is old")
	require.LessOrEqual(t, size(), 4)
}
