package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/examples/internal/visit"
	"github.com/sallyport/auth/providers/providertest"
)

const secret = "kY3nC0p9V1xJm5Q8sT2wZ7bL4hF6gD0aR3eU9iOqXyE="

// environment is all that the gateway needs, but for the application behind it.
func environment(issuer string) map[string]string {
	return map[string]string{
		"NEXT_AUTH_SECRET": secret, "ACCESS_CODE": "0123456789abcdef",
		"NEXT_AUTH_SSO_PROVIDERS": "generic-oidc", "GENERIC_OIDC_ISSUER": issuer,
		"GENERIC_OIDC_CLIENT_ID": "gateway", "GENERIC_OIDC_CLIENT_SECRET": "gateway-secret",
	}
}

// gateway is one in front of an application, with somebody who can sign in.
func gateway(t *testing.T) (*httptest.Server, *output) {
	idp := providertest.NewServer(providertest.Config{
		Clients: []providertest.Client{{ID: "gateway", Secret: "gateway-secret"}},
		People:  []providertest.Person{{Subject: "ada", Username: "ada", Name: "Ada", Email: "ada@example.com", EmailVerified: true, Groups: []string{"staff", "a,b", "工程"}}},
	})
	t.Cleanup(idp.Close)
	return inFront(t, application(t), idp.Issuer())
}

// application echoes what it is told.
func application(t *testing.T) *url.URL {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "" {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				defer conn.Close()
				fmt.Fprint(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello")
			}
			return
		}
		fmt.Fprintf(w, "Host: %s\nPath: %s\n", r.Host, r.RequestURI)
		for name, values := range r.Header {
			for _, v := range values {
				fmt.Fprintf(w, "%s: %s\n", name, v)
			}
		}
	}))
	t.Cleanup(server.Close)
	address, err := upstreamURL(server.URL)
	require.NoError(t, err)
	return address
}

// inFront is a gateway in front of upstream, with more variables, name and value, and
// what it logs.
func inFront(t *testing.T, upstream *url.URL, issuer string, set ...string) (*httptest.Server, *output) {
	env, log := environment(issuer), &output{}
	env["AUTH_USER_ID"] = "subject" // beside the access code, the provider would be told as well
	for i := 0; i+1 < len(set); i += 2 {
		env[set[i]] = set[i+1]
	}
	env["UPSTREAM_URL"] = upstream.String()
	logger := newLogger(log)
	g, err := prepare(func(name string) string { return env[name] }, logger)
	t.Cleanup(g.close)
	require.NoError(t, err)
	server := httptest.NewServer(handler(g.auth, g.upstream, g.options, g.metrics, logger, log))
	t.Cleanup(server.Close)
	return server, log
}

// output is a log that requests write and a test reads.
type output struct {
	mu    sync.Mutex
	b     bytes.Buffer
	lines int // of the write that had most
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lines = max(o.lines, bytes.Count(p, []byte("\n")))
	return o.b.Write(p)
}

func (o *output) String() string { o.mu.Lock(); defer o.mu.Unlock(); return o.b.String() }
func (o *output) most() int      { o.mu.Lock(); defer o.mu.Unlock(); return o.lines }

// signIn is somebody who has come through the gateway.
func signIn(t *testing.T, server *httptest.Server) *visit.Visitor {
	ada := visit.New(t)
	ada.Press(ada.Get(server.URL+"/"), server.URL+"/api/auth/signin/generic-oidc", nil)
	return ada
}

// start runs the whole gateway with env, and returns its address and what it logs.
func start(t *testing.T, env map[string]string) (string, *output) {
	log := &output{}
	said := visit.Start(t, 2, func(ctx context.Context, out io.Writer) error {
		return run(ctx, func(name string) string { return env[name] }, io.MultiWriter(log, out))
	})
	var line struct{ Msg, Upstream string }
	require.NoError(t, json.Unmarshal([]byte(said[1]), &line))
	require.Equal(t, strings.TrimPrefix(env["UPSTREAM_URL"], "http://"), line.Upstream)
	address, ok := strings.CutPrefix(line.Msg, "gateway: open ")
	require.True(t, ok, line.Msg)
	return address, log
}

