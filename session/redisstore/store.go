// Package redisstore keeps sessions in Redis: on a single server, behind Sentinel or
// in a Cluster, by TLS and as a user of an ACL. All of that is the client's, which the
// application makes.
//
//	client := redis.NewClient(&redis.Options{Addr: "redis.internal:6379"})
//	store, err := redisstore.New(client, redisstore.Config{})
//	if err != nil {
//		log.Fatal(err)
//	}
//	a, err := auth.New(auth.Config{Session: session.Config{Store: store} /* ... */})
//
// # What is sent
//
// Each method sends one command for one key, so that a Cluster needs no hash tags, and
// waits for one answer: GET, SET with PXAT, DEL, and for a renewal a script by EVALSHA,
// which is sent whole where the server does not have it yet. A list is a sorted set: ZRANGE
// reads it, ZREM takes a key off it, and to add one, ZADD, ZREMRANGEBYSCORE and EVAL are sent
// together. A user of an ACL needs no more than these:
//
//	user sallyport on >... ~sallyport:session:* +get +set +del +evalsha +eval +zadd +zrange +zrem +zremrangebyscore +pexpireat
//
// and in a Cluster, for the client, +cluster|slots +command +asking.
//
// Redis is 6.2 or newer, or Valkey.
//
// # Time
//
// When a session ends is sent as a point in time, in milliseconds, and Redis removes it
// then: nothing has to be swept. Its clock decides, for all nodes alike, and should be
// kept right as theirs are: where it is ahead, sessions end early by as much; where it
// is behind, the node that reads one finds that it has ended. What has ended by the clock of
// the node that writes it is not found from then on. What is on a list ends by the clock of
// the node that asks, and the list itself, by Redis's, with the last of it.
//
// # What may be lost
//
// A primary acknowledges before its replicas have heard of it. When it dies, the last
// moments may be lost: somebody who signed in then signs in again, and somebody
// who signed out then is signed in again where a copy of the cookie is. The same
// holds for a server that restarts, and for what it had not yet written to its disk.
// A client that reads from replicas, or that caches, brings ended sessions back
// without any failure, for a while: [New] refuses the first where it can see it.
//
// A maxmemory-policy that evicts signs people out early. With noeviction, sign-ins and
// renewals are errors when the memory is full, and requests go on.
package redisstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// Config says how a [Store] uses Redis. The zero value is good for most.
type Config struct {
	// Prefix comes before each key. If empty, it is "sallyport:session:". Applications
	// that share a database need one each. With a hash tag in it, such as
	// "{sallyport}:", all sessions are in one slot of a Cluster, and on one node.
	Prefix string

	// Timeout limits each call, with the client's attempts and the waiting for a
	// connection. If zero, it is 3 seconds. Requests are answered 503 after it.
	Timeout time.Duration
}

// Store keeps sessions in Redis. It implements [github.com/sallyport/auth/session.Store],
// [github.com/sallyport/auth/session.Replacer] and [github.com/sallyport/auth/session.Lister],
// and is safe for concurrent use. It does not close the client.
//
// A value of another type under one of its keys is not found, and not an error: it is no
// session and no list, and the person may sign in. An error says what failed, and never what was
// sent or answered.
type Store struct {
	client  redis.UniversalClient
	prefix  string
	timeout time.Duration
	now     func() time.Time
}

// New returns a store that uses client, and does not ask it anything yet. The error
// says what is wrong with client or with c: a client that reads from replicas would let people in
// who have signed out.
//
// A call that has ended by its time limit may leave the client waiting for as long as
// its own limits say (ReadTimeout, DialTimeout and MaxRetries in the client's options), unless
// ContextTimeoutEnabled is set in them, which is recommended.
func New(client redis.UniversalClient, c Config) (*Store, error) {
	var problems []error
	if client == nil {
		problems = append(problems, errors.New("redisstore: no client"))
	}
	if cluster, ok := client.(*redis.ClusterClient); ok && cluster.Options().ReadOnly {
		problems = append(problems, errors.New("redisstore: the client reads from replicas: leave out ReadOnly, RouteByLatency and RouteRandomly"))
	}
	if c.Timeout < 0 {
		problems = append(problems, fmt.Errorf("redisstore: Timeout is %v; it must be 0, for 3s, or more", c.Timeout))
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	s := &Store{client: client, prefix: c.Prefix, timeout: c.Timeout, now: time.Now}
	if s.prefix == "" {
		s.prefix = "sallyport:session:"
	}
	if s.timeout == 0 {
		s.timeout = 3 * time.Second
	}
	return s, nil
}

// Find implements [github.com/sallyport/auth/session.Store].
func (s *Store) Find(ctx context.Context, key string) (data []byte, found bool, err error) {
	answer, err := s.ask(ctx, "find", func(ctx context.Context) *redis.Cmd {
		return s.client.Do(ctx, "get", s.prefix+key)
	})
	if err != nil || answer == nil {
		return nil, false, err
	}
	text, ok := answer.(string)
	if !ok {
		return nil, false, unexpected("find", answer)
	}
	return []byte(text), true, nil
}

// Commit implements [github.com/sallyport/auth/session.Store].
func (s *Store) Commit(ctx context.Context, key string, data []byte, expiry time.Time) error {
	// A copy: the client may still be sending when ctx has ended and data is the caller's again.
	text := string(data)
	answer, err := s.ask(ctx, "commit", func(ctx context.Context) *redis.Cmd {
		return s.client.Do(ctx, "set", s.prefix+key, text, "pxat", s.until(expiry))
	})
	if err == nil && answer != "OK" {
		err = unexpected("commit", answer)
	}
	return err
}

// Insert implements [github.com/sallyport/auth/session.Replacer]. Where an answer is lost
// on its way, the client asks again, and inserted may be false although it is done.
func (s *Store) Insert(ctx context.Context, key string, data []byte, expiry time.Time) (inserted bool, err error) {
	text := string(data) // a copy, as in Commit
	answer, err := s.ask(ctx, "insert", func(ctx context.Context) *redis.Cmd {
		return s.client.Do(ctx, "set", s.prefix+key, text, "nx", "pxat", s.until(expiry))
	})
	if err == nil && answer != nil && answer != "OK" {
		err = unexpected("insert", answer)
	}
	return answer == "OK", err
}

// Delete implements [github.com/sallyport/auth/session.Store].
func (s *Store) Delete(ctx context.Context, key string) error {
	answer, err := s.ask(ctx, "delete", func(ctx context.Context) *redis.Cmd {
		return s.client.Do(ctx, "del", s.prefix+key)
	})
	if err == nil && answer != int64(0) && answer != int64(1) {
		err = unexpected("delete", answer)
	}
	return err
}

// until is the last millisecond at which a session that ends at expiry is there, as
// Redis counts: it removes a key when that one is over, and a session ends when
// expiry is reached. What has ended already has no such millisecond, but the
// command needs a positive one.
func (s *Store) until(expiry time.Time) int64 {
	if !expiry.After(s.now()) {
		return 1
	}
	return expiry.UnixMilli() - 1
}
