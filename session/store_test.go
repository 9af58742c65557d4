package session_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/session"
)

// watchedStore counts what is asked of a store, and fails where it is told to.
type watchedStore struct {
	session.Store
	mu     sync.Mutex
	calls  []string
	fail   string // the method that fails
	keys   []string
	data   []byte
	expiry time.Time
	ctx    context.Context
}

var errDown = errors.New("down")

func (s *watchedStore) called(ctx context.Context, method, key string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls, s.keys, s.ctx = append(s.calls, method), append(s.keys, key), ctx
	if s.fail == method {
		return errDown
	}
	return nil
}

func (s *watchedStore) Find(ctx context.Context, key string) ([]byte, bool, error) {
	if err := s.called(ctx, "Find", key); err != nil {
		return nil, false, err
	}
	return s.Store.Find(ctx, key)
}

func (s *watchedStore) Commit(ctx context.Context, key string, data []byte, expiry time.Time) error {
	if err := s.called(ctx, "Commit", key); err != nil {
		return err
	}
	s.data, s.expiry = data, expiry
	return s.Store.Commit(ctx, key, data, expiry)
}

func (s *watchedStore) Delete(ctx context.Context, key string) error {
	if err := s.called(ctx, "Delete", key); err != nil {
		return err
	}
	return s.Store.Delete(ctx, key)
}

// did is what was asked since it was called last.
func (s *watchedStore) did() string {
	list := strings.Join(s.calls, " ")
	s.calls = nil
	return list
}

func newStored(t *testing.T, c session.Config) (*box, *watchedStore) {
	var b *box
	s := &watchedStore{Store: memory(&b)}
	c.Store = s
	b = newBox(t, c)
	return b, s
}

func TestWhatAStoreIsAsked(t *testing.T) { // SE-02, CK-13
	b, store := newStored(t, session.Config{})
	require.Nil(t, b.load())
	require.Empty(t, store.did(), "a request without a cookie costs nothing")

	require.NoError(t, b.start(ada()))
	require.Equal(t, "Commit", store.did())
	require.Regexp(t, `^[A-Za-z0-9_-]{43}$`, b.cookies[cookieName])
	require.Equal(t, keyOf(b.cookies[cookieName]), store.keys[0])
	require.Regexp(t, `^[0-9a-f]{64}$`, store.keys[0])
	require.Equal(t, byte(3), store.data[0], "the version")
	require.Zero(t, (len(store.data)-1)%16, "blocks of AES and a tag")
	require.NotContains(t, string(store.data), b.cookies[cookieName])
	require.Equal(t, b.now.Add(30*24*time.Hour), store.expiry)
	require.Equal(t, store.expiry.UTC(), b.set[0].Expires)

	s := b.load()
	require.Equal(t, "Find", store.did())
	require.NoError(t, b.renew(s))
	require.Empty(t, store.did()+strings.Join(b.names(false), ""), "not due")
	b.now = b.now.Add(24 * time.Hour)
	require.NoError(t, b.renew(s))
	require.Equal(t, "Find Commit", store.did())
	require.Equal(t, []string{"N"}, b.names(false))
	require.Equal(t, b.now.Add(30*24*time.Hour), store.expiry)

	require.NoError(t, b.end())
	require.Equal(t, "Find Delete", store.did())
	require.Equal(t, []string{"N"}, b.names(true))
	for _, key := range store.keys {
		require.Equal(t, store.keys[0], key, "one session, one key")
	}
}

func TestAStoreIsGivenTheContextOfTheRequest(t *testing.T) { // SE-06
	b, store := newStored(t, session.Config{})
	ctx, cancel := context.WithCancel(context.WithValue(context.Background(), contextKey{}, "mine"))
	defer cancel()
	r := b.request().WithContext(ctx)
	w := httptest.NewRecorder()
	for _, step := range []func() error{
		func() error { return b.Start(w, r, ada(), true) },
		func() error { r.AddCookie(w.Result().Cookies()[0]); _, err := b.Load(r, true); return err },
		func() error { return b.End(w, r, true) },
	} {
		store.ctx = nil
		require.NoError(t, step())
		require.Equal(t, "mine", store.ctx.Value(contextKey{}))
	}
}

type contextKey struct{}

