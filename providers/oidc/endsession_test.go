package oidc_test

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/oidc"
	"github.com/sallyport/auth/providers/providertest"
	"github.com/sallyport/auth/session"
)

const back = "https://app.example/api/auth/signout/idp"

// signOut is the address at which s is signed out, and its query.
func (r *relying) signOut(s *session.Session) (address string, query url.Values) {
	address, err := r.p.EndSessionURL(context.Background(), s, back, "the-state")
	require.NoError(r.t, err)
	u, err := url.Parse(address)
	require.NoError(r.t, err)
	return address, u.Query()
}

func unsigned(claims string) string {
	return "eyJhbGciOiJSUzI1NiJ9." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".c2ln"
}

func TestEndSessionURL(t *testing.T) { // RP-01, RP-04
	r := newRelying(t, nil)
	r.idp.SetFaults(providertest.Faults{Metadata: func(m map[string]any) {
		m["end_session_endpoint"] = r.idp.Issuer() + "/logout?p=policy&state=fixed&id_token_hint=x"
	}})
	all := url.Values{"p": {"policy"}, "client_id": {"app"}, "post_logout_redirect_uri": {back}, "state": {"the-state"}}
	with := func(more ...string) url.Values {
		q := url.Values{}
		for name, values := range all {
			q[name] = values
		}
		for i := 0; i < len(more); i += 2 {
			q.Set(more[i], more[i+1])
		}
		return q
	}
	token := unsigned(`{"sub":"ada"}`)
	known := unsigned(`{"login_hint":"O.CiQ"}`)
	longest := "a." + strings.Repeat("b", 2<<10-2)
	for name, x := range map[string]struct {
		session session.Session
		want    url.Values
	}{
		"nothing is known":         {session.Session{}, with()},
		"a name":                   {session.Session{Username: "ada", Email: "ada@example.com"}, with("logout_hint", "ada")},
		"an address":               {session.Session{Email: "ada@example.com"}, with("logout_hint", "ada@example.com")},
		"an ID token":              {session.Session{Username: "ada", ProviderTokens: &session.ProviderTokens{IDToken: token}}, with("id_token_hint", token)},
		"Entra's hint in it":       {session.Session{Username: "ada", ProviderTokens: &session.ProviderTokens{IDToken: known}}, with("id_token_hint", known, "logout_hint", "O.CiQ")},
		"no ID token among others": {session.Session{Username: "ada", ProviderTokens: &session.ProviderTokens{AccessToken: "at"}}, with("logout_hint", "ada")},
		"the longest":              {session.Session{ProviderTokens: &session.ProviderTokens{IDToken: longest}}, with("id_token_hint", longest)},
		"one that is too long":     {session.Session{Username: "ada", ProviderTokens: &session.ProviderTokens{IDToken: longest + "b"}}, with("logout_hint", "ada")},
	} {
		address, got := r.signOut(&x.session)
		require.Equal(t, x.want, got, name)
		require.True(t, strings.HasPrefix(address, r.idp.Issuer()+"/logout?"), name)
	}
}

// TestEndSessionEndpoints: where the metadata names none, or one that no browser may be
// sent to, people sign in all the same, and are signed out here alone.
func TestEndSessionEndpoints(t *testing.T) { // RP-05, DI-07
	for name, endpoint := range map[string]any{
		"none": nil, "a number": 7, "nothing": "", "a script": "javascript:alert(1)", "plain http": "http://idp.example/logout", "a path": "/logout",
		"with somebody's name": "https://ada@idp.example/logout", "with a fragment": "https://idp.example/logout#",
	} {
		r := newRelying(t, nil)
		r.idp.SetFaults(providertest.Faults{Metadata: func(m map[string]any) {
			if m["end_session_endpoint"] = endpoint; endpoint == nil {
				delete(m, "end_session_endpoint")
			}
		}})
		_, err := r.signIn()
		require.NoError(t, err, name)
		address, _ := r.signOut(&session.Session{})
		require.Empty(t, address, name)
	}
}

// TestEndSessionOverHTTP: where http is taken, no browser is sent by it to another name than
// the issuer's.
func TestEndSessionOverHTTP(t *testing.T) { // RP-05
	for endpoint, want := range map[string]bool{"http://idp.internal/logout": false, "http://10.0.0.7/logout": true} {
		r := newRelying(t, func(c *oidc.Config) { c.InsecureHTTP = true })
		r.idp.SetFaults(providertest.Faults{Metadata: func(m map[string]any) { m["end_session_endpoint"] = endpoint }})
		address, _ := r.signOut(&session.Session{})
		require.Equal(t, want, address != "", endpoint)
	}
}

func TestSignOutURL(t *testing.T) { // A0-02
	r := newRelying(t, func(c *oidc.Config) {
		c.SignOutURL = func(back string) string { return "https://idp.example/v2/logout?returnTo=" + url.QueryEscape(back) }
	})
	address, _ := r.signOut(&session.Session{})
	require.True(t, strings.HasPrefix(address, r.idp.Issuer()+"/logout?"), "metadata comes first")
	r.idp.SetFaults(providertest.Faults{Metadata: func(m map[string]any) { delete(m, "end_session_endpoint") }})
	r.advance(25 * time.Hour)
	address, query := r.signOut(&session.Session{})
	require.True(t, strings.HasPrefix(address, "https://idp.example/v2/logout?"))
	require.Equal(t, back+"?state=the-state", query.Get("returnTo"))
}

func TestEndSessionWithoutDiscovery(t *testing.T) { // RP-02
	r := newRelying(t, nil)
	r.idp.SetFaults(providertest.Faults{Endpoint: func(_ string, w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(http.StatusInternalServerError)
		return true
	}})
	_, err := r.p.EndSessionURL(context.Background(), &session.Session{}, back, "s")
	require.ErrorIs(t, err, auth.ErrUnavailable)
	require.ErrorContains(t, err, "idp: discovery")
}
