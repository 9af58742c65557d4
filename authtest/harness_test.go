package authtest_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/oidc"
	"github.com/sallyport/auth/providers/providertest"
	"github.com/sallyport/auth/session"
)

const (
	clientSecret = "client-secret-of-the-demo"
	site         = "https://app.example"
)

var secrets = []auth.Secret{auth.NewSecret("Z3e1xNwXyq0kD7tVhC5mB9rJ2uLsPfA8oGiK4jEbRnQ=")}

// newIdP starts an identity provider that asks who somebody is.
func newIdP(t testing.TB) *providertest.Server {
	idp := providertest.NewServer(providertest.Config{
		Ask:     true,
		Clients: []providertest.Client{{ID: "app", Secret: clientSecret}},
		People:  []providertest.Person{{Subject: "eve", Name: "Eve"}, {Subject: "ada", Name: "Ada", Email: "ada@example.com", EmailVerified: true}},
	})
	t.Cleanup(idp.Close)
	return idp
}

// newAuth is what an application has that signs in by idp, changed by change.
func newAuth(t testing.TB, idp *providertest.Server, change func(*auth.Config)) *auth.Authenticator {
	t.Helper()
	p, err := oidc.New(oidc.Config{
		Name: "example", Issuer: idp.Issuer(), ClientID: "app", ClientSecret: auth.NewSecret(clientSecret),
		Scopes: []string{"openid", "profile", "email", "offline_access"}, APIAudiences: []string{"https://api.example"},
	})
	require.NoError(t, err)
	config := auth.Config{
		Secrets: secrets, Providers: []auth.Provider{p},
		Logger: slog.New(slog.DiscardHandler),
	}
	if change != nil {
		change(&config)
	}
	a, err := auth.New(config)
	require.NoError(t, err)
	return a
}

// greet says who is there.
var greet = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	who, ok := auth.FromContext(r.Context())
	if !ok {
		_, _ = io.WriteString(w, "nobody")
		return
	}
	fmt.Fprintf(w, "%s at %s", who.Subject, r.URL.Path)
})

// answer is what h answers to r.
func answer(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// failing is a test of which only the failure is of interest.
type failing struct {
	testing.TB
	text string
}

func (f *failing) Helper() {}

func (f *failing) Fatalf(format string, args ...any) {
	f.text = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// failure is with what test fails.
func failure(t *testing.T, test func(t testing.TB)) string {
	t.Helper()
	f := &failing{TB: t}
	var done sync.WaitGroup
	done.Go(func() { test(f) })
	done.Wait()
	require.NotEmpty(t, f.text, "the test should have failed")
	require.True(t, strings.HasPrefix(f.text, "authtest: "), f.text)
	return f.text
}

// rows is a database of sessions in memory.
type rows struct {
	mu   sync.Mutex
	list map[string]session.Session
}

func (d *rows) Find(_ context.Context, token string) (*session.Session, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s, ok := d.list[token]
	if !ok {
		return nil, nil
	}
	return &s, nil
}

func (d *rows) Start(_ context.Context, token string, s *session.Session, _ session.Account) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	s.Subject = "user-of-" + s.Subject
	d.list[token] = session.Session{Subject: s.Subject, Name: s.Name, ExpiresAt: s.ExpiresAt}
	return nil
}

func (d *rows) Update(context.Context, string, *session.Session, *session.Session) (bool, error) {
	return true, nil
}

func (d *rows) Delete(_ context.Context, token string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.list, token)
	return nil
}
