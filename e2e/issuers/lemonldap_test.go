package issuers_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// lemonldap is where LemonLDAP::NG is. Its ID token says who somebody is, and all else
// is at userinfo.
var lemonldap struct{ issuer string }

// startLemonLDAP runs the portal alone.
func startLemonLDAP(l *launcher, dir string) error {
	port, err := freePort()
	if err != nil {
		return err
	}
	lemonldap.issuer = "http://localhost:" + port // its cookies want a name
	config, err := lemonldapConfig(dir)
	if err != nil {
		return err
	}
	for _, folder := range []string{"conf", "sessions/lock", "persistent/lock"} {
		if err := os.MkdirAll(filepath.Join(dir, folder), 0o700); err != nil {
			return err
		}
	}
	ini := "[all]\nlogger = Lemonldap::NG::Common::Logger::Std\nlogLevel = notice\n[configuration]\ntype = File\ndirName = " + filepath.Join(dir, "conf") +
		"\n[portal]\ntemplateDir = /usr/share/lemonldap-ng/portal/templates\n"
	for name, text := range map[string]string{"conf/lmConf-1.json": config, "lemonldap.ini": ini} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return l.start(dir, lemonldap.issuer+discovery, []string{"LLNG_DEFAULTCONFFILE=" + filepath.Join(dir, "lemonldap.ini")}, "plackup",
		"--no-default-middleware", "-E", "deployment", "--host", "127.0.0.1", "-p", port, "/usr/share/lemonldap-ng/portal/htdocs/index.psgi")
}

// lemonldapConfig is what the package has, with people whose passwords are their names,
// and several clients that differ in one option each.
func lemonldapConfig(dir string) (string, error) {
	private, public, err := keyPair()
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile("/var/lib/lemonldap-ng/conf/lmConf-1.json")
	if err != nil {
		return "", fmt.Errorf("%w (run e2e/setup)", err)
	}
	var config object
	if err := json.Unmarshal(text, &config); err != nil {
		return "", err
	}
	delete(config, "localSessionStorage")
	delete(config, "localSessionStorageOptions")
	storage := func(name string) object {
		return object{"Directory": filepath.Join(dir, name), "LockDirectory": filepath.Join(dir, name, "lock")}
	}
	claims, options := object{}, object{}
	for name, more := range lemonldapClients {
		exported := object{"name": "cn", "email": "mail", "preferred_username": "uid", "groups": "team", "email_verified": "verified"}
		maps.Copy(exported, more.claims)
		option := object{"ClientID": name, "ClientSecret": secret, "RedirectUris": callback("lemonldap"), "IDTokenSignAlg": "RS256", "BypassConsent": 1}
		maps.Copy(option, more.options)
		claims[name], options[name] = exported, prefixed("oidcRPMetaDataOptions", option)
	}
	if macros, ok := config["macros"].(object); ok {
		macros["verified"], macros["team"] = "'1'", `$uid eq "dwho" ? "staff" : "crew"`
	}
	maps.Copy(config, object{
		"portal": lemonldap.issuer + "/", "domain": "localhost", "securedCookie": 0,
		"globalStorageOptions": storage("sessions"), "persistentStorageOptions": storage("persistent"),
		"issuerDBOpenIDConnectActivation": 1, "oidcServiceMetaDataIssuer": lemonldap.issuer,
		"oidcServicePrivateKeySig": private, "oidcServicePublicKeySig": public, "oidcServiceKeyIdSig": "k1",
		"oidcRPMetaDataExportedVars": claims, "oidcRPMetaDataOptions": options,
	})
	text, err = json.Marshal(config)
	return string(text), err
}

// lemonldapClients are those that there are, by what they have beside the rest: claims,
// each by the name of an attribute, and options.
var lemonldapClients = map[string]struct{ claims, options object }{
	"app":     {},
	"several": {claims: object{"groups": "groups"}},
	"boolean": {claims: booleans},
	"forced":  {claims: booleans, options: object{"IDTokenForceClaims": 1}},
	"signed":  {claims: booleans, options: object{"UserInfoSignAlg": "RS256"}},
	"shared":  {options: object{"IDTokenSignAlg": "HS256"}},
	"strict":  {options: object{"RequirePKCE": 1}},
	"ask":     {options: object{"BypassConsent": 0}},
}

var booleans = object{"email_verified": "verified;bool;auto"}

