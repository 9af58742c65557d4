package accesscode_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/netip"
	"time"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/accesscode"
	"github.com/sallyport/auth/session"
)

// Two nodes count together. What they share would be a store in Redis or a database,
// such as the one that has their sessions.
func ExampleNew_severalNodes() {
	store := session.NewMemoryStore(0, nil)
	defer store.Close()
	node := func() *accesscode.Gate {
		g, err := accesscode.New(accesscode.Config{
			Secrets: []auth.Secret{auth.NewSecret("7Fq2mB0xVd3oYk9LwR5tEz8uHj1nGc4s")},
			Codes:   []accesscode.Code{{Text: auth.NewSecret("tulip-anvil-harbour-17"), Label: "board"}},
			Store:   store,
		})
		if err != nil {
			log.Fatal(err)
		}
		return g
	}
	nodes := []*accesscode.Gate{node(), node()}

	client := netip.MustParseAddr("192.0.2.1")
	for i, code := range []string{"tulip", "anvil", "harbour", "tulip-anvil-harbour-17", "tulip-17", "anvil-17", "harbour-17"} {
		id, err := nodes[i%2].Verify(context.Background(), client, code)
		var limit *auth.LimitError
		switch {
		case errors.As(err, &limit):
			fmt.Println("come back in", limit.RetryAfter.Round(time.Second))
		case errors.Is(err, auth.ErrWrongCode):
			fmt.Println("wrong")
		case err != nil:
			fmt.Println("the store is down:", err)
		default:
			fmt.Println("welcome,", id.Name)
		}
	}
	// Output:
	// wrong
	// wrong
	// wrong
	// welcome, board
	// wrong
	// wrong
	// come back in 15s
}
