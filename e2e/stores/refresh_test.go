package stores_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/session"
	"github.com/sallyport/auth/session/sqlstore"
)

// refreshesOnce has two nodes want a new token for one session at once, again and again: the
// provider is asked once each time, and everybody gets what it says.
func refreshesOnce(t *testing.T, store func() session.Store) {
	secrets := []session.Secret{session.NewSecret("Hq2cY7Nn0wVtE4rXbS9uKd6LfJmZ1gPa")}
	var nodes [2]*session.Manager
	for i := range nodes {
		var err error
		nodes[i], err = session.NewManager(session.Config{Store: store()}, secrets, time.Now)
		require.NoError(t, err)
	}
	w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "https://app.example/", nil)
	require.NoError(t, nodes[0].Start(w, r, &session.Session{Subject: "ada", ProviderTokens: &session.ProviderTokens{AccessToken: "at-0", RefreshToken: "rt-0"}}, true))
	r.AddCookie(w.Result().Cookies()[0])

	var asked atomic.Int64
	for round := range int64(10) {
		old := fmt.Sprint("at-", round)
		due := func(p *session.ProviderTokens) bool { return p.AccessToken == old }
		refresh := func(_ context.Context, p *session.ProviderTokens) (*session.ProviderTokens, error) {
			n := asked.Add(1)
			if p.RefreshToken != fmt.Sprint("rt-", n-1) {
				return nil, fmt.Errorf("%w: a refresh token was used twice", session.ErrEnded)
			}
			time.Sleep(20 * time.Millisecond)
			return &session.ProviderTokens{AccessToken: fmt.Sprint("at-", n), RefreshToken: fmt.Sprint("rt-", n)}, nil
		}
		var all sync.WaitGroup
		for i := range 30 {
			all.Go(func() {
				node := nodes[i%len(nodes)]
				s, err := node.Load(r, true)
				if err != nil || s == nil {
					t.Errorf("signed out: %v", err)
					return
				}
				got, err := node.RefreshTokens(context.Background(), s, due, refresh)
				if err != nil || got.AccessToken != fmt.Sprint("at-", round+1) {
					t.Errorf("round %d: %v", round, err)
				}
			})
		}
		all.Wait()
		require.Equal(t, round+1, asked.Load())
	}
}

func TestOneRefreshOnRedis(t *testing.T) { // RF-01
	server := startRedis(t, "redis-server", "port %s\nsave \"\"")
	refreshesOnce(t, func() session.Store {
		return redisStore(t, redis.NewClient(&redis.Options{Addr: server.addr, ContextTimeoutEnabled: true}))
	})
}

func TestOneRefreshInARedisCluster(t *testing.T) { // RF-01
	_, client := startCluster(t)
	refreshesOnce(t, func() session.Store { return redisStore(t, client) })
}

func TestOneRefreshInDatabases(t *testing.T) { // RF-01
	each(t, func(t *testing.T, d database) {
		table := newTable()
		refreshesOnce(t, func() session.Store { return d.store(t, d.open(t), sqlstore.Config{Table: table}) })
	})
}
