package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers"
	"github.com/sallyport/auth/providers/providertest"
)

// gateway is one in front of an application that echoes what it is told.
func gateway(t *testing.T) (*httptest.Server, *http.Client, *bytes.Buffer) {
	idp := providertest.NewServer(providertest.Config{
		Clients: []providertest.Client{{ID: "gateway", Secret: "gateway-secret"}},
		People:  []providertest.Person{{Subject: "ada", Username: "ada", Name: "Ada", Email: "ada@example.com", EmailVerified: true, Groups: []string{"staff", "a,b", "工程"}}},
	})
	t.Cleanup(idp.Close)
	application := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "" {
			conn, _, err := http.NewResponseController(w).Hijack()
			require.NoError(t, err)
			defer conn.Close()
			fmt.Fprint(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello")
			return
		}
		for name, values := range r.Header {
			for _, v := range values {
				fmt.Fprintf(w, "%s: %s\n", name, v)
			}
		}
	}))
	t.Cleanup(application.Close)
	env := map[string]string{
		"NEXT_AUTH_SECRET": "kY3nC0p9V1xJm5Q8sT2wZ7bL4hF6gD0aR3eU9iOqXyE=", "ACCESS_CODE": "0123456789abcdef",
		"NEXT_AUTH_SSO_PROVIDERS": "generic-oidc", "GENERIC_OIDC_ISSUER": idp.Issuer(),
		"GENERIC_OIDC_CLIENT_ID": "gateway", "GENERIC_OIDC_CLIENT_SECRET": "gateway-secret",
	}
	var log bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&log, nil))
	config, err := auth.ConfigFromEnv(func(name string) string { return env[name] }, auth.Parts{Providers: providers.All(), Logger: logger})
	require.NoError(t, err)
	a, err := auth.New(config)
	require.NoError(t, err)
	upstream, err := upstreamURL(application.URL)
	require.NoError(t, err)
	server := httptest.NewServer(handler(a, upstream, logger))
	t.Cleanup(server.Close)
	jar, _ := cookiejar.New(nil)
	return server, &http.Client{Jar: jar}, &log
}

func do(t *testing.T, client *http.Client, method, address string, form url.Values, header http.Header) string {
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequest(method, address, body)
	require.NoError(t, err)
	req.Header = header
	if header == nil {
		req.Header = http.Header{"Accept": {"text/html"}}
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := client.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return string(text)
}

func signIn(t *testing.T, server *httptest.Server, client *http.Client) {
	page := do(t, client, "GET", server.URL+"/", nil, nil)
	token := regexp.MustCompile(`csrfToken" value="([0-9a-f]+)"`).FindStringSubmatch(page)[1]
	do(t, client, "POST", server.URL+"/api/auth/signin/generic-oidc", url.Values{"csrfToken": {token}}, nil)
}

func TestIdentityCannotBeForged(t *testing.T) { // MW-06, MW-14
	server, client, log := gateway(t)
	signIn(t, server, client)
	got := do(t, client, "GET", server.URL+"/x", nil, http.Header{
		"Accept": {"text/html"}, "X-Forwarded-User": {"mallory"}, "x-forwarded-user": {"mallory"}, "X_forwarded_user": {"mallory"},
		"X-Forwarded_Email": {"mallory"}, "X_FORWARDED_GROUPS": {"mallory"}, "Connection": {"X-Forwarded-User, X-Forwarded-Email"}, "Cookie": {"mine=1"},
	})
	require.NotContains(t, got, "mallory")
	require.Contains(t, got, "X-Forwarded-User: ada\n")
	require.Contains(t, got, "X-Forwarded-Email: ada@example.com\n")
	require.Contains(t, got, "X-Forwarded-Preferred-Username: ada\n")
	require.Contains(t, got, "X-Forwarded-Groups: staff,工程\n")
	require.Contains(t, got, "X-Forwarded-Provider: generic-oidc\n")
	require.Contains(t, got, "Cookie: mine=1\n")
	require.NotContains(t, got, "authjs")
	require.NotContains(t, log.String(), "code=", "no query in the log")
}

func TestNothingPassesUnsigned(t *testing.T) {
	server, client, _ := gateway(t)
	for _, path := range []string{"/", "/healthz/../x", "/healthz/", "/healthz%2f", "//healthz", "/x?/healthz"} {
		got := do(t, client, "GET", server.URL+path, nil, http.Header{"Accept": {"*/*"}, "X-Forwarded-User": {"mallory"}})
		require.Contains(t, got, "unauthorized", path)
	}
	require.Equal(t, "ok\n", do(t, client, "GET", server.URL+"/healthz", nil, nil))
}

func TestWebSocketPasses(t *testing.T) { // MW-08
	server, client, _ := gateway(t)
	signIn(t, server, client)
	at, _ := url.Parse(server.URL)
	conn, err := net.Dial("tcp", at.Host)
	require.NoError(t, err)
	defer conn.Close()
	fmt.Fprintf(conn, "GET /ws HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nOrigin: %s\r\n", at.Host, server.URL)
	for _, c := range client.Jar.Cookies(at) {
		fmt.Fprintf(conn, "Cookie: %s\r\n", c)
	}
	fmt.Fprint(conn, "\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	require.Equal(t, 101, resp.StatusCode)
}

func TestProblemsAreAllReported(t *testing.T) {
	err := run(context.Background(), func(string) string { return "" }, slog.New(slog.DiscardHandler))
	for _, want := range []string{"UPSTREAM_URL", "NEXT_AUTH_SECRET", "ACCESS_CODE"} {
		require.ErrorContains(t, err, want)
	}
	env := map[string]string{"NEXT_AUTH_SECRET": "kY3nC0p9V1xJm5Q8sT2wZ7bL4hF6gD0aR3eU9iOqXyE="}
	err = run(context.Background(), func(name string) string { return env[name] }, slog.New(slog.DiscardHandler))
	for _, want := range []string{"UPSTREAM_URL", "ACCESS_CODE", "AUTH0_CLIENT_ID", "AUTH0_ISSUER"} {
		require.ErrorContains(t, err, want)
	}
}
