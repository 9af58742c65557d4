package web_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
)

func TestMethodsAndUnknownRoutes(t *testing.T) { // CB-04, CB-07
	s := newSite(t, nil)
	cases := []struct {
		method, path string
		status       int
	}{
		{"HEAD", "/api/auth/callback/stub?code=x&state=y", 405},
		{"POST", "/api/auth/callback/stub", 405},
		{"OPTIONS", "/api/auth/session", 405},
		{"PUT", "/api/auth/signout", 405},
		{"GET", "/api/auth/callback/unknown", 404},
		{"GET", "/api/auth/callback/%3Cscript%3E", 404},
		{"GET", "/api/auth/callback/stub/x", 404},
		{"GET", "/api/auth/session/x", 404},
		{"GET", "/api/auth/", 404},
		{"GET", "/api/auth", 404},
		{"GET", "/api/auth/../admin", 404},
		{"GET", "/api/auth/callback/x/../../../admin", 404},
	}
	for _, c := range cases {
		t.Run(c.method+" "+c.path, func(t *testing.T) {
			got := s.browser().do(c.method, c.path, nil)
			require.Equal(t, c.status, got.StatusCode)
			require.Empty(t, got.Cookies())
			require.NotContains(t, got.text, "script>")
			if c.status == 405 {
				require.NotEmpty(t, got.Header.Get("Allow"))
			}
		})
	}
	require.Empty(t, s.seen)
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

func TestQueriesAreBoundedToTheByte(t *testing.T) { // CB-03, CB-10
	s := newSite(t, nil)
	b := s.browser()
	state := b.start("stub", "/x").Get("state")
	for _, path := range []string{"/api/auth/signin", "/api/auth/error", "/api/auth/session", "/api/auth/callback/stub"} {
		query := "?x=" + strings.Repeat("x", 32<<10-2)
		require.NotEqual(t, 414, s.browser().get(path+query).StatusCode, path)
		got := s.browser().get(path + query + "x")
		require.Equal(t, 414, got.StatusCode, path)
		require.Contains(t, got.text, "The request was not understood")
	}
	got := b.get("/api/auth/callback/stub?state=" + state + "&code=" + strings.Repeat("x", 64<<10))
	require.Equal(t, 414, got.StatusCode)
	got = b.get("/api/auth/callback/stub?state=" + state + strings.Repeat("&a", 12_000))
	require.Equal(t, 400, got.StatusCode, "more parameters than anybody sends")
	require.Zero(t, s.stub.exchanged())
	require.Equal(t, s.server.URL+"/x", b.back("stub", state, "ada").Header.Get("Location"), "nothing is used up")
	require.Equal(t, 200, b.get("/page?x="+strings.Repeat("x", 64<<10)).StatusCode, "the application's queries are its own")
}

func TestAllowedMethods(t *testing.T) { // CB-04, CS-05
	s := newGated(t, nil)
	for path, allow := range map[string]string{
		"/api/auth/providers": "GET", "/api/auth/csrf": "GET", "/api/auth/error": "GET, HEAD", "/api/auth/callback/stub": "GET",
		"/api/auth/session": "GET, POST", "/api/auth/signout": "GET, HEAD, POST", "/api/auth/signin": "GET, HEAD, POST", "/api/auth/signin/stub": "GET, POST",
		"/api/auth/signin/access-code": "GET, HEAD, POST", "/api/auth/callback/access-code": "GET, POST",
	} {
		methods := []string{"PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "get", "PROPFIND"}
		for _, method := range []string{"HEAD", "POST"} {
			if !strings.Contains(allow, method) {
				methods = append(methods, method)
			}
		}
		for _, method := range methods {
			got := s.browser().do(method, path, nil, "X-HTTP-Method-Override", "GET")
			require.Equal(t, 405, got.StatusCode, method+" "+path)
			require.Equal(t, allow, got.Header.Get("Allow"), method+" "+path)
			require.Empty(t, got.Cookies(), method+" "+path)
		}
	}
	got := s.browser().do("PUT", "/api/auth/session", nil, "Accept", "*/*")
	require.JSONEq(t, `{"error":"method_not_allowed","message":"Method Not Allowed"}`, got.text)
	got = s.browser().do("HEAD", "/api/auth/session", nil, "Accept", "text/html")
	require.Contains(t, got.Header.Get("Content-Type"), "text/html")
	require.Empty(t, got.text)
}

// TestHEADOfThePages is GET without a body, and starts nothing.
func TestHEADOfThePages(t *testing.T) { // CB-04
	s := newGated(t, nil)
	for _, path := range []string{"signin", "signin/access-code", "signout", "error?error=AccessDenied"} {
		got, want := s.browser().do("HEAD", "/api/auth/"+path, nil), s.browser().get("/api/auth/"+path)
		require.Equal(t, want.StatusCode, got.StatusCode, path)
		require.Empty(t, got.text, path)
		for _, name := range []string{"Content-Type", "Content-Security-Policy", "Cache-Control", "Vary"} {
			require.Equal(t, want.Header[name], got.Header[name], path)
		}
	}
	straight := newSite(t, func(c *auth.Config) { c.Providers, c.StraightToProvider = c.Providers[:1], true })
	b := straight.browser()
	require.Equal(t, 200, b.do("HEAD", "/api/auth/signin?callbackUrl=/x", nil).StatusCode, "a link scanner begins no sign-in")
	require.Empty(t, b.cookiesNamed("__Host-authjs.txn."))
	require.Equal(t, 303, b.get("/api/auth/signin?callbackUrl=/x").StatusCode)
}

func TestRefusalsAreWhatTheirReaderReads(t *testing.T) { // HD-09, CB-07
	s := newSite(t, nil)
	page := s.browser().get("/api/auth/callback/%3Cscript%3E")
	require.Contains(t, page.text, "There is no such page")
	require.Contains(t, page.Header.Get("Content-Type"), "text/html")
	script := s.browser().get("/api/auth/callback/%3Cscript%3E", "Accept", "*/*")
	require.JSONEq(t, `{"error":"not_found","message":"Not Found"}`, script.text)
	script = s.browser().get("/api/auth/session?"+strings.Repeat("x", 33<<10), "Accept", "*/*")
	require.JSONEq(t, `{"error":"request_uri_too_long","message":"Request URI Too Long"}`, script.text)
	got := s.browser().post("/api/auth/signout", "text/plain", "")
	require.JSONEq(t, `{"error":"unsupported_media_type","message":"Unsupported Media Type"}`, got.text)
	b := s.browser()
	got = b.get("/api/auth/callback/stub?code=x&state="+b.start("stub", "/").Get("state"), "Purpose", "prefetch")
	require.Equal(t, 403, got.StatusCode)
	require.Len(t, b.cookiesNamed("__Host-authjs.txn."), 1)
}

func TestErrorPagesStatus(t *testing.T) { // as Auth.js answers
	s := newSite(t, nil)
	for query, want := range map[string]struct {
		status int
		title  string
	}{
		"":                                  {200, "Something went wrong"},
		"?error=Configuration":              {500, "not set up correctly"},
		"?error=Configuration&detail=Clock": {500, "A clock is wrong"},
		"?error=AccessDenied":               {403, "You may not sign in here"},
		"?error=Verification":               {403, "Something went wrong"},
		"?error=Declined":                   {200, "You did not sign in"},
		"?error=Unknown":                    {200, "Something went wrong"},
		"?error=configuration":              {200, "Something went wrong"},
	} {
		got := s.browser().get("/api/auth/error" + query)
		require.Equal(t, want.status, got.StatusCode, query)
		require.Contains(t, got.text, want.title, query)
	}
}

func TestRoutesBelowAnotherPath(t *testing.T) { // MW-01
	a := newAuth(t, func(c *auth.Config) { c.URL = "https://app.example/auth" })
	require.Equal(t, 200, serve(a, "GET", "https://app.example/auth/session", "").Code)
	require.Equal(t, 404, serve(a, "GET", "https://app.example/api/auth/session", "").Code)
	page := serve(a, "GET", "https://app.example/auth/signin", "").Body.String()
	require.Contains(t, page, `action="/auth/signin/stub"`)
	reached := false
	serve(a.Identify(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true })), "GET", "https://app.example/api/auth/session", "")
	require.True(t, reached, "that is the application's")
	w := serve(a, "GET", "https://app.example/elsewhere", "")
	require.Equal(t, 404, w.Code, "mounted by hand in front of everything")
	require.Contains(t, w.Header().Get("Cache-Control"), "no-store")
}
