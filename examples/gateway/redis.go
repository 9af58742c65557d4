package main

import (
	"net/url"

	"github.com/redis/go-redis/v9"

	"github.com/sallyport/auth/session/redisstore"
)

// openRedis returns a store in the Redis of raw.
func openRedis(raw string) (sessionStore, error) {
	client, err := redisClient(raw)
	if err != nil {
		return sessionStore{}, err
	}
	store, err := redisstore.New(client, redisstore.Config{})
	if err != nil {
		return sessionStore{}, err
	}
	return sessionStore{Replacer: store, close: func() { _ = client.Close() }}, nil
}

// redisClient reads a URL as go-redis has it: of a single server; with master_name, of a
// Sentinel that knows the primary of that name; with addr, of a node of a Cluster. Each
// addr is one more Sentinel or node.
func redisClient(raw string) (redis.UniversalClient, error) {
	if err := checkPassword(raw); err != nil {
		return nil, err
	}
	notRedis := storeProblem("is not the URL of a Redis", "write it like redis://user:password@redis.internal:6379/0, or rediss:// for TLS, with the password percent-encoded and no options but those of go-redis")
	replicas := storeProblem("has Redis read from replicas, which may hear of a sign-out late", "leave out read_only, replica_only, route_by_latency and route_randomly")
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" {
		return nil, notRedis
	}
	// ContextTimeoutEnabled leaves nothing waiting for a request that was given up.
	switch query := u.Query(); {
	case query.Get("master_name") != "":
		o, err := redis.ParseFailoverURL(raw)
		if err != nil {
			return nil, notRedis
		}
		if o.ReplicaOnly || o.RouteByLatency || o.RouteRandomly {
			return nil, replicas
		}
		o.ContextTimeoutEnabled = true
		return redis.NewFailoverClient(o), nil
	case query.Has("addr"):
		o, err := redis.ParseClusterURL(raw)
		if err != nil {
			return nil, notRedis
		}
		if o.ReadOnly || o.RouteByLatency || o.RouteRandomly {
			return nil, replicas
		}
		if u.Path != "" && u.Path != "/" {
			return nil, storeProblem("names a database of a Redis Cluster, which has none", "leave out what stands between the port and the question mark")
		}
		o.ContextTimeoutEnabled = true
		return redis.NewClusterClient(o), nil
	}
	o, err := redis.ParseURL(raw)
	if err != nil {
		return nil, notRedis
	}
	o.ContextTimeoutEnabled = true
	return redis.NewClient(o), nil
}
