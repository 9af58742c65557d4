package keycloak_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestUnverifiedAddress: the realm says email_verified false of what a person typed in,
// and of what comes from a directory.
func TestUnverifiedAddress(t *testing.T) { // AK-02, PV-02
	s := newSite(t)
	issuer := newRealm(t, "unverified", object{
		"users":   []object{user("ada", nil), user("mallory", object{"emailVerified": false})},
		"clients": []object{client(s, nil)},
	})
	allowed := map[string]string{"AUTH_ALLOWED_EMAILS": "example.com"}
	s.configure(issuer, allowed)
	s.signIn("ada").session()
	s.signIn("mallory").refused(http.StatusForbidden, notAllowed, "AUTH_KEYCLOAK_TRUST_EMAIL=1")

	allowed["AUTH_KEYCLOAK_TRUST_EMAIL"] = "1"
	s.configure(issuer, allowed)
	who := s.signIn("mallory").session()
	require.Equal(t, "mallory@example.com", who.Email)
	require.True(t, who.EmailVerified)
}

// TestSeveralOfOneKind: the same name and the same subject in two realms are two people.
func TestSeveralOfOneKind(t *testing.T) { // ID-39, ST-09
	s := newSite(t)
	realm := func(id string) (issuer string) {
		return newRealm(t, id, object{
			"users": []object{user("ada", nil)},
			"clients": []object{client(s, object{
				"redirectUris":    []string{s.address + "/api/auth/callback/" + id},
				"protocolMappers": []object{mapper("oidc-hardcoded-claim-mapper", object{"claim.name": "sub", "claim.value": "4711", "jsonType.label": "String", "access.token.claim": "true", "userinfo.token.claim": "true"})},
			})},
		})
	}
	corp, partner := realm("corp"), realm("partner")
	s.configure("", map[string]string{
		"NEXT_AUTH_SSO_PROVIDERS": "corp:keycloak,partner:keycloak",
		"AUTH_CORP_ID":            "web", "AUTH_CORP_SECRET": secret, "AUTH_CORP_ISSUER": corp, "AUTH_CORP_NAME": "Corp",
		"AUTH_PARTNER_ID": "web", "AUTH_PARTNER_SECRET": secret, "AUTH_PARTNER_ISSUER": partner, "AUTH_PARTNER_NAME": "Partner",
		"AUTH_KEYCLOAK_ID": "", "AUTH_KEYCLOAK_SECRET": "", "AUTH_USER_ID": "provider",
	})
	var ids []string
	for id, issuer := range map[string]string{"corp": corp, "partner": partner} {
		v := s.visitor()
		who := v.begin(id).login("ada").session()
		require.Equal(t, id+" "+issuer+" 4711", who.Provider+" "+who.Issuer+" "+who.Subject)
		ids = append(ids, v.send("GET", s.address+"/api/auth/session", nil).text)
	}
	require.Contains(t, strings.Join(ids, " "), `"id":"corp|4711"`)
	require.Contains(t, strings.Join(ids, " "), `"id":"partner|4711"`)

	// The answer of one realm, taken to the callback of the other.
	v := s.visitor()
	login := v.begin("corp")
	v.client.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		r.URL.Path = strings.Replace(r.URL.Path, "/callback/corp", "/callback/partner", 1)
		return nil
	}
	login.login("ada").refused(http.StatusBadRequest, invalidAnswer, "the attempt was made with provider")
}

// TestLoginPageExpires: somebody leaves Keycloak's page open, and signs in elsewhere. The
// sign-in begins again by itself, and Keycloak knows them by then; who is signed in here
// goes on.
func TestLoginPageExpires(t *testing.T) {
	s := newSite(t)
	issuer := newRealm(t, "expiry", object{
		"users": []object{user("ada", nil)}, "clients": []object{client(s, nil)},
		"accessCodeLifespan": 3, "accessCodeLifespanLogin": 3, "accessCodeLifespanUserAction": 3,
	})
	s.configure(issuer, nil)
	v := s.visitor()
	first := v.begin("keycloak")
	time.Sleep(5 * time.Second)
	v.begin("keycloak").login("ada").session()
	v.send("GET", s.address+"/api/auth/signout", nil).submit("/signout", nil)
	require.Equal(t, "ada", first.login("ada").session().Username)
	require.Contains(t, s.log.Read(), `msg="auth: sign-in restarted" provider=keycloak`)

	second := s.visitor()
	first = second.begin("keycloak")
	time.Sleep(5 * time.Second)
	second.begin("keycloak").login("ada").session()
	require.Equal(t, "ada", first.login("ada").session().Username)
	require.NotContains(t, s.log.Read(), "sign-in restarted")
}

// TestAnotherAccount: whom the site refuses, Keycloak asks again, although it knows them.
func TestAnotherAccount(t *testing.T) {
	s := newSite(t)
	issuer := newRealm(t, "another-account", object{
		"users": []object{user("ada", nil), user("eve", nil)}, "clients": []object{client(s, nil)},
	})
	s.configure(issuer, map[string]string{"AUTH_ALLOWED_EMAILS": "ada@example.com"})
	g := s.signIn("eve")
	require.Equal(t, http.StatusForbidden, g.status)
	require.Contains(t, g.text, "eve@example.com")
	again := g.submit("/signin/keycloak", nil)
	require.Contains(t, again.text, `name="password"`, "Keycloak asks: %s", again.at)
}
