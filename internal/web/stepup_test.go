package web_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/session"
)

// shownAgo has s's provider say that people showed who they are so long ago, as acr.
func (s *site) shownAgo(ago time.Duration, acr string) {
	s.stub.identity = func(code string) (*auth.Identity, error) {
		return &auth.Identity{Issuer: "https://idp.example", Subject: code, AuthTime: time.Now().Add(-ago), ACR: acr}, nil
	}
}

// TestStepUp: the provider is told what is wanted, and the person comes back to the page.
func TestStepUp(t *testing.T) { // ID-21, MW-02
	fresh, mfa := auth.RequireFresh(5*time.Minute), auth.RequireACR("phr", "mfa")
	for name, test := range map[string]struct {
		rule        auth.Rule
		maxAge, acr string
	}{
		"fresh":  {fresh, "300", ""},
		"strong": {mfa, "", "phr mfa"},
		"both":   {func(s *session.Session) error { return errors.Join(fresh(s), mfa(s)) }, "300", "phr mfa"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newRuledSite(t, "login", test.rule)
			s.shownAgo(time.Hour, "pwd")
			b := s.browser()
			b.signIn("ada")
			to, err := b.get("/pay?x=1").Location()
			require.NoError(t, err)
			q := to.Query()
			require.Equal(t, []string{"idp.example", "login", test.maxAge, test.acr}, []string{to.Host, q.Get("prompt"), q.Get("max_age"), q.Get("acr_values")})
			s.shownAgo(0, "mfa")
			require.Equal(t, s.server.URL+"/pay?x=1", b.back("stub", q.Get("state"), "ada").Header.Get("Location"))
			require.Equal(t, 200, b.get("/pay?x=1").StatusCode)
		})
	}
}

// TestFreshnessByTheConfiguredClock: Config.Now.
func TestFreshnessByTheConfiguredClock(t *testing.T) { // ID-21
	s := newRuledSite(t, "login", auth.RequireFresh(5*time.Minute))
	b := s.browser()
	b.signIn("ada")
	require.Equal(t, 200, b.get("/pay").StatusCode)
	s.advance(4 * time.Minute)
	require.Equal(t, 200, b.get("/pay").StatusCode)
	s.advance(2 * time.Minute)
	require.Equal(t, 303, b.get("/pay").StatusCode)
}

// TestStepUpThatTheProviderIgnores: is a refusal, and no circle.
func TestStepUpThatTheProviderIgnores(t *testing.T) { // ID-21, MW-02
	for name, rule := range map[string]auth.Rule{"fresh": auth.RequireFresh(5 * time.Minute), "strong": auth.RequireACR("mfa")} {
		t.Run(name, func(t *testing.T) {
			s := newRuledSite(t, "login", rule)
			s.shownAgo(time.Hour, "pwd")
			b := s.browser()
			b.signIn("ada")
			to, err := b.get("/pay").Location()
			require.NoError(t, err)
			require.Equal(t, s.server.URL+"/pay", b.back("stub", to.Query().Get("state"), "ada").Header.Get("Location"))
			require.Equal(t, 403, b.get("/pay").StatusCode)
			require.Equal(t, []string{"AnotherWay"}, s.reasons())
		})
	}
}

// TestStepUpOfAScript: which can send the person on by itself. RFC 9470.
func TestStepUpOfAScript(t *testing.T) { // MW-03
	fresh, mfa := auth.RequireFresh(5*time.Minute), auth.RequireACR("phr", "mfa")
	s := newRuledSite(t, "login", func(s *session.Session) error { return errors.Join(fresh(s), mfa(s)) })
	s.shownAgo(time.Hour, "pwd")
	b := s.browser()
	require.NotContains(t, b.send("GET", "/pay", "").Header.Get("WWW-Authenticate"), "error")
	b.signIn("ada")
	got := b.send("GET", "/pay", "", "Accept", "application/json")
	require.Equal(t, 401, got.StatusCode)
	require.Contains(t, got.Header.Get("WWW-Authenticate"), `Cookie realm="`)
	require.Contains(t, got.Header.Get("WWW-Authenticate"), `, error="insufficient_user_authentication", acr_values="phr mfa", max_age="300"`)
	require.Contains(t, got.text, `"error":"insufficient_user_authentication"`)
}
