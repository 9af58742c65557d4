package web_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/session"
)

func TestUpdateOfTheSession(t *testing.T) { // CS-02
	var asked []string
	s := newSite(t, func(c *auth.Config) {
		c.Update = func(_ context.Context, s *session.Session, data json.RawMessage) error {
			asked = append(asked, string(data))
			var wanted struct{ Name, Theme string }
			if json.Unmarshal(data, &wanted) != nil || wanted.Name == "root" {
				return errors.New("not that name")
			}
			s.Name = wanted.Name
			return s.SetClaim("theme", wanted.Theme)
		}
		c.Session.Public = func(s *session.Session, shown *session.View) {
			var theme string
			if found, err := s.Claim("theme", &theme); found && err == nil {
				shown.User["theme"] = theme
			}
			delete(shown.User, "email")
			shown.More["greeting"] = "hello " + s.Name
		}
	})
	b := s.browser()
	body := func(data any) string { return jsonText(map[string]any{"csrfToken": b.csrf(), "data": data}) }
	require.Equal(t, "null", b.post("/api/auth/session", "application/json", body("x")).text, "nobody is signed in")
	b.signIn("ada")
	s.advance(time.Hour)
	got := b.post("/api/auth/session", "application/json", body(map[string]any{"name": "Countess", "theme": "dark"}))
	require.Equal(t, 200, got.StatusCode)
	expires := s.clock().Add(30 * 24 * time.Hour).UTC().Format("2006-01-02T15:04:05.000Z")
	expires = expires[:len(expires)-4] + "000Z"
	want := `{"user":{"id":"ada","name":"Countess","theme":"dark"},"greeting":"hello Countess","expires":"` + expires + `"}`
	require.JSONEq(t, want, got.text)
	require.JSONEq(t, want, b.get("/api/auth/session").text, "it is in the cookie")
	require.Equal(t, []string{`{"name":"Countess","theme":"dark"}`}, asked)
	require.Equal(t, auth.EventUpdated, s.events[len(s.events)-1].Kind)

	for name, test := range map[string]struct {
		body, media string
		headers     []string
		want        int
	}{
		"no token":       {`{"data":{"name":"Eve"}}`, "application/json", nil, 400},
		"wrong token":    {`{"csrfToken":"x","data":{"name":"Eve"}}`, "application/json", nil, 400},
		"another site":   {body(map[string]any{"name": "Eve"}), "application/json", []string{"Sec-Fetch-Site", "cross-site"}, 400},
		"another origin": {body(map[string]any{"name": "Eve"}), "application/json", []string{"Origin", "https://evil.example"}, 400},
		"plain text":     {body(map[string]any{"name": "Eve"}), "text/plain", nil, 415},
		"refused":        {body(map[string]any{"name": "root"}), "application/json", nil, 403},
		"a form's text":  {url.Values{"csrfToken": {b.csrf()}, "data": {`{"name":"Eve"}`}}.Encode(), "application/x-www-form-urlencoded", nil, 403},
	} {
		got := b.post("/api/auth/session", test.media, test.body, test.headers...)
		require.Equal(t, test.want, got.StatusCode, name)
		require.NotContains(t, got.text, "not that name", name)
		require.JSONEq(t, want, b.get("/api/auth/session").text, name)
	}
	var kinds []auth.EventKind
	for _, e := range s.events {
		kinds = append(kinds, e.Kind)
	}
	require.Contains(t, kinds, auth.EventRefused)
	require.Contains(t, asked, `"{\"name\":\"Eve\"}"`, "a form brings text")
	// Without data it only renews.
	require.Equal(t, 200, b.post("/api/auth/session", "application/json", jsonText(map[string]any{"csrfToken": b.csrf()})).StatusCode)
}

