package main

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/examples/internal/visit"
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
	require.Contains(t, got, "X-Forwarded-For: 203.0.113.9\n")
}

// TestApplicationHearsWhatTheGatewayBelieves: the configured address, and nothing
// that a client says of itself or of others.
func TestApplicationHearsWhatTheGatewayBelieves(t *testing.T) { // HO-01, HO-02
	server, _ := inFront(t, application(t), "http://localhost:1", "NEXTAUTH_URL", "http://app.example.com")
	got := carrying(t, server, &session.Session{Subject: "ada"}).Do("GET", server.URL+"/x", nil, http.Header{
		"X-Forwarded-Host": {"evil.example"}, "X-Forwarded-Proto": {"https"}, "X-Forwarded-For": {"198.51.100.1, 203.0.113.9"},
	}).Body
	require.True(t, strings.HasPrefix(got, "Host: app.example.com\n"), got)
	require.Contains(t, got, "X-Forwarded-Host: app.example.com\n")
	require.Contains(t, got, "X-Forwarded-Proto: http\n")
	require.Contains(t, got, "X-Forwarded-For: 203.0.113.9\n")
	require.NotContains(t, got, "evil")

	// Nor what CGI (RFC 3875 4.1.18) would have it take for the same.
	forged := http.Header{}
	for _, name := range slices.Concat(gatewayHeaders, edgeHeaders, []string{"X-Forwarded-Port", "X-Forwarded-Prefix"}) {
		forged[strings.ReplaceAll(name, "-", "_")] = []string{"evil"}
		forged[strings.ToLower(strings.Replace(name, "-", "_", 1))] = []string{"evil"}
	}
	stranger, _ := inFront(t, application(t), "http://localhost:1", "TRUSTED_PROXIES", "none")
	require.NotContains(t, carrying(t, stranger, &session.Session{Subject: "ada"}).Do("GET", stranger.URL+"/x", nil, forged).Body, "evil")
	plain := http.Header{"X-Real-Ip": {"evil"}, "X-Forwarded-Port": {"evil"}, "X-Forwarded-Prefix": {"evil"}, "True-Client-Ip": {"evil"}, "X-Forwarded": {"mine"}}
	got = carrying(t, stranger, &session.Session{Subject: "ada"}).Do("GET", stranger.URL+"/x", nil, plain).Body
	require.NotContains(t, got, "evil")
	require.Contains(t, got, "X-Forwarded: mine\n")
	require.Contains(t, got, "X-Forwarded-For: 127.0.0.1\n")

	// Without TRUSTED_PROXIES there may be clients on a private network, whatever they are believed about the host.
	for set, want := range map[string]struct{ client, request bool }{
		"": {false, true}, "10.0.0.0/8": {true, true}, "10.1.2.3": {true, true}, "192.168.0.0/16": {}, "none": {},
	} {
		in, _ := inFront(t, application(t), "http://localhost:1", "TRUSTED_PROXIES", set, "GATEWAY_OPEN_PATHS", "/open")
		w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/open", nil)
		r.RemoteAddr = "10.1.2.3:4711"
		r.Header.Set("X-Real-Ip", "203.0.113.9")
		r.Header.Set("X-Request-Id", "edge-1")
		in.Config.Handler.ServeHTTP(w, r)
		require.Equal(t, want.client, strings.Contains(w.Body.String(), "X-Real-Ip: 203.0.113.9\n"), set)
		require.Equal(t, want.request, strings.Contains(w.Body.String(), "X-Request-Id: edge-1\n"), set)
	}

	// A proxy in front that is trusted may say more than the gateway does.
	got = carrying(t, server, &session.Session{Subject: "ada"}).Do("GET", server.URL+"/x", nil, http.Header{
		"X-Real-Ip": {"203.0.113.9"}, "X-Forwarded-Prefix": {"/app"}, "X_Forwarded_Host": {"evil.example"}, "x_request_id": {"evil"},
	}).Body
	require.Contains(t, got, "X-Real-Ip: 203.0.113.9\n")
	require.Contains(t, got, "X-Forwarded-Prefix: /app\n")
	require.NotContains(t, got, "evil")
}

// TestAClientThatNobodyKnows: an address that is none is left out, and not passed on empty.
func TestAClientThatNobodyKnows(t *testing.T) {
	server, log := inFront(t, application(t), "http://localhost:1", "GATEWAY_OPEN_PATHS", "/open")
	w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/open", nil)
	r.RemoteAddr = "@"
	server.Config.Handler.ServeHTTP(w, r)
	require.Equal(t, 200, w.Code)
	require.NotContains(t, w.Body.String(), "X-Forwarded-For")
	require.Equal(t, "", lastRequest(t, log.String()).Client)
}

func TestHeadersDoNotShare(t *testing.T) {
	h := http.Header{}
	told := fieldsOf(h, 2)
	told.set("A", "1")
	told.set("B", "2")
	h.Add("A", "3")
	require.Equal(t, http.Header{"A": {"1", "3"}, "B": {"2"}}, h)
}

func TestUsersOfTwoProvidersAreTwo(t *testing.T) { // ID-39
	for set, want := range map[string]string{"": "generic-oidc|ada", "provider": "generic-oidc|ada", "subject": "ada"} {
		server, _ := inFront(t, application(t), "http://localhost:1", "AUTH_USER_ID", set, "NEXT_AUTH_SSO_PROVIDERS", "generic-oidc,github",
			"GITHUB_CLIENT_ID", "app", "GITHUB_CLIENT_SECRET", "app-secret")
		got := carrying(t, server, &session.Session{Subject: "ada", Provider: "generic-oidc"}).Get(server.URL + "/x").Body
		require.Contains(t, got, "X-Forwarded-User: "+want+"\n", set)
	}
}

// TestSessionTokenStaysHere: a session that comes as a bearer token is no more the
// application's than one in a cookie.
func TestSessionTokenStaysHere(t *testing.T) {
	server, _ := inFront(t, application(t), "http://localhost:1")
	ada := carrying(t, server, &session.Session{Subject: "ada"})
	at, err := url.Parse(server.URL)
	require.NoError(t, err)
	token := ada.Jar.Cookies(at)[0].Value
	for _, scheme := range []string{"Bearer", "bearer"} {
		got := visit.New(t).Do("GET", server.URL+"/x", nil, http.Header{"Authorization": {scheme + " " + token}}).Body
		require.Contains(t, got, "X-Forwarded-User: ada\n")
		require.NotContains(t, got, "Authorization")
		require.NotContains(t, got, token)
	}
	for _, own := range []string{"Bearer eyJ.app.s", "Basic YTpi"} {
		require.Contains(t, ada.Do("GET", server.URL+"/x", nil, http.Header{"Authorization": {own}}).Body, "Authorization: "+own+"\n", "the application's own")
	}
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
			removeSessionCookies(h, false)
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
	onlySignedIn(options{}, http.NotFoundHandler()).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	require.Equal(t, 403, w.Code)
	require.Contains(t, w.Body.String(), "Nobody is signed in")
}
