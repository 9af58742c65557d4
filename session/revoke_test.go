package session_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/session"
)

// fleet is nodes that share a store and a clock, and the browsers that use them.
type fleet struct {
	t     *testing.T
	nodes []*box
}

func newFleet(t *testing.T, nodes int, c session.Config, secrets ...session.Secret) *fleet {
	f := &fleet{t: t}
	for range nodes {
		f.nodes = append(f.nodes, newBox(t, c, secrets...))
	}
	return f
}

func (f *fleet) advance(d time.Duration) {
	for _, b := range f.nodes {
		b.now = b.now.Add(d)
	}
}

// signIn begins s on a node, in a new browser.
func (f *fleet) signIn(node int, s *session.Session) (browser map[string]string) {
	f.t.Helper()
	b := f.nodes[node]
	b.cookies = map[string]string{}
	require.NoError(f.t, b.start(s))
	return b.cookies
}

// in is a node as browser sees it.
func (f *fleet) in(node int, browser map[string]string) *box {
	f.nodes[node].cookies = browser
	return f.nodes[node]
}

// signedIn is how many of browsers are signed in, on every node alike.
func (f *fleet) signedIn(browsers ...map[string]string) string {
	f.t.Helper()
	var lists []string
	for node := range f.nodes {
		var list []string
		for i, browser := range browsers {
			if f.in(node, browser).load() != nil {
				list = append(list, fmt.Sprint(i))
			}
		}
		lists = append(lists, strings.Join(list, " "))
	}
	require.Len(f.t, slices.Compact(lists), 1, "nodes do not agree: %v", lists)
	return lists[0]
}

func (f *fleet) revoke(node int, w session.Whose) {
	f.t.Helper()
	require.NoError(f.t, f.nodes[node].Revoke(context.Background(), w))
}

func who(subject, sid string) *session.Session {
	return &session.Session{Subject: subject, Provider: "oidc", Issuer: "https://op.example", ProviderSession: sid}
}

// modes are the two ways in which sessions can be taken back.
func modes(t *testing.T, test func(t *testing.T, c session.Config)) {
	for name, c := range map[string]session.Config{
		"store":   {Store: session.NewMemoryStore(0, func() time.Time { return time.Unix(1790000000, 0) })},
		"cookies": {Revocations: session.NewMemoryStore(0, func() time.Time { return time.Unix(1790000000, 0) })},
	} {
		t.Run(name, func(t *testing.T) { test(t, c) })
	}
}

func TestSessionsAreTakenBackOnEveryNode(t *testing.T) { // SE-05, SE-15, SE-16
	modes(t, func(t *testing.T, c session.Config) {
		f := newFleet(t, 3, c)
		phone, laptop := f.signIn(0, who("ada", "s1")), f.signIn(1, who("ada", "s2"))
		bob, other := f.signIn(2, who("bob", "s1")), f.signIn(0, &session.Session{Subject: "ada", Provider: "else", Issuer: "https://else.example"})
		require.Equal(t, "0 1 2 3", f.signedIn(phone, laptop, bob, other))

		f.revoke(2, session.Whose{})
		f.revoke(2, session.OfUser("nobody"))
		f.revoke(2, session.OfSubject("https://op.example", "s1"))
		f.revoke(2, session.OfProviderSession("https://else.example", "s1"))
		require.Equal(t, "0 1 2 3", f.signedIn(phone, laptop, bob, other))

		f.revoke(2, session.OfProviderSession("https://op.example", "s2"))
		require.Equal(t, "0 2 3", f.signedIn(phone, laptop, bob, other))
		f.revoke(0, session.OfSubject("https://op.example", "ada"))
		require.Equal(t, "2 3", f.signedIn(phone, laptop, bob, other))
		phone = f.signIn(1, who("ada", "s3"))
		require.Equal(t, "0 1 2", f.signedIn(phone, bob, other), "who was taken back may sign in again")
		f.revoke(0, session.OfUser("ada"))
		require.Equal(t, "1", f.signedIn(phone, bob, other), "the user's at any provider")
		require.Nil(t, f.in(0, other).load())
	})
}

