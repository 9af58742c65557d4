package keycloak_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAddresses: a realm whose name is not all letters of ASCII, by its address in the
// ways that people paste it.
func TestAddresses(t *testing.T) { // ID-09
	const name = "Straße 1"
	s := newSite(t)
	issuer := newRealm(t, name, object{"users": []object{user("ada", nil)}, "clients": []object{client(s, nil)}})
	require.True(t, strings.HasSuffix(issuer, "/realms/Stra%C3%9Fe%201"))
	u, err := url.Parse(server)
	require.NoError(t, err)
	for what, pasted := range map[string]string{
		"as it is":              issuer,
		"with a slash":          issuer + "/",
		"its metadata":          issuer + "/.well-known/openid-configuration",
		"its metadata, a slash": issuer + "/.well-known/openid-configuration/",
		"upper-case host":       "HTTP://LOCALHOST:" + u.Port() + strings.TrimPrefix(issuer, server),
		"letters":               server + "/realms/Straße%201",
		"letters and a space":   server + "/realms/Straße 1",
	} {
		t.Run(what, func(t *testing.T) {
			s.t = t
			s.configure(pasted, nil)
			who := s.signIn("ada").session()
			want := issuer
			if what == "upper-case host" { // Keycloak calls itself what it was asked as
				want = "http://localhost:" + u.Port() + strings.TrimPrefix(issuer, server)
			}
			require.Equal(t, want, who.Issuer)
		})
	}
	s.t = t
	s.configure(server+"/realms/Strasse%201", nil)
	s.visitor().begin("keycloak").refused(http.StatusBadGateway, misconfigured, "no discovery document at "+server+"/realms/Strasse%201/", "is the issuer right?")
}