func TestSessionIsOnlyForItsOrigin(t *testing.T) { // CS-06, SE-13
	s := newSite(t, func(c *auth.Config) {
		c.Enrich = func(_ context.Context, s *session.Session, _ *auth.Identity) error {
			return s.SetClaim("accessToken", "at-1")
		}
	})
	b := s.browser()
	b.signIn("ada")
	for name, test := range map[string]struct {
		headers []string
		want    int
	}{
		"same origin":        {[]string{"Sec-Fetch-Site", "same-origin", "Sec-Fetch-Mode", "cors"}, 200},
		"typed":              {[]string{"Sec-Fetch-Site", "none", "Sec-Fetch-Mode", "navigate"}, 200},
		"a link":             {[]string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"}, 200},
		"no browser":         {nil, 200},
		"a script elsewhere": {[]string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors"}, 403},
		"a subdomain":        {[]string{"Sec-Fetch-Site", "same-site", "Sec-Fetch-Mode", "cors"}, 403},
		"Origin":             {[]string{"Origin", "https://evil.example"}, 403},
	} {
		got := b.get("/api/auth/session", test.headers...)
		require.Equal(t, test.want, got.StatusCode, name)
		require.Equal(t, test.want == 200, strings.Contains(got.text, "ada"), name)
		require.NotContains(t, got.text, "at-1", "no claim shows by itself")
		require.Empty(t, got.Header.Get("Access-Control-Allow-Origin"))
		if test.want == 200 {
			require.Equal(t, "same-origin", got.Header.Get("Cross-Origin-Resource-Policy"))
		}
	}
}

func TestUpdateOfSomebodyElsesSession(t *testing.T) {
	asked := 0
	s := newSite(t, func(c *auth.Config) {
		c.Backend = &personBackend{}
		c.Update = func(context.Context, *session.Session, json.RawMessage) error { asked++; return nil }
	})
	signedIn := s.browser()
	signedIn.signIn("ada")
	token := signedIn.cookiesNamed("__Secure-authjs.session-token")[0].Value
	for name, header := range map[string][]string{"the backend's": {"X-Person", "bob"}, "a bearer token": {"Authorization", "Bearer " + token}} {
		b := s.browser()
		got := b.post("/api/auth/session", "application/json", jsonText(map[string]any{"csrfToken": b.csrf(), "data": "x"}), header...)
		require.Equal(t, 200, got.StatusCode, name)
		require.Contains(t, got.text, `"user"`, name)
		require.Empty(t, got.Header["Set-Cookie"], "%s: no session of ours is made of it", name)
	}
	require.Zero(t, asked)
}

func TestWhatASessionShows(t *testing.T) { // SE-13
	s := newSite(t, nil)
	s.now = time.Date(2036, 8, 1, 12, 0, 0, 999, time.FixedZone("x", 3600))
	b := s.browser()
	s.stub.identity = func(string) (*auth.Identity, error) {
		return &auth.Identity{Issuer: "https://idp.example", Subject: "ada", Name: "Ada", Username: "u", Email: "ada@example.com", EmailVerified: true, Picture: "https://idp.example/a.png",
			Groups: []string{"staff"}, Claims: map[string]any{"secret": "claim"}, Token: &oauth2.Token{AccessToken: "at-1"}}, nil
	}
	b.signIn("ada")
	require.JSONEq(t, `{"user":{"id":"ada","name":"Ada","email":"ada@example.com","image":"https://idp.example/a.png"},"expires":"2036-08-31T11:00:00.000Z"}`, b.get("/api/auth/session").text)
	s.stub.identity = func(string) (*auth.Identity, error) {
		return &auth.Identity{Issuer: "https://idp.example", Subject: "bob"}, nil
	}
	b.signIn("bob")
	require.JSONEq(t, `{"user":{"id":"bob"},"expires":"2036-08-31T11:00:00.000Z"}`, b.get("/api/auth/session").text, "what is empty is left out")
}

func TestPublicMayAddAndHide(t *testing.T) {
	s := newSite(t, func(c *auth.Config) {
		c.Session.Public = func(_ *session.Session, shown *session.View) {
			shown.User = map[string]any{"nick": "A"}
			shown.More["user"], shown.More["expires"], shown.More["plan"] = "x", "never", "pro"
		}
	})
	b := s.browser()
	b.back("stub", b.start("stub", "/").Get("state"), "ada")
	text := b.get("/api/auth/session").text
	require.Contains(t, text, `"user":{"nick":"A"}`, "its members are what they are called")
	require.NotContains(t, text, "never")
	require.Contains(t, text, `"plan":"pro"`)
}

func TestSessionIsRenewedWhereItIsShown(t *testing.T) { // CK-13
	s := newSite(t, nil)
	b := s.browser()
	b.signIn("ada")
	require.Empty(t, b.get("/api/auth/session").Cookies())
	s.advance(25 * time.Hour)
	require.Len(t, b.get("/api/auth/session").Cookies(), 1)
	require.Empty(t, b.get("/api/auth/session").Cookies())
	got := b.get("/api/auth/session", "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "cors", "Accept", "*/*")
	require.JSONEq(t, `{"error":"forbidden","message":"Forbidden"}`, got.text)
}

func TestUpdateThatCannotBeWritten(t *testing.T) { // SE-06, LG-03
	fails := false
	size := 0
	s := newSite(t, func(c *auth.Config) {
		c.Session.Store = failingCommit{session.NewMemoryStore(0, nil), &fails}
		c.Update = func(_ context.Context, s *session.Session, _ json.RawMessage) error {
			return s.SetClaim("big", strings.Repeat("x", size))
		}
	})
	b := s.browser()
	b.signIn("ada")
	body := `{"csrfToken":"` + b.csrf() + `","data":1}`
	fails = true
	got := b.post("/api/auth/session", "application/json", body)
	require.Equal(t, 503, got.StatusCode)
	require.Equal(t, "5", got.Header.Get("Retry-After"))
	require.JSONEq(t, `{"error":"unavailable","message":"The session cannot be written at the moment. Try again later."}`, got.text)
	require.Equal(t, []string{"StoreUnavailable"}, s.reasons())
	require.Equal(t, auth.EventSessionFailed, s.last().Kind)
	require.Equal(t, "ada", s.last().Subject)

	s = newSite(t, func(c *auth.Config) {
		c.Update = func(_ context.Context, s *session.Session, _ json.RawMessage) error {
			return s.SetClaim("big", strings.Repeat("x", size))
		}
	})
	b = s.browser()
	b.signIn("ada")
	size = 20 << 10
	got = b.post("/api/auth/session", "application/json", `{"csrfToken":"`+b.csrf()+`","data":1}`)
	require.Equal(t, 400, got.StatusCode)
	require.JSONEq(t, `{"error":"bad_request","message":"The session would be too large."}`, got.text)
	require.Equal(t, []string{"SessionTooLarge"}, s.reasons())
	require.ErrorIs(t, s.last().Err, auth.ErrSessionTooLarge)
	require.Equal(t, "ada", b.who(), "it is as it was")
}

func TestUpdateWhileTheStoreIsDown(t *testing.T) { // SE-06
	down := false
	s := newSite(t, func(c *auth.Config) { c.Session.Store = downStore{session.NewMemoryStore(0, nil), &down} })
	b := s.browser()
	b.signIn("ada")
	body := `{"csrfToken":"` + b.csrf() + `","data":1}`
	down = true
	got := b.post("/api/auth/session", "application/json", body)
	require.Equal(t, 503, got.StatusCode)
	require.Contains(t, got.text, "cannot be read")
	down = false
	require.Equal(t, "ada", b.who())
}

func TestUpdateNobodyAskedFor(t *testing.T) {
	s := newSite(t, nil) // no Config.Update
	b := s.browser()
	b.signIn("ada")
	before := b.cookiesNamed(sessionCookie)[0].Value
	s.advance(time.Minute)
	got := b.post("/api/auth/session", "application/json", `{"csrfToken":"`+b.csrf()+`","data":{"name":"Eve"}}`)
	require.Equal(t, 200, got.StatusCode)
	require.Contains(t, got.text, `"name":"Ada"`, "data counts for nothing")
	require.NotEqual(t, before, b.cookiesNamed(sessionCookie)[0].Value, "it renews")
	require.Equal(t, auth.EventUpdated, s.last().Kind)

	b = s.browser()
	b.plant(sessionCookie, "broken")
	got = b.post("/api/auth/session", "application/json", `{"csrfToken":"`+b.csrf()+`"}`)
	require.Equal(t, "null", got.text)
	require.Empty(t, b.cookiesNamed(sessionCookie), "a broken cookie goes")
}

func TestUpdateIsForItsOwnData(t *testing.T) {
	asked := 0
	s := newSite(t, func(c *auth.Config) {
		c.Update = func(context.Context, *session.Session, json.RawMessage) error { asked++; return nil }
	})
	b := s.browser()
	b.signIn("ada")
	require.Equal(t, 200, b.post("/api/auth/session", "application/json", `{"csrfToken":"`+b.csrf()+`"}`).StatusCode)
	require.Zero(t, asked, "it is not asked about nothing")
	b.post("/api/auth/session", "application/json", `{"csrfToken":"`+b.csrf()+`","data":null}`)
	require.Equal(t, 1, asked)
}

// TestUserIDsAreUnique: two providers, or a code and a provider, may know two
// people by one subject.
func TestUserIDsAreUnique(t *testing.T) { // ID-39
	code := verifierFunc{func() auth.CodeVerifier { return gate(t, nil, goodCode) }}
	one, two := []auth.Provider{&stubProvider{name: "stub"}}, []auth.Provider{&stubProvider{name: "stub"}, &stubProvider{name: "other"}}
	for name, test := range map[string]struct {
		change func(*auth.Config)
		want   string
	}{
		"one way":              {func(c *auth.Config) { c.Providers = one }, "ada"},
		"two providers":        {func(c *auth.Config) { c.Providers = two }, "stub|ada"},
		"a code beside":        {func(c *auth.Config) { c.Providers, c.AccessCode = one, code }, "stub|ada"},
		"a backend beside":     {func(c *auth.Config) { c.Providers, c.Backend = one, &personBackend{} }, "stub|ada"},
		"said to be subjects":  {func(c *auth.Config) { c.Providers, c.UserID = two, auth.SubjectID }, "ada"},
		"said to be qualified": {func(c *auth.Config) { c.Providers, c.UserID = one, auth.ProviderSubjectID }, "stub|ada"},
		"the application's": {func(c *auth.Config) {
			c.Providers, c.UserID = two, func(s *session.Session) string { return "u-" + s.Subject }
		}, "u-ada"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, func(c *auth.Config) { c.UserID = nil; test.change(c) })
			b := s.browser()
			require.Equal(t, 303, b.back("stub", b.start("stub", "/").Get("state"), "ada").StatusCode)
			require.Equal(t, test.want, b.who())
		})
	}
	a, err := auth.New(auth.Config{Secrets: []auth.Secret{auth.NewSecret(testSecret)}, Providers: two})
	require.NoError(t, err)
	require.Equal(t, "github|1", a.UserID(&session.Session{Provider: "github", Subject: "1"}))
	require.NotEqual(t, a.UserID(&session.Session{Subject: "github|1"}), a.UserID(&session.Session{Provider: "github", Subject: "1"}), "Auth.js's people are nobody else's")
}
