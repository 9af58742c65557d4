package auth_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/session"
)

func jsonText(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func TestJSONBodies(t *testing.T) { // CS-08
	s := newSite(t, nil)
	b := s.browser()
	form := map[string]any{"csrfToken": b.csrf(), "callbackUrl": "/there#place", "json": true}
	got := b.post("/api/auth/signin/stub", "application/json; charset=utf-8", jsonText(form))
	require.Equal(t, 200, got.StatusCode, got.text)
	var to struct{ URL string }
	require.NoError(t, json.Unmarshal([]byte(got.text), &to))
	u, err := url.Parse(to.URL)
	require.NoError(t, err)
	got = b.back("stub", u.Query().Get("state"), "ada")
	require.Equal(t, s.server.URL+"/there#place", got.Header.Get("Location"))

	for body, want := range map[string]int{
		`{"csrfToken":"` + b.csrf() + `","csrfToken":"x"}`: 400,
		`[]`:                     400,
		`{`:                      400,
		``:                       400,
		`{"csrfToken":"wrong"}`:  403,
		`{"csrfToken":["a"]}`:    403,
		`{"csrfToken":null}`:     403,
		strings.Repeat(" ", 1e5): 413,
	} {
		require.Equal(t, want, b.post("/api/auth/signout", "application/json", body).StatusCode, "%.40q", body)
	}
	require.Equal(t, 415, b.post("/api/auth/signout", "text/plain", jsonText(form)).StatusCode)
	require.Equal(t, "ada", b.who())
	got = b.post("/api/auth/signout", "application/json", jsonText(form), "X-Auth-Return-Redirect", "1")
	require.JSONEq(t, `{"url":"`+s.server.URL+`/there#place"}`, got.text)
	require.Empty(t, b.who())
}

func TestNextAuthV4sClient(t *testing.T) {
	s := newSite(t, func(c *auth.Config) { c.NextAuthV4 = true })
	b := s.browser()
	require.Equal(t, "{}", b.get("/api/auth/session").text)
	got := b.do("POST", "/api/auth/signin/stub", url.Values{"csrfToken": {b.csrf()}, "callbackUrl": {s.server.URL + "/x"}, "json": {"true"}})
	require.Equal(t, 200, got.StatusCode)
	require.Contains(t, got.text, "https://idp.example/authorize?")
	got = b.do("POST", "/api/auth/signin/stub", url.Values{"csrfToken": {"wrong"}, "json": {"true"}})
	require.JSONEq(t, `{"url":"`+s.server.URL+`/api/auth/signin?error=MissingCSRF"}`, got.text)
	b.signIn("ada")
	got = b.do("POST", "/api/auth/signout", url.Values{"csrfToken": {b.csrf()}, "callbackUrl": {s.server.URL + "/bye"}, "json": {"true"}})
	require.JSONEq(t, `{"url":"`+s.server.URL+`/bye"}`, got.text)
	require.Equal(t, "{}", b.get("/api/auth/session").text)
}

func TestUpdateOfTheSession(t *testing.T) { // CS-02
	var asked []string
	s := newSite(t, func(c *auth.Config) {
		c.Update = func(_ context.Context, s *session.Session, data json.RawMessage) error {
			asked = append(asked, string(data))
			var wanted struct{ Name, Theme string }
			if json.Unmarshal(data, &wanted) != nil || wanted.Name == "root" {
				return errors.New("not that name")
			}
			s.Name = wanted.Name
			return s.SetClaim("theme", wanted.Theme)
		}
		c.Session.Public = func(s *session.Session, shown *session.View) {
			var theme string
			if found, err := s.Claim("theme", &theme); found && err == nil {
				shown.User["theme"] = theme
			}
			delete(shown.User, "email")
			shown.More["greeting"] = "hello " + s.Name
		}
	})
	b := s.browser()
	body := func(data any) string { return jsonText(map[string]any{"csrfToken": b.csrf(), "data": data}) }
	require.Equal(t, "null", b.post("/api/auth/session", "application/json", body("x")).text, "nobody is signed in")
	b.signIn("ada")
	s.advance(time.Hour)
	got := b.post("/api/auth/session", "application/json", body(map[string]any{"name": "Countess", "theme": "dark"}))
	require.Equal(t, 200, got.StatusCode)
	expires := s.clock().Add(30 * 24 * time.Hour).UTC().Format("2006-01-02T15:04:05.000Z")
	expires = expires[:len(expires)-4] + "000Z"
	want := `{"user":{"id":"ada","name":"Countess","theme":"dark"},"greeting":"hello Countess","expires":"` + expires + `"}`
	require.JSONEq(t, want, got.text)
	require.JSONEq(t, want, b.get("/api/auth/session").text, "it is in the cookie")
	require.Equal(t, []string{`{"name":"Countess","theme":"dark"}`}, asked)
	require.Equal(t, auth.EventUpdated, s.events[len(s.events)-1].Kind)

	for name, test := range map[string]struct {
		body, media string
		headers     []string
		want        int
	}{
		"no token":       {`{"data":{"name":"Eve"}}`, "application/json", nil, 400},
		"wrong token":    {`{"csrfToken":"x","data":{"name":"Eve"}}`, "application/json", nil, 400},
		"another site":   {body(map[string]any{"name": "Eve"}), "application/json", []string{"Sec-Fetch-Site", "cross-site"}, 400},
		"another origin": {body(map[string]any{"name": "Eve"}), "application/json", []string{"Origin", "https://evil.example"}, 400},
		"plain text":     {body(map[string]any{"name": "Eve"}), "text/plain", nil, 415},
		"refused":        {body(map[string]any{"name": "root"}), "application/json", nil, 403},
		"a form's text":  {url.Values{"csrfToken": {b.csrf()}, "data": {`{"name":"Eve"}`}}.Encode(), "application/x-www-form-urlencoded", nil, 403},
	} {
		got := b.post("/api/auth/session", test.media, test.body, test.headers...)
		require.Equal(t, test.want, got.StatusCode, name)
		require.NotContains(t, got.text, "not that name", name)
		require.JSONEq(t, want, b.get("/api/auth/session").text, name)
	}
	var kinds []auth.EventKind
	for _, e := range s.events {
		kinds = append(kinds, e.Kind)
	}
	require.Contains(t, kinds, auth.EventRefused)
	require.Contains(t, asked, `"{\"name\":\"Eve\"}"`, "a form brings text")
	// Without data it only renews.
	require.Equal(t, 200, b.post("/api/auth/session", "application/json", jsonText(map[string]any{"csrfToken": b.csrf()})).StatusCode)
}

func TestSessionIsOnlyForItsOrigin(t *testing.T) { // CS-06, SE-13
	s := newSite(t, func(c *auth.Config) {
		c.Enrich = func(_ context.Context, s *session.Session, _ *auth.Identity) error {
			return s.SetClaim("accessToken", "at-1")
		}
	})
	b := s.browser()
	b.signIn("ada")
	for name, test := range map[string]struct {
		headers []string
		want    int
	}{
		"same origin":        {[]string{"Sec-Fetch-Site", "same-origin", "Sec-Fetch-Mode", "cors"}, 200},
		"typed":              {[]string{"Sec-Fetch-Site", "none", "Sec-Fetch-Mode", "navigate"}, 200},
		"a link":             {[]string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"}, 200},
		"no browser":         {nil, 200},
		"a script elsewhere": {[]string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors"}, 403},
		"a subdomain":        {[]string{"Sec-Fetch-Site", "same-site", "Sec-Fetch-Mode", "cors"}, 403},
		"Origin":             {[]string{"Origin", "https://evil.example"}, 403},
	} {
		got := b.get("/api/auth/session", test.headers...)
		require.Equal(t, test.want, got.StatusCode, name)
		require.Equal(t, test.want == 200, strings.Contains(got.text, "ada"), name)
		require.NotContains(t, got.text, "at-1", "no claim shows by itself")
		require.Empty(t, got.Header.Get("Access-Control-Allow-Origin"))
		if test.want == 200 {
			require.Equal(t, "same-origin", got.Header.Get("Cross-Origin-Resource-Policy"))
		}
	}
}

func TestHooksOfASignIn(t *testing.T) {
	var fail error
	s := newSite(t, func(c *auth.Config) {
		c.ReturnOrigins = []string{"https://idp.example"} // the harness allows this origin
		c.Enrich = func(_ context.Context, s *session.Session, id *auth.Identity) error {
			require.Equal(t, "https://idp.example", id.Issuer)
			s.Subject = "user-" + id.Subject
			return errors.Join(fail, s.SetClaim("role", "admin"))
		}
		c.ReturnTo = func(_ context.Context, s *session.Session, to string) string {
			var role string
			_, err := s.Claim("role", &role)
			require.NoError(t, err)
			require.Equal(t, "user-ada", s.Subject)
			return map[string]string{"/new": "/welcome?role=" + role, "/out": "https://evil.example/", "/in": "/api/auth/signout"}[to] + ""
		}
	})
	for to, want := range map[string]string{"/new": s.server.URL + "/welcome?role=admin", "/out": s.server.URL + "/", "/in": s.server.URL + "/", "/x": s.server.URL + "/"} {
		b := s.browser()
		got := b.back("stub", b.start("stub", to).Get("state"), "ada")
		require.Equal(t, want, got.Header.Get("Location"))
		require.Equal(t, "user-ada", b.who())
	}
	fail = errors.New("the database is down")
	b := s.browser()
	got := b.back("stub", b.start("stub", "/").Get("state"), "ada")
	require.Equal(t, 403, got.StatusCode)
	require.NotContains(t, got.text, "database")
	require.Contains(t, s.log.String(), "the database is down")
	require.Empty(t, b.who())
}

func TestReturnOrigins(t *testing.T) { // RD-02
	s := newSite(t, func(c *auth.Config) { c.ReturnOrigins = []string{"https://idp.example"} })
	for raw, want := range map[string]string{
		"https://idp.example/page?x#y":          "https://idp.example/page?x#y",
		"https://idp.example":                   "https://idp.example/",
		"https://idp.example/api/auth/x":        s.server.URL + "/",
		"https://idp.example.evil.example/":     s.server.URL + "/",
		"https://idp.example@evil.example/":     s.server.URL + "/",
		"https://idp.example//evil.example":     s.server.URL + "/",
		"http://idp.example/":                   s.server.URL + "/",
		"https://evil.example/?https://idp.exa": s.server.URL + "/",
	} {
		b := s.browser()
		got := b.back("stub", b.start("stub", raw).Get("state"), "ada")
		require.Equal(t, want, got.Header.Get("Location"), raw)
		got = b.do("POST", "/api/auth/signout", url.Values{"csrfToken": {b.csrf()}, "callbackUrl": {raw}})
		require.Equal(t, want, got.Header.Get("Location"), raw)
	}
	page := s.browser().get("/api/auth/signout")
	require.Contains(t, page.Header.Get("Content-Security-Policy"), "form-action 'self' https://idp.example;")
	for _, bad := range []string{"www.example.com", "https://www.example.com/", "https://WWW.example.com", "javascript://x", "http://www.example.com", "*"} {
		_, err := auth.New(auth.Config{Secrets: []auth.Secret{auth.NewSecret(testSecret)}, Providers: []auth.Provider{&stubProvider{name: "stub"}}, ReturnOrigins: []string{bad}})
		require.ErrorContains(t, err, "ReturnOrigins", bad)
	}
}

func TestErrorsForPagesMadeForAuthjs(t *testing.T) {
	s := newSite(t, func(c *auth.Config) { c.ErrorURL, c.SignInURL = "/oops", "/login" })
	s.stub.identity = func(code string) (*auth.Identity, error) {
		return nil, map[string]error{"declined": auth.ErrDeclined, "refused": auth.ErrNotAllowed, "wrong": auth.ErrMisconfigured, "down": auth.ErrUnavailable}[code]
	}
	for code, want := range map[string]string{
		"declined": "OAuthCallbackError Declined", "refused": "AccessDenied ", "wrong": "Configuration ", "down": "Configuration Unavailable",
	} {
		b := s.browser()
		got := b.back("stub", b.start("stub", "/").Get("state"), code)
		u, err := got.Location()
		require.NoError(t, err)
		require.Equal(t, "/oops", u.Path)
		require.Equal(t, want, u.Query().Get("error")+" "+u.Query().Get("detail"))
		require.NotEmpty(t, u.Query().Get("request_id"))
		got = b.get("/api/auth/error?" + u.RawQuery)
		require.Equal(t, map[string]int{"declined": 200, "refused": 403, "wrong": 500, "down": 500}[code], got.StatusCode)
	}
	page := s.browser().get("/api/auth/error?error=Configuration&detail=Unavailable")
	require.Contains(t, page.text, "does not answer")
	page = s.browser().get("/api/auth/error?error=Configuration&detail=%3Cscript%3E")
	require.Contains(t, page.text, "not set up correctly")
}

func TestReadOnly(t *testing.T) {
	signer := newSite(t, nil)
	b := signer.browser()
	b.signIn("ada")
	cookies := b.cookies()
	a, err := auth.New(auth.Config{Secrets: []auth.Secret{auth.NewSecret(testSecret)}, URL: "https://app.example/api/auth", ReadOnly: true,
		Now: func() time.Time { return time.Now().Add(48 * time.Hour) }})
	require.NoError(t, err)
	handler := a.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, _ := auth.FromContext(r.Context())
		_, _ = io.WriteString(w, "hello "+who.Subject)
	}))
	ask := func(method, target string, headers ...string) *http.Response {
		r := httptest.NewRequest(method, target, nil)
		for i := 0; i+1 < len(headers); i += 2 {
			r.Header.Add(headers[i], headers[i+1])
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w.Result()
	}
	var line []string
	for _, c := range cookies {
		line = append(line, c.Name+"="+c.Value)
	}
	mine := []string{"Cookie", strings.Join(line, "; ")}
	got := ask("GET", "https://app.example/x", mine...)
	require.Equal(t, 200, got.StatusCode)
	require.Empty(t, got.Header["Set-Cookie"], "renewing is the other's business")
	for _, route := range []string{"/api/auth/signin", "/api/auth/session", "/api/auth/signout", "/api/auth/callback/stub", "/api/auth", "/api/auth/x/y"} {
		for _, method := range []string{"GET", "POST"} {
			got = ask(method, "https://app.example"+route, mine...)
			require.Equal(t, 404, got.StatusCode, route)
			require.Empty(t, got.Header["Set-Cookie"])
		}
	}
	got = ask("GET", "https://app.example/x?y", "Accept", "text/html")
	require.Equal(t, "https://app.example/api/auth/signin?callbackUrl=%2Fx%3Fy", got.Header.Get("Location"))
	require.Equal(t, 401, ask("GET", "https://app.example/x").StatusCode)

	both := auth.Config{Secrets: []auth.Secret{auth.NewSecret(testSecret)}, ReadOnly: true, Providers: []auth.Provider{&stubProvider{name: "stub"}}}
	_, err = auth.New(both)
	require.ErrorContains(t, err, "ReadOnly")
	_, err = auth.New(auth.Config{Secrets: both.Secrets})
	require.ErrorContains(t, err, "set ReadOnly if")
}

func TestCSRFTokensOfManySecrets(t *testing.T) { // CS-04
	const older = "Zr4pS7uYbQ1xK9mN2vT6wE8hJ3cF5aG0dL4oP7iRtUs="
	signs := func(secrets ...string) string { // a token and its cookie, made with secrets as Auth.js joins them
		s := newSite(t, func(c *auth.Config) { c.Secrets = []auth.Secret{auth.NewSecret(strings.Join(secrets, ","))} })
		b := s.browser()
		b.csrf()
		return b.cookiesNamed("__Host-authjs.csrf-token")[0].Value
	}
	s := newSite(t, func(c *auth.Config) { c.Secrets = []auth.Secret{auth.NewSecret(testSecret), auth.NewSecret(older)} })
	for name, test := range map[string]struct {
		value string
		want  int
	}{
		"the new one's":       {signs(testSecret), 200},
		"the old one's":       {signs(older), 200},
		"Auth.js's of both":   {signs(testSecret, older), 200},
		"the other way round": {signs(older, testSecret), 400},
		"another's":           {signs(older + older), 400},
	} {
		token, _, _ := strings.Cut(test.value, "%7C")
		got := s.browser().post("/api/auth/session", "application/json", `{"csrfToken":"`+token+`"}`, "Cookie", "__Host-authjs.csrf-token="+test.value)
		require.Equal(t, test.want, got.StatusCode, name)
	}
}

// stubBackend signs in whoever sends the header X-Person.
type stubBackend struct{ auth.Backend }

func (stubBackend) Authenticate(r *http.Request, _ *url.URL) (*auth.Decision, error) {
	d := &auth.Decision{}
	if who := r.Header.Get("X-Person"); who != "" {
		d.Session = &session.Session{Subject: who, Provider: "backend", IssuedAt: time.Now(), ExpiresAt: time.Now().Add(time.Minute)}
	}
	return d, nil
}

func TestUpdateOfSomebodyElsesSession(t *testing.T) {
	asked := 0
	s := newSite(t, func(c *auth.Config) {
		c.Backend = stubBackend{}
		c.Update = func(context.Context, *session.Session, json.RawMessage) error { asked++; return nil }
	})
	signedIn := s.browser()
	signedIn.signIn("ada")
	token := signedIn.cookiesNamed("__Secure-authjs.session-token")[0].Value
	for name, header := range map[string][]string{"the backend's": {"X-Person", "bob"}, "a bearer token": {"Authorization", "Bearer " + token}} {
		b := s.browser()
		got := b.post("/api/auth/session", "application/json", jsonText(map[string]any{"csrfToken": b.csrf(), "data": "x"}), header...)
		require.Equal(t, 200, got.StatusCode, name)
		require.Contains(t, got.text, `"user"`, name)
		require.Empty(t, got.Header["Set-Cookie"], "%s: no session of ours is made of it", name)
	}
	require.Zero(t, asked)
}