func TestAStoreThatFails(t *testing.T) { // SE-06
	for _, one := range []struct {
		fail string
		name string
		do   func(*box) error
	}{
		{"Find", "Load", func(b *box) error { _, err := b.Load(b.request(), true); return err }},
		{"Find", "Start", func(b *box) error { return b.start(ada()) }},
		{"Find", "End", (*box).end},
		{"Commit", "Start", func(b *box) error { return b.start(ada()) }},
		{"Delete", "End", (*box).end},
	} {
		b, store := newStored(t, session.Config{})
		require.NoError(t, b.start(ada()))
		store.fail = one.fail
		err := one.do(b)
		require.ErrorIs(t, err, session.ErrStore, one.name)
		require.ErrorIs(t, err, errDown, one.name)
		if one.name != "Load" {
			require.Empty(t, b.set, "%s: no cookie is set or deleted when %s fails", one.name, one.fail)
		}
		store.fail = ""
		require.NotNil(t, b.load(), "the session is there when the store is back")
	}
	for _, fail := range []string{"Find", "Commit"} {
		b, store := newStored(t, session.Config{})
		require.NoError(t, b.start(ada()))
		b.now = b.now.Add(25 * time.Hour)
		s := b.load()
		before := *s
		store.fail = fail
		require.ErrorIs(t, b.renew(s), session.ErrStore)
		require.Equal(t, before, *s)
		require.Empty(t, b.set)
	}

	b, store := newStored(t, session.Config{})
	require.NoError(t, b.start(ada()))
	old := b.cookies[cookieName]
	store.fail = "Delete"
	require.ErrorIs(t, b.start(ada()), session.ErrStore, "the session before goes on, and that is told")
	require.NotEqual(t, old, b.cookies[cookieName])
}

func TestASignInEndsTheStoredSessionBefore(t *testing.T) { // SE-01, SE-04
	b, store := newStored(t, session.Config{})
	require.NoError(t, b.start(ada()))
	old, oldID := b.cookies[cookieName], b.load().ID
	_ = store.did()
	require.NoError(t, b.start(ada()))
	require.Equal(t, "Find Commit Delete", store.did())
	require.NotEqual(t, old, b.cookies[cookieName])
	require.NotEqual(t, oldID, b.load().ID)
	b.cookies[cookieName] = old
	require.Nil(t, b.load())

	b.cookies[cookieName] = "planted-by-somebody-else"
	require.NoError(t, b.start(ada()))
	require.NotEqual(t, "planted-by-somebody-else", b.cookies[cookieName])
}

func TestSignOutEndsAllOfTheName(t *testing.T) { // CK-02, SE-04
	b, store := newStored(t, session.Config{})
	require.NoError(t, b.start(ada()))
	mine := b.cookies[cookieName]
	b.cookies = map[string]string{}
	require.NoError(t, b.start(ada()))
	other := b.cookies[cookieName]
	for _, header := range []string{"N=x; N=" + mine + "; N=" + other, "N=" + other + "; N=" + mine} {
		require.NotNil(t, b.loadHeader(header))
	}
	r, w := httptest.NewRequest("GET", "/", nil), httptest.NewRecorder()
	r.Header.Set("Cookie", replaceNames("N="+mine+"; N="+other))
	_ = store.did()
	require.NoError(t, b.End(w, r, true))
	require.Equal(t, "Find Delete Delete", store.did())
	require.Nil(t, b.loadHeader("N="+mine))
	require.Nil(t, b.loadHeader("N="+other))
}

func TestASlowRequestDoesNotUndoASignOut(t *testing.T) { // SE-11, SE-12
	b, _ := newStored(t, session.Config{})
	require.NoError(t, b.start(ada()))
	value := b.cookies[cookieName]
	b.now = b.now.Add(25 * time.Hour)
	slow, s := b.request(), b.load()
	require.NoError(t, b.end())
	w := httptest.NewRecorder()
	s.Name = "Countess"
	require.NoError(t, b.Rewrite(w, slow, s, true))
	require.Empty(t, w.Header())
	require.Nil(t, b.loadHeader("N="+value))
}

