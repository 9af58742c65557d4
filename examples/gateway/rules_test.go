package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/examples/internal/visit"
	"github.com/sallyport/auth/session"
)

const someRules = `
# who may see what
/               signed-in
/{$}            open
/manifest.json  open
GET /icons/     open
/admin/         groups: admins, ops
/admin/open     open
/teams/{team}/members  groups: 工程, Domain Users
POST /hooks/{id}	open
`

func parsed(t *testing.T, text string) *rules {
	t.Helper()
	s, err := parseRules(text, routesOf("").own)
	require.NoError(t, err)
	return s
}

func TestRules(t *testing.T) { // MW-01
	s := parsed(t, "\ufeff"+strings.ReplaceAll(someRules, "\n", "\r\n"))
	require.Equal(t, []string{"Domain Users", "admins", "ops", "工程"}, s.groups())
	for request, want := range map[string]access{
		"GET /": open, "GET /x": "", "GET /x/y/": "", "GET /manifest.json": open, "GET /manifest.json?a=/admin/": open,
		"GET /icons/a.png": open, "HEAD /icons/a.png": open, "POST /icons/a.png": "", "GET /icons": open, "GET /icons/": open,
		"GET /admin": "admins,ops", "GET /admin/": "admins,ops", "DELETE /admin/users/1": "admins,ops", "GET /admin/open": open,
		"GET /teams/a/members": "Domain Users,工程", "GET /teams/a%20b/members": "Domain Users,工程", "GET /teams/a/other": "",
		"POST /hooks/1": open, "GET /hooks/1": "", "PROPFIND /admin/x": "admins,ops",
		"GET /%61dmin/x": "admins,ops", "GET /100%25": "",
	} {
		method, uri, _ := strings.Cut(request, " ")
		who, ok := s.of(raw(method, uri))
		require.True(t, ok, request)
		require.Equal(t, want, who, request)
	}
}

// TestPathsWithTwoReadings: what an application could take for another path is for
// nobody, whatever the rules say of either.
func TestPathsWithTwoReadings(t *testing.T) { // MW-02, MW-03, MW-04
	s := parsed(t, someRules)
	for name, request := range map[string]string{
		"two slashes":              "GET /icons//x",
		"two slashes in front":     "GET //admin/x",
		"two slashes at the end":   "GET /icons//",
		"dots":                     "GET /icons/../admin/x",
		"dots at the end":          "GET /icons/..",
		"a dot":                    "GET /icons/./x",
		"encoded dots":             "GET /icons/%2e%2e/admin/x",
		"encoded twice":            "GET /icons/%252e%252e/admin/x",
		"a letter encoded twice":   "GET /%2561dmin/x",
		"an encoded slash":         "GET /icons/..%2Fadmin%2fx",
		"an encoded slash alone":   "GET /icons%2Fx",
		"an encoded backslash":     "GET /icons/..%5cadmin",
		"a parameter":              "GET /icons/..;/admin",
		"a parameter of a segment": "GET /admin;x/users",
		"an encoded parameter":     "GET /admin%3bx/users",
		"an encoded query":         "GET /admin%3f/../icons",
		"an encoded fragment":      "GET /admin%23/icons",
		"a null":                   "GET /icons/%00",
		"a line break":             "GET /icons/%0d%0a",
		"no UTF-8":                 "GET /icons/%c0%ae%c0%ae/admin",
		"a dot after":              "GET /admin./x",
		"a space after":            "GET /admin%20/x",
		"another case":             "GET /ADMIN/x",
		"another case of one":      "GET /admin/Open",
		"open by another case":     "GET /Manifest.json",
		"a long s":                 "GET /icon%C5%BF/x",
		"a slash more":             "GET /manifest.json/",
		"a slash more elsewhere":   "GET /teams/a/members/",
		"a method by another case": "get /admin/x",
		"the server itself":        "OPTIONS *",
	} {
		method, uri, _ := strings.Cut(request, " ")
		_, ok := s.of(raw(method, uri))
		require.False(t, ok, "%s: %s", name, request)
	}
	_, ok := parsed(t, "/a signed-in\n/a/ groups: admins").of(raw("GET", "/A/"))
	require.False(t, ok, "another case of what is below, and not of the path alone")
	// Case and slash make no difference where both readings have one access.
	for _, uri := range []string{"/X", "/X/", "/Icons2/"} {
		_, ok := s.of(raw("GET", uri))
		require.True(t, ok, uri)
	}
}

