package web_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/session"
)

// programs is a site whose application makes tokens.
type programs struct {
	*site
	auth *auth.Authenticator
}

// newPrograms is a site for each of the two ways in which tokens can be taken back.
func newPrograms(t *testing.T, change func(*auth.Config), test func(t *testing.T, p programs)) {
	for name, kept := range map[string]session.Config{
		"store":   {Store: session.NewMemoryStore(0, nil)},
		"cookies": {Revocations: session.NewMemoryStore(0, nil)},
	} {
		t.Run(name, func(t *testing.T) {
			var p programs
			p.site = newGuardedSite(t, func(c *auth.Config) {
				c.Session = kept
				if change != nil {
					change(c)
				}
			}, func(a *auth.Authenticator, h http.Handler) http.Handler {
				p.auth = a
				mux := http.NewServeMux()
				mux.Handle("/", h)
				mux.Handle("/person", a.RequireRule(auth.Identified)(h))
				mux.Handle("/fresh", a.RequireRule(auth.RequireFresh(time.Hour))(h))
				mux.Handle("/mfa", a.RequireRule(auth.RequireACR("mfa"))(h))
				mux.Handle("/reports", a.RequireRule(auth.RequireScope("reports"))(h))
				return a.Require(mux)
			})
			test(t, p)
		})
	}
}

// issue is a token of who, for ten days.
func (p programs) issue(who *session.Session) (token, id string) {
	p.t.Helper()
	secret, id, err := p.auth.IssueToken(context.Background(), who, auth.TokenOptions{Label: "nightly backup", Expires: p.clock().Add(10 * 24 * time.Hour)})
	require.NoError(p.t, err)
	return secret.Reveal(), id
}

