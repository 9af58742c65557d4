package web_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/session"
)

// apiProvider takes the access tokens "ada.x.x" and the like, of whoever stands before the
// dot, and what is opaque, if it is asked to.
type apiProvider struct {
	*stubProvider
	audiences []string
	opaque    bool
	change    func(*auth.AccessToken)
	err       error
	now       func() time.Time
	mu        sync.Mutex
	asked     int
}

func (p *apiProvider) TakesTokens() (string, []string, bool) {
	return "https://idp.example", p.audiences, p.opaque
}

func (p *apiProvider) VerifyToken(_ context.Context, token string) (*auth.AccessToken, error) {
	p.mu.Lock()
	p.asked++
	p.mu.Unlock()
	who, rest, _ := strings.Cut(token, ".")
	switch {
	case p.err != nil:
		return nil, p.err
	case rest == "" && !p.opaque || who == "other":
		return nil, nil
	case who == "bad":
		return nil, fmt.Errorf("%w: expired", auth.ErrInvalidToken)
	}
	t := &auth.AccessToken{Identity: &auth.Identity{Issuer: "https://idp.example", Subject: who, Groups: []string{"staff"}}, Scopes: []string{"read", "list"}, Expires: p.now().Add(time.Hour)}
	if p.change != nil {
		p.change(t)
	}
	return t, nil
}

// apiSite is an API that takes tokens, behind guard, which may be nil.
type apiSite struct {
	*testing.T
	p   *apiProvider
	h   http.Handler
	who *session.Session // whom the application has seen last
	now time.Time
}

func newAPISite(t *testing.T, change func(*auth.Config, *apiProvider), rules ...auth.Rule) *apiSite {
	s := &apiSite{T: t, now: time.Now()}
	s.p = &apiProvider{stubProvider: &stubProvider{name: "stub"}, audiences: []string{"https://api.example"}, now: func() time.Time { return s.now }}
	a := newAuth(t, func(c *auth.Config) {
		c.Providers, c.Now = []auth.Provider{s.p}, s.p.now
		if change != nil {
			change(c, s.p)
		}
	})
	s.h = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { s.who, _ = auth.FromContext(r.Context()) })
	for _, rule := range rules {
		s.h = a.RequireRule(rule)(s.h)
	}
	s.h = a.Require(s.h)
	return s
}

// ask sends token, if there is one, and returns the status and the challenges.
func (s *apiSite) ask(token string, headers ...string) (status int, challenges []string, body string) {
	if token != "" {
		headers = append(headers, "Authorization", "Bearer "+token)
	}
	s.who = nil
	w := serve(s.h, "GET", "https://app.example/items?access_token=ada.x.x", "", headers...)
	return w.Code, w.Header()["Www-Authenticate"], w.Body.String()
}

const metadataParam = `resource_metadata="https://app.example/.well-known/oauth-protected-resource"`

func TestAccessTokens(t *testing.T) {
	s := newAPISite(t, nil)
	status, _, _ := s.ask("ada.x.x")
	require.Equal(t, 200, status)
	require.True(t, s.who.Bearer() && s.who.ReadOnly())
	require.False(t, s.who.Machine)
	require.Equal(t, []string{"stub", "https://idp.example", "ada"}, []string{s.who.Provider, s.who.Issuer, s.who.Subject})
	require.Equal(t, map[string]any{"scope": "read list"}, s.who.Claims())
	require.Equal(t, s.now.Add(time.Hour), s.who.ExpiresAt)
	require.True(t, s.who.AuthTime.IsZero(), "nobody has signed in")

	w := serve(s.h, "POST", "https://app.example/items", "{}", "Authorization", "bearer ada.x.x", "Origin", "https://elsewhere.example", "Sec-Fetch-Site", "cross-site")
	require.Equal(t, 200, w.Code, "no browser adds it by itself")
	require.Empty(t, w.Result().Cookies())
}