func TestWrongRules(t *testing.T) { // LG-06
	for text, want := range map[string]string{
		"":                                    "names a file without a rule",
		"# nothing\n\n":                       "names a file without a rule",
		"admin open":                          "line 1, which does not begin with a path",
		"\n\nopen":                            "line 3, which does not begin with a path",
		"https://a.example/ open":             "line 1, which does not begin with a path",
		"get /a open":                         "line 1, which does not begin with a path",
		"/a":                                  "line 1, which does not say who",
		"/a public":                           "line 1, which does not say who",
		"/a Open":                             "line 1, which does not say who",
		"/a open # all":                       "line 1, which does not say who",
		"/a groups:":                          "line 1, which does not say who",
		"/a groups: ,":                        "line 1, which does not say who",
		"/a groups: *":                        "line 1, which does not say who",
		"/a groups admins":                    "line 1, which does not say who",
		"/a open\n/a signed-in":               "line 2, which has the same paths",
		"/a open\n/A signed-in":               "line 2, which has the same paths",
		"/{x} open\n/{y} open":                "line 2, which has the same paths",
		"/a/{x} open\n/{y}/b open":            "line 2, which has the same paths",
		"/a/{ open":                           "line 1, whose path is no pattern",
		"/a/{x}y open":                        "line 1, whose path is no pattern",
		"/a//b open":                          "line 1, whose path no request can have",
		"/a/../b open":                        "line 1, whose path no request can have",
		"/a%2fb open":                         "line 1, whose path no request can have",
		"/a%20b open":                         "line 1, whose path no request can have",
		"/a;b open":                           "line 1, whose path no request can have",
		"/a?b open":                           "line 1, whose path no request can have",
		"/api/auth/signin open":               "line 1, whose path the gateway answers itself",
		"/api/auth open":                      "line 1, whose path the gateway answers itself",
		"/api/auth/{x} open":                  "line 1, whose path the gateway answers itself",
		"/healthz open":                       "line 1, whose path the gateway answers itself",
		"/a open\n/b\n/c open\n\n/d everyone": "line 5, which does not say who",
	} {
		_, err := parseRules(text, routesOf("").own)
		require.ErrorContains(t, err, "auth: GATEWAY_RULES ", text)
		require.ErrorContains(t, err, want, text)
	}
	dir := t.TempDir()
	big := filepath.Join(dir, "big")
	require.NoError(t, os.WriteFile(big, []byte(strings.Repeat("#\n", maxRules)), 0o600))
	for name, want := range map[string]string{filepath.Join(dir, "hunter2"): "names a file that does not exist", dir: "cannot be read", big: "more than a megabyte"} {
		_, err := readRules(name, routesOf("").own)
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "hunter2")
	}
	env := map[string]string{"GATEWAY_RULES": ruleFile(t, "/ signed-in"), "GATEWAY_OPEN_PATHS": "/icons/"}
	_, err := readOptions(func(name string) string { return env[name] }, "")
	require.ErrorContains(t, err, "GATEWAY_RULES is set beside GATEWAY_OPEN_PATHS")
}

// ruleFile is one with text.
func ruleFile(t *testing.T, text string) string {
	file := filepath.Join(t.TempDir(), "rules")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return file
}

// TestRulesInFront: who gets where, and what the application sees of it.
func TestRulesInFront(t *testing.T) { // MW-01, MW-02, MW-05, MW-06
	server, _ := inFront(t, application(t), "http://localhost:1", "GATEWAY_RULES", ruleFile(t, someRules))
	nobody := visit.New(t)
	ada := carrying(t, server, &session.Session{Subject: "ada", Groups: []string{"staff"}})
	admin := carrying(t, server, &session.Session{Subject: "eve", Groups: []string{"ops"}})
	for _, test := range []struct {
		method, path       string
		nobody, ada, admin int
	}{
		{"GET", "/", 200, 200, 200},
		{"GET", "/x", 401, 200, 200},
		{"GET", "/icons/a.png", 200, 200, 200},
		{"POST", "/hooks/1", 200, 200, 200},
		{"POST", "/other", 401, 200, 200},
		{"GET", "/admin/x", 401, 403, 200},
		{"GET", "/admin", 401, 403, 200},
		{"GET", "/%61dmin/x", 401, 403, 200},
		{"GET", "/admin/open", 200, 200, 200},
		{"GET", "/ADMIN/x", 400, 400, 400},
		{"GET", "//admin/x", 400, 400, 400},
		{"GET", "/icons/%2e%2e/admin/x", 400, 400, 400},
	} {
		for who, want := range map[*visit.Visitor]int{nobody: test.nobody, ada: test.ada, admin: test.admin} {
			require.Equal(t, want, who.Do(test.method, server.URL+test.path, nil, nil).Status, "%s %s", test.method, test.path)
		}
	}
	got := admin.Do("GET", server.URL+"/%61dmin/a%20b", nil, http.Header{
		"X-Original-Url": {"/mallory"}, "X_rewrite_url": {"/mallory"}, "X-Http-Method-Override": {"MALLORY"}, "X-Forwarded-Uri": {"/mallory"},
	})
	require.Contains(t, got.Body, "Path: /admin/a%20b\n", "the application sees what the rules have seen")
	require.NotContains(t, strings.ToLower(got.Body), "mallory")
	require.Contains(t, nobody.Get(server.URL+"/x").At.Path, "/api/auth/signin", "and the routes are the gateway's")
}

// TestGroupsOfRulesAreKept: a session that has to lose groups keeps those.
func TestGroupsOfRulesAreKept(t *testing.T) {
	o := options{rules: parsed(t, someRules)}
	config := auth.Config{}
	o.use(&config, newMetrics())
	require.Contains(t, config.KeepGroups, "ops")
}

// TestPreflight: nobody's, and the application's to answer, where it says so.
func TestPreflight(t *testing.T) { // MW-05
	asks := http.Header{"Origin": {"https://other.example"}, "Access-Control-Request-Method": {"PUT"}, "X-Forwarded-User": {"mallory"}}
	for set, want := range map[string]int{"": 401, "0": 401, "1": 200} {
		for _, rule := range []string{"/ signed-in", "/ groups: admins"} {
			server, _ := inFront(t, application(t), "http://localhost:1", "GATEWAY_PASS_PREFLIGHT", set, "GATEWAY_RULES", ruleFile(t, rule))
			page := visit.New(t).Do("OPTIONS", server.URL+"/x", nil, asks)
			require.Equal(t, want, page.Status, "%s %s", set, rule)
			require.NotContains(t, page.Body, "mallory")
			require.Equal(t, 401, visit.New(t).Do("OPTIONS", server.URL+"/x", nil, nil).Status, "no preflight")
			require.Equal(t, 401, visit.New(t).Do("PUT", server.URL+"/x", nil, asks).Status)
		}
	}
}
