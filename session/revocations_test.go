package session_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/session"
)

// asking counts how many questions are open at once, and what was asked.
type asking struct {
	session.Store
	mu         sync.Mutex
	open, most int
	names      []string
	fail       bool
}

func (a *asking) Find(ctx context.Context, key string) ([]byte, bool, error) {
	a.mu.Lock()
	a.open++
	a.most = max(a.most, a.open)
	a.names = append(a.names, key)
	fail := a.fail
	a.mu.Unlock()
	time.Sleep(time.Millisecond)
	a.mu.Lock()
	a.open--
	a.mu.Unlock()
	if fail {
		return nil, false, errDown
	}
	return a.Store.Find(ctx, key)
}

func TestRevocationsAreAskedForAtOnce(t *testing.T) {
	store := &asking{Store: session.NewMemoryStore(0, func() time.Time { return time.Unix(1790000000, 0) })}
	f := newFleet(t, 1, session.Config{Revocations: store})
	b := f.nodes[0]
	b.cookies = map[string]string{}
	require.Nil(t, b.load())
	require.Nil(t, b.loadHeader("N=junk"))
	require.Empty(t, store.names, "nobody is nobody without a question")
	ada := f.signIn(0, who("ada", "s"))
	require.Len(t, store.names, 3)
	store.names = nil
	require.NotNil(t, f.in(0, ada).load())
	require.Len(t, store.names, 4)
	require.Greater(t, store.most, 1)
	for _, name := range store.names {
		require.Regexp(t, `^[0-9a-f]{64}$`, name)
	}

	store.fail = true
	_, err := b.Load(b.request(), true)
	require.ErrorIs(t, err, session.ErrStore)
	require.ErrorIs(t, b.start(who("ada", "")), session.ErrStore)
	require.Empty(t, b.set)
	require.ErrorIs(t, b.end(), session.ErrStore)
	require.Empty(t, b.set, "nobody believes to be signed out")
	require.ErrorIs(t, b.Revoke(context.Background(), session.OfUser("ada")), session.ErrStore)
	require.ErrorIs(t, b.Ready(context.Background()), session.ErrStore)
	store.fail = false
	require.NotNil(t, b.load(), "a sign-out that failed is none")
	require.NoError(t, b.Ready(context.Background()))
}

// panicking is a store with a bug.
type panicking struct{ session.Store }

func (panicking) Find(context.Context, string) ([]byte, bool, error) { panic("index out of range") }

func TestAStoreThatPanicsTakesNobodyWithIt(t *testing.T) { // SE-06
	ada := newFleet(t, 1, session.Config{}).signIn(0, who("ada", ""))
	b := newBox(t, session.Config{Revocations: panicking{session.NewMemoryStore(0, nil)}})
	b.cookies = ada
	_, err := b.Load(b.request(), true)
	require.ErrorIs(t, err, session.ErrStore)
}

// Auth.js writes a token anew whenever it reads one, with another "jti" and "iat".
func TestARewrittenCopyIsTakenBackToo(t *testing.T) { // SE-04, SE-05
	for name, revoke := range map[string]func(f *fleet, browser map[string]string){
		"sign-out": func(f *fleet, browser map[string]string) { require.NoError(t, f.in(0, browser).end()) },
		"user":     func(f *fleet, _ map[string]string) { f.revoke(0, session.OfUser("ada")) },
		"one": func(f *fleet, browser map[string]string) {
			f.revoke(0, session.OfUser("ada").Only(f.in(0, browser).load().ID))
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFleet(t, 2, session.Config{Revocations: session.NewMemoryStore(0, func() time.Time { return time.Unix(1790000000, 0) })})
			ada := f.signIn(0, who("ada", ""))
			f.advance(time.Hour)
			before := map[string]string{cookieName: f.nodes[0].rewritten(ada[cookieName])}
			require.Equal(t, "0", f.signedIn(before))
			revoke(f, ada)
			f.advance(time.Hour)
			after := map[string]string{cookieName: f.nodes[0].rewritten(before[cookieName])}
			require.Equal(t, "", f.signedIn(before, after))
		})
	}
}

// SE-14: nodes whose clocks differ by as much as they may.
func TestRevocationAmongClocksThatDiffer(t *testing.T) {
	f := newFleet(t, 2, session.Config{Revocations: session.NewMemoryStore(0, func() time.Time { return time.Unix(1790000000, 0) })})
	f.nodes[1].now = f.nodes[1].now.Add(14 * time.Second)
	ahead := f.signIn(1, who("ada", ""))
	f.revoke(0, session.OfUser("ada"))
	require.Equal(t, "", f.signedIn(ahead), "it began before that, by a clock that is ahead")
	behind := f.signIn(0, who("ada", ""))
	require.Equal(t, "0", f.signedIn(behind), "who signs in afterwards is in, at once")
	s := f.in(0, behind).load()
	require.Equal(t, f.nodes[0].now.Unix(), s.AuthTime.Unix())
	require.NotEmpty(t, s.Claims()["signin_after"])
	f.advance(time.Minute)
	require.NoError(t, f.nodes[0].rewrite(s))
	require.Equal(t, "0", f.signedIn(behind))
	later := f.signIn(0, who("ada", ""))
	require.Empty(t, f.in(0, later).load().Claims(), "long after a revocation nobody needs to know of it")
	f.revoke(1, session.OfSubject("https://op.example", "ada"))
	require.Equal(t, "", f.signedIn(behind, later), "whoever came after one revocation did not after the next")
}

