package session_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/session"
)

// rotating is a provider's token endpoint: each refresh token is good for one use, and
// a second one ends them all (RFC 9700 4.14).
type rotating struct {
	now   func() time.Time
	mu    sync.Mutex
	calls int
	good  string
}

func newRotating(now func() time.Time) *rotating { return &rotating{now: now, good: "rt-0"} }

func (p *rotating) tokens() *session.ProviderTokens {
	return &session.ProviderTokens{AccessToken: fmt.Sprintf("at-%d", p.calls), RefreshToken: p.good, IDToken: "id", ExpiresAt: p.now().Add(time.Hour).Truncate(time.Second)}
}

func (p *rotating) refresh(_ context.Context, old *session.ProviderTokens) (*session.ProviderTokens, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls++
	if old.RefreshToken != p.good {
		p.good = "none"
		return nil, fmt.Errorf("%w: invalid_grant", session.ErrEnded)
	}
	p.good = fmt.Sprintf("rt-%d", p.calls)
	return p.tokens(), nil
}

func (p *rotating) due(t *session.ProviderTokens) bool {
	return p.now().Add(time.Minute).After(t.ExpiresAt)
}

// signedIn is b after Ada has signed in with tokens of p.
func (b *box) signedIn(p *rotating) {
	s := ada()
	s.ProviderTokens = p.tokens()
	require.NoError(b.t, b.start(s))
}

// node is another one of b's, with the same browser in front.
func (b *box) node(c session.Config) *box {
	n := newBox(b.t, c)
	n.now, n.cookies = b.now, b.cookies
	return n
}

func TestOneRefreshOfManyRequestsOnTwoNodes(t *testing.T) { // RF-01
	synctest.Test(t, func(t *testing.T) {
		p := newRotating(time.Now)
		c := session.Config{Store: session.NewMemoryStore(0, time.Now)}
		var nodes [2]*session.Manager
		for i := range nodes {
			var err error
			nodes[i], err = session.NewManager(c, []session.Secret{first}, time.Now)
			require.NoError(t, err)
		}
		s := ada()
		s.ProviderTokens = p.tokens()
		w := httptest.NewRecorder()
		require.NoError(t, nodes[0].Start(w, httptest.NewRequest("GET", "https://app.example/", nil), s, true))
		r := httptest.NewRequest("GET", "https://app.example/", nil)
		r.AddCookie(w.Result().Cookies()[0])
		for round := 1; round <= 20; round++ {
			time.Sleep(time.Hour)
			var loaded [100]*session.Session
			for i := range loaded {
				var err error
				loaded[i], err = nodes[i%2].Load(r, true)
				require.NoError(t, err)
			}
			var wait sync.WaitGroup
			for i, s := range loaded {
				wait.Go(func() {
					got, err := nodes[i%2].RefreshTokens(context.Background(), s, p.due, p.refresh)
					if err != nil || got.AccessToken != fmt.Sprintf("at-%d", round) {
						t.Errorf("round %d: %v", round, err)
					}
				})
			}
			wait.Wait()
			require.Equal(t, round, p.calls)
			for _, n := range nodes {
				s, err := n.Load(r, true)
				require.NoError(t, err)
				require.Equal(t, p.tokens(), s.ProviderTokens)
			}
		}
		time.Sleep(24 * time.Hour) // so that no timer of the store is left
	})
}

// due is somebody whose access token has expired, and who their provider is.
func due(t *testing.T, c session.Config) (*box, *rotating, *session.Session) {
	t.Helper()
	b := newBox(t, c)
	p := newRotating(func() time.Time { return b.now })
	b.signedIn(p)
	s := b.load()
	b.now = b.now.Add(time.Hour)
	return b, p, s
}

func TestARefreshGoesOnWhenTheRequestEnds(t *testing.T) { // RF-06
	for name, c := range stores() {
		t.Run(name, func(t *testing.T) {
			b, p, s := due(t, c)
			ctx, cancel := context.WithCancel(context.Background())
			called, goOn := make(chan struct{}), make(chan struct{})
			go func() { <-called; cancel() }()
			_, err := b.RefreshTokens(ctx, s, p.due, func(ctx context.Context, old *session.ProviderTokens) (*session.ProviderTokens, error) {
				close(called)
				<-goOn
				if ctx.Err() != nil {
					return nil, ctx.Err()
				}
				return p.refresh(ctx, old)
			})
			require.ErrorIs(t, err, context.Canceled)
			close(goOn)
			got, err := b.RefreshTokens(context.Background(), b.load(), p.due, p.refresh)
			require.NoError(t, err)
			require.Equal(t, "at-1", got.AccessToken)
			require.Equal(t, 1, p.calls)
		})
	}
}

