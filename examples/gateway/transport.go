package main

import (
	"net/http"
	"sync"
)

const (
	idlePerHost = 256      // connections to the application that are kept for the next request; net/http keeps two
	bufferSize  = 32 << 10 // of what is copied from the application at a time, in bytes
)

// newTransport is net/http's own with more idle connections, as all of them go to one
// place. What is compressed goes through as it is.
func newTransport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConns, t.MaxIdleConnsPerHost = idlePerHost, idlePerHost
	t.DisableCompression = true
	return t
}

// buffers are those that answers are copied by.
type buffers struct{ pool sync.Pool }

func newBuffers() *buffers {
	return &buffers{sync.Pool{New: func() any { return new([bufferSize]byte) }}}
}

func (b *buffers) Get() []byte { return b.pool.Get().(*[bufferSize]byte)[:] }

func (b *buffers) Put(p []byte) { b.pool.Put((*[bufferSize]byte)(p)) }
