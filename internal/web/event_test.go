package web_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/session"
)

// logJSON has c log to the buffer that it returns.
func logJSON(c *auth.Config) *safeBuffer {
	log := &safeBuffer{}
	c.Logger = slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	return log
}

// logged is the newest line of log, as attributes.
func logged(t *testing.T, log *safeBuffer) map[string]any {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	var v map[string]any
	require.NoError(t, json.Unmarshal([]byte(lines[len(lines)-1]), &v))
	delete(v, "time")
	return v
}

func TestEventsOfAPerson(t *testing.T) { // LG-03
	var log *safeBuffer
	s := newSite(t, func(c *auth.Config) {
		log = logJSON(c)
		c.Update = func(_ context.Context, _ *session.Session, data json.RawMessage) error {
			if string(data) == `"no"` {
				return errors.New("not that")
			}
			return nil
		}
	})
	b := s.browser()
	who := func(kind auth.EventKind) auth.Event {
		return auth.Event{Kind: kind, Provider: "stub", Issuer: "https://idp.example", Subject: "ada", Email: "ada@example.com", Client: netip.MustParseAddr("127.0.0.1")}
	}
	b.signIn("ada")
	require.Equal(t, who(auth.EventSignedIn), s.last())
	require.Equal(t, map[string]any{"level": "INFO", "msg": "auth: signed_in", "provider": "stub", "issuer": "https://idp.example", "subject": "ada", "email": "ada@example.com", "client": "127.0.0.1"}, logged(t, log))

	b.post("/api/auth/session", "application/json", `{"csrfToken":"`+b.csrf()+`","data":"yes"}`)
	require.Equal(t, who(auth.EventUpdated), s.last())
	require.Equal(t, map[string]any{"level": "INFO", "msg": "auth: updated", "provider": "stub", "issuer": "https://idp.example", "subject": "ada", "email": "ada@example.com", "client": "127.0.0.1"}, logged(t, log))

	got := b.post("/api/auth/session", "application/json", `{"csrfToken":"`+b.csrf()+`","data":"no"}`)
	refused := s.last()
	require.EqualError(t, refused.Err, "not that")
	require.Regexp(t, requestIDs, refused.RequestID)
	require.Contains(t, got.text, refused.RequestID)
	require.Equal(t, map[string]any{"level": "WARN", "msg": "auth: refused", "provider": "stub", "issuer": "https://idp.example", "subject": "ada", "email": "ada@example.com", "client": "127.0.0.1",
		"reason": "AccessDenied", "request_id": refused.RequestID, "cause": "not that"}, logged(t, log))
	id := refused.RequestID
	refused.Err, refused.RequestID = nil, ""
	want := who(auth.EventRefused)
	want.Reason = "AccessDenied"
	require.Equal(t, want, refused)

	b.do("POST", "/api/auth/signout", url.Values{"csrfToken": {b.csrf()}})
	require.Equal(t, who(auth.EventSignedOut), s.last())
	require.Equal(t, map[string]any{"level": "INFO", "msg": "auth: signed_out", "provider": "stub", "issuer": "https://idp.example", "subject": "ada", "email": "ada@example.com", "client": "127.0.0.1"}, logged(t, log))
	require.Len(t, s.kinds(), 4, "one event each")

	s.stub.identity = func(string) (*auth.Identity, error) { return nil, auth.ErrDeclined }
	b.back("stub", b.start("stub", "/").Get("state"), "x")
	failed := s.last()
	require.NotEqual(t, id, failed.RequestID)
	require.Equal(t, map[string]any{"level": "WARN", "msg": "auth: sign_in_failed", "provider": "stub", "client": "127.0.0.1",
		"reason": "Declined", "request_id": failed.RequestID, "cause": auth.ErrDeclined.Error()}, logged(t, log))
}

