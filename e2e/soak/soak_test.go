package soak_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	// people come within two minutes, and after that again and again.
	people = 20_000
	round  = 2 * time.Minute

	// hangingEvery is how many come for one who tries the provider that hangs first.
	hangingEvery = 200

	// atOnce is how many requests are on their way at once, but for those to that provider.
	atOnce = 16

	// perSignOut is what a sign-out may leave: a node remembers for an hour who has signed out there, up to
	// 20 MB of it, and the collector lets garbage be as much as what is in use.
	perSignOut = 400
)

// crowd is everybody, and what they have been answered.
type crowd struct {
	nodes  []*node
	client *http.Client
	slots  chan struct{}
	turn   atomic.Uint32

	mu     sync.Mutex
	counts map[string]int
	longer map[string]int // than a second
	wrong  []error
}

func (c *crowd) count(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts[what]++
}

func (c *crowd) took(what string, d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts[what]++
	if d > time.Second {
		c.longer[what]++
	}
}

func (c *crowd) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wrong = append(c.wrong, err)
}

func (c *crowd) failures() []error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.wrong
}

// SE-06, SE-15: what two nodes do for people who come and go leaves nothing behind.
func TestSoak(t *testing.T) {
	length, err := time.ParseDuration(cmp.Or(os.Getenv("SOAK"), round.String()))
	require.NoError(t, err, "SOAK")
	c := newCrowd(t)
	require.NoError(t, c.person(1).signIn(), "before the rest")
	require.NoError(t, c.person(2).signIn())
	time.Sleep(5 * time.Second) // connections to the provider go after three
	before := c.goroutines(t)

	began, end := time.Now(), make(chan struct{})
	var sampling, living sync.WaitGroup
	sampling.Go(func() { c.sample(end) })
	arrivals := int(int64(people) * int64(length) / int64(round))
	for n := 0; n < arrivals && len(c.failures()) == 0; n++ {
		time.Sleep(time.Until(began.Add(length * time.Duration(n) / time.Duration(arrivals))))
		living.Go(func() {
			if err := c.person(n).live(); err != nil {
				c.fail(err)
			}
		})
	}
	close(end) // those who are still there leave memory that is less used
	sampling.Wait()
	living.Wait()
	t.Logf("%d people in %v", arrivals, time.Since(began).Round(time.Second))
	c.report(t)

	require.Empty(t, c.failures())
	require.Equal(t, arrivals+2, c.counts["callback"])
	require.GreaterOrEqual(t, c.counts["renewal"], arrivals)
	require.Equal(t, (arrivals+hangingEvery-1)/hangingEvery, c.counts["the provider that hangs"])
	for i, n := range c.nodes {
		third, last := n.quarters()
		signOuts := int64(c.counts["sign-out"] / len(c.nodes) / 4) // of a quarter
		require.LessOrEqual(t, last, third+third/10+signOuts*perSignOut, "bytes of node %d: it grows", i)
		require.Empty(t, n.strange(), "lines of node %d about what nobody has caused", i)
	}
	c.leftNone(t, before)
}

func newCrowd(t *testing.T) *crowd {
	socket, provider, hanging := startRedis(t), startIdP(t), startHanging(t)
	c := &crowd{slots: make(chan struct{}, atOnce), counts: map[string]int{}, longer: map[string]int{}}
	for range 2 {
		c.nodes = append(c.nodes, startNode(t, nodeRedis+"="+socket, nodeIssuer+"="+provider.issuer, nodeHanging+"="+hanging))
	}
	c.client = &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: atOnce},
		Timeout:       30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c
}

func (c *crowd) person(n int) *person { return &person{crowd: c, n: n, cookies: map[string]string{}} }

// sample looks at the nodes each second.
func (c *crowd) sample(end <-chan struct{}) {
	seconds := time.NewTicker(time.Second)
	defer seconds.Stop()
	for {
		select {
		case <-end:
			return
		case <-seconds.C:
			for _, n := range c.nodes {
				if err := n.sample(); err != nil {
					c.fail(err)
				}
			}
		}
	}
}

func (c *crowd) goroutines(t *testing.T) (counts []int) {
	c.client.CloseIdleConnections()
	for _, n := range c.nodes {
		count, _ := n.goroutines(t)
		counts = append(counts, count)
	}
	return counts
}

// leftNone holds that the nodes have no more goroutines than before once nobody asks anything.
func (c *crowd) leftNone(t *testing.T, before []int) {
	ended := time.Now()
	for {
		now := c.goroutines(t)
		if now[0] <= before[0] && now[1] <= before[1] {
			t.Logf("goroutines: %v before, %v after %v of quiet", before, now, time.Since(ended).Round(time.Second))
			return
		}
		if time.Since(ended) > 30*time.Second {
			_, stacks := c.nodes[0].goroutines(t)
			require.FailNow(t, "goroutines are left", "%v before, %v now\n%s", before, now, stacks)
		}
		time.Sleep(time.Second)
	}
}

// quarters are the medians of the third and of the last quarter of what was sampled.
func (n *node) quarters() (third, last int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	q := len(n.resident) / 4
	return median(n.resident[2*q : 3*q]), median(n.resident[3*q:])
}

func median(list []int64) int64 {
	if len(list) == 0 {
		return 0
	}
	return slices.Sorted(slices.Values(list))[len(list)/2]
}

// strange are the lines of the log that are not about the provider that hangs.
func (n *node) strange() (lines []string) {
	for line := range strings.Lines(n.log.Read()) {
		var l struct{ Level, Provider string }
		if err := json.Unmarshal([]byte(line), &l); err != nil || l.Provider != "hanging" {
			lines = append(lines, line)
		}
	}
	return lines
}

// report says what there was.
func (c *crowd) report(t *testing.T) {
	for _, what := range slices.Sorted(maps.Keys(c.counts)) {
		t.Logf("%8d %s, %d of them longer than a second", c.counts[what], what, c.longer[what])
	}
	for i, n := range c.nodes {
		n.mu.Lock()
		var each []string
		for k := 1; k <= 20; k++ {
			if at := len(n.resident)*k/20 - 1; at >= 0 {
				each = append(each, fmt.Sprintf("%.1f", float64(n.resident[at])/1e6))
			}
		}
		n.mu.Unlock()
		third, last := n.quarters()
		t.Logf("node %d: resident MB by twentieths %s; medians of the third and last quarter %.1f and %.1f", i, strings.Join(each, " "), float64(third)/1e6, float64(last)/1e6)
	}
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) == nil {
		t.Logf("the people and the provider had the processor for %.0f s", time.Duration(u.Utime.Nano()+u.Stime.Nano()).Seconds())
	}
}
