package web_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
)

func TestHostsAndProxies(t *testing.T) { // HO-01, HO-02, HO-04
	stub := &stubProvider{name: "stub"}
	config := auth.Config{Secrets: []auth.Secret{auth.NewSecret(testSecret)}, Providers: []auth.Provider{stub}}
	location := func(c auth.Config, remote string, headers ...string) string {
		a, err := auth.New(c)
		require.NoError(t, err)
		r := httptest.NewRequest("GET", "http://app.internal/x", nil)
		r.RemoteAddr = remote
		r.Header.Set("Accept", "text/html")
		for i := 0; i+1 < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		w := httptest.NewRecorder()
		a.Require(http.NotFoundHandler()).ServeHTTP(w, r)
		l, _, _ := strings.Cut(w.Header().Get("Location"), "/api/")
		return fmt.Sprint(w.Code, " ", l)
	}
	forwarded := []string{"X-Forwarded-Host", "app.example", "X-Forwarded-Proto", "https"}
	require.Equal(t, "303 https://app.example", location(config, "127.0.0.1:1", forwarded...))
	require.Equal(t, "303 https://app.example", location(config, "10.1.2.3:1", forwarded...))
	require.Equal(t, "303 http://app.internal", location(config, "203.0.113.9:1", forwarded...))
	require.Equal(t, "400 ", location(config, "127.0.0.1:1", "X-Forwarded-Host", "evil.example/x"))
	none := config
	none.TrustedProxies = []string{}
	require.Equal(t, "303 http://app.internal", location(none, "127.0.0.1:1", forwarded...))
	fixed := config
	fixed.URL = "https://fixed.example/auth"
	require.Equal(t, "303 https://fixed.example/auth/signin?callbackUrl=%2Fx", location(fixed, "127.0.0.1:1", "X-Forwarded-Host", "evil.example"))
}

func TestRemovedProviderEndsItsSessions(t *testing.T) { // PV-01
	stub, other := &stubProvider{name: "stub"}, &stubProvider{name: "other"}
	config := auth.Config{Secrets: []auth.Secret{auth.NewSecret(testSecret)}, URL: "https://app.example", Providers: []auth.Provider{stub, other}}
	a, err := auth.New(config)
	require.NoError(t, err)
	cookie := sealedCookie(t, a, stub)
	config.Providers = config.Providers[1:]
	a, err = auth.New(config)
	require.NoError(t, err)
	r := httptest.NewRequest("GET", "https://app.example/", nil)
	r.AddCookie(cookie)
	w := httptest.NewRecorder()
	a.Require(http.NotFoundHandler()).ServeHTTP(w, r)
	require.Equal(t, 401, w.Code)
}

func TestWithdrawnCodeEndsItsSessions(t *testing.T) { // AC-10
	var current auth.CodeVerifier
	s := newSite(t, func(c *auth.Config) {
		current = gate(t, c.Now, goodCode)
		c.AccessCode = verifierFunc{func() auth.CodeVerifier { return current }}
	})
	b, ada := s.browser(), s.browser()
	ada.signIn("ada")
	require.Equal(t, 303, b.sendCode(goodCode).StatusCode)
	who := b.who()
	current = gate(t, s.clock, "another-code-in-front", goodCode) // a restart, or another node
	require.Equal(t, who, b.who(), "a code that is added touches nobody")
	current = gate(t, s.clock, "another-code-in-front")
	require.Empty(t, b.who())
	require.Equal(t, "ada", ada.who())
	s2 := newSite(t, nil)
	other := s2.browser()
	u, _ := url.Parse(s2.server.URL)
	other.Jar.SetCookies(u, b.cookies())
	require.Empty(t, other.who(), "nor does a server without codes know it")
}

// verifierFunc is a gate that a test replaces.
type verifierFunc struct{ now func() auth.CodeVerifier }

func (v verifierFunc) Verify(ctx context.Context, client netip.Addr, code string) (*auth.Identity, error) {
	return v.now().Verify(ctx, client, code)
}

func (v verifierFunc) Valid(subject string) bool { return v.now().Valid(subject) }
