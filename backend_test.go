package auth_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/session"
)

func TestBackendDecides(t *testing.T) {
	given := &session.Session{Issuer: "https://backend.example", Subject: "ada", Provider: "backend"}
	ctx, w := behind(t, stubBackend{decision: &auth.Decision{Session: given, Header: http.Header{"X-Backend": {"yes"}}, Value: 7}})
	require.NotNil(t, ctx)
	who, ok := auth.FromContext(ctx)
	require.True(t, ok)
	require.Same(t, given, who, "nothing of it has to go, so that nothing is copied")
	require.Equal(t, "ada", who.Subject)
	require.Equal(t, 7, auth.BackendValue(ctx))
	require.Equal(t, "yes", w.Header().Get("X-Backend"))

	ctx, w = behind(t, stubBackend{decision: &auth.Decision{Value: 7}})
	require.Nil(t, ctx)
	require.Equal(t, 401, w.Code)
}

func TestRefusedSessionOfABackendIsNobodys(t *testing.T) { // LG-02
	ctx, w := behind(t, stubBackend{decision: &auth.Decision{
		Session: &session.Session{Issuer: "https://backend.example", Subject: "ada\nX-Admin: 1", Provider: "backend"},
		Header:  http.Header{"X-Backend": {"yes"}}, Value: 7,
	}})
	require.Nil(t, ctx)
	require.Equal(t, 401, w.Code)
	require.Equal(t, "yes", w.Header().Get("X-Backend"), "what else it wants still holds")

	c := newConfig()
	c.Backend = stubBackend{decision: &auth.Decision{Session: &session.Session{Issuer: "x", Subject: "a\n"}, Value: 7}}
	a, err := auth.New(c)
	require.NoError(t, err)
	a.Identify(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, ok := auth.FromContext(r.Context())
		require.False(t, ok)
		require.Nil(t, auth.BackendValue(r.Context()), "functions of the backend's know nobody either")
	})).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "https://app.example/", nil))
}

// clientAware is a backend that asks where requests come from.
type clientAware struct {
	stubBackend
	client *func(*http.Request) netip.Addr
}

func (b clientAware) UseClient(client func(*http.Request) netip.Addr) { *b.client = client }

func TestBackendIsToldOfClients(t *testing.T) { // AC-02
	var client func(*http.Request) netip.Addr
	c := newConfig()
	c.Backend, c.TrustedProxies, c.Forwarded = clientAware{client: &client}, []string{"198.51.100.0/24"}, true
	c.ErrorURL = "//elsewhere.example"
	_, err := auth.New(c)
	require.Error(t, err)
	require.Nil(t, client, "not by what came to nothing")
	c.ErrorURL = ""
	_, err = auth.New(c)
	require.NoError(t, err)
	r := httptest.NewRequest("GET", "https://app.example/", nil)
	r.RemoteAddr = "198.51.100.7:1"
	r.Header.Set("Forwarded", "for=203.0.113.9")
	require.Equal(t, "203.0.113.9", client(r).String())
	r.RemoteAddr = "127.0.0.1:1"
	require.Equal(t, "127.0.0.1", client(r).String())
}

func TestBackendThatCannotTell(t *testing.T) { // MW-10, SE-06
	ctx, w := behind(t, stubBackend{err: errors.New("dial 10.0.0.7")})
	require.Nil(t, ctx)
	require.Equal(t, 503, w.Code)
	require.NotEmpty(t, w.Header().Get("Retry-After"))
	require.NotContains(t, w.Body.String(), "10.0.0.7")
}

func TestBackendsSignInPage(t *testing.T) { // RD-09
	c := newConfig()
	c.Backend = stubBackend{decision: &auth.Decision{}}
	a, err := auth.New(c)
	require.NoError(t, err)
	r := httptest.NewRequest("GET", "https://app.example/page?x=y", nil)
	r.Header.Set("Accept", "text/html")
	w := httptest.NewRecorder()
	a.Require(http.NotFoundHandler()).ServeHTTP(w, r)
	require.Equal(t, 303, w.Code)
	require.Equal(t, "https://backend.example/?d=true&to=https%3A%2F%2Fapp.example%2Fpage%3Fx%3Dy", w.Header().Get("Location"))
}

