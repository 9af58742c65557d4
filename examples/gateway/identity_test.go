package main

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/examples/internal/visit"
	"github.com/sallyport/auth/session"
)

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
	app := application(t)
	server, _ := inFront(t, app, "http://localhost:1")
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
			server, log := inFront(t, app, "http://localhost:1")
			page := carrying(t, server, &session.Session{Subject: user, Provider: "generic-oidc"}).Get(server.URL + "/x")
			require.Equal(t, 403, page.Status)
			require.Contains(t, page.Body, "cannot be passed on")
			require.Equal(t, "private, no-store", page.Header.Get("Cache-Control"))
			require.Contains(t, log.String(), `"header":"X-Forwarded-User","provider":"generic-oidc"`)
			require.Contains(t, log.String(), `"status":403`)
		})
	}
}

// TestNobodyOfAProvider: an id that begins with the provider is not empty, and nobody's all the same.
func TestNobodyOfAProvider(t *testing.T) { // MW-06
	server, _ := inFront(t, application(t), "http://localhost:1", "AUTH_USER_ID", "provider")
	require.Equal(t, 403, carrying(t, server, &session.Session{Provider: "generic-oidc"}).Get(server.URL+"/x").Status)
	require.Equal(t, 200, carrying(t, server, &session.Session{Provider: "generic-oidc", Subject: "ada"}).Get(server.URL+"/x").Status)
}

func TestWhatIsNoValueIsLeftOut(t *testing.T) { // MW-06
	server, _ := inFront(t, application(t), "http://localhost:1")
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
