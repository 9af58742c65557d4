package main

import (
	"fmt"
	"strings"
	"time"
)

// table is one of docs/scaling.md, between two marks with its name.
type table struct{ name, text string }

func tables() []table {
	return []table{
		{"a node", aNode()}, {"the site", theSite()}, {"a cluster", aCluster()}, {"postgresql", onPostgreSQL()},
		{"a zone goes: nodes", zoneNodes()}, {"a zone goes: redis", zoneRedis()},
	}
}

// rows are a table of Markdown, with its head first.
func rows(lines ...[]string) string {
	var b strings.Builder
	for i, cells := range lines {
		fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | "))
		if i == 0 {
			fmt.Fprintf(&b, "|%s\n", strings.Repeat("---|", len(cells)))
		}
	}
	return b.String()
}

func aNode() string {
	lines := [][]string{{"sessions in", "processor of a request, us", "with HTTP", "requests a second and core", "questions to the store"}}
	for _, w := range ways {
		lines = append(lines, []string{w.name, number(float64(w.request / time.Microsecond)), number(float64(w.each() / time.Microsecond)), about(w.perCore()), number(float64(w.questions))})
	}
	return rows(lines...)
}

func theSite() string {
	lines := [][]string{{"sessions in", "nodes of 8 cores", "questions a second", "cores of the store that answer them", "bytes in the store"}}
	for _, w := range ways {
		bytes := "none"
		switch w.name {
		case "Redis":
			bytes = gigabytes(sessions * bytesRedis)
		case "PostgreSQL":
			bytes = gigabytes(postgresBytes())
		case "cookies":
		default:
			bytes = "of what was revoked alone"
		}
		lines = append(lines, []string{w.name, number(float64(w.nodes())), number(float64(w.asked())), fmt.Sprintf("%.0f", w.storeCores()), bytes})
	}
	return rows(lines...)
}

func aCluster() string {
	s := redisShard()
	clients := float64(ways[1].nodes())
	return rows(
		[]string{"a primary of " + number(primaries), ""},
		[]string{"slots", number(float64(s.slots)) + " or one more"},
		[]string{"sessions", about(float64(s.sessions))},
		[]string{"memory, with half as much to spare", gigabytes(s.memory)},
		[]string{"GETs a second", number(s.asked)},
		[]string{"writes, all primaries together", number(renewals()) + " renewals and " + number(signIns()) + " sign-ins a second"},
		[]string{"its one thread is used", percent(s.busy) + fmt.Sprintf(", with %.1f %% for writes", 100*redisWrites().Seconds()/primaries)},
		[]string{"connections that are used at once, of a node", fmt.Sprintf("%.1f", s.asked/clients*(roundTrip+redisGET).Seconds())},
		[]string{"connections with `PoolSize` 16, at most", number(16 * clients)},
		[]string{"machines: a primary and its 2 replicas, each in a zone", number(primaries*(1+replicas)) + " processes, " + gigabytes(s.memory*primaries*(1+replicas)) + " in all"},
	)
}

func onPostgreSQL() string {
	return rows(
		[]string{"PostgreSQL", ""},
		[]string{"a server of " + number(postgresCores) + " cores, half used, answers", about(postgresCarries()) + " a second"},
		[]string{"servers for the site, each with its part of the keys", number(float64(roundUp(rate/postgresCarries(), 1)))},
		[]string{"renewals, cores", fmt.Sprintf("%.1f", renewals()*(1+lists)*postgresUPDATE.Seconds())},
		[]string{"sessions, lists and indexes", gigabytes(postgresBytes())},
	)
}

func zoneNodes() string {
	lines := [][]string{{"sessions in", "nodes", "processors used", "half of the requests within", "99 %", "99.9 %"}}
	for _, w := range ways[:3] {
		for _, n := range []int{w.nodes(), w.nodes() / zones * (zones - 1)} {
			times, used := nodeTimes(w, n, 4*time.Second)
			lines = append(lines, []string{w.name, number(float64(n)), percent(used), ms(percentile(times, 0.5)), ms(percentile(times, 0.99)), ms(percentile(times, 0.999))})
		}
	}
	return rows(lines...)
}

// outages are what is tried out.
func outages() (list []outage) {
	for _, o := range []outage{
		{primary: true, nodeTimeout: 5 * time.Second, limit: 3 * time.Second, pool: 5 * nodeCores},
		{primary: true, nodeTimeout: time.Second, limit: 3 * time.Second, pool: 5 * nodeCores},
		{primary: true, nodeTimeout: time.Second, limit: 500 * time.Millisecond, pool: 10 * nodeCores},
		{primary: true, nodeTimeout: time.Second, limit: 500 * time.Millisecond, pool: 5 * nodeCores},
		{primary: true, nodeTimeout: time.Second, limit: 500 * time.Millisecond, pool: 2 * nodeCores},
		{primary: false, nodeTimeout: time.Second, limit: 500 * time.Millisecond, pool: 2 * nodeCores},
	} {
		o.nodes = ways[1].nodes()
		list = append(list, o)
	}
	return list
}

func zoneRedis() string {
	lines := [][]string{{"`cluster-node-timeout`, `Timeout`, `PoolSize`", "answers again", "all as before", "503s, of all shards", "at most waiting at a node", "99 % before within", "in the first second", "at the end"}}
	for _, o := range outages() {
		a, shards := o.simulate(), primaries/zones
		answers, calm, what := seconds(a.answers), fmt.Sprintf("not within %v", settling), fmt.Sprintf("%v, %v, %d", o.nodeTimeout, o.limit, o.pool)
		if !o.primary {
			shards, answers, what = primaries-shards, "at once", "a shard whose primary is elsewhere"
		}
		switch {
		case a.calm == 0:
			calm = "at once"
		case a.calm < o.nodeTimeout+failoverBeyondTimeout+settling-2*time.Second:
			calm = seconds(a.calm)
		}
		lines = append(lines, []string{
			what, answers, calm, about(float64(a.refused * shards)), about(float64(a.waiting * shards)),
			ms(percentile(a.before, 0.99)), ms(percentile(a.first, 0.99)), ms(percentile(a.after, 0.99)),
		})
	}
	return rows(lines...)
}

// ms is d, or that there is none.
func ms(d time.Duration) string {
	if d == 0 {
		return "no answer"
	}
	return fmt.Sprintf("%.2f ms", float64(d)/float64(time.Millisecond))
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }
func percent(share float64) string   { return fmt.Sprintf("%.0f %%", 100*share) }
func gigabytes(b float64) string     { return fmt.Sprintf("%.0f GB", b/1e9) }

// number has its thousands apart.
func number(x float64) string {
	text := fmt.Sprintf("%.0f", x)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// about is x with two digits that count.
func about(x float64) string {
	unit := 1.0
	for x/unit >= 100 {
		unit *= 10
	}
	return number(float64(int(x/unit+0.5)) * unit)
}
