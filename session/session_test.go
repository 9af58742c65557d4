package session_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/session"
)

var (
	first  = session.NewSecret("first-kY3nC0p9V1xJm5Q8sT2wZ7bL4hF6gD0a")
	second = session.NewSecret("second-pQ8sT2wZ7bL4hF6gD0aR3eU9iOqXyE5")
)

const cookieName = "__Secure-authjs.session-token"

// box is a manager with a clock, and a browser's cookies.
type box struct {
	t *testing.T
	*session.Manager
	now     time.Time
	cookies map[string]string
	set     []*http.Cookie // by the last answer
}

func newBox(t *testing.T, c session.Config, secrets ...session.Secret) *box {
	b := &box{t: t, now: time.Unix(1790000000, 0), cookies: map[string]string{}}
	if secrets == nil {
		secrets = []session.Secret{first}
	}
	var err error
	b.Manager, err = session.NewManager(c, secrets, func() time.Time { return b.now })
	require.NoError(t, err)
	return b
}

func (b *box) request() *http.Request {
	r := httptest.NewRequest("GET", "https://app.example/", nil)
	for name, value := range b.cookies {
		r.Header.Add("Cookie", name+"="+value)
	}
	return r
}

func (b *box) answer(f func(http.ResponseWriter, *http.Request) error) error {
	w := httptest.NewRecorder()
	err := f(w, b.request())
	b.set = w.Result().Cookies()
	for _, c := range b.set {
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		} else {
			b.cookies[c.Name] = c.Value
		}
	}
	return err
}

func (b *box) start(s *session.Session) error {
	return b.answer(func(w http.ResponseWriter, r *http.Request) error { return b.Start(w, r, s, true) })
}

func (b *box) load() *session.Session {
	s, err := b.Load(b.request(), true)
	require.NoError(b.t, err)
	return s
}

func ada() *session.Session {
	return &session.Session{Subject: "ada", Name: "Ada", Email: "ada@example.com", EmailVerified: true, Provider: "github", Issuer: "https://github.com/login/oauth", Groups: []string{"a", "b"}}
}

func TestStartAndLoad(t *testing.T) {
	b := newBox(t, session.Config{})
	s := ada()
	require.NoError(t, s.SetClaim("roles", []string{"admin"}))
	require.NoError(t, b.start(s))
	require.Len(t, b.set, 1)
	c := b.set[0]
	require.Equal(t, cookieName, c.Name)
	require.True(t, c.HttpOnly && c.Secure && c.Path == "/" && c.SameSite == http.SameSiteLaxMode && c.Domain == "") // CK-01, CK-10
	require.Equal(t, b.now.Add(30*24*time.Hour).UTC(), c.Expires)
	got := b.load()
	require.Equal(t, "ada", got.Subject)
	require.Equal(t, []string{"a", "b"}, got.Groups)
	var roles []string
	found, err := got.Claim("roles", &roles)
	require.True(t, found)
	require.NoError(t, err)
	require.Equal(t, []string{"admin"}, roles)
	require.Len(t, got.ID, 36)
}

func TestSessionsAreTheirOwn(t *testing.T) { // MW-11
	b := newBox(t, session.Config{})
	require.NoError(t, b.start(ada()))
	var wait sync.WaitGroup
	for range 50 {
		wait.Go(func() {
			s, err := b.Load(b.request(), true)
			if err != nil || s.Subject != "ada" || s.Groups[0] != "a" {
				t.Errorf("got %v %v", s, err)
				return
			}
			s.Subject, s.Groups[0] = "mallory", "x"
			_ = s.SetClaim("x", 1)
		})
	}
	wait.Wait()
}

func TestLifetimes(t *testing.T) { // SE-03, JE-13, CK-13
	b := newBox(t, session.Config{MaxAge: 10 * time.Hour, UpdateAge: time.Hour, Lifetime: 24 * time.Hour})
	begun := b.now
	require.NoError(t, b.start(ada()))
	for b.load() != nil {
		s := b.load()
		require.NoError(t, b.answer(func(w http.ResponseWriter, r *http.Request) error { return b.Renew(w, r, s, true) }))
		b.now = b.now.Add(40 * time.Minute)
	}
	require.InDelta(t, 24, b.now.Sub(begun).Hours(), 0.7, "renewal does not pass the absolute lifetime")

	idle := newBox(t, session.Config{MaxAge: time.Hour, UpdateAge: time.Minute})
	require.NoError(t, idle.start(ada()))
	idle.now = idle.now.Add(time.Hour + 16*time.Second)
	require.Nil(t, idle.load())
	idle.now = idle.now.Add(-2 * time.Hour)
	require.Nil(t, idle.load(), "SE-14: not valid before it was issued")
}

