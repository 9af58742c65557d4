package auth_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/oidc"
	"github.com/sallyport/auth/providers/providertest"
	"github.com/sallyport/auth/session"
)

// calling is an application, of some nodes, that calls its provider as the person, and a
// browser in which Ada has signed in.
type calling struct {
	t       *testing.T
	idp     *providertest.Server
	nodes   []http.Handler
	cookies map[string]*http.Cookie

	mu     sync.Mutex
	now    time.Time
	log    bytes.Buffer
	events []auth.Event
	shown  []string // whatever was answered
}

func (c *calling) clock() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.now }
func (c *calling) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Write takes the log.
func (c *calling) Write(line []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.log.Write(line)
}

// inStore keeps sessions in a store that all nodes share.
func inStore(c *calling, config *auth.Config) {
	config.Session.Store = session.NewMemoryStore(0, c.clock)
}

// inCookies keeps them in cookies that are as large as browsers take them.
func inCookies(_ *calling, config *auth.Config) { config.Session.MaxSetCookieBytes = 14000 }

func newCalling(t *testing.T, nodes int, change func(*calling, *auth.Config)) *calling {
	c := &calling{t: t, now: time.Now(), cookies: map[string]*http.Cookie{}}
	c.idp = providertest.NewServer(providertest.Config{
		Now:     c.clock,
		Clients: []providertest.Client{{ID: "app", Secret: "client-secret-that-must-not-show"}},
		People:  []providertest.Person{{Subject: "ada", Name: "Ada"}},
	})
	t.Cleanup(c.idp.Close)
	config := newConfig()
	config.Now, config.KeepTokens, config.Logger = c.clock, true, slog.New(slog.NewJSONHandler(c, nil))
	config.OnEvent = func(_ context.Context, e auth.Event) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.events = append(c.events, e)
	}
	change(c, &config)
	for range nodes {
		p, err := oidc.New(oidc.Config{Name: "idp", Issuer: c.idp.Issuer(), ClientID: "app", ClientSecret: auth.NewSecret("client-secret-that-must-not-show"),
			Scopes: []string{"openid", "offline_access"}, Now: c.clock})
		require.NoError(t, err)
		config.Providers = []auth.Provider{p}
		a, err := auth.New(config)
		require.NoError(t, err)
		c.nodes = append(c.nodes, a.Require(http.HandlerFunc(callAsPerson)))
	}
	c.signIn()
	return c
}

// callAsPerson answers with whom the provider's API knows the person as.
func callAsPerson(w http.ResponseWriter, r *http.Request) {
	tokens, ok := auth.TokenSource(r.Context())
	if !ok {
		http.Error(w, "no tokens", http.StatusNotImplemented)
		return
	}
	t, err := tokens.Token()
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	req, err := http.NewRequestWithContext(r.Context(), "GET", r.Header.Get("API"), nil)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	t.SetAuthHeader(req)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer resp.Body.Close()
	w.WriteHeader(resp.StatusCode)
	fmt.Fprintf(w, "refresh token %q, scope %v", t.RefreshToken, t.Extra("scope"))
}

// request is one of the browser's.
func (c *calling) request(method, target, form string) *http.Request {
	r := httptest.NewRequest(method, target, strings.NewReader(form))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("API", c.idp.Issuer()+"/userinfo")
	for _, k := range c.cookies {
		r.AddCookie(k)
	}
	return r
}

// ask sends a request to one node, and keeps the cookies of the answer.
func (c *calling) ask(node int, method, path, form string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	c.nodes[node].ServeHTTP(w, c.request(method, "https://app.example"+path, form))
	for _, k := range w.Result().Cookies() {
		if k.MaxAge < 0 {
			delete(c.cookies, k.Name)
		} else {
			c.cookies[k.Name] = k
		}
	}
	c.shown = append(c.shown, fmt.Sprint(w.Header()), w.Body.String())
	return w
}

func (c *calling) signIn() {
	c.ask(0, "GET", "/api/auth/csrf", "")
	token, _, _ := strings.Cut(c.cookies["__Host-authjs.csrf-token"].Value, "%7C")
	to := c.ask(0, "POST", "/api/auth/signin/idp", "csrfToken="+token).Header().Get("Location")
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Get(to)
	require.NoError(c.t, err)
	resp.Body.Close()
	back, err := url.Parse(resp.Header.Get("Location"))
	require.NoError(c.t, err)
	require.Equal(c.t, 303, c.ask(0, "GET", back.RequestURI(), "").Code)
}

