package sessiontest_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport/auth/session"
)

// SE-15: a session that is not on its list is not ended with the others.
func TestEachFaultOfAListIsFound(t *testing.T) {
	found(t, map[string]fault{
		"nothing is an error": {func(f *faulty, m *session.MemoryStore, _ *clock) {
			f.list = func(ctx context.Context, list string) ([]string, error) {
				keys, _ := m.List(ctx, list)
				if len(keys) == 0 {
					return nil, errors.New("no rows")
				}
				return keys, nil
			}
		}, "List: no rows: a list that there is not is empty"},
		"a list that there is not has somebody's key": {func(f *faulty, m *session.MemoryStore, _ *clock) {
			f.list = func(ctx context.Context, list string) ([]string, error) {
				keys, err := m.List(ctx, list)
				if len(keys) == 0 {
					keys = []string{"somebody's"}
				}
				return keys, err
			}
		}, "nothing was added to it"},
		"a second remove fails": {func(f *faulty, m *session.MemoryStore, _ *clock) {
			f.unlist = func(ctx context.Context, list, key string) error {
				if keys, _ := m.List(ctx, list); len(keys) > 0 && !slices.Contains(keys, key) {
					return errors.New("not found")
				}
				return m.Remove(ctx, list, key)
			}
		}, "Remove of a key that is not on it: not found"},
		"no list to remove from": {func(f *faulty, m *session.MemoryStore, _ *clock) {
			f.unlist = func(ctx context.Context, list, key string) error {
				if keys, _ := m.List(ctx, list); len(keys) == 0 {
					return errors.New("no list")
				}
				return m.Remove(ctx, list, key)
			}
		}, "Remove of a list that there is not: no list"},
		"one slot": {func(f *faulty, m *session.MemoryStore, _ *clock) {
			f.add = func(ctx context.Context, list, key string, expiry time.Time) error {
				keys, _ := m.List(ctx, list)
				for _, k := range keys {
					_ = m.Remove(ctx, list, k)
				}
				return m.Add(ctx, list, key, expiry)
			}
		}, "both were added"},
		"twice": {func(f *faulty, m *session.MemoryStore, _ *clock) {
			var again sync.Map
			f.add = func(ctx context.Context, list, key string, expiry time.Time) error {
				if keys, _ := m.List(ctx, list); slices.Contains(keys, key) {
					again.Store(list, key)
				}
				return m.Add(ctx, list, key, expiry)
			}
			f.list = func(ctx context.Context, list string) ([]string, error) {
				keys, err := m.List(ctx, list)
				if key, is := again.Load(list); is {
					keys = append(keys, key.(string))
				}
				return keys, err
			}
		}, "added twice is there once"},
		"one list for all": {func(f *faulty, m *session.MemoryStore, _ *clock) {
			f.add = func(ctx context.Context, _, key string, expiry time.Time) error {
				return m.Add(ctx, "all", key, expiry)
			}
			f.list = func(ctx context.Context, _ string) ([]string, error) { return m.List(ctx, "all") }
			f.unlist = func(ctx context.Context, _, key string) error { return m.Remove(ctx, "all", key) }
		}, "another list was added to"},
		"one list for each key": {func(f *faulty, m *session.MemoryStore, _ *clock) {
			var on sync.Map
			f.add = func(ctx context.Context, list, key string, expiry time.Time) error {
				if before, is := on.Swap(key, list); is {
					_ = m.Remove(ctx, before.(string), key)
				}
				return m.Add(ctx, list, key, expiry)
			}
		}, "stays where it is"},
		"the first list of each key": {func(f *faulty, m *session.MemoryStore, _ *clock) {
			var on sync.Map
			f.add = func(ctx context.Context, list, key string, expiry time.Time) error {
				if first, is := on.LoadOrStore(key, list); is && first != list {
					return nil
				}
				return m.Add(ctx, list, key, expiry)
			}
		}, "a key may be on several lists"},
		"a commit unlists": {func(f *faulty, m *session.MemoryStore, _ *clock) {
			f.commit = func(ctx context.Context, key string, data []byte, expiry time.Time) error {
				_ = m.Delete(ctx, key)
				return m.Commit(ctx, key, data, expiry)
			}
		}, "leaves it on its lists"},
		"nothing is removed": {func(f *faulty, _ *session.MemoryStore, _ *clock) {
			f.unlist = func(context.Context, string, string) error { return nil }
		}, "the other was removed, alone"},
		"removed everywhere": {func(f *faulty, m *session.MemoryStore, _ *clock) {
			var removed sync.Map
			f.list = func(ctx context.Context, list string) ([]string, error) {
				keys, err := m.List(ctx, list)
				return slices.DeleteFunc(keys, func(key string) bool { _, is := removed.Load(key); return is }), err
			}
			f.unlist = func(ctx context.Context, list, key string) error {
				removed.Store(key, true)
				return m.Remove(ctx, list, key)
			}
		}, "removed from another list"},
		"removed with its data": {func(f *faulty, m *session.MemoryStore, _ *clock) {
			f.unlist = func(ctx context.Context, _, key string) error { return m.Delete(ctx, key) }
		}, "taken off a list keeps its data"},
		"the second remove takes another": {func(f *faulty, m *session.MemoryStore, _ *clock) {
			f.unlist = func(ctx context.Context, list, key string) error {
				if keys, _ := m.List(ctx, list); !slices.Contains(keys, key) && len(keys) > 0 {
					key = keys[0]
				}
				return m.Remove(ctx, list, key)
			}
		}, "the other was removed, twice"},
		"removed for ever": {func(f *faulty, m *session.MemoryStore, _ *clock) {
			var removed sync.Map
			f.unlist = func(ctx context.Context, list, key string) error {
				removed.Store(list+key, true)
				return m.Remove(ctx, list, key)
			}
			f.add = func(ctx context.Context, list, key string, expiry time.Time) error {
				if _, is := removed.Load(list + key); is {
					return nil
				}
				return m.Add(ctx, list, key, expiry)
			}
		}, "what was removed may be added again"},
		"the last one stays": {func(f *faulty, m *session.MemoryStore, _ *clock) {
			f.unlist = func(ctx context.Context, list, key string) error {
				if keys, _ := m.List(ctx, list); len(keys) == 1 {
					return nil
				}
				return m.Remove(ctx, list, key)
			}
		}, "the last of it was removed"},
		"names are cut": {func(f *faulty, m *session.MemoryStore, _ *clock) {
			f.add = func(ctx context.Context, list, key string, expiry time.Time) error {
				return m.Add(ctx, list[:63], key, expiry)
			}
			f.list = func(ctx context.Context, list string) ([]string, error) { return m.List(ctx, list[:63]) }
			f.unlist = func(ctx context.Context, list, key string) error { return m.Remove(ctx, list[:63], key) }
		}, "differ in their first digit, and in their last"},
		"lists are under keys": {func(f *faulty, m *session.MemoryStore, _ *clock) {
			f.add = func(ctx context.Context, list, key string, expiry time.Time) error {
				if _, there, _ := m.Find(ctx, list); there {
					_ = m.Commit(ctx, list, []byte(key), expiry)
				}
				return m.Add(ctx, list, key, expiry)
			}
		}, "a list has the name of a key"},
		"no case": {func(f *faulty, m *session.MemoryStore, _ *clock) {
			f.list = func(ctx context.Context, list string) ([]string, error) {
				keys, err := m.List(ctx, list)
				for i := range keys {
					keys[i] = strings.ToLower(keys[i])
				}
				return keys, err
			}
		}, "keys on a list differ in case"},
		"a pattern": {func(f *faulty, m *session.MemoryStore, _ *clock) {
			f.unlist = func(ctx context.Context, list, key string) error {
				keys, _ := m.List(ctx, list)
				for _, k := range keys {
					if strings.Contains(key, "_") && len(k) == len(key) && k[:60] == key[:60] && k[62:] == key[62:] {
						_ = m.Remove(ctx, list, k)
					}
				}
				return m.Remove(ctx, list, key)
			}
		}, "a key that looks like others was removed"},
		"an end that does not count": {func(f *faulty, m *session.MemoryStore, _ *clock) {
			f.add = func(ctx context.Context, list, key string, expiry time.Time) error {
				return m.Add(ctx, list, key, expiry.Add(time.Hour))
			}
		}, "this one was put off"},
		"an end that is rounded up": {func(f *faulty, m *session.MemoryStore, _ *clock) {
			f.add = func(ctx context.Context, list, key string, expiry time.Time) error {
				return m.Add(ctx, list, key, expiry.Add(time.Second-1).Truncate(time.Second).Add(time.Second))
			}
		}, "this one was put off"},
		"an end by the wall's time": {func(f *faulty, m *session.MemoryStore, at *clock) {
			f.add = func(ctx context.Context, list, key string, expiry time.Time) error {
				_, offset := expiry.Zone()
				_, here := at.Now().Zone()
				return m.Add(ctx, list, key, expiry.Add(time.Duration(here-offset)*time.Second))
			}
		}, "this one was put off"},
		"the past is an error": {func(f *faulty, m *session.MemoryStore, at *clock) {
			f.add = func(ctx context.Context, list, key string, expiry time.Time) error {
				if expiry.Before(at.Now()) {
					return errors.New("a negative time to live")
				}
				return m.Add(ctx, list, key, expiry)
			}
		}, "Add: a negative time to live"},
		"the past is put off": {func(f *faulty, m *session.MemoryStore, at *clock) {
			f.add = func(ctx context.Context, list, key string, expiry time.Time) error {
				if expiry.Before(at.Now()) {
					expiry = at.Now().Add(time.Second)
				}
				return m.Add(ctx, list, key, expiry)
			}
		}, "an expiry that has passed, which is no error"},
		"it ends at once": {func(f *faulty, m *session.MemoryStore, at *clock) {
			f.add = func(ctx context.Context, list, key string, expiry time.Time) error {
				return m.Add(ctx, list, key, expiry.Add(-3*time.Second))
			}
		}, "none of it has expired"},
		"the last expiry counts": {func(f *faulty, m *session.MemoryStore, _ *clock) {
			f.add = func(ctx context.Context, list, key string, expiry time.Time) error {
				_ = m.Remove(ctx, list, key)
				return m.Add(ctx, list, key, expiry)
			}
		}, "it was added until later than it was afterwards"},
		"the first expiry counts": {func(f *faulty, m *session.MemoryStore, _ *clock) {
			f.add = func(ctx context.Context, list, key string, expiry time.Time) error {
				if keys, _ := m.List(ctx, list); slices.Contains(keys, key) {
					return nil
				}
				return m.Add(ctx, list, key, expiry)
			}
		}, "this one was put off"},
		"a list ends with the last that was added": {func(f *faulty, m *session.MemoryStore, at *clock) {
			mu, ends := sync.Mutex{}, map[string]time.Time{}
			f.add = func(ctx context.Context, list, key string, expiry time.Time) error {
				mu.Lock()
				defer mu.Unlock()
				ends[list] = expiry
				return m.Add(ctx, list, key, expiry)
			}
			f.list = func(ctx context.Context, list string) ([]string, error) {
				mu.Lock()
				defer mu.Unlock()
				if !ends[list].After(at.Now()) {
					return nil, nil
				}
				return m.List(ctx, list)
			}
		}, "and than another was"},
		"a list that does not end": {func(f *faulty, m *session.MemoryStore, _ *clock) {
			var lone sync.Map // that was never more than one
			f.add = func(ctx context.Context, list, key string, expiry time.Time) error {
				if first, is := lone.LoadOrStore(list, key); is && first != key {
					lone.Store(list, "")
				}
				return m.Add(ctx, list, key, expiry)
			}
			f.unlist = func(ctx context.Context, list, key string) error {
				lone.Store(list, "")
				return m.Remove(ctx, list, key)
			}
			f.list = func(ctx context.Context, list string) ([]string, error) {
				keys, err := m.List(ctx, list)
				if key, is := lone.Load(list); is && key != "" && len(keys) == 0 {
					keys = []string{key.(string)}
				}
				return keys, err
			}
		}, "all of it has expired"},
		"what has expired stays away": {func(f *faulty, m *session.MemoryStore, at *clock) {
			mu, ends := sync.Mutex{}, map[string]time.Time{}
			f.add = func(ctx context.Context, list, key string, expiry time.Time) error {
				mu.Lock()
				defer mu.Unlock()
				end, there := ends[list+key]
				if there && !end.After(at.Now()) {
					return nil
				}
				if expiry.After(end) {
					ends[list+key] = expiry
				}
				return m.Add(ctx, list, key, expiry)
			}
		}, "what has expired on it may be added again"},
		"an end in two steps": {func(f *faulty, m *session.MemoryStore, _ *clock) {
			mu, ends := sync.Mutex{}, map[string]time.Time{}
			f.add = func(ctx context.Context, list, key string, expiry time.Time) error {
				mu.Lock()
				end := ends[list+key]
				mu.Unlock()
				if end.After(expiry) {
					return nil
				}
				time.Sleep(time.Millisecond)
				mu.Lock()
				defer mu.Unlock()
				ends[list+key] = expiry
				_ = m.Remove(ctx, list, key)
				return m.Add(ctx, list, key, expiry)
			}
		}, "of several Adds at once, the latest expiry counts"},
		"a page of a list": {func(f *faulty, m *session.MemoryStore, _ *clock) {
			f.list = func(ctx context.Context, list string) ([]string, error) {
				keys, err := m.List(ctx, list)
				return keys[:min(len(keys), 500)], err
			}
		}, "at whatever size"},
		"a long list is emptied": {func(f *faulty, m *session.MemoryStore, _ *clock) {
			f.unlist = func(ctx context.Context, list, key string) error {
				if keys, _ := m.List(ctx, list); len(keys) == 1000 {
					_ = m.Remove(ctx, list, keys[0])
					_ = m.Remove(ctx, list, keys[1])
				}
				return m.Remove(ctx, list, key)
			}
		}, "one of a long list was removed"},
		"reading and writing are two steps": {func(f *faulty, m *session.MemoryStore, _ *clock) {
			mu, lists := sync.Mutex{}, map[string][]string{}
			read := func(list string) []string {
				mu.Lock()
				defer mu.Unlock()
				return slices.Clone(lists[list])
			}
			write := func(list string, keys []string) {
				time.Sleep(time.Microsecond)
				mu.Lock()
				defer mu.Unlock()
				lists[list] = keys
			}
			f.add = func(_ context.Context, list, key string, _ time.Time) error {
				write(list, append(read(list), key))
				return nil
			}
			f.unlist = func(_ context.Context, list, key string) error {
				write(list, slices.DeleteFunc(read(list), func(k string) bool { return k == key }))
				return nil
			}
			f.list = func(_ context.Context, list string) ([]string, error) { return read(list), nil }
		}, "many changed it at once"},
		"one writer at a time": {func(f *faulty, m *session.MemoryStore, _ *clock) {
			var busy sync.Mutex
			f.unlist = func(ctx context.Context, list, key string) error {
				if !busy.TryLock() {
					return errors.New("the database is locked")
				}
				defer busy.Unlock()
				time.Sleep(time.Microsecond)
				return m.Remove(ctx, list, key)
			}
		}, "Adds and Removes at once fail"},
		"a call that does not end": {func(f *faulty, m *session.MemoryStore, _ *clock) {
			f.list = func(ctx context.Context, list string) ([]string, error) {
				if ctx.Err() != nil {
					time.Sleep(4 * time.Second)
				}
				return m.List(ctx, list)
			}
		}, "for 3 seconds"},
	})
}
