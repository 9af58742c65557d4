package oidc_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/oidc"
	"github.com/sallyport/auth/providers/providertest"
)

func offline(c *oidc.Config) { c.Scopes = []string{"openid", "offline_access"} }

// kept is the token of somebody who has just signed in and may be offline.
func (r *relying) kept() *oauth2.Token {
	id, err := r.signIn()
	require.NoError(r.t, err)
	require.NotEmpty(r.t, id.Token.RefreshToken)
	return id.Token
}

func (r *relying) refresh(old *oauth2.Token) (*oauth2.Token, error) {
	return r.p.Refresh(context.Background(), old)
}

// asksAs reports whether the API knows somebody by the token.
func (r *relying) asksAs(t *oauth2.Token) bool {
	req, err := http.NewRequest("GET", r.idp.Issuer()+"/userinfo", nil)
	require.NoError(r.t, err)
	t.SetAuthHeader(req)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(r.t, err)
	resp.Body.Close()
	return resp.StatusCode == 200
}

// TestOIDCCClientRefreshToken is oidcc-client-test-refresh-token: a refresh, and then a call with what it
// brought.
func TestOIDCCClientRefreshToken(t *testing.T) { // RF-02, TK-20
	r := newRelying(t, offline)
	old := r.kept()
	r.advance(30 * time.Minute)
	next, err := r.refresh(old)
	require.NoError(t, err)
	require.NotEqual(t, old.AccessToken, next.AccessToken)
	require.NotEqual(t, old.RefreshToken, next.RefreshToken)
	require.NotEmpty(t, next.Extra("id_token"))
	require.Equal(t, r.clock().Add(time.Hour), next.Expiry)
	require.True(t, r.asksAs(next))
	sent := r.idp.TokenRequests()
	require.Len(t, sent, 2)
	require.Equal(t, old.RefreshToken, sent[1].Get("refresh_token"))
	require.False(t, sent[1].Has("redirect_uri") || sent[1].Has("code"))
	_, err = r.refresh(next)
	require.NoError(t, err)
}

// TestOIDCCClientRefreshTokenInvalidIssuer is oidcc-client-test-refresh-token-invalid-issuer, and
// TestOIDCCClientRefreshTokenInvalidSub oidcc-client-test-refresh-token-invalid-sub: nothing is called with what came.
func TestOIDCCClientRefreshTokenInvalidIssuer(t *testing.T) { // RF-02
	refusesRefreshed(t, "iss", func(claims map[string]any) { claims["iss"] = claims["iss"].(string) + "1" })
}

func TestOIDCCClientRefreshTokenInvalidSub(t *testing.T) { // RF-02
	refusesRefreshed(t, "sub is not", func(claims map[string]any) { claims["sub"] = "invalid" })
}

func refusesRefreshed(t *testing.T, want string, change func(map[string]any)) {
	r := newRelying(t, offline)
	old := r.kept()
	r.idp.SetFaults(providertest.Faults{IDToken: change})
	_, err := r.refresh(old)
	require.ErrorIs(t, err, auth.ErrSignInAgain)
	require.ErrorContains(t, err, want)
	require.NotContains(t, err.Error(), old.RefreshToken)
	require.Zero(t, r.idp.Hits("userinfo"))
	require.Len(t, r.idp.TokenRequests(), 2)
}

func TestARefreshedIDToken(t *testing.T) { // RF-02
	for name, test := range map[string]struct {
		change func(map[string]any)
		want   string
	}{
		"another person":       {func(c map[string]any) { c["sub"] = "lin" }, "sub is not"},
		"nobody":               {func(c map[string]any) { delete(c, "sub") }, "sub is not"},
		"another client":       {func(c map[string]any) { c["aud"] = "other" }, "aud is"},
		"another client's too": {func(c map[string]any) { c["aud"] = []string{"app", "other"} }, "aud names"},
		"an azp":               {func(c map[string]any) { c["azp"] = "app" }, "azp is not"},
		"another sign-in":      {func(c map[string]any) { c["auth_time"] = 1 }, "auth_time is not"},
		"another nonce":        {func(c map[string]any) { c["nonce"] = "n" }, "nonce is not"},
		"another access token": {func(c map[string]any) { c["at_hash"] = "x" }, "at_hash"},
		"no auth_time":         {func(c map[string]any) { delete(c, "auth_time") }, ""},
		"no iat":               {func(c map[string]any) { delete(c, "iat") }, "iat is missing"},
		"another name":         {func(c map[string]any) { c["name"] = "Countess" }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if test.want != "" {
				refusesRefreshed(t, test.want, test.change)
				return
			}
			r := newRelying(t, offline)
			old := r.kept()
			r.idp.SetFaults(providertest.Faults{IDToken: test.change})
			_, err := r.refresh(old)
			require.NoError(t, err)
		})
	}
	r := newRelying(t, offline)
	old := r.kept()
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(old.Extra("id_token").(string), ".")[1])
	require.NoError(t, err)
	var first struct{ Nonce string }
	require.NoError(t, json.Unmarshal(payload, &first))
	r.idp.SetFaults(providertest.Faults{IDToken: func(c map[string]any) { c["nonce"] = first.Nonce }})
	_, err = r.refresh(old)
	require.NoError(t, err)
	_, err = r.refresh(&oauth2.Token{RefreshToken: old.RefreshToken})
	require.ErrorIs(t, err, auth.ErrSignInAgain, "nothing to compare it with")
}

