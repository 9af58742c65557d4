package oauth2_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	xoauth2 "golang.org/x/oauth2"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/oauth2"
)

// The tests of this file show what x/oauth2 does by itself, and what it does behind
// the gate. Where it changes its mind, the first half fails, and the gate may have
// less to do.

// bare redeems a code as the documentation of x/oauth2 does it.
func (s *server) bare() (*xoauth2.Token, error) {
	c := xoauth2.Config{ClientID: "app", ClientSecret: clientSecret, RedirectURL: "https://app.example/cb", Endpoint: xoauth2.Endpoint{TokenURL: s.URL + "/token"}}
	return c.Exchange(context.Background(), "the-code", xoauth2.VerifierOption(transaction().Verifier))
}

func TestTrapCodeSentTwice(t *testing.T) { // I8, TK-01, TK-14
	s := newServer(t)
	s.token = says(400, "application/json", `{"error":"invalid_client"}`)
	_, err := s.bare()
	require.Error(t, err)
	require.Len(t, s.sent, 2, "x/oauth2 tries the other style")
	require.Equal(t, "the-code", s.sent[1].PostForm.Get("code"))
	s.sent = nil
	_, err = s.signIn(t, nil)
	require.ErrorIs(t, err, auth.ErrMisconfigured)
	require.Len(t, s.sent, 1)
}

func TestTrapRedirect(t *testing.T) { // TK-02
	var got atomic.Value
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got.Store(string(body) + r.Header.Get("Authorization"))
		says(200, "application/json", `{"access_token":"theirs","token_type":"bearer"}`)(w, r)
	}))
	defer elsewhere.Close()
	s := newServer(t)
	s.token = func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
	}
	token, err := s.bare()
	require.NoError(t, err)
	require.Equal(t, "theirs", token.AccessToken)
	require.Contains(t, got.Load(), "the-code")
	got.Store("")
	_, err = s.signIn(t, nil)
	require.ErrorIs(t, err, auth.ErrUnavailable)
	require.Empty(t, got.Load())
}

func TestTrapBodyInTheError(t *testing.T) { // TK-05, LG-01
	s := newServer(t)
	s.token = says(500, "text/html", "<html>"+clientSecret)
	_, err := s.bare()
	require.ErrorContains(t, err, clientSecret)
	_, err = s.signIn(t, nil)
	require.ErrorIs(t, err, auth.ErrUnavailable)
	require.NotContains(t, err.Error(), clientSecret)
	require.NotContains(t, err.Error(), "html")
}

func TestTrapAddressInTheError(t *testing.T) { // LG-01
	s := newServer(t)
	s.Close()
	s.URL += "/token?key=of-the-tenant#"
	_, err := s.bare()
	require.ErrorContains(t, err, "of-the-tenant")
	_, err = s.signIn(t, func(c *oauth2.Config) {
		address := strings.TrimSuffix(s.URL, "#")
		c.Issuer, c.AuthURL, c.TokenURL = address, address, address
	})
	require.ErrorIs(t, err, auth.ErrUnavailable)
	require.NotContains(t, err.Error(), "of-the-tenant")
}

func TestTrapErrorTypes(t *testing.T) { // TK-16
	s := newServer(t)
	s.token = func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "100") }
	_, err := s.bare()
	require.Error(t, err)
	require.NotErrorIs(t, err, io.ErrUnexpectedEOF, "x/oauth2 has it as text")
	_, err = s.signIn(t, nil)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.ErrorIs(t, err, auth.ErrUnavailable)
}

func TestTrapAnswers(t *testing.T) {
	const js = "application/json"
	for _, c := range []struct {
		name, media, body string
		status            int
		bare, ours        string // the access token; "" for an error
	}{
		{"as it should be", js, `{"access_token":"at","token_type":"bearer"}`, 200, "at", "at"},
		{"TK-04 text as a form", "text/plain", `access_token=at&token_type=bearer`, 200, "at", ""},
		{"TK-03 an error that is no text", js, `{"error":[],"access_token":"at","token_type":"bearer"}`, 200, "", ""},
		{"TK-17 accepted, not granted", js, `{"access_token":"at","token_type":"bearer"}`, 202, "at", ""},
		{"TK-11 twice", js, `{"access_token":"at","access_token":"evil","token_type":"bearer"}`, 200, "evil", ""},
		{"TK-11 twice in a form", "application/x-www-form-urlencoded", `access_token=at&access_token=evil&token_type=bearer`, 200, "at", ""},
		{"TK-11 in capitals", js, `{"access_token":"at","ACCESS_TOKEN":"evil","token_type":"bearer"}`, 200, "evil", "at"},
		{"TK-11 with a long s", js, `{"access_token":"at","acceſs_token":"evil","token_type":"bearer"}`, 200, "evil", "at"},
		{"TK-09 a type that is not understood", js, `{"access_token":"at","token_type":"mac"}`, 200, "at", ""},
		{"TK-09 no type", js, `{"access_token":"at"}`, 200, "at", "at"},
		{"TK-10 a lifetime in words", js, `{"access_token":"at","token_type":"bearer","expires_in":"an hour"}`, 200, "", "at"},
		{"TK-10 a lifetime of 1e30", js, `{"access_token":"at","token_type":"bearer","expires_in":1e30}`, 200, "", "at"},
		{"TK-10 a lifetime with a fraction", js, `{"access_token":"at","token_type":"bearer","expires_in":3599.5}`, 200, "", "at"},
		{"TK-06 a refresh token of another type", js, `{"access_token":"at","token_type":"bearer","refresh_token":5}`, 200, "", "at"},
		{"TK-13 1 MiB and more of blanks", js, `{"access_token":"at","token_type":"bearer"}` + strings.Repeat(" ", 2<<20), 200, "at", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newServer(t)
			s.token = says(c.status, c.media, c.body)
			token, err := s.bare()
			if c.bare == "" {
				require.Error(t, err, "x/oauth2")
			} else {
				require.NoError(t, err, "x/oauth2")
				require.Equal(t, c.bare, token.AccessToken, "x/oauth2")
			}
			id, err := s.signIn(t, nil)
			if c.ours == "" {
				require.Error(t, err, "behind the gate")
				return
			}
			require.NoError(t, err, "behind the gate")
			require.Equal(t, c.ours, id.Token.AccessToken, "behind the gate")
		})
	}
}

func TestTrapExpiry(t *testing.T) { // TK-10
	s := newServer(t)
	s.token = says(200, "application/json", `{"access_token":"at","token_type":"bearer","expires_in":-5}`)
	token, err := s.bare()
	require.NoError(t, err)
	require.True(t, token.Expiry.Before(time.Now()), "x/oauth2: expired before it was used")
	id, err := s.signIn(t, nil)
	require.NoError(t, err)
	require.Zero(t, id.Token.Expiry)

	s.token = says(200, "application/json", `{"access_token":"at","token_type":"bearer","expires_in":60}`)
	token, err = s.bare()
	require.NoError(t, err)
	require.WithinDuration(t, time.Now(), token.Expiry, 2*time.Minute, "x/oauth2: by the machine's clock")
	id, err = s.signIn(t, nil)
	require.NoError(t, err)
	require.Equal(t, clock.Add(time.Minute), id.Token.Expiry)
}
