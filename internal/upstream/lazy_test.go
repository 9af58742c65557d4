package upstream_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/internal/upstream"
)

// fetched is a value that is fetched, or not while down is set, and the clock.
type fetched struct {
	*upstream.Lazy[int]
	now   time.Time
	calls int
	down  error
	ctx   context.Context // of the last fetch
}

func newFetched() *fetched {
	f := &fetched{now: time.Unix(1_800_000_000, 0)}
	f.Lazy = &upstream.Lazy[int]{TTL: time.Hour, MaxStale: time.Hour, Now: func() time.Time { return f.now }, Fetch: func(ctx context.Context) (int, error) {
		f.calls++
		f.ctx = ctx
		if f.down != nil {
			return 0, f.down
		}
		return f.calls, nil
	}}
	return f
}

// TestLazyBackOff: one second, twice as long each time, thirty at most, and one again
// after a success.
func TestLazyBackOff(t *testing.T) { // DI-03, JW-05
	down := errors.New("down")
	f := newFetched()
	f.down = down
	_, err := f.Get(context.Background())
	require.Equal(t, down, err)
	seconds := []time.Duration{1, 2, 4, 8, 16, 30, 30}
	for range 70 { // beyond what a shift can take
		seconds = append(seconds, 30)
	}
	for i, n := range seconds {
		f.now = f.now.Add(n*time.Second - 1)
		_, err = f.Get(context.Background())
		require.ErrorIs(t, err, down)
		require.ErrorContains(t, err, "a moment ago")
		require.Equal(t, i+1, f.calls, "not yet")
		f.now = f.now.Add(1)
		_, err = f.Get(context.Background())
		require.Equal(t, down, err)
		require.Equal(t, i+2, f.calls)
	}
	f.now, f.down = f.now.Add(30*time.Second), nil
	_, err = f.Get(context.Background())
	require.NoError(t, err)
	f.now, f.down = f.now.Add(2*time.Hour), down
	_, err = f.Get(context.Background())
	require.Equal(t, down, err)
	calls := f.calls
	f.now, f.down = f.now.Add(time.Second), nil
	_, err = f.Get(context.Background())
	require.NoError(t, err)
	require.Equal(t, calls+1, f.calls, "the first pause is short again")
}

// TestLazyAge: to the nanosecond, how long a value serves.
func TestLazyAge(t *testing.T) { // JW-04, JW-11, DI-12
	down := errors.New("down")
	for name, test := range map[string]struct {
		age   time.Duration
		down  error
		value int // 0 for an error
		calls int
	}{
		"just before its time":        {time.Hour - 1, nil, 1, 1},
		"its time":                    {time.Hour, nil, 2, 2},
		"down, its time":              {time.Hour, down, 1, 2},
		"down, just before the end":   {2*time.Hour - 1, down, 1, 2},
		"down, the end":               {2 * time.Hour, down, 0, 2},
		"the clock is set back":       {-1, nil, 2, 2},
		"down, the clock is set back": {-1, down, 0, 2},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFetched()
			_, err := f.Get(context.Background())
			require.NoError(t, err)
			f.now, f.down = f.now.Add(test.age), test.down
			for range 2 { // by a fetch, and within the pause after it
				v, err := f.Get(context.Background())
				require.Equal(t, test.value, v)
				require.Equal(t, test.value == 0, err != nil)
				require.Equal(t, test.calls, f.calls)
			}
		})
	}
}

// TestLazyPauseEndsWithTheClock: one that was an hour ahead makes nobody wait so long.
func TestLazyPauseEndsWithTheClock(t *testing.T) { // DI-03
	for back, calls := range map[time.Duration]int{29 * time.Second: 1, 29*time.Second + 1: 2} {
		f := newFetched()
		f.down = errors.New("down")
		_, _ = f.Get(context.Background()) // a pause of one second
		f.now, f.down = f.now.Add(-back), nil
		_, _ = f.Get(context.Background())
		require.Equal(t, calls, f.calls, back)
	}
}

type key struct{}

// TestLazyFetchIsBounded: it has ten seconds, whatever the caller has, and what it
// began ends with it.
func TestLazyFetchIsBounded(t *testing.T) { // DI-05, DI-11
	f := newFetched()
	ctx := context.WithValue(context.Background(), key{}, "kept")
	begun := time.Now()
	v, err := f.Refresh(ctx)
	require.NoError(t, err)
	require.Equal(t, 1, v)
	deadline, ok := f.ctx.Deadline()
	require.True(t, ok)
	require.WithinRange(t, deadline, begun.Add(10*time.Second), time.Now().Add(10*time.Second))
	require.Equal(t, "kept", f.ctx.Value(key{}))
	select {
	case <-f.ctx.Done():
	case <-time.After(5 * time.Second):
		t.Fatal("the context of the fetch is never done")
	}
}

func TestLazyRefreshIsAnotherValue(t *testing.T) { // JW-02
	f := newFetched()
	_, err := f.Get(context.Background())
	require.NoError(t, err)
	v, err := f.Refresh(context.Background())
	require.NoError(t, err)
	require.Equal(t, 2, v)
	f.down = errors.New("down")
	_, ok, err := f.Renew(context.Background(), func(int) bool { return true }, func() bool { return true })
	require.True(t, ok)
	require.Equal(t, f.down, err)
	v, err = f.Get(context.Background())
	require.NoError(t, err)
	require.Equal(t, 2, v, "what was good is kept")
}

// TestLazyPauseIsForNewFetches: whoever comes while there is one under way shares it.
func TestLazyPauseIsForNewFetches(t *testing.T) { // DI-04
	begun, release := make(chan struct{}), make(chan struct{})
	down := errors.New("down")
	first := true
	l := &upstream.Lazy[int]{TTL: time.Hour, Now: func() time.Time { return time.Unix(1_800_000_000, 0) }, Fetch: func(context.Context) (int, error) {
		if first {
			first = false
			return 0, down
		}
		close(begun)
		<-release
		return 1, nil
	}}
	_, err := l.Get(context.Background())
	require.ErrorIs(t, err, down)
	done := make(chan error, 1)
	go func() { _, err := l.Refresh(context.Background()); done <- err }()
	<-begun
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	_, err = l.Get(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded, "it waits for the fetch")
	close(release)
	require.NoError(t, <-done)
}
