package keycloak_test

import (
	"context"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/native"
	"github.com/sallyport/auth/providers/oidc"
)

// TestCommandLine: a public client as docs/native.md has it registered, by both ways.
func TestCommandLine(t *testing.T) {
	issuer := newRealm(t, "native", object{"users": []object{user("ada", nil)}, "clients": []object{{
		"clientId": "cli", "publicClient": true, "redirectUris": []string{"http://127.0.0.1/callback"},
		"attributes": object{"oauth2.device.authorization.grant.enabled": "true"}, // and no PKCE method, which would be wanted in the device flow too
	}}})
	p, err := oidc.New(oidc.Config{Name: "cli", Issuer: issuer, ClientID: "cli", ClientAuth: oidc.ClientAuthNone})
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()

	id, err := native.Loopback{Provider: p, Open: func(address string) error {
		back := newSite(t).visitor().send("GET", address, nil).login("ada")
		require.Equal(t, http.StatusOK, back.status)
		require.Contains(t, back.text, "You can close this window")
		return nil
	}}.SignIn(ctx)
	require.NoError(t, err)
	require.Equal(t, "ada", id.Username)

	for button, want := range map[string]error{"accept": nil, "cancel": auth.ErrDeclined} {
		id, err = native.Device{Provider: p, Show: func(d *auth.DeviceAuthorization) error {
			v := newSite(t).visitor()
			asked := v.send("GET", d.VerificationURI, nil).submit("device_user_code", url.Values{"device_user_code": {d.UserCode}}).login("ada")
			done := asked.submit(`name="accept"`, url.Values{button: {"x"}})
			require.Equal(t, http.StatusOK, done.status, done.text)
			return nil
		}}.SignIn(ctx)
		require.ErrorIs(t, err, want, button)
		if want == nil {
			require.Equal(t, "ada", id.Username)
		}
	}
}
