package issuers_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// glewlwyd is where Glewlwyd is, its API and its issuer.
var glewlwyd struct{ api, issuer string }

const glewlwydPassword = "a password of theirs"

// startGlewlwyd makes the database that the package has the statements for, and by the
// API, as its administrator does, an issuer, the site, and two people. The address that
// the server is told for itself ends with a slash, so that its endpoints have two.
func startGlewlwyd(l *launcher, dir string) error {
	port, err := freePort()
	if err != nil {
		return err
	}
	const statements = "/usr/share/dbconfig-common/data/glewlwyd/install/sqlite3"
	if err := l.do(dir, "python3", "-c", "import sqlite3, sys; sqlite3.connect('people').executescript(open(sys.argv[1]).read())", statements); err != nil {
		return err
	}
	config := fmt.Sprintf(`port = %[1]s
bind_address = "127.0.0.1"
external_url = "http://127.0.0.1:%[1]s/"
login_url = "login.html"
api_prefix = "api"
static_files_path = "/usr/share/glewlwyd/webapp/"
log_mode = "console"
log_level = "INFO"
cookie_domain = "127.0.0.1"
cookie_secure = 0
hash_algorithm = "SHA512"
user_module_path = "/usr/lib/glewlwyd/user"
user_middleware_module_path = %[2]q
client_module_path = "/usr/lib/glewlwyd/client"
user_auth_scheme_module_path = "/usr/lib/glewlwyd/scheme"
plugin_module_path = "/usr/lib/glewlwyd/plugin"
database = { type = "sqlite3" path = %[3]q };
`, port, filepath.Join(dir, "none"), filepath.Join(dir, "people"))
	if err := os.WriteFile(filepath.Join(dir, "glewlwyd.conf"), []byte(config), 0o600); err != nil {
		return err
	}
	glewlwyd.api = "http://127.0.0.1:" + port + "/api"
	glewlwyd.issuer = glewlwyd.api + "/oidc"
	if err := l.start(dir, "http://127.0.0.1:"+port+"/config", nil, "glewlwyd", "--config-file=glewlwyd.conf"); err != nil {
		return err
	}
	return fillGlewlwyd()
}

// fillGlewlwyd says what there is besides the administrator, by the API: the issuer and
// its scopes, the site, and people.
func fillGlewlwyd() error {
	plugin, err := glewlwydPlugin()
	if err != nil {
		return err
	}
	cookies, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	call := func(method, path string, body object) {
		if err == nil {
			err = callGlewlwyd(&http.Client{Jar: cookies}, method, path, body)
		}
	}
	call("POST", "/auth/", object{"username": "admin", "password": "password"})
	multiple := func(is bool) object { return object{"multiple": is, "read": true, "write": true} }
	call("PUT", "/mod/user/database", object{"module": "database", "name": "database", "display_name": "people", "enabled": true, "readonly": false,
		"parameters": object{"use-glewlwyd-connection": true, "data-format": object{"groups": multiple(true), "verified": multiple(false)}}})
	call("PUT", "/mod/user/database/reset", nil)
	for _, scope := range []string{"email", "profile"} {
		call("POST", "/scope/", object{"name": scope, "display_name": scope, "description": scope, "password_required": false, "scheme": object{}})
	}
	call("POST", "/mod/plugin/", plugin)
	for id, secret := range map[string]string{"app": plain, "odd": secret} {
		call("POST", "/client/", object{"client_id": id, "name": id, "enabled": true, "confidential": true, "client_secret": secret,
			"redirect_uri": []string{callback("glewlwyd")}, "authorization_type": []string{"code"}, "token_endpoint_auth_method": []string{"client_secret_basic", "client_secret_post"}})
	}
	for name, more := range map[string]object{
		"ada":     {"groups": []string{"staff", "board"}, "verified": "yes"},
		"eve":     {"groups": []string{"board"}, "verified": "yes"},
		"bob":     {"groups": []string{"staff"}, "verified": "yes"},
		"mallory": {"groups": []string{"staff", "board"}, "verified": "no"},
	} {
		user := object{"username": name, "name": name + " Example", "email": name + "@example.com", "password": glewlwydPassword, "enabled": true,
			"scope": []string{"openid", "email", "profile", "g_profile"}}
		maps.Copy(user, more)
		call("POST", "/user/", user)
	}
	return err
}

