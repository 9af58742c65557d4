package main

import (
	"bufio"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/session"
)

func TestWebSocketPasses(t *testing.T) { // MW-08
	server, _ := gateway(t)
	ada := signIn(t, server)
	at, _ := url.Parse(server.URL)
	conn, err := net.Dial("tcp", at.Host)
	require.NoError(t, err)
	defer conn.Close()
	fmt.Fprintf(conn, "GET /ws HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nOrigin: %s\r\n", at.Host, server.URL)
	for _, c := range ada.Jar.Cookies(at) {
		fmt.Fprintf(conn, "Cookie: %s\r\n", c)
	}
	fmt.Fprint(conn, "\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	require.Equal(t, 101, resp.StatusCode)
}

// TestRequestArrivesAsItWas: the application sees the host that the browser asked for,
// and by which way the request came.
func TestRequestArrivesAsItWas(t *testing.T) {
	server, _ := inFront(t, application(t), "http://localhost:1")
	at, err := url.Parse(server.URL)
	require.NoError(t, err)
	got := carrying(t, server, &session.Session{Subject: "ada"}).Do("GET", server.URL+"/x", nil, http.Header{"X-Forwarded-For": {"203.0.113.9"}}).Body
	require.True(t, strings.HasPrefix(got, "Host: "+at.Host+"\n"), got)
	require.Contains(t, got, "X-Forwarded-Host: "+at.Host+"\n")
	require.Contains(t, got, "X-Forwarded-Proto: http\n")
	require.Contains(t, got, "X-Forwarded-For: 203.0.113.9, 127.0.0.1\n")
}

func TestSessionStaysHere(t *testing.T) {
	for name, test := range map[string]struct{ sent, kept []string }{
		"none":                     {nil, nil},
		"the application's alone":  {[]string{"a=1; b=2"}, []string{"a=1; b=2"}},
		"the session's alone":      {[]string{"authjs.session-token=x"}, nil},
		"all of ours":              {[]string{"__Secure-authjs.session-token.0=x; __Secure-authjs.session-token.1=y; __Host-authjs.csrf-token=z; authjs.callback-url=u"}, nil},
		"next-auth v4's":           {[]string{"next-auth.session-token=x; __Secure-next-auth.session-token=y; __Host-next-auth.csrf-token=z; a=1"}, []string{"a=1"}},
		"among others":             {[]string{"a=1;authjs.session-token=x; ;b=authjs.session-token=y"}, []string{"a=1; b=authjs.session-token=y"}},
		"in several lines":         {[]string{"a=1", "authjs.session-token=x; b=2"}, []string{"a=1; b=2"}},
		"a name that only has one": {[]string{"my-authjs.session=1; AUTHJS.session-token=2"}, []string{"my-authjs.session=1; AUTHJS.session-token=2"}},
	} {
		t.Run(name, func(t *testing.T) {
			h := http.Header{}
			if test.sent != nil {
				h["Cookie"] = test.sent
			}
			removeSessionCookies(h)
			require.Equal(t, test.kept, h["Cookie"])
		})
	}
}

func TestApplicationIsDown(t *testing.T) {
	absent := httptest.NewServer(nil)
	absent.Close()
	upstream, err := url.Parse(absent.URL)
	require.NoError(t, err)
	server, log := inFront(t, upstream, "http://localhost:1")
	page := carrying(t, server, &session.Session{Subject: "ada"}).Get(server.URL + "/x")
	require.Equal(t, 502, page.Status)
	require.Contains(t, page.Body, "does not answer")
	require.Contains(t, log.String(), `"cause":"dial tcp `)
}

// TestProxyAloneLetsNobodyThrough: it does not rest on what is in front of it.
func TestProxyAloneLetsNobodyThrough(t *testing.T) {
	w := httptest.NewRecorder()
	newProxy(&url.URL{Scheme: "http", Host: "127.0.0.1:1"}, slog.New(slog.DiscardHandler)).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	require.Equal(t, 403, w.Code)
	require.Contains(t, w.Body.String(), "Nobody is signed in")
}
