package stores_test

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/accesscode"
	"github.com/sallyport/auth/session"
	"github.com/sallyport/auth/session/sqlstore"
)

const accessCode = "5f0c3b9a7d2e48160b1c9d8e7f6a5b4c"

// guesses are what became of attempts.
type guesses struct{ welcome, wrong, limited int }

// guessTogether sends text so many times, at once and to all nodes in turn.
func guessTogether(t *testing.T, nodes []*accesscode.Gate, client, text string, times int) (n guesses) {
	t.Helper()
	var mu sync.Mutex
	var all sync.WaitGroup
	var failed error
	for i := range times {
		all.Go(func() {
			_, err := nodes[i%len(nodes)].Verify(context.Background(), netip.MustParseAddr(client), text)
			mu.Lock()
			defer mu.Unlock()
			var limit *auth.LimitError
			switch {
			case err == nil:
				n.welcome++
			case errors.As(err, &limit):
				n.limited++
			case errors.Is(err, auth.ErrWrongCode):
				n.wrong++
			default:
				failed = err
			}
		})
	}
	all.Wait()
	require.NoError(t, failed)
	return n
}

// countsTogether has one node for each of stores, which have their data in one place.
func countsTogether(t *testing.T, stores ...session.Replacer) {
	t.Helper()
	at := &clock{now: time.Now()}
	var nodes []*accesscode.Gate
	for _, store := range stores {
		g, err := accesscode.New(accesscode.Config{
			Secrets: []auth.Secret{auth.NewSecret("Hq2cY7Nn0wVtE4rXbS9uKd6LfJmZ1gPa")},
			Codes:   []accesscode.Code{{Text: auth.NewSecret(accessCode)}},
			Store:   store,
			Now:     at.Now,
		})
		require.NoError(t, err)
		nodes = append(nodes, g)
	}
	const client, other = "192.0.2.1", "2001:db8::1"
	began := time.Now()
	require.Equal(t, guesses{wrong: 5, limited: 59}, guessTogether(t, nodes, client, "wrong", 64))
	took := time.Since(began)
	require.Equal(t, guesses{limited: 3}, guessTogether(t, nodes, client, accessCode, 3))
	at.Advance(15 * time.Second)
	require.Equal(t, guesses{wrong: 1, limited: 63}, guessTogether(t, nodes, client, "wrong", 64))
	at.Advance(30 * time.Second)
	for range 3 {
		for _, g := range nodes {
			require.Equal(t, guesses{welcome: 1}, guessTogether(t, []*accesscode.Gate{g}, client, accessCode, 1), "a right code is taken back")
		}
	}
	require.Equal(t, guesses{wrong: 1}, guessTogether(t, nodes, client, "wrong", 1))

	began = time.Now()
	right := guessTogether(t, nodes, other, accessCode, 64)
	require.Zero(t, right.wrong)
	require.Positive(t, right.welcome)
	require.Equal(t, guesses{wrong: 5, limited: 59}, guessTogether(t, nodes, other, "wrong", 64), "right codes leave nothing")
	t.Logf("64 guesses at once: %v; 64 right codes at once: %d let in, %v with as many guesses", took.Round(time.Millisecond), right.welcome, time.Since(began).Round(time.Millisecond))
}

func TestAccessCodesInRedis(t *testing.T) { // AC-05, SE-09
	_, as := tlsRedis(t)
	countsTogether(t, redisStore(t, as("sallyport")), redisStore(t, as("sallyport")), redisStore(t, as("sallyport")))
}

func TestAccessCodesInARedisCluster(t *testing.T) { // AC-05
	_, client := startCluster(t)
	countsTogether(t, redisStore(t, client), redisStore(t, client), redisStore(t, client))
}

func TestAccessCodesInDatabases(t *testing.T) { // AC-05, SE-10
	each(t, func(t *testing.T, d database) {
		table := newTable()
		var stores []session.Replacer
		for range 3 {
			stores = append(stores, d.store(t, d.open(t), sqlstore.Config{Table: table}))
		}
		countsTogether(t, stores...)
	})
}
