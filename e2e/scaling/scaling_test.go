package main

import (
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the tables of docs/scaling.md anew")

const page = "../../docs/scaling.md"

// The page has what the program says.
func TestPage(t *testing.T) {
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	was := string(text)
	now := was
	for _, table := range tables() {
		begins := "<!-- go run ./scaling: " + table.name + " -->\n"
		before, after, ok := strings.Cut(now, begins)
		require.True(t, ok, "%s lacks %q", page, begins)
		_, after, ok = strings.Cut(after, "<!-- end -->")
		require.True(t, ok, "%s: %q has no end", page, begins)
		now = before + begins + table.text + "<!-- end -->" + after
	}
	require.Equal(t, strings.Count(now, "<!-- go run"), len(tables()), "a table that the program does not have")
	require.Contains(t, now, measuredOn)
	if *update {
		require.NoError(t, os.WriteFile(page, []byte(now), 0o644))
		return
	}
	require.Equal(t, now, was, "go test ./scaling -update writes the tables anew")
}

// Where there is a formula, the simulation comes to the same. Erlang's: of 8 processors that are used for half of the time,
// all are taken for 5.9 % of the requests, which wait for a quarter of what one takes.
func TestQueue(t *testing.T) {
	const length = 20 * time.Second
	w := way{request: 100*time.Microsecond - requestHTTP}
	nodes := rate / (nodeCores * 5000)
	times, used := nodeTimes(w, nodes, length)
	require.InDelta(t, 0.5, used, 0.01)
	require.InDelta(t, rate/nodes, float64(len(times))/length.Seconds(), 200)
	var all time.Duration
	for _, d := range times {
		all += d
	}
	require.InDelta(t, 101.5, float64(all/time.Duration(len(times)))/1e3, 1)
}

// What has to hold of an outage, whatever was measured.
func TestOutage(t *testing.T) {
	o := outage{nodes: 30, primary: true, nodeTimeout: time.Second, limit: 500 * time.Millisecond, pool: 16}
	a := o.simulate()
	require.GreaterOrEqual(t, a.answers, o.nodeTimeout+failoverBeyondTimeout, "nobody answers before a replica has taken over")
	require.Less(t, a.answers, o.nodeTimeout+failoverBeyondTimeout+2*o.limit)
	require.LessOrEqual(t, a.connections, o.pool*o.nodes)
	asked := float64(rate) / primaries * (o.nodeTimeout + failoverBeyondTimeout).Seconds()
	require.Greater(t, float64(a.refused+a.unheard), asked, "everybody who asked meanwhile")
	require.Less(t, float64(a.refused+a.unheard), asked*(1+tries))
	require.Equal(t, a, o.simulate(), "it is the same each time")

	o.primary = false
	require.Zero(t, o.simulate().refused, "a shard whose primary is elsewhere")
}

func TestEventsComeInTheirOrder(t *testing.T) {
	var q events[int]
	for i, at := range []time.Duration{5, 3, 9, 3, 1, 7, 3} {
		q.put(at, i)
	}
	var got []int
	for e, ok := q.take(); ok; e, ok = q.take() {
		got = append(got, e.what)
	}
	require.Equal(t, []int{4, 1, 3, 6, 0, 5, 2}, got)
}

func TestNumbers(t *testing.T) {
	for want, x := range map[string]float64{"0": 0, "999": 999, "1,000": 1000, "12,345,678": 12345678} {
		require.Equal(t, want, number(x))
	}
	for want, x := range map[string]float64{"7": 7, "99": 99, "120": 123, "130": 125, "8,400": 8403, "1,000,000": 999_999} {
		require.Equal(t, want, about(x))
	}
	require.Equal(t, 30, roundUp(29.75, 3))
	require.Equal(t, 30, roundUp(30, 3))
	require.Equal(t, 33, roundUp(30.01, 3))
}