func TestRenewOnlyWhenDue(t *testing.T) { // CK-13
	b := newBox(t, session.Config{})
	require.NoError(t, b.start(ada()))
	id := b.load().ID
	s := b.load()
	require.NoError(t, b.answer(func(w http.ResponseWriter, r *http.Request) error { return b.Renew(w, r, s, true) }))
	require.Empty(t, b.set)
	b.now = b.now.Add(24 * time.Hour)
	s = b.load()
	require.NoError(t, s.SetClaim("kept", "yes"))
	require.NoError(t, b.answer(func(w http.ResponseWriter, r *http.Request) error { return b.Renew(w, r, s, true) }))
	require.Len(t, b.set, 1)
	require.Equal(t, id, b.load().ID)
	require.Equal(t, map[string]any{"kept": "yes"}, b.load().Claims())
}

func TestRotation(t *testing.T) { // JE-10
	b := newBox(t, session.Config{}, first)
	require.NoError(t, b.start(ada()))
	both := newBox(t, session.Config{}, second, first)
	both.cookies = b.cookies
	s := both.load()
	require.NotNil(t, s)
	both.now = both.now.Add(25 * time.Hour)
	require.NoError(t, both.answer(func(w http.ResponseWriter, r *http.Request) error { return both.Renew(w, r, s, true) }))
	after := newBox(t, session.Config{}, second)
	after.cookies, after.now = both.cookies, both.now
	require.NotNil(t, after.load())
	before := newBox(t, session.Config{}, first)
	before.cookies = both.cookies
	require.Nil(t, before.load())
}

func TestSecretsAreChecked(t *testing.T) { // JE-12
	for _, bad := range []string{"", "short", strings.Repeat("a", 40), strings.Repeat("é", 20), strings.Repeat("changeme", 8), "your-secret-your-secret-your-secret"} {
		require.Error(t, session.CheckSecret(session.NewSecret(bad)), bad)
		_, err := session.NewManager(session.Config{}, []session.Secret{session.NewSecret(bad)}, time.Now)
		require.Error(t, err)
	}
	_, err := session.NewManager(session.Config{MaxAge: -1, CookieName: "a b", CookieDomain: "x;y"}, nil, time.Now)
	for _, want := range []string{"no secret", "MaxAge", "CookieName", "CookieDomain"} {
		require.ErrorContains(t, err, want)
	}
}

func TestSecretDoesNotShow(t *testing.T) { // LG-01
	s := session.NewSecret("tell-nobody")
	raw, err := json.Marshal(map[string]any{"s": s, "p": &s})
	require.NoError(t, err)
	for _, text := range []string{fmt.Sprint(s), fmt.Sprintf("%+v %#v %s %q %x", s, s, s, s, s), fmt.Sprintf("%+v %#v", struct{ inner session.Secret }{s}, &struct{ inner []session.Secret }{[]session.Secret{s}}), string(raw), s.LogValue().String()} {
		require.NotContains(t, text, "tell-nobody")
		require.NotContains(t, text, fmt.Sprintf("%x", "tell-nobody"))
	}
	require.Equal(t, "tell-nobody", s.Reveal())
}

func TestTamperedCookie(t *testing.T) { // JE-01, JE-02, ID-33
	b := newBox(t, session.Config{})
	require.NoError(t, b.start(&session.Session{Subject: "ada"}))
	token := b.cookies[cookieName]
	for i := range len(token) {
		for _, bit := range []byte{1, 4, 32} {
			bad := []byte(token)
			bad[i] ^= bit
			if bad[i] == ';' || bad[i] == ',' {
				continue
			}
			b.cookies[cookieName] = string(bad)
			require.Nil(t, b.load(), "byte %d", i)
		}
		b.cookies[cookieName] = token[:i]
		require.Nil(t, b.load(), "cut at %d", i)
	}
	for _, bad := range []string{token + "=", token + "A", token + ".", "." + token, strings.Replace(token, "..", ".AA.", 1)} {
		b.cookies[cookieName] = bad
		require.Nil(t, b.load())
	}
	parts := strings.Split(token, ".")
	parts[3], parts[4] = parts[4], parts[3]
	b.cookies[cookieName] = strings.Join(parts, ".")
	require.Nil(t, b.load())
	b.cookies[cookieName] = token
	require.NotNil(t, b.load())
}

func TestNamesAreNotInterchangeable(t *testing.T) { // JE-09
	b := newBox(t, session.Config{})
	require.NoError(t, b.start(ada()))
	b.cookies["authjs.session-token"] = b.cookies[cookieName]
	s, err := b.Load(b.request(), false)
	require.NoError(t, err)
	require.Nil(t, s)
}