// stores are the two places where tokens are, the second with a clock of its own.
func stores() map[string]session.Config {
	return map[string]session.Config{"cookie": {}, "store": {Store: session.NewMemoryStore(0, func() time.Time { return time.Unix(1790000000, 0) })}}
}

func TestWhatIsNotDueIsLeftAlone(t *testing.T) {
	for name, c := range stores() {
		t.Run(name, func(t *testing.T) {
			b := newBox(t, c)
			p := newRotating(func() time.Time { return b.now })
			b.signedIn(p)
			got, err := b.RefreshTokens(context.Background(), b.load(), p.due, p.refresh)
			require.NoError(t, err)
			require.Equal(t, p.tokens(), got)
			none, err := b.RefreshTokens(context.Background(), ada(), p.due, p.refresh)
			require.NoError(t, err)
			require.Nil(t, none)
			require.Zero(t, p.calls)
		})
	}
}

func TestARefusedRefreshEndsTheSession(t *testing.T) { // RF-03, RF-08
	store := session.NewMemoryStore(0, func() time.Time { return time.Unix(1790000000, 0) })
	for name, c := range map[string]session.Config{"cookie": {}, "store": {Store: store}, "revocations": {Revocations: store}} {
		t.Run(name, func(t *testing.T) {
			b, p, s := due(t, c)
			p.good = "none"
			_, err := b.RefreshTokens(context.Background(), s, p.due, p.refresh)
			require.ErrorIs(t, err, session.ErrEnded)
			require.ErrorContains(t, err, "invalid_grant")
			require.Nil(t, b.load())
			if name != "cookie" {
				require.Nil(t, b.node(c).load())
			}
			_, err = b.RefreshTokens(context.Background(), s, p.due, p.refresh)
			require.ErrorIs(t, err, session.ErrEnded)
		})
	}
}

func TestAFailedRefreshPauses(t *testing.T) { // RF-04
	for name, c := range stores() {
		t.Run(name, func(t *testing.T) {
			b, p, s := due(t, c)
			calls := 0
			down := func(context.Context, *session.ProviderTokens) (*session.ProviderTokens, error) {
				calls++
				return nil, errDown
			}
			for range 300 {
				_, err := b.RefreshTokens(context.Background(), s, p.due, down)
				require.ErrorIs(t, err, errDown)
				require.NotNil(t, b.load())
				b.now = b.now.Add(100 * time.Millisecond)
			}
			require.Equal(t, 3, calls)
			b.now = b.now.Add(10 * time.Second)
			got, err := b.RefreshTokens(context.Background(), s, p.due, p.refresh)
			require.NoError(t, err)
			require.Equal(t, "at-1", got.AccessToken)
		})
	}
}

func TestASignOutDuringARefreshStays(t *testing.T) { // SE-11
	store := session.NewMemoryStore(0, func() time.Time { return time.Unix(1790000000, 0) })
	for _, other := range []bool{false, true} {
		c := session.Config{Store: store}
		b, p, s := due(t, c)
		_, err := b.RefreshTokens(context.Background(), s, p.due, func(ctx context.Context, old *session.ProviderTokens) (*session.ProviderTokens, error) {
			where := b
			if other {
				where = b.node(c)
			}
			return must2(p.refresh(ctx, old)), where.Revoke(ctx, session.OfSubject(s.Issuer, s.Subject))
		})
		require.ErrorIs(t, err, session.ErrEnded)
		require.Nil(t, b.load())
	}
}

func must2(t *session.ProviderTokens, err error) *session.ProviderTokens {
	if err != nil {
		panic(err)
	}
	return t
}

