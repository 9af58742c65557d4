package web_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
)

func TestPolicyRefuses(t *testing.T) {
	policy, err := auth.AllowEmails("example.org")
	require.NoError(t, err)
	s := newSite(t, func(c *auth.Config) { c.Policy = policy })
	b := s.browser()
	got := b.back("stub", b.start("stub", "/x").Get("state"), "ada")
	require.Equal(t, 403, got.StatusCode)
	require.Equal(t, []string{"AccessDenied"}, s.reasons())
	s.mu.Lock()
	id := s.events[0].RequestID
	s.mu.Unlock()
	require.Contains(t, got.text, id)
	require.Contains(t, s.log.String(), id)
	require.Empty(t, b.who())
	require.Empty(t, b.cookiesNamed("__Host-authjs.txn."))
}

func TestFailureKeepsTheSessionThereIs(t *testing.T) {
	s := newSite(t, nil)
	b := s.browser()
	b.signIn("ada")
	before := b.cookiesNamed("__Secure-authjs.session-token")[0].Value
	b.get("/api/auth/callback/stub?error=access_denied&state=" + b.start("stub", "/x").Get("state"))
	require.Equal(t, before, b.cookiesNamed("__Secure-authjs.session-token")[0].Value)
}

func TestProviderIsDown(t *testing.T) {
	s := newSite(t, nil)
	b := s.browser()
	s.stub.identity = func(string) (*auth.Identity, error) { return nil, fmt.Errorf("dial: %w", auth.ErrUnavailable) }
	got := b.back("stub", b.start("stub", "/x").Get("state"), "ada")
	require.Equal(t, 503, got.StatusCode)
	require.NotEmpty(t, got.Header.Get("Retry-After"))
}

func TestErrorsForPagesMadeForAuthjs(t *testing.T) {
	s := newSite(t, func(c *auth.Config) { c.ErrorURL, c.SignInURL = "/oops", "/login" })
	s.stub.identity = func(code string) (*auth.Identity, error) {
		return nil, map[string]error{"declined": auth.ErrDeclined, "refused": auth.ErrNotAllowed, "wrong": auth.ErrMisconfigured, "down": auth.ErrUnavailable}[code]
	}
	for code, want := range map[string]string{
		"declined": "OAuthCallbackError Declined", "refused": "AccessDenied ", "wrong": "Configuration ", "down": "Configuration Unavailable",
	} {
		b := s.browser()
		got := b.back("stub", b.start("stub", "/").Get("state"), code)
		u, err := got.Location()
		require.NoError(t, err)
		require.Equal(t, "/oops", u.Path)
		require.Equal(t, want, u.Query().Get("error")+" "+u.Query().Get("detail"))
		require.NotEmpty(t, u.Query().Get("request_id"))
		got = b.get("/api/auth/error?" + u.RawQuery)
		require.Equal(t, map[string]int{"declined": 200, "refused": 403, "wrong": 500, "down": 500}[code], got.StatusCode)
	}
	page := s.browser().get("/api/auth/error?error=Configuration&detail=Unavailable")
	require.Contains(t, page.text, "does not answer")
	page = s.browser().get("/api/auth/error?error=Configuration&detail=%3Cscript%3E")
	require.Contains(t, page.text, "not set up correctly")
}