func TestOneSessionAndAllButOne(t *testing.T) { // SE-05
	modes(t, func(t *testing.T, c session.Config) {
		f := newFleet(t, 2, c)
		a, b, d := f.signIn(0, who("ada", "")), f.signIn(1, who("ada", "")), f.signIn(1, who("ada", ""))
		idOf := func(browser map[string]string) string { return f.in(0, browser).load().ID }
		idA, idB := idOf(a), idOf(b)
		f.revoke(1, session.OfUser("ada").Only(idB))
		require.Equal(t, "0 2", f.signedIn(a, b, d))
		f.revoke(1, session.OfUser("ada").Only(""))
		f.revoke(1, session.OfUser("ada").Only(idB))
		require.Equal(t, "0 2", f.signedIn(a, b, d), "no session has no id")
		f.revoke(1, session.OfUser("ada").Except(idA))
		require.Equal(t, "0", f.signedIn(a, b, d))
		f.revoke(0, session.OfUser("ada").Except(idA))
		require.Equal(t, "0", f.signedIn(a, b, d), "again")
		f.advance(time.Minute)
		d = f.signIn(0, who("ada", ""))
		require.Equal(t, "0 1", f.signedIn(a, d), "whoever signs in after it")
		f.revoke(0, session.OfUser("ada").Except(idA))
		require.Equal(t, "0", f.signedIn(a, d), "until it is done again")
		f.revoke(0, session.OfUser("ada").Except(idB))
		require.Equal(t, "", f.signedIn(a, b, d), "what has ended is no exception")
	})
}

// The user's id is the application's, and may have been another when the session began.
func TestSessionsAreFoundByTheUsersID(t *testing.T) { // SE-05
	modes(t, func(t *testing.T, c session.Config) {
		c.UserID = func(s *session.Session) string { return "user-" + strings.TrimPrefix(s.Subject, "old-") }
		f := newFleet(t, 2, c)
		google, github := f.signIn(0, who("1", "")), f.signIn(1, &session.Session{Subject: "old-1", ProviderSubject: "583231", Provider: "github", Issuer: "https://github.com"})
		f.revoke(0, session.OfUser("1"))
		require.Equal(t, "0 1", f.signedIn(google, github))
		f.revoke(0, session.OfSubject("https://github.com", "583231"))
		require.Equal(t, "0", f.signedIn(google, github))
		github = f.signIn(1, &session.Session{Subject: "old-1", ProviderSubject: "583231", Provider: "github", Issuer: "https://github.com"})
		f.revoke(0, session.OfUser("user-1"))
		require.Equal(t, "", f.signedIn(google, github))
	})
}

func TestUserIDsOfAnySpelling(t *testing.T) { // SE-09, SE-10
	modes(t, func(t *testing.T, c session.Config) {
		f := newFleet(t, 1, c)
		ids := []string{"ada", "*", "{ada}", "ada' OR '1'='1", "%", "_", "ada\x00", "ada:1", "ünï", strings.Repeat("a", 255)}
		for _, id := range ids {
			ada, theirs := f.signIn(0, who("ada", "")), f.signIn(0, who(id, ""))
			f.revoke(0, session.OfUser(id))
			require.Equal(t, map[bool]string{true: "", false: "0"}[id == "ada"], f.signedIn(ada, theirs), id)
		}
	})
}

func TestASessionWithoutAnOwnerIsNobodys(t *testing.T) {
	modes(t, func(t *testing.T, c session.Config) {
		f := newFleet(t, 1, c)
		nobody := f.signIn(0, &session.Session{Name: "?"})
		f.revoke(0, session.OfUser(""))
		f.revoke(0, session.OfSubject("", ""))
		f.revoke(0, session.OfProviderSession("", ""))
		require.Equal(t, "0", f.signedIn(nobody))
	})
}

