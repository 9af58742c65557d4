package accesscode_test

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/accesscode"
)

func BenchmarkVerify(b *testing.B) {
	for _, n := range []int{1, 10, 100} {
		b.Run(fmt.Sprint(n, " codes"), func(b *testing.B) {
			g, _ := newGate(b, func(c *accesscode.Config) {
				for i := range n - 1 {
					c.Codes = append(c.Codes, accesscode.Code{Text: auth.NewSecret(fmt.Sprintf("another-code-%08d", i))})
				}
			})
			b.ReportAllocs()
			for b.Loop() {
				if _, err := g.Verify(ctx, alice, rightCode); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkLimited is what one refused attempt of a flood costs.
func BenchmarkLimited(b *testing.B) {
	g, _ := newGate(b, nil)
	for range 5 {
		_, _ = g.Verify(ctx, alice, "wrong")
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := g.Verify(ctx, alice, "wrong"); limited(err) == 0 {
			b.Fatal(err)
		}
	}
}

// BenchmarkFullQueue is what an attempt costs that finds no place in the queue.
func BenchmarkFullQueue(b *testing.B) {
	g, _ := newGate(b, nil)
	for i := range 300 {
		g.Wrong(stranger(i))
	}
	flood(g)
	for i := range 200 {
		_ = g.Enter(stranger(1000+i), "wrong")
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := g.Enter(stranger(200), "wrong"); limited(err) == 0 {
			b.Fatal(err)
		}
	}
}

// BenchmarkClients counts wrong codes of a million clients in turn.
func BenchmarkClients(b *testing.B) {
	g, _ := newGate(b, nil)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		g.Wrong(stranger(i % 1_000_000))
		i++
	}
}

// BenchmarkTiming is a test in the manner of dudect: Welch's t between the times
// that a right code and a wrong one of each kind take, and how many nanoseconds
// the means differ by. A t below 4.5 means that no difference can be seen.
func BenchmarkTiming(b *testing.B) {
	g, _ := newGate(b, func(c *accesscode.Config) {
		for i := range 9 {
			c.Codes = append(c.Codes, accesscode.Code{Text: auth.NewSecret(fmt.Sprintf("another-code-%09d", i))})
		}
	})
	classes := []struct{ name, code string }{
		{"right", rightCode},
		{"first-byte", "x" + rightCode[1:]},
		{"last-byte", rightCode[:len(rightCode)-1] + "x"},
		{"length", rightCode[:8]},
	}
	const batch = 20
	times := make([][]float64, len(classes))
	i := 0
	for b.Loop() {
		// The order changes from round to round, so that none is always first.
		for k := range classes {
			c := (k + i) % len(classes)
			start := time.Now()
			for range batch {
				g.Compare(classes[c].code)
			}
			times[c] = append(times[c], float64(time.Since(start)))
		}
		i++
	}
	for c := 1; c < len(classes); c++ {
		t, difference := welch(crop(times[0]), crop(times[c]))
		b.ReportMetric(t, "t-"+classes[c].name)
		b.ReportMetric(difference/batch, "ns-"+classes[c].name)
	}
}

// crop leaves out the slowest tenth: interrupts, not comparisons.
func crop(list []float64) []float64 {
	s := slices.Sorted(slices.Values(list))
	return s[:max(1, len(s)*9/10)]
}

func welch(a, b []float64) (t, difference float64) {
	mean := func(x []float64) (m, v float64) {
		for _, e := range x {
			m += e / float64(len(x))
		}
		for _, e := range x {
			v += (e - m) * (e - m) / float64(max(1, len(x)-1))
		}
		return m, v
	}
	ma, va := mean(a)
	mb, vb := mean(b)
	if va+vb == 0 {
		return 0, 0
	}
	return math.Abs(ma-mb) / math.Sqrt(va/float64(len(a))+vb/float64(len(b))), math.Abs(ma - mb)
}
