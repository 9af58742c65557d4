package web_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
)

func TestWebSocketOrigin(t *testing.T) { // MW-08
	stub := &stubProvider{name: "stub"}
	a, err := auth.New(auth.Config{Secrets: []auth.Secret{auth.NewSecret(testSecret)}, URL: "https://app.example", Providers: []auth.Provider{stub}})
	require.NoError(t, err)
	server := httptest.NewServer(a.Require(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		require.NoError(t, err)
		defer conn.Close()
		fmt.Fprint(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	})))
	defer server.Close()
	cookie := sealedCookie(t, a, stub)
	for origin, want := range map[string]int{"https://app.example": 101, "https://evil.example": 403, "null": 403, "": 101} {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		require.NoError(t, err)
		fmt.Fprintf(conn, "GET /ws HTTP/1.1\r\nHost: app.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nCookie: %s=%s\r\n", cookie.Name, cookie.Value)
		if origin != "" {
			fmt.Fprintf(conn, "Origin: %s\r\n", origin)
		}
		fmt.Fprint(conn, "\r\n")
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err)
		require.Equal(t, want, resp.StatusCode, origin)
		conn.Close()
	}
}
