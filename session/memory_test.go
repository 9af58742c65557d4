package session_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/session"
)

func TestMemoryStoreInsertsOnce(t *testing.T) { // SE-11
	now := time.Unix(1790000000, 0)
	var store session.Replacer = session.NewMemoryStore(0, func() time.Time { return now })
	ctx := context.Background()
	insert := func(data string, ttl time.Duration) bool {
		inserted, err := store.Insert(ctx, "k", []byte(data), now.Add(ttl))
		require.NoError(t, err)
		return inserted
	}
	require.True(t, insert("1", time.Minute))
	require.False(t, insert("2", time.Hour))
	data, _, _ := store.Find(ctx, "k")
	require.Equal(t, "1", string(data))
	now = now.Add(time.Minute)
	require.True(t, insert("2", time.Hour), "what has expired is not in the way")
	var won atomic.Int64
	var wait sync.WaitGroup
	for range 16 {
		wait.Go(func() {
			if inserted, _ := store.Insert(ctx, "race", nil, now.Add(time.Hour)); inserted {
				won.Add(1)
			}
		})
	}
	wait.Wait()
	require.Equal(t, int64(1), won.Load())
}

func TestMemoryStoreLists(t *testing.T) { // SE-05, SE-15
	now := time.Unix(1790000000, 0)
	m := session.NewMemoryStore(3, func() time.Time { return now })
	var store session.Lister = m
	ctx := context.Background()
	list := func(name string) []string {
		keys, err := store.List(ctx, name)
		require.NoError(t, err)
		slices.Sort(keys)
		return keys
	}
	commit := func(key string, ttl time.Duration, lists ...string) {
		require.NoError(t, m.Commit(ctx, key, nil, now.Add(ttl)))
		for _, l := range lists {
			require.NoError(t, store.Add(ctx, l, key, now.Add(ttl)))
		}
	}
	require.NoError(t, store.Add(ctx, "ada", "nothing", now.Add(time.Hour)))
	require.Empty(t, list("ada"), "there is nothing under the key")
	commit("a", time.Minute, "ada", "sid")
	commit("b", time.Hour, "ada", "ada")
	commit("c", 2*time.Hour, "bob")
	require.Equal(t, []string{"a", "b"}, list("ada"))
	require.NoError(t, store.Add(ctx, "ada", "b", now.Add(time.Second)))
	now = now.Add(time.Minute)
	require.Equal(t, []string{"b"}, list("ada"), "the later expiry counts")
	require.Empty(t, list("sid"))
	require.NoError(t, store.Remove(ctx, "bob", "b"))
	require.NoError(t, store.Remove(ctx, "ada", "b"))
	require.NoError(t, store.Remove(ctx, "ada", "b"))
	require.Empty(t, list("ada"))
	require.Equal(t, []string{"c"}, list("bob"))
	require.NoError(t, m.Delete(ctx, "c"))
	require.NoError(t, m.Commit(ctx, "c", nil, now.Add(time.Hour)))
	require.Empty(t, list("bob"), "whoever has the key next is somebody else")
	require.NoError(t, m.Delete(ctx, "b"))
	require.NoError(t, m.Delete(ctx, "c"))
	commit("d", time.Hour, "bob")
	commit("e", 2*time.Hour, "bob")
	commit("f", 2*time.Hour, "bob")
	require.Len(t, list("bob"), 3)
	commit("g", 3*time.Hour)
	require.Len(t, list("bob"), 2, "what made room is on no list")
	entries, lists := session.SizeOf(m)
	require.Equal(t, "3 1", fmt.Sprint(entries, " ", lists))
}

