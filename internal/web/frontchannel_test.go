package web_test

import (
	"context"
	"crypto/rand"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/session"
)

// frontChannel is the address of the frame in the identity provider's page.
func frontChannel(parameters ...string) string {
	q := url.Values{}
	for i := 0; i+1 < len(parameters); i += 2 {
		q.Add(parameters[i], parameters[i+1])
	}
	return "/api/auth/frontchannel-logout/stub?" + q.Encode()
}

// inAFrame is what a browser says of a frame of another site.
var inAFrame = []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe"}

func TestFrontChannelLogout(t *testing.T) { // FC-01, LG-03
	s := newTellingSite(t, nil)
	ada, eve, frame := s.browser(), s.browser(), s.browser()
	ada.signIn("ada")
	eve.signIn("eve")
	got := frame.get(frontChannel("iss", "https://idp.example", "sid", "sid of ada"), inAFrame...)
	require.Equal(t, 200, got.StatusCode)
	require.Equal(t, "no-store", got.Header.Get("Cache-Control"))
	require.Equal(t, "text/html; charset=utf-8", got.Header.Get("Content-Type"))
	require.Equal(t, "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors https://idp.example", got.Header.Get("Content-Security-Policy"))
	require.Empty(t, got.Header.Get("X-Frame-Options"))
	require.Empty(t, got.Cookies())
	require.Empty(t, ada.who())
	require.Equal(t, "eve", eve.who())
	e := s.last()
	require.Equal(t, auth.Event{Kind: auth.EventLoggedOut, Provider: "stub", Issuer: "https://idp.example", Subject: "ada", Client: e.Client}, e)

	// A semicolon is a character like others, encoded or not.
	for _, semicolon := range []string{";", "%3B"} {
		bob := s.browser()
		bob.signIn("b;ob")
		require.Equal(t, 200, frame.get("/api/auth/frontchannel-logout/stub?iss=https://idp.example&sid=sid+of+b"+semicolon+"ob", inAFrame...).StatusCode)
		require.Empty(t, bob.who())
	}

	// Where the browser brings the cookie, it is deleted.
	got = eve.get(frontChannel("iss", "https://idp.example", "sid", "sid of eve"), inAFrame...)
	require.Equal(t, 200, got.StatusCode)
	require.NotEmpty(t, got.Cookies())
	require.Empty(t, eve.cookiesNamed(sessionCookie))
}

// TestFrontChannelLogoutLeavesNothingBehind: anybody can make up as many as they like.
func TestFrontChannelLogoutLeavesNothingBehind(t *testing.T) { // FC-02
	store := &writes{MemoryStore: session.NewMemoryStore(0, nil)}
	s := newTellingSite(t, func(c *auth.Config) { c.Session.Store = store })
	for range 10 {
		require.Equal(t, 200, s.browser().get(frontChannel("iss", "https://idp.example", "sid", rand.Text()), inAFrame...).StatusCode)
	}
	require.Zero(t, store.n)
	s.browser().signIn("ada")
	require.NotZero(t, store.n)
}

// writes counts what is put into a store.
type writes struct {
	*session.MemoryStore
	n int
}

func (w *writes) Commit(ctx context.Context, key string, data []byte, expiry time.Time) error {
	w.n++
	return w.MemoryStore.Commit(ctx, key, data, expiry)
}

func (w *writes) Insert(ctx context.Context, key string, data []byte, expiry time.Time) (bool, error) {
	w.n++
	return w.MemoryStore.Insert(ctx, key, data, expiry)
}

func (w *writes) Add(ctx context.Context, list, key string, expiry time.Time) error {
	w.n++
	return w.MemoryStore.Add(ctx, list, key, expiry)
}

func TestFrontChannelLogoutWhileTheStoreIsDown(t *testing.T) { // FC-01, SE-06, LG-03
	down := false
	s := newTellingSite(t, func(c *auth.Config) { c.Session.Store = downStore{session.NewMemoryStore(0, nil), &down} })
	ada := s.browser()
	ada.signIn("ada")
	down = true
	got := ada.get(frontChannel("iss", "https://idp.example", "sid", "sid of ada"), inAFrame...)
	require.Equal(t, 503, got.StatusCode)
	require.Equal(t, "5", got.Header.Get("Retry-After"))
	e := s.last()
	require.Equal(t, []any{auth.EventSessionFailed, "stub", "StoreUnavailable"}, []any{e.Kind, e.Provider, e.Reason})
	require.NotEmpty(t, ada.cookiesNamed(sessionCookie), "the session is still there")
}

// TestFrontChannelLogoutOfSomebodyElse is a frame in an attacker's page.
func TestFrontChannelLogoutOfSomebodyElse(t *testing.T) { // FC-01, FC-02
	s := newTellingSite(t, nil)
	ada := s.browser()
	ada.signIn("ada")
	events := len(s.kinds())
	for name, test := range map[string]struct {
		parameters []string
		status     int
	}{
		"neither":          {nil, 400},
		"no sid":           {[]string{"iss", "https://idp.example"}, 400},
		"an empty sid":     {[]string{"iss", "https://idp.example", "sid", ""}, 400},
		"no iss":           {[]string{"sid", "sid of ada"}, 400},
		"another iss":      {[]string{"iss", "https://evil.example", "sid", "sid of ada"}, 400},
		"iss with a slash": {[]string{"iss", "https://idp.example/", "sid", "sid of ada"}, 400},
		"two sids":         {[]string{"iss", "https://idp.example", "sid", "x", "sid", "sid of ada"}, 400},
		"two isses":        {[]string{"iss", "https://idp.example", "iss", "https://idp.example", "sid", "sid of ada"}, 400},
		"a long query":     {[]string{"iss", "https://idp.example", "sid", strings.Repeat("x", 33<<10)}, 400},
		"a wrong sid":      {[]string{"iss", "https://idp.example", "sid", "sid of eve"}, 200},
	} {
		t.Run(name, func(t *testing.T) {
			got := ada.get(frontChannel(test.parameters...), inAFrame...)
			require.Equal(t, test.status, got.StatusCode)
			require.Empty(t, got.Cookies())
			require.Equal(t, "ada", ada.who())
		})
	}
	require.Equal(t, 400, ada.get(frontChannel("iss", "https://idp.example")+"&sid=%zz", inAFrame...).StatusCode)
	require.Equal(t, events, len(s.kinds()), "nothing to tell of")
	got := ada.send("POST", frontChannel("iss", "https://idp.example", "sid", "sid of ada"), "")
	require.Equal(t, 405, got.StatusCode)
	require.Equal(t, "GET", got.Header.Get("Allow"))
	require.Equal(t, 404, ada.get("/api/auth/frontchannel-logout/silent?iss=https://idp.example&sid=x").StatusCode)
	require.Equal(t, "ada", ada.who())

	// Another issuer's session of that id, with its cookie.
	other := s.browser()
	require.Equal(t, 303, other.back("silent", other.start("silent", "/").Get("state"), "ada").StatusCode)
	require.Equal(t, 200, other.get(frontChannel("iss", "https://idp.example", "sid", "sid of ada"), inAFrame...).StatusCode)
	require.Equal(t, "ada", other.who())
	require.Empty(t, ada.who())
}
