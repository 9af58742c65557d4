package stores_test

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/session"
	"github.com/sallyport/auth/session/redisstore"
	"github.com/sallyport/auth/session/sessiontest"
)

// startCluster starts three primaries, each with a replica.
func startCluster(t *testing.T) (nodes map[string]*redisServer, client *redis.ClusterClient) {
	t.Helper()
	nodes = map[string]*redisServer{}
	create := []string{"--cluster", "create"}
	for range 6 {
		node := startRedis(t, "redis-server", "port %s\nsave ''\nrepl-diskless-sync-delay 0\ncluster-enabled yes\ncluster-node-timeout 1000\ncluster-replica-validity-factor 0\n"+redisACL(t)+" +cluster|slots +command +asking\n")
		nodes[node.addr] = node
		create = append(create, node.addr)
	}
	out, err := exec.Command("redis-cli", append(create, "--cluster-replicas", "1", "--cluster-yes")...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	for _, node := range nodes {
		c := node.client(t)
		require.Eventually(t, func() bool {
			replication := c.Info(t.Context(), "replication").Val()
			return strings.Contains(c.ClusterInfo(t.Context()).Val(), "cluster_state:ok") &&
				(strings.Contains(replication, "state=online") || strings.Contains(replication, "master_link_status:up"))
		}, 20*time.Second, 50*time.Millisecond)
	}
	addrs := make([]string, 0, len(nodes))
	for addr := range nodes {
		addrs = append(addrs, addr)
	}
	client = redis.NewClusterClient(&redis.ClusterOptions{Addrs: addrs, Username: "sallyport", Password: redisPassword, ContextTimeoutEnabled: true})
	t.Cleanup(func() { client.Close() })
	return nodes, client
}

func TestRedisCluster(t *testing.T) {
	nodes, client := startCluster(t)
	store, err := redisstore.New(client, redisstore.Config{})
	require.NoError(t, err)
	owner := func(key string) string {
		node, err := client.MasterForKey(t.Context(), "sallyport:session:"+key)
		require.NoError(t, err)
		return node.Options().Addr
	}
	t.Run("no violations", func(t *testing.T) {
		sessiontest.Kit{MaxData: 1 << 20}.TestStore(t, func() (session.Store, error) { return store, nil })
	})
	t.Run("a slot moves", func(t *testing.T) { slotMoves(t, nodes, client) })
	t.Run("a node is lost", func(t *testing.T) {
		// Who owns a key is asked before: afterwards it is another.
		dead := owner(redisKey())
		ofDead, ofOthers := make(chan string, 20000), make(chan string, 60000)
		for len(ofDead) < cap(ofDead) {
			key, of := redisKey(), ofOthers
			if owner(key) == dead {
				of = ofDead
			}
			of <- key
		}
		here := startRedisLoad(store, func() string { return <-ofDead })
		elsewhere := startRedisLoad(store, func() string { return <-ofOthers })
		time.Sleep(1500 * time.Millisecond)
		nodes[dead].kill()
		killed := time.Now()
		require.Eventually(t, func() bool { return here.firstAfter(killed) > 0 }, 20*time.Second, 10*time.Millisecond)
		time.Sleep(1500 * time.Millisecond)
		here.end()
		elsewhere.end()
		for name, load := range map[string]*redisLoad{"its slots": here, "other slots": elsewhere} {
			require.Less(t, load.longest, 3500*time.Millisecond, name)
			lost, risen := load.check(t, killed)
			t.Logf("%s: writable again after %v; %d calls succeeded, %d failed, the longest took %v; lost: %d of %d sign-ins, %d of %d sign-outs; last error: %v",
				name, load.firstAfter(killed).Round(time.Millisecond), len(load.succeeded), load.failed, load.longest.Round(time.Millisecond),
				lost, len(load.signedIn), risen, len(load.signedOut), load.lastError)
		}
	})
}

// emptySlot is a prefix of keys of one slot, in which there are none of other tests: a node
// gives no slot away that it has keys of.
func emptySlot(t *testing.T, nodes map[string]*redisServer, client *redis.ClusterClient) (prefix string) {
	for n := 0; ; n++ {
		prefix = fmt.Sprintf("sallyport:session:{slot %d}:", n)
		node, err := client.MasterForKey(t.Context(), prefix)
		require.NoError(t, err)
		c := nodes[node.Options().Addr].client(t)
		slot, err := c.ClusterKeySlot(t.Context(), prefix).Result()
		require.NoError(t, err)
		keys, err := c.ClusterCountKeysInSlot(t.Context(), int(slot)).Result()
		require.NoError(t, err)
		if keys == 0 {
			return prefix
		}
	}
}

// slotMoves goes through what a node does whose slot moves: sessions of it are found,
// renewed, listed and ended at each step, and on whichever node they are.
func slotMoves(t *testing.T, nodes map[string]*redisServer, client *redis.ClusterClient) {
	ctx, expiry := t.Context(), time.Now().Add(time.Hour)
	prefix := emptySlot(t, nodes, client)
	store, err := redisstore.New(client, redisstore.Config{Prefix: prefix})
	require.NoError(t, err)
	key, list := redisKey(), redisKey()
	at := prefix + key
	node, err := client.MasterForKey(ctx, at)
	require.NoError(t, err)
	from := nodes[node.Options().Addr].client(t)
	var to *redis.Client
	var toServer *redisServer
	for addr, server := range nodes {
		c := server.client(t)
		if addr != node.Options().Addr && strings.Contains(c.Info(ctx, "replication").Val(), "role:master") {
			to, toServer = c, server
		}
	}
	fromID, err := from.Do(ctx, "cluster", "myid").Text()
	require.NoError(t, err)
	toID, err := to.Do(ctx, "cluster", "myid").Text()
	require.NoError(t, err)
	slot, err := from.ClusterKeySlot(ctx, at).Result()
	require.NoError(t, err)

	n := 0
	require.NoError(t, store.Commit(ctx, key, []byte("0"), expiry))
	renew := func(step string) {
		t.Helper()
		data, found, err := store.Find(ctx, key)
		require.NoError(t, err, step)
		require.True(t, found, step)
		require.Equal(t, fmt.Sprint(n), string(data), step)
		swapped, err := store.Replace(ctx, key, data, []byte(fmt.Sprint(n+1)), expiry)
		require.NoError(t, err, step)
		require.True(t, swapped, step)
		require.NoError(t, store.Add(ctx, list, fmt.Sprint(n), expiry), step)
		keys, err := store.List(ctx, list)
		require.NoError(t, err, step)
		n++
		require.Len(t, keys, n, step)
	}
	renew("before")
	require.NoError(t, to.Do(ctx, "cluster", "setslot", slot, "importing", fromID).Err())
	require.NoError(t, from.Do(ctx, "cluster", "setslot", slot, "migrating", toID).Err())
	renew("announced")
	require.NoError(t, from.Do(ctx, "migrate", "127.0.0.1", toServer.port, at, 0, 5000).Err())
	require.NoError(t, to.ScriptFlush(ctx).Err()) // the new node does not know it
	renew("the key has moved")
	require.NoError(t, from.Do(ctx, "migrate", "127.0.0.1", toServer.port, prefix+"list:"+list, 0, 5000).Err())
	renew("the list has moved")
	for _, c := range []*redis.Client{to, from} {
		require.NoError(t, c.Do(ctx, "cluster", "setslot", slot, "node", toID).Err())
	}
	renew("the slot has moved")
	require.NoError(t, store.Delete(ctx, key))
	require.NoError(t, store.Remove(ctx, list, "0"))
	keys, err := store.List(ctx, list)
	require.NoError(t, err)
	require.Len(t, keys, n-1)
	_, found, err := store.Find(ctx, key)
	require.NoError(t, err)
	require.False(t, found)
}
