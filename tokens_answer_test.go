package auth_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/session"
)

// refresher is a provider whose refreshes a test answers.
type refresher struct {
	stubProvider
	answer func(old *oauth2.Token) (*oauth2.Token, error)
	calls  int
}

func (p *refresher) Refresh(_ context.Context, old *oauth2.Token) (*oauth2.Token, error) {
	p.calls++
	return p.answer(old)
}

// caller is an application with one provider, in whose place the test stands, a clock,
// and Ada's cookies.
type caller struct {
	t       *testing.T
	p       *refresher
	now     time.Time
	log     bytes.Buffer
	handler http.Handler
	cookies []*http.Cookie
	during  func() // what happens before the handler asks for a token

	token *oauth2.Token
	err   error
	none  bool
}

func newCaller(t *testing.T, given *oauth2.Token, change func(*auth.Config)) *caller {
	c := &caller{t: t, now: time.Now().Truncate(time.Second), during: func() {}}
	given.Expiry = c.now.Add(time.Hour)
	c.p = &refresher{stubProvider: stubProvider{name: "stub", identity: &auth.Identity{Issuer: "https://idp.example", Subject: "ada", Token: given}}}
	config := newConfig(c.p)
	config.KeepTokens, config.Now, config.Logger = true, func() time.Time { return c.now }, slog.New(slog.NewTextHandler(&c.log, nil))
	if change != nil {
		change(&config)
	}
	a, err := auth.New(config)
	require.NoError(t, err)
	c.handler = a.Require(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		c.during()
		tokens, ok := auth.TokenSource(r.Context())
		if c.none = !ok; ok {
			c.token, c.err = tokens.Token()
		}
	}))
	c.keep(signIn(t, a, c.p))
	return c
}

func (c *caller) keep(answer *http.Response) {
	if set := answer.Cookies(); len(set) > 0 {
		c.cookies = set
	}
}

func (c *caller) ask(change ...func(*http.Request)) {
	r := httptest.NewRequest("GET", "https://app.example/", nil)
	for _, k := range c.cookies {
		if k.MaxAge >= 0 {
			r.AddCookie(k)
		}
	}
	for _, f := range change {
		f(r)
	}
	w := httptest.NewRecorder()
	c.token, c.err, c.none = nil, nil, false
	c.handler.ServeHTTP(w, r)
	require.Equal(c.t, 200, w.Code)
	c.keep(w.Result())
}

func both() *oauth2.Token {
	return &oauth2.Token{AccessToken: "at-0", RefreshToken: "rt-0", TokenType: "Bearer"}
}

func (c *caller) next(*oauth2.Token) (*oauth2.Token, error) {
	return &oauth2.Token{AccessToken: "at-1", Expiry: c.now.Add(time.Hour)}, nil
}

func TestWhatAnAnswerLeavesOutStays(t *testing.T) { // TK-20
	c := newCaller(t, both().WithExtra(map[string]any{"id_token": "id-0", "scope": "openid"}), nil)
	c.p.answer = c.next
	c.now = c.now.Add(time.Hour)
	c.ask()
	require.NoError(t, c.err)
	require.Equal(t, "at-1", c.token.AccessToken)
	require.Equal(t, "Bearer", c.token.TokenType)
	require.Equal(t, "id-0", c.token.Extra("id_token"))
	require.Equal(t, "openid", c.token.Extra("scope"))
	c.p.answer = func(old *oauth2.Token) (*oauth2.Token, error) {
		require.Equal(t, "rt-0", old.RefreshToken)
		require.Equal(t, "id-0", old.Extra("id_token"))
		require.Equal(t, "openid", old.Extra("scope"))
		return c.next(old)
	}
	c.now = c.now.Add(time.Hour)
	c.ask()
	require.Equal(t, 2, c.p.calls)
}

func TestAnAnswerWithoutAToken(t *testing.T) { // TK-20
	for _, nothing := range []*oauth2.Token{nil, {RefreshToken: "rt-1"}} {
		c := newCaller(t, both(), nil)
		c.p.answer = func(*oauth2.Token) (*oauth2.Token, error) { return nothing, nil }
		c.now = c.now.Add(time.Hour)
		c.ask()
		require.ErrorIs(t, c.err, auth.ErrInvalidResponse)
	}
}

func TestATokenThatNothingRenews(t *testing.T) { // RF-08
	c := newCaller(t, &oauth2.Token{AccessToken: "at-0"}, nil)
	c.p.answer = c.next
	c.now = c.now.Add(time.Hour - time.Second)
	c.ask()
	require.NoError(t, c.err)
	require.Equal(t, "at-0", c.token.AccessToken)
	c.now = c.now.Add(time.Second)
	c.ask()
	require.ErrorIs(t, c.err, auth.ErrExpired)
	require.NotErrorIs(t, c.err, auth.ErrSignInAgain)
	require.Zero(t, c.p.calls)
}

// Once the handler runs, no cookie can be set for certain: what would be had then would be
// lost, and with it the session.
func TestACookieIsNotLateForItsTokens(t *testing.T) { // RF-01
	for _, test := range []struct {
		store session.Store
		calls int
	}{{nil, 0}, {session.NewMemoryStore(0, nil), 1}} {
		c := newCaller(t, both(), func(config *auth.Config) { config.Session.Store = test.store })
		c.p.answer = c.next
		c.during = func() { c.now = c.now.Add(time.Hour) }
		c.ask()
		require.Equal(t, test.calls, c.p.calls)
		require.Equal(t, test.calls == 0, c.err != nil)
	}
}

// A request that cannot be answered with a cookie, or whose session is not this
// application's to write, changes no tokens.
func TestRequestsThatRefreshNothing(t *testing.T) { // RF-01
	for name, test := range map[string]struct {
		config  func(*auth.Config)
		request func(*http.Request)
	}{
		"a WebSocket": {nil, func(r *http.Request) {
			r.Header.Set("Connection", "Upgrade")
			r.Header.Set("Upgrade", "websocket")
		}},
		"a bearer token": {nil, func(r *http.Request) {
			cookie, err := r.Cookie("__Secure-authjs.session-token")
			require.NoError(t, err)
			r.Header.Del("Cookie")
			r.Header.Set("Authorization", "Bearer "+cookie.Value)
		}},
		"nobody can tell": {func(c *auth.Config) {
			known := false
			c.Session.RevalidateEvery = time.Minute
			c.Session.Revalidate = func(context.Context, *session.Session) error {
				if known {
					return auth.ErrStore
				}
				known = true
				return nil
			}
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCaller(t, both(), test.config)
			c.p.answer = c.next
			c.now = c.now.Add(time.Hour)
			if test.request != nil {
				c.ask(test.request)
			} else {
				c.ask()
			}
			require.Error(t, c.err)
			require.Zero(t, c.p.calls)
		})
	}
}

func TestRefreshedTokensThatDoNotFit(t *testing.T) { // RF-05
	c := newCaller(t, both(), nil)
	c.p.answer = func(*oauth2.Token) (*oauth2.Token, error) {
		return &oauth2.Token{AccessToken: strings.Repeat("a", 4000), Expiry: c.now.Add(time.Hour)}, nil
	}
	c.now = c.now.Add(time.Hour)
	c.ask()
	require.True(t, c.none)
	require.Contains(t, c.log.String(), "do not fit")
}
