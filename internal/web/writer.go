package web

import (
	"errors"
	"io"
	"net/http"
)

// guarded sees to the headers of an answer as they go out: those of 103 Early Hints
// (RFC 8297) and the final ones after them; finish is for an answer that the
// application leaves to net/http.
//
// No cache keeps an answer with somebody's session cookie, whatever the application
// says. One behind Identify says whom it is for if the application has asked.
// [FromContext] cannot say so itself: it may be called in any goroutine, and a map of
// headers is for one. [http.TimeoutHandler] reads it while its handler still runs.
type guarded struct {
	http.ResponseWriter
	v      *visit
	cookie bool   // a cookie of ours is set
	before string // Cache-Control, as it was before the application
	keep   string // Cache-Control of what somebody who is signed in is answered
	said   bool   // whom the answer is for
	done   bool   // the final header is out
}

func (g *guarded) WriteHeader(status int) {
	g.seal()
	g.done = g.done || status >= 200 || status == http.StatusSwitchingProtocols
	g.ResponseWriter.WriteHeader(status)
}

func (g *guarded) Write(b []byte) (int, error) {
	g.finish()
	return g.ResponseWriter.Write(b)
}

// WriteString implements [io.StringWriter].
func (g *guarded) WriteString(text string) (int, error) {
	g.finish()
	return io.WriteString(g.ResponseWriter, text)
}

// ReadFrom implements [io.ReaderFrom], by which net/http sends files without copying
// them. Where there is nothing to read, no header need be out after it.
func (g *guarded) ReadFrom(r io.Reader) (n int64, err error) {
	g.seal()
	n, err = io.Copy(g.ResponseWriter, r)
	g.done = g.done || n > 0
	return n, err
}

// FlushError serves [http.ResponseController], which reaches writers that are no
// [http.Flusher].
func (g *guarded) FlushError() error {
	g.seal()
	err := http.NewResponseController(g.ResponseWriter).Flush()
	g.done = g.done || !errors.Is(err, http.ErrNotSupported)
	return err
}

// Unwrap serves [http.ResponseController].
func (g *guarded) Unwrap() http.ResponseWriter { return g.ResponseWriter }

// finish is for the final header, which net/http writes by itself.
func (g *guarded) finish() {
	g.seal()
	g.done = true
}

func (g *guarded) seal() {
	switch {
	case g.done:
	case g.cookie:
		g.Header().Set("Cache-Control", map[bool]string{true: "private, no-store", false: "no-store"}[g.v.session != nil])
	case !g.said && g.v.asked.Load() && !g.v.kept.Load():
		g.said = true
		keep := g.keep
		if g.Header().Get("Cache-Control") != g.before {
			keep = "" // the application has one of its own
		}
		g.v.keepFrom(g.Header(), keep)
	}
}

// like is g with what w can do beside writing and is asked for by type. Handlers go
// by that: with a writer that is an [http.Hijacker] they open a WebSocket, and gin
// streams to an [http.CloseNotifier] alone.
func (g *guarded) like(w http.ResponseWriter) http.ResponseWriter {
	_, f := w.(http.Flusher)
	h, canHijack := w.(http.Hijacker)
	c, notifies := w.(closeNotifier)
	p, pushes := w.(http.Pusher)
	switch (abilities{f, canHijack, notifies, pushes}) {
	case abilities{true, true, true, false}: // net/http's for HTTP/1
		return &struct {
			*guarded
			flusher
			http.Hijacker
			closeNotifier
		}{g, flusher{g}, h, c}
	case abilities{true, false, true, true}: // net/http's for HTTP/2
		return &struct {
			*guarded
			flusher
			closeNotifier
			http.Pusher
		}{g, flusher{g}, c, p}
	case abilities{true, true, true, true}:
		return &struct {
			*guarded
			flusher
			http.Hijacker
			closeNotifier
			http.Pusher
		}{g, flusher{g}, h, c, p}
	case abilities{true, true, false, true}:
		return &struct {
			*guarded
			flusher
			http.Hijacker
			http.Pusher
		}{g, flusher{g}, h, p}
	case abilities{true, true, false, false}:
		return &struct {
			*guarded
			flusher
			http.Hijacker
		}{g, flusher{g}, h}
	case abilities{true, false, true, false}:
		return &struct {
			*guarded
			flusher
			closeNotifier
		}{g, flusher{g}, c}
	case abilities{true, false, false, true}:
		return &struct {
			*guarded
			flusher
			http.Pusher
		}{g, flusher{g}, p}
	case abilities{true, false, false, false}:
		return &struct {
			*guarded
			flusher
		}{g, flusher{g}}
	case abilities{false, true, true, true}:
		return &struct {
			*guarded
			http.Hijacker
			closeNotifier
			http.Pusher
		}{g, h, c, p}
	case abilities{false, true, true, false}:
		return &struct {
			*guarded
			http.Hijacker
			closeNotifier
		}{g, h, c}
	case abilities{false, true, false, true}:
		return &struct {
			*guarded
			http.Hijacker
			http.Pusher
		}{g, h, p}
	case abilities{false, true, false, false}:
		return &struct {
			*guarded
			http.Hijacker
		}{g, h}
	case abilities{false, false, true, true}:
		return &struct {
			*guarded
			closeNotifier
			http.Pusher
		}{g, c, p}
	case abilities{false, false, true, false}:
		return &struct {
			*guarded
			closeNotifier
		}{g, c}
	case abilities{false, false, false, true}: // http.TimeoutHandler's
		return &struct {
			*guarded
			http.Pusher
		}{g, p}
	}
	return g
}

// abilities are those of a writer that are asked for by type.
type abilities struct{ flush, hijack, closeNotify, push bool }

// flusher is an [http.Flusher] beside the guarded writer that flushes.
type flusher struct{ g *guarded }

func (f flusher) Flush() { _ = f.g.FlushError() }

// closeNotifier is [http.CloseNotifier], which is deprecated, and asked for.
type closeNotifier interface{ CloseNotify() <-chan bool }
