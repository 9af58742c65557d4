package ginauth

import (
	"io"
	"net/http"

	"github.com/gin-gonic/gin"
)

// writer is gin's, around which package auth may have put one that sees to headers as they
// go out. To gin a status is what the answer will have, and headers may follow it, so that
// only what sends them goes by way of the outer one.
type writer struct {
	gin.ResponseWriter
	outer http.ResponseWriter
}

// WriteHeaderNow sends the headers.
func (w *writer) WriteHeaderNow() {
	w.outer.WriteHeader(w.Status())
	w.ResponseWriter.WriteHeaderNow()
}

// Write implements [http.ResponseWriter].
func (w *writer) Write(b []byte) (int, error) { return w.outer.Write(b) }

// WriteString implements [io.StringWriter].
func (w *writer) WriteString(text string) (int, error) { return io.WriteString(w.outer, text) }

// Flush implements [http.Flusher].
func (w *writer) Flush() { _ = http.NewResponseController(w.outer).Flush() }

// Unwrap serves [http.ResponseController].
func (w *writer) Unwrap() http.ResponseWriter { return w.outer }
