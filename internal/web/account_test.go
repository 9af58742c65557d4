package web_test

import (
	"fmt"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
)

// promptingProvider heeds prompts.
type promptingProvider struct {
	*stubProvider
	account, login string
}

func (p promptingProvider) Prompts() (account, login string) { return p.account, p.login }

// TestAnotherAccountAfterARefusal: whoever is signed in at the provider with the wrong
// account would come back with it at once.
func TestAnotherAccountAfterARefusal(t *testing.T) {
	for name, test := range map[string]struct {
		prompt string
		err    error
		action string
	}{
		"the policy's":     {"select_account", fmt.Errorf("no: %w", auth.ErrNotAllowed), `action="/api/auth/signin/stub?prompt=select_account"`},
		"by its own value": {"login", auth.ErrNotAllowed, `action="/api/auth/signin/stub?prompt=login"`},
		"and none":         {"", auth.ErrNotAllowed, `action="/api/auth/signin/stub"`},
		"by the person":    {"select_account", auth.ErrDeclined, `action="/api/auth/signin/stub"`},
		"not signed in":    {"select_account", auth.ErrInteractionRequired, `action="/api/auth/signin/stub"`},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, func(c *auth.Config) {
				c.Providers[0] = promptingProvider{stubProvider: c.Providers[0].(*stubProvider), account: test.prompt}
			})
			s.stub.identity = func(code string) (*auth.Identity, error) {
				return &auth.Identity{Issuer: "https://idp.example", Subject: code, Email: "ada@example.com"}, test.err
			}
			b := s.browser()
			got := b.back("stub", b.start("stub", "/x").Get("state"), "ada")
			require.Equal(t, 403, got.StatusCode)
			require.Contains(t, got.text, test.action)
			require.Contains(t, got.text, "ada@example.com", "which account it was")
		})
	}
}

// TestThePromptOfARetryReachesTheProvider: by the form's own address.
func TestThePromptOfARetryReachesTheProvider(t *testing.T) {
	s := newSite(t, nil)
	b := s.browser()
	got := b.do("POST", "/api/auth/signin/stub?prompt=select_account", url.Values{"csrfToken": {b.csrf()}, "callbackUrl": {"/x"}})
	to, err := got.Location()
	require.NoError(t, err)
	require.Equal(t, "select_account", to.Query().Get("prompt"))
}

// TestNotSignedInThere: what a silent attempt ends in is no failed check.
func TestNotSignedInThere(t *testing.T) { // LG-04
	s := newSite(t, nil)
	s.stub.identity = func(string) (*auth.Identity, error) { return nil, auth.ErrInteractionRequired }
	b := s.browser()
	got := b.back("stub", b.start("stub", "/x").Get("state"), "ada")
	require.Contains(t, got.text, "You are not signed in there")
	got = b.back("stub", b.start("stub", "/x").Get("state"), "ada", "Accept-Language", "zh")
	require.Contains(t, got.text, "您尚未在登录服务中登录")
	require.Equal(t, []string{"NotSignedInThere", "NotSignedInThere"}, s.reasons())
}
