package main

import (
	"log/slog"
	"net/http"
	"time"
)

// logRequests writes a line for each request. It leaves queries out: a
// callback's holds a code.
func logRequests(logger *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun := time.Now()
		status := &statusWriter{ResponseWriter: w}
		defer func() {
			logger.InfoContext(r.Context(), "gateway: request", "method", r.Method, "path", r.URL.Path, "status", status.code, "duration", time.Since(begun))
		}()
		next.ServeHTTP(status, r)
	})
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
