package redisstore_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/session"
	"github.com/sallyport/auth/session/redisstore"
	"github.com/sallyport/auth/session/sessiontest"
)

func TestConformance(t *testing.T) {
	store, server := newStore(t, redisstore.Config{})
	var passed atomic.Int64
	begun := time.Now()
	now := func() time.Time { return begun.Add(time.Duration(passed.Load())) }
	redisstore.SetNow(store, now)
	server.SetTime(begun)
	kit := sessiontest.Kit{Now: now, MaxData: 1 << 20, Advance: func(d time.Duration) {
		passed.Add(int64(d))
		server.SetTime(now())
		server.FastForward(d)
	}}
	kit.TestStore(t, func() (session.Store, error) { return store, nil })
	require.NotEmpty(t, server.Keys())
}