func TestRequestsWithoutAGoodAccessToken(t *testing.T) {
	s := newAPISite(t, nil)
	long := "ada." + strings.Repeat("x", 16<<10) + ".x"
	for name, test := range map[string]struct {
		headers []string
		problem string
	}{
		"none, but one in the query": {nil, ""},
		"two headers":                {[]string{"Authorization", "Bearer ada.x.x", "Authorization", "Bearer ada.x.x"}, ""},
		"another scheme":             {[]string{"Authorization", "DPoP ada.x.x"}, ""},
		"a session's":                {[]string{"Authorization", "Bearer a.b.c.d.e"}, ""},
		"a long one":                 {[]string{"Authorization", "Bearer " + long}, ""},
		"one that does not count":    {[]string{"Authorization", "Bearer bad.x.x"}, `error="invalid_token"`},
		"another issuer's":           {[]string{"Authorization", "Bearer other.x.x"}, `error="invalid_token"`},
		"an opaque one":              {[]string{"Authorization", "Bearer ada"}, `error="invalid_token"`},
		"an empty one":               {[]string{"Authorization", "Bearer "}, `error="invalid_token"`},
	} {
		t.Run(name, func(t *testing.T) {
			status, challenges, body := s.ask("", test.headers...)
			require.Equal(t, 401, status)
			require.Nil(t, s.who)
			if test.problem == "" {
				require.Len(t, challenges, 2)
				require.Equal(t, `Bearer realm="app.example", `+metadataParam, challenges[0])
				require.True(t, strings.HasPrefix(challenges[1], "Cookie "))
				return
			}
			require.Equal(t, []string{`Bearer realm="app.example", ` + test.problem + ", " + metadataParam}, challenges)
			require.Contains(t, body, `"error":"invalid_token"`)
		})
	}
}

// TestAccessTokensAreForThoseWhoMayEnter: as for whoever signs in.
func TestAccessTokensAreForThoseWhoMayEnter(t *testing.T) {
	allow, err := auth.AllowGroups("staff")
	require.NoError(t, err)
	s := newAPISite(t, func(c *auth.Config, p *apiProvider) {
		c.Policy = allow
		c.Enrich = func(_ context.Context, s *session.Session, id *auth.Identity) error {
			s.Subject = "user-" + id.Subject
			return s.SetClaim("program", s.Machine)
		}
		p.change = func(token *auth.AccessToken) {
			if token.Identity.Subject == "eve" {
				token.Identity.Groups, token.Identity.Email = nil, "eve@example.com"
			}
			token.Machine = token.Identity.Subject == "cli"
		}
	})
	status, _, _ := s.ask("ada.x.x")
	require.Equal(t, 200, status)
	require.Equal(t, []string{"user-ada", "ada"}, []string{s.who.Subject, s.who.ProviderSubject})
	status, challenges, body := s.ask("eve.x.x")
	require.Equal(t, 403, status, body)
	require.Empty(t, challenges)
	status, _, _ = s.ask("cli.x.x")
	require.Equal(t, 200, status)
	require.True(t, s.who.Machine)
	require.Equal(t, true, s.who.Claims()["program"], "Enrich knows")

	refusing := newAPISite(t, func(_ *auth.Config, p *apiProvider) { p.err = fmt.Errorf("%w: not of the tenant", auth.ErrNotAllowed) })
	status, _, _ = refusing.ask("ada.x.x")
	require.Equal(t, 403, status)
}

func TestAccessTokensWhileNobodyCanTell(t *testing.T) {
	s := newAPISite(t, func(_ *auth.Config, p *apiProvider) { p.err = auth.ErrUnavailable })
	for range 2 {
		status, _, body := s.ask("ada.x.x")
		require.Equal(t, 503, status)
		require.NotContains(t, body, "invalid_token")
	}
	require.Equal(t, 2, s.p.asked, "which is not remembered")
	s.p.err = nil
	status, _, _ := s.ask("ada.x.x")
	require.Equal(t, 200, status)
}

// TestAccessTokensAreRemembered: for a minute, and no longer than they count.
func TestAccessTokensAreRemembered(t *testing.T) {
	s := newAPISite(t, func(_ *auth.Config, p *apiProvider) {
		p.change = func(token *auth.AccessToken) {
			switch token.Identity.Subject {
			case "brief":
				token.Expires = p.now().Add(10 * time.Second)
			case "open":
				token.Expires = time.Time{}
			}
		}
	})
	for _, test := range []struct {
		token string
		kept  time.Duration
	}{{"ada.x.x", time.Minute}, {"brief.x.x", 10 * time.Second}, {"open.x.x", time.Minute}} {
		s.p.asked = 0
		for range 3 {
			status, _, _ := s.ask(test.token)
			require.Equal(t, 200, status)
			s.who.Subject, s.who.Groups[0] = "changed", "changed"
		}
		require.Equal(t, 1, s.p.asked)
		s.now = s.now.Add(test.kept - time.Nanosecond)
		_, _, _ = s.ask(test.token)
		require.Equal(t, []string{test.token[:strings.IndexByte(test.token, '.')], "staff"}, []string{s.who.Subject, s.who.Groups[0]}, "each request has its own")
		require.Equal(t, 1, s.p.asked)
		s.now = s.now.Add(time.Nanosecond)
		_, _, _ = s.ask(test.token)
		require.Equal(t, 2, s.p.asked)
	}
}