// call is what the handler of one node answers.
func (c *calling) call(node int) *httptest.ResponseRecorder { return c.ask(node, "GET", "/", "") }

// refreshes is how many there were.
func (c *calling) refreshes() (n int) {
	for _, form := range c.idp.TokenRequests() {
		if form.Get("grant_type") == "refresh_token" {
			n++
		}
	}
	return n
}

func TestTokensThatStayFresh(t *testing.T) { // RF-01, TK-20
	for name, where := range map[string]func(*calling, *auth.Config){"store": inStore, "cookie": inCookies} {
		t.Run(name, func(t *testing.T) {
			c := newCalling(t, 1, where)
			for i := range 4 {
				for range 2 {
					w := c.call(0)
					require.Equal(t, 200, w.Code, w.Body)
					require.Equal(t, `refresh token "", scope openid offline_access`, w.Body.String())
					require.Equal(t, i, c.refreshes())
				}
				c.advance(59*time.Minute + time.Second) // a minute ahead of the end
			}
			require.Equal(t, 200, c.ask(0, "GET", "/api/auth/session", "").Code)
			require.Equal(t, 3, c.refreshes(), "the routes need no tokens")
		})
	}
}

func TestAHundredRequestsOnTwoNodesRefreshOnce(t *testing.T) { // RF-01
	c := newCalling(t, 2, inStore)
	for round := 1; round <= 20; round++ {
		c.advance(time.Hour)
		var wait sync.WaitGroup
		for i := range 100 {
			r := c.request("GET", "https://app.example/", "")
			wait.Go(func() {
				w := httptest.NewRecorder()
				c.nodes[i%2].ServeHTTP(w, r)
				if w.Code != 200 {
					t.Errorf("round %d: %d %s", round, w.Code, w.Body)
				}
			})
		}
		wait.Wait()
		require.Equal(t, round, c.refreshes())
	}
	require.Equal(t, 200, c.call(0).Code)
}

// With a cookie one node does so, whatever the browser still brings.
func TestAHundredRequestsWithACookieRefreshOnce(t *testing.T) { // RF-01
	c := newCalling(t, 1, inCookies)
	for round := 1; round <= 3; round++ {
		c.advance(time.Hour)
		var wait sync.WaitGroup
		for range 100 {
			r := c.request("GET", "https://app.example/", "")
			wait.Go(func() {
				w := httptest.NewRecorder()
				c.nodes[0].ServeHTTP(w, r)
				if w.Code != 200 || len(w.Result().Cookies()) == 0 {
					t.Errorf("round %d: %d %s", round, w.Code, w.Body)
				}
			})
		}
		wait.Wait()
		require.Equal(t, round, c.refreshes())
	}
}

func TestARefusedRefreshSignsOut(t *testing.T) { // RF-03, RF-08, LG-03
	for name, where := range map[string]func(*calling, *auth.Config){"store": inStore, "cookie": inCookies} {
		t.Run(name, func(t *testing.T) {
			c := newCalling(t, 1, where)
			before := c.request("GET", "https://app.example/", "")
			c.idp.EndRefresh("ada")
			require.Equal(t, 200, c.call(0).Code, "until the token is due")
			c.advance(time.Hour)
			w := c.call(0)
			if name == "store" {
				require.Equal(t, 502, w.Code)
				require.Contains(t, w.Body.String(), "has to sign in again")
				w = c.call(0)
			} else {
				require.NotContains(t, c.cookies, "__Secure-authjs.session-token")
			}
			require.Equal(t, 401, w.Code)
			again := httptest.NewRecorder()
			c.nodes[0].ServeHTTP(again, before)
			require.Equal(t, 401, again.Code, "a copy of the cookie")
			require.Equal(t, 1, c.refreshes())
			last := c.events[len(c.events)-1]
			require.Equal(t, auth.EventRefused, last.Kind)
			require.Equal(t, "ada", last.Subject)
			require.Equal(t, "192.0.2.1", last.Client.String())
			require.ErrorIs(t, last.Err, auth.ErrSignInAgain)
		})
	}
}

