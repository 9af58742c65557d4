package auth_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/session"
)

// tellingStub is a provider that tells of logouts.
type tellingStub struct{ *stubProvider }

func (tellingStub) VerifyLogout(context.Context, string) (*auth.Logout, error) {
	return nil, auth.ErrInvalidResponse
}

// TestLogoutByTheProviderNeedsWhatEndsSessions: a configuration that would answer a
// provider, and end nothing, is an error.
func TestLogoutByTheProviderNeedsWhatEndsSessions(t *testing.T) { // BC-12, FC-03
	memory := session.NewMemoryStore(0, nil)
	telling, silent := tellingStub{&stubProvider{name: "telling"}}, &stubProvider{name: "silent"}
	for name, test := range map[string]struct {
		provider    auth.Provider
		session     session.Config
		back, front bool
	}{
		"a store":             {telling, session.Config{Store: memory}, true, true},
		"revocations":         {telling, session.Config{Revocations: memory}, true, false},
		"cookies alone":       {telling, session.Config{}, false, false},
		"a store of no lists": {telling, session.Config{Store: struct{ session.Store }{memory}}, false, false},
		"a silent provider":   {silent, session.Config{Store: memory}, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			c := newConfig(test.provider)
			c.Session = test.session
			_, err := auth.New(c)
			require.NoError(t, err)
			for field, ok := range map[string]bool{"BackChannelLogout": test.back, "FrontChannelLogout": test.front} {
				c.BackChannelLogout, c.FrontChannelLogout = field == "BackChannelLogout", field == "FrontChannelLogout"
				_, err := auth.New(c)
				if ok {
					require.NoError(t, err)
				} else {
					require.ErrorContains(t, err, "Config."+field+" needs Providers")
				}
			}
		})
	}
}
