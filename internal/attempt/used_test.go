package attempt_test

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/internal/attempt"
)

// nowhere forgets what it is told.
type nowhere struct{}

func (nowhere) Header() http.Header         { return http.Header{} }
func (nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (nowhere) WriteHeader(int)             {}

func use(k *attempt.Keeper, state string) bool {
	return k.Use(nowhere{}, httptest.NewRequest("GET", "/", nil), attempt.Attempt{State: state}, true)
}

func TestStateIsTakenOnce(t *testing.T) { // ST-06
	k, b := newKeeper(newClock()), &browser{}
	a, _ := b.begin(k, "/a")
	w := httptest.NewRecorder()
	require.True(t, k.Use(w, b.request(), a, true))
	told := b.take(w)
	require.Len(t, told, 1)
	require.Negative(t, told[0].MaxAge)
	require.Empty(t, b.cookies)
	for i := range 5 {
		require.False(t, use(k, a.State), "whoever kept the cookie")
		require.True(t, use(k, strconv.Itoa(i)), "another one is another one")
	}
	require.False(t, use(k, a.State))
}

func TestStateIsTakenOnceOfMany(t *testing.T) { // ST-07, ST-14
	k := newKeeper(newClock())
	var first atomic.Int32
	var wait sync.WaitGroup
	for range 50 {
		wait.Go(func() {
			if use(k, "state") {
				first.Add(1)
			}
		})
	}
	wait.Wait()
	require.EqualValues(t, 1, first.Load())
}

func TestUsedStatesAreRememberedAsLongAsTheyLive(t *testing.T) { // ST-06, ST-14
	c := newClock()
	k, begin := newKeeper(c), c.at
	require.True(t, use(k, "state"))
	c.at = begin.Add(attempt.Life)
	require.False(t, use(k, "state"))
	c.at = begin.Add(attempt.Life + time.Second)
	require.False(t, use(k, "state"), "in the older generation")
	c.at = begin.Add(2*attempt.Life + time.Second)
	require.False(t, use(k, "state"), "which began a second ago less")
	c.at = begin.Add(2*attempt.Life + 2*time.Second)
	require.True(t, use(k, "state"), "nothing is kept for ever")
}

func TestUsedStatesWhenTheClockJumpsBack(t *testing.T) { // SE-14
	c := newClock()
	k := newKeeper(c)
	require.True(t, use(k, "state"))
	c.at = c.at.Add(-time.Hour)
	require.False(t, use(k, "state"))
	require.True(t, use(k, "another"))
	require.False(t, use(k, "another"), "a clock that stands still forgets nothing")
	require.False(t, use(k, "another"))
}

func TestUsedStatesGoByTheClockThatThereIs(t *testing.T) { // SE-14, ST-14
	c := newClock()
	k := newKeeper(c)
	require.True(t, use(k, "early"))
	begin := c.at.Add(-time.Hour)
	for i, first := range []bool{true, false, true} { // of each generation from then on
		c.at = begin.Add(time.Duration(i) * (attempt.Life + time.Second))
		require.True(t, use(k, strconv.Itoa(i)))
		require.Equal(t, first, use(k, "late"), "%d", i)
	}
	require.True(t, use(newKeeper(&clock{}), "state"), "at the zero time, too")
}

func TestUsedStatesAreBounded(t *testing.T) { // ST-14
	const each = 1 << 16 // of two generations
	k := newKeeper(newClock())
	require.True(t, use(k, "state"))
	for i := range 2*each - 2 {
		use(k, strconv.Itoa(i))
	}
	require.False(t, use(k, "state"), "both generations are as good as full")
	require.True(t, use(k, "one more"))
	require.True(t, use(k, "state"), "the older one is forgotten")
}