// TestOpaqueTokensCauseFewCalls: whoever makes them up must not decide how often an issuer
// is asked.
func TestOpaqueTokensCauseFewCalls(t *testing.T) {
	s := newAPISite(t, func(_ *auth.Config, p *apiProvider) { p.opaque = true })
	status, _, _ := s.ask("ada")
	require.Equal(t, 200, status)
	s.p.err = auth.ErrInvalidToken
	for range 3 {
		status, _, _ = s.ask("bad")
		require.Equal(t, 401, status)
	}
	require.Equal(t, 2, s.p.asked, "a refusal is remembered")
	for i := range 100 {
		status, _, _ = s.ask(fmt.Sprint("bad-", i))
	}
	require.Equal(t, http.StatusTooManyRequests, status)
	require.Equal(t, 31, s.p.asked)
	status, _, _ = s.ask("ada")
	require.Equal(t, 200, status, "what counted goes on counting")
	s.p.err = nil
	status, _, _ = s.ask("bob.x.x")
	require.Equal(t, 200, status, "nobody has to be asked")
	s.now = s.now.Add(2 * time.Second)
	status, _, _ = s.ask("new")
	require.Equal(t, 200, status)
}

func TestRequireScope(t *testing.T) {
	s := newAPISite(t, nil, auth.RequireScope("read", "write"))
	status, challenges, body := s.ask("ada.x.x")
	require.Equal(t, 403, status)
	require.Equal(t, []string{`Bearer realm="app.example", error="insufficient_scope", scope="read write", ` + metadataParam}, challenges)
	require.Contains(t, body, `"error":"insufficient_scope"`)
	w := serve(s.h, "GET", "https://app.example/", "", "Cookie", cookieHeader(sealedCookie(t, newAuth(t, func(c *auth.Config) { c.Providers = []auth.Provider{s.p} }), s.p)))
	require.Equal(t, 403, w.Code, "a person has no token")
	require.Empty(t, w.Header()["Www-Authenticate"])

	s = newAPISite(t, nil, auth.RequireScope("list", "read"))
	status, _, _ = s.ask("ada.x.x")
	require.Equal(t, 200, status)
}

func TestStepUpOfAToken(t *testing.T) {
	s := newAPISite(t, func(_ *auth.Config, p *apiProvider) {
		p.change = func(token *auth.AccessToken) { token.Identity.AuthTime = p.now().Add(-time.Hour) }
	}, auth.RequireFresh(5*time.Minute))
	for _, accept := range []string{"*/*", "text/html"} {
		status, challenges, body := s.ask("ada.x.x", "Accept", accept)
		require.Equal(t, 401, status)
		require.Equal(t, []string{`Bearer realm="app.example", error="insufficient_user_authentication", max_age="300", ` + metadataParam}, challenges)
		require.Contains(t, body, "insufficient_user_authentication")
	}
	s.p.change = func(token *auth.AccessToken) { token.Identity.AuthTime = s.now }
	status, _, _ := s.ask("bob.x.x")
	require.Equal(t, 200, status)
}

// TestTokensBesideABackend: whose are its own.
func TestTokensBesideABackend(t *testing.T) {
	s := newAPISite(t, func(c *auth.Config, _ *apiProvider) { c.Backend = &personBackend{} })
	for _, token := range []string{"other.x.x", "opaque"} {
		status, _, _ := s.ask(token, "X-Person", "bob")
		require.Equal(t, 200, status)
		require.Equal(t, "bob", s.who.Subject)
	}
	status, _, _ := s.ask("bad.x.x", "X-Person", "bob")
	require.Equal(t, 401, status)
	status, _, _ = s.ask("ada.x.x", "X-Person", "bob")
	require.Equal(t, 200, status)
	require.Equal(t, "ada", s.who.Subject)
}

func TestTokensInTheConfiguration(t *testing.T) {
	provider := func(name string, opaque bool) *apiProvider {
		return &apiProvider{stubProvider: &stubProvider{name: name}, audiences: []string{"x"}, opaque: opaque}
	}
	for want, change := range map[string]func(*auth.Config){
		`"a" and "b" are both asked`: func(c *auth.Config) { c.Providers = []auth.Provider{provider("a", true), provider("b", true)} },
		"may be the Backend's":       func(c *auth.Config) { c.Providers, c.Backend = []auth.Provider{provider("a", true)}, &personBackend{} },
		"AccessCodeHeaders with Authorization needs": func(c *auth.Config) {
			c.Providers, c.AccessCode, c.AccessCodeHeaders = []auth.Provider{provider("a", false)}, gate(t, nil, goodCode), []string{"authorization"}
		},
	} {
		c := auth.Config{Secrets: []auth.Secret{auth.NewSecret(testSecret)}, URL: "https://app.example"}
		change(&c)
		_, err := auth.New(c)
		require.ErrorContains(t, err, want)
	}
	s := newAPISite(t, func(_ *auth.Config, p *apiProvider) { p.audiences = nil })
	status, challenges, _ := s.ask("ada.x.x")
	require.Equal(t, 401, status)
	require.Len(t, challenges, 1)
	require.Zero(t, s.p.asked, "tokens are taken where the configuration says so")
	require.Equal(t, 401, serve(s.h, "GET", "https://app.example/.well-known/oauth-protected-resource", "").Code)
}