// TestTrustedProxies: whose word counts for the address that the browser sees.
func TestTrustedProxies(t *testing.T) { // HO-02
	for list, believed := range map[string]bool{
		"":                           true, // loopback is trusted unless told otherwise
		"none":                       false,
		"10.0.0.0/8, 192.168.0.0/16": false,
		"10.0.0.0/8, 127.0.0.0/8":    true,
	} {
		t.Run(list, func(t *testing.T) {
			env := environment("http://localhost:1")
			env["UPSTREAM_URL"], env["PORT"], env["TRUSTED_PROXIES"] = "http://127.0.0.1:1", "0", list
			address, _ := start(t, env)
			ways := visit.New(t).Do("GET", address+"/api/auth/providers", nil, http.Header{"X-Forwarded-Host": {"app.example.com"}, "X-Forwarded-Proto": {"https"}})
			want := address
			if believed {
				want = "https://app.example.com"
			}
			require.Contains(t, ways.Body, want+"/api/auth/callback/generic-oidc")
		})
	}
}

// TestAnyHostIsWarnedOf: where others reach it, and no address is configured.
func TestAnyHostIsWarnedOf(t *testing.T) { // HO-01
	for _, test := range []struct {
		host, address string
		want          int
	}{{"", "", 0}, {"0.0.0.0", "https://app.example.com", 0}, {"0.0.0.0", "", 1}} {
		env, log := environment("http://localhost:1"), &output{}
		env["UPSTREAM_URL"], env["PORT"], env["HOST"], env["NEXTAUTH_URL"] = "http://127.0.0.1:1", "0", test.host, test.address
		ctx, end := context.WithCancel(context.Background())
		end() // it says all this before it serves
		require.NoError(t, run(ctx, func(name string) string { return env[name] }, log))
		require.Contains(t, log.String(), "gateway: open ")
		require.Equal(t, test.want, strings.Count(log.String(), "set NEXTAUTH_URL"), log.String())
	}
}

func TestNothingPassesUnsigned(t *testing.T) {
	server, _ := gateway(t)
	nobody := visit.New(t)
	for _, path := range []string{"/", "/healthz/../x", "/healthz/", "/healthz%2f", "//healthz", "/x?/healthz", "/readyz/", "/readyz/../x", "/readyz%2f"} {
		got := nobody.Do("GET", server.URL+path, nil, http.Header{"Accept": {"*/*"}, "X-Forwarded-User": {"mallory"}}).Body
		require.Contains(t, got, "unauthorized", path)
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		healthy := nobody.Get(server.URL + path)
		require.Equal(t, "ok\n", healthy.Body)
		require.Equal(t, "text/plain; charset=utf-8", healthy.Header.Get("Content-Type"))
		require.Equal(t, 405, nobody.Do("POST", server.URL+path, nil, nil).Status)
	}
}

func TestProblemsAreAllReported(t *testing.T) {
	err := run(context.Background(), func(string) string { return "" }, io.Discard)
	for _, want := range []string{"UPSTREAM_URL", "NEXT_AUTH_SECRET", "ACCESS_CODE"} {
		require.ErrorContains(t, err, want)
	}
	env := map[string]string{"NEXT_AUTH_SECRET": secret}
	err = run(context.Background(), func(name string) string { return env[name] }, io.Discard)
	for _, want := range []string{"UPSTREAM_URL", "ACCESS_CODE", "AUTH0_CLIENT_ID", "AUTH0_ISSUER"} {
		require.ErrorContains(t, err, want)
	}

	env = environment("http://localhost:1")
	env["UPSTREAM_URL"], env["TRUSTED_PROXIES"] = "http://127.0.0.1:1", "everybody"
	err = run(context.Background(), func(name string) string { return env[name] }, io.Discard)
	require.EqualError(t, err, "auth: TRUSTED_PROXIES is not a list of networks: write it like 10.0.0.0/8,192.168.1.7, or set it to none")
	for _, bad := range []string{",", "10.0.0.0/8 192.168.0.0/16", "10.0.0.0/33", "None"} {
		env["TRUSTED_PROXIES"] = bad
		err = run(context.Background(), func(name string) string { return env[name] }, io.Discard)
		require.ErrorContains(t, err, "TRUSTED_PROXIES", bad)
	}

	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	delete(env, "TRUSTED_PROXIES")
	_, env["PORT"], _ = net.SplitHostPort(taken.Addr().String())
	err = run(context.Background(), func(name string) string { return env[name] }, io.Discard)
	require.ErrorContains(t, err, "set PORT or HOST")
}

func TestUpstreamURL(t *testing.T) {
	for raw, ok := range map[string]bool{
		"http://127.0.0.1:8080": true, "https://app.internal/base": true,
		"": false, "127.0.0.1:8080": false, "app": false, "ftp://app": false, "http://": false, "/path": false, "http://a b": false,
	} {
		u, err := upstreamURL(raw)
		if !ok {
			require.EqualError(t, err, "auth: UPSTREAM_URL is not an address: set it to the web application behind the gateway, such as http://127.0.0.1:8080", raw)
			continue
		}
		require.NoError(t, err, raw)
		require.Equal(t, raw, u.String())
	}
}
