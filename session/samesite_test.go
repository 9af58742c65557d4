package session_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/session"
)

// TestSameSiteNoneIsForHTTPS: over http browsers take no such cookie.
func TestSameSiteNoneIsForHTTPS(t *testing.T) { // CK-10
	m, err := session.NewManager(session.Config{SameSiteNone: true}, []session.Secret{session.NewSecret("kY3nC0p9V1xJm5Q8sT2wZ7bL4hF6gD0aR3eU9iOqXyE=")}, time.Now)
	require.NoError(t, err)
	for _, secure := range []bool{true, false} {
		w := httptest.NewRecorder()
		require.NoError(t, m.Start(w, httptest.NewRequest("GET", "/", nil), &session.Session{Subject: "ada"}, secure))
		begun := w.Result().Cookies()[0]
		r := httptest.NewRequest("GET", "/", nil)
		r.AddCookie(begun)
		w = httptest.NewRecorder()
		require.NoError(t, m.End(w, r, secure))
		ended := w.Result().Cookies()
		require.Len(t, ended, map[bool]int{true: 2, false: 1}[secure], "the cookie from before, too")
		for _, c := range []*http.Cookie{begun, ended[0]} {
			require.True(t, c.Secure == secure && c.Partitioned == secure, c.Raw)
			require.Equal(t, map[bool]http.SameSite{true: http.SameSiteNoneMode, false: http.SameSiteLaxMode}[secure], c.SameSite)
		}
	}
}
