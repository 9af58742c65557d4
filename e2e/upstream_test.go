package e2e_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/oidc"
	"github.com/sallyport/auth/session"
)

// refreshTokens are those that go to a token endpoint.
type refreshTokens struct {
	mu   sync.Mutex
	sent []string
}

func (s *refreshTokens) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == "POST" {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r = r.Clone(r.Context())
		r.Body = io.NopCloser(bytes.NewReader(body))
		if form, err := url.ParseQuery(string(body)); err == nil && form.Has("refresh_token") {
			s.mu.Lock()
			s.sent = append(s.sent, form.Get("refresh_token"))
			s.mu.Unlock()
		}
	}
	return http.DefaultTransport.RoundTrip(r)
}

// TestOneRefreshAtTheCertifiedProvider: an access token has expired, a hundred requests
// come to two nodes, and the provider takes each refresh token once.
func TestOneRefreshAtTheCertifiedProvider(t *testing.T) { // RF-01, RF-03
	const seconds = 90
	ctx, stop := context.WithCancel(context.Background())
	t.Cleanup(stop)
	var nodes [2]http.Handler
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		nodes[len(r.Header.Get("Node"))%2].ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	port := freePort(t)
	issuer := "http://127.0.0.1:" + port
	require.NoError(t, start(ctx, t.TempDir(), issuer+discovery, []string{"ISSUER=" + issuer, "PORT=" + port, fmt.Sprintf("ACCESS_SECONDS=%d", seconds),
		"REDIRECT_URIS=" + front.URL + "/api/auth/callback/certified"}, "node", "servers/op.mjs"))

	var ahead atomic.Int64
	now := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	store, seen := session.NewMemoryStore(0, now), &refreshTokens{}
	var p *oidc.Provider
	for i := range nodes {
		var err error
		p, err = oidc.New(oidc.Config{
			Name: "certified", Issuer: issuer, ClientID: "app", ClientSecret: auth.NewSecret(opSecret), Scopes: []string{"openid", "offline_access"},
			AuthParams: url.Values{"prompt": {"consent"}, "login_hint": {"ada"}}, HTTPClient: &http.Client{Transport: seen}, Now: now,
		})
		require.NoError(t, err)
		a, err := auth.New(auth.Config{
			Secrets: []auth.Secret{auth.NewSecret(formSecret)}, URL: front.URL, Providers: []auth.Provider{p}, StraightToProvider: true,
			KeepTokens: true, Session: session.Config{Store: store}, Now: now, Logger: slog.New(slog.DiscardHandler),
		})
		require.NoError(t, err)
		nodes[i] = a.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			tokens, ok := auth.TokenSource(r.Context())
			if !ok {
				http.Error(w, "no tokens", http.StatusNotImplemented)
				return
			}
			resp, err := oauth2.NewClient(r.Context(), tokens).Get(issuer + "/me")
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadGateway)
				return
			}
			defer resp.Body.Close()
			w.WriteHeader(resp.StatusCode)
			_, _ = io.Copy(w, resp.Body)
		}))
	}
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	browser := &http.Client{Jar: jar}
	get := func(node int) (int, string) {
		r, err := http.NewRequest("GET", front.URL+"/", nil)
		require.NoError(t, err)
		r.Header.Set("Accept", "text/html")
		r.Header.Set("Sec-Fetch-Mode", "navigate")
		r.Header.Set("Sec-Fetch-Dest", "document")
		r.Header.Set("Node", strings.Repeat("x", node))
		resp, err := browser.Do(r)
		if err != nil {
			return 0, err.Error()
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, string(body)
	}
	status, body := get(0) // signs in on the way
	require.Equal(t, 200, status, body)
	require.Contains(t, body, `"sub":"ada"`)
	require.Empty(t, seen.sent)

	for round := 1; round <= 20; round++ {
		ahead.Add(int64((seconds - 50) * time.Second)) // due within a minute
		var wait sync.WaitGroup
		for i := range 100 {
			wait.Go(func() {
				if status, body := get(i % 2); status != 200 || !strings.Contains(body, `"sub":"ada"`) {
					t.Errorf("round %d: %d %s", round, status, body)
				}
			})
		}
		wait.Wait()
		require.Len(t, seen.sent, round)
	}

	// Whoever brings one a second time ends them all, and with them the session.
	_, err = p.Refresh(ctx, &oauth2.Token{RefreshToken: seen.sent[0]})
	require.ErrorIs(t, err, auth.ErrSignInAgain)
	ahead.Add(int64((seconds - 50) * time.Second))
	status, body = get(0)
	require.Equal(t, http.StatusBadGateway, status)
	require.Contains(t, body, "has to sign in again")
	list, err := http.NewRequest("GET", front.URL+"/", nil)
	require.NoError(t, err)
	resp, err := browser.Do(list)
	require.NoError(t, err)
	resp.Body.Close()
	require.Equal(t, 401, resp.StatusCode)
}
