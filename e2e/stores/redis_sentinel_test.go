package stores_test

import (
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/session"
	"github.com/sallyport/auth/session/sessiontest"
)

// SE-06: the primary dies while people sign in and out. For as long as there is none, calls are
// errors, in time; then all goes on by itself, and what was acknowledged is there, but for
// the last moments before.
func TestRedisSentinelPrimaryKilled(t *testing.T) {
	config := "port %s\nsave ''\nrepl-diskless-sync-delay 0\n" + redisACL(t) + "\n"
	primary := startRedis(t, "redis-server", config)
	for range 2 {
		startRedis(t, "redis-server", config+"replicaof 127.0.0.1 "+primary.port+"\n")
	}
	var sentinels []string
	for range 3 {
		sentinels = append(sentinels, startRedis(t, "redis-sentinel", "port %s\nsentinel monitor mymaster 127.0.0.1 "+primary.port+" 2\n"+
			"sentinel down-after-milliseconds mymaster 500\nsentinel failover-timeout mymaster 2000\n").addr)
	}
	for _, addr := range sentinels {
		sentinel := redis.NewSentinelClient(&redis.Options{Addr: addr})
		defer sentinel.Close()
		require.Eventually(t, func() bool {
			m, err := sentinel.Master(t.Context(), "mymaster").Result()
			return err == nil && m["num-slaves"] == "2" && m["num-other-sentinels"] == "2"
		}, 20*time.Second, 50*time.Millisecond)
	}
	info := primary.client(t)
	require.Eventually(t, func() bool {
		return strings.Count(info.Info(t.Context(), "replication").Val(), "state=online") == 2
	}, 10*time.Second, 50*time.Millisecond)

	store := redisStore(t, redis.NewFailoverClient(&redis.FailoverOptions{MasterName: "mymaster", SentinelAddrs: sentinels, Username: "sallyport", Password: redisPassword, ContextTimeoutEnabled: true}))
	sessiontest.Kit{MaxData: 1 << 20}.TestStore(t, func() (session.Store, error) { return store, nil })
	load := startRedisLoad(store, redisKey)
	time.Sleep(1500 * time.Millisecond)
	primary.kill()
	killed := time.Now()
	require.Eventually(t, func() bool { return load.firstAfter(killed) > 0 }, 20*time.Second, 10*time.Millisecond)
	time.Sleep(1500 * time.Millisecond)
	load.end()

	require.Less(t, load.longest, 3500*time.Millisecond)
	lost, risen := load.check(t, killed)
	t.Logf("writable again after %v; %d calls succeeded, %d failed, the longest took %v; lost: %d of %d sign-ins, %d of %d sign-outs; last error: %v",
		load.firstAfter(killed).Round(time.Millisecond), len(load.succeeded), load.failed, load.longest.Round(time.Millisecond),
		lost, len(load.signedIn), risen, len(load.signedOut), load.lastError)
}
