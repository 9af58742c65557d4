package sessiontest_test

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/sallyport/auth/session"
)

// SE-11: what may be done once is not done twice.
func TestEachFaultOfInsertIsFound(t *testing.T) {
	type insert = func(ctx context.Context, key string, data []byte, expiry time.Time) (bool, error)
	// with is a fault of Insert alone.
	with := func(makes func(m *session.MemoryStore, at *clock) insert, want string) fault {
		return fault{func(f *faulty, m *session.MemoryStore, at *clock) { f.insert = makes(m, at) }, want}
	}
	found(t, map[string]fault{
		"nothing is inserted": with(func(*session.MemoryStore, *clock) insert {
			return func(context.Context, string, []byte, time.Time) (bool, error) { return false, nil }
		}, "Insert says false, and not true: there is nothing under the key"),
		"nothing is done": with(func(*session.MemoryStore, *clock) insert {
			return func(context.Context, string, []byte, time.Time) (bool, error) { return true, nil }
		}, "Insert says that it did it"),
		"it is always done": with(func(m *session.MemoryStore, _ *clock) insert {
			return func(ctx context.Context, key string, data []byte, expiry time.Time) (bool, error) {
				return true, m.Commit(ctx, key, data, expiry)
			}
		}, "Insert says true, and not false: there is something under the key"),
		"it is done, and said not to be": with(func(m *session.MemoryStore, _ *clock) insert {
			return func(ctx context.Context, key string, data []byte, expiry time.Time) (bool, error) {
				inserted, err := m.Insert(ctx, key, data, expiry)
				if !inserted {
					err = m.Commit(ctx, key, data, expiry)
				}
				return inserted, err
			}
		}, "Insert says that it did nothing"),
		"the same data is inserted": with(func(m *session.MemoryStore, _ *clock) insert {
			return func(ctx context.Context, key string, data []byte, expiry time.Time) (bool, error) {
				have, there, _ := m.Find(ctx, key)
				inserted, err := m.Insert(ctx, key, data, expiry)
				return inserted || there && bytes.Equal(have, data), err
			}
		}, "somebody else's"),
		"something is an error": with(func(m *session.MemoryStore, _ *clock) insert {
			return func(ctx context.Context, key string, data []byte, expiry time.Time) (bool, error) {
				inserted, err := m.Insert(ctx, key, data, expiry)
				if !inserted {
					err = errors.New("duplicate key")
				}
				return inserted, err
			}
		}, "duplicate key: that there is something already is no error"),
		"once for ever": with(func(m *session.MemoryStore, _ *clock) insert {
			var seen sync.Map
			return func(ctx context.Context, key string, data []byte, expiry time.Time) (bool, error) {
				if _, again := seen.LoadOrStore(key, true); again {
					return false, nil
				}
				return m.Insert(ctx, key, data, expiry)
			}
		}, "what was there is deleted"),
		"no bytes are nothing": with(func(m *session.MemoryStore, _ *clock) insert {
			return func(ctx context.Context, key string, data []byte, expiry time.Time) (bool, error) {
				if have, _, _ := m.Find(ctx, key); len(have) == 0 {
					return true, m.Commit(ctx, key, data, expiry)
				}
				return m.Insert(ctx, key, data, expiry)
			}
		}, "data of no bytes"),
		"the past is an error": with(func(m *session.MemoryStore, at *clock) insert {
			return func(ctx context.Context, key string, data []byte, expiry time.Time) (bool, error) {
				if expiry.Before(at.Now()) {
					return false, errors.New("a negative time to live")
				}
				return m.Insert(ctx, key, data, expiry)
			}
		}, "Insert: a negative time to live"),
		"the past is put off": with(func(m *session.MemoryStore, at *clock) insert {
			return func(ctx context.Context, key string, data []byte, expiry time.Time) (bool, error) {
				if expiry.Before(at.Now()) {
					expiry = at.Now().Add(time.Second)
				}
				return m.Insert(ctx, key, data, expiry)
			}
		}, "it was inserted with an expiry that has passed"),
		"what was inserted does not end": with(func(m *session.MemoryStore, _ *clock) insert {
			return func(ctx context.Context, key string, data []byte, expiry time.Time) (bool, error) {
				return m.Insert(ctx, key, data, expiry.Add(time.Hour))
			}
		}, "the expiry that it was inserted with has passed"),
		"what has expired is in the way": with(func(m *session.MemoryStore, _ *clock) insert {
			var there sync.Map
			return func(ctx context.Context, key string, data []byte, expiry time.Time) (bool, error) {
				if _, found, _ := m.Find(ctx, key); found {
					there.Store(key, true)
				}
				if _, was := there.Load(key); was {
					return false, nil
				}
				return m.Insert(ctx, key, data, expiry)
			}
		}, "has expired in the meantime"),
		"what has expired stays": with(func(m *session.MemoryStore, at *clock) insert {
			var seen sync.Map
			return func(ctx context.Context, key string, data []byte, expiry time.Time) (bool, error) {
				inserted, err := m.Insert(ctx, key, data, expiry)
				if before, again := seen.LoadOrStore(key, string(data)); inserted && again {
					err = m.Commit(ctx, key, []byte(before.(string)), expiry)
				}
				return inserted, err
			}
		}, "in the place of what has expired"),
		"it puts off what is there": with(func(m *session.MemoryStore, _ *clock) insert {
			return func(ctx context.Context, key string, data []byte, expiry time.Time) (bool, error) {
				if have, there, _ := m.Find(ctx, key); there {
					return false, m.Commit(ctx, key, have, expiry)
				}
				return m.Insert(ctx, key, data, expiry)
			}
		}, "does not put that off"),
		"it keeps the caller's data": {func(f *faulty, m *session.MemoryStore, _ *clock) {
			var kept sync.Map
			f.insert = func(ctx context.Context, key string, data []byte, expiry time.Time) (bool, error) {
				kept.Store(key, data)
				return m.Insert(ctx, key, data, expiry)
			}
			f.find = func(ctx context.Context, key string) ([]byte, bool, error) {
				data, there, err := m.Find(ctx, key)
				if mine, is := kept.Load(key); there && is {
					data = mine.([]byte)
				}
				return data, there, err
			}
		}, "after Insert, which must not keep it"},
		"two steps": with(func(m *session.MemoryStore, _ *clock) insert {
			return func(ctx context.Context, key string, data []byte, expiry time.Time) (bool, error) {
				if _, there, _ := m.Find(ctx, key); there {
					return false, nil
				}
				time.Sleep(time.Millisecond)
				return true, m.Commit(ctx, key, data, expiry)
			}
		}, "would happen twice"),
		"who comes too late writes": with(func(m *session.MemoryStore, _ *clock) insert {
			return func(ctx context.Context, key string, data []byte, expiry time.Time) (bool, error) {
				if _, there, _ := m.Find(ctx, key); there {
					return false, nil
				}
				time.Sleep(time.Millisecond)
				inserted, err := m.Insert(ctx, key, data, expiry)
				if !inserted {
					err = m.Commit(ctx, key, data, expiry)
				}
				return inserted, err
			}
		}, "the data of whoever was told that it inserted"),
	})
}
