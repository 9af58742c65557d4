package oauth2_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/oauth2"
)

func TestSignIn(t *testing.T) { // PK-04, UI-03, TK-01
	s := newServer(t)
	id, err := s.signIn(t, nil)
	require.NoError(t, err)
	require.Equal(t, "7", id.Subject)
	require.Equal(t, s.URL, id.Issuer)
	require.Equal(t, "at", id.Token.AccessToken)
	require.Equal(t, clock.Add(time.Hour), id.Token.Expiry)
	require.Equal(t, "user", id.Token.Extra("scope"))

	require.Len(t, s.sent, 1)
	require.Equal(t, "POST", s.sent[0].Method)
	require.Equal(t, "sallyport", s.sent[0].Header.Get("User-Agent"))
	require.Equal(t, "application/json", s.sent[0].Header.Get("Accept"))
	require.Equal(t, url.Values{
		"grant_type": {"authorization_code"}, "code": {"the-code"}, "redirect_uri": {"https://app.example/cb"},
		"code_verifier": {transaction().Verifier}, "client_id": {"app"}, "client_secret": {clientSecret},
	}, s.sent[0].PostForm)
	require.Equal(t, "Bearer at", s.asked[0].Header.Get("Authorization"))
	require.False(t, s.asked[0].URL.Query().Has("access_token"))
}

