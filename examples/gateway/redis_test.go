package main

import (
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

func TestRedisClient(t *testing.T) {
	open := func(raw string) redis.UniversalClient {
		client, err := redisClient(raw)
		require.NoError(t, err, raw)
		t.Cleanup(func() { client.Close() })
		return client
	}
	single := open("redis://app:p%40ss@redis.internal/2?max_retries=1").(*redis.Client).Options()
	require.Equal(t, "redis.internal:6379 app p@ss", single.Addr+" "+single.Username+" "+single.Password)
	require.Equal(t, 2, single.DB)
	require.Equal(t, 1, single.MaxRetries)
	require.Nil(t, single.TLSConfig)
	require.True(t, single.ContextTimeoutEnabled)

	secure := open("rediss://:p@redis.internal:6380").(*redis.Client).Options()
	require.Equal(t, "redis.internal", secure.TLSConfig.ServerName)
	require.False(t, secure.TLSConfig.InsecureSkipVerify)

	cluster := open("rediss://app:p@a:1?addr=b:2&addr=c:3").(*redis.ClusterClient).Options()
	require.Equal(t, []string{"a:1", "b:2", "c:3"}, cluster.Addrs)
	require.Equal(t, "app p", cluster.Username+" "+cluster.Password)
	require.Equal(t, "a", cluster.TLSConfig.ServerName)
	require.True(t, cluster.ContextTimeoutEnabled)
	open("redis://a:1/?addr=b:2")

	// The user of the URL is that of the Sentinels.
	primary := open("redis://watch:s@a:1/2?addr=b:2&master_name=main&username=app&password=p").(*redis.Client).Options()
	require.Equal(t, "app p", primary.Username+" "+primary.Password)
	require.Equal(t, 2, primary.DB)
	require.True(t, primary.ContextTimeoutEnabled)
}
