package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/examples/internal/visit"
	"github.com/sallyport/auth/session"
)

// requestLine is the log's last line about a request.
type requestLine struct {
	Msg, Method, Path, Client, User, Request string
	Status                                   int
	Duration                                 *float64 `json:"duration_ms"`
}

func lastRequest(t *testing.T, log string) (last requestLine) {
	t.Helper()
	for line := range strings.Lines(log) {
		var l requestLine
		require.NoError(t, json.Unmarshal([]byte(line), &l))
		if l.Msg == "gateway: request" {
			last = l
		}
	}
	require.NotEmpty(t, last.Msg, log)
	return last
}

// eventually waits for what happens after an answer has reached its client.
func eventually(t *testing.T, what func() bool) {
	t.Helper()
	require.Eventually(t, what, 10*time.Second, time.Millisecond)
}

// TestLog: a line for each request, with who and from where, the status that the client
// got, how long it took, and an id that the answer, the application and the other lines
// about it have too.
func TestLog(t *testing.T) { // LG-02
	server, log := inFront(t, application(t), "http://localhost:1", "GATEWAY_OPEN_PATHS", "/open")
	ada := carrying(t, server, &session.Session{Subject: "ada"})
	page := ada.Do("GET", server.URL+"/x?code=secret", nil, http.Header{"X-Forwarded-For": {"203.0.113.9"}})
	eventually(t, func() bool { return strings.Contains(log.String(), `"path":"/x"`) })
	l := lastRequest(t, log.String())
	id := page.Header.Get("X-Request-Id")
	require.Equal(t, requestLine{"gateway: request", "GET", "/x", "203.0.113.9", "ada", id, 200, l.Duration}, l)
	require.NotNil(t, l.Duration)
	require.GreaterOrEqual(t, len(id), 20)
	require.Contains(t, page.Body, "X-Request-Id: "+id+"\n")
	require.NotContains(t, log.String(), "secret")

	// Nobody, and an id from a trusted proxy.
	page = visit.New(t).Do("GET", server.URL+"/open", nil, http.Header{"X-Request-Id": {"edge-1"}})
	require.Equal(t, "edge-1", page.Header.Get("X-Request-Id"))
	eventually(t, func() bool { return strings.Contains(log.String(), `"path":"/open"`) })
	l = lastRequest(t, log.String())
	require.Equal(t, "edge-1 ", l.Request+" "+l.User)
	for _, bad := range []string{"a b", "<i>", strings.Repeat("a", 65), "a\tb", "é"} {
		require.NotEqual(t, bad, visit.New(t).Do("GET", server.URL+"/open", nil, http.Header{"X-Request-Id": {bad}}).Header.Get("X-Request-Id"))
	}
	stranger, _ := inFront(t, application(t), "http://localhost:1", "TRUSTED_PROXIES", "none")
	require.NotEqual(t, "edge-1", visit.New(t).Do("GET", stranger.URL+"/", nil, http.Header{"X-Request-Id": {"edge-1"}}).Header.Get("X-Request-Id"))
}

// TestOtherLinesNameTheRequest: what goes wrong is found by the id that somebody was answered.
func TestOtherLinesNameTheRequest(t *testing.T) {
	nowhere, err := upstreamURL("http://127.0.0.1:1")
	require.NoError(t, err)
	server, log := inFront(t, nowhere, "http://localhost:1", "GATEWAY_OPEN_PATHS", "/open")
	page := visit.New(t).Get(server.URL + "/open")
	require.Equal(t, 502, page.Status)
	eventually(t, func() bool { return strings.Contains(log.String(), `"path":"/open"`) })
	require.NotEmpty(t, page.Header.Get("X-Request-Id"))
	for line := range strings.Lines(log.String()) {
		if strings.Contains(line, "gateway: the application does not answer") {
			require.Contains(t, line, `"request":"`+page.Header.Get("X-Request-Id")+`"`)
			return
		}
	}
	t.Fatal(log)
}

func TestStatusInLog(t *testing.T) {
	for want, answer := range map[int]http.HandlerFunc{
		200: func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "a"); fmt.Fprint(w, "b") },
		404: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404); fmt.Fprint(w, "none") },
		0:   func(http.ResponseWriter, *http.Request) {},
	} {
		s := &statusWriter{ResponseWriter: httptest.NewRecorder()}
		answer(s, nil)
		require.Equal(t, want, s.code)
	}
}

