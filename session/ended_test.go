package session_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/session"
)

func TestNobodyMakesAnothersSignOutForgotten(t *testing.T) { // SE-04, SE-08
	b := newBox(t, session.Config{})
	require.NoError(t, b.start(ada()))
	token := b.cookies[cookieName]
	require.NoError(t, b.end())
	ended := session.EndedOf(b.Manager)
	for i := range 3_000 {
		ended.Add(strconv.Itoa(i), "mallory", b.now.Add(90*24*time.Hour), b.now)
	}
	require.Nil(t, b.loadHeader("N="+token))
	ids, people := ended.Size()
	require.Equal(t, "1025 2", fmt.Sprint(ids, " ", people))

	// A thousand people who do nothing else fill it, and drive out one another.
	for i := range 1024 {
		for j := range 130 {
			ended.Add(fmt.Sprint(i, " ", j), fmt.Sprint("mallory ", i), b.now.Add(80*24*time.Hour), b.now)
		}
	}
	ids, _ = ended.Size()
	require.Equal(t, 1<<17, ids)
	require.Nil(t, b.loadHeader("N="+token))
}

func TestWhoHasMostIsForgottenFirst(t *testing.T) { // SE-08
	now := time.Unix(1790000000, 0)
	e := session.NewEnded(20, 5)
	for i := range 15 {
		e.Add(strconv.Itoa(i), strconv.Itoa(i), now.Add(time.Duration(100+i)*time.Second), now)
	}
	for i := range 10 {
		e.Add("m"+strconv.Itoa(i), "mallory", now.Add(time.Duration(200-i)*time.Second), now)
	}
	has := func(ids ...string) (n int) {
		for _, id := range ids {
			if e.Has(id) {
				n++
			}
		}
		return n
	}
	require.Equal(t, 5, has("m0", "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "m9"))
	require.Equal(t, 5, has("m0", "m1", "m2", "m3", "m9"), "theirs that ended first made room for the next")
	for i := range 15 {
		require.True(t, e.Has(strconv.Itoa(i)))
	}
	for i := 15; i < 19; i++ {
		e.Add(strconv.Itoa(i), strconv.Itoa(i), now.Add(time.Minute), now)
	}
	require.Equal(t, 1, has("m0", "m1", "m2", "m3", "m9"), "who has most makes room")
	e.Add("19", "19", now.Add(time.Hour), now)
	require.Equal(t, 19, has("0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16", "17", "18", "19")+0*has("m0"))
	ids, people := e.Size()
	require.Equal(t, "20 20", fmt.Sprint(ids, " ", people))
	require.False(t, e.Has("15") && e.Has("16") && e.Has("17") && e.Has("18"), "where all have one, the one that ends first goes")
}

func TestAnEndIsRememberedUntilThen(t *testing.T) { // SE-03, SE-04
	now := time.Unix(1790000000, 0)
	e := session.NewEnded(1000, 1000)
	e.Add("a", "ada", now.Add(time.Minute), now)
	e.Add("a", "ada", now.Add(time.Hour), now)
	e.Add("a", "ada", now.Add(time.Second), now)
	e.Add("", "ada", now.Add(time.Hour), now)
	e.Add("b", "ada", now.Add(time.Hour), now.Add(time.Hour-time.Second))
	require.True(t, e.Has("a") && e.Has("b") && !e.Has(""), "the longest counts")
	e.Add("c", "ada", now.Add(2*time.Hour), now.Add(time.Hour+time.Second))
	require.False(t, e.Has("a"))
	e.Remove("c")
	e.Remove("c")
	e.Remove("never there")
	require.False(t, e.Has("c"))
	for i := range 10_000 {
		e.Add(strconv.Itoa(i), strconv.Itoa(i), now.Add(time.Duration(i+1)*time.Second), now.Add(time.Duration(i)*time.Second))
	}
	ids, people := e.Size()
	require.Less(t, ids, 100, "what has expired does not pile up")
	require.Equal(t, ids, people)

	// Another node may renew a session until the end of its Lifetime.
	b := newBox(t, session.Config{})
	begun := b.now
	require.NoError(t, b.start(ada()))
	other := newBox(t, session.Config{})
	other.cookies[cookieName] = b.cookies[cookieName]
	require.NoError(t, b.end())
	for other.now.Before(begun.Add(89 * 24 * time.Hour)) {
		require.NoError(t, other.renew(other.load()))
		other.now = other.now.Add(25 * time.Hour)
		session.EndedOf(b.Manager).Add(other.now.String(), "eve", other.now.Add(time.Second), other.now)
		b.now = other.now
		require.Nil(t, b.loadHeader("N="+other.cookies[cookieName]), "%s after the sign-out", b.now.Sub(begun))
	}
	session.EndedOf(b.Manager).Add("x", "eve", begun.Add(91*24*time.Hour), begun.Add(90*24*time.Hour+16*time.Second))
	ids, _ = session.EndedOf(b.Manager).Size()
	require.Equal(t, 1, ids)

	// One that Auth.js made to last longer is remembered for longer.
	long := fmt.Sprintf(`{"jti":"long","sub":"ada","iat":%d,"exp":%d}`, b.now.Unix(), b.now.Add(400*24*time.Hour).Unix())
	b.cookies[cookieName] = sealed(long)
	require.NoError(t, b.end())
	b.now = b.now.Add(399 * 24 * time.Hour)
	session.EndedOf(b.Manager).Add("y", "eve", b.now.Add(time.Hour), b.now)
	require.Nil(t, b.loadHeader("N="+sealed(long)))
}

func TestWhatEndedSessionsCost(t *testing.T) { // SE-08
	before := heap()
	e := session.NewEnded(1<<15, 1<<10)
	now := time.Unix(1790000000, 0)
	for i := range 1 << 15 {
		e.Add(fmt.Sprintf("%036d", i), strconv.Itoa(i), now.Add(time.Hour), now)
	}
	took := heap() - before
	t.Logf("%d bytes", took)
	require.Less(t, took, (20<<20)/4)
	runtime.KeepAlive(e)
}

func TestEndedSessionsAreSafeForConcurrentUse(t *testing.T) {
	e := session.NewEnded(50, 5)
	now := time.Unix(1790000000, 0)
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			for j := range 500 {
				id := fmt.Sprint(i, " ", j)
				e.Add(id, strconv.Itoa(j%20), now.Add(time.Duration(j)*time.Second), now)
				e.Has(id)
				if j%7 == 0 {
					e.Remove(id)
				}
			}
		})
	}
	wait.Wait()
	ids, _ := e.Size()
	require.LessOrEqual(t, ids, 50)
}

