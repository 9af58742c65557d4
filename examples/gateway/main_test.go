package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/examples/internal/visit"
	"github.com/sallyport/auth/providers"
	"github.com/sallyport/auth/providers/providertest"
	"github.com/sallyport/auth/session"
)

const secret = "kY3nC0p9V1xJm5Q8sT2wZ7bL4hF6gD0aR3eU9iOqXyE="

// gateway is one in front of an application that echoes what it is told.
func gateway(t *testing.T) (*httptest.Server, *bytes.Buffer) {
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
		"NEXT_AUTH_SECRET": secret, "ACCESS_CODE": "0123456789abcdef",
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
	return server, &log
}

// signIn is somebody who has come through the gateway.
func signIn(t *testing.T, server *httptest.Server) *visit.Visitor {
	ada := visit.New(t)
	ada.Press(ada.Get(server.URL+"/"), server.URL+"/api/auth/signin/generic-oidc", nil)
	return ada
}

func TestIdentityCannotBeForged(t *testing.T) { // MW-06, MW-14
	server, log := gateway(t)
	got := signIn(t, server).Do("GET", server.URL+"/x", nil, http.Header{
		"Accept": {"text/html"}, "X-Forwarded-User": {"mallory"}, "x-forwarded-user": {"mallory"}, "X_forwarded_user": {"mallory"},
		"X-Forwarded_Email": {"mallory"}, "X_FORWARDED_GROUPS": {"mallory"}, "Connection": {"X-Forwarded-User, X-Forwarded-Email"}, "Cookie": {"mine=1"},
	}).Body
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

// carrying is somebody whose browser has s, whoever sealed it: a session of Auth.js
// with the same secret has been through no check of the library's.
func carrying(t *testing.T, server *httptest.Server, s *session.Session) *visit.Visitor {
	sessions, err := session.NewManager(session.Config{}, []auth.Secret{auth.NewSecret(secret)}, time.Now)
	require.NoError(t, err)
	w := httptest.NewRecorder()
	require.NoError(t, sessions.Start(w, httptest.NewRequest("GET", server.URL, nil), s, false))
	at, err := url.Parse(server.URL)
	require.NoError(t, err)
	v := visit.New(t)
	v.Jar.SetCookies(at, w.Result().Cookies())
	return v
}

func TestUserIsPassedOnAsItIsOrNotAtAll(t *testing.T) { // MW-06
	server, log := gateway(t)
	for _, user := range []string{"admin", "auth0|5f7c", "ada lovelace", "林晓", "à", "\"ada\"", "a,b"} {
		page := carrying(t, server, &session.Session{Subject: user}).Get(server.URL + "/x")
		require.Equal(t, 200, page.Status, "%q", user)
		require.Contains(t, page.Body, "X-Forwarded-User: "+user+"\n")
	}
	for name, user := range map[string]string{
		"nothing":                  "",
		"white space":              " ",
		"a space after":            "admin ",
		"a space before":           " admin",
		"a no-break space after":   "admin\u00a0",
		"a line break":             "ad\r\nmin",
		"another header":           "alice\r\nX-Forwarded-Groups: admins",
		"a control before":         "\x01admin",
		"a tab":                    "ad\tmin",
		"a tab after":              "admin\t",
		"NUL":                      "admin\x00",
		"DEL":                      "admin\x7f",
		"a control above ASCII":    "admin\u0085x",
		"a line separator after":   "admin\u2028",
		"white space and controls": "\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			log.Reset()
			page := carrying(t, server, &session.Session{Subject: user, Provider: "generic-oidc"}).Get(server.URL + "/x")
			require.Equal(t, 403, page.Status)
			require.Contains(t, page.Body, "cannot be passed on")
			require.Equal(t, "private, no-store", page.Header.Get("Cache-Control"))
			require.Contains(t, log.String(), `"header":"X-Forwarded-User","provider":"generic-oidc"`)
			require.Contains(t, log.String(), `"status":403`)
		})
	}
}

func TestWhatIsNoValueIsLeftOut(t *testing.T) { // MW-06
	server, _ := gateway(t)
	for name, test := range map[string]struct {
		session  session.Session
		has, not []string
	}{
		"all":                   {session.Session{Email: "ada@example.com", EmailVerified: true, Username: "ada", Provider: "generic-oidc", Groups: []string{"a", "b c"}}, []string{"Email: ada@example.com", "Preferred-Username: ada", "Provider: generic-oidc", "Groups: a,b c"}, nil},
		"none":                  {session.Session{}, nil, []string{"Email", "Preferred-Username", "Provider", "Groups"}},
		"an unverified address": {session.Session{Email: "ada@example.com"}, nil, []string{"Email"}},
		"an address in space":   {session.Session{Email: "ada@example.com ", EmailVerified: true}, nil, []string{"Email"}},
		"two lines of address":  {session.Session{Email: "ada@example.com\r\nX-Admin: 1", EmailVerified: true}, nil, []string{"Email", "X-Admin"}},
		"a name with a control": {session.Session{Username: "ad\x01min"}, nil, []string{"Preferred-Username"}},
		"some groups":           {session.Session{Groups: []string{"admins ", "a,admins", "", "ad\nmins", "\tadmins", "工程", "ops"}}, []string{"Groups: 工程,ops\n"}, nil},
		"no group of them":      {session.Session{Groups: []string{" admins", "a,b", ","}}, nil, []string{"Groups"}},
	} {
		t.Run(name, func(t *testing.T) {
			test.session.Subject = "ada"
			page := carrying(t, server, &test.session).Get(server.URL + "/x")
			require.Equal(t, 200, page.Status)
			require.Contains(t, page.Body, "X-Forwarded-User: ada\n")
			for _, line := range test.has {
				require.Contains(t, page.Body, "X-Forwarded-"+line)
			}
			for _, name := range test.not {
				require.NotContains(t, page.Body, name+":")
			}
		})
	}
}

func TestNothingPassesUnsigned(t *testing.T) {
	server, _ := gateway(t)
	nobody := visit.New(t)
	for _, path := range []string{"/", "/healthz/../x", "/healthz/", "/healthz%2f", "//healthz", "/x?/healthz"} {
		got := nobody.Do("GET", server.URL+path, nil, http.Header{"Accept": {"*/*"}, "X-Forwarded-User": {"mallory"}}).Body
		require.Contains(t, got, "unauthorized", path)
	}
	require.Equal(t, "ok\n", nobody.Get(server.URL+"/healthz").Body)
}

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

func TestProblemsAreAllReported(t *testing.T) {
	err := run(context.Background(), func(string) string { return "" }, slog.New(slog.DiscardHandler))
	for _, want := range []string{"UPSTREAM_URL", "NEXT_AUTH_SECRET", "ACCESS_CODE"} {
		require.ErrorContains(t, err, want)
	}
	env := map[string]string{"NEXT_AUTH_SECRET": secret}
	err = run(context.Background(), func(name string) string { return env[name] }, slog.New(slog.DiscardHandler))
	for _, want := range []string{"UPSTREAM_URL", "ACCESS_CODE", "AUTH0_CLIENT_ID", "AUTH0_ISSUER"} {
		require.ErrorContains(t, err, want)
	}
}