// at is what a program gets that sends token; a bad one's answer is the challenge.
func (p programs) at(path, token string, headers ...string) (status int, challenge string) {
	p.t.Helper()
	got := p.browser().get(path, append([]string{"Authorization", "Bearer " + token, "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}, headers...)...)
	require.NotContains(p.t, got.text, token)
	return got.StatusCode, got.Header.Get("WWW-Authenticate")
}

func (p programs) realm() string { return `Bearer realm="` + p.server.URL[len("https://"):] + `"` }

// ada is who signs in as Ada at the stub, made without the way there.
func ada() *session.Session {
	return &session.Session{Subject: "ada", Name: "Ada", Provider: "stub", Issuer: "https://idp.example"}
}

func TestAProgramWithAToken(t *testing.T) { // MW-01
	newPrograms(t, nil, func(t *testing.T, p programs) {
		token, id := p.issue(ada())
		event := p.last()
		require.Equal(t, []any{auth.EventTokenIssued, "nightly backup", "ada"}, []any{event.Kind, event.Label, event.Subject})
		require.NotContains(t, p.log.String(), token)

		status, _ := p.at("/", token)
		require.Equal(t, 200, status)
		got := p.browser().do("POST", "/", url.Values{}, "Authorization", "Bearer "+token, "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site")
		require.Equal(t, 200, got.StatusCode, "no browser sends it by itself")
		require.Empty(t, got.Header.Values("Set-Cookie"))
		require.Contains(t, got.Header.Get("Vary"), "Authorization")

		for path, want := range map[string]string{
			"/fresh": `error="insufficient_user_authentication", max_age="3600"`,
			"/mfa":   `error="insufficient_user_authentication", acr_values="mfa"`,
		} {
			status, challenge := p.at(path, token)
			require.Equal(t, 401, status, path)
			require.Equal(t, p.realm()+", "+want, challenge)
		}
		status, challenge := p.at("/reports", token)
		require.Equal(t, 403, status)
		require.Equal(t, p.realm()+`, error="insufficient_scope", scope="reports"`, challenge)
		scoped := ada()
		require.NoError(t, scoped.SetClaim("scope", "reports"))
		token, _ = p.issue(scoped)
		status, _ = p.at("/reports", token)
		require.Equal(t, 200, status)
		status, _ = p.at("/person", token)
		require.Equal(t, 403, status, "a person is asked for")

		// Whoever has it sees no sessions and ends none.
		b := p.browser()
		same := []string{"Authorization", "Bearer " + token, "Accept", "application/json", "Sec-Fetch-Site", "same-origin", "Origin", p.server.URL}
		require.Equal(t, 404, b.get("/api/auth/sessions", same...).StatusCode)
		require.Equal(t, 404, b.endSessions("all", same...).StatusCode)
		require.NotContains(t, b.get("/api/auth/session", same...).text, token)

		require.NoError(t, p.auth.Revoke(context.Background(), session.OfUser("ada").Only(id)))
	})
}

func TestATokenThatDoesNotCount(t *testing.T) { // MW-01
	newPrograms(t, nil, func(t *testing.T, p programs) {
		refused := func(token, why string) {
			t.Helper()
			for _, headers := range [][]string{nil, {"Accept", "application/json"}, {"Cookie", "__Secure-authjs.session-token=x"}} {
				status, challenge := p.at("/", token, headers...)
				require.Equal(t, 401, status, why)
				require.Equal(t, p.realm()+`, error="invalid_token"`, challenge, why)
			}
			status, _ := p.at("/api/auth/session", token)
			require.Equal(t, 401, status, why)
		}
		token, id := p.issue(ada())
		refused("sallyport_", "nothing")
		refused(token+"x", "another")
		require.NoError(t, p.auth.Revoke(context.Background(), session.OfUser("ada").Only(id)))
		refused(token, "taken back")
		token, _ = p.issue(ada())
		p.advance(11 * 24 * time.Hour)
		refused(token, "expired")

		got := p.browser().get("/", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document")
		require.Equal(t, 303, got.StatusCode, "a request without one is as it was")
		status, challenge := p.at("/", "eyJ.of.others")
		require.Equal(t, 303, status, "and one with what is no token of ours")
		require.Empty(t, challenge)

		b := p.browser()
		b.signIn("ada")
		require.Equal(t, 200, b.get("/", "Authorization", "Bearer "+token).StatusCode, "a cookie counts first")
		token, _ = p.issue(ada())
		for _, cookie := range b.cookiesNamed(sessionCookie) {
			stranger := p.browser()
			stranger.plant(cookie.Name, token)
			require.Equal(t, 303, stranger.get("/", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document").StatusCode, "nor is it a cookie")
		}
	})
}

// The provider that signed the person in is configured no more.
func TestATokenOfAWayThatIsGone(t *testing.T) { // MW-01
	kept := session.Config{Store: session.NewMemoryStore(0, nil)}
	before := newAuth(t, func(c *auth.Config) { c.Session = kept })
	after := newAuth(t, func(c *auth.Config) {
		c.Session, c.Providers = kept, []auth.Provider{&stubProvider{name: "new"}}
	})
	token, _, err := before.IssueToken(context.Background(), ada(), auth.TokenOptions{Label: "backup", Expires: time.Now().Add(time.Hour)})
	require.NoError(t, err)
	for a, want := range map[*auth.Authenticator]int{before: 200, after: 401} {
		got := serve(a.Require(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})), "GET", "https://app.example/", "", "Authorization", "Bearer "+token.Reveal())
		require.Equal(t, want, got.Code)
	}
}

func TestTokensWhereSomebodyIsSignedIn(t *testing.T) { // SE-05
	newPrograms(t, nil, func(t *testing.T, p programs) {
		b := p.browser()
		b.signIn("ada")
		token, id := p.issue(ada())
		list := b.sessions()
		if !list.Complete {
			require.Len(t, list.Sessions, 1)
			b.endSessions("others")
			status, _ := p.at("/", token)
			require.Equal(t, 401, status)
			return
		}
		require.Len(t, list.Sessions, 2)
		require.Equal(t, "nightly backup", list.Sessions[1].Label)
		require.Equal(t, 10*24*time.Hour, list.Sessions[1].Expires.Sub(list.Sessions[1].Created))
		page := b.get("/api/auth/sessions").text
		for _, text := range []string{"<h2><bdi>nightly backup</bdi></h2>", "Token for a program", "Sign out: nightly backup", list.Sessions[1].Expires.Format("2 January 2006, 15:04 UTC")} {
			require.Contains(t, page, text)
		}
		require.NotContains(t, page, token)
		require.Contains(t, b.get("/api/auth/sessions", "Accept-Language", "zh").text, "程序使用的令牌")

		all, err := p.auth.Sessions(context.Background(), session.OfUser("ada"))
		require.NoError(t, err)
		require.Len(t, all, 2)
		require.Equal(t, 303, b.endSessions(id).StatusCode)
		status, _ := p.at("/", token)
		require.Equal(t, 401, status)
		require.Equal(t, "ada", b.who())
	})
}

func TestWhoIsAskedAboutWithAToken(t *testing.T) { // SE-16
	asked, answer := 0, error(nil)
	newPrograms(t, func(c *auth.Config) {
		asked, answer = 0, nil
		c.Session.Revalidate = func(_ context.Context, s *session.Session) error {
			asked++
			s.Subject = "changed"
			return answer
		}
	}, func(t *testing.T, p programs) {
		token, id := p.issue(ada())
		for range 3 {
			status, _ := p.at("/", token)
			require.Equal(t, 200, status)
		}
		require.Equal(t, 1, asked)
		require.NotContains(t, p.seen, "changed", "no request is another than the next")
		p.advance(time.Hour)
		answer = errors.New("the directory is down")
		for range 3 {
			status, _ := p.at("/", token)
			require.Equal(t, 200, status)
		}
		require.Equal(t, 2, asked)
		p.advance(time.Minute)
		answer = auth.ErrNotAllowed
		status, challenge := p.at("/", token)
		require.Equal(t, 401, status)
		require.Contains(t, challenge, "invalid_token")
		require.Contains(t, p.kinds(), auth.EventRefused)
		answer = nil
		status, _ = p.at("/", token)
		require.Equal(t, 401, status, "it has ended: %s", id)
	})
}

func TestWhoGetsNoToken(t *testing.T) {
	options := auth.TokenOptions{Label: "backup", Expires: time.Now().Add(time.Hour)}
	newPrograms(t, nil, func(t *testing.T, p programs) {
		for what, who := range map[string]*session.Session{
			"access code": {Subject: "guest", Provider: session.AccessCode},
			"no way in":   {Subject: "ada", Provider: "gone", Issuer: "https://idp.example"},
			"bearer":      ada().AsBearer(),
			"nobody's":    {},
		} {
			token, id, err := p.auth.IssueToken(context.Background(), who, options)
			require.ErrorContains(t, err, what)
			require.True(t, token.IsZero() && id == "")
		}
		require.Empty(t, p.kinds())
	})
	for _, change := range []func(*auth.Config){
		func(*auth.Config) {},
		func(c *auth.Config) {
			c.ReadOnly, c.Session.Revocations = true, session.NewMemoryStore(0, nil)
			c.SignInURL, c.Providers = "/login", nil
		},
	} {
		_, _, err := newAuth(t, change).IssueToken(context.Background(), ada(), options)
		require.ErrorIs(t, err, errors.ErrUnsupported)
	}
}

func TestTokensBesideOthers(t *testing.T) { // MW-01
	p, backend := &apiProvider{stubProvider: &stubProvider{name: "stub"}, audiences: []string{"https://api.example"}, now: time.Now}, &personBackend{}
	a := newAuth(t, func(c *auth.Config) {
		c.Providers, c.Backend, c.Session = []auth.Provider{p}, backend, session.Config{Store: session.NewMemoryStore(0, nil)}
	})
	var who *session.Session
	h := a.Require(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { who, _ = auth.FromContext(r.Context()) }))
	ask := func(token string) *httptest.ResponseRecorder {
		who = nil
		return serve(h, "GET", "https://app.example/", "", "Authorization", "Bearer "+token)
	}
	token, _, err := a.IssueToken(context.Background(), ada(), auth.TokenOptions{Label: "backup", Expires: time.Now().Add(time.Hour)})
	require.NoError(t, err)
	require.Equal(t, 200, ask(token.Reveal()).Code)
	require.Equal(t, "backup", who.TokenLabel)
	got := ask(token.Reveal() + "x")
	require.Equal(t, 401, got.Code)
	require.Equal(t, []string{`Bearer realm="app.example", error="invalid_token", resource_metadata="https://app.example/.well-known/oauth-protected-resource"`}, got.Header().Values("WWW-Authenticate"))
	require.Zero(t, p.asked+backend.asked, "nobody else is asked about one of ours")

	require.Equal(t, 200, ask("eve.x.x").Code)
	require.Equal(t, "eve", who.Subject)
	require.Empty(t, who.TokenLabel)
	require.Equal(t, 1, p.asked)
}
