package session_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/session"
)

func TestWhoIsKnown(t *testing.T) {
	ctx := context.Background()
	for name, with := range map[string]func(session.Store) session.Config{
		"store":       func(s session.Store) session.Config { return session.Config{Store: s} },
		"revocations": func(s session.Store) session.Config { return session.Config{Revocations: s} },
	} {
		t.Run(name, func(t *testing.T) {
			store := &watchedStore{Store: session.NewMemoryStore(0, func() time.Time { return time.Unix(1790000000, 0) })}
			b := newBox(t, with(store))
			known := func(s *session.Session) bool {
				t.Helper()
				is, err := b.Known(ctx, s)
				require.NoError(t, err)
				return is
			}
			ada := &session.Session{Provider: "github", Issuer: "https://github.com", Subject: "1"}
			require.False(t, known(ada))
			require.NoError(t, b.Know(ctx, ada))
			require.NoError(t, b.Know(ctx, ada))
			require.True(t, known(ada))
			require.Equal(t, 400*24*time.Hour, store.expiry.Sub(b.now))
			require.True(t, known(&session.Session{Provider: "github", Issuer: "https://github.com", Subject: "user-7", ProviderSubject: "1"}))
			for _, other := range []*session.Session{
				{Provider: "gitlab", Issuer: "https://github.com", Subject: "1"},
				{Provider: "github", Issuer: "https://github.example", Subject: "1"},
				{Provider: "github", Issuer: "https://github.com", Subject: "2"},
			} {
				require.False(t, known(other))
			}
			require.NoError(t, store.Store.Commit(ctx, store.keys[len(store.keys)-1], []byte("junk"), b.now.Add(time.Hour)))
			require.False(t, known(&session.Session{Provider: "github", Issuer: "https://github.com", Subject: "2"}), "what nobody sealed says nothing")

			require.NoError(t, store.Store.Commit(ctx, store.keys[len(store.keys)-1], []byte("\x04x"), b.now.Add(time.Hour)))
			require.True(t, known(&session.Session{Provider: "github", Issuer: "https://github.com", Subject: "2"}), "a node of a later release knows them")

			second := newBox(t, with(store), session.NewSecret("Jk3dZ8Oo1xWuF5sYcT0vLe7MgKnA2hQb"), first)
			is, err := second.Known(ctx, ada)
			require.NoError(t, err)
			require.True(t, is, "under a new secret too")

			require.NoError(t, b.Know(ctx, ada))
			moved := store.data
			require.False(t, known(&session.Session{Provider: "github", Issuer: "https://github.com", Subject: "3"}))
			require.NoError(t, store.Store.Commit(ctx, store.keys[len(store.keys)-1], moved, b.now.Add(time.Hour)))
			require.False(t, known(&session.Session{Provider: "github", Issuer: "https://github.com", Subject: "3"}), "what says that somebody else is known")

			for _, method := range []string{"Find", "Commit"} {
				store.fail = method
				_, findErr := b.Known(ctx, ada)
				require.ErrorIs(t, errors.Join(findErr, b.Know(ctx, ada)), session.ErrStore)
			}
		})
	}
	for _, c := range []session.Config{{}, {Store: session.NewMemoryStore(0, nil)}} {
		b := newBox(t, c)
		require.False(t, b.CanKnow())
		_, err := b.Known(ctx, ada())
		require.ErrorIs(t, err, errors.ErrUnsupported)
		require.ErrorIs(t, b.Know(ctx, ada()), errors.ErrUnsupported)
	}
}
