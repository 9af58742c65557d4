package main

import (
	"bufio"
	"io"
	"sync"
	"time"
)

const flushEvery = time.Second

// logBuffer writes lines together, a second's at a time. What it holds is lost when the
// process is killed or crashes.
type logBuffer struct {
	mu  sync.Mutex
	out *bufio.Writer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.out.Write(p)
}

func (b *logBuffer) flush() {
	b.mu.Lock()
	defer b.mu.Unlock()
	_ = b.out.Flush()
}

// newLogBuffer is one in front of w. end writes what is left.
func newLogBuffer(w io.Writer) (b *logBuffer, end func()) {
	b = &logBuffer{out: bufio.NewWriterSize(w, 64<<10)}
	tick, stop, stopped := time.NewTicker(flushEvery), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-tick.C:
				b.flush()
			case <-stop:
				return
			}
		}
	}()
	return b, func() {
		tick.Stop()
		close(stop)
		<-stopped
		b.flush()
	}
}