func TestChunks(t *testing.T) { // CK-06, CK-07, RL-12
	for size := 0; size < 11_000; size += 173 {
		b := newBox(t, session.Config{})
		s := ada()
		require.NoError(t, s.SetClaim("pad", strings.Repeat("x", size)))
		require.NoError(t, b.start(s), size)
		require.NotNil(t, b.load(), size)
		for _, c := range b.set {
			require.LessOrEqual(t, len(c.Name)+len(c.Value), 4096)
		}
	}
	b := newBox(t, session.Config{})
	s := ada()
	require.NoError(t, s.SetClaim("pad", strings.Repeat("x", 20_000)))
	require.ErrorIs(t, b.start(s), session.ErrTooLarge)
}

func TestChunksShrinkAndGrow(t *testing.T) { // CK-07, CK-09
	b := newBox(t, session.Config{})
	for _, size := range []int{9000, 100, 5000, 8000, 10} {
		s := ada()
		require.NoError(t, s.SetClaim("pad", strings.Repeat("x", size)))
		require.NoError(t, b.start(s))
		var pad string
		_, err := b.load().Claim("pad", &pad)
		require.NoError(t, err)
		require.Len(t, pad, size)
		if size < 2000 {
			require.Len(t, b.cookies, 1, "stale chunks are deleted")
		}
	}
	require.NoError(t, b.answer(func(w http.ResponseWriter, r *http.Request) error { return b.End(w, r, true) }))
	require.Empty(t, b.cookies)
}

func TestOddCookies(t *testing.T) { // CK-02, CK-04, CK-06, CK-08
	big := newBox(t, session.Config{})
	s := ada()
	require.NoError(t, s.SetClaim("pad", strings.Repeat("x", 6000)))
	require.NoError(t, big.start(s))
	zero, one, two := big.cookies[cookieName+".0"], big.cookies[cookieName+".1"], big.cookies[cookieName+".2"]
	require.NotEmpty(t, two)
	small := newBox(t, session.Config{})
	require.NoError(t, small.start(ada()))
	good := small.cookies[cookieName]
	cases := []struct {
		name, header string
		signedIn     bool
	}{
		{"as it is", "N=" + good, true},
		{"evil first", "N=evil; N=" + good, true},
		{"evil last", "N=" + good + "; N=evil", true},
		{"chunks", "N.0=" + zero + "; N.1=" + one + "; N.2=" + two, true},
		{"chunks in any order", "N.2=" + two + "; N.0=" + zero + "; N.1=" + one, true},
		{"chunk missing", "N.0=" + zero + "; N.2=" + two, false},
		{"leading zero", "N.0=" + zero + "; N.01=" + one + "; N.2=" + two, false},
		{"plus", "N.0=" + zero + "; N.+1=" + one + "; N.2=" + two, false},
		{"exponent", "N.0=" + zero + "; N.1e0=" + one + "; N.2=" + two, false},
		{"negative beside", "N.-1=x; N.0=" + zero + "; N.1=" + one + "; N.2=" + two, true},
		{"other name beside", "N-evil=x; Nx=y; N=" + good, true},
		{"plain and chunks", "N=" + good + "; N.0=x", true},
		{"broken plain, good chunks", "N=x; N.0=" + zero + "; N.1=" + one + "; N.2=" + two, true},
		{"encoded prefix", strings.Replace("N", "N", "%5f%5fSecure-authjs.session-token", 1) + "=" + good, false},
		{"lower case", strings.ToLower(cookieName) + "=" + good, false},
		{"3001 cookies", strings.Repeat("a=b; ", 3001) + "N=" + good, false},
		{"3000 chunks", strings.Repeat("N.7=x; ", 2990) + "N=" + good, true},
		{"900 kB", "a=" + strings.Repeat("x", 900_000) + "; N=" + good, true},
		{"empty", "N=", false},
		{"no value", "N", false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/", nil)
			r.Header["Cookie"] = []string{strings.ReplaceAll(c.header, "N", cookieName)}
			if strings.Contains(c.header, good) && strings.Contains(good, "N") {
				r.Header["Cookie"] = []string{replaceNames(c.header)}
			} else if strings.Contains(c.header, zero) {
				r.Header["Cookie"] = []string{replaceNames(c.header)}
			}
			s, err := small.Load(r, true)
			require.NoError(t, err)
			require.Equal(t, c.signedIn, s != nil)
		})
	}
}

// replaceNames puts the cookie's name where a pair's name begins with N.
func replaceNames(header string) string {
	pairs := strings.Split(header, "; ")
	for i, p := range pairs {
		if strings.HasPrefix(p, "N") {
			pairs[i] = cookieName + p[1:]
		}
	}
	return strings.Join(pairs, "; ")
}

