package keycloak_test

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBrowser(t *testing.T) {
	s := newSite(t)
	issuer := newRealm(t, "browser", object{"users": []object{user("ada", nil)}, "clients": []object{client(s, nil)}})
	s.configure(issuer, nil)
	output, err := exec.Command("node", "../browser/keycloak.mjs", s.address, "ada", password).CombinedOutput()
	t.Logf("%s", output)
	require.NoError(t, err, s.log.Read())
}