// heap is how many bytes are in use.
func heap() int {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// hooked is a store that something happens to before a call reaches it. It has the
// three methods and no more.
type hooked struct {
	session.Store
	before func(method string)
}

func (h *hooked) call(method string) {
	if f := h.before; f != nil {
		h.before = nil
		f(method)
		if h.before == nil {
			h.before = f
		}
	}
}

func (h *hooked) Find(ctx context.Context, key string) ([]byte, bool, error) {
	h.call("Find")
	return h.Store.Find(ctx, key)
}

func (h *hooked) Commit(ctx context.Context, key string, data []byte, expiry time.Time) error {
	h.call("Commit")
	return h.Store.Commit(ctx, key, data, expiry)
}

// swapping is hooked with Replace.
type swapping struct{ hooked }

func (s *swapping) Insert(ctx context.Context, key string, data []byte, expiry time.Time) (bool, error) {
	s.call("Insert")
	return s.Store.(session.Replacer).Insert(ctx, key, data, expiry)
}

func (s *swapping) Replace(ctx context.Context, key string, old, data []byte, expiry time.Time) (bool, error) {
	s.call("Replace")
	return s.Store.(session.Replacer).Replace(ctx, key, old, data, expiry)
}

func TestASignOutDuringARenewalStays(t *testing.T) { // SE-11, SE-12
	for _, at := range []string{"Find", "Commit"} {
		var b *box
		store := &hooked{Store: memory(&b)}
		b = newBox(t, session.Config{Store: store})
		require.NoError(t, b.start(ada()))
		value := b.cookies[cookieName]
		b.now = b.now.Add(25 * time.Hour)
		slow, s := b.request(), b.load()
		store.before = func(method string) {
			if method == at {
				require.NoError(t, b.end())
			}
		}
		w := httptest.NewRecorder()
		require.NoError(t, b.Renew(w, slow, s, true))
		require.Empty(t, w.Header(), at)
		store.before = nil
		require.Nil(t, b.loadHeader("N="+value), at)
		_, there, _ := store.Find(context.Background(), keyOf(value))
		require.False(t, there, "another node does not find it either")
	}
}

func TestASignOutThatFailedLeavesRenewalsAlone(t *testing.T) { // SE-06
	b, store := newStored(t, session.Config{})
	require.NoError(t, b.start(ada()))
	store.fail = "Delete"
	require.ErrorIs(t, b.end(), session.ErrStore)
	store.fail = ""
	s := b.load()
	s.Name = "Countess"
	require.NoError(t, b.rewrite(s))
	require.Equal(t, "Countess", b.load().Name)
}

func TestASignOutElsewhereStaysWhereTheStoreCompares(t *testing.T) { // SE-11
	var b *box
	store := &swapping{hooked{Store: memory(&b)}}
	b = newBox(t, session.Config{Store: store})
	require.NoError(t, b.start(ada()))
	value := b.cookies[cookieName]
	key := keyOf(value)
	expiry := b.now.Add(time.Hour)
	store.before = func(method string) {
		if method == "Replace" {
			require.NoError(t, store.Store.Delete(context.Background(), key)) // another node's
		}
	}
	s := b.load()
	require.NoError(t, b.rewrite(s))
	require.Empty(t, b.set)
	require.Nil(t, b.load())

	// Of two changes at once the later one stays.
	store.before = nil
	require.NoError(t, b.start(ada()))
	key = keyOf(b.cookies[cookieName])
	s = b.load()
	s.Name = "Countess"
	other, n := session.Record(b.Manager, key, `{"sub":"ada","iat":1790000000,"exp":1790003600}`), 0
	store.before = func(method string) {
		if n++; method == "Replace" && n < 3 {
			require.NoError(t, store.Store.Commit(context.Background(), key, other, expiry))
		}
	}
	require.NoError(t, b.rewrite(s))
	require.Equal(t, "Countess", b.load().Name)
	require.Equal(t, value[:0]+b.cookies[cookieName], b.set[0].Value)

	// One that never gets its turn says so.
	store.before = func(method string) {
		if method == "Replace" {
			n++
			require.NoError(t, store.Store.Commit(context.Background(), key, fmt.Append(other, " ", n), expiry))
		}
	}
	require.ErrorIs(t, b.rewrite(b.load()), session.ErrStore)
	require.Empty(t, b.set)
}

func TestMemoryStoreReplaces(t *testing.T) { // SE-11
	now := time.Unix(1790000000, 0)
	m := session.NewMemoryStore(3, func() time.Time { return now })
	var store session.Replacer = m
	ctx, data := context.Background(), []byte("2")
	replace := func(old, data string) bool {
		swapped, err := store.Replace(ctx, "k", []byte(old), []byte(data), now.Add(time.Minute))
		require.NoError(t, err)
		return swapped
	}
	require.False(t, replace("", "1"), "there is nothing")
	require.NoError(t, m.Commit(ctx, "k", []byte("1"), now.Add(time.Hour)))
	require.False(t, replace("", "2"))
	require.False(t, replace("12", "2"))
	require.True(t, replace("1", "2"))
	require.False(t, replace("1", "3"))
	got, _, _ := m.Find(ctx, "k")
	require.Equal(t, "2", string(got))
	_, err := m.Replace(ctx, "k", []byte("2"), data, now.Add(time.Minute))
	require.NoError(t, err)
	data[0] = 'x'
	got, _, _ = m.Find(ctx, "k")
	require.Equal(t, "2", string(got), "it keeps a copy")
	now = now.Add(time.Minute)
	require.False(t, replace("2", "3"), "it has expired, with the new expiry")
	require.NoError(t, m.Delete(ctx, "k"))
	require.False(t, replace("2", "3"))
}

func TestASignOutWhileARenewalIsWritten(t *testing.T) { // SE-12
	now, out := time.Unix(1790000000, 0), func() {}
	m, err := session.NewManager(session.Config{}, []session.Secret{first}, func() time.Time {
		f := out
		out = func() {}
		f()
		return now
	})
	require.NoError(t, err)
	w := httptest.NewRecorder()
	require.NoError(t, m.Start(w, httptest.NewRequest("GET", "/", nil), ada(), true))
	r := httptest.NewRequest("GET", "/", nil)
	r.AddCookie(w.Result().Cookies()[0])
	now = now.Add(25 * time.Hour)
	for name, write := range map[string]func(http.ResponseWriter, *http.Request, *session.Session, bool) error{"Rewrite": m.Rewrite, "Renew": m.Renew} {
		s, err := m.Load(r, true)
		require.NoError(t, err)
		if s == nil {
			continue // the other one was first
		}
		before := *s
		out = func() { require.NoError(t, m.End(httptest.NewRecorder(), r, true)) }
		w = httptest.NewRecorder()
		require.NoError(t, write(w, r, s, true))
		require.Empty(t, w.Header(), name)
		require.Equal(t, before, *s)
	}
}