func TestAuthorizationRequest(t *testing.T) { // PK-01, PK-03, PK-05, ST-16, ST-20
	s := newServer(t)
	c := s.config()
	c.AuthURL += "?tenant=x&prompt=own&state=evil&code_challenge_method=plain"
	c.Scopes, c.AuthParams = []string{"user", "email"}, url.Values{"allow_signup": {"false"}}
	p, err := oauth2.New(c)
	require.NoError(t, err)
	tx := transaction()
	tx.Params = url.Values{"prompt": {"login"}, "scope": {"admin"}, "redirect_uri": {"https://evil.example"}, "unknown": {"x"}}
	raw, err := p.AuthCodeURL(context.Background(), tx)
	require.NoError(t, err)
	u, err := url.Parse(raw)
	require.NoError(t, err)
	sum := sha256.Sum256([]byte(tx.Verifier))
	require.Equal(t, url.Values{
		"tenant": {"x"}, "prompt": {"login"}, "allow_signup": {"false"}, "response_type": {"code"}, "client_id": {"app"}, "scope": {"user email"},
		"state": {"state"}, "redirect_uri": {"https://app.example/cb"}, "code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}, u.Query())
	require.NotContains(t, raw, tx.Verifier)

	c.AuthURL, c.Scopes, c.AuthParams = s.URL+"/authorize?", nil, nil
	p, err = oauth2.New(c)
	require.NoError(t, err)
	raw, err = p.AuthCodeURL(context.Background(), transaction())
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(raw, s.URL+"/authorize?client_id="), raw)
	require.NotContains(t, raw, "scope")
}

func TestClientAuthentication(t *testing.T) { // TK-01
	for method, test := range map[oauth2.ClientAuth]struct{ basic, id, secret bool }{
		"":                       {false, true, true},
		oauth2.ClientSecretPost:  {false, true, true},
		oauth2.ClientSecretBasic: {true, false, false},
		oauth2.ClientAuthNone:    {false, true, false},
	} {
		s := newServer(t)
		_, err := s.signIn(t, func(c *oauth2.Config) { c.ClientAuth = method })
		require.NoError(t, err)
		require.Len(t, s.sent, 1)
		user, password, basic := s.sent[0].BasicAuth()
		require.Equal(t, test.basic, basic, method)
		if basic { // form-encoded before they are joined
			require.Equal(t, "app", user)
			require.Equal(t, url.QueryEscape(clientSecret), password)
		}
		require.Equal(t, test.id, s.sent[0].PostForm.Has("client_id"), method)
		require.Equal(t, test.secret, s.sent[0].PostForm.Has("client_secret"), method)
	}
}

func TestTokenAnswers(t *testing.T) {
	const form, js = "application/x-www-form-urlencoded", "application/json"
	for _, c := range []struct {
		name, media, body string
		status            int
		err               error
	}{
		{"TK-04 a form", form, "access_token=at&token_type=bearer&scope=user", 200, nil},
		{"TK-04 a form, with its charset", form + "; charset=utf-8", "access_token=at&token_type=bearer", 200, nil},
		{"TK-04 a form that is called text", "text/plain", "access_token=at&token_type=bearer", 200, auth.ErrUnavailable},
		{"TK-03 an error in a form", form, "error=bad_verification_code&error_description=x", 200, auth.ErrExpired},
		{"TK-03 an error in JSON", js, `{"error":"incorrect_client_credentials"}`, 200, auth.ErrMisconfigured},
		{"TK-03 an empty error beside a token", js, `{"error":"","access_token":"at","token_type":"bearer"}`, 200, nil},
		{"TK-03 an empty error beside a token, in a form", form, "error=&access_token=at&token_type=bearer", 200, nil},
		{"TK-03 an empty error beside a token, and status 400", js, `{"error":"","access_token":"at","token_type":"bearer"}`, 400, auth.ErrUnavailable},
		{"TK-03 an empty error", js, `{"error":"","token_type":"bearer"}`, 200, auth.ErrInvalidResponse},
		{"TK-03 an empty error, and status 400", js, `{"error":""}`, 400, auth.ErrInvalidResponse},
		{"TK-03 an error beside a token", js, `{"error":"x","access_token":"at","token_type":"bearer"}`, 200, auth.ErrInvalidResponse},
		{"TK-09 no type", js, `{"access_token":"at"}`, 200, nil},
		{"TK-09 an empty type", js, `{"access_token":"at","token_type":""}`, 200, auth.ErrMisconfigured},
		{"TK-11 twice in a form", form, "access_token=at&access_token=evil&token_type=bearer", 200, auth.ErrInvalidResponse},
		{"TK-11 twice in JSON", js, `{"access_token":"at","access_token":"evil","token_type":"bearer"}`, 200, auth.ErrUnavailable},
		{"TK-11 in capitals", js, `{"ACCESS_TOKEN":"at","token_type":"bearer"}`, 200, auth.ErrInvalidResponse},
		{"TK-06 no text", form, "access_token=%ff&token_type=bearer", 200, auth.ErrInvalidResponse},
		{"TK-09 another type", js, `{"access_token":"at","token_type":"mac"}`, 200, auth.ErrMisconfigured},
		{"TK-17 created", js, `{"access_token":"at","token_type":"bearer"}`, 201, nil},
		{"TK-17 accepted", js, `{"access_token":"at","token_type":"bearer"}`, 202, auth.ErrUnavailable},
		{"TK-17 invalid_grant", js, `{"error":"invalid_grant"}`, 400, auth.ErrExpired},
		{"TK-17 the client is unknown", "text/html", "<html>", 401, auth.ErrMisconfigured},
		{"TK-18 too many", js, `{"access_token":"at","token_type":"bearer"}`, 429, auth.ErrUnavailable},
		{"a redirect URI", js, `{"error":"invalid_client","error_description":"AADSTS50011: x"}`, 400, auth.ErrRedirectURI},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newServer(t)
			s.token = says(c.status, c.media, c.body)
			id, err := s.signIn(t, nil)
			require.Len(t, s.sent, 1, "I8: the code goes out once")
			require.ErrorIs(t, err, c.err)
			if c.err != nil {
				require.Empty(t, s.asked)
				return
			}
			require.Equal(t, "at", id.Token.AccessToken)
		})
	}
}

func TestExpiry(t *testing.T) { // TK-10
	year := 365 * 24 * time.Hour
	for value, want := range map[string]time.Duration{
		"3600": time.Hour, `"3600"`: time.Hour, "1.9": time.Second, "99999999999": year, "2147483648": year, `"2147483648"`: year,
		"1e30": 0, "0": 0, "-1": 0, `"abc"`: 0, `"1.5"`: 0, "null": 0, "[]": 0, "{}": 0, "true": 0, "1e300": 0,
	} {
		s := newServer(t)
		s.token = says(200, "application/json", `{"access_token":"at","token_type":"bearer","expires_in":`+value+`}`)
		id, err := s.signIn(t, nil)
		require.NoError(t, err, value)
		if want == 0 {
			require.Zero(t, id.Token.Expiry, value)
			continue
		}
		require.Equal(t, clock.Add(want), id.Token.Expiry, value)
	}
}

