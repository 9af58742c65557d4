package keycloak_test

import (
	"encoding/json"
	"net/url"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/session"
)

// TestAdministratorSignsSomebodyOut: who is signed out in the admin console has no session
// at the next request, whose sessions are in a store or in cookies.
func TestAdministratorSignsSomebodyOut(t *testing.T) { // BC-02, BC-10, BC-12
	for mode, sessions := range map[string]session.Config{
		"store":   {Store: session.NewMemoryStore(0, nil)},
		"cookies": {Revocations: session.NewMemoryStore(0, nil)},
	} {
		t.Run(mode, func(t *testing.T) {
			s := newSite(t)
			s.change = func(c *auth.Config) { c.Session, c.BackChannelLogout = sessions, true }
			issuer := newRealm(t, "back-channel-"+mode, object{
				"users": []object{user("ada", nil), user("eve", nil)},
				"clients": []object{client(s, object{"attributes": object{
					"backchannel.logout.url": s.address + "/api/auth/backchannel-logout/keycloak", "backchannel.logout.session.required": "true",
				}})},
			})
			s.configure(issuer, nil)
			ada, eve := s.visitor(), s.visitor()
			who := ada.begin("keycloak").login("ada").session()
			eve.begin("keycloak").login("eve").session()
			require.NotEmpty(t, who.ProviderSession)

			admin(t, "POST", "/back-channel-"+mode+"/users/"+who.Subject+"/logout", nil)
			require.Eventually(t, func() bool {
				return ada.send("GET", s.address+"/report", nil).at.Path == "/api/auth/signin"
			}, 10*time.Second, 50*time.Millisecond, s.log.Read())
			require.Equal(t, "/report", eve.send("GET", s.address+"/report", nil).at.Path)
			ada.begin("keycloak").login("ada").session()
		})
	}
}

// TestFrontChannelLogout: Keycloak's page has a frame of the site in it, which Chromium
// gives no cookie.
func TestFrontChannelLogout(t *testing.T) { // FC-01
	s := newSite(t)
	s.address = strings.Replace(s.address, "127.0.0.1", "localhost", 1) // another site than Keycloak to browsers
	s.change = func(c *auth.Config) {
		c.Session, c.FrontChannelLogout = session.Config{Store: session.NewMemoryStore(0, nil)}, true
	}
	issuer := newRealm(t, "front-channel", object{
		"users": []object{user("ada", nil)},
		"clients": []object{client(s, object{"frontchannelLogout": true, "attributes": object{
			"frontchannel.logout.url": s.address + "/api/auth/frontchannel-logout/keycloak", "frontchannel.logout.session.required": "true",
		}})},
	})
	s.configure(issuer, nil)
	output, err := exec.Command("node", "../browser/front-channel.mjs", s.address, issuer, "ada", password).CombinedOutput()
	t.Logf("%s", output)
	require.NoError(t, err, s.log.Read())

	// The frame's address without the cookie, and of nobody.
	v := s.visitor()
	var who session.Session
	require.NoError(t, json.Unmarshal([]byte(v.begin("keycloak").login("ada").text), &who))
	v.send("GET", s.address+"/api/auth/frontchannel-logout/keycloak?"+url.Values{"iss": {issuer}, "sid": {"made-up"}}.Encode(), nil)
	require.Equal(t, "/report", v.send("GET", s.address+"/report", nil).at.Path)
}