func TestEndedSessionStaysEnded(t *testing.T) { // SE-01, SE-04
	b := newBox(t, session.Config{})
	require.NoError(t, b.start(ada()))
	stolen := b.cookies[cookieName]
	require.NoError(t, b.start(ada()))
	mine := b.cookies[cookieName]
	b.cookies[cookieName] = stolen
	require.Nil(t, b.load(), "a new sign-in ends the session before")
	b.cookies[cookieName] = mine
	require.NotNil(t, b.load())
	require.NoError(t, b.answer(func(w http.ResponseWriter, r *http.Request) error { return b.End(w, r, true) }))
	b.cookies[cookieName] = mine
	require.Nil(t, b.load())
}

type brokenStore struct{ session.Store }

func (brokenStore) Find(context.Context, string) ([]byte, bool, error) {
	return nil, false, errors.New("down")
}

type spyStore struct {
	session.Store
	keys []string
	data map[string][]byte
}

func (s *spyStore) Commit(ctx context.Context, key string, data []byte, expiry time.Time) error {
	s.keys = append(s.keys, key)
	s.data = map[string][]byte{key: data}
	return s.Store.Commit(ctx, key, data, expiry)
}

func TestStoredSessions(t *testing.T) { // SE-02, SE-04, SE-06, SE-07
	var b *box
	spy := &spyStore{Store: session.NewMemoryStore(10, func() time.Time { return b.now })}
	b = newBox(t, session.Config{Store: spy})
	require.NoError(t, b.start(ada()))
	value := b.cookies[cookieName]
	require.Len(t, value, 43)
	require.NotContains(t, spy.keys[0], value, "what is in the store is no cookie")
	require.Equal(t, "ada", b.load().Subject)
	b.cookies[cookieName] = spy.keys[0]
	require.Nil(t, b.load())
	b.cookies[cookieName] = value

	b.now = b.now.Add(25 * time.Hour)
	s := b.load()
	require.NoError(t, b.answer(func(w http.ResponseWriter, r *http.Request) error { return b.Renew(w, r, s, true) }))
	require.Equal(t, value, b.cookies[cookieName])
	require.NoError(t, b.answer(func(w http.ResponseWriter, r *http.Request) error { return b.End(w, r, true) }))
	b.cookies[cookieName] = value
	require.Nil(t, b.load())
	require.NoError(t, b.answer(func(w http.ResponseWriter, r *http.Request) error { return b.Renew(w, r, s, true) }))
	require.Nil(t, b.load(), "SE-11: what was deleted stays deleted")

	for _, garbage := range []string{"", "garbage", "[]", `{"v":1}`, `{"v":1,"s":{"sub":"x"}}`, "\x02", "\x03", "\x03x"} {
		require.NoError(t, spy.Store.Commit(context.Background(), spy.keys[0], []byte(garbage), b.now.Add(time.Hour)))
		require.Nil(t, b.load(), garbage)
		_, there, _ := spy.Find(context.Background(), spy.keys[0])
		require.True(t, there, "what is not ours is left alone")
	}
	newer := []byte("\x04x")
	require.NoError(t, spy.Store.Commit(context.Background(), spy.keys[0], newer, b.now.Add(time.Hour)))
	require.Nil(t, b.load())
	_, there, _ := spy.Find(context.Background(), spy.keys[0])
	require.True(t, there, "a newer node's record is left alone")

	broken := newBox(t, session.Config{Store: brokenStore{spy.Store}})
	broken.cookies[cookieName] = value
	_, err := broken.Load(broken.request(), true)
	require.ErrorIs(t, err, session.ErrStore)
}

func TestMemoryStoreIsBounded(t *testing.T) { // SE-08
	now := time.Unix(1790000000, 0)
	m := session.NewMemoryStore(100, func() time.Time { return now })
	ctx := context.Background()
	for i := range 10_000 {
		require.NoError(t, m.Commit(ctx, fmt.Sprint(i), []byte("x"), now.Add(time.Duration(i)*time.Second)))
	}
	n := 0
	for i := range 10_000 {
		if _, ok, _ := m.Find(ctx, fmt.Sprint(i)); ok {
			n++
		}
	}
	require.LessOrEqual(t, n, 100)
	_, ok, _ := m.Find(ctx, "9999")
	require.True(t, ok, "the newest stays")
	now = now.Add(time.Hour * 10)
	_, ok, _ = m.Find(ctx, "9999")
	require.False(t, ok)
}

func TestClaimsThatNoTokenIsReadWith(t *testing.T) {
	s := ada()
	for _, raw := range []string{`{"a":1,"a":2}`, "\"\xff\"", strings.Repeat("[", 100) + strings.Repeat("]", 100)} {
		require.Error(t, s.SetClaim("theirs", json.RawMessage(raw)), raw)
	}
	for _, name := range []string{"\xff", "sub", "exp", "nbf", "email_verified"} {
		require.Error(t, s.SetClaim(name, 1), name)
	}
	require.Empty(t, s.Claims())
	require.NoError(t, s.SetClaim("theirs", json.RawMessage(`{"a":1}`)))
}
