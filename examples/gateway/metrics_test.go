package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/examples/internal/visit"
)

func TestMetrics(t *testing.T) { // LG-09
	m := newMetrics()
	m.request(101, 90*time.Second)
	m.request(200, time.Millisecond)
	m.request(204, 200*time.Millisecond)
	m.request(404, time.Millisecond)
	m.request(999, time.Millisecond)
	m.upstreamErrors.Add(1)
	for _, e := range []auth.Event{
		{Kind: auth.EventSignedIn, Provider: "github", Email: "ada@example.com"}, {Kind: auth.EventSignedIn},
		{Kind: auth.EventSignInFailed, Reason: "AccessDenied"}, {Kind: auth.EventSignedOut},
		{Kind: auth.EventSessionFailed, Reason: "StoreUnavailable"},
	} {
		m.event(context.Background(), e)
	}
	w := httptest.NewRecorder()
	m.ServeHTTP(w, nil)
	require.Equal(t, "text/plain; version=0.0.4; charset=utf-8", w.Header().Get("Content-Type"))
	want, err := os.ReadFile("testdata/metrics.txt")
	require.NoError(t, err)
	if *update {
		require.NoError(t, os.WriteFile("testdata/metrics.txt", w.Body.Bytes(), 0o644))
	} else {
		require.Equal(t, strings.ReplaceAll(string(want), "\r\n", "\n"), w.Body.String())
	}
	for line := range strings.Lines(w.Body.String()) {
		require.Regexp(t, `^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{[a-z]+="[^"]*"\})? [0-9.e+-]+)\n$`, line)
	}
}

// TestAdminPort: what is for those who run the gateway is on a port of its own, and nowhere
// else.
func TestAdminPort(t *testing.T) { // LG-05
	env := environment("http://localhost:1")
	env["UPSTREAM_URL"], env["PORT"], env["GATEWAY_ADMIN_ADDR"] = "http://127.0.0.1:1", "0", "127.0.0.1:0"
	said := visit.Start(t, 3, func(ctx context.Context, out io.Writer) error {
		return run(ctx, func(name string) string { return env[name] }, out)
	})
	var at []string
	for _, line := range said[1:] {
		var l struct{ Msg string }
		require.NoError(t, json.Unmarshal([]byte(line), &l))
		at = append(at, regexp.MustCompile(`http://[0-9.:]+`).FindString(l.Msg))
	}
	site, admin, person := at[0], at[1], visit.New(t)
	require.Equal(t, "ok\n", person.Get(admin+"/readyz").Body)
	require.Equal(t, "ok\n", person.Get(site+"/healthz").Body)
	require.Equal(t, 404, person.Get(site+"/readyz").Status)
	require.NotContains(t, person.Get(site+"/metrics").Body, "gateway_")
	require.Equal(t, 404, person.Get(admin+"/").Status)
	require.Equal(t, 405, person.Do("POST", admin+"/metrics", nil, nil).Status)
	eventually(t, func() bool {
		return strings.Contains(person.Get(admin+"/metrics").Body, "gateway_requests_total{status=\"4xx\"} 1\n")
	})

	env["GATEWAY_ADMIN_ADDR"] = strings.TrimPrefix(admin, "http://")
	err := run(context.Background(), func(name string) string { return env[name] }, io.Discard)
	require.ErrorContains(t, err, fmt.Sprintf("(set %s)", adminVariable))
}
