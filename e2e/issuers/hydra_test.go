package issuers_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// hydra is where Ory Hydra is. Its issuer ends with a slash.
var hydra struct{ issuer, admin string }

// object is what an admin API takes and gives.
type object = map[string]any

// startHydra runs it with its database in memory. Who somebody is and what they agree
// to, it asks of other programs, which decide by its admin API: here the tests do, when
// the visitor has come to where those would be.
func startHydra(l *launcher, dir string) error {
	program, err := installed("hydra-v2.3.0")
	if err != nil {
		return err
	}
	public, err := freePort()
	if err != nil {
		return err
	}
	admin, err := freePort()
	if err != nil {
		return err
	}
	hydra.issuer, hydra.admin = "http://127.0.0.1:"+public+"/", "http://127.0.0.1:"+admin
	config := fmt.Sprintf(`dsn: memory
serve: {public: {host: 127.0.0.1, port: %s}, admin: {host: 127.0.0.1, port: %s}}
urls: {self: {issuer: %q}, login: %q, consent: %q}
secrets: {system: [0123456789abcdef0123456789abcdef]}
`, public, admin, hydra.issuer, hydra.admin+"/health/alive?at=login", hydra.admin+"/health/alive?at=consent")
	if err := os.WriteFile(filepath.Join(dir, "hydra.yml"), []byte(config), 0o600); err != nil {
		return err
	}
	return l.start(dir, hydra.admin+"/health/ready", nil, program, "serve", "all", "--dev", "--sqa-opt-out", "-c", "hydra.yml")
}

// hydraAdmin calls the admin API.
func hydraAdmin(t *testing.T, method, path string, body object) (answer object) {
	t.Helper()
	text, err := json.Marshal(body)
	require.NoError(t, err)
	req, err := http.NewRequest(method, hydra.admin+"/admin"+path, bytes.NewReader(text))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	text, err = io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Less(t, resp.StatusCode, 300, "%s %s: %s", method, path, text)
	require.NoError(t, json.Unmarshal(text, &answer))
	return answer
}

// newHydraClient registers the site anew, with what fields adds, and returns the
// environment that has it.
func newHydraClient(t *testing.T, fields object) map[string]string {
	t.Helper()
	client := object{"client_secret": plain, "redirect_uris": []string{callback("hydra")}, "scope": "openid email profile", "grant_types": []string{"authorization_code"}, "response_types": []string{"code"}}
	maps.Copy(client, fields)
	id, _ := hydraAdmin(t, "POST", "/clients", client)["client_id"].(string)
	return map[string]string{"_ID": id, "_SECRET": client["client_secret"].(string)}
}

// decide says what the program for login or for consent would, and goes on.
func (g page) decide(about, decision string, body object) page {
	t := g.visitor.site
	t.Helper()
	challenge := g.at.Query().Get(about + "_challenge")
	require.NotEmpty(t, challenge, "%s %s\n%s", g.at, g.text, t.log.Read())
	to, _ := hydraAdmin(t.T, "PUT", "/oauth2/auth/requests/"+about+"/"+decision+"?"+about+"_challenge="+challenge, body)["redirect_to"].(string)
	return g.visitor.get(to)
}

// hydraSignIn is the whole way of ada, of whom the consent program says claims.
func (s *site) hydraSignIn(claims object, more object) page {
	s.Helper()
	consent := object{"grant_scope": []string{"openid", "email", "profile"}, "session": object{"id_token": claims}}
	maps.Copy(consent, more)
	return s.visitor().begin().decide("login", "accept", object{"subject": "ada"}).decide("consent", "accept", consent)
}

