package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/clerk"
	"github.com/sallyport/auth/examples/internal/visit"
	"github.com/sallyport/auth/session"
)

// raw is a request as it stands in the first line of HTTP.
func raw(method, uri string) *http.Request { return httptest.NewRequest(method, uri, nil) }

func TestOpenPaths(t *testing.T) { // MW-01
	open, err := readOpenPaths("/manifest.webmanifest, /favicon.ico，/icons/")
	require.NoError(t, err)
	for _, uri := range []string{"/manifest.webmanifest", "/manifest.webmanifest?v=2", "/favicon.ico", "/icons/", "/icons/a.png", "/icons/a/b@2x.png", "/icons/a/"} {
		require.True(t, open.lets(raw("GET", uri)), uri)
		require.True(t, open.lets(raw("HEAD", uri)), uri)
		require.False(t, open.lets(raw("POST", uri)), uri)
		require.False(t, open.lets(raw("DELETE", uri)), uri)
		upgrade := raw("GET", uri)
		upgrade.Header.Set("Upgrade", "websocket")
		require.False(t, open.lets(upgrade), uri)
		require.False(t, openPaths(nil).lets(raw("GET", uri)), "none unless named")
	}
	for name, uri := range map[string]string{
		"another":                    "/",
		"a beginning":                "/manifest.webmanifes",
		"a continuation":             "/manifest.webmanifestx",
		"below a file":               "/manifest.webmanifest/x",
		"a file with a slash":        "/favicon.ico/",
		"the folder without a slash": "/icons",
		"another folder":             "/iconsx/a.png",
		"in capitals":                "/Favicon.ico",
		"a folder in capitals":       "/ICONS/a.png",
		"encoded":                    "/favicon%2eico",
		"an encoded folder":          "/%69cons/a.png",
		"encoded below":              "/icons/a%2fb",
		"an encoded letter below":    "/icons/%61.png",
		"dots":                       "/icons/../admin",
		"dots at the end":            "/icons/..",
		"encoded dots":               "/icons/%2e%2e/admin",
		"encoded twice":              "/icons/%252e%252e/admin",
		"a dot":                      "/icons/./a.png",
		"two slashes":                "/icons//a.png",
		"two slashes in front":       "//icons/a.png",
		"two slashes at the end":     "/icons//",
		"a backslash":                "/icons/..\\admin",
		"an encoded backslash":       "/icons/..%5cadmin",
		"a parameter":                "/icons/..;/admin",
		"a parameter of a file":      "/favicon.ico;x",
		"a null":                     "/icons/%00",
		"a space":                    "/icons/%20",
		"an absolute address":        "http://example.com/favicon.ico",
		"in the query":               "/x?/favicon.ico",
		"an overlong dot":            "/icons/%c0%ae%c0%ae/admin",
	} {
		require.False(t, open.lets(raw("GET", uri)), "%s: %s", name, uri)
	}
	moved := raw("GET", "/icons/a.png")
	moved.URL.Path = "/admin"
	require.False(t, open.lets(moved), "something in front has changed the path")
	for _, bad := range []string{"/", "manifest.json", "/a,/", "/icons/*", "/icons/../x", "//icons/", "/a%20b", "/a?b", "/a#b", "https://example.com/icons/", "/图标/", "/a/./b", "/icons//"} {
		_, err := readOpenPaths(bad)
		require.ErrorContains(t, err, "GATEWAY_OPEN_PATHS", bad)
	}
	open, err = readOpenPaths("")
	require.NoError(t, err)
	require.Empty(t, open)
}