func TestStoredSessionsEndInTime(t *testing.T) { // SE-03, SE-14
	now := time.Unix(1790000000, 0)
	forgetful := &watchedStore{Store: session.NewMemoryStore(0, func() time.Time { return time.Unix(0, 0) })} // knows no expiry
	b := newBox(t, session.Config{Store: forgetful, MaxAge: time.Hour, UpdateAge: time.Minute, Lifetime: 3 * time.Hour})
	require.NoError(t, b.start(ada()))
	for _, one := range []struct {
		after    time.Duration
		signedIn bool
	}{{0, true}, {time.Hour + 14*time.Second, true}, {time.Hour + 15*time.Second, false}, {-15 * time.Second, true}, {-16 * time.Second, false}} {
		b.now = now.Add(one.after)
		require.Equal(t, one.signedIn, b.load() != nil, one.after)
	}
	for b.now = now; b.now.Before(now.Add(3 * time.Hour)); b.now = b.now.Add(30 * time.Minute) {
		require.NoError(t, b.renew(b.load()))
	}
	require.Equal(t, now.Add(3*time.Hour), forgetful.expiry.Local())
	require.Nil(t, b.load(), "Lifetime has no leeway")
	b.now = b.now.Add(-time.Second)
	require.NotNil(t, b.load())
}

// TestWhatAStoreHasOtherwise is nobody's session, and left alone: it may be another
// application's, or of a secret that is not there any more.
func TestWhatAStoreHasOtherwise(t *testing.T) { // SE-06, SE-07, JE-14
	b, store := newStored(t, session.Config{})
	require.NoError(t, b.start(ada()))
	key := store.keys[0]
	const times = `"iat":1790000000,"exp":1790003600`
	token := session.NewCodec(cookieName, []session.Secret{first}).Seal([]byte(`{"sub":"ada",` + times + `}`))
	other, _ := newStored(t, session.Config{})
	other.Manager, _ = session.NewManager(session.Config{Store: memory(&other)}, []session.Secret{session.NewSecret("another-secret-of-32-bytes-or-more!")}, time.Now)
	record := string(session.Record(b.Manager, key, `{"sub":"ada",`+times+`}`))
	for name, data := range map[string]string{
		"nothing":                   "",
		"garbage":                   "garbage",
		"large garbage":             strings.Repeat("x", 10<<20),
		"the version alone":         "\x03",
		"no version":                record[1:],
		"an earlier version":        "\x02" + record[1:],
		"a later version":           "\x04" + record[1:],
		"no version of any":         "{" + record[1:],
		"not sealed":                "\x03\x02\x03ada\x11\x01\x12\x01",
		"a cookie's token":          token,
		"a token behind a version":  "\x03" + token,
		"without its end":           record[:len(record)-1],
		"without a block":           record[:len(record)-16],
		"longer":                    record + "x",
		"changed":                   record[:20] + string(record[20]^1) + record[21:],
		"another tag":               record[:len(record)-1] + string(record[len(record)-1]^1),
		"of another secret":         string(session.Record(other.Manager, key, `{"sub":"ada",`+times+`}`)),
		"another session's":         string(session.Record(b.Manager, strings.Repeat("0", 64), `{"sub":"ada",`+times+`}`)),
		"no key":                    string(session.Record(b.Manager, "", `{"sub":"ada",`+times+`}`)),
		"sealed, and empty":         string(session.Sealed(b.Manager, key, nil)),
		"sealed, and no session's":  string(session.Sealed(b.Manager, key, []byte(`{"sub":"ada",`+times+`}`))),
		"without an end":            string(session.Sealed(b.Manager, key, []byte("\x02\x03ada\x11\x01"))),
		"what is more than is kept": string(session.Record(b.Manager, key, `{"sub":"ada",`+times+`,"x":"`+strings.Repeat("x", 1100<<10)+`"}`)),
	} {
		require.NoError(t, store.Store.Commit(context.Background(), key, []byte(data), b.now.Add(time.Hour)))
		_ = store.did()
		require.Nil(t, b.load(), name)
		require.Nil(t, b.load(), name+", again")
		require.Equal(t, "Find Find", store.did(), name)
	}
	require.NoError(t, store.Store.Commit(context.Background(), key, session.Record(b.Manager, key, `{"sub":"ada",`+times+`}`), b.now.Add(time.Hour)))
	require.Equal(t, "ada", b.load().Subject)
	s := b.load()
	s.Groups, s.Name = []string{"changed"}, "changed"
	require.Empty(t, b.load().Name, "each request has its own")
}

