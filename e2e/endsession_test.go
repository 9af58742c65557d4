package e2e_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/oidc"
)

// TestSignOutAtTheProvider: in Chromium, of the certified provider's session and of the
// site's, which has a name of its own so that their cookies do not mix.
func TestSignOutAtTheProvider(t *testing.T) { // RP-01, RP-02, RP-03
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	port, opPort := freePort(t), freePort(t)
	issuer, site := "http://127.0.0.1:"+opPort, "http://localhost:"+port
	require.NoError(t, start(ctx, t.TempDir(), issuer+discovery, []string{
		"ISSUER=" + issuer, "PORT=" + opPort,
		"REDIRECT_URIS=" + site + "/api/auth/callback/certified", "POST_LOGOUT_REDIRECT_URIS=" + site + "/api/auth/signout/certified",
	}, "node", "servers/op.mjs"))
	certified, err := oidc.New(oidc.Config{Name: "certified", Issuer: issuer, ClientID: "app", ClientSecret: auth.NewSecret(opSecret),
		Presentation: auth.Presentation{Label: "Certified"}})
	require.NoError(t, err)
	require.NoError(t, serveApp(ctx, auth.Config{
		Secrets: []auth.Secret{auth.NewSecret(formSecret)}, URL: site, Providers: []auth.Provider{certified}, SignOutAtProvider: true, KeepTokens: true,
	}, "127.0.0.1:"+port))
	browse(t, "browser/sign-out.mjs", site, "Certified")
}
