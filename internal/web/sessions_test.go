package web_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/session"
)

// shown is the body of GET /sessions.
type shown struct {
	Sessions []struct {
		ID, Label, Device, Address, Provider string
		Current                              bool
		Created, LastSeen, Expires           time.Time
	}
	Complete, CanEndOthers bool
}

func (a answer) sessions(t *testing.T) (list shown) {
	t.Helper()
	require.Equal(t, "application/json", strings.Split(a.Header.Get("Content-Type"), ";")[0], a.text)
	require.NoError(t, json.Unmarshal([]byte(a.text), &list))
	return list
}

// sessions is what a script of the site is shown.
func (b *browser) sessions() shown {
	return b.get("/api/auth/sessions", "Accept", "application/json", "Sec-Fetch-Site", "same-origin").sessions(b.s.t)
}

// endSessions is the page's form.
func (b *browser) endSessions(end string, headers ...string) answer {
	return b.do("POST", "/api/auth/sessions", url.Values{"csrfToken": {b.csrf()}, "end": {end}}, headers...)
}

const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0"

func (b *browser) signInWith(userAgent, subject string) {
	b.s.t.Helper()
	require.Equal(b.s.t, 303, b.back("stub", b.start("stub", "/").Get("state"), subject, "User-Agent", userAgent).StatusCode)
}

func TestWhereSomebodyIsSignedIn(t *testing.T) { // SE-05, SE-13
	s := newSite(t, func(c *auth.Config) {
		c.Session = session.Config{Store: session.NewMemoryStore(0, nil), KeepAddress: true}
	})
	a, b, eve := s.browser(), s.browser(), s.browser()
	a.signInWith(firefox, "ada")
	s.advance(time.Hour)
	b.signInWith("curl/8.5.0", "ada")
	eve.signInWith("", "eve")

	list := a.sessions()
	require.True(t, list.Complete && list.CanEndOthers)
	require.Len(t, list.Sessions, 2)
	mine, other := list.Sessions[0], list.Sessions[1]
	require.True(t, mine.Current && !other.Current)
	require.Equal(t, []string{"Firefox, Linux", "127.0.0.1", "stub"}, []string{mine.Device, mine.Address, mine.Provider})
	require.Equal(t, "curl", other.Device)
	require.Equal(t, time.Hour, other.Created.Sub(mine.Created).Round(time.Second))
	require.Equal(t, 30*24*time.Hour, mine.Expires.Sub(mine.LastSeen).Round(time.Second))
	require.Len(t, eve.sessions().Sessions, 1)
	for _, c := range append(a.cookies(), b.cookies()...) {
		if strings.HasSuffix(c.Name, ".last") {
			continue // the provider's id
		}
		require.NotContains(t, a.get("/api/auth/sessions", "Accept", "application/json", "Sec-Fetch-Site", "same-origin").text, c.Value)
	}

	page := a.get("/api/auth/sessions")
	require.Equal(t, 200, page.StatusCode)
	for _, text := range []string{"Where you are signed in", "Firefox, Linux", "This device", "curl", "127.0.0.1", "Sign out everywhere else", `value="` + other.ID + `"`, mine.Created.Format("2 January 2006, 15:04 UTC")} {
		require.Contains(t, page.text, text)
	}
	require.Contains(t, a.get("/api/auth/signout").text, `href="/api/auth/sessions"`)
	require.Contains(t, eve.get("/api/auth/sessions", "Accept-Language", "zh").text, "未知设备")
	eve.signInWith("Mozilla/5.0 (iPhone; CPU iPhone OS 17_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148", "eve")
	require.Contains(t, eve.get("/api/auth/sessions").text, "a web view, iPhone")
	require.Contains(t, eve.get("/api/auth/sessions", "Accept-Language", "fr").text, "Navigateur intégré, iPhone")

	got := a.endSessions(other.ID)
	require.Equal(t, 303, got.StatusCode)
	require.Equal(t, s.server.URL+"/api/auth/sessions", got.Header.Get("Location"))
	require.Equal(t, "ada  eve", a.who()+" "+b.who()+" "+eve.who())
	require.Equal(t, auth.EventSessionsEnded, s.last().Kind)
	require.Equal(t, "ada", s.last().Subject)

	// Nobody ends somebody else's.
	require.Equal(t, 303, a.endSessions(eve.sessions().Sessions[0].ID).StatusCode)
	require.Equal(t, "eve", eve.who())

	b.signIn("ada")
	require.Equal(t, 303, a.endSessions("others").StatusCode)
	require.Equal(t, "ada  eve", a.who()+" "+b.who()+" "+eve.who())

	b.signIn("ada")
	script := []string{"Accept", "application/json", "Sec-Fetch-Mode", "cors", "Sec-Fetch-Site", "same-origin", "Origin", s.server.URL}
	require.Len(t, a.endSessions("others", script...).sessions(t).Sessions, 1)
	b.signIn("ada")
	require.Empty(t, a.endSessions("all", script...).sessions(t).Sessions)
	require.Equal(t, "  eve", a.who()+" "+b.who()+" "+eve.who())
	require.Empty(t, a.cookiesNamed(sessionCookie))

	a.signIn("ada")
	got = a.endSessions("all")
	require.Equal(t, s.server.URL+"/api/auth/signout", got.Header.Get("Location"))
	require.Equal(t, auth.EventSignedOut, s.last().Kind)

	a.signIn("ada")
	b.signIn("ada")
	require.Equal(t, 303, a.endSessions(a.sessions().Sessions[0].ID).StatusCode, "one's own is a sign-out")
	require.Equal(t, " ada", a.who()+" "+b.who())
	require.Equal(t, auth.EventSignedOut, s.last().Kind)
}

