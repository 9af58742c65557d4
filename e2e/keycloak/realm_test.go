package keycloak_test

import (
	"maps"
	"net/url"
	"testing"
)

const (
	password = "a person's own password"
	secret   = "a-client-secret-of-letters-and-digits"
)

// newRealm makes a realm, of what is given and what every one here has, and returns
// its issuer.
func newRealm(t *testing.T, name string, fields object) (issuer string) {
	t.Helper()
	realm := object{"realm": name, "enabled": true, "sslRequired": "none"}
	maps.Copy(realm, fields)
	admin(t, "POST", "", realm)
	return server + "/realms/" + url.PathEscape(name)
}

// client is the application s as a realm knows it. It has to use PKCE with S256.
func client(s *site, fields object) object {
	c := object{"clientId": "web", "secret": secret, "redirectUris": []string{s.address + "/api/auth/callback/keycloak"}}
	maps.Copy(c, fields)
	attributes := object{"pkce.code.challenge.method": "S256"}
	if more, ok := fields["attributes"].(object); ok {
		maps.Copy(attributes, more)
	}
	c["attributes"] = attributes
	return c
}

// user is somebody whose address the realm has verified.
func user(name string, fields object) object {
	u := object{"username": name, "enabled": true, "email": name + "@example.com", "emailVerified": true, "firstName": name, "lastName": "Example",
		"credentials": []object{{"type": "password", "value": password}}}
	maps.Copy(u, fields)
	return u
}

// mapper puts something into the ID token.
func mapper(kind string, config object) object {
	c := object{"id.token.claim": "true"}
	maps.Copy(c, config)
	return object{"name": kind + " " + value(c, "claim.name") + value(c, "included.client.audience"), "protocol": "openid-connect", "protocolMapper": kind, "config": c}
}

func value(o object, name string) string {
	s, _ := o[name].(string)
	return s
}

// groupNames is what Keycloak's own guide has for groups, without their paths.
var groupNames = mapper("oidc-group-membership-mapper", object{"claim.name": "groups", "full.path": "false"})
