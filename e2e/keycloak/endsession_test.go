package keycloak_test

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
)

// TestSignOutAtTheProvider: in Chromium, of Keycloak's session and of the site's. Keycloak
// asks nothing of whoever brings the ID token of the session.
func TestSignOutAtTheProvider(t *testing.T) { // RP-01, RP-02, RP-03
	s := newSite(t)
	s.change = func(c *auth.Config) { c.SignOutAtProvider = true }
	issuer := newRealm(t, "end-session", object{
		"users":   []object{user("ada", nil)},
		"clients": []object{client(s, object{"attributes": object{"post.logout.redirect.uris": s.address + "/api/auth/signout/keycloak"}})},
	})
	s.configure(issuer, nil)
	output, err := exec.Command("node", "../browser/sign-out.mjs", s.address, "Keycloak", "ada", password).CombinedOutput()
	t.Logf("%s", output)
	require.NoError(t, err, s.log.Read())
}