func prefixed(prefix string, o object) object {
	all := object{}
	for key, value := range o {
		all[prefix+key] = value
	}
	return all
}

// lemonldapSignIn is the whole way of somebody who has not been here before.
func (s *site) lemonldapSignIn(name string) page {
	s.Helper()
	return s.visitor().begin().submit(`name="password"`, url.Values{"user": {name}, "password": {name}})
}

// TestLemonLDAP: an attribute with one value is text, a number and a yes too.
func TestLemonLDAP(t *testing.T) {
	as := func(t *testing.T, client string, more map[string]string) *site {
		env := map[string]string{"_ID": client}
		maps.Copy(env, more)
		return configure(t, "lemonldap", lemonldap.issuer, env)
	}
	groups := map[string]string{"AUTH_ALLOWED_GROUPS": "staff"}

	t.Run("says who it is", func(t *testing.T) {
		g := as(t, "app", groups).lemonldapSignIn("dwho")
		who := g.session()
		require.Equal(t, lemonldap.issuer+" dwho dwho Doctor Who dwho@badwolf.org", who.Issuer+" "+who.Subject+" "+who.Username+" "+who.Name+" "+who.Email)
		require.Equal(t, []string{"staff"}, who.Groups, "one group comes as text")
		require.False(t, who.EmailVerified, "email_verified comes as text")
		require.NotEmpty(t, g.visitor.answer().Get("session_state"))
	})
	t.Run("several groups", func(t *testing.T) {
		several := map[string]string{"AUTH_ALLOWED_GROUPS": "timelords"}
		require.ElementsMatch(t, []string{"users", "timelords"}, as(t, "several", several).lemonldapSignIn("dwho").session().Groups)
		as(t, "several", several).lemonldapSignIn("rtyler").refused(http.StatusForbidden, notAllowed, "not in any of the allowed groups")
	})
	t.Run("not in the group", func(t *testing.T) {
		as(t, "app", groups).lemonldapSignIn("rtyler").refused(http.StatusForbidden, notAllowed, "not in any of the allowed groups")
	})
	t.Run("verified as text", func(t *testing.T) { // PV-02
		as(t, "app", map[string]string{"AUTH_ALLOWED_EMAILS": "badwolf.org"}).lemonldapSignIn("dwho").
			refused(http.StatusForbidden, notAllowed, "AUTH_LEMONLDAP_TRUST_EMAIL=1")
		who := as(t, "app", map[string]string{"AUTH_ALLOWED_EMAILS": "badwolf.org", "_TRUST_EMAIL": "1"}).lemonldapSignIn("dwho").session()
		require.True(t, who.EmailVerified)
	})
	for name, client := range map[string]string{"verified": "boolean", "verified in the ID token": "forced", "verified in signed userinfo": "signed"} {
		t.Run(name, func(t *testing.T) { // PV-02, UI-05
			allowed := map[string]string{"AUTH_ALLOWED_EMAILS": "dwho@badwolf.org", "AUTH_ALLOWED_GROUPS": "staff, crew"}
			who := as(t, client, allowed).lemonldapSignIn("dwho").session()
			require.Equal(t, "Doctor Who dwho@badwolf.org", who.Name+" "+who.Email)
			require.True(t, who.EmailVerified)
			as(t, client, allowed).lemonldapSignIn("rtyler").refused(http.StatusForbidden, notAllowed)
		})
	}
	t.Run("signed with the secret", func(t *testing.T) { // ID-05
		as(t, "shared", nil).lemonldapSignIn("dwho").refused(http.StatusBadGateway, misconfigured, "HS256")
	})
	t.Run("asks for PKCE", func(t *testing.T) { // PK-01
		as(t, "strict", nil).lemonldapSignIn("dwho").session()
	})
	t.Run("declined", func(t *testing.T) {
		s := as(t, "ask", nil)
		s.lemonldapSignIn("dwho").submit(`name="confirm"`, nil).session()
		asked := s.lemonldapSignIn("rtyler")
		asked.submit(`name="confirm"`, url.Values{"confirm": {"-" + asked.hidden("confirm")}}).refused(http.StatusForbidden, declined)
	})
	t.Run("a wrong secret", func(t *testing.T) {
		as(t, "app", map[string]string{"_SECRET": "another one"}).lemonldapSignIn("dwho").refused(http.StatusBadGateway, misconfigured, "are client id and secret right?")
	})
}
