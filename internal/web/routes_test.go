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
