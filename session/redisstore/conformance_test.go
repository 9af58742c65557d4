package redisstore_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/session"
	"github.com/sallyport/auth/session/redisstore"
	"github.com/sallyport/auth/session/sessiontest"
)

func TestConformance(t *testing.T) {
	store, server := newStore(t, redisstore.Config{})
	sessiontest.Kit{Advance: server.FastForward, MaxData: 1 << 20}.TestStore(t, func() (session.Store, error) { return store, nil })
	require.NotEmpty(t, server.Keys())
}
