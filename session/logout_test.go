package session_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/session"
)

const op = "https://op.example"

var logouts int

// logout is what the provider says, in a token of its own.
func logout(subject, sid string, at time.Time) session.Logout {
	logouts++
	return session.Logout{Issuer: op, Subject: subject, SessionID: sid, TokenID: fmt.Sprint("jti-", logouts), IssuedAt: at}
}

// signsIn is somebody by an ID token of that time.
func signsIn(subject, sid string, at time.Time) *session.Session {
	s := who(subject, sid)
	s.ProviderTime = at
	return s
}

func (f *fleet) logout(node int, l session.Logout) {
	f.t.Helper()
	require.NoError(f.t, f.nodes[node].ProviderLogout(context.Background(), l))
}

func TestProviderLogout(t *testing.T) { // BC-07, BC-11, BC-12
	modes(t, func(t *testing.T, c session.Config) {
		f := newFleet(t, 2, c)
		now := f.nodes[0].now
		a, b, eve := f.signIn(0, signsIn("ada", "s1", now)), f.signIn(1, signsIn("ada", "s2", now)), f.signIn(0, signsIn("eve", "s3", now))
		others := f.signIn(1, &session.Session{Subject: "ada", Provider: "oidc2", Issuer: "https://other.example", ProviderSession: "s1"})

		f.logout(0, logout("", "unknown", now))
		f.logout(0, logout("eve", "s1", now))
		require.Equal(t, "0 1 2 3", f.signedIn(a, b, eve, others), "sub and sid of two people mean nobody")
		f.logout(1, logout("ada", "s1", now))
		require.Equal(t, "1 2 3", f.signedIn(a, b, eve, others), "sid means one session, with sub or without")
		f.logout(1, logout("ada", "", now))
		require.Equal(t, "2 3", f.signedIn(a, b, eve, others), "sub alone means all of them")
		f.logout(1, logout("", "s3", now))
		require.Equal(t, "3", f.signedIn(a, b, eve, others), "of this issuer's")
	})
}

func TestLogoutTokenCountsOnce(t *testing.T) { // BC-06
	modes(t, func(t *testing.T, c session.Config) {
		f := newFleet(t, 2, c)
		now := f.nodes[0].now
		l := logout("ada", "", now)
		f.logout(0, l)
		again := f.signIn(0, signsIn("ada", "s2", now.Add(time.Second)))
		for node := range f.nodes {
			require.ErrorIs(t, f.nodes[node].ProviderLogout(context.Background(), l), session.ErrLogoutUsed)
		}
		require.Equal(t, "0", f.signedIn(again))
		l.Issuer = "https://other.example"
		f.logout(0, l) // whose ids are its own
	})
}

// TestLogoutBeforeTheSession: the answer of the provider is still on its way when the
// provider says that the person has signed out.
func TestLogoutBeforeTheSession(t *testing.T) { // BC-13
	modes(t, func(t *testing.T, c session.Config) {
		f := newFleet(t, 2, c)
		now := f.nodes[0].now
		begins := func(s *session.Session) error {
			b := f.in(1, map[string]string{})
			err := b.start(s)
			require.Equal(t, err == nil, len(b.cookies) > 0)
			require.Equal(t, err == nil, b.load() != nil)
			return err
		}
		f.logout(0, logout("", "s1", now))
		require.ErrorIs(t, begins(signsIn("ada", "s1", now.Add(-time.Minute))), session.ErrLoggedOut)
		require.ErrorIs(t, begins(signsIn("ada", "s1", now.Add(time.Minute))), session.ErrLoggedOut, "a session that has ended does not come back")
		require.NoError(t, begins(signsIn("ada", "s2", now)))

		f.logout(0, logout("ada", "", now))
		require.ErrorIs(t, begins(signsIn("ada", "s3", now.Add(-time.Minute))), session.ErrLoggedOut)
		require.ErrorIs(t, begins(signsIn("ada", "", now)), session.ErrLoggedOut)
		require.NoError(t, begins(signsIn("ada", "s4", now.Add(time.Second))))
		f.logout(0, logout("ada", "", now.Add(-time.Minute)))
		require.ErrorIs(t, begins(signsIn("ada", "", now)), session.ErrLoggedOut, "an earlier one that comes later")
		require.NoError(t, begins(signsIn("eve", "s5", now)))
		require.NoError(t, begins(who("ada", "")), "of whom nobody knows when the provider vouched")

		f.logout(0, logout("eve", "s6", now))
		later := now.Add(time.Second)
		require.NoError(t, begins(signsIn("ada", "s6", later)))
		require.ErrorIs(t, begins(signsIn("eve", "s6", later)), session.ErrLoggedOut)
		f.logout(0, logout("", "s6", now))
		require.ErrorIs(t, begins(signsIn("ada", "s6", later)), session.ErrLoggedOut)
	})
}