// A request that was loaded before a refresh and renews its session after it brings
// tokens that are used up. What the application changes is the application's.
func TestARenewalKeepsWhatARefreshHasWritten(t *testing.T) { // RF-01, SE-11
	c := stores()["store"]
	b := newBox(t, c)
	p := newRotating(func() time.Time { return b.now })
	b.signedIn(p)
	slow := b.load()
	b.now = b.now.Add(time.Hour)
	_, err := b.RefreshTokens(context.Background(), b.load(), p.due, p.refresh)
	require.NoError(t, err)
	slow.Name = "Countess"
	require.NoError(t, b.rewrite(slow))
	require.Equal(t, "Countess", b.load().Name)
	require.Equal(t, "at-1", b.load().ProviderTokens.AccessToken)
	require.Equal(t, "at-1", slow.ProviderTokens.AccessToken)

	slow.ProviderTokens = nil
	require.NoError(t, b.rewrite(slow))
	require.Nil(t, b.load().ProviderTokens)
}

func TestTheLeaseOfANodeThatDied(t *testing.T) { // RF-01
	synctest.Test(t, func(t *testing.T) {
		store := session.NewMemoryStore(0, time.Now)
		p := newRotating(time.Now)
		m, err := session.NewManager(session.Config{Store: store}, []session.Secret{first}, time.Now)
		require.NoError(t, err)
		s := ada()
		s.ProviderTokens = p.tokens()
		w := httptest.NewRecorder()
		require.NoError(t, m.Start(w, httptest.NewRequest("GET", "https://app.example/", nil), s, true))
		r := httptest.NewRequest("GET", "https://app.example/", nil)
		r.AddCookie(w.Result().Cookies()[0])
		s, err = m.Load(r, true)
		require.NoError(t, err)
		time.Sleep(time.Hour)
		lease := keyOf("refresh " + keyOf(w.Result().Cookies()[0].Value))
		taken, err := store.Insert(context.Background(), lease, []byte("refreshing"), time.Now().Add(20*time.Second))
		require.NoError(t, err)
		require.True(t, taken)

		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_, err = m.RefreshTokens(ctx, s, p.due, p.refresh)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		got, err := m.RefreshTokens(context.Background(), s, p.due, p.refresh)
		require.NoError(t, err)
		require.Equal(t, "at-1", got.AccessToken)
		_, held, err := store.Find(context.Background(), lease)
		require.NoError(t, err)
		require.False(t, held, "a lease is given back")

		// One that is never given back keeps nobody waiting for good.
		time.Sleep(time.Hour)
		_, err = store.Insert(context.Background(), lease, []byte("refreshing"), time.Now().Add(time.Hour))
		require.NoError(t, err)
		_, err = m.RefreshTokens(context.Background(), s, p.due, p.refresh)
		require.ErrorContains(t, err, "another node")
		require.Equal(t, 1, p.calls)
		time.Sleep(24 * time.Hour)
	})
}

// late is a store in which another node is quicker, once.
type late struct {
	*session.MemoryStore
	first func()
}

func (l *late) Insert(ctx context.Context, key string, data []byte, expiry time.Time) (bool, error) {
	if f := l.first; f != nil {
		l.first = nil
		f()
	}
	return l.MemoryStore.Insert(ctx, key, data, expiry)
}

func TestALeaseThatAnotherNodeHasJustGivenBack(t *testing.T) { // RF-01
	store := &late{MemoryStore: session.NewMemoryStore(0, func() time.Time { return time.Unix(1790000000, 0) })}
	c := session.Config{Store: store}
	b, p, s := due(t, c)
	store.first = func() {
		_, err := b.node(c).RefreshTokens(context.Background(), s, p.due, p.refresh)
		require.NoError(t, err)
	}
	got, err := b.RefreshTokens(context.Background(), s, p.due, p.refresh)
	require.NoError(t, err)
	require.Equal(t, "at-1", got.AccessToken)
	require.Equal(t, 1, p.calls)
}

// plainStore is one that cannot compare and write in one step.
type plainStore struct{ session.Store }

// Two nodes then refresh at once. Of a provider that takes a token twice nobody is signed out.
func TestALostRaceWithoutALease(t *testing.T) {
	c := session.Config{Store: plainStore{session.NewMemoryStore(0, func() time.Time { return time.Unix(1790000000, 0) })}}
	b, p, s := due(t, c)
	got, err := b.RefreshTokens(context.Background(), s, p.due, func(ctx context.Context, old *session.ProviderTokens) (*session.ProviderTokens, error) {
		_, err := b.node(c).RefreshTokens(ctx, s, p.due, p.refresh)
		require.NoError(t, err)
		return nil, fmt.Errorf("%w: invalid_grant", session.ErrEnded)
	})
	require.NoError(t, err)
	require.Equal(t, "at-1", got.AccessToken)
	require.NotNil(t, b.load())
}

