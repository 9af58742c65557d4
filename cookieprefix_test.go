package auth_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
)

// deviceVerifier has browsers keep that they knew a code.
type deviceVerifier struct{ stubVerifier }

func (v deviceVerifier) VerifyDevice(context.Context, netip.Addr, string, string) (*auth.Identity, string, error) {
	return v.identity, "device", v.err
}

// TestTwoAuthenticatorsOnOneHost: with a CookiePrefix, neither's cookies are the
// other's, and signing in and out at one leaves the other alone.
func TestTwoAuthenticatorsOnOneHost(t *testing.T) { // CK-01, CK-09
	stub := &stubProvider{name: "stub"}
	node := func(prefix, name string) *auth.Authenticator {
		c := newConfig(stub)
		c.CookiePrefix, c.Session.CookieName = prefix, name
		c.AccessCode = deviceVerifier{stubVerifier{identity: &auth.Identity{Issuer: "https://codes.example", Subject: "code"}}}
		a, err := auth.New(c)
		require.NoError(t, err)
		return a
	}
	for prefix, want := range map[string]string{"": "authjs", "admin": "admin"} {
		a := node(prefix, "")
		w := httptest.NewRecorder()
		a.ServeHTTP(w, httptest.NewRequest("GET", "https://app.example/api/auth/csrf", nil))
		csrf := w.Result().Cookies()[0]
		require.Equal(t, "__Host-"+want+".csrf-token", csrf.Name)
		token, _, _ := strings.Cut(csrf.Value, "%7C")
		post := func(path, form string, cookies ...*http.Cookie) *http.Response {
			r := httptest.NewRequest("POST", "https://app.example/api/auth/"+path, strings.NewReader("csrfToken="+token+form))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			for _, c := range append(cookies, csrf) {
				r.AddCookie(c)
			}
			w := httptest.NewRecorder()
			a.ServeHTTP(w, r)
			return w.Result()
		}
		begun := post("signin/stub", "").Cookies()
		require.Len(t, begun, 1)
		require.True(t, strings.HasPrefix(begun[0].Name, "__Host-"+want+".txn."), begun[0].Name)
		var names []string
		for _, c := range post("signin/access-code", "&code=x").Cookies() {
			names = append(names, c.Name)
		}
		require.Equal(t, []string{"__Host-" + want + ".last", "__Secure-" + want + ".session-token", "__Host-" + want + ".code-device"}, names)

		cookie := sealedCookie(t, a, stub)
		require.Equal(t, "__Secure-"+want+".session-token", cookie.Name)
		elsewhere := node("third", "")
		r := httptest.NewRequest("GET", "https://app.example/x", nil)
		r.AddCookie(cookie)
		w = httptest.NewRecorder()
		elsewhere.Require(http.NotFoundHandler()).ServeHTTP(w, r)
		require.Equal(t, 401, w.Code)
		require.Empty(t, w.Result().Cookies(), "nor is it deleted")
		var deleted []string
		for _, c := range post("signout", "", cookie, &http.Cookie{Name: "__Secure-third.session-token", Value: "x"}).Cookies() {
			deleted = append(deleted, c.Name)
		}
		require.Equal(t, []string{cookie.Name}, deleted)
	}
	require.Equal(t, "__Secure-mine", signIn(t, node("admin", "mine"), stub).Cookies()[2].Name, "a name of its own counts first")
	for _, bad := range []string{"__Host-a", "a b", "a;", "a=b", ".a", "é"} {
		c := newConfig(stub)
		c.CookiePrefix = bad
		_, err := auth.New(c)
		require.ErrorContains(t, err, "Config.CookiePrefix", bad)
	}
}
