// Package routertest is people, and a program, at the examples: what each of them has to do
// for whom.
package routertest

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/authtest"
	"github.com/sallyport/auth/providers/oidc"
	"github.com/sallyport/auth/providers/providertest"
)

// New is the sign-in of a site below base, which an identity provider of the test vouches
// for: for ada, an administrator, and for eve.
func New(t *testing.T, base string) *auth.Authenticator {
	t.Helper()
	idp := providertest.NewServer(providertest.Config{
		Ask:     true,
		Clients: []providertest.Client{{ID: "app", Secret: "client-secret-of-the-test"}},
		People: []providertest.Person{
			{Subject: "ada", Name: "Ada", Groups: []string{"admins"}},
			{Subject: "eve", Name: "Eve"},
		},
	})
	t.Cleanup(idp.Close)
	p, err := oidc.New(oidc.Config{Name: "example", Issuer: idp.Issuer(), ClientID: "app", ClientSecret: auth.NewSecret("client-secret-of-the-test")})
	require.NoError(t, err)
	config := auth.Config{
		Secrets:   []auth.Secret{auth.NewSecret("Z3e1xNwXyq0kD7tVhC5mB9rJ2uLsPfA8oGiK4jEbRnQ=")},
		Providers: []auth.Provider{p}, Logger: slog.New(slog.DiscardHandler),
	}
	if base != "" {
		config.URL = base + "/api/auth"
	}
	a, err := auth.New(config)
	require.NoError(t, err)
	return a
}

// Run is [Visit] of site at the root of its host, and below a path of it.
func Run(t *testing.T, site func(a *auth.Authenticator, base string) http.Handler) {
	for _, base := range []string{"", "/app"} {
		t.Run("at "+base+"/", func(t *testing.T) {
			server := httptest.NewServer(site(New(t, base), base))
			t.Cleanup(server.Close)
			Visit(t, server.URL, base)
		})
	}
}

// Visit is what people find below base of the site at address.
func Visit(t *testing.T, address, base string) { // MW-01, MW-08, MW-13, MW-16
	stranger := &visitor{t, authtest.NewBrowser(t, address+base+"/api/auth", nil), address + base}
	require.Equal(t, "Everybody may read this.\n", stranger.browser.Get(base+"/").Body)
	for _, path := range []string{"/reports/2026", "/events", "/ws"} {
		resp := stranger.do("GET", path, nil)
		require.Equal(t, 401, resp.StatusCode, path)
		require.NotEmpty(t, resp.Header.Get("WWW-Authenticate"))
	}
	require.NotEqual(t, 200, stranger.do("GET", "/%72eports/2026", nil).StatusCode, "to chi it is another path") // MW-02
	require.Equal(t, 401, stranger.do("POST", "/admin", nil).StatusCode)
	_, resp, err := stranger.dial(nil)
	require.Error(t, err)
	require.Equal(t, 401, resp.StatusCode)

	eve := stranger
	require.Contains(t, eve.browser.Get(base+"/reports/2026").URL.Path, base+"/api/auth/signin")
	require.Equal(t, "Eve reads 2026\n", eve.browser.SignIn("example", "eve").Body)
	resp = eve.do("GET", "/reports/2026", nil)
	require.Contains(t, resp.Header.Get("Cache-Control"), "private") // HD-01
	require.Contains(t, resp.Header.Get("Vary"), "Cookie")
	require.Equal(t, 403, eve.do("POST", "/admin", nil).StatusCode)
	require.Equal(t, 404, eve.do("GET", "/nothing", nil).StatusCode)

	resp = eve.do("GET", "/events", nil)
	line, err := bufio.NewReader(resp.Body).ReadString('\n')
	require.NoError(t, err, "an event comes before the stream ends")
	require.Equal(t, "data: Eve\n", line)
	require.NoError(t, resp.Body.Close())

	conn, _, err := eve.dial(nil)
	require.NoError(t, err)
	_, said, err := conn.Read(t.Context())
	require.NoError(t, err)
	require.Equal(t, "Eve", string(said))
	require.NoError(t, conn.CloseNow())
	_, resp, err = eve.dial(http.Header{"Origin": {"https://evil.example"}})
	require.Error(t, err)
	require.Equal(t, 403, resp.StatusCode, "a page of another site")

	ada := &visitor{t, authtest.NewBrowser(t, address+base+"/api/auth", nil), address + base}
	ada.browser.Get(base + "/reports/2027")
	require.Equal(t, "Ada reads 2027\n", ada.browser.SignIn("example", "ada").Body)
	require.Equal(t, 200, ada.do("POST", "/admin", nil).StatusCode)
	require.Equal(t, 403, ada.do("POST", "/admin", http.Header{"Origin": {"https://evil.example"}}).StatusCode, "a page of another site")
	ada.browser.SignOut()
	require.Equal(t, 401, ada.do("GET", "/reports/2026", nil).StatusCode)
}

// visitor is somebody's browser, with scripts.
type visitor struct {
	t       *testing.T
	browser *authtest.Browser
	site    string
}

// do sends what a script sends. The answer may be one that goes on.
func (v *visitor) do(method, path string, h http.Header) *http.Response {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.t.Context(), 10*time.Second)
	v.t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, method, v.site+path, nil)
	require.NoError(v.t, err)
	if h != nil {
		r.Header = h
	}
	resp, err := v.browser.Client.Do(r)
	require.NoError(v.t, err)
	v.t.Cleanup(func() { _, _ = io.Copy(io.Discard, resp.Body); resp.Body.Close() })
	return resp
}

func (v *visitor) dial(h http.Header) (*websocket.Conn, *http.Response, error) {
	ctx, cancel := context.WithTimeout(v.t.Context(), 10*time.Second)
	v.t.Cleanup(cancel)
	return websocket.Dial(ctx, v.site+"/ws", &websocket.DialOptions{HTTPClient: v.browser.Client, HTTPHeader: h})
}