// TestLogoutWhileTheSessionIsStored: at each call of the store that a sign-in makes, the
// logout comes.
func TestLogoutWhileTheSessionIsStored(t *testing.T) { // BC-13
	for call := range 12 {
		watched := &interrupted{MemoryStore: session.NewMemoryStore(0, func() time.Time { return time.Unix(1790000000, 0) }), left: call}
		f := newFleet(t, 2, session.Config{Store: watched})
		now := f.nodes[0].now
		watched.interrupt = func() { f.logout(0, logout("ada", "s1", now)) }
		b := f.in(1, map[string]string{})
		err := b.start(signsIn("ada", "s1", now))
		if watched.left >= 0 {
			require.NoError(t, err)
			require.Greater(t, call, 4, "a sign-in makes more calls")
			return
		}
		require.True(t, err == nil || errors.Is(err, session.ErrLoggedOut), err)
		require.Nil(t, b.load(), "before call %d", call)
	}
	t.Fatal("a sign-in makes more calls than that")
}

// interrupted calls interrupt once, before the call that left counts down to.
type interrupted struct {
	*session.MemoryStore
	left      int
	interrupt func()
}

func (i *interrupted) call() {
	i.left--
	if i.left == -1 {
		i.interrupt()
	}
}

func (i *interrupted) Find(ctx context.Context, key string) ([]byte, bool, error) {
	i.call()
	return i.MemoryStore.Find(ctx, key)
}

func (i *interrupted) Commit(ctx context.Context, key string, data []byte, expiry time.Time) error {
	i.call()
	return i.MemoryStore.Commit(ctx, key, data, expiry)
}

func (i *interrupted) Add(ctx context.Context, list, key string, expiry time.Time) error {
	i.call()
	return i.MemoryStore.Add(ctx, list, key, expiry)
}

func TestProviderLogoutKeepsOldSecretsInMind(t *testing.T) { // BC-06, BC-13
	modes(t, func(t *testing.T, c session.Config) {
		old, rotated := newFleet(t, 1, c), newFleet(t, 1, c, second, first)
		now := old.nodes[0].now
		l := logout("", "s1", now)
		old.logout(0, l)
		b := rotated.in(0, map[string]string{})
		require.ErrorIs(t, b.ProviderLogout(context.Background(), l), session.ErrLogoutUsed)
		require.ErrorIs(t, b.start(signsIn("ada", "s1", now)), session.ErrLoggedOut)
	})
}

