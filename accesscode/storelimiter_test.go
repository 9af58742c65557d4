package accesscode_test

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/accesscode"
	"github.com/sallyport/auth/session"
)

// nodeStore is a store with a hook before and after each call.
type nodeStore struct {
	session.Replacer
	before func(ctx context.Context) error
	after  func(done bool) bool
	calls  atomic.Int32
}

func (s *nodeStore) call(ctx context.Context) error {
	s.calls.Add(1)
	if s.before == nil {
		return nil
	}
	return s.before(ctx)
}

func (s *nodeStore) Find(ctx context.Context, key string) ([]byte, bool, error) {
	if err := s.call(ctx); err != nil {
		return nil, false, err
	}
	return s.Replacer.Find(ctx, key)
}

func (s *nodeStore) Insert(ctx context.Context, key string, data []byte, expiry time.Time) (bool, error) {
	if err := s.call(ctx); err != nil {
		return false, err
	}
	done, err := s.Replacer.Insert(ctx, key, data, expiry)
	if s.after != nil {
		done = s.after(done)
	}
	return done, err
}

func (s *nodeStore) Replace(ctx context.Context, key string, old, data []byte, expiry time.Time) (bool, error) {
	if err := s.call(ctx); err != nil {
		return false, err
	}
	done, err := s.Replacer.Replace(ctx, key, old, data, expiry)
	if s.after != nil {
		done = s.after(done)
	}
	return done, err
}

// newNodes are gates that have one store, and one clock with it.
func newNodes(t testing.TB, n int) (nodes []*accesscode.Gate, store *nodeStore, at *clock) {
	at = &clock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	memory := session.NewMemoryStore(0, at.Now)
	t.Cleanup(func() { memory.Close() })
	store = &nodeStore{Replacer: memory}
	for range n {
		nodes = append(nodes, newNode(t, store, at))
	}
	return nodes, store, at
}

func newNode(t testing.TB, store session.Replacer, at *clock) *accesscode.Gate {
	g, _ := newGate(t, func(c *accesscode.Config) {
		c.Codes[0].Text = auth.NewSecret(strongCode)
		c.Store, c.Now = store, at.Now
	})
	return g
}

// guess sends a wrong code, and says how long the client has to wait; 0 where the code
// was looked at.
func guess(t testing.TB, g *accesscode.Gate, addr netip.Addr) time.Duration {
	t.Helper()
	_, err := g.Verify(ctx, addr, "wrong")
	if wait := limited(err); wait > 0 {
		return wait
	}
	require.ErrorIs(t, err, auth.ErrWrongCode)
	return 0
}

func enter(t testing.TB, g *accesscode.Gate, addr netip.Addr) time.Duration {
	t.Helper()
	_, err := g.Verify(ctx, addr, strongCode)
	if wait := limited(err); wait > 0 {
		return wait
	}
	require.NoError(t, err)
	return 0
}

// TestCountsInAStoreAreThoseInMemory: whatever happens, three nodes with a store
// answer as one without.
func TestCountsInAStoreAreThoseInMemory(t *testing.T) { // AC-01, AC-05
	for seed := range uint64(30) {
		random := rand.New(rand.NewPCG(seed, 1))
		nodes, _, at := newNodes(t, 3)
		alone, _ := newGate(t, func(c *accesscode.Config) { c.Codes[0].Text, c.Now = auth.NewSecret(strongCode), at.Now })
		devices := []string{""}
		for step := range 1000 {
			switch random.IntN(10) {
			case 0:
				at.advance(time.Duration(random.IntN(60*60*1000)) * time.Millisecond)
			case 1, 2, 3:
				at.advance(time.Duration(random.IntN(30*1000)) * time.Millisecond)
			}
			addr, text := stranger(random.IntN(3)), "wrong"
			if random.IntN(6) == 0 {
				text = strongCode
			}
			device := devices[random.IntN(len(devices))]
			_, keep, want := alone.VerifyDevice(ctx, addr, device, text)
			_, _, got := nodes[random.IntN(3)].VerifyDevice(ctx, addr, device, text)
			require.Equal(t, want, got, "seed %d, step %d", seed, step)
			if want == nil && len(devices) < 3 {
				devices = append(devices, keep)
			}
		}
	}
}

