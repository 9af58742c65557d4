package web_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

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

// stubBackend signs in whoever sends the header X-Person.
type stubBackend struct{ auth.Backend }

func (stubBackend) Authenticate(r *http.Request, _ *url.URL) (*auth.Decision, error) {
	d := &auth.Decision{}
	if who := r.Header.Get("X-Person"); who != "" {
		d.Session = &session.Session{Subject: who, Provider: "backend", IssuedAt: time.Now(), ExpiresAt: time.Now().Add(time.Minute)}
	}
	return d, nil
}

func TestUpdateOfSomebodyElsesSession(t *testing.T) {
	asked := 0
	s := newSite(t, func(c *auth.Config) {
		c.Backend = stubBackend{}
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
