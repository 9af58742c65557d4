package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/providertest"
	"github.com/sallyport/auth/session"
)

const testSecret = "only-for-these-tests-0123456789-0123456789"

// open is the front with something in Next.js's place that says what it was
// asked.
func open(t *testing.T, signIn, issuer string) (string, *http.Client) {
	next := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "next: %s%s", r.Host, r.URL.Path)
	}))
	t.Cleanup(next.Close)
	address, err := url.Parse(next.URL)
	require.NoError(t, err)
	handler, err := front(signIn, auth.NewSecret(testSecret), issuer, address)
	require.NoError(t, err)
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return server.URL, &http.Client{Jar: jar}
}

func text(t *testing.T, resp *http.Response, err error) (int, string) {
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(body)
}

func get(t *testing.T, client *http.Client, address string) (int, string) {
	resp, err := client.Get(address)
	return text(t, resp, err)
}

func TestNextjsSignsIn(t *testing.T) {
	app, client := open(t, "nextjs", "http://localhost:1")
	host := strings.TrimPrefix(app, "http://")
	for _, path := range []string{"/", "/api/auth/signin", "/api/auth/session"} {
		code, body := get(t, client, app+path)
		require.Equal(t, 200, code)
		require.Equal(t, "next: "+host+path, body)
	}
	code, body := get(t, client, app+"/api/go/hello")
	require.Equal(t, 401, code)
	require.Contains(t, body, `"unauthorized"`)

	// What Auth.js seals, Go opens.
	const cookie = "authjs.session-token"
	payload, err := json.Marshal(map[string]any{"name": "Ada", "email": "ada@example.com", "sub": "ada", "iat": time.Now().Unix(), "exp": time.Now().Unix() + 60})
	require.NoError(t, err)
	token := session.NewCodec(cookie, []auth.Secret{auth.NewSecret(testSecret)}).Seal(payload)
	u, err := url.Parse(app)
	require.NoError(t, err)
	client.Jar.SetCookies(u, []*http.Cookie{{Name: cookie, Value: token, Path: "/"}})
	code, body = get(t, client, app+"/api/go/hello")
	require.Equal(t, 200, code)
	require.JSONEq(t, `{"hello": "Hello, Ada", "email": "ada@example.com", "subject": "ada"}`, body)
}

func TestGoSignsIn(t *testing.T) {
	idp := providertest.NewServer(providertest.Config{
		Clients: []providertest.Client{{ID: "nextjs", Secret: "nextjs"}},
		People:  []providertest.Person{{Subject: "ada", Name: "Ada", Email: "ada@example.com", EmailVerified: true}},
	})
	t.Cleanup(idp.Close)
	app, client := open(t, "go", idp.Issuer())
	var csrf struct{ CsrfToken string }
	_, body := get(t, client, app+"/api/auth/csrf")
	require.NoError(t, json.Unmarshal([]byte(body), &csrf))
	resp, err := client.PostForm(app+"/api/auth/signin/demo", url.Values{"csrfToken": {csrf.CsrfToken}, "callbackUrl": {"/api/go/hello"}})
	code, body := text(t, resp, err)
	require.Equal(t, 200, code)
	require.JSONEq(t, `{"hello": "Hello, Ada", "email": "ada@example.com", "subject": "ada"}`, body)
	_, body = get(t, client, app+"/page")
	require.Contains(t, body, "/page")
}

func TestProblems(t *testing.T) {
	_, err := front("", auth.NewSecret(testSecret), "http://localhost:1", &url.URL{})
	require.ErrorContains(t, err, "SIGN_IN")
	_, err = front("nextjs", auth.NewSecret(""), "http://localhost:1", &url.URL{})
	require.ErrorContains(t, err, "AUTH_SECRET")

	absent := httptest.NewServer(nil)
	absent.Close()
	address, err := url.Parse(absent.URL)
	require.NoError(t, err)
	w := httptest.NewRecorder()
	proxy(address).ServeHTTP(w, httptest.NewRequest("GET", "http://localhost/", nil))
	require.Equal(t, 502, w.Code)
	require.Contains(t, w.Body.String(), "Next.js does not answer")
}