// TestACopyOfTheStoreTellsNothing: no name, no address, no claim, and no cookie.
func TestACopyOfTheStoreTellsNothing(t *testing.T) { // SE-07
	b, store := newStored(t, session.Config{})
	s := ada()
	s.Subject, s.Name = "subject-of-ada", "Augusta Ada" // of letters enough to be nothing else by chance
	require.NoError(t, s.SetClaim("accessToken", "hunter2-hunter2"))
	require.NoError(t, b.start(s))
	dump := string(store.data) + strings.Join(store.keys, " ")
	for _, secret := range []string{s.Subject, s.Name, "example.com", "provider_issuer", "hunter2", s.ID, b.cookies[cookieName]} {
		require.NotContains(t, dump, secret)
	}
	require.Equal(t, "hunter2-hunter2", b.load().Claims()["accessToken"])

	// A new secret in front signs nobody out, and the next renewal seals with it.
	rotated := newBox(t, session.Config{Store: store.Store}, session.NewSecret("a-new-secret-of-32-bytes-or-more!!"), first)
	rotated.cookies = b.cookies
	require.Equal(t, s.Subject, rotated.load().Subject)
	require.NoError(t, rotated.rewrite(rotated.load()))
	require.Nil(t, b.load(), "the old one alone does not open it")
	require.Equal(t, s.Subject, rotated.load().Subject)

	require.NoError(t, s.SetClaim("large", strings.Repeat("x", 1000<<10)))
	require.NoError(t, b.start(s))
	require.Len(t, b.load().Claims()["large"], 1000<<10, "more than a cookie's token")
	require.NoError(t, s.SetClaim("large", strings.Repeat("x", 1024<<10)))
	require.ErrorIs(t, b.start(s), session.ErrTooLarge)
}

// TestTheFirstValueThatHolds: those that look like keys are asked about, so many as a
// browser keeps.
func TestTheFirstValueThatHolds(t *testing.T) { // SE-08
	b, store := newStored(t, session.Config{})
	require.NoError(t, b.start(ada()))
	header := "N=y; N=" + b.cookies[cookieName]
	require.Equal(t, "ada", b.loadHeader(header).Subject, "the first that holds")
	_ = store.did()
	require.NotNil(t, b.loadHeader(strings.Repeat("N=x; N="+strings.Repeat("x", 43)+"; ", 1000)+"N="+b.cookies[cookieName]))
	require.Equal(t, "Find", store.did(), "a store is not asked for what is no key")
	require.NotNil(t, b.loadHeader(planted(179)+"N="+b.cookies[cookieName]), "as many as a browser keeps")
	require.Len(t, store.calls, 180)
	_ = store.did()
	require.Nil(t, b.loadHeader(planted(180)+"N="+b.cookies[cookieName]))
	require.Len(t, store.calls, 180, "what planted cookies cost is bounded")
}

// planted are n cookies of ours that look like keys.
func planted(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "N=%043d; ", i*10)
	}
	return b.String()
}

func TestAStoreTakesNeitherChunksNorV4(t *testing.T) {
	b, store := newStored(t, session.Config{UpgradeV4: true})
	require.NoError(t, b.start(ada()))
	value := b.cookies[cookieName]
	require.Nil(t, b.loadHeader("N.0="+value))
	b.cookies = map[string]string{}
	b.v4Token(b.claims(""))
	_ = store.did()
	require.Nil(t, b.load())
	require.Empty(t, store.did())
	require.NoError(t, b.end())
	require.Empty(t, b.cookies, "sign-out deletes v4's cookie all the same")
}

