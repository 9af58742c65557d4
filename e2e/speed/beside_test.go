// Package speed measures what a signed-in request costs, beside a floor, and beside what
// others ask for the same. `cd e2e && go test -run '^$' -bench . ./speed` makes every figure of
// docs/performance.md.
package speed_test

import (
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// turn is how many calls of each are made before it is the other's turn, so that whatever
// else the machine does falls on both.
const turn = 500

// beside calls floor and ours in turn, with numbers that count up from 0, and reports the
// processor's time that ours takes in that of the floor, "floors": the median of all turns, and
// "spread", half of the distance between their quartiles. begin, which may be nil, is called before each
// turn of ours.
func beside(b *testing.B, floor, ours func(n int), begin func()) {
	b.Helper()
	var ratios []float64
	var allocs uint64
	n := 0
	for b.Loop() {
		b.StopTimer()
		if begin != nil {
			begin()
		}
		runtime.GC()
		in, _ := spent(b, floor, n)
		b.StartTimer()
		took, mallocs := spent(b, ours, n)
		b.StopTimer()
		n += turn
		allocs += mallocs
		ratios = append(ratios, float64(took)/float64(in))
		b.StartTimer()
	}
	slices.Sort(ratios)
	at := func(share float64) float64 { return ratios[int(share*float64(len(ratios)-1))] }
	b.ReportMetric(at(0.5), "floors")
	b.ReportMetric((at(0.75)-at(0.25))/2, "spread")
	b.ReportMetric(float64(allocs)/float64(n), "allocs/req")
	b.ReportMetric(0, "ns/op") // of a turn, which says nothing
}

// spent is what a turn of call takes of the processor, and how often it allocates.
func spent(b *testing.B, call func(n int), from int) (time.Duration, uint64) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	begun := processor(b)
	for n := range turn {
		call(from + n)
	}
	took := processor(b) - begun
	runtime.ReadMemStats(&after)
	return took, after.Mallocs - before.Mallocs
}

// processor is the time that this process has had of it.
func processor(b testing.TB) time.Duration {
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
