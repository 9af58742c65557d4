package session_test

import (
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/session"
)

// jarOf is a browser at address, which keeps host's and domain's cookies apart.
type jarOf struct {
	*cookiejar.Jar
	at *url.URL
}

func newJar(t *testing.T, address string) jarOf {
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	at, err := url.Parse(address)
	require.NoError(t, err)
	return jarOf{jar, at}
}

func (j jarOf) request() *http.Request {
	r := httptest.NewRequest("GET", j.at.String(), nil)
	for _, c := range j.Cookies(j.at) {
		r.AddCookie(c)
	}
	return r
}

func (j jarOf) answer(do func(http.ResponseWriter, *http.Request) error) error {
	w := httptest.NewRecorder()
	err := do(w, j.request())
	j.SetCookies(j.at, w.Result().Cookies())
	return err
}

// TestAHostsOwnCookieGoesToo is about a site that shares its sessions with its
// subdomains from some day on.
func TestAHostsOwnCookieGoesToo(t *testing.T) { // CK-09, SE-04
	for _, address := range []string{"https://www.example.com/", "https://example.com/", "http://www.example.com/"} {
		secure := strings.HasPrefix(address, "https:")
		for _, pad := range []int{0, 5000} {
			now := time.Now()
			node := func(domain string) *session.Manager {
				m, err := session.NewManager(session.Config{CookieDomain: domain, UpgradeV4: true}, []session.Secret{first}, func() time.Time { return now })
				require.NoError(t, err)
				return m
			}
			jar := newJar(t, address)
			signIn := func(m *session.Manager, pad int) {
				s := ada()
				require.NoError(t, s.SetClaim("pad", strings.Repeat("x", pad)))
				require.NoError(t, jar.answer(func(w http.ResponseWriter, r *http.Request) error { return m.Start(w, r, s, secure) }))
			}
			who := func() *session.Session {
				s, err := node("example.com").Load(jar.request(), secure)
				require.NoError(t, err)
				return s
			}
			signOut := func() {
				require.NoError(t, jar.answer(func(w http.ResponseWriter, r *http.Request) error { return node("example.com").End(w, r, secure) }))
				require.Empty(t, jar.Cookies(jar.at), address)
				require.Nil(t, who(), "another node is asked, which knows of no sign-out")
			}
			signIn(node(""), pad)
			signOut()

			// A renewal takes the host's own along, and the domain's stays.
			signIn(node(""), pad)
			now = now.Add(25 * time.Hour)
			s := who()
			require.NoError(t, jar.answer(func(w http.ResponseWriter, r *http.Request) error { return node("example.com").Renew(w, r, s, secure) }))
			chunks := 1
			if pad > 0 {
				chunks = 2
			}
			require.Len(t, jar.Cookies(jar.at), chunks)
			require.Equal(t, now.Unix(), who().IssuedAt.Unix())
			jar.at.Host = "other.example.com"
			require.Len(t, jar.Cookies(jar.at), chunks, "it is the domain's now")
			jar.at.Host = strings.Trim(address, "htps:/")
			signOut()

			// So does a sign-in, with a session of another size, and v4's cookie.
			signIn(node(""), pad)
			old := v4Cookie
			if !secure {
				old = strings.TrimPrefix(old, "__Secure-")
			}
			jar.SetCookies(jar.at, []*http.Cookie{{Name: old, Value: "x", Path: "/", Secure: secure}, {Name: old, Value: "x", Path: "/", Secure: secure, Domain: "example.com"}})
			signIn(node("example.com"), 5000-pad)
			require.Len(t, jar.Cookies(jar.at), 3-chunks)
			signOut()
		}
	}
}
