package ginauth_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/authtest"
	"github.com/sallyport/auth/session"
)

// cookieOf is somebody whom [nearby] knows.
const cookieOf = "nearby"

// nearby is a backend that renews a cookie of its own with each answer, a WebSocket's too.
type nearby struct{}

func (nearby) Authenticate(r *http.Request, _ *url.URL) (*auth.Decision, error) {
	if _, err := r.Cookie(cookieOf); err != nil {
		return &auth.Decision{}, nil
	}
	return &auth.Decision{
		Session: &session.Session{Issuer: "https://nearby.example", Subject: "eve", Provider: "nearby"},
		Header:  http.Header{"Set-Cookie": {cookieOf + "=again"}},
	}, nil
}

func (nearby) SignInURL(_ *auth.Decision, returnTo string) string {
	return "https://nearby.example/?to=" + url.QueryEscape(returnTo)
}

func (nearby) SignOut(http.ResponseWriter, *http.Request, *session.Session, bool) error { return nil }

// site is a program with gin.
type site struct {
	*httptest.Server
	t      *testing.T
	auth   *auth.Authenticator
	engine *gin.Engine
	later  atomic.Int64 // how far the clock is ahead
}

func newSite(t *testing.T) *site {
	gin.SetMode(gin.TestMode)
	s := &site{t: t, engine: gin.New()}
	var err error
	s.auth, err = auth.New(auth.Config{
		Secrets: []auth.Secret{auth.NewSecret("Z3e1xNwXyq0kD7tVhC5mB9rJ2uLsPfA8oGiK4jEbRnQ=")},
		Backend: nearby{},
		Logger:  slog.New(slog.DiscardHandler),
		Now:     func() time.Time { return time.Now().Add(time.Duration(s.later.Load())) },
	})
	require.NoError(t, err)
	s.Server = httptest.NewServer(s.engine)
	t.Cleanup(s.Close)
	return s
}

// admins is a rule.
func admins(who *session.Session) error {
	if slices.Contains(who.Groups, "admins") {
		return nil
	}
	return fmt.Errorf("%w: no administrator", auth.ErrNotAllowed)
}

// ada is what her browser sends, of groups.
func (s *site) ada(groups ...string) http.Header {
	s.t.Helper()
	h := http.Header{}
	for _, c := range authtest.SignIn(s.t, s.auth, s.URL, &session.Session{Subject: "ada", Name: "Ada", Groups: groups}) {
		h.Add("Cookie", c.Name+"="+c.Value)
	}
	return h
}

// eve is what hers sends.
func eve() http.Header { return http.Header{"Cookie": {cookieOf + "=1"}} }

// do sends a request, and reads the answer unless it goes on.
func (s *site) do(method, path string, h http.Header) (*http.Response, string) {
	s.t.Helper()
	resp := s.open(method, path, h)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(s.t, err)
	return resp, string(body)
}

func (s *site) open(method, path string, h http.Header) *http.Response {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.URL+path, nil)
	require.NoError(s.t, err)
	if h != nil {
		r.Header = h
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	require.NoError(s.t, err)
	return resp
}
