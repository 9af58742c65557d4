package oauth2_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/oauth2"
)

const clientSecret = "client:secret %+é-that-must-not-show"

// server is an OAuth 2.0 server that answers as a test says. Its API knows one
// person, by the number 7.
type server struct {
	*httptest.Server
	mu    sync.Mutex
	token http.HandlerFunc // answers the token endpoint
	api   http.HandlerFunc // answers the API
	sent  []*http.Request  // to the token endpoint, with their forms
	asked []*http.Request  // of the API
}

// newServer grants whatever it is asked for, until token or api are set.
func newServer(t *testing.T) *server {
	s := &server{
		token: says(200, "application/json", `{"access_token":"at","token_type":"bearer","expires_in":3600,"scope":"user"}`),
		api:   says(200, "application/json", `{"id":7}`),
	}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		switch r.URL.Path {
		case "/token":
			_ = r.ParseForm()
			s.sent = append(s.sent, r)
			s.token(w, r)
		case "/user":
			s.asked = append(s.asked, r)
			s.api(w, r)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func says(status int, media, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", media)
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}
}

func (s *server) config() oauth2.Config {
	return oauth2.Config{
		Name: "idp", Issuer: s.URL, AuthURL: s.URL + "/authorize", TokenURL: s.URL + "/token",
		ClientID: "app", ClientSecret: auth.NewSecret(clientSecret), Now: func() time.Time { return clock },
		Identify: func(ctx context.Context, api *oauth2.API) (*auth.Identity, error) {
			var user struct{ ID int }
			if _, err := api.GetJSON(ctx, s.URL+"/user?page=1", &user); err != nil {
				return nil, err
			}
			return &auth.Identity{Subject: fmt.Sprint(user.ID)}, nil
		},
	}
}

// clock is a time of its own, so that an expiry by another clock shows.
var clock = time.Date(2031, 5, 1, 12, 0, 0, 0, time.UTC)

func transaction() auth.Transaction {
	return auth.Transaction{Provider: "idp", State: "state", Verifier: strings.Repeat("v", 43), RedirectURI: "https://app.example/cb"}
}

// signIn brings the code of an attempt back.
func (s *server) signIn(t *testing.T, change func(*oauth2.Config)) (*auth.Identity, error) {
	t.Helper()
	c := s.config()
	if change != nil {
		change(&c)
	}
	p, err := oauth2.New(c)
	require.NoError(t, err)
	return p.Exchange(context.Background(), transaction(), url.Values{"code": {"the-code"}, "state": {"state"}})
}
