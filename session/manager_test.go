package session_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/session"
)

// memory is a store on the clock of b, which is there by the time it is asked.
func memory(b **box) *session.MemoryStore {
	return session.NewMemoryStore(0, func() time.Time { return (*b).now })
}

func (b *box) renew(s *session.Session) error {
	return b.answer(func(w http.ResponseWriter, r *http.Request) error { return b.Renew(w, r, s, true) })
}

func (b *box) rewrite(s *session.Session) error {
	return b.answer(func(w http.ResponseWriter, r *http.Request) error { return b.Rewrite(w, r, s, true) })
}

func (b *box) end() error {
	return b.answer(func(w http.ResponseWriter, r *http.Request) error { return b.End(w, r, true) })
}

// loadHeader is what b makes of a Cookie header, in which N stands for the
// cookie's name.
func (b *box) loadHeader(header string) *session.Session {
	r := httptest.NewRequest("GET", "https://app.example/", nil)
	r.Header["Cookie"] = []string{replaceNames(header)}
	s, err := b.Load(r, true)
	require.NoError(b.t, err)
	return s
}

func TestRewriteWritesTheSessionThatWasLoaded(t *testing.T) { // CK-02, CK-03
	var b *box
	store := memory(&b)
	spy := &spyStore{Store: store}
	b = newBox(t, session.Config{Store: spy})
	require.NoError(t, b.start(ada()))
	mine := b.cookies[cookieName]

	// Somebody else's value stands first. Their record is one that this node does
	// not read, and must not come to hold Ada's session.
	theirs := strings.Repeat("x", 43)
	key := keyOf(theirs)
	record := []byte(`{"v":2,"s":{}}`)
	require.NoError(t, store.Commit(context.Background(), key, record, b.now.Add(time.Hour)))
	r := httptest.NewRequest("GET", "https://app.example/", nil)
	r.Header["Cookie"] = []string{cookieName + "=" + theirs + "; " + cookieName + "=" + mine}
	s, err := b.Load(r, true)
	require.NoError(t, err)
	s.Name = "Countess"
	w := httptest.NewRecorder()
	require.NoError(t, b.Rewrite(w, r, s, true))

	require.Equal(t, mine, w.Result().Cookies()[0].Value)
	require.Equal(t, "Countess", b.load().Name)
	data, _, _ := store.Find(context.Background(), key)
	require.Equal(t, record, data)
}

func TestCookieNameHasNoPrefixOfItsOwn(t *testing.T) { // CK-01
	for _, name := range []string{"__Secure-app", "__Host-app", "__secure-app", "__HOST-app"} {
		_, err := session.NewManager(session.Config{CookieName: name}, []session.Secret{first}, time.Now)
		require.ErrorContains(t, err, "CookieName", name)
	}
	_, err := session.NewManager(session.Config{CookieName: "app__Secure-"}, []session.Secret{first}, time.Now)
	require.NoError(t, err)
}

func TestClaimsNestAsDeepAsTokensAreRead(t *testing.T) {
	for depth := 60; depth < 70; depth++ {
		b := newBox(t, session.Config{})
		s := ada()
		if s.SetClaim("deep", json.RawMessage(strings.Repeat("[", depth)+strings.Repeat("]", depth))) != nil {
			continue
		}
		require.NoError(t, b.start(s))
		require.NotNil(t, b.load(), "a claim %d deep was taken", depth)
	}
}

// keyOf is a cookie's value as the store knows it.
func keyOf(value string) string {
	sum := sha256.Sum256([]byte(value))
	return hex.EncodeToString(sum[:])
}
