package main

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sallyport/auth"
)

// upTo are the ends of the histogram's buckets, in seconds.
var upTo = [...]float64{0.005, 0.025, 0.1, 0.5, 2.5, 10, 60}

// metrics counts what the gateway does, for Prometheus. No label is anything that a
// request says. It is safe for concurrent use.
type metrics struct {
	upstreamErrors atomic.Int64
	classes        [6]atomic.Int64
	within         [len(upTo)]atomic.Int64 // that, and not within the one before
	nanoseconds    atomic.Int64

	mu      sync.Mutex
	signIns map[string]int // by outcome: signed_in, or the reason of the closed set
	outages map[string]int // by reason
}

func newMetrics() *metrics { return &metrics{signIns: map[string]int{}, outages: map[string]int{}} }

func (m *metrics) request(status int, took time.Duration) {
	m.classes[min(max(status/100, 1), 5)].Add(1)
	m.nanoseconds.Add(int64(took))
	for i, end := range upTo {
		if took.Seconds() <= end {
			m.within[i].Add(1)
			return
		}
	}
}

func (m *metrics) event(_ context.Context, e auth.Event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch e.Kind {
	case auth.EventSignedIn:
		m.signIns[string(e.Kind)]++
	case auth.EventSignInFailed:
		m.signIns[e.Reason]++
	case auth.EventSessionFailed:
		m.outages[e.Reason]++
	}
}

// ServeHTTP shows the counts in Prometheus's text format, version 0.0.4.
func (m *metrics) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	fmt.Fprint(w, "# HELP gateway_requests_total Requests that were answered, by the first digit of the status.\n# TYPE gateway_requests_total counter\n")
	var all int64
	for class := 1; class < len(m.classes); class++ {
		n := m.classes[class].Load()
		all += n
		fmt.Fprintf(w, "gateway_requests_total{status=\"%dxx\"} %d\n", class, n)
	}
	fmt.Fprint(w, "# HELP gateway_request_duration_seconds How long requests took, whole answers and WebSockets included.\n# TYPE gateway_request_duration_seconds histogram\n")
	var within int64
	for i, end := range upTo {
		within = min(within+m.within[i].Load(), all)
		fmt.Fprintf(w, "gateway_request_duration_seconds_bucket{le=\"%g\"} %d\n", end, within)
	}
	fmt.Fprintf(w, "gateway_request_duration_seconds_bucket{le=\"+Inf\"} %d\ngateway_request_duration_seconds_sum %g\ngateway_request_duration_seconds_count %d\n", all, time.Duration(m.nanoseconds.Load()).Seconds(), all)
	fmt.Fprint(w, "# HELP gateway_sign_ins_total Sign-ins by outcome: signed_in, or why not.\n# TYPE gateway_sign_ins_total counter\n")
	m.mu.Lock()
	signIns, outages := maps.Clone(m.signIns), maps.Clone(m.outages)
	m.mu.Unlock()
	for _, outcome := range slices.Sorted(maps.Keys(signIns)) {
		fmt.Fprintf(w, "gateway_sign_ins_total{outcome=%q} %d\n", outcome, signIns[outcome])
	}
	fmt.Fprint(w, "# HELP gateway_session_failures_total Sessions that could not be read, written or ended, by reason.\n# TYPE gateway_session_failures_total counter\n")
	for _, reason := range slices.Sorted(maps.Keys(outages)) {
		fmt.Fprintf(w, "gateway_session_failures_total{reason=%q} %d\n", reason, outages[reason])
	}
	fmt.Fprintf(w, "# HELP gateway_upstream_errors_total Requests that the application did not answer.\n# TYPE gateway_upstream_errors_total counter\ngateway_upstream_errors_total %d\n", m.upstreamErrors.Load())
}