// A new secret in front of the old one loses nothing that was revoked, or that can be.
func TestRevocationUnderRotation(t *testing.T) { // SE-05
	modes(t, func(t *testing.T, c session.Config) {
		second := session.NewSecret("Jk3dZ8Oo1xWuF5sYcT0vLe7MgKnA2hQb")
		f := newFleet(t, 1, c)
		gone, stays := f.signIn(0, who("ada", "")), f.signIn(0, who("bob", ""))
		f.revoke(0, session.OfUser("ada"))
		f.nodes = append(f.nodes, newBox(t, c, second, first))
		require.Equal(t, "1", f.signedIn(gone, stays))
		f.revoke(1, session.OfUser("bob"))
		require.Nil(t, f.in(1, stays).load())
	})
}

func TestSignOutHoldsOnEveryNode(t *testing.T) { // SE-04
	modes(t, func(t *testing.T, c session.Config) {
		f := newFleet(t, 2, c)
		ada, bob := f.signIn(0, who("ada", "")), f.signIn(0, who("bob", ""))
		copied := map[string]string{cookieName: ada[cookieName]}
		require.NoError(t, f.in(1, ada).end())
		require.Equal(t, "1", f.signedIn(copied, bob))
		again := f.signIn(0, who("ada", ""))
		copied = map[string]string{cookieName: again[cookieName]}
		require.NoError(t, f.in(0, again).start(who("eve", "")))
		f.nodes[1].cookies = copied
		require.Nil(t, f.nodes[1].load(), "a sign-in ends the session before it")
	})
}

func TestRevocationNeedsAPlaceForIt(t *testing.T) {
	b := newBox(t, session.Config{})
	require.False(t, b.CanRevoke() || b.CanList())
	require.ErrorIs(t, b.Revoke(context.Background(), session.OfUser("ada")), errors.ErrUnsupported)
	_, err := b.List(context.Background(), session.OfUser("ada"))
	require.ErrorIs(t, err, errors.ErrUnsupported)

	plain := newBox(t, session.Config{Store: struct{ session.Store }{session.NewMemoryStore(0, nil)}})
	require.False(t, plain.CanRevoke() || plain.CanList())
	require.ErrorIs(t, plain.Revoke(context.Background(), session.OfUser("ada")), errors.ErrUnsupported)

	memory := session.NewMemoryStore(0, nil)
	require.True(t, newBox(t, session.Config{Store: memory}).CanList())
	require.True(t, newBox(t, session.Config{Revocations: memory}).CanRevoke())
	require.False(t, newBox(t, session.Config{Revocations: memory}).CanList())
	for want, c := range map[string]session.Config{
		"session: Revocations are for sessions that are in cookies": {Store: memory, Revocations: memory},
		"session: KeepAddress needs a Store":                        {KeepAddress: true},
	} {
		_, err := session.NewManager(c, []session.Secret{first}, time.Now)
		require.ErrorContains(t, err, want)
	}
}