func TestAProviderThatIsDownSignsNobodyOut(t *testing.T) { // RF-04
	for name, where := range map[string]func(*calling, *auth.Config){"store": inStore, "cookie": inCookies} {
		t.Run(name, func(t *testing.T) {
			c := newCalling(t, 1, where)
			c.advance(59*time.Minute + 15*time.Second)
			c.idp.SetFaults(providertest.Faults{Endpoint: func(name string, w http.ResponseWriter, _ *http.Request) bool {
				if name == "token" {
					w.WriteHeader(503)
				}
				return name == "token"
			}})
			for range 30 {
				require.Equal(t, 200, c.call(0).Code, "the token is good for a while")
				c.advance(time.Second)
			}
			require.Equal(t, 1+3, c.idp.Hits("token"))
			c.advance(time.Minute)
			w := c.call(0)
			require.Equal(t, 502, w.Code)
			require.Contains(t, w.Body.String(), "unavailable")
			require.NotContains(t, w.Body.String(), "sign in again")
			c.idp.SetFaults(providertest.Faults{})
			c.advance(time.Minute)
			require.Equal(t, 200, c.call(0).Code)
		})
	}
}

func TestARequestThatEndsDuringARefresh(t *testing.T) { // RF-06
	for name, where := range map[string]func(*calling, *auth.Config){"store": inStore, "cookie": inCookies} {
		t.Run(name, func(t *testing.T) {
			c := newCalling(t, 1, where)
			c.advance(time.Hour)
			ctx, cancel := context.WithCancel(context.Background())
			gone := make(chan struct{})
			c.idp.SetFaults(providertest.Faults{Token: func(map[string]any) { // the old token is used up
				cancel()
				<-gone
			}})
			w := httptest.NewRecorder()
			c.nodes[0].ServeHTTP(w, c.request("GET", "https://app.example/", "").WithContext(ctx))
			require.NotEqual(t, 200, w.Code)
			close(gone)
			require.Equal(t, 200, c.call(0).Code)
			require.Equal(t, 1, c.refreshes())
		})
	}
}

// Nobody is shown what is kept: no page, no route, no log line, no event.
func TestTokensAreShownToNobody(t *testing.T) { // RF-05, I1, LG-01
	for name, where := range map[string]func(*calling, *auth.Config){"store": inStore, "cookie": inCookies} {
		t.Run(name, func(t *testing.T) {
			c := newCalling(t, 1, where)
			var secrets []string
			c.idp.SetFaults(providertest.Faults{Token: func(m map[string]any) {
				for _, field := range []string{"access_token", "refresh_token", "id_token"} {
					secrets = append(secrets, m[field].(string))
				}
			}})
			for range 2 {
				c.advance(time.Hour)
				require.Equal(t, 200, c.call(0).Code)
			}
			for _, path := range []string{"/api/auth/session", "/api/auth/sessions", "/api/auth/signout", "/api/auth/signin", "/api/auth/error"} {
				c.ask(0, "GET", path, "")
			}
			c.idp.EndRefresh("ada")
			c.advance(time.Hour)
			c.call(0)
			c.call(0)
			events, err := json.Marshal(c.events)
			require.NoError(t, err)
			require.Len(t, secrets, 6)
			for _, secret := range append(secrets, c.idp.TokenRequests()[1].Get("refresh_token"), "client-secret-that-must-not-show") {
				require.NotContains(t, c.log.String(), secret)
				require.NotContains(t, string(events)+fmt.Sprintf("%+v", c.events), secret)
				require.NotContains(t, strings.Join(c.shown, "\n"), secret)
			}
		})
	}
}

func TestTokensThatDoNotFitIntoACookie(t *testing.T) { // RF-05, CK-06
	large := func(_ *calling, config *auth.Config) { config.Session.MaxSetCookieBytes = 1024 }
	c := newCalling(t, 1, large)
	w := c.call(0)
	require.Equal(t, "no tokens\n", w.Body.String(), "signed in all the same")
	require.Contains(t, c.log.String(), "do not fit")
	require.Contains(t, c.log.String(), "Session.Store")
}

func TestNobodyHasATokenSource(t *testing.T) {
	_, ok := auth.TokenSource(context.Background())
	require.False(t, ok)
	ctx, _ := behind(t, stubBackend{decision: &auth.Decision{Session: &session.Session{
		Issuer: "https://backend.example", Subject: "ada", Provider: "backend", ProviderTokens: &session.ProviderTokens{AccessToken: "at"},
	}}})
	require.NotNil(t, ctx)
	_, ok = auth.TokenSource(ctx)
	require.False(t, ok)
}
