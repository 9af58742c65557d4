package redisstore_test

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/session"
	"github.com/sallyport/auth/session/redisstore"
)

// storeKey is the key of a cookie's session, as [session.Store] says.
func storeKey(cookie string) string {
	sum := sha256.Sum256([]byte(cookie))
	return hex.EncodeToString(sum[:])
}

// SE-02, SE-04, SE-06: three nodes with one Redis are one site, and what Redis has tells nobody
// who is signed in.
func TestThreeNodes(t *testing.T) {
	server := miniredis.RunT(t)
	now := time.Now()
	secrets := []session.Secret{session.NewSecret("Hq2cY7Nn0wVtE4rXbS9uKd6LfJmZ1gPa")}
	node := func() *session.Manager {
		m, err := session.NewManager(session.Config{Store: storeAt(t, server.Addr(), redisstore.Config{}), UpdateAge: time.Minute}, secrets, func() time.Time { return now })
		require.NoError(t, err)
		return m
	}
	a, b, c := node(), node(), node()
	request := httptest.NewRequest(http.MethodGet, "https://app.example/", nil)

	answer := httptest.NewRecorder()
	require.NoError(t, a.Start(answer, request, &session.Session{Subject: "subject-4711", Name: "Ada Lovelace", Email: "ada@example.com"}, true))
	cookie := answer.Result().Cookies()[0]
	request.AddCookie(cookie)

	now = now.Add(2 * time.Minute)
	s, err := b.Load(request, true)
	require.NoError(t, err)
	require.Equal(t, "Ada Lovelace", s.Name)
	require.NoError(t, b.Renew(httptest.NewRecorder(), request, s, true))
	dump := server.Dump()
	for _, secret := range []string{"subject-4711", "Lovelace", cookie.Value} {
		require.NotContains(t, dump, secret)
	}
	renewed, err := a.Load(request, true)
	require.NoError(t, err)
	require.WithinDuration(t, now.Add(30*24*time.Hour), renewed.ExpiresAt, time.Second)
	require.InDelta(t, time.Until(renewed.ExpiresAt), server.TTL("sallyport:session:"+storeKey(cookie.Value)), float64(time.Second))

	require.NoError(t, c.End(httptest.NewRecorder(), request, true))
	for _, m := range []*session.Manager{a, b, c} {
		s, err := m.Load(request, true)
		require.NoError(t, err)
		require.Nil(t, s)
	}
	require.Empty(t, server.Keys())

	server.Close()
	s, err = a.Load(request, true)
	require.ErrorIs(t, err, session.ErrStore)
	require.Nil(t, s)
}
