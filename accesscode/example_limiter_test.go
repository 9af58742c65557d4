package accesscode_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/netip"
	"sync"
	"time"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/accesscode"
)

// hourly gives each client a number of wrong codes in each hour. This one counts
// in memory; with Redis, Take would be an INCR and an EXPIRE of "code:<client>:<hour>"
// in one script, and GiveBack a DECR.
type hourly struct {
	attempts int

	mu    sync.Mutex
	hour  time.Time
	taken map[netip.Prefix]int
}

// Take looks and counts in one step, under mu.
func (l *hourly) Take(_ context.Context, client netip.Prefix) (time.Duration, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if hour := time.Now().Truncate(time.Hour); hour != l.hour {
		l.hour, l.taken = hour, make(map[netip.Prefix]int)
	}
	if l.taken[client] >= l.attempts {
		return time.Until(l.hour.Add(time.Hour)), nil
	}
	l.taken[client]++
	return 0, nil
}

// GiveBack is for a right code. The hour may have changed meanwhile.
func (l *hourly) GiveBack(_ context.Context, client netip.Prefix) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.taken[client] = max(0, l.taken[client]-1)
	return nil
}

// A Limiter of one's own counts for two nodes.
func ExampleLimiter() {
	shared := &hourly{attempts: 3}
	node := func() *accesscode.Gate {
		g, err := accesscode.New(accesscode.Config{
			Secrets: []auth.Secret{auth.NewSecret("7Fq2mB0xVd3oYk9LwR5tEz8uHj1nGc4s")},
			Codes:   []accesscode.Code{{Text: auth.NewSecret("tulip-anvil-harbour-17"), Label: "board"}},
			Limiter: shared,
		})
		if err != nil {
			log.Fatal(err)
		}
		return g
	}
	one, two := node(), node()

	client := netip.MustParseAddr("192.0.2.1")
	for _, try := range []struct {
		gate *accesscode.Gate
		code string
	}{{one, "tulip"}, {two, "anvil"}, {one, "tulip-anvil-harbour-17"}, {two, "harbour"}, {one, "tulip-anvil-harbour-17"}} {
		id, err := try.gate.Verify(context.Background(), client, try.code)
		var limit *auth.LimitError
		switch {
		case errors.As(err, &limit):
			fmt.Println("come back within the hour:", limit.RetryAfter <= time.Hour)
		case errors.Is(err, auth.ErrWrongCode):
			fmt.Println("wrong")
		case err != nil:
			fmt.Println("the limiter is down:", err)
		default:
			fmt.Println("welcome,", id.Name)
		}
	}
	// Output:
	// wrong
	// wrong
	// welcome, board
	// wrong
	// come back within the hour: true
}
