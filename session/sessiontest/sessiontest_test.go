package sessiontest_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/session"
	"github.com/sallyport/auth/session/sessiontest"
)

// clock is moved on by the kit.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func newClock() *clock { return &clock{now: time.Now().Truncate(time.Second)} }

func TestTheStoreInMemoryHasNoViolations(t *testing.T) {
	at := newClock()
	sessiontest.Kit{Now: at.Now, Advance: at.Advance, MaxData: 1 << 20}.TestStore(t, func() (session.Store, error) {
		return session.NewMemoryStore(0, at.Now), nil
	})
}

func TestAStoreWithThreeMethods(t *testing.T) {
	at := newClock()
	require.NoError(t, sessiontest.Kit{Now: at.Now, Advance: at.Advance}.Check(func() (session.Store, error) {
		return struct{ session.Store }{session.NewMemoryStore(0, at.Now)}, nil
	}))
}

func TestAStoreThatCannotBeMade(t *testing.T) {
	err := sessiontest.Kit{}.Check(func() (session.Store, error) { return nil, errors.New("no database") })
	require.ErrorContains(t, err, "no database")
}

// faulty is the store in memory, with one thing wrong.
type faulty struct {
	*session.MemoryStore
	find    func(ctx context.Context, key string) ([]byte, bool, error)
	commit  func(ctx context.Context, key string, data []byte, expiry time.Time) error
	remove  func(ctx context.Context, key string) error
	insert  func(ctx context.Context, key string, data []byte, expiry time.Time) (bool, error)
	replace func(ctx context.Context, key string, old, data []byte, expiry time.Time) (bool, error)
	add     func(ctx context.Context, list, key string, expiry time.Time) error
	list    func(ctx context.Context, list string) ([]string, error)
	unlist  func(ctx context.Context, list, key string) error
}

func (f *faulty) Find(ctx context.Context, key string) ([]byte, bool, error) {
	if f.find != nil {
		return f.find(ctx, key)
	}
	return f.MemoryStore.Find(ctx, key)
}

func (f *faulty) Commit(ctx context.Context, key string, data []byte, expiry time.Time) error {
	if f.commit != nil {
		return f.commit(ctx, key, data, expiry)
	}
	return f.MemoryStore.Commit(ctx, key, data, expiry)
}

func (f *faulty) Delete(ctx context.Context, key string) error {
	if f.remove != nil {
		return f.remove(ctx, key)
	}
	return f.MemoryStore.Delete(ctx, key)
}

func (f *faulty) Insert(ctx context.Context, key string, data []byte, expiry time.Time) (bool, error) {
	if f.insert != nil {
		return f.insert(ctx, key, data, expiry)
	}
	return f.MemoryStore.Insert(ctx, key, data, expiry)
}

func (f *faulty) Replace(ctx context.Context, key string, old, data []byte, expiry time.Time) (bool, error) {
	if f.replace != nil {
		return f.replace(ctx, key, old, data, expiry)
	}
	return f.MemoryStore.Replace(ctx, key, old, data, expiry)
}

func (f *faulty) Add(ctx context.Context, list, key string, expiry time.Time) error {
	if f.add != nil {
		return f.add(ctx, list, key, expiry)
	}
	return f.MemoryStore.Add(ctx, list, key, expiry)
}

func (f *faulty) List(ctx context.Context, list string) ([]string, error) {
	if f.list != nil {
		return f.list(ctx, list)
	}
	return f.MemoryStore.List(ctx, list)
}

func (f *faulty) Remove(ctx context.Context, list, key string) error {
	if f.unlist != nil {
		return f.unlist(ctx, list, key)
	}
	return f.MemoryStore.Remove(ctx, list, key)
}

// fault is what is wrong with a store, and what the kit says of it.
type fault struct {
	breaks func(f *faulty, m *session.MemoryStore, at *clock)
	want   string
}

