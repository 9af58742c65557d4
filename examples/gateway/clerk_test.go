package main

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/clerk/clerktest"
	"github.com/sallyport/auth/examples/internal/visit"
)

// toInstance has api.clerk.com answered by a stand-in.
type toInstance struct{ handler http.Handler }

func (i toInstance) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	in := r.Clone(r.Context())
	in.RequestURI = r.URL.RequestURI()
	i.handler.ServeHTTP(w, in)
	return w.Result(), nil
}

// TestClerk: the environment of a third kind, and the same headers for the application.
func TestClerk(t *testing.T) { // MW-06, MW-14
	instance := clerktest.New(clerktest.Config{Production: true, People: []clerktest.Person{{ID: "user_ada", Name: "Ada Lovelace", Email: "ada@example.com"}}})
	env, log := map[string]string{"NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY": instance.PublishableKey, "CLERK_SECRET_KEY": instance.SecretKey}, &output{}
	logger := slog.New(slog.NewJSONHandler(log, nil))
	all := parts(sessionStore{}, logger)
	all.HTTPClient = &http.Client{Transport: toInstance{instance}}
	config, err := auth.ConfigFromEnv(func(name string) string { return env[name] }, all)
	require.NoError(t, err)
	a, err := auth.New(config)
	require.NoError(t, err)
	server := httptest.NewServer(handler(a, application(t), options{routes: "/api/auth", plain: true}, newMetrics(), logger, io.Discard))
	t.Cleanup(server.Close)

	token := instance.Token(func(_, claims map[string]any) {
		claims["sub"], claims["sid"] = "user_ada", "sess_ada"
		claims["o"] = map[string]any{"id": "org_1", "slg": "acme", "rol": "admin"}
	})
	cookies := "theme=dark; __session=" + token + "; __client_uat=1; __session" + instance.CookieSuffix + "=" + token + "; __client_uat" + instance.CookieSuffix + "=1; __refresh" + instance.CookieSuffix + "=r; __sessions=mine"
	for name, header := range map[string]http.Header{
		"a browser": {"Cookie": {cookies}, "Authorization": {"Basic bWluZQ=="}},
		"a program": {"Authorization": {"Bearer " + token}, "Cookie": {"theme=dark; __sessions=mine"}},
	} {
		t.Run(name, func(t *testing.T) {
			header.Set("X-Forwarded-User", "mallory")
			page := visit.New(t).Do("GET", server.URL+"/x", nil, header)
			require.Equal(t, 200, page.Status, page.Body)
			require.Contains(t, page.Body, "X-Forwarded-User: user_ada\n")
			require.Contains(t, page.Body, "X-Forwarded-Email: ada@example.com\n")
			require.Contains(t, page.Body, "X-Forwarded-Groups: acme,acme:admin\n")
			require.Contains(t, page.Body, "X-Forwarded-Provider: clerk\n")
			require.Contains(t, page.Body, "Cookie: theme=dark; __sessions=mine\n")
			require.NotContains(t, page.Body, token)
			require.NotContains(t, page.Body, "mallory")
			require.Equal(t, name == "a browser", strings.Contains(page.Body, "Authorization: Basic bWluZQ=="), "the application's own")
		})
	}
	for name, header := range map[string]http.Header{
		"nobody":           {},
		"another instance": {"Authorization": {"Bearer " + clerktest.New(clerktest.Config{Production: true}).Token(nil)}},
	} {
		page := visit.New(t).Do("GET", server.URL+"/x", nil, header)
		require.Equal(t, 401, page.Status, name)
	}
	// A person is sent to Clerk's sign-in page.
	person := visit.New(t)
	person.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	page := person.Get(server.URL + "/x")
	require.Contains(t, page.Header.Get("Location"), "https://accounts.example.com/sign-in?", "%d", page.Status)
}

// TestCookieOfAnother: __session is Clerk's only where Clerk is.
func TestCookieOfAnother(t *testing.T) {
	server, _ := gateway(t)
	ada := signIn(t, server)
	require.Contains(t, ada.Do("GET", server.URL+"/x", nil, http.Header{"Cookie": {"__session=theirs"}}).Body, "Cookie: __session=theirs\n")
}
