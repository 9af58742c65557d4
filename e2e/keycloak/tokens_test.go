package keycloak_test

import (
	"cmp"
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAudiences: a mapper has the token name others beside this client.
func TestAudiences(t *testing.T) { // ID-13
	s := newSite(t)
	audience := func(id string) object { return mapper("oidc-audience-mapper", object{"included.client.audience": id}) }
	issuer := newRealm(t, "audiences", object{
		"users": []object{user("ada", nil)},
		"clients": []object{
			client(s, object{
				"redirectUris":    []string{s.address + "/api/auth/callback/keycloak", s.address + "/api/auth/callback/generic-oidc"},
				"protocolMappers": []object{audience("account"), audience("reports")},
			}),
			{"clientId": "reports", "secret": secret},
		},
	})
	for _, test := range []struct {
		name, provider, variable, trusted, refusal string
	}{
		{"keycloak", "keycloak", "KEYCLOAK", "", ""},
		{"keycloak, with one of them named", "keycloak", "KEYCLOAK", "account", `aud names \"reports\", which`},
		{"generic-oidc", "generic-oidc", "GENERIC_OIDC", "", `aud names \"`},
		{"generic-oidc, with one of them named", "generic-oidc", "GENERIC_OIDC", "account", `aud names \"reports\", which`},
		{"generic-oidc, with both named", "generic-oidc", "GENERIC_OIDC", "account, reports", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			s.t = t
			s.configure(issuer, map[string]string{
				"NEXT_AUTH_SSO_PROVIDERS": test.provider, "AUTH_KEYCLOAK_TRUSTED_AUDIENCES": test.trusted,
				"AUTH_GENERIC_OIDC_ID": "web", "AUTH_GENERIC_OIDC_SECRET": secret, "AUTH_GENERIC_OIDC_ISSUER": issuer, "AUTH_GENERIC_OIDC_TRUSTED_AUDIENCES": test.trusted,
			})
			g := s.visitor().begin(test.provider).login("ada")
			if test.refusal == "" {
				require.Equal(t, test.provider, g.session().Provider)
				return
			}
			g.refused(http.StatusBadGateway, misconfigured, test.refusal, "AUTH_"+test.variable+"_TRUSTED_AUDIENCES")
		})
	}
}

func TestAlgorithms(t *testing.T) { // ID-03, ID-05
	s := newSite(t)
	issuer := newRealm(t, "algorithms", object{
		"users": []object{user("ada", nil)},
		"clients": func() (list []object) {
			for _, algorithm := range []string{"RS512", "ES384", "EdDSA", "PS256", "HS256"} {
				list = append(list, client(s, object{"clientId": algorithm, "attributes": object{"id.token.signed.response.alg": algorithm}}))
			}
			return list
		}(),
	})
	for _, test := range []struct{ algorithm, only, refusal string }{
		{"RS512", "", ""},
		{"ES384", "", ""},
		{"EdDSA", "", ""},
		{"PS256", "", ""},
		{"HS256", "", `HS256`},
		{"ES384", "ES384 RS256", ""},
		{"RS512", "ES384 RS256", `RS512`},
	} {
		t.Run(test.algorithm+" of "+cmp.Or(test.only, "all"), func(t *testing.T) {
			s.t = t
			s.configure(issuer, map[string]string{"AUTH_KEYCLOAK_ID": test.algorithm, "AUTH_KEYCLOAK_ALGORITHMS": test.only})
			g := s.signIn("ada")
			if test.refusal == "" {
				require.Equal(t, "ada@example.com", g.session().Email)
				return
			}
			g.refused(http.StatusBadGateway, misconfigured, test.refusal)
		})
	}
}

// TestKeyRotation: a new key signs while the site has the old ones.
func TestKeyRotation(t *testing.T) { // ID-24
	s := newSite(t)
	issuer := newRealm(t, "rotation", object{"users": []object{user("ada", nil)}, "clients": []object{client(s, nil)}})
	s.configure(issuer, nil)
	s.signIn("ada").session()
	active := func() string {
		var keys struct{ Active map[string]string }
		require.NoError(t, json.Unmarshal(admin(t, "GET", "/rotation/keys", nil), &keys))
		return keys.Active["RS256"]
	}
	old := active()
	var realm struct{ ID string }
	require.NoError(t, json.Unmarshal(admin(t, "GET", "/rotation", nil), &realm))
	admin(t, "POST", "/rotation/components", object{
		"name": "new", "providerId": "rsa-generated", "providerType": "org.keycloak.keys.KeyProvider", "parentId": realm.ID,
		"config": object{"priority": []string{"200"}, "algorithm": []string{"RS256"}},
	})
	require.NotEqual(t, old, active())
	s.signIn("ada").session()
}
