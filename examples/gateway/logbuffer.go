package main

import (
	"io"
	"sync"
	"time"
)

const (
	// flushEvery is how long lines about requests may wait for others, to be written with them.
	flushEvery = 10 * time.Millisecond

	// bufferedLog is how many bytes of them may wait.
	bufferedLog = 64 << 10
)

// logBuffer writes lines about requests together, and whatever else is written at once, after
// those that wait. A process that is killed or crashes loses what waits.
type logBuffer struct {
	mu      sync.Mutex
	out     io.Writer
	timer   *time.Timer
	waiting []byte
}

func newLogBuffer(out io.Writer) *logBuffer {
	b := &logBuffer{out: out}
	b.timer = time.AfterFunc(flushEvery, b.flush)
	return b
}

// Write writes p at once.
func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.writeWaiting()
	return b.out.Write(p)
}

// requests is where lines about requests are written to: they wait for flushEvery, or with unbuffered for nothing.
func (b *logBuffer) requests(unbuffered bool) io.Writer {
	if unbuffered {
		return b
	}
	return requestLines{b}
}

type requestLines struct{ *logBuffer }

func (b requestLines) Write(line []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.waiting) == 0 {
		b.timer.Reset(flushEvery)
	}
	b.waiting = append(b.waiting, line...)
	if len(b.waiting) >= bufferedLog {
		b.writeWaiting()
	}
	return len(line), nil
}

func (b *logBuffer) flush() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.writeWaiting()
}

// writeWaiting writes what waits, if anything does. b.mu is held.
func (b *logBuffer) writeWaiting() {
	if len(b.waiting) > 0 {
		_, _ = b.out.Write(b.waiting)
		b.waiting = b.waiting[:0]
	}
}
