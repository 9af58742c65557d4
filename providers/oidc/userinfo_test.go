package oidc_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/oidc"
	"github.com/sallyport/auth/providers/providertest"
)

func TestUserinfo(t *testing.T) { // UI-01 to UI-06
	bare := func(m map[string]any) { delete(m, "name"); delete(m, "email"); delete(m, "email_verified") }
	cases := []struct {
		name string
		info func(map[string]any)
		ok   bool
	}{
		{"fills in", func(map[string]any) {}, true},
		{"another sub", func(m map[string]any) { m["sub"] = "adainvalid" }, false},
		{"no sub", func(m map[string]any) { delete(m, "sub") }, false},
		{"null sub", func(m map[string]any) { m["sub"] = nil }, false},
		{"overrides", func(m map[string]any) { m["iss"], m["aud"], m["tid"] = "https://evil.example", "x", "y" }, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := newRelying(t, nil)
			r.idp.SetFaults(providertest.Faults{IDToken: bare, Userinfo: c.info})
			id, err := r.signIn()
			require.Equal(t, 1, r.idp.Hits("userinfo"))
			if !c.ok {
				require.ErrorIs(t, err, auth.ErrInvalidResponse)
				return
			}
			require.NoError(t, err)
			require.Equal(t, "ada@example.com", id.Email)
			require.Equal(t, r.idp.Issuer(), id.Issuer)
		})
	}
	t.Run("UI-06 does not verify another address", func(t *testing.T) {
		r := newRelying(t, func(c *oidc.Config) { c.AlwaysUserinfo = true })
		r.idp.SetFaults(providertest.Faults{IDToken: func(m map[string]any) { m["email"] = "victim@example.com"; delete(m, "email_verified") }})
		id, err := r.signIn()
		require.NoError(t, err)
		require.False(t, id.EmailVerified)
	})
	down := func(name string, w http.ResponseWriter, _ *http.Request) bool {
		if name == "userinfo" {
			w.WriteHeader(503)
		}
		return name == "userinfo"
	}
	t.Run("UI-04 down, optional", func(t *testing.T) {
		r := newRelying(t, nil)
		r.idp.SetFaults(providertest.Faults{IDToken: bare, Endpoint: down})
		_, err := r.signIn()
		require.NoError(t, err)
	})
	t.Run("UI-04 down, asked for", func(t *testing.T) {
		r := newRelying(t, func(c *oidc.Config) { c.AlwaysUserinfo = true })
		r.idp.SetFaults(providertest.Faults{Endpoint: down})
		_, err := r.signIn()
		require.ErrorIs(t, err, auth.ErrUnavailable)
	})
}