// TestLogBuffer: lines about requests wait for others, but not long, nor for more than fit, and nothing
// that comes after them is before them.
func TestLogBuffer(t *testing.T) {
	out := &output{}
	log := newLogBuffer(out)
	requests := log.requests(false)
	fmt.Fprintln(requests, "a")
	eventually(t, func() bool { return out.String() == "a\n" })
	fmt.Fprintln(requests, "b")
	eventually(t, func() bool { return out.String() == "a\nb\n" })

	fmt.Fprintln(requests, "c")
	log.timer.Stop() // it is set once, by the first that waits
	fmt.Fprintln(requests, "d")
	require.False(t, log.timer.Stop())
	require.Equal(t, "a\nb\n", out.String())
	fmt.Fprintln(log, "at once")
	require.Equal(t, "a\nb\nc\nd\nat once\n", out.String())
	fmt.Fprintln(log.requests(true), "alone")
	require.Equal(t, "a\nb\nc\nd\nat once\nalone\n", out.String())

	fmt.Fprintln(requests, "e")
	log.timer.Stop()
	log.flush()
	log.flush()
	require.Equal(t, "a\nb\nc\nd\nat once\nalone\ne\n", out.String())

	line := strings.Repeat("x", 1<<10)
	for range bufferedLog / len(line) {
		log.timer.Stop()
		require.NotContains(t, out.String(), "x")
		fmt.Fprint(requests, line)
	}
	require.Contains(t, out.String(), "e\n"+strings.Repeat("x", bufferedLog))
}

// TestUnbufferedLog: with GATEWAY_LOG_UNBUFFERED no two lines are written together.
func TestUnbufferedLog(t *testing.T) {
	for set, unbuffered := range map[string]bool{"": false, "0": false, "1": true} {
		env := environment("http://localhost:1")
		env["UPSTREAM_URL"], env["PORT"], env["GATEWAY_LOG_UNBUFFERED"] = "http://127.0.0.1:1", "0", set
		address, log := start(t, env)
		person, together := visit.New(t), func() bool { return log.most() > 1 }
		for range 50 {
			person.Get(address + "/healthz")
		}
		if unbuffered {
			eventually(t, func() bool { return strings.Count(log.String(), `"path":"/healthz"`) == 50 })
			require.False(t, together())
			continue
		}
		eventually(t, func() bool { person.Get(address + "/healthz"); return together() })
	}
	env := environment("http://localhost:1")
	env["UPSTREAM_URL"], env["GATEWAY_LOG_UNBUFFERED"] = "http://127.0.0.1:1", "maybe"
	require.ErrorContains(t, run(t.Context(), func(name string) string { return env[name] }, io.Discard), "GATEWAY_LOG_UNBUFFERED is neither 0 nor 1")
}

// TestLastLines: who is told to end writes what waits.
func TestLastLines(t *testing.T) {
	ctx, end := context.WithCancel(t.Context())
	app := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { end() }))
	defer app.Close()
	env, log := environment("http://localhost:1"), &output{}
	env["UPSTREAM_URL"], env["PORT"], env["GATEWAY_OPEN_PATHS"] = app.URL, "0", "/open"
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, func(name string) string { return env[name] }, log) }()
	at := regexp.MustCompile(`gateway: open (http://[0-9.:]+)`)
	eventually(t, func() bool { return at.MatchString(log.String()) })
	visit.New(t).Get(at.FindStringSubmatch(log.String())[1] + "/open")
	require.NoError(t, <-ended)
	require.Contains(t, log.String(), `"path":"/open"`)
}

// BenchmarkLine is a line about a request, and the same by slog.
func BenchmarkLine(b *testing.B) {
	r := &http.Request{Method: "GET", URL: &url.URL{Path: "/page/of/something"}}
	l := &line{client: "203.0.113.9", user: "github|1234567", request: "6f1c0a9e2b7d4853a1e0c95f7d2b8436"}
	b.Run("appended", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = io.Discard.Write(appendLine(make([]byte, 0, 512), time.Now(), r, l, http.StatusOK, 12345*time.Microsecond))
		}
	})
	b.Run("slog", func(b *testing.B) {
		logger := newLogger(io.Discard)
		b.ReportAllocs()
		for b.Loop() {
			logger.LogAttrs(context.Background(), slog.LevelInfo, "gateway: request", slog.String("method", r.Method), slog.String("path", r.URL.Path), slog.Int("status", http.StatusOK),
				slog.String("client", l.client), slog.String("user", l.user), slog.Float64("duration_ms", 12.345), slog.String("request", l.request))
		}
	})
}