func TestGuessesAtTheSameTimeOnSeveralNodes(t *testing.T) { // AC-05
	nodes, store, at := newNodes(t, 3)
	together := func() (looked int32) {
		var n atomic.Int32
		var all sync.WaitGroup
		for i := range 64 {
			all.Go(func() {
				if _, err := nodes[i%3].Verify(ctx, alice, "wrong"); limited(err) == 0 {
					n.Add(1)
				}
			})
		}
		all.Wait()
		return n.Load()
	}
	// Whoever looks first lets the others look too, before anything is written.
	var wait sync.WaitGroup
	var first atomic.Int32
	wait.Add(64)
	store.before = func(context.Context) error {
		if first.Add(1) <= 64 {
			wait.Done()
			wait.Wait()
		}
		return nil
	}
	require.EqualValues(t, 5, together())
	for range 5 {
		at.advance(guess(t, nodes[0], alice))
		first.Store(0)
		wait.Add(64)
		require.EqualValues(t, 1, together())
	}
}

func TestRightCodesAtTheSameTime(t *testing.T) { // AC-05
	nodes, store, _ := newNodes(t, 3)
	var all sync.WaitGroup
	for i := range 64 {
		all.Go(func() {
			_, err := nodes[i%3].Verify(ctx, alice, strongCode)
			if limited(err) == 0 {
				require.NoError(t, err)
			}
		})
	}
	all.Wait()
	_, found, err := store.Find(ctx, nodes[0].StoreKey(alice))
	require.NoError(t, err)
	require.False(t, found, "a right code leaves nothing")
	for range 5 {
		require.Zero(t, guess(t, nodes[0], alice))
	}
}

