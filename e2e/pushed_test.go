package e2e_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/oidc"
)

// TestPushedRequestsAtTheCertifiedProvider: it takes no others, and the browser's address has
// nothing of what is asked for.
func TestPushedRequestsAtTheCertifiedProvider(t *testing.T) { // RFC 9126
	var site http.Handler
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { site.ServeHTTP(w, r) }))
	t.Cleanup(front.Close)
	ctx, stop := context.WithCancel(context.Background())
	t.Cleanup(stop)
	port := freePort(t)
	issuer := "http://127.0.0.1:" + port
	require.NoError(t, start(ctx, t.TempDir(), issuer+discovery, []string{"ISSUER=" + issuer, "PORT=" + port, "PUSHED=1",
		"REDIRECT_URIS=" + front.URL + "/api/auth/callback/certified"}, "node", "servers/op.mjs"))
	p, err := oidc.New(oidc.Config{Name: "certified", Issuer: issuer, ClientID: "app", ClientSecret: auth.NewSecret(opSecret), AuthParams: url.Values{"login_hint": {"ada"}}})
	require.NoError(t, err)
	a, err := auth.New(auth.Config{
		Secrets: []auth.Secret{auth.NewSecret(formSecret)}, URL: front.URL, Providers: []auth.Provider{p}, StraightToProvider: true, Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	site = a.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusTeapot) }))

	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	var asked url.Values
	browser := &http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), issuer+"/auth?") {
			asked = r.URL.Query()
		}
		return nil
	}}
	r, err := http.NewRequest("GET", front.URL+"/", nil)
	require.NoError(t, err)
	r.Header.Set("Accept", "text/html")
	resp, err := browser.Do(r)
	require.NoError(t, err)
	resp.Body.Close()
	require.Equal(t, http.StatusTeapot, resp.StatusCode)
	require.Len(t, asked, 2)
	require.Equal(t, "app", asked.Get("client_id"))
	require.True(t, strings.HasPrefix(asked.Get("request_uri"), "urn:ietf:params:oauth:request_uri:"))
}
