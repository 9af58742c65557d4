package auth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/session"
)

// lasting is a store that outlasts the process, as far as anybody can tell.
type lasting struct {
	session.Replacer
	fails bool
}

func (l *lasting) Find(ctx context.Context, key string) ([]byte, bool, error) {
	if l.fails {
		return nil, false, errors.New("down")
	}
	return l.Replacer.Find(ctx, key)
}

func TestEnrichIsToldWhoComesBack(t *testing.T) {
	memory := func() session.Replacer { return session.NewMemoryStore(0, nil) }
	for name, test := range map[string]struct {
		sessions session.Config
		want     []auth.Seen
	}{
		"a store":          {session.Config{Store: &lasting{Replacer: memory()}}, []auth.Seen{auth.SeenNever, auth.SeenNever, auth.SeenBefore, auth.SeenBefore}},
		"revocations":      {session.Config{Revocations: &lasting{Replacer: memory()}}, []auth.Seen{auth.SeenNever, auth.SeenNever, auth.SeenBefore, auth.SeenBefore}},
		"this process":     {session.Config{Store: memory()}, []auth.Seen{auth.SeenUnknown, auth.SeenUnknown, auth.SeenUnknown, auth.SeenUnknown}},
		"cookies, nothing": {session.Config{}, []auth.Seen{auth.SeenUnknown, auth.SeenUnknown, auth.SeenUnknown, auth.SeenUnknown}},
	} {
		t.Run(name, func(t *testing.T) {
			p, other := &stubProvider{name: "stub"}, &stubProvider{name: "other"}
			c := newConfig(p, other)
			c.Session = test.sessions
			var seen []auth.Seen
			var refuse error = errors.New("the database is down")
			c.Enrich = func(_ context.Context, s *session.Session, id *auth.Identity) error {
				seen = append(seen, id.Seen)
				s.Subject = "user-1"
				return refuse
			}
			a, err := auth.New(c)
			require.NoError(t, err)
			require.Equal(t, http.StatusForbidden, signIn(t, a, p).StatusCode)
			refuse = nil
			for range 3 {
				require.Equal(t, http.StatusSeeOther, signIn(t, a, p).StatusCode)
			}
			require.Equal(t, test.want, seen, "who was refused has no account yet")
			signIn(t, a, other)
			require.NotEqual(t, auth.SeenBefore, seen[4], "another provider's subject is somebody else")
		})
	}
}

func TestAStoreThatCannotTellWhoComesBack(t *testing.T) { // SE-06
	p, store := &stubProvider{name: "stub"}, &lasting{Replacer: session.NewMemoryStore(0, nil)}
	c := newConfig(p)
	c.Session.Revocations = store
	c.Enrich = func(context.Context, *session.Session, *auth.Identity) error { return nil }
	a, err := auth.New(c)
	require.NoError(t, err)
	store.fails = true
	require.Equal(t, http.StatusServiceUnavailable, signIn(t, a, p).StatusCode)
}

func TestAnApplicationsDatabaseThatIsDown(t *testing.T) { // SE-06
	p := &stubProvider{name: "stub"}
	c := newConfig(p)
	c.Enrich = func(context.Context, *session.Session, *auth.Identity) error {
		return fmt.Errorf("%w: connection refused", auth.ErrStore)
	}
	a, err := auth.New(c)
	require.NoError(t, err)
	require.Equal(t, http.StatusServiceUnavailable, signIn(t, a, p).StatusCode, "nobody has refused anybody")
}