func TestList(t *testing.T) { // SE-05
	now := time.Unix(1790000000, 0)
	store := session.NewMemoryStore(0, func() time.Time { return now })
	f := newFleet(t, 2, session.Config{Store: store})
	first := who("ada", "s1")
	first.Device, first.Address = "Firefox, Windows", "203.0.113.7"
	a := f.signIn(0, first)
	f.advance(time.Minute)
	b := f.signIn(1, who("ada", "s1"))
	f.signIn(1, who("bob", "s2"))
	list := func(w session.Whose) string {
		t.Helper()
		sessions, err := f.nodes[0].List(context.Background(), w)
		require.NoError(t, err)
		var texts []string
		for _, s := range sessions {
			texts = append(texts, fmt.Sprint(s.Subject, s.AuthTime.Unix()-1790000000))
		}
		return strings.Join(texts, " ")
	}
	require.Equal(t, "ada60 ada0", list(session.OfUser("ada")))
	require.Equal(t, "ada60 ada0", list(session.OfProviderSession("https://op.example", "s1")))
	require.Equal(t, "ada60", list(session.OfUser("ada").Except(f.in(0, a).load().ID)))
	require.Equal(t, "ada60", list(session.OfUser("ada").Only(f.in(0, b).load().ID)))
	require.Equal(t, "", list(session.OfUser("eve")))
	sessions, err := f.nodes[1].List(context.Background(), session.OfSubject("https://op.example", "ada"))
	require.NoError(t, err)
	require.Equal(t, "Firefox, Windows 203.0.113.7 s1", strings.Join([]string{sessions[1].Device, sessions[1].Address, sessions[1].ProviderSession}, " "))
	sessions[1].Name = "changed"
	require.Empty(t, f.in(0, a).load().Name)

	// Whose a session is may change, and then it is on no other's list.
	s := f.in(0, b).load()
	s.Subject = "countess"
	require.NoError(t, f.nodes[0].rewrite(s))
	require.Equal(t, "ada0", list(session.OfUser("ada")))
	require.Equal(t, "countess60", list(session.OfUser("countess")))

	// Older and newer ones are found as long as they can be renewed.
	f.advance(89 * 24 * time.Hour)
	now = f.nodes[0].now
	require.Equal(t, "", list(session.OfUser("ada")), "it has expired")
}

func TestAListIsTidied(t *testing.T) { // SE-09
	store := session.NewMemoryStore(0, func() time.Time { return time.Unix(1790000000, 0) })
	watched := &listing{MemoryStore: store}
	f := newFleet(t, 1, session.Config{Store: watched})
	a := f.signIn(0, who("ada", "s"))
	f.signIn(0, who("ada", "s"))
	require.Equal(t, []string{"Find", "List"}, watched.did("List"))
	key := keyOf(a[cookieName])
	watched.lost = key
	_, err := f.nodes[0].List(context.Background(), session.OfUser("ada"))
	require.NoError(t, err)
	require.Equal(t, []string{"Find", "Find", "List", "Remove"}, watched.did(""))
	watched.lost = ""
	require.NoError(t, f.in(0, a).end())
	require.Equal(t, []string{"Delete", "Find", "Remove", "Remove", "Remove"}, watched.did(""))
	_, lists := session.SizeOf(store)
	require.Equal(t, 3, lists)
}

// listing counts calls, and loses one key.
type listing struct {
	*session.MemoryStore
	calls []string
	lost  string
	fails string
}

func (l *listing) did(last string) (calls []string) {
	calls, l.calls = l.calls, nil
	if last != "" {
		return []string{"Find", "List"}
	}
	slices.Sort(calls)
	return calls
}

func (l *listing) call(name string) error {
	l.calls = append(l.calls, name)
	if l.fails == name {
		return errDown
	}
	return nil
}

func (l *listing) Find(ctx context.Context, key string) ([]byte, bool, error) {
	if err := l.call("Find"); err != nil || key == l.lost {
		return nil, false, err
	}
	return l.MemoryStore.Find(ctx, key)
}

func (l *listing) Delete(ctx context.Context, key string) error {
	if err := l.call("Delete"); err != nil {
		return err
	}
	return l.MemoryStore.Delete(ctx, key)
}

func (l *listing) Add(ctx context.Context, list, key string, expiry time.Time) error {
	if err := l.call("Add"); err != nil {
		return err
	}
	return l.MemoryStore.Add(ctx, list, key, expiry)
}

func (l *listing) List(ctx context.Context, list string) ([]string, error) {
	if err := l.call("List"); err != nil {
		return nil, err
	}
	return l.MemoryStore.List(ctx, list)
}

