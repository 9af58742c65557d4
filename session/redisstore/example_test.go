package redisstore_test

import (
	"crypto/tls"
	"log"

	"github.com/redis/go-redis/v9"

	"github.com/sallyport/auth/session"
	"github.com/sallyport/auth/session/redisstore"
)

// One server, by TLS, as a user of an ACL.
func Example() {
	client := redis.NewClient(&redis.Options{
		Addr:                  "redis.internal:6379",
		Username:              "sallyport",
		Password:              "the password, from the environment",
		TLSConfig:             &tls.Config{MinVersion: tls.VersionTLS12},
		ContextTimeoutEnabled: true,
	})
	defer client.Close()
	store, err := redisstore.New(client, redisstore.Config{})
	if err != nil {
		log.Fatal(err)
	}
	_ = session.Config{Store: store} // the field Session of auth.Config
}

// A primary that Sentinel names, whichever it is.
func ExampleNew_sentinel() {
	client := redis.NewFailoverClient(&redis.FailoverOptions{
		MasterName:            "mymaster",
		SentinelAddrs:         []string{"sentinel-1.internal:26379", "sentinel-2.internal:26379", "sentinel-3.internal:26379"},
		ContextTimeoutEnabled: true,
	})
	defer client.Close()
	store, err := redisstore.New(client, redisstore.Config{})
	if err != nil {
		log.Fatal(err)
	}
	_ = session.Config{Store: store}
}

// A Cluster, of which some nodes are named: they know the others.
func ExampleNew_cluster() {
	client := redis.NewClusterClient(&redis.ClusterOptions{
		Addrs:                 []string{"redis-1.internal:6379", "redis-2.internal:6379", "redis-3.internal:6379"},
		ContextTimeoutEnabled: true,
	})
	defer client.Close()
	store, err := redisstore.New(client, redisstore.Config{Prefix: "shop:session:"})
	if err != nil {
		log.Fatal(err)
	}
	_ = session.Config{Store: store}
}