// glewlwydPlugin is the issuer.
func glewlwydPlugin() (object, error) {
	private, public, err := keyPair()
	if err != nil {
		return nil, err
	}
	return object{"module": "oidc", "name": "oidc", "display_name": "OpenID Connect", "enabled": true, "parameters": object{
		"iss": glewlwyd.issuer, "jwt-type": "rsa", "jwt-key-size": "256", "key": private, "cert": public, "subject-type": "public",
		"code-duration": 600, "access-token-duration": 3600, "refresh-token-duration": 3600, "session-cookie-name": "GLEWLWYD_OIDC", "session-cookie-expiration": 3600,
		"allow-non-oidc": false, "auth-type-code-enabled": true, "auth-type-token-enabled": false, "auth-type-implicit-enabled": false,
		"auth-type-password-enabled": false, "auth-type-client-enabled": false, "auth-type-refresh-enabled": true,
		"pkce-allowed": true, "pkce-required": true, "session-management-allowed": true,
		"name-claim": "mandatory", "email-claim": "mandatory", "claims": []object{
			{"name": "groups", "user-property": "groups", "mandatory": true},
			{"name": "email_verified", "user-property": "verified", "type": "boolean", "boolean-value-true": "yes", "boolean-value-false": "no", "mandatory": true},
		}}}, nil
}

// callGlewlwyd calls the API.
func callGlewlwyd(client *http.Client, method, path string, body object) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequest(method, glewlwyd.api+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %s %s", method, path, resp.Status, answer)
	}
	return err
}

// glewlwydSignIn is the whole way of somebody who has not been here before: what the
// script of the login page does is calls of the API, and then it goes on.
func (s *site) glewlwydSignIn(name string) page {
	s.Helper()
	v := s.visitor()
	g := v.begin()
	require.Equal(s, "//login.html", g.at.Path, s.log.Read())
	require.NoError(s, callGlewlwyd(v.client, "POST", "/auth/", object{"username": name, "password": glewlwydPassword}))
	q := g.at.Query()
	require.NoError(s, callGlewlwyd(v.client, "PUT", "/auth/grant/"+url.PathEscape(q.Get("client_id")), object{"scope": q.Get("scope")}))
	return v.get(q.Get("callback_url") + "&g_continue")
}

// TestGlewlwyd: who is asked and says no is not sent back: that page has no way for it.
func TestGlewlwyd(t *testing.T) {
	as := func(t *testing.T, more map[string]string) *site {
		env := map[string]string{"_SECRET": plain}
		maps.Copy(env, more)
		return configure(t, "glewlwyd", glewlwyd.issuer, env)
	}
	allowed := map[string]string{"AUTH_ALLOWED_GROUPS": "staff", "AUTH_ALLOWED_EMAILS": "ada@example.com, mallory@example.com, eve@example.com"}

	t.Run("says who it is", func(t *testing.T) {
		g := as(t, allowed).glewlwydSignIn("ada")
		who := g.session()
		require.Equal(t, glewlwyd.issuer+" ada Example ada@example.com", who.Issuer+" "+who.Name+" "+who.Email)
		require.True(t, who.EmailVerified)
		require.Equal(t, []string{"staff", "board"}, who.Groups)
		require.NotEmpty(t, g.visitor.answer().Get("session_state"))
		require.WithinDuration(t, time.Now(), who.AuthTime, time.Minute, "its own auth_time is 0")
		require.Contains(t, g.visitor.way[1].Path, "//api/oidc/auth")
	})
	for name, cause := range map[string]string{
		"eve":     "not in any of the allowed groups",
		"bob":     "the e-mail address is not on the allow-list",
		"mallory": "AUTH_GLEWLWYD_TRUST_EMAIL=1",
	} {
		t.Run("refuses "+name, func(t *testing.T) { // PV-02
			as(t, allowed).glewlwydSignIn(name).refused(http.StatusForbidden, notAllowed, cause)
		})
	}
	t.Run("a secret that it does not decode", func(t *testing.T) {
		odd := map[string]string{"_ID": "odd", "_SECRET": secret}
		as(t, odd).glewlwydSignIn("ada").session()
		odd["_CLIENT_AUTH"] = "client_secret_basic"
		as(t, odd).glewlwydSignIn("ada").refused(http.StatusBadGateway, misconfigured, "unauthorized_client", "AUTH_GLEWLWYD_CLIENT_AUTH) to client_secret_post")
	})
	t.Run("a wrong secret", func(t *testing.T) {
		as(t, map[string]string{"_SECRET": "another one"}).glewlwydSignIn("ada").
			refused(http.StatusBadGateway, misconfigured, "unauthorized_client", "are client id and secret right?")
	})
}