// TestWhatTheStoreSees: who reads it learns no addresses, and nothing stays for ever.
func TestWhatTheStoreSees(t *testing.T) {
	nodes, store, at := newNodes(t, 2)
	require.Zero(t, guess(t, nodes[0], alice))
	key := nodes[0].StoreKey(alice)
	require.Equal(t, key, nodes[1].StoreKey(alice))
	require.Regexp(t, regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`), key)
	data, found, err := store.Find(ctx, key)
	require.NoError(t, err)
	require.True(t, found)
	require.Less(t, len(data), 64)
	for _, addr := range []netip.Addr{{}, stranger(1), netip.MustParseAddr("2001:db8::1")} {
		require.NotEqual(t, key, nodes[0].StoreKey(addr))
	}
	rotated, _ := newGate(t, func(c *accesscode.Config) {
		c.Secrets, c.Store = append([]auth.Secret{auth.NewSecret("another" + testSecret)}, c.Secrets...), store
	})
	require.NotEqual(t, key, rotated.StoreKey(alice), "counts begin anew with a new first secret")

	at.advance(15*time.Minute - 1)
	_, found, _ = store.Find(ctx, key)
	require.True(t, found)
	at.advance(1)
	_, found, _ = store.Find(ctx, key)
	require.False(t, found)
}

// SE-07: what is damaged, foreign or of a later release opens no door.
func TestWhatIsNoCount(t *testing.T) {
	nodes, store, at := newNodes(t, 2)
	g, key := nodes[0], nodes[0].StoreKey(alice)
	for range 3 {
		guess(t, g, stranger(1))
	}
	other, _, _ := store.Find(ctx, g.StoreKey(stranger(1)))
	values := map[string][]byte{"empty": {}, "short": []byte("x"), "a session": []byte("\x03eyJhbGciOiJkaXIi"), "another client's": other}
	for range 6 {
		guess(t, g, alice)
	}
	full, _, _ := store.Find(ctx, key)
	for i := range full {
		changed := slices.Clone(full)
		changed[i] ^= 1
		values["changed at "+string(rune('A'+i))] = changed
		values["cut at "+string(rune('A'+i))] = full[:i]
	}
	for name, data := range values {
		put := func() { require.NoError(t, store.Commit(ctx, key, data, at.Now().Add(24*time.Hour))) }
		put()
		require.Equal(t, 15*time.Second, enter(t, g, alice), name)
		require.Equal(t, 15*time.Second, guess(t, nodes[1], alice), name)
		at.advance(15 * time.Second)
		require.Zero(t, guess(t, g, alice), name)
		require.Equal(t, 30*time.Second, guess(t, g, alice), "it counts for five wrong codes: %s", name)

		// What is damaged between Take and GiveBack stays so.
		require.NoError(t, store.Delete(ctx, key))
		store.after = func(done bool) bool { store.after = nil; put(); return done }
		require.Zero(t, enter(t, g, alice), name)
		require.Equal(t, 15*time.Second, enter(t, g, alice), name)
	}
}

func TestCountsOfALaterRelease(t *testing.T) { // SE-07
	nodes, store, at := newNodes(t, 1)
	g, key := nodes[0], nodes[0].StoreKey(alice)
	guess(t, g, alice)
	data, _, _ := store.Find(ctx, key)
	newer := g.Newer(key, data)
	put := func() { require.NoError(t, store.Commit(ctx, key, newer, at.Now().Add(time.Hour))) }
	put()
	require.Equal(t, 15*time.Second, enter(t, g, alice))
	at.advance(59 * time.Minute)
	require.Equal(t, 15*time.Second, guess(t, g, alice))
	data, _, _ = store.Find(ctx, key)
	require.Equal(t, newer, data)
	at.advance(time.Minute)
	store.after = func(done bool) bool { store.after = nil; put(); return done }
	require.Zero(t, enter(t, g, alice))
	data, _, _ = store.Find(ctx, key)
	require.Equal(t, newer, data, "nothing of it is taken back")
}

// TestAttemptsOfAnAbortedRequest: they count, or not, as if it went on.
func TestAttemptsOfAnAbortedRequest(t *testing.T) {
	nodes, store, _ := newNodes(t, 1)
	var gone context.CancelFunc
	store.before = func(ctx context.Context) error { gone(); return ctx.Err() }
	verify := func(text string) error {
		var aborted context.Context
		aborted, gone = context.WithCancel(ctx)
		_, err := nodes[0].Verify(aborted, alice, text)
		return err
	}
	for range 4 {
		require.NoError(t, verify(strongCode))
		require.ErrorIs(t, verify("wrong"), auth.ErrWrongCode)
	}
	require.NoError(t, verify(strongCode))
	require.ErrorIs(t, verify("wrong"), auth.ErrWrongCode)
	require.Equal(t, 15*time.Second, limited(verify(strongCode)))
}

func TestAStoreThatSaysNothing(t *testing.T) { // SE-06
	synctest.Test(t, func(t *testing.T) {
		nodes, store, _ := newNodes(t, 1)
		silent := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		store.before = silent
		began := time.Now()
		_, err := nodes[0].Verify(ctx, alice, strongCode)
		require.ErrorIs(t, err, auth.ErrStore)
		require.Equal(t, 2*time.Second, time.Since(began))

		store.before, store.after = nil, func(done bool) bool { store.before = silent; return done }
		began = time.Now()
		_, err = nodes[0].Verify(ctx, stranger(1), strongCode)
		require.ErrorIs(t, err, auth.ErrStore, "who cannot be counted is not let in")
		require.Equal(t, 2*time.Second, time.Since(began))
		store.before = nil
		require.NoError(t, store.Replacer.(*session.MemoryStore).Close())
	})
}

// TestAnAnswerIsLost: the store did what it says that it did not.
func TestAnAnswerIsLost(t *testing.T) {
	nodes, store, _ := newNodes(t, 1)
	store.after = func(bool) bool { return false }
	for range 3 {
		require.Zero(t, guess(t, nodes[0], alice))
		require.Zero(t, enter(t, nodes[0], alice))
	}
	store.after = nil
	require.Zero(t, guess(t, nodes[0], alice))
	require.Zero(t, guess(t, nodes[0], alice))
	require.Equal(t, 15*time.Second, guess(t, nodes[0], alice))
}

// contended is a store in which somebody else is always faster.
type contended struct{ session.Replacer }

func (contended) Insert(context.Context, string, []byte, time.Time) (bool, error) { return false, nil }

func (contended) Replace(context.Context, string, []byte, []byte, time.Time) (bool, error) {
	return false, nil
}

func TestOthersAreAlwaysFaster(t *testing.T) { // AC-05
	nodes, store, at := newNodes(t, 1)
	plain := store.Replacer
	store.Replacer = contended{plain}
	require.Equal(t, time.Second, enter(t, nodes[0], alice))
	require.EqualValues(t, 64, store.calls.Load(), "32 times, a look and a change")
	require.Equal(t, time.Second, guess(t, nodes[0], alice))
	_, found, _ := store.Find(ctx, nodes[0].StoreKey(alice))
	require.False(t, found)

	store.Replacer, store.after = plain, func(done bool) bool { store.Replacer = contended{plain}; return done }
	_, err := nodes[0].Verify(ctx, alice, strongCode)
	require.ErrorIs(t, err, auth.ErrStore)
	require.ErrorContains(t, err, "by others again and again")
	store.Replacer, store.after = plain, nil
	at.advance(10 * time.Minute)
	require.Zero(t, enter(t, nodes[0], alice))
}

// TestOneGiveBackTakesBackOne: and never more than there is.
func TestOneGiveBackTakesBackOne(t *testing.T) {
	nodes, store, at := newNodes(t, 1)
	late := func(d time.Duration) {
		store.after = func(done bool) bool { store.after = nil; at.advance(d); return done }
		require.Zero(t, enter(t, nodes[0], alice))
	}
	late(10 * time.Minute) // it was forgotten meanwhile
	for range 4 {
		require.Zero(t, guess(t, nodes[0], alice))
	}
	late(10 * time.Minute) // one of the others was
	require.Zero(t, guess(t, nodes[0], alice))
	require.Zero(t, enter(t, nodes[0], alice), "four are left")
	require.Zero(t, guess(t, nodes[0], alice))
	require.Equal(t, 15*time.Second, enter(t, nodes[0], alice))
	at.advance(15 * time.Second)
	require.Zero(t, enter(t, nodes[0], alice))
	require.Zero(t, enter(t, nodes[0], alice), "whoever has waited waits no more")
}

// SE-14: a node whose clock is behind lets nobody begin anew, nor has the store forget.
func TestClocksOfNodesDiffer(t *testing.T) {
	for _, slow := range []time.Duration{time.Millisecond, time.Minute, time.Hour} {
		nodes, store, at := newNodes(t, 1)
		behind := &clock{now: at.Now().Add(-slow)}
		store.Replacer = session.NewMemoryStore(0, behind.Now)
		nodes = append(nodes, newNode(t, store, behind))
		looked := 0
		for range 100 {
			for _, g := range nodes {
				if guess(t, g, alice) == 0 {
					looked++
				}
			}
		}
		require.Equal(t, 5, looked, slow)
		for range 20 { // and so up to the longest wait
			wait := guess(t, nodes[0], alice)
			at.advance(wait)
			behind.advance(wait)
			looked = 0
			for range 10 {
				for _, g := range nodes {
					if guess(t, g, alice) == 0 {
						looked++
					}
				}
			}
			require.Equal(t, 1, looked, slow)
		}
	}
}

func TestTheStoresClockIsAhead(t *testing.T) { // SE-14
	nodes, store, at := newNodes(t, 1)
	store.Replacer = session.NewMemoryStore(0, func() time.Time { return at.Now().Add(5*time.Minute - time.Second) })
	for range 4 {
		guess(t, nodes[0], alice)
	}
	at.advance(40*time.Minute - time.Second) // nothing is left in a second
	for range 4 {
		require.Zero(t, guess(t, nodes[0], alice))
	}
	require.Positive(t, guess(t, nodes[0], alice))
}

// TestTwoServersWithOneStore, which has their sessions too.
func TestTwoServersWithOneStore(t *testing.T) { // AC-05, SE-06
	at := &clock{now: time.Now()}
	memory := session.NewMemoryStore(0, at.Now)
	defer memory.Close()
	store := &nodeStore{Replacer: memory}
	ask := func(site http.Handler, code string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", "https://app.example/", nil)
		r.Header.Set("X-Access-Code", code)
		w := httptest.NewRecorder()
		site.ServeHTTP(w, r)
		return w
	}
	var sites []http.Handler
	for range 2 {
		a, err := auth.New(auth.Config{
			Secrets:           []auth.Secret{auth.NewSecret(testSecret)},
			Session:           session.Config{Store: store},
			AccessCode:        newNode(t, store, at),
			AccessCodeHeaders: []string{"X-Access-Code"},
			Logger:            slog.New(slog.DiscardHandler),
		})
		require.NoError(t, err)
		sites = append(sites, a.Require(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
	}
	for i := range 5 {
		require.Equal(t, 200, ask(sites[i%2], strongCode).Code)
		require.Equal(t, 401, ask(sites[i%2], "wrong").Code)
	}
	for _, site := range sites {
		refused := ask(site, strongCode)
		require.Equal(t, 429, refused.Code)
		require.Equal(t, "15", refused.Header().Get("Retry-After"))
	}
	at.advance(15 * time.Second)
	require.Equal(t, 200, ask(sites[0], strongCode).Code)
	store.before = func(context.Context) error { return errors.New("dial 10.0.0.3:6379: connection refused") }
	down := ask(sites[1], strongCode)
	require.Equal(t, 503, down.Code)
	require.NotContains(t, down.Body.String(), "10.0.0.3")
}

func TestAStoreAndALimiter(t *testing.T) {
	_, err := accesscode.New(accesscode.Config{
		Codes:   []accesscode.Code{{Text: auth.NewSecret(strongCode)}},
		Secrets: []auth.Secret{auth.NewSecret(testSecret)},
		Store:   session.NewMemoryStore(0, nil),
		Limiter: &sharedLimiter{},
	})
	require.ErrorContains(t, err, "Store and Limiter")
}