func TestCookiesThatAreBehind(t *testing.T) { // RF-01
	b := newBox(t, session.Config{})
	p := newRotating(func() time.Time { return b.now })
	b.signedIn(p)
	s := b.load()
	for i := 1; i <= 5; i++ {
		b.now = b.now.Add(time.Hour)
		for range 3 { // the browser still brings the first
			got, err := b.RefreshTokens(context.Background(), s, p.due, p.refresh)
			require.NoError(t, err)
			require.Equal(t, fmt.Sprintf("at-%d", i), got.AccessToken)
			require.Equal(t, i, p.calls)
		}
	}
}

// A provider may give the same tokens once more.
func TestTokensThatStayTheSame(t *testing.T) {
	b := newBox(t, session.Config{})
	p := newRotating(func() time.Time { return b.now })
	b.signedIn(p)
	b.now = b.now.Add(time.Hour)
	calls := 0
	for range 3 {
		_, err := b.RefreshTokens(context.Background(), b.load(), p.due, func(_ context.Context, old *session.ProviderTokens) (*session.ProviderTokens, error) {
			calls++
			same := *old
			return &same, nil
		})
		require.NoError(t, err)
	}
	require.Equal(t, 3, calls)
}

func TestARefreshThatPanics(t *testing.T) {
	for name, c := range stores() {
		t.Run(name, func(t *testing.T) {
			b := newBox(t, c)
			p := newRotating(func() time.Time { return b.now })
			b.signedIn(p)
			b.now = b.now.Add(time.Hour)
			_, err := b.RefreshTokens(context.Background(), b.load(), p.due, func(context.Context, *session.ProviderTokens) (*session.ProviderTokens, error) {
				panic("at-4711")
			})
			require.ErrorContains(t, err, "panicked")
			require.NotContains(t, err.Error(), "4711")
			got, err := b.RefreshTokens(context.Background(), b.load(), p.due, p.refresh)
			require.NoError(t, err)
			require.Equal(t, "at-1", got.AccessToken)
		})
	}
}

// flaky is a store that fails a few times when something is replaced.
type flaky struct {
	*session.MemoryStore
	left atomic.Int32
}

func (f *flaky) Replace(ctx context.Context, key string, old, data []byte, expiry time.Time) (bool, error) {
	if f.left.Add(-1) >= 0 {
		return false, errDown
	}
	return f.MemoryStore.Replace(ctx, key, old, data, expiry)
}

func TestNewTokensOutlastAStoreThatFails(t *testing.T) { // RF-06
	store := &flaky{MemoryStore: session.NewMemoryStore(0, func() time.Time { return time.Unix(1790000000, 0) })}
	b := newBox(t, session.Config{Store: store})
	p := newRotating(func() time.Time { return b.now })
	b.signedIn(p)
	b.now = b.now.Add(time.Hour)
	store.left.Store(3)
	_, err := b.RefreshTokens(context.Background(), b.load(), p.due, p.refresh)
	require.NoError(t, err)
	require.Equal(t, "at-1", b.load().ProviderTokens.AccessToken)
}

func TestAStoreThatIsDownSignsNobodyOut(t *testing.T) { // SE-06
	for _, method := range []string{"Find", "Delete"} {
		b, store := newStored(t, session.Config{})
		p := newRotating(func() time.Time { return b.now })
		b.signedIn(p)
		s := b.load()
		b.now = b.now.Add(time.Hour)
		store.fail, p.good = method, "none"
		_, err := b.RefreshTokens(context.Background(), s, p.due, p.refresh)
		require.ErrorIs(t, err, session.ErrStore, method)
		require.False(t, errors.Is(err, session.ErrEnded), method)
		store.fail = ""
		require.NotNil(t, b.load(), method)
	}
}

func TestTokensThatDoNotFitAreLeftOut(t *testing.T) { // RF-05, CK-06
	b := newBox(t, session.Config{})
	s := ada()
	s.ProviderTokens = &session.ProviderTokens{AccessToken: strings.Repeat("a", 4000), RefreshToken: "rt"}
	require.NoError(t, b.start(s))
	require.Nil(t, s.ProviderTokens)
	got := b.load()
	require.Nil(t, got.ProviderTokens)
	require.Equal(t, ada().Groups, got.Groups)
	require.Empty(t, got.Claims())
}
