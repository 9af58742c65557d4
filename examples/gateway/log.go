package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"time"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/session"
)

// requestHeader names a request for the lines of the log: the id that a trusted proxy
// gives it, or else one of the gateway's.
const requestHeader = "X-Request-Id"

// line is what the gateway knows of a request: for the log, and for the application.
type line struct {
	request string // its id
	client  string // the address that it comes from; "" where nobody knows
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

// logRequests writes a line for each request and counts it. It leaves queries out: a
// callback's holds a code.
func logRequests(a *auth.Authenticator, o options, m *metrics, logger *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun := time.Now()
		l := &line{request: requestID(r, o), client: clientOf(a, r)}
		r = r.WithContext(context.WithValue(r.Context(), lineKey{}, l))
		w.Header().Set(requestHeader, l.request)
		status := &statusWriter{ResponseWriter: w}
		defer func() {
			took := time.Since(begun)
			code := cmp.Or(status.code, http.StatusOK) // of a handler that says nothing
			m.request(code, took)
			// The id is among the attributes, so that withRequest has nothing to add.
			logger.LogAttrs(context.Background(), slog.LevelInfo, "gateway: request", slog.String("method", r.Method), slog.String("path", r.URL.Path), slog.Int("status", code),
				slog.String("client", l.client), slog.String("user", l.user), slog.Float64("duration_ms", float64(took.Microseconds())/1000), slog.String("request", l.request))
		}()
		next.ServeHTTP(status, r)
	})
}

func clientOf(a *auth.Authenticator, r *http.Request) string {
	if client := a.Client(r); client.IsValid() {
		return client.String()
	}
	return ""
}

// requestID takes what a trusted proxy says, if it is short and plain.
func requestID(r *http.Request, o options) string {
	if id := r.Header.Get(requestHeader); o.trusts(r) && len(id) <= 64 && id != "" && plain("/"+id) {
		return id
	}
	return rand.Text()
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

type statusWriter struct {
	http.ResponseWriter
	code int
}

func (s *statusWriter) WriteHeader(code int) {
	s.code = code
	s.ResponseWriter.WriteHeader(code)
}

func (s *statusWriter) Write(b []byte) (int, error) {
	if s.code == 0 {
		s.code = http.StatusOK
	}
	return s.ResponseWriter.Write(b)
}

// Unwrap serves [http.ResponseController].
func (s *statusWriter) Unwrap() http.ResponseWriter { return s.ResponseWriter }