// TestWhoWasRefused: an operator finds somebody who asks why, by what they can say of
// themselves; the page names the account that was refused.
func TestWhoWasRefused(t *testing.T) { // LG-03, PV-02
	for name, test := range map[string]struct {
		change func(*auth.Config)
		answer func(string) (*auth.Identity, error)
		found  bool
	}{
		"by the policy": {change: func(c *auth.Config) {
			c.Policy = func(context.Context, string, *auth.Identity) error { return auth.ErrNotAllowed }
		}, found: true},
		"by Enrich": {change: func(c *auth.Config) {
			c.Enrich = func(_ context.Context, s *session.Session, _ *auth.Identity) error {
				s.Subject = "another"
				return errors.New("no row")
			}
		}, found: true},
		"by the provider, which knows who": {answer: func(string) (*auth.Identity, error) {
			return &auth.Identity{Issuer: "https://idp.example", Subject: "ada", Email: "ada@example.com"}, auth.ErrNotAllowed
		}, found: true},
		"by the provider": {answer: func(string) (*auth.Identity, error) { return nil, auth.ErrNotAllowed }},
		"who cannot be shown": {answer: func(string) (*auth.Identity, error) {
			return &auth.Identity{Issuer: "https://idp.example", Subject: "ada\x1b[31m", Email: "ada@example.com"}, auth.ErrNotAllowed
		}},
	} {
		var log *safeBuffer
		s := newSite(t, func(c *auth.Config) {
			log = logJSON(c)
			if test.change != nil {
				test.change(c)
			}
		})
		if test.answer != nil {
			s.stub.identity = test.answer
		}
		b := s.browser()
		page := b.back("stub", b.start("stub", "/").Get("state"), "ada")
		require.Equal(t, 403, page.StatusCode, name)
		require.Empty(t, b.who(), name)
		e, line := s.last(), logged(t, log)
		require.Equal(t, auth.EventSignInFailed, e.Kind)
		require.ErrorIs(t, e.Err, auth.ErrNotAllowed)
		require.Equal(t, "127.0.0.1", line["client"])
		require.Equal(t, e.RequestID, line["request_id"])
		require.Equal(t, test.found, strings.Contains(page.text, "ada@example.com"), name)
		if !test.found {
			require.NotContains(t, line, "subject", name)
			continue
		}
		require.Equal(t, []any{"stub", "https://idp.example", "ada", "ada@example.com"}, []any{line["provider"], line["issuer"], line["subject"], line["email"]}, name)
		require.Equal(t, []string{"https://idp.example", "ada", "ada@example.com"}, []string{e.Issuer, e.Subject, e.Email}, name)
	}
}

// TestEventsNameTheProvidersSubject: the same person by the same name in each event,
// whatever the application calls them.
func TestEventsNameTheProvidersSubject(t *testing.T) { // LG-03
	s := newSite(t, func(c *auth.Config) {
		c.Enrich = func(_ context.Context, s *session.Session, _ *auth.Identity) error { s.Subject = "user-1"; return nil }
	})
	b := s.browser()
	b.back("stub", b.start("stub", "/").Get("state"), "ada")
	require.Equal(t, "user-1", b.who())
	b.post("/api/auth/session", "application/json", `{"csrfToken":"`+b.csrf()+`","data":"x"}`)
	b.do("POST", "/api/auth/signout", url.Values{"csrfToken": {b.csrf()}})
	require.Equal(t, []auth.EventKind{auth.EventSignedIn, auth.EventUpdated, auth.EventSignedOut}, s.kinds())
	for _, e := range s.events {
		require.Equal(t, "ada", e.Subject, e.Kind)
	}
}

func TestRequestIDsCanBeReadOut(t *testing.T) {
	s := newSite(t, nil)
	seen := map[rune]int{}
	for range 300 {
		s.browser().get("/api/auth/callback/stub?state=x")
		id := s.last().RequestID
		require.Regexp(t, requestIDs, id)
		for _, c := range id {
			seen[c]++
		}
	}
	delete(seen, '-')
	require.Len(t, seen, 22, "each of them comes")
	for c, n := range seen {
		require.Less(t, n, 300, "%c is no more likely than others", c)
	}
}

