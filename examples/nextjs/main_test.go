package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/examples/internal/visit"
	"github.com/sallyport/auth/providers/providertest"
	"github.com/sallyport/auth/session"
)

const testSecret = "only-for-these-tests-0123456789-0123456789"

// open is the front with something in Next.js's place that says what it was
// asked.
func open(t *testing.T, signIn, issuer string) string {
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
	return server.URL
}

func TestNextjsSignsIn(t *testing.T) {
	app, ada := open(t, "nextjs", "http://localhost:1"), visit.New(t)
	host := strings.TrimPrefix(app, "http://")
	for _, path := range []string{"/", "/api/auth/signin", "/api/auth/session"} {
		page := ada.Get(app + path)
		require.Equal(t, 200, page.Status)
		require.Equal(t, "next: "+host+path, page.Body)
	}
	refused := ada.Do("GET", app+"/api/go/hello", nil, nil)
	require.Equal(t, 401, refused.Status)
	require.Contains(t, refused.Body, `"unauthorized"`)

	// What Auth.js seals, Go opens.
	const cookie = "authjs.session-token"
	payload, err := json.Marshal(map[string]any{"name": "Ada", "email": "ada@example.com", "sub": "ada", "iat": time.Now().Unix(), "exp": time.Now().Unix() + 60})
	require.NoError(t, err)
	token := session.NewCodec(cookie, []auth.Secret{auth.NewSecret(testSecret)}).Seal(payload)
	ada.Jar.SetCookies(refused.At, []*http.Cookie{{Name: cookie, Value: token, Path: "/"}})
	hello := ada.Do("GET", app+"/api/go/hello", nil, nil)
	require.Equal(t, 200, hello.Status)
	require.JSONEq(t, `{"hello": "Hello, Ada", "email": "ada@example.com", "subject": "ada"}`, hello.Body)
}

func TestGoSignsIn(t *testing.T) {
	idp := providertest.NewServer(providertest.Config{
		Clients: []providertest.Client{{ID: "nextjs", Secret: "nextjs"}},
		People:  []providertest.Person{{Subject: "ada", Name: "Ada", Email: "ada@example.com", EmailVerified: true}},
	})
	t.Cleanup(idp.Close)
	app, ada := open(t, "go", idp.Issuer()), visit.New(t)
	hello := ada.Press(ada.Get(app+"/api/auth/signin"), app+"/api/auth/signin/demo", url.Values{"callbackUrl": {"/api/go/hello"}})
	require.Equal(t, 200, hello.Status)
	require.JSONEq(t, `{"hello": "Hello, Ada", "email": "ada@example.com", "subject": "ada"}`, hello.Body)
	require.Contains(t, ada.Get(app+"/page").Body, "/page")
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
