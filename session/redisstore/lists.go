package redisstore

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// extend has a sorted set, whose scores are expiries in milliseconds, go with the last key on
// it: PEXPIREAT takes GT from Redis 7 on alone. It writes once, as every script here. Two
// writes would be a transaction in the append-only file, and Redis 7 and 8 drop those
// when they start with the default user off.
const extend = `
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
if not last[2] then
  return 0
end
redis.call('PEXPIREAT', KEYS[1], last[2])
return 1
`

// Add implements [github.com/sallyport/auth/session.Lister]. What has expired on list by the
// node's clock is removed by the way.
func (s *Store) Add(ctx context.Context, list, key string, expiry time.Time) error {
	at, until, now := s.list(list), expiry.UnixMilli(), s.now().UnixMilli()
	if until <= now {
		return nil
	}
	command := func(ctx context.Context) *redis.Cmd {
		p := s.client.Pipeline()
		p.Do(ctx, "zadd", at, "gt", until, key)
		p.Do(ctx, "zremrangebyscore", at, "-inf", now)
		extended := p.Eval(ctx, extend, []string{at})
		if _, err := p.Exec(ctx); err != nil { // of the first of the three that failed
			extended.SetErr(err)
		}
		return extended
	}
	answer, err := s.ask(ctx, "add", command)
	if answer == int64(0) { // the set was to expire just then, and took the key with it
		answer, err = s.ask(ctx, "add", command)
	}
	switch {
	case err == nil && answer == nil:
		err = errNoList
	case err == nil && answer != int64(1):
		err = unexpected("add", answer)
	}
	return err
}

// errNoList is an error, and not a list that is empty: a session that is on no list would
// outlive the end of all sessions of its user.
var errNoList = errors.New("redisstore: add: what is under the list's name is of another type")

// List implements [github.com/sallyport/auth/session.Lister]. What has expired on list by the
// node's clock is left out.
func (s *Store) List(ctx context.Context, list string) (keys []string, err error) {
	after := "(" + strconv.FormatInt(s.now().UnixMilli(), 10)
	answer, err := s.ask(ctx, "list", func(ctx context.Context) *redis.Cmd {
		return s.client.Do(ctx, "zrange", s.list(list), after, "+inf", "byscore")
	})
	if err != nil || answer == nil {
		return nil, err
	}
	members, ok := answer.([]any)
	if !ok {
		return nil, unexpected("list", answer)
	}
	for _, member := range members {
		key, ok := member.(string)
		if !ok {
			return nil, unexpected("list", member)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// Remove implements [github.com/sallyport/auth/session.Lister].
func (s *Store) Remove(ctx context.Context, list, key string) error {
	answer, err := s.ask(ctx, "remove", func(ctx context.Context) *redis.Cmd {
		return s.client.Do(ctx, "zrem", s.list(list), key)
	})
	if err == nil && answer != nil && answer != int64(0) && answer != int64(1) {
		err = unexpected("remove", answer)
	}
	return err
}

// list is where list is kept. No other key has a colon.
func (s *Store) list(list string) string { return s.prefix + "list:" + list }