func (l *listing) Remove(ctx context.Context, list, key string) error {
	if err := l.call("Remove"); err != nil {
		return err
	}
	return l.MemoryStore.Remove(ctx, list, key)
}

func TestListsThatFail(t *testing.T) { // SE-06
	store := &listing{MemoryStore: session.NewMemoryStore(0, func() time.Time { return time.Unix(1790000000, 0) })}
	f := newFleet(t, 1, session.Config{Store: store})
	b, ctx := f.nodes[0], context.Background()
	store.fails = "Add"
	require.ErrorIs(t, b.start(who("ada", "")), session.ErrStore)
	require.Empty(t, b.set)
	entries, _ := session.SizeOf(store.MemoryStore)
	require.Zero(t, entries, "a session that nobody could find is none")
	store.fails = ""
	ada := f.signIn(0, who("ada", ""))
	s := b.load()
	store.fails = "Add"
	require.ErrorIs(t, b.rewrite(s), session.ErrStore)
	for _, fails := range []string{"List", "Find", "Delete"} {
		store.fails = fails
		require.ErrorIs(t, b.Revoke(ctx, session.OfUser("ada")), session.ErrStore, fails)
	}
	store.fails = ""
	require.Equal(t, "0", f.signedIn(ada), "a revocation that failed is none")
	store.fails = "Remove"
	require.NoError(t, b.Revoke(ctx, session.OfUser("ada")), "it has ended all the same")
	require.Equal(t, "", f.signedIn(ada))
}

// A node of a later release signs people in beside this one.
func TestALaterReleasesSessionsEndToo(t *testing.T) { // SE-07
	store := session.NewMemoryStore(0, func() time.Time { return time.Unix(1790000000, 0) })
	f := newFleet(t, 1, session.Config{Store: store})
	ctx, expiry := context.Background(), time.Unix(1790003600, 0)
	newer := func() (key string) {
		browser := f.signIn(0, who("ada", ""))
		key = keyOf(browser[cookieName])
		require.NoError(t, store.Commit(ctx, key, []byte("\x04?"), expiry))
		return key
	}
	there := func(key string) bool {
		_, found, _ := store.Find(ctx, key)
		return found
	}
	key := newer()
	list, err := f.nodes[0].List(ctx, session.OfUser("ada"))
	require.NoError(t, err)
	require.Empty(t, list)
	f.revoke(0, session.OfUser("ada").Only("x"))
	require.True(t, there(key), "which it is nobody knows here")
	f.revoke(0, session.OfUser("ada").Except("x"))
	require.False(t, there(key))
	key = newer()
	f.revoke(0, session.OfUser("ada"))
	require.False(t, there(key))

	// What is nobody's session stays, whatever list it is on.
	key = newer()
	require.NoError(t, store.Commit(ctx, key, []byte("junk"), expiry))
	f.revoke(0, session.OfUser("ada"))
	require.True(t, there(key))
}

func TestUnreadableDataIsToldOfOnce(t *testing.T) { // SE-07
	var log bytes.Buffer
	store := session.NewMemoryStore(0, func() time.Time { return time.Unix(1790000000, 0) })
	b := newBox(t, session.Config{Store: store, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	for _, data := range []string{"junk", "\x03a.b.c.d.e", "\x09", strings.Repeat("x", 10<<20)} {
		log.Reset()
		require.NoError(t, b.start(ada()))
		value := b.cookies[cookieName]
		require.NoError(t, store.Commit(context.Background(), keyOf(value), []byte(data), b.now.Add(time.Hour)))
		for range 3 {
			require.Nil(t, b.load())
		}
		require.Equal(t, 1, strings.Count(log.String(), "\n"), log.String())
		require.Contains(t, log.String(), "key="+keyOf(value))
		require.NotContains(t, log.String(), value)
		_, found, _ := store.Find(context.Background(), keyOf(value))
		require.True(t, found, "it is somebody else's to delete")
	}
}
