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

// TestVerifiedIsSaidOfAnAddress: email_verified goes with the address of the same
// source.
func TestVerifiedIsSaidOfAnAddress(t *testing.T) { // UI-06, EN-03
	const ada, eve = "ada@example.com", "eve@example.com"
	type said map[string]any
	for name, test := range map[string]struct {
		token, info said
		email       string
		verified    bool
	}{
		"the token's":                           {said{"email": ada, "email_verified": true}, said{}, ada, true},
		"the token's, denied by userinfo":       {said{"email": ada, "email_verified": true}, said{"email": ada, "email_verified": false}, ada, true},
		"the token denies":                      {said{"email": ada, "email_verified": false}, said{"email": ada, "email_verified": true}, ada, false},
		"the token verifies no address":         {said{"email_verified": true}, said{"email": eve}, eve, false},
		"the token verifies, userinfo denies":   {said{"email_verified": true}, said{"email": eve, "email_verified": false}, eve, false},
		"userinfo's":                            {said{}, said{"email": ada, "email_verified": true}, ada, true},
		"userinfo's, unsaid":                    {said{}, said{"email": ada}, ada, false},
		"of the very address":                   {said{"email": ada}, said{"email": ada, "email_verified": true}, ada, true},
		"of another address":                    {said{"email": ada}, said{"email": eve, "email_verified": true}, ada, false},
		"of no address":                         {said{"email": ada}, said{"email_verified": true}, ada, false},
		"a null hides nothing":                  {said{"email": nil, "email_verified": nil}, said{"email": ada, "email_verified": true}, ada, true},
		"a null verifies nothing":               {said{"email": ada, "email_verified": nil}, said{"email": eve, "email_verified": true}, ada, false},
		"a null address, verified by the token": {said{"email": nil, "email_verified": true}, said{"email": eve}, eve, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRelying(t, func(c *oidc.Config) { c.AlwaysUserinfo = true })
			say := func(what said) func(map[string]any) {
				return func(m map[string]any) {
					delete(m, "email")
					delete(m, "email_verified")
					for name, value := range what {
						m[name] = value
					}
				}
			}
			r.idp.SetFaults(providertest.Faults{IDToken: say(test.token), Userinfo: say(test.info)})
			id, err := r.signIn()
			require.NoError(t, err)
			require.Equal(t, test.email, id.Email)
			require.Equal(t, test.verified, id.EmailVerified)
		})
	}
}

// TestUserinfoIsJSON: whatever it calls itself.
func TestUserinfoIsJSON(t *testing.T) { // UI-05
	for _, media := range []string{"application/jwt", "text/html", "", ";"} {
		r := newRelying(t, func(c *oidc.Config) { c.AlwaysUserinfo = true })
		r.idp.SetFaults(providertest.Faults{
			IDToken: func(m map[string]any) { delete(m, "name") },
			Endpoint: func(name string, w http.ResponseWriter, _ *http.Request) bool {
				if name == "userinfo" {
					w.Header()["Content-Type"] = []string{media}
					_, _ = w.Write([]byte(`{"sub":"ada","name":"Ada L."}`))
				}
				return name == "userinfo"
			},
		})
		id, err := r.signIn()
		require.NoError(t, err, media)
		require.Equal(t, "Ada L.", id.Name)
	}
}
