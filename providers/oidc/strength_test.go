package oidc_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/oidc"
	"github.com/sallyport/auth/providers/providertest"
)

// TestStrengthIsTheIDTokens: when and how somebody signed in, userinfo has no say in.
func TestStrengthIsTheIDTokens(t *testing.T) { // ID-21, UI-06
	r := newRelying(t, func(c *oidc.Config) { c.AlwaysUserinfo = true })
	signIn := func(claims map[string]any) *auth.Identity {
		r.idp.SetFaults(providertest.Faults{
			IDToken: func(m map[string]any) {
				delete(m, "auth_time")
				for name, value := range claims {
					m[name] = value
				}
			},
			Userinfo: func(m map[string]any) { m["acr"], m["amr"], m["auth_time"] = "mfa", []string{"otp"}, r.clock().Unix() },
		})
		id, err := r.signIn()
		require.NoError(t, err)
		return id
	}
	id := signIn(map[string]any{"acr": "pwd", "amr": []string{"pwd"}, "auth_time": 1e9 + 0.5})
	require.Equal(t, []any{"pwd", []string{"pwd"}, time.Unix(1e9, 0)}, []any{id.ACR, id.AMR, id.AuthTime})
	require.Equal(t, 9999, signIn(map[string]any{"auth_time": 1e300}).AuthTime.UTC().Year())
	for _, nothing := range []map[string]any{nil, {"acr": 1, "amr": "pwd", "auth_time": "1"}, {"auth_time": 0}, {"auth_time": -1}} {
		id = signIn(nothing)
		require.Empty(t, id.ACR)
		require.Empty(t, id.AMR)
		require.True(t, id.AuthTime.IsZero())
	}
}

// TestMapSaysHowStrong: an issuer may say it in a claim of its own.
func TestMapSaysHowStrong(t *testing.T) {
	r := newRelying(t, func(c *oidc.Config) {
		c.Map = func(ctx context.Context, claims oidc.Claims) (*auth.Identity, error) {
			id, err := oidc.DefaultIdentity(ctx, claims)
			id.ACR, id.AMR, id.AuthTime = claims.String("vot"), []string{"own"}, time.Unix(1e9, 0)
			return id, err
		}
	})
	r.idp.SetFaults(providertest.Faults{IDToken: func(m map[string]any) { m["vot"], m["acr"], m["amr"] = "P2.Cl", "pwd", []string{"pwd"} }})
	id, err := r.signIn()
	require.NoError(t, err)
	require.Equal(t, []any{"P2.Cl", []string{"own"}, time.Unix(1e9, 0)}, []any{id.ACR, id.AMR, id.AuthTime})
}
