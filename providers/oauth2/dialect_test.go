package oauth2_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/oauth2"
)

// TestDialectOfTheTokenRequest: the same request, as each server takes it.
func TestDialectOfTheTokenRequest(t *testing.T) { // I8, PK-04, TK-01
	standard := url.Values{
		"grant_type": {"authorization_code"}, "code": {"the-code"}, "redirect_uri": {"https://app.example/cb"},
		"code_verifier": {transaction().Verifier}, "client_id": {"app"}, "client_secret": {clientSecret},
	}
	with := func(change func(url.Values)) url.Values {
		v := url.Values{}
		for name := range standard {
			v.Set(name, standard.Get(name))
		}
		change(v)
		return v
	}
	for name, test := range map[string]struct {
		dialect oauth2.Dialect
		method  string
		media   string
		want    url.Values
	}{
		"RFC 6749": {oauth2.Dialect{}, "POST", "application/x-www-form-urlencoded", standard},
		"JSON":     {oauth2.Dialect{TokenJSON: true}, "POST", "application/json; charset=utf-8", standard},
		"a query":  {oauth2.Dialect{TokenQuery: true}, "GET", "", standard},
		"other names": {oauth2.Dialect{ClientID: "appid", ClientSecret: "secret"}, "POST", "application/x-www-form-urlencoded", with(func(v url.Values) {
			v.Del("client_id")
			v.Del("client_secret")
			v.Set("appid", "app")
			v.Set("secret", clientSecret)
		})},
		"no PKCE": {oauth2.Dialect{InsecureNoPKCE: true}, "POST", "application/x-www-form-urlencoded", with(func(v url.Values) { v.Del("code_verifier") })},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			answer := s.token
			var sent url.Values
			s.token = func(w http.ResponseWriter, r *http.Request) {
				switch {
				case test.dialect.TokenJSON:
					body, _ := io.ReadAll(r.Body)
					var object map[string]string
					if json.Unmarshal(body, &object) == nil {
						sent = url.Values{}
						for name, value := range object {
							sent.Set(name, value)
						}
					}
				case test.dialect.TokenQuery:
					sent = r.URL.Query()
				default:
					sent = r.PostForm
				}
				answer(w, r)
			}
			_, err := s.signIn(t, func(c *oauth2.Config) { c.Dialect = test.dialect })
			require.NoError(t, err)
			require.Len(t, s.sent, 1)
			require.Equal(t, test.method, s.sent[0].Method)
			require.Equal(t, test.media, s.sent[0].Header.Get("Content-Type"))
			require.Equal(t, "sallyport", s.sent[0].Header.Get("User-Agent"))
			require.Equal(t, test.want, sent)
		})
	}
}

// TestDialectOfAPublicClient: what is not sent is not sent by another name, and empty.
func TestDialectOfAPublicClient(t *testing.T) { // TK-01
	s := newServer(t)
	_, err := s.signIn(t, func(c *oauth2.Config) {
		c.Dialect, c.ClientAuth = oauth2.Dialect{ClientID: "appid", ClientSecret: "secret"}, oauth2.ClientAuthNone
	})
	require.NoError(t, err)
	require.Equal(t, "app", s.sent[0].PostForm.Get("appid"))
	require.False(t, s.sent[0].PostForm.Has("secret"))
}

func TestDialectOfTheAuthorizationRequest(t *testing.T) { // PK-01, ST-16, ST-20
	s := newServer(t)
	c := s.config()
	c.AuthURL += "?appid=own&client_id=own&code_challenge=own"
	c.Dialect = oauth2.Dialect{ClientID: "appid", Fragment: "here", InsecureNoPKCE: true}
	p, err := oauth2.New(c)
	require.NoError(t, err)
	raw, err := p.AuthCodeURL(context.Background(), transaction())
	require.NoError(t, err)
	u, err := url.Parse(raw)
	require.NoError(t, err)
	require.Equal(t, "here", u.Fragment)
	require.Equal(t, url.Values{"appid": {"app"}, "response_type": {"code"}, "state": {"state"}, "redirect_uri": {"https://app.example/cb"}}, u.Query())
}

