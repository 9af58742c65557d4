package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
)

// ask has command answered within the time limit. The answer is nil for a key that is not
// there and for one of another type.
//
// The client looks at ctx before each attempt, but not while it waits for an answer, unless
// it is told to, and even then at the deadline alone. So the waiting is left to a
// goroutine, which ends when the client does, and a call ends when ctx does.
func (s *Store) ask(ctx context.Context, op string, command func(context.Context) *redis.Cmd) (any, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	type result struct {
		answer any
		err    error
	}
	results := make(chan result, 1)
	go func() {
		r := result{err: errPanic}
		// The client panics at lengths that no answer can have, and in a goroutine of
		// ours nobody else would recover.
		defer func() {
			_ = recover()
			results <- r
		}()
		r.answer, r.err = command(ctx).Result()
	}()
	var err error
	select {
	case r := <-results:
		if r.err == nil {
			return r.answer, nil
		}
		err = r.err
	case <-ctx.Done():
	}
	if errors.Is(err, redis.Nil) || redis.HasErrorPrefix(err, "WRONGTYPE") {
		return nil, nil
	}
	// The client asks a Cluster where slots are when a node says that one has moved. A
	// node that has died does not say so, and it would be asked again for up to a minute.
	if cluster, ok := s.client.(*redis.ClusterClient); ok {
		cluster.ReloadState(ctx)
	}
	if ctx.Err() != nil {
		return nil, fmt.Errorf("redisstore: %s: no answer: %w", op, ctx.Err())
	}
	return nil, fmt.Errorf("redisstore: %s: %s", op, printable(err))
}

// errPanic stands for the panic of a client.
var errPanic = errors.New("redis: the client panicked at the answer")

// unexpected is the error for an answer that no Redis gives to op.
func unexpected(op string, answer any) error {
	return fmt.Errorf("redisstore: %s: the answer is not one of Redis (%T)", op, answer)
}

// printable is what may be logged of err: what it says before its first quotation mark.
// What is quoted are bytes of an answer, which may be a session, or the words of a command
// that a server did not know, which may be the password.
func printable(err error) string {
	text := strings.ToValidUTF8(err.Error(), "")
	for _, quote := range []string{`"`, "`", " '"} {
		text, _, _ = strings.Cut(text, quote)
	}
	if len(text) > 200 {
		text = text[:200]
	}
	return strings.TrimSpace(text)
}