func TestRequiredScopes(t *testing.T) { // TK-19
	for answer, want := range map[string]error{
		`,"scope":"user read:org"`: nil, `,"scope":"user,read:org"`: nil, ``: nil, `,"scope":null`: nil, `,"scope":["user"]`: nil,
		`,"scope":"user"`: auth.ErrDeclined, `,"scope":""`: auth.ErrDeclined, `,"scope":"user read:organization"`: auth.ErrDeclined,
	} {
		s := newServer(t)
		s.token = says(200, "application/json", `{"access_token":"at","token_type":"bearer"`+answer+`}`)
		_, err := s.signIn(t, func(c *oauth2.Config) { c.RequiredScopes = []string{"user", "read:org"} })
		require.ErrorIs(t, err, want, answer)
	}
}

func TestCallback(t *testing.T) { // CB-02, CB-03, MX-01, MX-03, MX-04, ST-12, ST-18
	s := newServer(t)
	p, err := oauth2.New(s.config())
	require.NoError(t, err)
	for _, c := range []struct {
		name     string
		response url.Values
		err      error
	}{
		{"code and error", url.Values{"code": {"x"}, "error": {"access_denied"}}, auth.ErrInvalidResponse},
		{"two codes", url.Values{"code": {"x", "y"}}, auth.ErrInvalidResponse},
		{"an empty code", url.Values{"code": {""}}, auth.ErrInvalidResponse},
		{"a code of 64 KB", url.Values{"code": {strings.Repeat("x", 64<<10)}}, auth.ErrInvalidResponse},
		{"a code with NUL", url.Values{"code": {"x\x00"}}, auth.ErrInvalidResponse},
		{"tokens", url.Values{"code": {"x"}, "access_token": {"y"}}, auth.ErrInvalidResponse},
		{"another issuer", url.Values{"code": {"x"}, "iss": {"https://evil.example"}}, auth.ErrInvalidResponse},
		{"another issuer's error", url.Values{"error": {"access_denied"}, "iss": {"https://evil.example"}}, auth.ErrInvalidResponse},
		{"no", url.Values{"error": {"access_denied"}}, auth.ErrDeclined},
		{"its own issuer", url.Values{"code": {"x"}, "iss": {s.URL}}, nil},
	} {
		before := len(s.sent)
		_, err := p.Exchange(context.Background(), transaction(), c.response)
		require.ErrorIs(t, err, c.err, c.name)
		require.Equal(t, c.err == nil, len(s.sent) > before, c.name)
	}
}

func TestProviderError(t *testing.T) { // CB-01, TK-17, LG-02
	s := newServer(t)
	s.token = says(400, "application/json", `{"error":"invalid_client","error_description":"\u001b[31m\r\n\u202e`+strings.Repeat("x", 5000)+`"}`)
	_, err := s.signIn(t, nil)
	var refusal *auth.ProviderError
	require.ErrorAs(t, err, &refusal)
	require.Equal(t, "idp", refusal.Provider)
	require.Equal(t, "invalid_client", refusal.Code)
	require.Equal(t, auth.ErrMisconfigured, refusal.Err)
	require.Less(t, len(err.Error()), 1500)
	require.NotContains(t, err.Error(), "\x1b")
}

