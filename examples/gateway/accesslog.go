package main

import (
	"cmp"
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/sallyport/auth"
)

// logRequests writes a line for each request to out and counts it. It leaves queries out: a
// callback's holds a code.
func logRequests(a *auth.Authenticator, o options, m *metrics, out io.Writer, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun := time.Now()
		l := &line{request: requestID(r, o), client: clientOf(a, r), edge: o.believes(peerOf(r))}
		r = r.WithContext(context.WithValue(r.Context(), lineKey{}, l))
		w.Header().Set(requestHeader, l.request)
		status := &statusWriter{ResponseWriter: w}
		defer func() {
			now := time.Now()
			code := cmp.Or(status.code, http.StatusOK) // of a handler that says nothing
			m.request(code, now.Sub(begun))
			_, _ = out.Write(appendLine(make([]byte, 0, 512), now, r, l, code, now.Sub(begun)))
		}()
		next.ServeHTTP(status, r)
	})
}

// appendLine appends what [slog.JSONHandler] writes of the same request, for a third of its time,
// as there is one for each.
func appendLine(b []byte, now time.Time, r *http.Request, l *line, code int, took time.Duration) []byte {
	b = append(b, `{"time":"`...)
	b = now.AppendFormat(b, time.RFC3339Nano)
	b = append(b, `","level":"INFO","msg":"gateway: request","method":`...)
	b = appendText(b, r.Method)
	b = append(b, `,"path":`...)
	b = appendText(b, r.URL.Path)
	b = append(b, `,"status":`...)
	b = strconv.AppendInt(b, int64(code), 10)
	b = append(b, `,"client":`...)
	b = appendText(b, l.client)
	b = append(b, `,"user":`...)
	b = appendText(b, l.user)
	b = append(b, `,"duration_ms":`...)
	us := took.Microseconds()
	b = append(strconv.AppendInt(b, us/1000, 10), '.', '0'+byte(us/100%10), '0'+byte(us/10%10), '0'+byte(us%10))
	b = append(b, `,"request":`...)
	b = appendText(b, l.request)
	return append(b, "}\n"...)
}

// appendText appends s as JSON.
func appendText(b []byte, s string) []byte {
	if isPlain(s) && !strings.ContainsAny(s, `"\`) {
		return append(append(append(b, '"'), s...), '"')
	}
	text, _ := json.Marshal(s) // no string has an error
	return append(b, text...)
}

func clientOf(a *auth.Authenticator, r *http.Request) string {
	if client := a.Client(r); client.IsValid() {
		return client.String()
	}
	return ""
}

// requestID takes what a trusted proxy says, if it is short and plain.
func requestID(r *http.Request, o options) string {
	if id := r.Header.Get(requestHeader); id != "" && len(id) <= 64 && plain("/"+id) && o.trusts(r) {
		return id
	}
	id := binary.BigEndian.AppendUint64(make([]byte, 0, 16), rand.Uint64()) // #nosec G404 -- nothing rests on it that is to be kept secret
	return hex.EncodeToString(binary.BigEndian.AppendUint64(id, rand.Uint64()))
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