func TestSessionsInCookiesAreNotSeen(t *testing.T) { // SE-04, SE-05
	s := newSite(t, func(c *auth.Config) { c.Session.Revocations = session.NewMemoryStore(0, nil) })
	a, b := s.browser(), s.browser()
	a.signIn("ada")
	b.signIn("ada")
	list := a.sessions()
	require.Len(t, list.Sessions, 1)
	require.True(t, !list.Complete && list.CanEndOthers)
	require.Empty(t, list.Sessions[0].Device, "a cookie has no room for it")
	page := a.get("/api/auth/sessions").text
	require.Contains(t, page, "Other devices cannot be shown here.")
	require.Contains(t, page, "Sign out everywhere else")
	require.Equal(t, 400, a.endSessions("some-id").StatusCode)
	require.Equal(t, "ada ada", a.who()+" "+b.who())
	require.Equal(t, 303, a.endSessions("others").StatusCode)
	require.Equal(t, "ada ", a.who()+" "+b.who())
	b.signIn("ada")
	require.Equal(t, 303, a.endSessions("all").StatusCode)
	require.Equal(t, " ", a.who()+" "+b.who())
}

func TestSessionsThatNothingTakesBack(t *testing.T) {
	s := newSite(t, nil)
	b := s.browser()
	b.signIn("ada")
	list := b.sessions()
	require.True(t, !list.Complete && !list.CanEndOthers)
	page := b.get("/api/auth/sessions").text
	require.NotContains(t, page, "everywhere")
	require.NotContains(t, b.get("/api/auth/signout").text, "/sessions")
	for _, end := range []string{"others", "all", "x", ""} {
		require.Equal(t, 400, b.endSessions(end).StatusCode, end)
	}
	require.Equal(t, "ada", b.who())
	require.Equal(t, 303, b.endSessions(list.Sessions[0].ID).StatusCode)
	require.Equal(t, "", b.who())
}

