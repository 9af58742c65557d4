package auth_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/session"
)

// downStore fails whenever down says so.
type downStore struct {
	*session.MemoryStore
	down *bool
}

var errDown = errors.New("connection refused to redis.internal:6379")

func (d downStore) Find(ctx context.Context, key string) ([]byte, bool, error) {
	if *d.down {
		return nil, false, errDown
	}
	return d.MemoryStore.Find(ctx, key)
}

func (d downStore) Commit(ctx context.Context, key string, data []byte, expiry time.Time) error {
	if *d.down {
		return errDown
	}
	return d.MemoryStore.Commit(ctx, key, data, expiry)
}

func (d downStore) Delete(ctx context.Context, key string) error {
	if *d.down {
		return errDown
	}
	return d.MemoryStore.Delete(ctx, key)
}

func TestStoreIsDown(t *testing.T) { // SE-06, MW-10
	down := false
	s := newSite(t, func(c *auth.Config) { c.Session.Store = downStore{session.NewMemoryStore(0, nil), &down} })
	b := s.browser()
	b.signIn("ada")
	state := b.start("stub", "/").Get("state")
	csrf := b.csrf()
	down = true
	for name, got := range map[string]answer{
		"page":     b.get("/"),
		"fetch":    b.get("/", "Accept", "application/json"),
		"session":  b.get("/api/auth/session", "Accept", "application/json"),
		"signout":  b.do("POST", "/api/auth/signout", map[string][]string{"csrfToken": {csrf}}),
		"callback": b.back("stub", state, "lin"),
	} {
		require.Equal(t, 503, got.StatusCode, name)
		require.NotEmpty(t, got.Header.Get("Retry-After"), name)
		require.NotContains(t, got.text, "redis.internal", name)
		require.Empty(t, got.Header.Values("Location"), name)
	}
	require.Contains(t, s.log.String(), "redis.internal")
	down = false
	require.Equal(t, "ada", b.who(), "nobody is signed out by an outage")
}