// SE-08: what nobody asks for again goes too, and the store ends with its owner.
func TestMemoryStoreIsSwept(t *testing.T) {
	var mu sync.Mutex
	now := time.Unix(1790000000, 0)
	m := session.NewMemoryStore(0, func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return now
	})
	ctx := context.Background()
	for i := range 2000 {
		key := strconv.Itoa(i)
		require.NoError(t, m.Commit(ctx, key, nil, now.Add(time.Duration(1+i%2)*time.Hour)))
		require.NoError(t, m.Add(ctx, "ada", key, now.Add(10*time.Hour)))
	}
	require.True(t, session.Sweeps(m))
	mu.Lock()
	now = now.Add(time.Hour)
	mu.Unlock()
	var wait sync.WaitGroup
	for i := range 4 { // the lock is free in between
		wait.Go(func() {
			for n := range 500 {
				key := fmt.Sprint("other", i, "-", n)
				_ = m.Commit(ctx, key, nil, now.Add(time.Hour))
				_ = m.Delete(ctx, key)
			}
		})
	}
	session.Sweep(m)
	wait.Wait()
	entries, lists := session.SizeOf(m)
	require.Equal(t, "1000 1", fmt.Sprint(entries, " ", lists))
	keys, _ := m.List(ctx, "ada")
	require.Len(t, keys, 1000)
	require.True(t, session.Sweeps(m), "there is something left to look for")
	mu.Lock()
	now = now.Add(time.Hour)
	mu.Unlock()
	session.Sweep(m)
	entries, lists = session.SizeOf(m)
	require.Equal(t, "0 0", fmt.Sprint(entries, " ", lists))
	require.False(t, session.Sweeps(m), "an empty store waits for nothing")

	require.NoError(t, m.Commit(ctx, "k", nil, now.Add(time.Hour)))
	require.True(t, session.Sweeps(m))
	require.NoError(t, m.Close())
	require.NoError(t, m.Close())
	_, found, err := m.Find(ctx, "k")
	require.NoError(t, err)
	require.False(t, found)
	require.NoError(t, m.Commit(ctx, "k", nil, now.Add(time.Hour)))
	session.Sweep(m)
	require.False(t, session.Sweeps(m))
	entries, _ = session.SizeOf(m)
	require.Zero(t, entries)
}

// SE-08: a sweep has others wait for 64 entries at a time, whatever there was and is.
func TestASweepHoldsTheLockForAFewEntries(t *testing.T) {
	for _, staying := range []int{0, 10, 10_000} {
		now := time.Unix(1790000000, 0)
		m := session.NewMemoryStore(0, func() time.Time { return now })
		ctx := context.Background()
		for i := range 10_000 + staying {
			ttl := time.Minute
			if i < staying {
				ttl = time.Hour
			}
			require.NoError(t, m.Commit(ctx, strconv.Itoa(i), nil, now.Add(ttl)))
		}
		require.False(t, session.SweepSome(m))
		now = now.Add(time.Minute)
		before, holds := 10_000+staying, 0
		for more := true; more; holds++ {
			more = session.SweepSome(m)
			entries, _ := session.SizeOf(m)
			require.LessOrEqual(t, before-entries, 64)
			before = entries
		}
		require.Equal(t, staying, before)
		require.Equal(t, 10_000/64+1, holds)
	}
}

// Access codes that were guessed are counted in the same place, for minutes.
func TestWhatEndsSoonIsNotAlwaysWhatMakesRoom(t *testing.T) { // SE-08
	now := time.Unix(1790000000, 0)
	m := session.NewMemoryStore(1000, func() time.Time { return now })
	ctx, left := context.Background(), 0
	for i := range 1000 {
		require.NoError(t, m.Commit(ctx, strconv.Itoa(i), nil, now.Add(time.Hour)))
	}
	for i := range 100 {
		key := fmt.Sprint("short", i)
		require.NoError(t, m.Commit(ctx, key, nil, now.Add(time.Minute)))
		require.NoError(t, m.Commit(ctx, fmt.Sprint("more", i), nil, now.Add(time.Hour)))
		if _, found, _ := m.Find(ctx, key); found {
			left++
		}
		require.NoError(t, m.Delete(ctx, key))
	}
	require.Positive(t, left)
}

