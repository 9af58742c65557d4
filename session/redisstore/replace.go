package redisstore

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"
)

// replace compares and writes in one step. What GET answers for a key of another type is
// handed on as it is, so that the client sees the same error as after GET alone.
var replace = redis.NewScript(`
local have = redis.pcall('GET', KEYS[1])
if type(have) == 'table' then
  return have
end
if have ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[2], 'PXAT', ARGV[3])
return 1
`)

// Replace implements [github.com/sallyport/auth/session.Replacer]. Where an answer is lost
// on its way, the client asks again, and swapped may be false although it is done: then
// data is what is there.
func (s *Store) Replace(ctx context.Context, key string, old, data []byte, expiry time.Time) (swapped bool, err error) {
	was, text := string(old), string(data) // copies, as in Commit
	answer, err := s.ask(ctx, "replace", func(ctx context.Context) *redis.Cmd {
		return replace.Run(ctx, s.client, []string{s.prefix + key}, was, text, s.until(expiry))
	})
	if err != nil || answer == nil {
		return false, err
	}
	if answer != int64(0) && answer != int64(1) {
		return false, unexpected("replace", answer)
	}
	return answer == int64(1), nil
}