// TestOpenPathsInFront: what is open reaches the application without anybody's name,
// the rest does not, and the routes of sign-in stay the gateway's.
func TestOpenPathsInFront(t *testing.T) { // MW-01, MW-06
	server, _ := inFront(t, application(t), "http://localhost:1", "GATEWAY_OPEN_PATHS", "/manifest.json,/icons/,/api/")
	nobody := visit.New(t)
	forged := http.Header{"X-Forwarded-User": {"mallory"}, "X_forwarded_groups": {"mallory"}, "Cookie": {"authjs.session-token=x; mine=1"}}
	for _, path := range []string{"/manifest.json", "/icons/a.png"} {
		page := nobody.Do("GET", server.URL+path, nil, forged)
		require.Equal(t, 200, page.Status, path)
		require.NotContains(t, page.Body, "mallory")
		require.NotContains(t, page.Body, "authjs")
		require.NotContains(t, page.Body, "X-Forwarded-User")
		require.Contains(t, page.Body, "Cookie: mine=1\n")
	}
	for _, path := range []string{"/", "/icons", "/icons/%2e%2e/x", "/Manifest.json", "//manifest.json"} {
		require.Equal(t, 401, nobody.Do("GET", server.URL+path, nil, forged).Status, path)
	}
	require.Equal(t, 401, nobody.Do("POST", server.URL+"/manifest.json", nil, nil).Status)
	require.Contains(t, nobody.Get(server.URL+"/api/auth/signin").Body, "OpenID Connect", "and not the application's")
	ada := carrying(t, server, &session.Session{Subject: "ada"})
	require.Contains(t, ada.Get(server.URL+"/icons/a.png").Body, "X-Forwarded-User: ada\n")

	server, _ = inFront(t, application(t), "http://localhost:1")
	require.Equal(t, 401, nobody.Do("GET", server.URL+"/manifest.json", nil, nil).Status, "none unless named")
}

// readOnly is a session that came as a bearer token.
func readOnly(t *testing.T) *session.Session {
	sessions, err := session.NewManager(session.Config{}, []auth.Secret{auth.NewSecret(secret)}, time.Now)
	require.NoError(t, err)
	w := httptest.NewRecorder()
	require.NoError(t, sessions.Start(w, httptest.NewRequest("GET", "/", nil), &session.Session{Subject: "ada"}, false))
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Authorization", "Bearer "+w.Result().Cookies()[0].Value)
	found, err := sessions.Load(r, false)
	require.NoError(t, err)
	require.True(t, found.ReadOnly())
	return found
}

func TestKeepSession(t *testing.T) { // MW-14
	for value, kept := range map[string]bool{"": false, "0": false, "1": true} {
		server, _ := inFront(t, application(t), "http://localhost:1", "GATEWAY_KEEP_SESSION", value)
		ada := carrying(t, server, &session.Session{Subject: "ada"})
		got := ada.Do("GET", server.URL+"/x", nil, http.Header{"Cookie": {"mine=1; authjs.csrf-token=c; authjs.state=s"}, "X-Forwarded-User": {"mallory"}}).Body
		require.Contains(t, got, "mine=1", value)
		require.Contains(t, got, "X-Forwarded-User: ada\n")
		require.NotContains(t, got, "mallory")
		require.Equal(t, kept, strings.Contains(got, "authjs.session-token="), value)
		require.NotContains(t, got, "authjs.csrf-token", "the session and no more")
		require.NotContains(t, got, "authjs.state")
	}
	// A session that came as a bearer token, and Clerk's.
	for keep, want := range map[bool]string{false: "", true: "Bearer a.b.c.d.e"} {
		h := http.Header{"Authorization": {"Bearer a.b.c.d.e"}, "Cookie": {"__session=x"}}
		options{keepSession: keep}.removeSession(h, readOnly(t), &clerk.State{Token: "other"})
		require.Equal(t, want, h.Get("Authorization"))
		require.Equal(t, keep, h.Get("Cookie") != "")

		program := (&session.Session{Subject: "ada", TokenLabel: "backup"}).AsBearer()
		h = http.Header{"Authorization": {"Bearer sallyport_x"}}
		options{keepSession: keep}.removeSession(h, program, nil)
		require.Equal(t, keep, h.Get("Authorization") != "", "a program's token")
	}
	for _, bad := range []string{"yes", "true", " 1", "2"} {
		_, err := readOptions(func(name string) string { return map[string]string{"GATEWAY_KEEP_SESSION": bad}[name] }, "")
		require.ErrorContains(t, err, "GATEWAY_KEEP_SESSION is neither 0 nor 1")
	}
}