// Whoever knows a code is not to see, nor to end, the sessions of others who know it.
func TestAnAccessCodeIsMany(t *testing.T) {
	s := newSite(t, func(c *auth.Config) {
		c.AccessCode = gate(t, c.Now, goodCode)
		c.Session.Store = session.NewMemoryStore(0, nil)
	})
	a, b := s.browser(), s.browser()
	for _, x := range []*browser{a, b} {
		require.Equal(t, 303, x.do("POST", "/api/auth/signin/access-code", url.Values{"csrfToken": {x.csrf()}, "code": {goodCode}}).StatusCode)
	}
	list := a.sessions()
	require.Len(t, list.Sessions, 1)
	require.False(t, list.Complete || list.CanEndOthers)
	for _, end := range []string{"others", "all", b.sessions().Sessions[0].ID} {
		require.Equal(t, 400, a.endSessions(end).StatusCode, end)
	}
	require.NotEmpty(t, b.who())
}

func TestWhoSeesSessions(t *testing.T) { // SE-13
	store := &failingStore{MemoryStore: session.NewMemoryStore(0, nil)}
	s := newSite(t, func(c *auth.Config) { c.Session.Store = store })
	b := s.browser()
	require.Equal(t, 303, b.get("/api/auth/sessions").StatusCode, "a person signs in first")
	require.Equal(t, 401, b.get("/api/auth/sessions", "Accept", "application/json", "Sec-Fetch-Site", "same-origin", "Sec-Fetch-Mode", "cors").StatusCode)
	b.signIn("ada")
	require.Equal(t, 403, b.get("/api/auth/sessions", "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "cors", "Origin", "https://evil.example").StatusCode)
	require.Equal(t, 403, b.do("POST", "/api/auth/sessions", url.Values{"csrfToken": {"x"}, "end": {"all"}}).StatusCode)
	require.Equal(t, 403, b.do("POST", "/api/auth/sessions", url.Values{"csrfToken": {b.csrf()}, "end": {"all"}}, "Origin", "https://evil.example").StatusCode)
	require.Equal(t, "ada", b.who())

	token := b.csrf()
	for _, method := range []string{"List", "Find"} {
		store.fail(method)
		got := b.get("/api/auth/sessions", "Accept", "application/json", "Sec-Fetch-Site", "same-origin", "Sec-Fetch-Mode", "cors")
		require.Equal(t, 503, got.StatusCode, method)
		require.Equal(t, "5", got.Header.Get("Retry-After"))
		got = b.do("POST", "/api/auth/sessions", url.Values{"csrfToken": {token}, "end": {"others"}})
		require.Equal(t, 503, got.StatusCode, method)
		require.Contains(t, got.text, "Sign-ins cannot be checked right now")
	}
	store.fail("")
	require.Equal(t, "ada", b.who())
	require.Equal(t, 4, strings.Count(s.log.String(), "is no answer at all"), "the log says why")
}

// failingStore fails in one method.
type failingStore struct {
	*session.MemoryStore
	method string
}

func (f *failingStore) fail(method string) { f.method = method }

func (f *failingStore) Find(ctx context.Context, key string) ([]byte, bool, error) {
	if f.method == "Find" {
		return nil, false, errors.New("that is no answer at all")
	}
	return f.MemoryStore.Find(ctx, key)
}

func (f *failingStore) List(ctx context.Context, list string) ([]string, error) {
	if f.method == "List" {
		return nil, errors.New("that is no answer at all")
	}
	return f.MemoryStore.List(ctx, list)
}

func TestABackendsSessionsAreItsOwn(t *testing.T) {
	s := newSite(t, func(c *auth.Config) { c.Backend = &personBackend{} })
	require.Equal(t, 404, s.browser().get("/api/auth/sessions", "X-Person", "bob").StatusCode)
}

// What Auth.js began says when its token was made, and not when the person signed in.
func TestASessionOfAuthJSIsShown(t *testing.T) {
	s := newSite(t, nil)
	b := s.browser()
	issued := s.clock().Add(-time.Hour).Truncate(time.Second)
	codec := session.NewCodec(sessionCookie, []session.Secret{session.NewSecret(testSecret)})
	b.plant(sessionCookie, codec.Seal(fmt.Appendf(nil, `{"sub":"ada","jti":"1","iat":%d,"exp":%d}`, issued.Unix(), issued.Add(48*time.Hour).Unix())))
	require.Equal(t, issued.UTC(), b.sessions().Sessions[0].Created)
}