func TestAPI(t *testing.T) { // TK-02, TK-12, TK-13, UI-04, UI-07
	for _, c := range []struct {
		name   string
		answer http.HandlerFunc
		err    error
		status int
	}{
		{"a redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		}, auth.ErrUnavailable, 0},
		{"HTML", says(200, "text/html", "<html>"), auth.ErrInvalidResponse, 0},
		{"a member twice", says(200, "", `{"id":7,"id":8}`), auth.ErrInvalidResponse, 0},
		{"more behind it", says(200, "", `{"id":7} {}`), auth.ErrInvalidResponse, 0},
		{"another type", says(200, "", `{"id":"7"}`), auth.ErrInvalidResponse, 0},
		{"too large", says(200, "", strings.Repeat(" ", 1<<20)+`{"id":7}`), auth.ErrUnavailable, 0},
		{"not allowed", says(403, "", `{}`), auth.ErrInvalidResponse, 403},
		{"a rate limit", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Retry-After", "9"); w.WriteHeader(403) }, auth.ErrUnavailable, 403},
		{"a rate limit, as GitHub's", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-RateLimit-Remaining", "0")
			w.WriteHeader(403)
		}, auth.ErrUnavailable, 403},
		{"not allowed, and more are", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-RateLimit-Remaining", "1")
			w.WriteHeader(403)
		}, auth.ErrInvalidResponse, 403},
		{"a limit is no reason for a 404", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Retry-After", "9"); w.WriteHeader(404) }, auth.ErrInvalidResponse, 404},
		{"the client's fault", says(499, "", ``), auth.ErrInvalidResponse, 499},
		{"the server's fault", says(500, "", ``), auth.ErrUnavailable, 500},
		{"too many", says(429, "", ``), auth.ErrUnavailable, 429},
		{"down", says(502, "", ``), auth.ErrUnavailable, 502},
		{"created", says(201, "", `{"id":7}`), auth.ErrInvalidResponse, 201},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newServer(t)
			s.api = c.answer
			_, err := s.signIn(t, nil)
			require.ErrorIs(t, err, c.err)
			require.Len(t, s.asked, 1)
			var refusal *oauth2.APIError
			if errors.As(err, &refusal) {
				require.Equal(t, "/user", refusal.Path)
			}
			require.Equal(t, c.status != 0, refusal != nil && refusal.Status == c.status)
		})
	}
}

// TestKind: the list of providers has Auth.js's word for it.
func TestKind(t *testing.T) {
	p, err := oauth2.New(newServer(t).config())
	require.NoError(t, err)
	a, err := auth.New(auth.Config{Secrets: []auth.Secret{auth.NewSecret(rand.Text() + rand.Text())}, URL: "https://app.example", Providers: []auth.Provider{p}})
	require.NoError(t, err)
	w := httptest.NewRecorder()
	a.ServeHTTP(w, httptest.NewRequest("GET", "https://app.example/api/auth/providers", nil))
	require.Contains(t, w.Body.String(), `"id":"idp","name":"idp","type":"oauth"`)
}

// TestClock: where none is configured, it is the machine's.
func TestClock(t *testing.T) { // TK-10
	begun := time.Now()
	id, err := newServer(t).signIn(t, func(c *oauth2.Config) { c.Now = nil })
	require.NoError(t, err)
	require.WithinRange(t, id.Token.Expiry, begun.Add(time.Hour), time.Now().Add(time.Hour))
}

func TestIdentify(t *testing.T) {
	s := newServer(t)
	id, err := s.signIn(t, func(c *oauth2.Config) {
		c.Identify = func(context.Context, *oauth2.API) (*auth.Identity, error) {
			return &auth.Identity{Issuer: "https://its.own.example", Subject: "7", Picture: "javascript:alert(1)", Groups: make([]string, 5000)}, nil
		}
	})
	require.NoError(t, err)
	require.Equal(t, "https://its.own.example", id.Issuer)
	require.Empty(t, id.Picture, "UI-08")
	require.Len(t, id.Groups, 5000, "a policy sees all")
	_, err = s.signIn(t, func(c *oauth2.Config) {
		c.Identify = func(context.Context, *oauth2.API) (*auth.Identity, error) { return nil, errors.New("odd") }
	})
	require.ErrorIs(t, err, auth.ErrUnavailable, "an error of no class")
	_, err = s.signIn(t, func(c *oauth2.Config) {
		c.Identify = func(context.Context, *oauth2.API) (*auth.Identity, error) { return nil, nil }
	})
	require.ErrorIs(t, err, auth.ErrMisconfigured)
	_, err = s.signIn(t, func(c *oauth2.Config) {
		c.Identify = func(context.Context, *oauth2.API) (*auth.Identity, error) { return nil, auth.ErrNotAllowed }
	})
	require.ErrorIs(t, err, auth.ErrNotAllowed)
	require.NotErrorIs(t, err, auth.ErrUnavailable)
	_, err = s.signIn(t, func(c *oauth2.Config) {
		c.Identify = func(ctx context.Context, api *oauth2.API) (*auth.Identity, error) {
			_, err := api.GetJSON(ctx, "http://x.example\x7f", nil)
			return nil, err
		}
	})
	require.ErrorIs(t, err, auth.ErrMisconfigured)
}