func TestRevocationsAreSealed(t *testing.T) { // SE-02
	store := &watchedStore{Store: session.NewMemoryStore(0, func() time.Time { return time.Unix(1790000000, 0) })}
	f := newFleet(t, 1, session.Config{Revocations: store, Lifetime: 40 * 24 * time.Hour})
	ada := f.signIn(0, who("ada@example.com", ""))
	id := f.in(0, ada).load().ID
	f.revoke(0, session.OfUser("ada@example.com").Except(id))
	require.NotContains(t, string(store.data), id)
	require.NotContains(t, strings.Join(store.keys, " "), "ada@example.com")
	require.Equal(t, 366*24*time.Hour+30*time.Second, store.expiry.Sub(f.nodes[0].now), "until the last token that it may be about would have expired")
	require.NoError(t, f.in(0, f.signIn(0, who("bob", ""))).end())
	require.Equal(t, 40*24*time.Hour+30*time.Second, store.expiry.Sub(f.nodes[0].now), "a sign-out is about a cookie")

	// What is under another name than its own, or changed, says nothing that anybody can
	// believe: all of the user's sessions have ended, and a sign-in mends it.
	ctx, data, name := context.Background(), store.data, store.keys[len(store.keys)-1]
	for what, put := range map[string]string{"garbage": "x", "moved": "", "text": "\x03a.b.c.d.e", "nothing": "{}"} {
		browser := f.signIn(0, who("bob", ""))
		f.revoke(0, session.OfUser("bob").Except(f.in(0, browser).load().ID))
		name = store.keys[len(store.keys)-1]
		if put == "" {
			put = string(data)
		}
		require.NoError(t, store.Store.Commit(ctx, name, []byte(put), f.nodes[0].now.Add(time.Hour)))
		require.Equal(t, "", f.signedIn(browser), what)
		browser = f.signIn(0, who("bob", ""))
		require.Equal(t, "0", f.signedIn(browser), what)
	}

	// That of a later release is left alone.
	browser := f.signIn(0, who("bob", ""))
	require.NoError(t, store.Store.Commit(ctx, name, []byte("\x04x"), f.nodes[0].now.Add(time.Hour)))
	require.Equal(t, "", f.signedIn(browser))
	require.ErrorIs(t, f.nodes[0].start(who("bob", "")), session.ErrStore)
	require.ErrorIs(t, f.nodes[0].Revoke(ctx, session.OfUser("bob")), session.ErrStore)
	left, _, _ := store.Store.Find(ctx, name)
	require.Equal(t, "\x04x", string(left))
}

// Whoever can write to the store must not undo a revocation with another one that is older.
func TestARevocationOfSomebodyElseUndoesNone(t *testing.T) { // SE-02
	store := &watchedStore{Store: session.NewMemoryStore(0, func() time.Time { return time.Unix(1790000000, 0) })}
	f := newFleet(t, 1, session.Config{Revocations: store})
	f.revoke(0, session.OfUser("eve"))
	older := store.data
	f.advance(time.Hour)
	bob := f.signIn(0, who("bob", ""))
	f.revoke(0, session.OfUser("bob"))
	name := store.keys[len(store.keys)-1]
	require.NoError(t, store.Store.Commit(context.Background(), name, older, f.nodes[0].now.Add(time.Hour)))
	require.Equal(t, "", f.signedIn(bob))
}

// A token that was taken back must not hide one that holds: a sibling domain can plant
// it in front.
func TestATokenThatWasTakenBackHidesNone(t *testing.T) { // CK-02
	f := newFleet(t, 1, session.Config{Revocations: session.NewMemoryStore(0, func() time.Time { return time.Unix(1790000000, 0) })})
	mine := f.signIn(0, who("ada", ""))
	f.advance(time.Minute)
	planted := f.signIn(0, who("eve", ""))
	f.revoke(0, session.OfUser("eve"))
	s := f.nodes[0].loadHeader("N=" + planted[cookieName] + "; N=" + mine[cookieName])
	require.NotNil(t, s)
	require.Equal(t, "ada", s.Subject)
}

// SE-11: neither of two revocations at once is lost.
func TestRevocationsAtOnce(t *testing.T) {
	for range 50 {
		f := newFleet(t, 2, session.Config{Revocations: session.NewMemoryStore(0, func() time.Time { return time.Unix(1790000000, 0) })})
		kept := f.signIn(0, who("ada", ""))
		id := f.in(0, kept).load().ID
		var wait sync.WaitGroup
		for i, w := range []session.Whose{session.OfUser("ada"), session.OfUser("ada").Except(id)} {
			wait.Go(func() { _ = f.nodes[i].Revoke(context.Background(), w) })
		}
		wait.Wait()
		require.Equal(t, "", f.signedIn(kept))
	}
}

// Tokens without an id, of whoever else has the secret, are not taken for one another.
func TestTokensWithoutAnID(t *testing.T) {
	f := newFleet(t, 1, session.Config{Revocations: session.NewMemoryStore(0, func() time.Time { return time.Unix(1790000000, 0) })})
	b := f.nodes[0]
	token := func(sub string) map[string]string {
		return map[string]string{cookieName: sealed(`{"sub":"` + sub + `","iat":1790000000,"exp":1790003600}`)}
	}
	require.NoError(t, f.in(0, token("ada")).end())
	require.Equal(t, "0 1", f.signedIn(token("ada"), token("bob")))
	require.NoError(t, b.Revoke(context.Background(), session.OfUser("ada")))
	require.Equal(t, "1", f.signedIn(token("ada"), token("bob")))
}