// found fails t for each of faults that the kit does not find.
func found(t *testing.T, faults map[string]fault) {
	for name, test := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := newClock()
			m := session.NewMemoryStore(0, at.Now)
			f := &faulty{MemoryStore: m}
			test.breaks(f, m, at)
			err := sessiontest.Kit{Now: at.Now, Advance: at.Advance}.Check(func() (session.Store, error) { return f, nil })
			require.ErrorContains(t, err, test.want)
		})
	}
}

func TestEachFaultIsFound(t *testing.T) {
	found(t, map[string]fault{
		"text alone": {func(f *faulty, m *session.MemoryStore, _ *clock) {
			f.commit = func(ctx context.Context, key string, data []byte, expiry time.Time) error {
				return m.Commit(ctx, key, bytes.ToValidUTF8(data, []byte("?")), expiry)
			}
		}, "no text encoding"},
		"cut at a zero": {func(f *faulty, m *session.MemoryStore, _ *clock) {
			f.commit = func(ctx context.Context, key string, data []byte, expiry time.Time) error {
				data, _, _ = bytes.Cut(data, []byte{0})
				return m.Commit(ctx, key, data, expiry)
			}
		}, "texts of C"},
		"trimmed": {func(f *faulty, m *session.MemoryStore, _ *clock) {
			f.commit = func(ctx context.Context, key string, data []byte, expiry time.Time) error {
				return m.Commit(ctx, key, bytes.TrimRight(data, " "), expiry)
			}
		}, "CHAR columns"},
		"cut to a column": {func(f *faulty, m *session.MemoryStore, _ *clock) {
			f.commit = func(ctx context.Context, key string, data []byte, expiry time.Time) error {
				return m.Commit(ctx, key, data[:min(len(data), 4096)], expiry)
			}
		}, "said to take"},
		"an empty session is none": {func(f *faulty, m *session.MemoryStore, _ *clock) {
			f.find = func(ctx context.Context, key string) ([]byte, bool, error) {
				data, found, err := m.Find(ctx, key)
				return data, found && len(data) > 0, err
			}
		}, "no byte at all"},
		"nothing is an error": {func(f *faulty, m *session.MemoryStore, _ *clock) {
			f.find = func(ctx context.Context, key string) ([]byte, bool, error) {
				data, found, err := m.Find(ctx, key)
				if !found {
					return nil, false, errors.New("no rows")
				}
				return data, found, err
			}
		}, "no rows: an error means that the store itself failed"},
		"no case": {func(f *faulty, m *session.MemoryStore, _ *clock) {
			f.find = func(ctx context.Context, key string) ([]byte, bool, error) { return m.Find(ctx, strings.ToLower(key)) }
			f.commit = func(ctx context.Context, key string, data []byte, expiry time.Time) error {
				return m.Commit(ctx, strings.ToLower(key), data, expiry)
			}
		}, "differ in case"},
		"a pattern": {func(f *faulty, m *session.MemoryStore, _ *clock) {
			f.remove = func(ctx context.Context, key string) error {
				_ = m.Delete(ctx, key[:len(key)-1])
				return m.Delete(ctx, key)
			}
		}, "another key was deleted"},
		"a second delete fails": {func(f *faulty, m *session.MemoryStore, _ *clock) {
			f.remove = func(ctx context.Context, key string) error {
				if _, found, _ := m.Find(ctx, key); !found {
					return errors.New("not found")
				}
				return m.Delete(ctx, key)
			}
		}, "two sign-outs at once"},
		"nothing is deleted": {func(f *faulty, _ *session.MemoryStore, _ *clock) {
			f.remove = func(context.Context, string) error { return nil }
		}, "it was deleted"},
		"the first stays": {func(f *faulty, m *session.MemoryStore, _ *clock) {
			f.commit = func(ctx context.Context, key string, data []byte, expiry time.Time) error {
				if _, found, _ := m.Find(ctx, key); found {
					return nil
				}
				return m.Commit(ctx, key, data, expiry)
			}
		}, "the later Commit counts"},
		"the past is an error": {func(f *faulty, m *session.MemoryStore, at *clock) {
			f.commit = func(ctx context.Context, key string, data []byte, expiry time.Time) error {
				if expiry.Before(at.Now()) {
					return errors.New("a negative time to live")
				}
				return m.Commit(ctx, key, data, expiry)
			}
		}, "a negative time to live"},
		"nothing ends": {func(f *faulty, m *session.MemoryStore, at *clock) {
			f.commit = func(ctx context.Context, key string, data []byte, expiry time.Time) error {
				return m.Commit(ctx, key, data, expiry.Add(time.Hour))
			}
		}, "it has expired"},
		"rounded up": {func(f *faulty, m *session.MemoryStore, at *clock) {
			f.commit = func(ctx context.Context, key string, data []byte, expiry time.Time) error {
				return m.Commit(ctx, key, data, expiry.Add(time.Second-1).Truncate(time.Second).Add(time.Second))
			}
		}, "rounds down"},
		"the wall's time": {func(f *faulty, m *session.MemoryStore, at *clock) {
			f.commit = func(ctx context.Context, key string, data []byte, expiry time.Time) error {
				_, offset := expiry.Zone()
				_, here := at.Now().Zone()
				return m.Commit(ctx, key, data, expiry.Add(time.Duration(here-offset)*time.Second))
			}
		}, "another time zone"},
		"the first expiry stays": {func(f *faulty, m *session.MemoryStore, at *clock) {
			first, mu := map[string]time.Time{}, sync.Mutex{}
			f.commit = func(ctx context.Context, key string, data []byte, expiry time.Time) error {
				mu.Lock()
				defer mu.Unlock()
				if was, there := first[key]; there && expiry.After(was) {
					expiry = was
				}
				first[key] = expiry
				return m.Commit(ctx, key, data, expiry)
			}
		}, "put its expiry off"},
		"any data is replaced": {func(f *faulty, m *session.MemoryStore, _ *clock) {
			f.replace = func(ctx context.Context, key string, _, data []byte, expiry time.Time) (bool, error) {
				old, found, err := m.Find(ctx, key)
				if !found || err != nil {
					return false, err
				}
				return m.Replace(ctx, key, old, data, expiry)
			}
		}, "other data is no match"},
		"what is not there is made": {func(f *faulty, m *session.MemoryStore, _ *clock) {
			f.replace = func(ctx context.Context, key string, old, data []byte, expiry time.Time) (bool, error) {
				if _, found, _ := m.Find(ctx, key); !found {
					return true, m.Commit(ctx, key, data, expiry)
				}
				return m.Replace(ctx, key, old, data, expiry)
			}
		}, "nothing that is not there"},
		"two steps": {func(f *faulty, m *session.MemoryStore, _ *clock) {
			f.replace = func(ctx context.Context, key string, old, data []byte, expiry time.Time) (bool, error) {
				got, found, _ := m.Find(ctx, key)
				if !found || !bytes.Equal(got, old) {
					return false, nil
				}
				time.Sleep(time.Millisecond)
				return true, m.Commit(ctx, key, data, expiry)
			}
		}, "a change would be lost"},
		"a replace that says nothing": {func(f *faulty, m *session.MemoryStore, _ *clock) {
			f.replace = func(ctx context.Context, key string, old, data []byte, expiry time.Time) (bool, error) {
				_, err := m.Replace(ctx, key, old, data, expiry)
				return false, err
			}
		}, "as the caller has seen it"},
		"a call that does not end": {func(f *faulty, m *session.MemoryStore, _ *clock) {
			f.remove = func(ctx context.Context, key string) error {
				if ctx.Err() != nil {
					time.Sleep(4 * time.Second)
				}
				return m.Delete(ctx, key)
			}
		}, "for 3 seconds"},
		"a node that sees nothing": {func(f *faulty, m *session.MemoryStore, _ *clock) {
			f.replace = func(context.Context, string, []byte, []byte, time.Time) (bool, error) { return true, nil }
		}, "is not seen on another"},
	})
}
