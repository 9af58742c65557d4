package keycloak_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestGroups(t *testing.T) {
	s := newSite(t)
	issuer := newRealm(t, "groups", object{
		"groups":  []object{{"name": "staff"}, {"name": "sales"}, {"name": "board"}},
		"users":   []object{user("ada", object{"groups": []string{"/staff", "/sales", "/board"}}), user("eve", nil)},
		"clients": []object{client(s, object{"protocolMappers": []object{groupNames}})},
	})
	s.configure(issuer, map[string]string{"AUTH_ALLOWED_GROUPS": "board"})
	who := s.signIn("ada").session()
	require.ElementsMatch(t, []string{"staff", "sales", "board"}, who.Groups)
	require.Equal(t, "keycloak "+issuer+" ada ada Example ada@example.com", who.Provider+" "+who.Issuer+" "+who.Username+" "+who.Name+" "+who.Email)
	require.True(t, who.EmailVerified)
	require.NotContains(t, s.log.Read(), "level=WARN")
	s.signIn("eve").refused(http.StatusForbidden, notAllowed, "not in any of the allowed groups")
}

func TestManyGroups(t *testing.T) {
	s := newSite(t)
	var groups []object
	var all []string
	for i := range 250 {
		name := fmt.Sprintf("department-%03d", i)
		groups, all = append(groups, object{"name": name}), append(all, "/"+name)
	}
	issuer := newRealm(t, "many-groups", object{
		"groups":  groups,
		"users":   []object{user("ada", object{"groups": all}), user("eve", object{"groups": all[:1]})},
		"clients": []object{client(s, object{"protocolMappers": []object{groupNames}})},
	})
	s.configure(issuer, map[string]string{"AUTH_ALLOWED_GROUPS": "department-249"})
	who := s.signIn("ada").session()
	require.Less(t, len(who.Groups), 200, "what an answer takes that nginx passes on")
	require.Greater(t, len(who.Groups), 50)
	require.Equal(t, "department-249", who.Groups[0], "the one that lets in comes first")
	log := s.log.Read()
	require.Contains(t, log, "level=WARN")
	require.Contains(t, log, fmt.Sprintf("kept=%d dropped=%d", len(who.Groups), 250-len(who.Groups)))
	s.signIn("eve").refused(http.StatusForbidden, notAllowed, "not in any of the allowed groups")
}

// TestRoles: without a mapper for groups, roles are what lets in, once their mappers put
// them into the ID token.
func TestRoles(t *testing.T) {
	s := newSite(t)
	roles := func(kind, claim, inIDToken string) object {
		return mapper(kind, object{"claim.name": claim, "multivalued": "true", "jsonType.label": "String", "id.token.claim": inIDToken})
	}
	web := func(id, inIDToken string) object {
		return client(s, object{"clientId": id, "protocolMappers": []object{
			roles("oidc-usermodel-realm-role-mapper", "realm_access.roles", inIDToken),
			roles("oidc-usermodel-client-role-mapper", "resource_access.${client_id}.roles", inIDToken),
		}})
	}
	issuer := newRealm(t, "roles", object{
		"roles": object{"realm": []object{{"name": "editor"}}, "client": object{"web": []object{{"name": "writer"}}, "web.app": []object{{"name": "writer"}}, "other": []object{{"name": "writer"}}}},
		"users": []object{
			user("ada", object{"realmRoles": []string{"editor"}}),
			user("bob", object{"clientRoles": object{"web": []string{"writer"}}}),
			user("cat", object{"clientRoles": object{"web.app": []string{"writer"}}}),
			user("eve", object{"clientRoles": object{"other": []string{"writer"}}}),
		},
		"clients": []object{web("web", "true"), web("web.app", "true"), web("bare", "false"), {"clientId": "other", "secret": secret}},
	})
	for _, test := range []struct {
		name, client, allowed, claim string
		in                           []string
		out                          []string
	}{
		{"a role of the realm", "web", "editor", "", []string{"ada"}, []string{"bob", "eve"}},
		{"a role of the client", "web", "writer", "", []string{"bob"}, []string{"ada", "cat", "eve"}},
		{"a role of a client with a dot in its id", "web.app", "writer", "", []string{"cat"}, []string{"bob", "eve"}},
		{"the claim by its path", "web", "writer", "resource_access.web.roles", []string{"bob"}, []string{"ada", "eve"}},
		{"roles in the access token alone", "bare", "editor,writer", "", nil, []string{"ada", "eve"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s.t = t
			s.configure(issuer, map[string]string{"AUTH_KEYCLOAK_ID": test.client, "AUTH_ALLOWED_GROUPS": test.allowed, "AUTH_KEYCLOAK_GROUPS_CLAIM": test.claim})
			for _, name := range test.in {
				s.signIn(name).session()
			}
			for _, name := range test.out {
				s.signIn(name).refused(http.StatusForbidden, notAllowed, "not in any of the allowed groups")
			}
		})
	}
}
