package otelauth

import "strings"

// words are what paths of endpoints are made of: of OpenID Connect and OAuth 2.0, and of the APIs
// that this library asks. All others may be somebody's, or some tenant's.
var words = func() map[string]bool {
	set := map[string]bool{}
	for _, word := range strings.Fields(`
		.well-known openid-configuration oauth-authorization-server jwks jwks.json keys certs discovery
		oauth oauth2 oidc openid openid-connect openid.connect.token openid.connect.userInfo connect protocol auth login default
		token access_token accessToken authorize authorization introspect introspection revoke revocation logout end_session
		par request device device_authorization device_code code userinfo userInfo user_info
		realms application o api sns open-apis authen user emails orgs teams users @me me
		sessions refresh clients handshake_payload organizations v1 v2 v2.0 v3 v4`) {
		set[word] = true
	}
	return set
}()

// maxSegments are kept of a path, so that there are only so many templates.
const maxSegments = 8

// template is path with {x} for what is none of the words.
func template(path string) string {
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		switch {
		case i > maxSegments:
			return strings.Join(segments[:i], "/") + "/{x}"
		case segment != "" && !words[segment]:
			segments[i] = "{x}"
		}
	}
	return strings.Join(segments, "/")
}
