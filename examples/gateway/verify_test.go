package main

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/examples/internal/visit"
	"github.com/sallyport/auth/session"
)

// verdictOf asks as a proxy does, and follows nothing.
func verdictOf(t *testing.T, who *visit.Visitor, server *httptest.Server, pairs ...string) visit.Page {
	t.Helper()
	h := http.Header{"Accept": {"text/html"}}
	for i := 0; i < len(pairs); i += 2 {
		h.Add(pairs[i], pairs[i+1])
	}
	who.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return who.Do("GET", server.URL+"/api/auth/verify", nil, h)
}

func TestForwardAuth(t *testing.T) { // MW-01, MW-02, MW-06, RD-09
	server, _ := inFront(t, application(t), "http://localhost:1", "GATEWAY_RULES", ruleFile(t, someRules))
	at, err := url.Parse(server.URL)
	require.NoError(t, err)
	nobody := visit.New(t)
	ada := carrying(t, server, &session.Session{Subject: "ada", Email: "ada@example.com", EmailVerified: true, Groups: []string{"staff"}})
	admin := carrying(t, server, &session.Session{Subject: "eve", Groups: []string{"ops"}})
	for _, test := range []struct {
		method, uri        string
		nobody, ada, admin int
	}{
		{"GET", "/reports?q=1", 303, 200, 200},
		{"POST", "/reports", 401, 200, 200},
		{"GET", "/icons/a.png", 200, 200, 200},
		{"GET", "/admin/x", 303, 403, 200},
		{"GET", "/%61dmin/x", 303, 403, 200},
		{"GET", "/ADMIN/x", 400, 400, 400},
		{"GET", "/icons/..%2fadmin/x", 400, 400, 400},
		{"GET", "/icons/../admin/x", 400, 400, 400},
	} {
		for who, want := range map[*visit.Visitor]int{nobody: test.nobody, ada: test.ada, admin: test.admin} {
			page := verdictOf(t, who, server, "X-Forwarded-Method", test.method, "X-Forwarded-Uri", test.uri, "X-Forwarded-Host", at.Host, "X-Forwarded-User", "mallory")
			require.Equal(t, want, page.Status, "%s %s", test.method, test.uri)
			inNginx := verdictOf(t, who, server, "X-Original-Method", test.method, "X-Original-Url", server.URL+test.uri)
			if want == 303 {
				require.Equal(t, server.URL+"/api/auth/signin?callbackUrl="+url.QueryEscape(test.uri), page.Header.Get("Location"))
				require.Equal(t, page.Header.Get("Location"), inNginx.Header.Get("Location"))
				want = 401
			}
			require.Equal(t, want, inNginx.Status, "%s %s", test.method, test.uri)
		}
	}
	page := verdictOf(t, ada, server, "X-Forwarded-Method", "GET", "X-Forwarded-Uri", "/x", "X-Forwarded-User", "mallory", "X-Identity-Token", "mallory")
	require.Equal(t, "ada", page.Header.Get("X-Forwarded-User"))
	require.Equal(t, "ada@example.com", page.Header.Get("X-Forwarded-Email"))
	require.Equal(t, "staff", page.Header.Get("X-Forwarded-Groups"))
	require.Empty(t, page.Header.Get("X-Identity-Token"))
	page = verdictOf(t, nobody, server, "X-Forwarded-Method", "GET", "X-Forwarded-Uri", "/icons/a.png", "X-Forwarded-User", "mallory")
	for _, name := range identityHeaders {
		require.Equal(t, []string{""}, page.Header.Values(name), "there, and nobody's")
	}
	// Other sites' pages get nothing with somebody's cookies.
	require.Equal(t, 403, verdictOf(t, ada, server, "X-Forwarded-Method", "POST", "X-Forwarded-Uri", "/x", "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site").Status)
	require.Equal(t, 403, verdictOf(t, ada, server, "X-Original-Method", "GET", "X-Original-Url", server.URL+"/x", "Origin", "https://evil.example", "Upgrade", "websocket").Status)
	// Traefik says of a WebSocket all but that it is one.
	socket := []string{"X-Forwarded-Method", "GET", "X-Forwarded-Uri", "/x", "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version", "13", "Origin"}
	require.Equal(t, 403, verdictOf(t, ada, server, append(socket, "https://evil.example")...).Status)
	require.Equal(t, 200, verdictOf(t, ada, server, append(socket, server.URL)...).Status)
}

