package main

import (
	"context"
	"io"
	"log/slog"

	"github.com/sallyport/auth/session"
)

// requestHeader names a request for the lines of the log: the id that a trusted proxy
// gives it, or else one of the gateway's.
const requestHeader = "X-Request-Id"

// line is what the gateway knows of a request: for the log, and for the application.
type line struct {
	request string // its id
	client  string // the address that it comes from; "" where nobody knows
	edge    bool   // whether it comes from a proxy that may say who the client is
	user    string // the application's name for who is signed in; "" for nobody

	who   *session.Session // as whom it is passed on; nil for nobody
	token string           // that says so; "" where there are none
}

type lineKey struct{}

// lineOf is that of the request with ctx. It belongs to the request's goroutine.
func lineOf(ctx context.Context) *line {
	if l, ok := ctx.Value(lineKey{}).(*line); ok {
		return l
	}
	return &line{}
}

// newLogger writes lines of JSON to out, each in one piece.
func newLogger(out io.Writer) *slog.Logger {
	return slog.New(withRequest{slog.NewJSONHandler(out, nil)})
}

// withRequest has each line of a log say which request it is about.
type withRequest struct{ slog.Handler }

func (h withRequest) Handle(ctx context.Context, record slog.Record) error {
	if id := lineOf(ctx).request; id != "" {
		record.AddAttrs(slog.String("request", id))
	}
	return h.Handler.Handle(ctx, record)
}

func (h withRequest) WithAttrs(attrs []slog.Attr) slog.Handler {
	return withRequest{h.Handler.WithAttrs(attrs)}
}

func (h withRequest) WithGroup(name string) slog.Handler {
	return withRequest{h.Handler.WithGroup(name)}
}
