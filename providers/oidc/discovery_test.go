package oidc_test

import (
	"context"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/providertest"
)

func TestMetadata(t *testing.T) { // DI-01, DI-07, DI-08, DI-10, DI-13, PK-02
	set := func(name string, value any) func(map[string]any) {
		return func(m map[string]any) { m[name] = value }
	}
	cases := []struct {
		name   string
		change func(map[string]any)
		ok     bool
	}{
		{"as it is", func(map[string]any) {}, true},
		{"issuer with more", func(m map[string]any) { m["issuer"] = m["issuer"].(string) + "INVALID" }, false},
		{"issuer with slash", func(m map[string]any) { m["issuer"] = m["issuer"].(string) + "/" }, false},
		{"no issuer", func(m map[string]any) { delete(m, "issuer") }, false},
		{"no token endpoint", func(m map[string]any) { delete(m, "token_endpoint") }, false},
		{"no keys", func(m map[string]any) { delete(m, "jwks_uri") }, false},
		{"javascript", set("authorization_endpoint", "javascript:alert(1)"), false},
		{"data", set("authorization_endpoint", "data:text/html,x"), false},
		{"relative", set("token_endpoint", "/token"), false},
		{"fragment", set("authorization_endpoint", "https://x.example/#a"), false},
		{"user information", set("token_endpoint", "https://a:b@x.example/"), false},
		{"http elsewhere", set("userinfo_endpoint", "http://x.example/"), false},
		{"number", set("token_endpoint", 5), false},
		{"only none", set("id_token_signing_alg_values_supported", []string{"none", "HS256"}), false},
		{"none among others", set("id_token_signing_alg_values_supported", []string{"none", "RS256"}), true},
		{"no algorithms", func(m map[string]any) { delete(m, "id_token_signing_alg_values_supported") }, true},
		{"PKCE plain only", set("code_challenge_methods_supported", []string{"plain"}), true},
		{"no PKCE", func(m map[string]any) { delete(m, "code_challenge_methods_supported") }, true},
		{"post only", set("token_endpoint_auth_methods_supported", []string{"client_secret_post"}), true},
		{"client certificates only", set("token_endpoint_auth_methods_supported", []string{"tls_client_auth"}), false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := newRelying(t, nil)
			r.idp.SetFaults(providertest.Faults{Metadata: c.change})
			_, err := r.signIn()
			require.Equal(t, c.ok, err == nil, "%v", err)
			if !c.ok {
				require.ErrorIs(t, err, auth.ErrMisconfigured)
				require.Zero(t, r.idp.Hits("authorize"))
			}
		})
	}
}

func TestAuthorizationEndpointKeepsItsQuery(t *testing.T) { // ST-20
	r := newRelying(t, nil)
	r.idp.SetFaults(providertest.Faults{Metadata: func(m map[string]any) {
		m["authorization_endpoint"] = m["authorization_endpoint"].(string) + "?tenant=x&state=evil"
	}})
	tx := r.transaction()
	raw, err := r.p.AuthCodeURL(context.Background(), tx)
	require.NoError(t, err)
	u, err := url.Parse(raw)
	require.NoError(t, err)
	require.Equal(t, []string{"x"}, u.Query()["tenant"])
	require.Equal(t, []string{tx.State}, u.Query()["state"])
}

func TestDiscoveryIsSharedAndRecovers(t *testing.T) { // DI-02 to DI-05
	r := newRelying(t, nil)
	var wait sync.WaitGroup
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := r.p.AuthCodeURL(cancelled, r.transaction())
	_ = err // may or may not have been quick enough
	for range 200 {
		wait.Go(func() {
			if _, err := r.p.AuthCodeURL(context.Background(), r.transaction()); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	require.Equal(t, 1, r.idp.Hits("discovery"))

	down := newRelying(t, nil)
	down.idp.SetFaults(providertest.Faults{Endpoint: func(_ string, w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(500); return true }})
	for range 50 {
		_, err = down.p.AuthCodeURL(context.Background(), down.transaction())
		require.ErrorIs(t, err, auth.ErrUnavailable)
	}
	require.Equal(t, 1, down.idp.Hits("discovery"), "I10: no hammering")
	down.idp.SetFaults(providertest.Faults{})
	down.advance(time.Minute)
	_, err = down.signIn()
	require.NoError(t, err)
	down.idp.SetFaults(providertest.Faults{Endpoint: func(name string, w http.ResponseWriter, _ *http.Request) bool {
		if name == "discovery" || name == "keys" {
			w.WriteHeader(500)
		}
		return name == "discovery" || name == "keys"
	}})
	down.advance(23*time.Hour + 30*time.Minute)
	_, err = down.signIn()
	require.NoError(t, err, "DI-12, JW-04: what was good is kept")
}
