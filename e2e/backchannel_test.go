package e2e_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/oidc"
	"github.com/sallyport/auth/session"
)

// TestBackChannelLogout: who signs out at the certified provider is nobody on both nodes
// of a site with their next request, with sessions in a store or in cookies.
func TestBackChannelLogout(t *testing.T) { // BC-02, BC-12
	for mode, sessions := range map[string]session.Config{
		"store":   {Store: session.NewMemoryStore(0, nil)},
		"cookies": {Revocations: session.NewMemoryStore(0, nil)},
	} {
		t.Run(mode, func(t *testing.T) {
			ctx, stop := context.WithCancel(context.Background())
			defer stop()
			opPort, nodes := freePort(t), []string{freePort(t), freePort(t)}
			issuer, site := "http://127.0.0.1:"+opPort, "http://127.0.0.1:"+nodes[0]
			require.NoError(t, start(ctx, t.TempDir(), issuer+discovery, []string{
				"ISSUER=" + issuer, "PORT=" + opPort, "REDIRECT_URIS=" + site + "/api/auth/callback/certified",
				"BACKCHANNEL_LOGOUT_URI=http://127.0.0.1:" + nodes[1] + "/api/auth/backchannel-logout/certified",
			}, "node", "servers/op.mjs"))
			events := make(chan auth.Event, 100)
			for _, port := range nodes {
				certified, err := oidc.New(oidc.Config{Name: "certified", Issuer: issuer, ClientID: "app", ClientSecret: auth.NewSecret(opSecret)})
				require.NoError(t, err)
				require.NoError(t, serveApp(ctx, auth.Config{
					Secrets: []auth.Secret{auth.NewSecret(formSecret)}, Providers: []auth.Provider{certified}, Session: sessions, BackChannelLogout: true,
					OnEvent: func(_ context.Context, e auth.Event) { events <- e },
				}, "127.0.0.1:"+port))
			}
			signIn := func(p *person) {
				to, fields := p.send("GET", site+"/page", nil).form("/signin/certified")
				require.Contains(t, p.send("POST", to+"?login_hint=ada", fields).text, "Hello Ada")
				require.Equal(t, auth.EventSignedIn, (<-events).Kind)
			}
			signedIn := func(p *person) (list []bool) {
				for _, port := range nodes {
					list = append(list, p.send("GET", "http://127.0.0.1:"+port+"/page", nil).at.Path == "/page")
				}
				return list
			}
			ada, elsewhere := newPerson(t), newPerson(t)
			signIn(ada)
			signIn(elsewhere)
			require.Equal(t, []bool{true, true}, signedIn(ada))

			to, fields := ada.send("GET", issuer+"/session/end", nil).form("/session/end/confirm")
			fields.Set("logout", "yes")
			left := ada.send("POST", to, fields)
			require.Equal(t, 200, left.code, left.text)
			select {
			case e := <-events:
				require.Equal(t, []string{string(auth.EventLoggedOut), issuer, "ada"}, []string{string(e.Kind), e.Issuer, e.Subject})
			case <-time.After(10 * time.Second):
				t.Fatal("no logout token is taken")
			}
			require.Equal(t, []bool{false, false}, signedIn(ada))
			require.Equal(t, []bool{true, true}, signedIn(elsewhere), "another session of the same person at the provider")
			signIn(ada)
			require.Equal(t, []bool{true, true}, signedIn(ada))
		})
	}
}
