package web_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
)

func TestCachesKeepNothing(t *testing.T) { // HD-01, HD-02, CK-13
	s := newSite(t, nil)
	b := s.browser()
	b.signIn("ada")
	cookies := 0
	for range 100 {
		got := b.get("/page")
		require.Equal(t, "private, no-store", got.Header.Get("Cache-Control"))
		cookies += len(got.Cookies())
	}
	require.Zero(t, cookies, "a fresh session is not written again")
	s.advance(25 * time.Hour)
	for range 100 {
		cookies += len(b.get("/page").Cookies())
	}
	require.Equal(t, 1, cookies)
	s.advance(31 * 24 * time.Hour)
	require.Equal(t, 303, b.get("/page").StatusCode, "SE-03: not used for 30 days")
}

func TestApplicationMayBeCachedUnlessACookieIsSet(t *testing.T) { // HD-01
	stub := &stubProvider{name: "stub"}
	now := time.Now()
	a, err := auth.New(auth.Config{Secrets: []auth.Secret{auth.NewSecret(testSecret)}, URL: "https://app.example", Providers: []auth.Provider{stub}, Now: func() time.Time { return now }})
	require.NoError(t, err)
	h := a.Require(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=60")
		_, isFlusher := w.(http.Flusher)
		fmt.Fprint(w, isFlusher)
		require.NoError(t, http.NewResponseController(w).Flush())
	}))
	cookie := sealedCookie(t, a, stub)
	get := func() *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", "https://app.example/", nil)
		r.AddCookie(cookie)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	require.Equal(t, "public, max-age=60", get().Header().Get("Cache-Control"))
	now = now.Add(25 * time.Hour)
	renewed := get()
	require.NotEmpty(t, renewed.Result().Cookies())
	require.Equal(t, "private, no-store", renewed.Header().Get("Cache-Control"))
	require.Equal(t, "true", renewed.Body.String())
}
