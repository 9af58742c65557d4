package web_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/session"
)

// directory is asked whether people may still be there.
type directory struct {
	answer func(*session.Session) error
	asked  int
}

func (d *directory) revalidate(ctx context.Context, s *session.Session) error {
	d.asked++
	if _, limited := ctx.Deadline(); !limited {
		return errors.New("no time limit")
	}
	if d.answer == nil {
		return nil
	}
	return d.answer(s)
}

func newRevalidated(t *testing.T, change func(*auth.Config)) (*site, *directory) {
	d := &directory{}
	s := newSite(t, func(c *auth.Config) {
		c.Session.Revalidate = d.revalidate
		if change != nil {
			change(c)
		}
	})
	return s, d
}

func TestWhoMayNotBeThereAnyMore(t *testing.T) { // SE-05, SE-06
	for name, store := range map[string]session.Store{"cookie": nil, "store": session.NewMemoryStore(0, nil)} {
		s, d := newRevalidated(t, func(c *auth.Config) { c.Session.Store = store })
		b, second := s.browser(), s.browser()
		b.signIn("ada")
		require.Equal(t, 1, d.asked, "at the sign-in")
		copied := b.cookiesNamed(sessionCookie)[0]
		s.advance(23 * time.Hour)
		require.Equal(t, 200, b.get("/x").StatusCode)
		require.Equal(t, 1, d.asked, "not before a renewal is due")
		s.advance(2 * time.Hour)
		require.Equal(t, 200, b.get("/x").StatusCode)
		require.Equal(t, 2, d.asked)
		require.Equal(t, 200, b.get("/x").StatusCode)
		require.Equal(t, 2, d.asked, "renewed")

		second.signIn("ada")
		d.answer = func(*session.Session) error { return fmt.Errorf("disabled: %w", auth.ErrNotAllowed) }
		s.advance(25 * time.Hour)
		require.Equal(t, "null", second.get("/api/auth/session").text, "a route tells too")
		require.Empty(t, second.cookiesNamed(sessionCookie))
		got := b.get("/x")
		require.Equal(t, 303, got.StatusCode, name)
		require.Empty(t, b.cookiesNamed(sessionCookie), name)
		require.Equal(t, auth.EventRefused, s.last().Kind)
		require.Equal(t, "ada", s.last().Subject)
		require.ErrorContains(t, s.last().Err, "disabled")
		require.Empty(t, b.who())
		d.answer = nil
		other := s.browser()
		other.plant(sessionCookie, copied.Value)
		require.Empty(t, other.who(), "%s: what was ended stays so", name)
	}
}

func TestWhatARevalidationChangesIsWritten(t *testing.T) {
	s, d := newRevalidated(t, nil)
	b := s.browser()
	d.answer = func(s *session.Session) error { s.Name = "Countess"; return s.SetClaim("role", "admin") }
	b.back("stub", b.start("stub", "/").Get("state"), "ada")
	require.Contains(t, b.get("/api/auth/session").text, `"name":"Countess"`)
	d.answer = func(s *session.Session) error { s.Name = "Ada"; return nil }
	s.advance(25 * time.Hour)
	require.Contains(t, b.get("/api/auth/session").text, `"name":"Ada"`)
	d.answer = nil
	require.Contains(t, b.get("/api/auth/session").text, `"name":"Ada"`)
}

