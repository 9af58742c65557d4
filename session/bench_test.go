package session_test

import (
	"bytes"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/session"
)

// BenchmarkSeal and BenchmarkOpen are the cryptography alone.
func BenchmarkSeal(b *testing.B) {
	codec, payload := session.NewCodec(cookieName, []session.Secret{first}), bytes.Repeat([]byte("x"), 400)
	b.ReportAllocs()
	for b.Loop() {
		codec.Seal(payload)
	}
}

func BenchmarkOpen(b *testing.B) {
	codec := session.NewCodec(cookieName, []session.Secret{first})
	token := codec.Seal(bytes.Repeat([]byte("x"), 400))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := codec.Open(token); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSweep removes half of a million entries, on a list each, while one goroutine
// reads and one writes: how long each waited at most, and how long the lock was held.
// A process that others take the processor from shows that: see it with -cpu 1.
func BenchmarkSweep(b *testing.B) {
	const entries = 1_000_000
	key := func(n int) string { return fmt.Sprintf("%064d", n%entries) }
	data := bytes.Repeat([]byte("x"), 1000)
	for b.Loop() {
		b.StopTimer()
		at := atomic.Int64{} // seconds
		m := session.NewMemoryStore(entries+1, func() time.Time { return time.Unix(at.Load(), 0) })
		for i := range entries {
			expiry := time.Unix(1+int64(i%2), 0)
			require.NoError(b, m.Commit(b.Context(), key(i), data, expiry))
			require.NoError(b, m.Add(b.Context(), "list"+key(i), key(i), expiry))
		}
		at.Store(1)
		runtime.GC()
		stop := make(chan struct{})
		find := longest(stop, func(n int) error { _, _, err := m.Find(b.Context(), key(n)); return err })
		commit := longest(stop, func(n int) error { return m.Commit(b.Context(), key(n), data, time.Unix(2, 0)) })
		var held time.Duration
		b.StartTimer()
		for more := true; more; {
			began := time.Now()
			more = session.SweepSome(m)
			held = max(held, time.Since(began))
			runtime.Gosched()
		}
		b.StopTimer()
		close(stop)
		b.ReportMetric(float64(held.Microseconds()), "us-held")
		b.ReportMetric(float64((<-find).Microseconds()), "us-find")
		b.ReportMetric(float64((<-commit).Microseconds()), "us-commit")
		require.NoError(b, m.Close())
		b.StartTimer()
	}
}

// longest calls call with odd numbers until stop is closed, and then sends how long the
// longest took.
func longest(stop <-chan struct{}, call func(n int) error) <-chan time.Duration {
	result := make(chan time.Duration)
	go func() {
		var longest time.Duration
		for n := 1; ; n += 2 {
			select {
			case <-stop:
				result <- longest
				return
			case <-time.After(100 * time.Microsecond):
			}
			began := time.Now()
			_ = call(n)
			longest = max(longest, time.Since(began))
		}
	}()
	return result
}