// TestPolicyBesideABackend: the backend's people are held to the policy at each
// request, for it has signed them in before.
func TestPolicyBesideABackend(t *testing.T) { // PV-02
	emails, err := auth.AllowEmails("example.com")
	require.NoError(t, err)
	b := &stubBackend{}
	var events []auth.Event
	a, err := auth.New(auth.Config{
		Secrets: []auth.Secret{auth.NewSecret(testSecret)}, URL: "https://app.example", Backend: b, Policy: emails,
		OnEvent: func(_ context.Context, e auth.Event) { events = append(events, e) },
	})
	require.NoError(t, err)
	for name, test := range map[string]struct {
		who    *session.Session
		policy bool
	}{
		"verified":      {&session.Session{Subject: "user_1", Issuer: "https://clerk.example", Provider: "clerk", Email: "ada@example.com", EmailVerified: true}, true},
		"not verified":  {&session.Session{Subject: "user_1", Issuer: "https://clerk.example", Provider: "clerk", Email: "ada@example.com"}, false},
		"another's":     {&session.Session{Subject: "user_1", Issuer: "https://clerk.example", Provider: "clerk", Email: "eve@evil.example", EmailVerified: true}, false},
		"nothing known": {&session.Session{Subject: "user_1", Issuer: "https://clerk.example", Provider: "clerk"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			events = nil
			b.decision = &auth.Decision{Session: test.who, Value: "decided", Header: http.Header{"X-Backend": {"1"}}}
			reached := false
			page := a.Require(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
			for accept, message := range map[string]string{"text/html": "AccessDenied", "application/json": `"forbidden"`} {
				r := httptest.NewRequest("GET", "https://app.example/", nil)
				r.Header.Set("Accept", accept)
				w := httptest.NewRecorder()
				page.ServeHTTP(w, r)
				require.Equal(t, test.policy, reached)
				require.Equal(t, "1", w.Header().Get("X-Backend"), "what the backend answers with is kept")
				if test.policy {
					require.Equal(t, 200, w.Code)
					continue
				}
				require.Equal(t, 403, w.Code, "a sign-in would not help")
				require.Equal(t, "no-store", strings.TrimPrefix(w.Header().Get("Cache-Control"), "private, no-cache, "))
				if accept == "application/json" {
					require.Contains(t, w.Body.String(), message)
				} else {
					require.Contains(t, w.Body.String(), "You may not sign in here")
				}
			}
			open := a.Identify(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				_, ok := auth.FromContext(r.Context())
				require.Equal(t, test.policy, ok)
				require.Equal(t, test.policy, auth.BackendValue(r.Context()) != nil, "nor by way of the backend")
			}))
			open.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "https://app.example/", nil))
			w := httptest.NewRecorder()
			a.ServeHTTP(w, httptest.NewRequest("GET", "https://app.example/api/auth/session", nil))
			require.Equal(t, !test.policy, w.Body.String() == "null")
			if !test.policy {
				require.Len(t, events, 2)
				require.Equal(t, auth.EventRefused, events[0].Kind)
				require.Equal(t, []string{"AccessDenied", "user_1", "https://clerk.example"}, []string{events[0].Reason, events[0].Subject, events[0].Issuer})
				require.ErrorIs(t, events[0].Err, auth.ErrNotAllowed)
			}
		})
	}
}

// TestBackendsPeopleAreHeldToTheSameRules: without a control character too.
func TestBackendsPeopleAreHeldToTheSameRules(t *testing.T) { // ID-15
	for name, s := range map[string]*session.Session{
		"no issuer":   {Subject: "ada", Provider: "backend"},
		"no subject":  {Issuer: "https://backend.example", Provider: "backend"},
		"long":        {Issuer: "https://backend.example", Subject: strings.Repeat("a", 256), Provider: "backend"},
		"odd picture": {Issuer: "https://backend.example", Subject: "ada", Provider: "backend", Picture: "http://evil.example/a.png"},
	} {
		ctx, w := behind(t, stubBackend{decision: &auth.Decision{Session: s}})
		if name == "odd picture" {
			who, _ := auth.FromContext(ctx)
			require.Empty(t, who.Picture)
			continue
		}
		require.Nil(t, ctx, name)
		require.Equal(t, 401, w.Code, name)
	}
}