// TestMemoryStoreIsAMap holds it to maps that are as simple as can be.
func TestMemoryStoreIsAMap(t *testing.T) { // SE-05, SE-08
	type entry struct {
		data string
		ends time.Time
		on   map[string]time.Time
	}
	now := time.Unix(1790000000, 0)
	m := session.NewMemoryStore(0, func() time.Time { return now })
	want := map[string]*entry{}
	ctx, random := context.Background(), rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		key, list := strconv.Itoa(random.IntN(50)), strconv.Itoa(random.IntN(8))
		ends := now.Add(time.Duration(random.IntN(100)) * time.Second)
		e := want[key]
		switch random.IntN(8) {
		case 0, 1:
			data := strconv.Itoa(random.Int())
			require.NoError(t, m.Commit(ctx, key, []byte(data), ends))
			if e == nil {
				e = &entry{on: map[string]time.Time{}}
				want[key] = e
			}
			e.data, e.ends = data, ends
		case 2, 3:
			require.NoError(t, m.Add(ctx, list, key, ends))
			if e != nil && !e.on[list].After(ends) {
				e.on[list] = ends
			}
		case 4:
			require.NoError(t, m.Remove(ctx, list, key))
			if e != nil {
				delete(e.on, list)
			}
		case 5:
			require.NoError(t, m.Delete(ctx, key))
			delete(want, key)
		case 6:
			now = now.Add(time.Second)
		case 7:
			session.Sweep(m)
			maps.DeleteFunc(want, func(_ string, e *entry) bool { return !e.ends.After(now) })
		}
		data, found, _ := m.Find(ctx, key)
		e = want[key]
		require.Equal(t, e != nil && e.ends.After(now), found)
		require.True(t, !found || e.data == string(data))
		var keys []string
		names := map[string]bool{}
		for key, e := range want {
			for name, until := range e.on {
				names[name] = true
				if name == list && until.After(now) {
					keys = append(keys, key)
				}
			}
		}
		listed, _ := m.List(ctx, list)
		require.ElementsMatch(t, keys, listed)
		entries, lists := session.SizeOf(m)
		require.Equal(t, fmt.Sprint(len(want), " ", len(names)), fmt.Sprint(entries, " ", lists))
	}
}

// TestMemoryStoreKeysOfOneHash: of two keys with one hash, each has its own.
func TestMemoryStoreKeysOfOneHash(t *testing.T) { // SE-06
	ctx, ends := context.Background(), time.Now().Add(time.Hour)
	digits := strings.Repeat("0a", 32)
	keys := []string{"", "a", "b", digits, strings.ToUpper(digits), strings.Repeat("0b", 32), digits[1:], "\x0a" + strings.Repeat("x", 63), strings.Repeat("k", 300)}
	for _, first := range keys { // of which each is the first, in the middle and the last one
		m := session.NewMemoryStore(0, nil)
		session.Collide(m)
		for i, key := range keys {
			_, found, _ := m.Find(ctx, key)
			require.False(t, found, key)
			require.NoError(t, m.Commit(ctx, key, []byte(strconv.Itoa(i)), ends))
			require.NoError(t, m.Add(ctx, "list", key, ends))
		}
		require.NoError(t, m.Delete(ctx, first))
		for i, key := range keys {
			data, found, _ := m.Find(ctx, key)
			require.Equal(t, key != first, found, key)
			require.True(t, key == first || string(data) == strconv.Itoa(i), key)
		}
		list, _ := m.List(ctx, "list")
		require.ElementsMatch(t, slices.DeleteFunc(slices.Clone(keys), func(k string) bool { return k == first }), list)
		require.NoError(t, m.Close())
	}
}

// TestMemoryStoreAnyTime: an end before 1678 has been, and one after 2262 is as good as never.
func TestMemoryStoreAnyTime(t *testing.T) { // SE-08
	m := session.NewMemoryStore(0, nil)
	for year, want := range map[int]bool{1: false, 1600: false, 1969: false, 2261: true, 2262: true, 9999: true, 200000: true} {
		require.NoError(t, m.Commit(context.Background(), "k", nil, time.Date(year, 6, 1, 0, 0, 0, 0, time.UTC)))
		_, found, _ := m.Find(context.Background(), "k")
		require.Equal(t, want, found, year)
	}
}
