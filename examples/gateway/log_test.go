package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
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

// TestLogBuffer: nothing is lost at an orderly end.
func TestLogBuffer(t *testing.T) {
	var out bytes.Buffer
	b, end := newLogBuffer(&out)
	fmt.Fprintln(b, "a line")
	end()
	require.Equal(t, "a line\n", out.String())

	env := environment("http://localhost:1")
	env["GATEWAY_LOG_BUFFER"] = "maybe"
	require.ErrorContains(t, logged(t.Context(), func(name string) string { return env[name] }, &out), "GATEWAY_LOG_BUFFER is neither 0 nor 1")
}