// TestHydra: claims are what the consent program has said of a person.
func TestHydra(t *testing.T) {
	env := newHydraClient(t, nil)
	env["AUTH_ALLOWED_GROUPS"], env["AUTH_ALLOWED_EMAILS"] = "staff", "ada@example.com"
	ada := func(more object) object {
		claims := object{"name": "Ada Lovelace", "email": "ada@example.com", "email_verified": true, "groups": []string{"staff", "board"}}
		maps.Copy(claims, more)
		return claims
	}

	t.Run("says who it is", func(t *testing.T) {
		s := configure(t, "hydra", hydra.issuer, env)
		g := s.hydraSignIn(ada(nil), nil)
		who := g.session()
		require.Equal(t, hydra.issuer+" ada Ada Lovelace ada@example.com", who.Issuer+" "+who.Subject+" "+who.Name+" "+who.Email)
		require.True(t, who.EmailVerified)
		require.Equal(t, []string{"staff", "board"}, who.Groups)
		require.GreaterOrEqual(t, len(g.visitor.answer().Get("state")), 8, "Hydra takes none that is shorter")
	})
	t.Run("is found without the slash of its issuer", func(t *testing.T) { // ID-09
		s := configure(t, "hydra", hydra.issuer[:len(hydra.issuer)-1], env)
		require.Equal(t, hydra.issuer, s.hydraSignIn(ada(nil), nil).session().Issuer)
	})
	t.Run("not in the group", func(t *testing.T) {
		s := configure(t, "hydra", hydra.issuer, env)
		s.hydraSignIn(ada(object{"groups": []string{"board"}}), nil).refused(http.StatusForbidden, notAllowed, "not in any of the allowed groups")
	})
	t.Run("another address", func(t *testing.T) { // PV-02
		s := configure(t, "hydra", hydra.issuer, env)
		s.hydraSignIn(ada(object{"email": "mallory@example.com"}), nil).refused(http.StatusForbidden, notAllowed)
	})
	t.Run("address not verified", func(t *testing.T) { // PV-02
		s := configure(t, "hydra", hydra.issuer, env)
		s.hydraSignIn(ada(object{"email_verified": false}), nil).refused(http.StatusForbidden, notAllowed, "AUTH_HYDRA_TRUST_EMAIL=1")
	})
	t.Run("an audience of the access token", func(t *testing.T) { // ID-13
		s := configure(t, "hydra", hydra.issuer, newHydraClient(t, object{"audience": []string{"https://api.example.com"}}))
		s.hydraSignIn(ada(nil), object{"grant_access_token_audience": []string{"https://api.example.com"}}).session()
	})
	t.Run("claims that are the token's own", func(t *testing.T) { // ID-09, ID-13
		s := configure(t, "hydra", hydra.issuer, env)
		who := s.hydraSignIn(ada(object{"aud": []string{"https://api.example.com"}, "iss": "https://other.example.com", "sub": "eve", "nonce": "none", "exp": 1}), nil).session()
		require.Equal(t, hydra.issuer+" ada", who.Issuer+" "+who.Subject)
	})
	t.Run("signed userinfo, asked for a name", func(t *testing.T) { // UI-05
		s := configure(t, "hydra", hydra.issuer, newHydraClient(t, object{"userinfo_signed_response_alg": "RS256"}))
		require.Equal(t, "ada", s.hydraSignIn(nil, nil).session().Subject)
	})
	for name, test := range map[string]struct{ method, secret string }{
		"a secret by a header that it does not take": {"client_secret_post", plain},
		"a secret by a form that it does not take":   {"client_secret_basic", secret},
	} {
		t.Run(name, func(t *testing.T) { // TK-17
			registered := newHydraClient(t, object{"token_endpoint_auth_method": test.method, "client_secret": test.secret})
			configure(t, "hydra", hydra.issuer, registered).hydraSignIn(ada(nil), nil).
				refused(http.StatusBadGateway, misconfigured, "invalid_client", "AUTH_HYDRA_CLIENT_AUTH")
			registered["_CLIENT_AUTH"] = test.method
			configure(t, "hydra", hydra.issuer, registered).hydraSignIn(ada(nil), nil).session()
		})
	}
	t.Run("declined", func(t *testing.T) {
		refusal := object{"error": "access_denied", "error_description": "The resource owner said no."}
		s := configure(t, "hydra", hydra.issuer, env)
		s.visitor().begin().decide("login", "reject", refusal).refused(http.StatusForbidden, declined)
		s.visitor().begin().decide("login", "accept", object{"subject": "ada"}).decide("consent", "reject", refusal).refused(http.StatusForbidden, declined)
	})
	t.Run("a wrong secret", func(t *testing.T) {
		s := configure(t, "hydra", hydra.issuer, map[string]string{"_ID": env["_ID"], "_SECRET": "another one"})
		s.hydraSignIn(ada(nil), nil).refused(http.StatusBadGateway, misconfigured, "invalid_client", "are client id and secret right?")
	})
	t.Run("an unknown client", func(t *testing.T) {
		g := configure(t, "hydra", hydra.issuer, map[string]string{"_ID": "nobody"}).visitor().begin()
		require.Equal(t, hydra.issuer+"oauth2/fallbacks/error", strings.TrimSuffix(g.at.String(), "?"+g.at.RawQuery), "Hydra says so itself")
		require.Equal(t, "invalid_client", g.at.Query().Get("error"))
	})
}