func TestConfigProblems(t *testing.T) { // LG-06, DI-14
	s := newServer(t)
	for want, change := range map[string]func(*oauth2.Config){
		"Name":                func(c *oauth2.Config) { c.Name = "X y" },
		"AuthURL":             func(c *oauth2.Config) { c.AuthURL = "javascript:alert(1)" },
		"TokenURL":            func(c *oauth2.Config) { c.TokenURL = "http://x.example" },
		"Issuer":              func(c *oauth2.Config) { c.Issuer = "" },
		"ClientID":            func(c *oauth2.Config) { c.ClientID = "" },
		"ClientSecret":        func(c *oauth2.Config) { c.ClientSecret = auth.Secret{} },
		"private_key_jwt":     func(c *oauth2.Config) { c.ClientAuth = "private_key_jwt" },
		"not known":           func(c *oauth2.Config) { c.ClientAuth = "x" },
		"Identify":            func(c *oauth2.Config) { c.Identify = nil },
		`"state"`:             func(c *oauth2.Config) { c.AuthParams = url.Values{"state": {"x"}} },
		`"scope"`:             func(c *oauth2.Config) { c.ParamNames = []string{"scope"} },
		`"audience" has no`:   func(c *oauth2.Config) { c.AuthParams = url.Values{"audience": nil} },
		`"resource" has no v`: func(c *oauth2.Config) { c.AuthParams = url.Values{"resource": {}} },
	} {
		c := s.config()
		change(&c)
		_, err := oauth2.New(c)
		require.ErrorContains(t, err, want)
	}
	p, err := oauth2.New(s.config())
	require.NoError(t, err)
	require.Equal(t, "oauth", auth.Typed(p).Type())
}

// TestInsecureHTTP: on a private network, where the connection shows that it is one.
func TestInsecureHTTP(t *testing.T) { // DI-07, DI-08
	at := func(s *server, base string, insecure bool) func(*oauth2.Config) {
		return func(c *oauth2.Config) {
			c.Issuer, c.AuthURL, c.TokenURL, c.InsecureHTTP = base, base+"/authorize", base+"/token", insecure
			c.HTTPClient = &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				conn, err := (&net.Dialer{}).DialContext(ctx, network, s.Listener.Addr().String())
				if err == nil && address == "rebound.lan:80" {
					return public{conn}, nil
				}
				return conn, err
			}}}
		}
	}
	for base, want := range map[string]error{
		"http://git.lan": nil, "http://192.168.1.10:3000": nil, "http://rebound.lan": auth.ErrUnavailable,
	} {
		s := newServer(t)
		c := s.config()
		at(s, base, false)(&c)
		_, err := oauth2.New(c)
		require.ErrorContains(t, err, "https", base)
		_, err = s.signIn(t, at(s, base, true))
		require.ErrorIs(t, err, want)
		require.Equal(t, want == nil, len(s.sent) == 1, "the code goes to private addresses alone")
	}
	for _, base := range []string{"http://93.184.216.34", "http://169.254.169.254", "http://[fe80::1]", "ftp://192.168.1.10"} {
		s := newServer(t)
		c := s.config()
		at(s, base, true)(&c)
		_, err := oauth2.New(c)
		require.ErrorContains(t, err, "TokenURL: want an https address (http only on loopback and private addresses)", base)
	}
}

// public is a connection to a public address.
type public struct{ net.Conn }

func (public) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(93, 184, 216, 34), Port: 80} }