func TestMemoryStore(t *testing.T) { // SE-08
	now := time.Unix(1790000000, 0)
	m := session.NewMemoryStore(3, func() time.Time { return now })
	ctx := context.Background()
	has := func(keys ...string) string {
		var list []string
		for _, key := range keys {
			data, ok, err := m.Find(ctx, key)
			require.NoError(t, err)
			require.Equal(t, ok, data != nil)
			if ok {
				list = append(list, key+"="+string(data))
			}
		}
		return strings.Join(list, " ")
	}
	commit := func(key, data string, ttl time.Duration) {
		require.NoError(t, m.Commit(ctx, key, []byte(data), now.Add(ttl)))
	}
	commit("a", "1", time.Minute)
	commit("b", "1", time.Hour)
	commit("c", "1", 2*time.Hour)
	commit("b", "2", 3*time.Hour)
	require.Equal(t, "a=1 b=2 c=1", has("a", "b", "c", "d"), "what is there already needs no room")
	commit("d", "1", time.Second)
	require.Equal(t, "b=2 c=1 d=1", has("a", "b", "c", "d"), "the first to end makes room")
	now = now.Add(time.Second - 1)
	require.Equal(t, "d=1", has("d"))
	now = now.Add(1)
	require.Equal(t, "", has("d"), "expiry itself is too late")
	commit("e", "1", time.Minute)
	require.Equal(t, "b=2 c=1 e=1", has("b", "c", "e"), "what has expired is not in the way")
	now = now.Add(2 * time.Hour)
	commit("f", "1", time.Minute)
	require.Equal(t, "b=2 f=1", has("b", "c", "e", "f"))
	now = now.Add(-2 * time.Hour)
	require.Equal(t, "b=2 c=1 f=1", has("b", "c", "e", "f"), "and what made room is gone for good")
	require.NoError(t, m.Delete(ctx, "b"))
	require.NoError(t, m.Delete(ctx, "b"))
	require.Equal(t, "c=1 f=1", has("b", "c", "f"))
}

func TestMemoryStoreKeepsCopies(t *testing.T) {
	m := session.NewMemoryStore(0, nil)
	ctx, data := context.Background(), []byte("ada")
	require.NoError(t, m.Commit(ctx, "k", data, time.Now().Add(time.Hour)))
	data[0] = 'x'
	got, _, _ := m.Find(ctx, "k")
	got[1] = 'x'
	got, ok, err := m.Find(ctx, "k")
	require.Equal(t, "ada true <nil>", fmt.Sprint(string(got), " ", ok, " ", err))
	require.NoError(t, m.Commit(ctx, "k", data, time.Now().Add(-time.Hour)))
	_, ok, _ = m.Find(ctx, "k")
	require.False(t, ok, "its clock is time.Now")
}

func TestMemoryStoreHoldsAHundredThousand(t *testing.T) { // SE-08
	now := time.Unix(1790000000, 0)
	m := session.NewMemoryStore(-1, func() time.Time { return now })
	ctx, n := context.Background(), 0
	for i := range 100_010 {
		require.NoError(t, m.Commit(ctx, strconv.Itoa(i), nil, now.Add(time.Hour)))
	}
	for i := range 100_010 {
		if _, ok, _ := m.Find(ctx, strconv.Itoa(i)); ok {
			n++
		}
	}
	require.Equal(t, 100_000, n)
}

// TestAStoreThatHangs: a request is not kept for longer than it takes to say so.
func TestAStoreThatHangs(t *testing.T) { // SE-06
	b, store := newStored(t, session.Config{})
	require.NoError(t, b.start(ada()))
	s := b.load()
	for method, call := range map[string]func() error{
		"Find":   func() error { _, err := b.Load(b.request(), true); return err },
		"Ready":  func() error { return b.Ready(context.Background()) },
		"Commit": func() error { return b.start(ada()) },
		"Delete": func() error { return b.end() },
		"Renew":  func() error { return b.rewrite(s) },
	} {
		store.ctx = nil
		require.NoError(t, call(), method)
		deadline, limited := store.ctx.Deadline()
		require.True(t, limited, method)
		require.InDelta(t, 5, time.Until(deadline).Seconds(), 2, method)
		require.Error(t, store.ctx.Err(), "%s: nothing waits for the clock afterwards", method)
		if method == "Delete" {
			require.NoError(t, b.start(ada()))
			s = b.load()
		}
	}
}

func TestReady(t *testing.T) { // SE-06
	require.NoError(t, newBox(t, session.Config{}).Ready(context.Background()), "there is nothing that could be down")
	b, store := newStored(t, session.Config{})
	require.NoError(t, b.Ready(context.Background()))
	require.Equal(t, "Find", store.did())
	require.Regexp(t, `^[0-9a-f]{64}$`, store.keys[0], "a key like any")
	store.fail = "Find"
	err := b.Ready(context.Background())
	require.ErrorIs(t, err, session.ErrStore)
	require.ErrorIs(t, err, errDown)
	store.fail = ""
	require.NoError(t, b.Ready(context.Background()), "it recovers by itself")
}
