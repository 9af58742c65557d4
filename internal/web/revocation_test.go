package web_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/session"
)

// revoker is a stub that takes tokens back as revoke says.
type revoker struct {
	*ender
	revoke func(ctx context.Context, t *session.ProviderTokens) error
}

func (p *revoker) RevokeTokens(ctx context.Context, t *session.ProviderTokens) error {
	return p.revoke(ctx, t)
}

func newRevokingSite(t *testing.T, keep bool, revoke func(context.Context, *session.ProviderTokens) error) *site {
	s, _ := newEndingSite(t, func(c *auth.Config) {
		c.Providers[0] = &revoker{newEnder(), revoke}
		c.KeepTokens = keep
	})
	return s
}

func TestTokensAreRevokedAtASignOut(t *testing.T) { // RF-07
	revoked := make(chan *session.ProviderTokens, 1)
	limits := make(chan time.Duration, 1)
	s := newRevokingSite(t, true, func(ctx context.Context, tokens *session.ProviderTokens) error {
		until, _ := ctx.Deadline()
		limits <- time.Until(until)
		revoked <- tokens
		return nil
	})
	b := s.browser()
	b.signIn("ada")
	b.signOut()
	limit := <-limits
	require.Positive(t, limit)
	require.LessOrEqual(t, limit, 5*time.Second)
	tokens := <-revoked
	require.Equal(t, "s3cret-refresh", tokens.RefreshToken)
	require.Equal(t, "s3cret-access", tokens.AccessToken)
}

func TestNothingIsRevokedThatIsNotKept(t *testing.T) { // RF-07
	s := newRevokingSite(t, false, func(context.Context, *session.ProviderTokens) error {
		t.Error("there is the hint alone")
		return nil
	})
	b := s.browser()
	b.signIn("ada")
	require.Equal(t, "s3cret-id", b.signOut().atProvider(t).Get("hint"))
}

// TestRevocationsDelayNobody: a provider that hangs is waited for by nobody, and by no
// more than 32 at once.
func TestRevocationsDelayNobody(t *testing.T) { // RF-07
	release, begun := make(chan struct{}), make(chan struct{}, 100)
	s := newRevokingSite(t, true, func(ctx context.Context, _ *session.ProviderTokens) error {
		begun <- struct{}{}
		select {
		case <-release:
		case <-ctx.Done():
		}
		return errors.New("it does not answer")
	})
	b := s.browser()
	for range 40 {
		b.signIn("ada")
		b.signOut("atProvider", "0")
		require.Empty(t, b.who())
	}
	for range 32 {
		<-begun
	}
	require.Empty(t, begun)
	require.Contains(t, s.log.String(), "does not keep up")
	close(release)
	require.Eventually(t, func() bool {
		b.signIn("ada")
		b.signOut("atProvider", "0")
		return len(begun) > 0
	}, 5*time.Second, time.Millisecond, "there is room again")
	require.NotContains(t, s.log.String(), "s3cret")
}