// TestProviderLogoutWithoutAStore: nothing is claimed to have ended, and the same token
// may come again.
func TestProviderLogoutWithoutAStore(t *testing.T) { // BC-06
	now := time.Unix(1790000000, 0)
	for _, call := range []string{"Find", "List", "Delete"} {
		store := &listing{MemoryStore: session.NewMemoryStore(0, func() time.Time { return now })}
		f := newFleet(t, 1, session.Config{Store: store})
		ada := f.signIn(0, signsIn("ada", "s1", now))
		l := logout("", "s1", now)
		store.fails = call
		require.ErrorIs(t, f.nodes[0].ProviderLogout(context.Background(), l), session.ErrStore, call)
		store.fails = ""
		f.logout(0, l)
		require.Equal(t, "", f.signedIn(ada))
	}

	for commits := range 2 { // of the notice, and of the token's name
		store := &fullStore{MemoryStore: session.NewMemoryStore(0, func() time.Time { return now }), left: 1 + commits}
		f := newFleet(t, 1, session.Config{Store: store})
		ada := f.signIn(0, signsIn("ada", "s1", now))
		l := logout("", "s1", now)
		require.ErrorIs(t, f.nodes[0].ProviderLogout(context.Background(), l), session.ErrStore)
		store.left = 9
		f.logout(0, l)
		require.Equal(t, "", f.signedIn(ada))
	}

	// A sign-in of which nobody can tell whether it is too late is none.
	store := &failingNotices{MemoryStore: session.NewMemoryStore(0, func() time.Time { return now })}
	b := newBox(t, session.Config{Store: store})
	require.ErrorIs(t, b.start(signsIn("ada", "s1", now)), session.ErrStore)
	require.Empty(t, b.cookies)
	sessions, lists := session.SizeOf(store.MemoryStore)
	require.Zero(t, sessions+lists, "nothing is left of it")

	// Nor is one where nobody can read the notice.
	store = &failingNotices{MemoryStore: session.NewMemoryStore(0, func() time.Time { return now }), garbled: true}
	require.ErrorIs(t, newBox(t, session.Config{Store: store}).start(signsIn("ada", "s1", now)), session.ErrLoggedOut)

	for _, c := range []session.Config{{}, {Store: struct{ session.Store }{session.NewMemoryStore(0, nil)}}} {
		require.ErrorIs(t, newBox(t, c).ProviderLogout(context.Background(), logout("ada", "", now)), errors.ErrUnsupported)
	}
	b = newBox(t, session.Config{Store: session.NewMemoryStore(0, nil)})
	for _, l := range []session.Logout{
		{Subject: "ada", SessionID: "s", TokenID: "t", IssuedAt: now},
		{Issuer: op, TokenID: "t", IssuedAt: now},
		{Issuer: op, Subject: "ada", IssuedAt: now},
	} {
		require.ErrorContains(t, b.ProviderLogout(context.Background(), l), "a logout of nobody")
	}
}

// fullStore takes so many commits.
type fullStore struct {
	*session.MemoryStore
	left int
}

func (s *fullStore) Commit(ctx context.Context, key string, data []byte, expiry time.Time) error {
	if s.left--; s.left < 0 {
		return errDown
	}
	return s.MemoryStore.Commit(ctx, key, data, expiry)
}

// failingNotices fails once something has been committed, or has only garbage from then on.
type failingNotices struct {
	*session.MemoryStore
	garbled, committed bool
}

func (s *failingNotices) Find(ctx context.Context, key string) ([]byte, bool, error) {
	switch {
	case s.committed && s.garbled:
		return []byte("{}"), true, nil
	case s.committed:
		return nil, false, errDown
	}
	return s.MemoryStore.Find(ctx, key)
}

func (s *failingNotices) Commit(ctx context.Context, key string, data []byte, expiry time.Time) error {
	s.committed = true
	return s.MemoryStore.Commit(ctx, key, data, expiry)
}

// TestSignInLooksForLogoutsOnlyWhereThereAreSome: it costs nothing elsewhere.
func TestSignInLooksForLogoutsOnlyWhereThereAreSome(t *testing.T) {
	store := &listing{MemoryStore: session.NewMemoryStore(0, func() time.Time { return time.Unix(1790000000, 0) })}
	f := newFleet(t, 1, session.Config{Store: store})
	finds := func(s *session.Session) (n int) {
		store.did("")
		f.signIn(0, s)
		for _, call := range store.did("") {
			if call == "Find" {
				n++
			}
		}
		return n
	}
	require.Zero(t, finds(who("ada", "s1")))
	require.Equal(t, 1, finds(signsIn("ada", "", f.nodes[0].now)))
	require.Equal(t, 2, finds(signsIn("ada", "s1", f.nodes[0].now)))

	f.logout(0, logout("", "s2", f.nodes[0].now))
	store.did("")
	require.ErrorIs(t, f.in(0, map[string]string{}).start(signsIn("ada", "s2", f.nodes[0].now)), session.ErrLoggedOut)
	require.Contains(t, store.did(""), "Remove", "it is on no list afterwards")
}
