package session_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/session"
)

// bytesOf is what an answer takes of header for its cookies.
func bytesOf(h http.Header) (n int) {
	for _, line := range h["Set-Cookie"] {
		n += len("Set-Cookie: \r\n") + len(line)
	}
	return n
}

func departments(n int) (groups []string) {
	for i := range n {
		groups = append(groups, fmt.Sprintf("SG-Department-%04d-Application-Owners-ReadWrite", i))
	}
	return groups
}

func newManager(t *testing.T, c session.Config) *session.Manager {
	t.Helper()
	m, err := session.NewManager(c, []session.Secret{first}, time.Now)
	require.NoError(t, err)
	return m
}

// truncatedOf is whether s says that it has not all groups.
func truncatedOf(t *testing.T, s *session.Session) (is bool) {
	t.Helper()
	_, err := s.Claim("groups_truncated", &is)
	require.NoError(t, err)
	return is
}

func TestSessionFitsAnAnswer(t *testing.T) { // CK-12
	for _, config := range []session.Config{{}, {CookieDomain: "a-rather-long-name.example.com"}, {MaxSetCookieBytes: 1024}, {MaxSetCookieBytes: 8000}} {
		budget := 3500
		if config.MaxSetCookieBytes > 0 {
			budget = config.MaxSetCookieBytes
		}
		for _, n := range []int{0, 1, 20, 60, 200, 2000} {
			m, s := newManager(t, config), ada()
			s.Groups = departments(n)
			r := httptest.NewRequest("GET", "/", nil)
			w := httptest.NewRecorder()
			w.Header().Add("Set-Cookie", "__Host-authjs.txn.AAAAAAAAAAAA=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax")
			require.NoError(t, m.Start(w, r, s, true))
			require.LessOrEqual(t, bytesOf(w.Header()), budget, "%d groups", n)
			require.Equal(t, departments(n)[:len(s.Groups)], append([]string(nil), s.Groups...), "the first ones stay, in their order")
			require.Equal(t, len(s.Groups) < n, truncatedOf(t, s))
			if len(s.Groups) < n {
				room := budget - bytesOf(w.Header())
				require.Less(t, room, 4*(len(s.Groups[0])+3)/3+64+200*(budget/4000), "no more is dropped than has to be")
			}
			for _, c := range w.Result().Cookies()[1:] {
				r.AddCookie(c)
			}
			got, err := m.Load(r, true)
			require.NoError(t, err)
			require.Equal(t, len(s.Groups), len(got.Groups))
			require.Equal(t, len(s.Groups) < n, truncatedOf(t, got))
		}
	}
}

func TestWhatIsDeletedAlongCounts(t *testing.T) { // CK-12
	m := newManager(t, session.Config{UpgradeV4: true})
	r := httptest.NewRequest("GET", "/", nil)
	for i := range 4 {
		r.AddCookie(&http.Cookie{Name: fmt.Sprint(cookieName, ".", i), Value: "x"})
		r.AddCookie(&http.Cookie{Name: fmt.Sprint(v4Cookie, ".", i), Value: "x"})
	}
	s, w := ada(), httptest.NewRecorder()
	s.Groups = departments(60)
	require.NoError(t, m.Start(w, r, s, true))
	require.Len(t, w.Result().Cookies(), 9)
	require.LessOrEqual(t, bytesOf(w.Header()), 3500)
}

func TestRenewalFitsToo(t *testing.T) { // CK-12
	b := newBox(t, session.Config{MaxSetCookieBytes: 14000})
	s := ada()
	s.Provider, s.Groups = "stub", departments(120)
	require.NoError(t, b.start(s))
	require.Len(t, s.Groups, 120)
	small, err := session.NewManager(session.Config{}, []session.Secret{first}, func() time.Time { return b.now })
	require.NoError(t, err)
	for provider, cut := range map[string]bool{"stub": true, "": false} {
		r := b.request()
		got, err := small.Load(r, true)
		require.NoError(t, err)
		got.Provider = provider
		w := httptest.NewRecorder()
		require.NoError(t, small.Rewrite(w, r, got, true))
		require.Equal(t, cut, len(got.Groups) < 120, "what Auth.js began is Auth.js's")
		require.Equal(t, cut, bytesOf(w.Header()) <= 3500)
	}
}

func TestClaimsAreNotCut(t *testing.T) { // CK-12
	m := newManager(t, session.Config{})
	for pad, want := range map[int]error{5000: nil, 14_000: session.ErrTooLarge} {
		s, w := ada(), httptest.NewRecorder()
		s.Groups = departments(10)
		require.NoError(t, s.SetClaim("pad", strings.Repeat("x", pad)))
		require.ErrorIs(t, m.Start(w, httptest.NewRequest("GET", "/", nil), s, true), want)
		require.Empty(t, s.Groups)
		require.Equal(t, want == nil, len(w.Result().Cookies()) > 0)
	}
}

func TestStoreKeepsAllGroups(t *testing.T) {
	m := newManager(t, session.Config{Store: session.NewMemoryStore(10, time.Now)})
	s, w := ada(), httptest.NewRecorder()
	s.Groups = departments(2000)
	require.NoError(t, m.Start(w, httptest.NewRequest("GET", "/", nil), s, true))
	r := httptest.NewRequest("GET", "/", nil)
	for _, c := range w.Result().Cookies() {
		r.AddCookie(c)
	}
	got, err := m.Load(r, true)
	require.NoError(t, err)
	require.Equal(t, departments(2000), got.Groups)
	require.False(t, truncatedOf(t, got))
}

func TestBudgetThatIsNone(t *testing.T) {
	for _, bytes := range []int{-1, 1, 1023} {
		_, err := session.NewManager(session.Config{MaxSetCookieBytes: bytes}, []session.Secret{first}, time.Now)
		require.ErrorContains(t, err, "MaxSetCookieBytes")
	}
}