// TestForwardAuthIsToldOneRequest: what is not clear, or not for the application, is no leave
// to go on for anybody.
func TestForwardAuthIsToldOneRequest(t *testing.T) { // HO-02, RD-01
	server, log := inFront(t, application(t), "http://localhost:1", "GATEWAY_RULES", ruleFile(t, "/ open"))
	person := visit.New(t)
	for name, pairs := range map[string][]string{
		"nothing":                   nil,
		"no method":                 {"X-Forwarded-Uri", "/x"},
		"an empty method":           {"X-Forwarded-Uri", "/x", "X-Forwarded-Method", ""},
		"no method of nginx":        {"X-Original-Url", server.URL + "/x"},
		"another's method":          {"X-Original-Url", server.URL + "/x", "X-Forwarded-Method", "GET"},
		"two kinds":                 {"X-Original-Url", server.URL + "/x", "X-Original-Method", "GET", "X-Forwarded-Uri", "/admin", "X-Forwarded-Method", "GET"},
		"two kinds in part":         {"X-Original-Method", "GET", "X-Forwarded-Uri", "/admin", "X-Forwarded-Method", "GET"},
		"a path twice":              {"X-Forwarded-Uri", "/x", "X-Forwarded-Uri", "/y", "X-Forwarded-Method", "GET"},
		"a method twice":            {"X-Forwarded-Uri", "/x", "X-Forwarded-Method", "GET", "X-Forwarded-Method", "POST"},
		"no path":                   {"X-Forwarded-Uri", "x", "X-Forwarded-Method", "GET"},
		"an address for a path":     {"X-Forwarded-Uri", server.URL + "/x", "X-Forwarded-Method", "GET"},
		"a path for an address":     {"X-Original-Url", "/x", "X-Original-Method", "GET"},
		"a fragment":                {"X-Forwarded-Uri", "/x#/icons", "X-Forwarded-Method", "GET"},
		"an odd address":            {"X-Original-Url", "http:x", "X-Original-Method", "GET"},
		"another site":              {"X-Original-Url", "http://evil.example/x", "X-Original-Method", "GET"},
		"a site like it":            {"X-Original-Url", server.URL + "0/x", "X-Original-Method", "GET"},
		"the sign-in page":          {"X-Forwarded-Uri", "/api/auth/signin", "X-Forwarded-Method", "GET"},
		"the sign-in page of nginx": {"X-Original-Url", server.URL + "/api/auth/session", "X-Original-Method", "GET"},
		"itself":                    {"X-Forwarded-Uri", "/api/auth/verify", "X-Forwarded-Method", "GET"},
	} {
		page := verdictOf(t, person, server, pairs...)
		require.Equal(t, 403, page.Status, name)
		require.Empty(t, page.Header.Get("Location"), name)
	}
	require.Contains(t, log.String(), "says it in two ways")
	configured, _ := inFront(t, application(t), "http://localhost:1", "NEXTAUTH_URL", "https://app.example.com/api/auth")
	require.Equal(t, 403, verdictOf(t, person, configured, "X-Forwarded-Uri", "/x", "X-Forwarded-Method", "GET", "X-Forwarded-Host", "evil.example").Status)
	require.Equal(t, "https://app.example.com/api/auth/signin?callbackUrl=%2Fx",
		verdictOf(t, person, configured, "X-Forwarded-Uri", "/x", "X-Forwarded-Method", "GET", "X-Forwarded-Host", "app.example.com:443").Header.Get("Location"))

	// Only of a proxy whose word counts.
	for list, want := range map[string]int{"": 200, "127.0.0.1": 200, "::1,127.0.0.0/8": 200, "10.0.0.0/8": 403, "none": 403} {
		server, log := inFront(t, application(t), "http://localhost:1", "GATEWAY_RULES", ruleFile(t, "/ open"), "TRUSTED_PROXIES", list)
		require.Equal(t, want, verdictOf(t, person, server, "X-Forwarded-Uri", "/x", "X-Forwarded-Method", "GET").Status, list)
		require.Equal(t, want == 403, strings.Contains(log.String(), "name it in TRUSTED_PROXIES"), list)
	}
}

// TestVerdictIsNoPage: a page that something else answers, below the rules, is no leave to go
// on.
func TestVerdictIsNoPage(t *testing.T) {
	for _, answer := range []http.HandlerFunc{
		func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("a page")) },
		func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) },
		func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(200); _, _ = w.Write([]byte("a page")) },
	} {
		w := httptest.NewRecorder()
		answer(&verdict{ResponseWriter: w}, nil)
		require.Equal(t, 403, w.Code)
	}
}