// TestTokenOfAnIssuerThatIsNone: what a provider's own code returns passes here.
func TestTokenOfAnIssuerThatIsNone(t *testing.T) {
	for name, change := range map[string]func(*auth.AccessToken){
		"no subject":  func(token *auth.AccessToken) { token.Identity.Subject = "" },
		"no identity": func(token *auth.AccessToken) { token.Identity = nil },
	} {
		s := newAPISite(t, func(_ *auth.Config, p *apiProvider) { p.change = change })
		status, _, _ := s.ask("ada.x.x")
		require.Equal(t, 503, status, name)
		require.Nil(t, s.who)
	}
}

// strictProvider vouches for nobody.
type strictProvider struct{ *apiProvider }

func (strictProvider) VouchesFor(string) bool { return false }

func TestTokenOfAnIssuerForWhichTheProviderDoesNotVouch(t *testing.T) {
	s := newAPISite(t, func(c *auth.Config, p *apiProvider) { c.Providers = []auth.Provider{strictProvider{p}} })
	status, _, _ := s.ask("ada.x.x")
	require.Equal(t, 503, status)
	require.Equal(t, 1, s.p.asked)
}

func TestResourceMetadata(t *testing.T) {
	s := newAPISite(t, func(_ *auth.Config, p *apiProvider) {
		p.audiences = []string{"https://app.example/mcp", "https://app.example/mcp/deep/", "urn:other", "https://elsewhere.example/x"}
	})
	read := func(path string) (status int, resource string) {
		w := serve(s.h, "GET", "https://app.example/.well-known/oauth-protected-resource"+path, "")
		var got struct {
			Resource string   `json:"resource"`
			Servers  []string `json:"authorization_servers"`
			Methods  []string `json:"bearer_methods_supported"`
		}
		if w.Code == 200 {
			require.NoError(t, json.Unmarshal(w.Body.Bytes(), &got))
			require.Equal(t, []string{"https://idp.example"}, got.Servers)
			require.Equal(t, []string{"header"}, got.Methods)
			require.Equal(t, "*", w.Header().Get("Access-Control-Allow-Origin"))
		}
		return w.Code, got.Resource
	}
	for path, want := range map[string]string{"": "https://app.example", "/mcp": "https://app.example/mcp", "/mcp/deep": "https://app.example/mcp/deep/"} {
		status, resource := read(path)
		require.Equal(t, 200, status, path)
		require.Equal(t, want, resource)
	}
	for _, path := range []string{"/other", "/mcp/x", "x"} {
		status, _ := read(path)
		require.Equal(t, 401, status, "the application's own: %s", path)
	}
	require.Equal(t, 401, serve(s.h, "POST", "https://app.example/.well-known/oauth-protected-resource", "").Code)

	for path, want := range map[string]string{"/": "", "/mcp": "/mcp", "/mcp/tools": "/mcp", "/mcpx": "", "/mcp/deep/er": "/mcp/deep"} {
		got := serve(s.h, "GET", "https://app.example"+path, "").Header().Get("WWW-Authenticate")
		require.Contains(t, got, `resource_metadata="https://app.example/.well-known/oauth-protected-resource`+want+`"`, path)
	}
}

// BenchmarkAccessToken is a request with a token that is remembered, and one without any.
func BenchmarkAccessToken(b *testing.B) {
	p := &apiProvider{stubProvider: &stubProvider{name: "stub"}, audiences: []string{"x"}, now: time.Now}
	a := newAuth(b, func(c *auth.Config) { c.Providers = []auth.Provider{p} })
	h := a.Identify(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for name, header := range map[string]http.Header{
		"remembered": {"Authorization": {"Bearer ada." + strings.Repeat("x", 800) + "." + strings.Repeat("x", 342)}},
		"none":       {},
	} {
		b.Run(name, func(b *testing.B) {
			r, err := http.NewRequest("GET", "https://app.example/items", nil)
			require.NoError(b, err)
			r.Header = header
			w := &nothing{http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				clear(w.header)
				h.ServeHTTP(w, r)
			}
		})
	}
}

// nothing keeps nothing of an answer.
type nothing struct{ header http.Header }

func (n *nothing) Header() http.Header         { return n.header }
func (n *nothing) Write(b []byte) (int, error) { return len(b), nil }
func (n *nothing) WriteHeader(int)             {}
