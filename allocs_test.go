//go:build !race

package auth_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/session"
)

// allocRuns is how many requests are counted on average: what a map or the runtime takes now
// and then is no part of a request.
const allocRuns = 500

// TestAllocations holds how often a request through Require allocates, as docs/performance.md says.
// The race detector has allocations of its own: it is not in that build.
func TestAllocations(t *testing.T) {
	store := session.NewMemoryStore(0, nil)
	t.Cleanup(func() { _ = store.Close() })
	cookies, stored := session.Config{}, session.Config{Store: store}
	browser := httptest.NewRequest("GET", "https://app.example/page", nil)
	browser.Header.Set("Accept", "text/html")
	large := signedIn(t, cookies, 1, 230)
	require.Len(t, large[0].Cookies(), 3)
	for _, test := range []struct {
		name     string
		config   session.Config
		requests []*http.Request
		want     float64
	}{
		{"a cookie that is known", cookies, signedIn(t, cookies, 1, 5), 5},
		{"a cookie that is seen first", cookies, signedIn(t, cookies, allocRuns+1, 5), 9},
		{"three chunks that are known", cookies, large, 8},
		{"a session in memory", stored, signedIn(t, stored, 1, 5), 11},
		{"nobody: 401", cookies, []*http.Request{httptest.NewRequest("GET", "https://app.example/page", nil)}, 5},
		{"nobody: redirect", cookies, []*http.Request{browser}, 6},
	} {
		t.Run(test.name, func(t *testing.T) {
			h, n := allocSite(t, test.config), 0
			w := nowhere{http.Header{}}
			got := testing.AllocsPerRun(allocRuns, func() {
				clear(w.h)
				h.ServeHTTP(w, test.requests[n%len(test.requests)])
				n++
			})
			require.LessOrEqual(t, got, test.want)
		})
	}
}

// nowhere is an answer that keeps nothing.
type nowhere struct{ h http.Header }

func (n nowhere) Header() http.Header       { return n.h }
func (nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (nowhere) WriteHeader(int)             {}

// allocSite is Require around a handler that looks who it is.
func allocSite(t *testing.T, c session.Config) http.Handler {
	config := newConfig(&stubProvider{name: "stub"})
	config.Session = c
	a, err := auth.New(config)
	require.NoError(t, err)
	return a.Require(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if s, ok := auth.FromContext(r.Context()); !ok || len(s.Groups) == 0 {
			panic("nobody")
		}
	}))
}

// signedIn are requests of so many people, in so many groups each.
func signedIn(t *testing.T, c session.Config, people, groups int) (list []*http.Request) {
	c.MaxSetCookieBytes = 16 << 10
	m, err := session.NewManager(c, []session.Secret{session.NewSecret(testSecret)}, time.Now)
	require.NoError(t, err)
	for n := range people {
		s := &session.Session{Subject: fmt.Sprintf("person-%06d", n), Name: "Ada Lovelace", Email: "ada@example.com", Provider: "stub"}
		for i := range groups {
			s.Groups = append(s.Groups, fmt.Sprintf("engineering-group-%04d", i))
		}
		w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "https://app.example/page", nil)
		require.NoError(t, m.Start(w, r, s, true))
		for _, cookie := range w.Result().Cookies() {
			r.AddCookie(cookie)
		}
		list = append(list, r)
	}
	return list
}
