package issuers_test

import (
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// django is where a Django site with django-oauth-toolkit is, and the file that has what
// it says of people. Its issuer has a path.
var django struct{ issuer, claims string }

func startDjango(l *launcher, dir string) error {
	python, err := installed("django-oauth-toolkit-3.4.1")
	if err != nil {
		return err
	}
	port, err := freePort()
	if err != nil {
		return err
	}
	private, _, err := keyPair()
	if err != nil {
		return err
	}
	program, err := os.ReadFile("provider.py")
	if err != nil {
		return err
	}
	django.issuer, django.claims = "http://127.0.0.1:"+port+"/o", filepath.Join(dir, "claims.json")
	for name, text := range map[string][]byte{"key.pem": []byte(private), "provider.py": program} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			return err
		}
	}
	if err := l.do(dir, filepath.Join(python, "bin", "python"), "provider.py", "init", callback("django"), secret); err != nil {
		return err
	}
	return l.start(dir, django.issuer+discovery, nil, filepath.Join(python, "bin", "python"), "-m", "gunicorn", "--bind=127.0.0.1:"+port, "--threads=2", "provider")
}

// djangoSignIn is the whole way of ada, of whom get_additional_claims says claims.
func (s *site) djangoSignIn(claims string) page {
	s.Helper()
	require.NoError(s, os.WriteFile(django.claims, []byte(claims), 0o600))
	return s.visitor().begin().submit(`name="password"`, url.Values{"username": {"ada"}, "password": {"a password of ada"}})
}

// TestDjango: claims are what a program of the site's own makes of them, of any type.
func TestDjango(t *testing.T) {
	const ada = `{"name": "Ada Lovelace", "email": "ada@example.com", "email_verified": true, "groups": ["staff", "board"]}`
	allowed := map[string]string{"AUTH_ALLOWED_GROUPS": "staff", "AUTH_ALLOWED_EMAILS": "ada@example.com"}

	t.Run("says who it is", func(t *testing.T) {
		who := configure(t, "django", django.issuer, allowed).djangoSignIn(ada).session()
		require.Equal(t, django.issuer+" 1 Ada Lovelace ada@example.com", who.Issuer+" "+who.Subject+" "+who.Name+" "+who.Email)
		require.True(t, who.EmailVerified)
		require.Equal(t, []string{"staff", "board"}, who.Groups)
	})
	for name, method := range map[string]string{"the secret in the header": "client_secret_basic", "the secret in the form": "client_secret_post"} {
		t.Run(name, func(t *testing.T) {
			configure(t, "django", django.issuer, map[string]string{"_CLIENT_AUTH": method}).djangoSignIn(ada).session()
		})
	}
	for _, test := range []struct{ name, claims, cause string }{
		{"not in the group", `{"email": "ada@example.com", "email_verified": true, "groups": ["board"]}`, "not in any of the allowed groups"},
		{"another address", `{"email": "mallory@example.com", "email_verified": true, "groups": ["staff"]}`, "the e-mail address is not on the allow-list"},
		{"address not verified", `{"email": "ada@example.com", "email_verified": false, "groups": ["staff"]}`, "AUTH_DJANGO_TRUST_EMAIL=1"},
		{"verified as text", `{"email": "ada@example.com", "email_verified": "true", "groups": ["staff"]}`, "AUTH_DJANGO_TRUST_EMAIL=1"},
		{"verified as a number", `{"email": "ada@example.com", "email_verified": 1, "groups": ["staff"]}`, "AUTH_DJANGO_TRUST_EMAIL=1"},
		{"several addresses", `{"email": ["ada@example.com", "eve@example.com"], "email_verified": true, "groups": ["staff"]}`, ""},
		{"groups as text with commas", `{"email": "ada@example.com", "email_verified": true, "groups": "staff,board"}`, "not in any of the allowed groups"},
		{"groups as objects", `{"email": "ada@example.com", "email_verified": true, "groups": [{"name": "staff"}]}`, "not in any of the allowed groups"},
		{"groups and a number", `{"email": "ada@example.com", "email_verified": true, "groups": ["staff", 7]}`, "not in any of the allowed groups"},
	} {
		t.Run(test.name, func(t *testing.T) { // PV-02
			configure(t, "django", django.issuer, allowed).djangoSignIn(test.claims).refused(http.StatusForbidden, notAllowed, test.cause)
		})
	}
	t.Run("claims of other types", func(t *testing.T) {
		who := configure(t, "django", django.issuer, nil).djangoSignIn(`{"name": 7, "email": {"work": "ada@example.com"}, "email_verified": [true], "groups": {"staff": 1},
			"picture": false, "preferred_username": null, "locale": ["en"], "sid": 4, "amr": "pwd", "acr": 1, "address": "a street", "updated_at": "yesterday", "auth_time": "now"}`).session()
		require.Equal(t, "1", who.Subject)
		require.Empty(t, who.Name+who.Email+who.Picture)
		require.False(t, who.EmailVerified)
		require.Empty(t, who.Groups)
	})
	for name, test := range map[string]struct{ claims, subject, cause string }{
		"its own issuer and expiry, which it does not take": {`{"iss": "https://other.example.com", "exp": 1}`, "1", ""}, // ID-09
		"a subject of its own":                              {`{"sub": "2"}`, "2", ""},
		"a subject that is a number":                        {`{"sub": 2}`, "", "sub is not a string"},
		"an audience of its own":                            {`{"aud": ["another"]}`, "", `aud is \"another\"`}, // ID-13
		"no audience":                                       {`{"aud": []}`, "", `aud is \"\"`},
		"a nonce of its own":                                {`{"nonce": "none"}`, "", "nonce is not the one of this attempt"},
		"another access token":                              {`{"at_hash": "none"}`, "", "at_hash does not match"},
	} {
		t.Run(name, func(t *testing.T) {
			g := configure(t, "django", django.issuer, nil).djangoSignIn(test.claims)
			switch {
			case strings.HasPrefix(test.cause, "aud "): // it is registered as another client there
				g.refused(http.StatusBadGateway, misconfigured, test.cause)
				return
			case test.cause != "":
				g.refused(http.StatusBadRequest, invalidAnswer, test.cause)
				return
			}
			who := g.session()
			require.Equal(t, django.issuer+" "+test.subject, who.Issuer+" "+who.Subject)
		})
	}
	t.Run("declined", func(t *testing.T) {
		ask := maps.Clone(allowed)
		ask["_ID"] = "ask"
		s := configure(t, "django", django.issuer, ask)
		asked := s.djangoSignIn(ada)
		asked.submit(`name="allow"`, url.Values{"allow": {"Authorize"}}).session()
		s.djangoSignIn(ada).submit(`name="allow"`, nil).refused(http.StatusForbidden, declined)
	})
	t.Run("a wrong secret", func(t *testing.T) {
		configure(t, "django", django.issuer, map[string]string{"_SECRET": "another one"}).djangoSignIn(ada).
			refused(http.StatusBadGateway, misconfigured, "invalid_client", "are client id and secret right?")
	})
}