// TestADirectoryThatIsDown signs nobody out at once, and renews nobody.
func TestADirectoryThatIsDown(t *testing.T) { // SE-06
	for name, answer := range map[string]func(*session.Session) error{
		"an error": func(*session.Session) error { return errors.New("ldap: 10.0.0.3 refuses") },
		"a panic":  func(*session.Session) error { panic("nil map") },
	} {
		s, d := newRevalidated(t, nil)
		b := s.browser()
		b.signIn("ada")
		d.answer = answer
		s.advance(25 * time.Hour)
		for range 2 {
			got := b.get("/x")
			require.Equal(t, 200, got.StatusCode, name)
			require.Empty(t, got.Cookies(), name)
		}
		require.Equal(t, 2, d.asked, "a directory that is down is not waited for at each request")
		s.advance(10 * time.Second)
		b.get("/x")
		require.Equal(t, 3, d.asked)
		require.Contains(t, s.log.String(), "nobody can tell")
		got := b.post("/api/auth/session", "application/json", `{"csrfToken":"`+b.csrf()+`","data":"x"}`)
		require.Equal(t, 503, got.StatusCode, "an update would renew it")
		require.Equal(t, "5", got.Header.Get("Retry-After"))
		require.NotContains(t, got.text, "10.0.0.3")
		s.advance(28 * 24 * time.Hour)
		require.Equal(t, 200, b.get("/x").StatusCode, name)
		s.advance(24 * time.Hour)
		require.Equal(t, 303, b.get("/x").StatusCode, "%s: MaxAge since it was last renewed", name)

		again := s.browser()
		got = again.back("stub", again.start("stub", "/").Get("state"), "ada")
		require.Equal(t, 503, got.StatusCode, name)
		require.NotContains(t, got.text, "10.0.0.3")
		require.Empty(t, again.who())
	}
}

func TestASignInBringsNobodyBack(t *testing.T) { // SE-05, PV-02
	s, d := newRevalidated(t, func(c *auth.Config) { c.AccessCode = gate(t, c.Now, goodCode) })
	d.answer = func(*session.Session) error { return auth.ErrNotAllowed }
	b := s.browser()
	got := b.back("stub", b.start("stub", "/").Get("state"), "ada")
	require.Equal(t, 403, got.StatusCode)
	require.Contains(t, got.text, "ada@example.com", "whom it refuses")
	require.Equal(t, "ada", s.last().Subject)
	require.Empty(t, b.who())
	got = b.do("POST", "/api/auth/signin/access-code", url.Values{"csrfToken": {b.csrf()}, "code": {goodCode}})
	require.Equal(t, 403, got.StatusCode)
	require.Equal(t, "AccessDenied", s.last().Reason)
	require.Empty(t, b.who())
}

func TestWhoIsAskedAboutAtAnInterval(t *testing.T) { // SE-16
	s, d := newRevalidated(t, func(c *auth.Config) { c.Session.RevalidateEvery = 5 * time.Minute })
	b := s.browser()
	b.signIn("ada")
	get := func(after time.Duration, status, asked int, why string) answer {
		t.Helper()
		s.advance(after)
		got := b.get("/x")
		require.Equal(t, status, got.StatusCode, why)
		require.Equal(t, asked, d.asked, why)
		return got
	}
	get(0, 200, 1, "the sign-in has asked")
	get(4*time.Minute, 200, 1, "its answer counts")
	require.Empty(t, get(time.Minute, 200, 2, "as long as the interval").Cookies(), "nothing has changed")
	get(0, 200, 2, "this answer counts too")
	d.answer = func(s *session.Session) error { s.Name = "Countess"; return nil }
	require.NotEmpty(t, get(5*time.Minute, 200, 3, "what it changes is written").Cookies())
	require.Contains(t, b.get("/api/auth/session").text, `"name":"Countess"`)
	d.answer = func(s *session.Session) error { s.Name = "half"; return errors.New("down") }
	get(5*time.Minute, 200, 4, "nobody is signed out because the directory is down")
	get(9*time.Second, 200, 4, "nor made to wait again")
	require.Contains(t, b.get("/api/auth/session").text, `"name":"Countess"`, "what an error leaves behind counts for nothing")
	get(time.Second, 200, 5, "it is asked again soon")
	d.answer = func(*session.Session) error { return auth.ErrNotAllowed }
	get(10*time.Second, 303, 6, "and then it says so")
	require.Empty(t, b.cookiesNamed(sessionCookie))
	d.answer = nil
	require.Equal(t, 303, b.get("/x").StatusCode)
	require.Equal(t, 6, d.asked)
}

// A code in a header is checked by itself, at each request.
func TestWhoHasNoSessionHereIsNotAskedAbout(t *testing.T) {
	s, d := newRevalidated(t, func(c *auth.Config) {
		c.AccessCode, c.AccessCodeHeaders, c.Session.RevalidateEvery = gate(t, c.Now, goodCode), []string{"X-Access-Code"}, time.Minute
	})
	require.Equal(t, 200, s.browser().get("/x", "X-Access-Code", goodCode).StatusCode)
	require.Zero(t, d.asked)
}