// TestDialectOfTheAnswer: a number that refuses, whatever else the answer has, and
// members that are kept.
func TestDialectOfTheAnswer(t *testing.T) { // TK-03, TK-06, TK-11
	const good = `"access_token":"at","token_type":"bearer","scope":"user"`
	dialect := oauth2.Dialect{ErrorCode: "code", ErrorText: "msg", Errors: map[string]error{"7": auth.ErrExpired, "-1": auth.ErrUnavailable}, Extra: []string{"openid", "other"}}
	for body, want := range map[string]error{
		`{` + good + `}`:                      nil,
		`{"code":0,` + good + `}`:             nil,
		`{"code":null,` + good + `}`:          nil,
		`{"CODE":7,` + good + `}`:             nil,
		`{"code":7,` + good + `}`:             auth.ErrExpired,
		`{"code":"7",` + good + `}`:           auth.ErrExpired,
		`{"code":-1}`:                         auth.ErrUnavailable,
		`{"code":8,` + good + `}`:             auth.ErrInvalidResponse,
		`{"code":0.5,` + good + `}`:           auth.ErrInvalidResponse,
		`{"code":"",` + good + `}`:            auth.ErrInvalidResponse,
		`{"code":{},` + good + `}`:            auth.ErrInvalidResponse,
		`{"code":0,"code":7,` + good + `}`:    auth.ErrUnavailable,
		`{"code":8,"error":"invalid_client"}`: auth.ErrMisconfigured,
		`{"code":7,"error":"invalid_client"}`: auth.ErrExpired,
		`{"code":0,"error":"invalid_client"}`: auth.ErrMisconfigured,
		`{"code":0}`:                          auth.ErrInvalidResponse,
	} {
		s := newServer(t)
		s.token = says(200, "text/plain", body)
		id, err := s.signIn(t, func(c *oauth2.Config) { c.Dialect = dialect })
		if want == nil {
			require.NoError(t, err, body)
			require.Equal(t, "at", id.Token.AccessToken)
			continue
		}
		require.ErrorIs(t, err, want, body)
	}
	s := newServer(t)
	s.token = says(200, "application/json", `{"openid":"o","other":7,"more":"x",`+good+`}`)
	id, err := s.signIn(t, func(c *oauth2.Config) {
		c.Dialect = dialect
		c.Identify = func(_ context.Context, api *oauth2.API) (*auth.Identity, error) {
			return &auth.Identity{Subject: api.Token().Extra("openid").(string) + api.Token().AccessToken}, nil
		}
	})
	require.NoError(t, err)
	require.Equal(t, "oat", id.Subject)
	require.Equal(t, "user", id.Token.Extra("scope"))
	require.Nil(t, id.Token.Extra("other"), "no text")
	require.Nil(t, id.Token.Extra("more"), "nobody asked for it")
}

func TestDialectsThatCannotBe(t *testing.T) {
	for want, change := range map[string]func(*oauth2.Config){
		"contradict each other": func(c *oauth2.Config) { c.Dialect = oauth2.Dialect{TokenJSON: true, TokenQuery: true} },
		"go with client_secret_post": func(c *oauth2.Config) {
			c.Dialect, c.ClientAuth = oauth2.Dialect{TokenQuery: true}, oauth2.ClientSecretBasic
		},
		"nothing else to show": func(c *oauth2.Config) {
			c.Dialect, c.ClientAuth = oauth2.Dialect{InsecureNoPKCE: true}, oauth2.ClientAuthNone
		},
	} {
		c := newServer(t).config()
		change(&c)
		_, err := oauth2.New(c)
		require.ErrorContains(t, err, want)
	}
}