func TestEventsOfACode(t *testing.T) { // LG-03, AC-13
	var log *safeBuffer
	s := newSite(t, func(c *auth.Config) { log, c.AccessCode = logJSON(c), gate(t, c.Now, goodCode) })
	b := s.browser()
	b.sendCode(goodCode)
	line := logged(t, log)
	require.Equal(t, "board", line["label"])
	require.Equal(t, "127.0.0.1", line["client"])
	require.Equal(t, s.last().Subject, line["subject"])
	require.True(t, strings.HasPrefix(s.last().Subject, "code_"))
	require.NotEmpty(t, s.last().Issuer)
	b.sendCode("wrong-wrong")
	line = logged(t, log)
	require.Equal(t, "CredentialsSignin", line["reason"])
	require.NotContains(t, line, "label")
	require.NotContains(t, line, "subject")
	require.Equal(t, "access-code", line["provider"])
}

// TestOutageIsNoFailedSignIn: nobody tried to sign in, and it is the operator's.
func TestOutageIsNoFailedSignIn(t *testing.T) { // LG-03, SE-06
	var log *safeBuffer
	down := false
	s := newSite(t, func(c *auth.Config) {
		log, c.Session.Store = logJSON(c), downStore{session.NewMemoryStore(0, nil), &down}
	})
	b := s.browser()
	b.signIn("ada")
	down = true
	for _, path := range []string{"/", "/api/auth/session"} {
		page := b.get(path, "Accept", "*/*")
		require.Equal(t, 503, page.StatusCode)
		e := s.last()
		require.Equal(t, auth.EventSessionFailed, e.Kind)
		require.Regexp(t, requestIDs, e.RequestID)
		require.Equal(t, map[string]any{"level": "ERROR", "msg": "auth: session_failed", "provider": "", "client": "127.0.0.1",
			"reason": "StoreUnavailable", "request_id": e.RequestID, "cause": e.Err.Error()}, logged(t, log))
	}
}

// requestIDs are what people read out.
const requestIDs = "^[34679ACDEFGHJKMNPRTWXY]{4}(-[34679ACDEFGHJKMNPRTWXY]{4}){2}$"

func TestForgedFormIsTold(t *testing.T) { // LG-03, CS-02
	var log *safeBuffer
	s := newSite(t, func(c *auth.Config) { log = logJSON(c) })
	b := s.browser()
	b.csrf()
	b.do("POST", "/api/auth/signout", url.Values{})
	require.Equal(t, map[string]any{"level": "WARN", "msg": "auth: sign_in_failed", "provider": "", "client": "127.0.0.1", "reason": "MissingCSRF", "request_id": s.last().RequestID}, logged(t, log))
	b.post("/api/auth/session", "application/json", `{}`)
	require.Equal(t, []string{"MissingCSRF", "MissingCSRF"}, s.reasons())
	require.NoError(t, s.last().Err)
}

func TestLogIsOneLineForEachEvent(t *testing.T) { // LG-02, CB-01
	s := newSite(t, nil)
	evil := "x\r\nlevel=ERROR msg=\"forged\" \x1b[31m\u202e"
	s.stub.identity = func(string) (*auth.Identity, error) { return nil, errors.New(evil) }
	b := s.browser()
	b.back("stub", b.start("stub", "/").Get("state"), evil)
	log := s.log.String()
	require.NotContains(t, log, "\nlevel=ERROR")
	require.NotContains(t, log, "\x1b")
	require.NotContains(t, log, "\u202e")
	for _, line := range strings.Split(strings.TrimSpace(log), "\n") {
		require.True(t, strings.HasPrefix(line, "time="), line)
	}
}

func TestNobodyHasToListen(t *testing.T) {
	s := newSite(t, func(c *auth.Config) { c.OnEvent = nil })
	s.browser().signIn("ada")
	require.Contains(t, s.log.String(), "auth: signed_in")
}