func TestAnAnswerWithoutAnIDToken(t *testing.T) { // RF-02
	r := newRelying(t, offline)
	old := r.kept()
	r.idp.SetFaults(providertest.Faults{Token: func(m map[string]any) { delete(m, "id_token"); delete(m, "refresh_token") }})
	next, err := r.refresh(old)
	require.NoError(t, err)
	require.Equal(t, old.RefreshToken, next.RefreshToken)
}

// A clock that is wrong, and keys that cannot be had, are no reason to sign anybody out.
func TestARefreshThatMayBeTriedAgain(t *testing.T) { // RF-04
	r := newRelying(t, offline)
	old := r.kept()
	r.idp.SetFaults(providertest.Faults{IDToken: func(c map[string]any) { c["iat"] = r.clock().Add(time.Hour).Unix() }})
	_, err := r.refresh(old)
	require.ErrorIs(t, err, auth.ErrClock)
	require.NotErrorIs(t, err, auth.ErrSignInAgain)

	r = newRelying(t, offline)
	old = r.kept()
	r.idp.RotateKeys()
	r.idp.SetFaults(providertest.Faults{Endpoint: func(name string, w http.ResponseWriter, _ *http.Request) bool {
		if name == "keys" {
			w.WriteHeader(503)
		}
		return name == "keys"
	}})
	_, err = r.refresh(old)
	require.ErrorIs(t, err, auth.ErrUnavailable)
	require.NotErrorIs(t, err, auth.ErrSignInAgain)

	for name, answer := range map[string]http.HandlerFunc{
		"HTML":       func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) },
		"a bare 503": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) },
		"a 503": func(w http.ResponseWriter, _ *http.Request) {
			providertest.WriteJSON(w, 503, map[string]any{"error": "invalid_grant"})
		},
		"a redirect": func(w http.ResponseWriter, req *http.Request) {
			http.Redirect(w, req, "/elsewhere", http.StatusTemporaryRedirect)
		},
		"too much": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(strings.Repeat(" ", 2<<20))) },
		"cut": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte("{"))
		},
		"no token": func(w http.ResponseWriter, _ *http.Request) { providertest.WriteJSON(w, 200, map[string]any{}) },
		"a bad client": func(w http.ResponseWriter, _ *http.Request) {
			providertest.WriteJSON(w, 401, map[string]any{"error": "invalid_client"})
		},
		"no such grant": func(w http.ResponseWriter, _ *http.Request) {
			providertest.WriteJSON(w, 400, map[string]any{"error": "unsupported_grant_type"})
		},
	} {
		r := newRelying(t, offline)
		old := r.kept()
		r.idp.SetFaults(providertest.Faults{Endpoint: func(name string, w http.ResponseWriter, req *http.Request) bool {
			if name == "token" {
				answer(w, req)
			}
			return name == "token"
		}})
		before := r.idp.Hits("token")
		_, err := r.refresh(old)
		require.Error(t, err, name)
		require.NotErrorIs(t, err, auth.ErrSignInAgain, name)
		require.Equal(t, before+1, r.idp.Hits("token"), name)
		require.NotContains(t, err.Error(), old.RefreshToken)
	}
}

func TestARefreshThatIsRefused(t *testing.T) { // RF-03
	for _, code := range []string{"invalid_grant", "interaction_required", "consent_required", "access_denied"} {
		for _, status := range []int{200, 400} {
			r := newRelying(t, offline)
			old := r.kept()
			r.idp.SetFaults(providertest.Faults{Endpoint: func(name string, w http.ResponseWriter, _ *http.Request) bool {
				if name == "token" {
					providertest.WriteJSON(w, status, map[string]any{"error": code})
				}
				return name == "token"
			}})
			_, err := r.refresh(old)
			require.ErrorIs(t, err, auth.ErrSignInAgain, code)
			require.ErrorContains(t, err, code)
		}
	}
	r := newRelying(t, offline)
	old := r.kept()
	_, err := r.refresh(old)
	require.NoError(t, err)
	_, err = r.refresh(old) // a second time
	require.ErrorIs(t, err, auth.ErrSignInAgain)
}

func TestARefreshAuthenticatesAsASignInDoes(t *testing.T) { // TK-17
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	for method, want := range map[oidc.ClientAuth][]string{
		oidc.ClientSecretBasic: {"grant_type", "refresh_token"},
		oidc.ClientSecretPost:  {"client_id", "client_secret", "grant_type", "refresh_token"},
		oidc.PrivateKeyJWT:     {"client_assertion", "client_assertion_type", "client_id", "grant_type", "refresh_token"},
		oidc.ClientAuthNone:    {"client_id", "grant_type", "refresh_token"},
	} {
		r := newRelying(t, func(c *oidc.Config) {
			c.ClientAuth = method
			if method == oidc.PrivateKeyJWT {
				c.PrivateKey, c.ClientSecret = key, auth.Secret{}
			}
		})
		var form []string
		r.idp.SetFaults(providertest.Faults{Endpoint: func(name string, w http.ResponseWriter, req *http.Request) bool {
			if name != "token" {
				return false
			}
			require.NoError(t, req.ParseForm())
			for field := range req.PostForm {
				form = append(form, field)
			}
			_, _, basic := req.BasicAuth()
			require.Equal(t, method == oidc.ClientSecretBasic, basic)
			providertest.WriteJSON(w, 200, map[string]any{"access_token": "at", "token_type": "Bearer"})
			return true
		}})
		_, err := r.refresh(&oauth2.Token{RefreshToken: "rt"})
		require.NoError(t, err)
		require.ElementsMatch(t, want, form, method)
	}
}
