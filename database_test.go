package auth_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/session"
)

// userTable is a database in which everybody who signs in is user 7.
type userTable struct {
	sessions map[string]*session.Session
	started  *session.Session // as it was given
	account  session.Account
	err      error
}

func (d *userTable) Find(_ context.Context, token string) (*session.Session, error) {
	if s := d.sessions[token]; s != nil && d.err == nil {
		found := *s
		return &found, nil
	}
	return nil, d.err
}

func (d *userTable) Start(_ context.Context, token string, s *session.Session, a session.Account) error {
	if d.err != nil {
		return d.err
	}
	given := *s
	d.started, d.account = &given, a
	s.Subject, s.ProviderSubject = "7", s.Subject
	d.sessions[token] = &session.Session{Subject: "7", Name: s.Name, ExpiresAt: s.ExpiresAt}
	return nil
}

func (d *userTable) Update(context.Context, string, *session.Session, *session.Session) (bool, error) {
	return true, d.err
}

func (d *userTable) Delete(_ context.Context, token string) error {
	delete(d.sessions, token)
	return d.err
}

func TestASignInWithADatabase(t *testing.T) {
	d := &userTable{sessions: map[string]*session.Session{}}
	expiry := time.Now().Add(time.Hour)
	token := (&oauth2.Token{AccessToken: "access", RefreshToken: "refresh", TokenType: "Bearer", Expiry: expiry}).WithExtra(map[string]any{"id_token": "id", "scope": "openid"})
	stub := &stubProvider{name: "stub", identity: &auth.Identity{Issuer: "https://idp.example", Subject: "ada", Name: "Ada", Token: token}}
	var log bytes.Buffer
	var events []auth.Event
	c := newConfig(stub, &stubProvider{name: "other"})
	c.Session.Database, c.Logger = d, slog.New(slog.NewTextHandler(&log, nil))
	c.OnEvent = func(_ context.Context, e auth.Event) { events = append(events, e) }
	a, err := auth.New(c)
	require.NoError(t, err)

	cookie := sealedCookie(t, a, stub)
	require.Contains(t, d.sessions, cookie.Value)
	require.Equal(t, "ada", d.started.Subject)
	require.Equal(t, "stub", d.started.Provider)
	require.Equal(t, session.Account{Type: "oidc", ProviderTokens: session.ProviderTokens{AccessToken: "access", RefreshToken: "refresh", IDToken: "id", TokenType: "Bearer", Scope: "openid", ExpiresAt: expiry}}, d.account)
	require.Equal(t, "ada", events[0].Subject, "who it is to the provider")
	require.NotContains(t, log.String(), cookie.Value)

	r := httptest.NewRequest("GET", "https://app.example/api/auth/session", nil)
	r.AddCookie(cookie)
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	require.JSONEq(t, fmt.Sprintf(`{"user":{"id":"7","name":"Ada"},"expires":%q}`, d.sessions[cookie.Value].ExpiresAt.UTC().Format("2006-01-02T15:04:05.000Z")), w.Body.String())
}

func TestAnAccountThatIsNotLinked(t *testing.T) {
	d := &userTable{sessions: map[string]*session.Session{}}
	stub := &stubProvider{name: "stub", identity: &auth.Identity{Issuer: "https://idp.example", Subject: "ada", Email: "ada@example.com"}}
	var events []auth.Event
	c := newConfig(stub)
	c.Session.Database, c.SignInURL = d, "/hello"
	c.OnEvent = func(_ context.Context, e auth.Event) { events = append(events, e) }
	a, err := auth.New(c)
	require.NoError(t, err)
	sealedCookie(t, a, stub)
	d.err = fmt.Errorf("authjsdb: %w", session.ErrNotLinked)
	to, err := signIn(t, a, stub).Location()
	require.NoError(t, err)
	require.Equal(t, "/hello", to.Path)
	require.Equal(t, "OAuthAccountNotLinked", to.Query().Get("error"))
	last := events[len(events)-1]
	require.Equal(t, "ada@example.com", last.Email)
	require.ErrorIs(t, last.Err, auth.ErrNotLinked)
	require.Equal(t, "OAuthAccountNotLinked", last.Reason)
}

func TestADatabaseThatIsDown(t *testing.T) { // SE-06
	d := &userTable{err: errors.New("connection refused")}
	c := auth.Config{Secrets: []auth.Secret{auth.NewSecret(testSecret)}, ReadOnly: true, Session: session.Config{Database: d}}
	a, err := auth.New(c)
	require.NoError(t, err)
	handler := a.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, _ := auth.FromContext(r.Context())
		_, _ = io.WriteString(w, a.UserID(who))
	}))
	ask := func() *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", "http://app.example/", nil)
		r.AddCookie(&http.Cookie{Name: "authjs.session-token", Value: "6f3c0b52-9d6f-4c0e-8a55-0d6f4c0e8a55"})
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w
	}
	require.Equal(t, 503, ask().Code)
	require.ErrorIs(t, a.Ready(t.Context()), auth.ErrStore)

	d.err = nil
	d.sessions = map[string]*session.Session{"6f3c0b52-9d6f-4c0e-8a55-0d6f4c0e8a55": {Subject: "7", ExpiresAt: time.Now().Add(time.Hour)}}
	answer := ask()
	require.Equal(t, "7", answer.Body.String())
	require.Empty(t, answer.Result().Cookies(), "it is due, and is the other side's to renew")
	require.NoError(t, a.Ready(t.Context()))
}

func TestWhatMeansNothingWithADatabase(t *testing.T) {
	for want, change := range map[string]func(*auth.Config){
		"Session.Database needs Providers or ReadOnly": func(c *auth.Config) { c.Providers, c.Backend = nil, &stubBackend{} },
		"AccessCode needs no Session.Database":         func(c *auth.Config) { c.AccessCode = stubVerifier{} },
		"UserIDClaim needs":                            func(c *auth.Config) { c.UserIDClaim = "userId" },
		"Database and Store are both set":              func(c *auth.Config) { c.Session.Store = session.NewMemoryStore(1, time.Now) },
	} {
		c := newConfig(&stubProvider{name: "stub"})
		c.Session.Database = &userTable{}
		_, err := auth.New(c)
		require.NoError(t, err)
		change(&c)
		_, err = auth.New(c)
		require.ErrorContains(t, err, want)
	}
}
