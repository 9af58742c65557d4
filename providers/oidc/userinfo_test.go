package oidc_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/oidc"
	"github.com/sallyport/auth/providers/providertest"
)

func TestUserinfo(t *testing.T) { // UI-01 to UI-06
	bare := func(m map[string]any) { delete(m, "name"); delete(m, "email"); delete(m, "email_verified") }
	cases := []struct {
		name string
		info func(map[string]any)
		ok   bool
	}{
		{"fills in", func(map[string]any) {}, true},
		{"another sub", func(m map[string]any) { m["sub"] = "adainvalid" }, false},
		{"no sub", func(m map[string]any) { delete(m, "sub") }, false},
		{"null sub", func(m map[string]any) { m["sub"] = nil }, false},
		{"overrides", func(m map[string]any) { m["iss"], m["aud"], m["tid"] = "https://evil.example", "x", "y" }, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := newRelying(t, nil)
			r.idp.SetFaults(providertest.Faults{IDToken: bare, Userinfo: c.info})
			id, err := r.signIn()
			require.Equal(t, 1, r.idp.Hits("userinfo"))
			if !c.ok {
				require.ErrorIs(t, err, auth.ErrInvalidResponse)
				return
			}
			require.NoError(t, err)
			require.Equal(t, "ada@example.com", id.Email)
			require.Equal(t, r.idp.Issuer(), id.Issuer)
		})
	}
	t.Run("UI-06 does not verify another address", func(t *testing.T) {
		r := newRelying(t, func(c *oidc.Config) { c.AlwaysUserinfo = true })
		r.idp.SetFaults(providertest.Faults{IDToken: func(m map[string]any) { m["email"] = "victim@example.com"; delete(m, "email_verified") }})
		id, err := r.signIn()
		require.NoError(t, err)
		require.False(t, id.EmailVerified)
	})
	down := func(name string, w http.ResponseWriter, _ *http.Request) bool {
		if name == "userinfo" {
			w.WriteHeader(503)
		}
		return name == "userinfo"
	}
	t.Run("UI-04 down, optional", func(t *testing.T) {
		r := newRelying(t, nil)
		r.idp.SetFaults(providertest.Faults{IDToken: bare, Endpoint: down})
		_, err := r.signIn()
		require.NoError(t, err)
	})
	t.Run("UI-04 down, asked for", func(t *testing.T) {
		r := newRelying(t, func(c *oidc.Config) { c.AlwaysUserinfo = true })
		r.idp.SetFaults(providertest.Faults{Endpoint: down})
		_, err := r.signIn()
		require.ErrorIs(t, err, auth.ErrUnavailable)
	})
}

// TestVerifiedIsSaidOfAnAddress: email_verified goes with the address of the same
// source.
func TestVerifiedIsSaidOfAnAddress(t *testing.T) { // UI-06, EN-03
	const ada, eve = "ada@example.com", "eve@example.com"
	type said map[string]any
	for name, test := range map[string]struct {
		token, info said
		email       string
		verified    bool
	}{
		"the token's":                           {said{"email": ada, "email_verified": true}, said{}, ada, true},
		"the token's, denied by userinfo":       {said{"email": ada, "email_verified": true}, said{"email": ada, "email_verified": false}, ada, true},
		"the token denies":                      {said{"email": ada, "email_verified": false}, said{"email": ada, "email_verified": true}, ada, false},
		"the token verifies no address":         {said{"email_verified": true}, said{"email": eve}, eve, false},
		"the token verifies, userinfo denies":   {said{"email_verified": true}, said{"email": eve, "email_verified": false}, eve, false},
		"userinfo's":                            {said{}, said{"email": ada, "email_verified": true}, ada, true},
		"userinfo's, unsaid":                    {said{}, said{"email": ada}, ada, false},
		"of the very address":                   {said{"email": ada}, said{"email": ada, "email_verified": true}, ada, true},
		"of another address":                    {said{"email": ada}, said{"email": eve, "email_verified": true}, ada, false},
		"of no address":                         {said{"email": ada}, said{"email_verified": true}, ada, false},
		"a null hides nothing":                  {said{"email": nil, "email_verified": nil}, said{"email": ada, "email_verified": true}, ada, true},
		"a null verifies nothing":               {said{"email": ada, "email_verified": nil}, said{"email": eve, "email_verified": true}, ada, false},
		"a null address, verified by the token": {said{"email": nil, "email_verified": true}, said{"email": eve}, eve, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRelying(t, func(c *oidc.Config) { c.AlwaysUserinfo = true })
			say := func(what said) func(map[string]any) {
				return func(m map[string]any) {
					delete(m, "email")
					delete(m, "email_verified")
					for name, value := range what {
						m[name] = value
					}
				}
			}
			r.idp.SetFaults(providertest.Faults{IDToken: say(test.token), Userinfo: say(test.info)})
			id, err := r.signIn()
			require.NoError(t, err)
			require.Equal(t, test.email, id.Email)
			require.Equal(t, test.verified, id.EmailVerified)
		})
	}
}

// TestUserinfoWhereItIsNeeded: what a policy looks at is asked for, and cannot be down.
func TestUserinfoWhereItIsNeeded(t *testing.T) { // UI-04
	email, groups, both := oidc.Needs{Email: true}, oidc.Needs{Groups: true}, oidc.Needs{Email: true, Groups: true}
	for name, test := range map[string]struct {
		token object // a nil takes the claim out of the ID token; userinfo has all
		needs oidc.Needs
		path  string
		asked int
	}{
		"nothing is needed":         {object{"email": nil, "groups": nil}, oidc.Needs{}, "", 0},
		"an address":                {object{"email": nil}, email, "", 1},
		"an address, there":         {object{}, email, "", 0},
		"an address, unsaid":        {object{"email_verified": nil}, email, "", 1},
		"an address, denied":        {object{"email_verified": false}, email, "", 0},
		"groups":                    {object{"groups": nil}, groups, "", 1},
		"groups, there":             {object{}, groups, "", 0},
		"groups, none":              {object{"groups": []string{}}, groups, "", 0},
		"groups, there as roles":    {object{"groups": nil, "roles": "staff"}, groups, "", 0},
		"groups elsewhere":          {object{}, groups, "teams.of", 1},
		"groups elsewhere, there":   {object{"teams": object{"of": "staff"}}, groups, "teams.of", 0},
		"groups, and not addresses": {object{"email": nil}, groups, "", 0},
		"both":                      {object{"email": nil}, both, "", 1},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRelying(t, func(c *oidc.Config) { c.Needs, c.GroupsClaim = test.needs, test.path })
			change := func(m map[string]any) {
				m["groups"] = []string{"staff"}
				for name, value := range test.token {
					if m[name] = value; value == nil {
						delete(m, name)
					}
				}
			}
			all := func(m map[string]any) {
				m["groups"], m["teams"] = []string{"staff"}, object{"of": []string{"staff"}}
			}
			r.idp.SetFaults(providertest.Faults{IDToken: change, Userinfo: all})
			id, err := r.signIn()
			require.NoError(t, err)
			require.Equal(t, test.asked, r.idp.Hits("userinfo"))
			if test.asked > 0 {
				require.Equal(t, "ada@example.com", id.Email)
				require.True(t, id.EmailVerified)
				require.Equal(t, []string{"staff"}, id.Groups)
			}
			r.idp.SetFaults(providertest.Faults{IDToken: change, Endpoint: func(name string, w http.ResponseWriter, _ *http.Request) bool {
				if name == "userinfo" {
					w.WriteHeader(503)
				}
				return name == "userinfo"
			}})
			_, err = r.signIn()
			require.ErrorIs(t, err, map[bool]error{true: auth.ErrUnavailable}[test.asked > 0])
		})
	}
}

func TestSignedUserinfo(t *testing.T) { // UI-05, UI-01
	other := providertest.New(providertest.Config{})
	other.RotateKeys()
	const absent = "absent"
	claims := func(r *relying, more object) object {
		m := object{"iss": r.idp.Issuer(), "aud": "app", "sub": "ada", "email": "ada@example.com"}
		for name, value := range more {
			if m[name] = value; value == absent {
				delete(m, name)
			}
		}
		return m
	}
	header := func(r *relying) object { return object{"alg": "RS256", "kid": r.idp.SigningKeyID()} }
	good := func(more object) func(*relying) string {
		return func(r *relying) string { return providertest.Sign(r.idp.SigningKey(), header(r), claims(r, more)) }
	}
	for name, test := range map[string]struct {
		body func(*relying) string
		err  error
	}{
		"as it should be":                                   {good(nil), nil},
		"a line break after it":                             {func(r *relying) string { return good(nil)(r) + "\n" }, nil},
		"a list of one audience":                            {good(object{"aud": []string{"app"}}), nil},
		"nothing of issuer and client, as LemonLDAP has it": {good(object{"iss": absent, "aud": absent}), nil},
		"not yet expired":                                   {good(object{"exp": int64(99999999999)}), nil},
		"of the type that it has": {func(r *relying) string {
			return providertest.Sign(r.idp.SigningKey(), object{"alg": "RS256", "typ": "JWT"}, claims(r, nil))
		}, nil},
		"of another key": {func(r *relying) string {
			return providertest.Sign(other.SigningKey(), header(r), claims(r, nil))
		}, auth.ErrInvalidResponse},
		"not signed": {func(r *relying) string {
			return providertest.Encode(object{"alg": "none"}) + "." + providertest.Encode(claims(r, nil)) + "."
		}, auth.ErrInvalidResponse},
		"symmetric": {func(r *relying) string {
			return providertest.Sign(r.idp.SigningKey(), object{"alg": "HS256"}, claims(r, nil))
		}, auth.ErrMisconfigured},
		"encrypted": {func(*relying) string { return "e30.AA.AA.AA.AA" }, auth.ErrMisconfigured},
		"an access token": {func(r *relying) string {
			return providertest.Sign(r.idp.SigningKey(), object{"alg": "RS256", "typ": "at+jwt"}, claims(r, nil))
		}, auth.ErrInvalidResponse},
		"of another issuer":            {good(object{"iss": "https://evil.example"}), auth.ErrInvalidResponse},
		"of an issuer that is null":    {good(object{"iss": nil}), auth.ErrInvalidResponse},
		"of an issuer without a name":  {good(object{"iss": ""}), auth.ErrInvalidResponse},
		"for another client":           {good(object{"aud": "another"}), auth.ErrMisconfigured},
		"for a client that is null":    {good(object{"aud": nil}), auth.ErrMisconfigured},
		"for no client":                {good(object{"aud": []string{}}), auth.ErrMisconfigured},
		"for others too":               {good(object{"aud": []string{"app", "another"}}), auth.ErrMisconfigured},
		"about somebody else":          {good(object{"sub": "eve"}), auth.ErrInvalidResponse},
		"about nobody":                 {good(object{"sub": absent}), auth.ErrInvalidResponse},
		"expired":                      {good(object{"exp": 1}), auth.ErrClock},
		"an expiry that is text":       {good(object{"exp": "99999999999"}), auth.ErrInvalidResponse},
		"JSON that calls itself a JWT": {func(*relying) string { return `{"sub":"ada"}` }, auth.ErrInvalidResponse},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRelying(t, func(c *oidc.Config) { c.AlwaysUserinfo = true })
			r.idp.SetFaults(providertest.Faults{
				IDToken: func(m map[string]any) { delete(m, "email") },
				Endpoint: func(name string, w http.ResponseWriter, _ *http.Request) bool {
					if name == "userinfo" {
						w.Header().Set("Content-Type", "application/jwt; charset=utf-8")
						_, _ = w.Write([]byte(test.body(r)))
					}
					return name == "userinfo"
				},
			})
			id, err := r.signIn()
			require.ErrorIs(t, err, test.err)
			if err == nil {
				require.Equal(t, "ada@example.com", id.Email)
			}
		})
	}
}

// TestUserinfoIsJSON: whatever it calls itself.
func TestUserinfoIsJSON(t *testing.T) { // UI-05
	for _, media := range []string{"text/html", "", ";"} {
		r := newRelying(t, func(c *oidc.Config) { c.AlwaysUserinfo = true })
		r.idp.SetFaults(providertest.Faults{
			IDToken: func(m map[string]any) { delete(m, "name") },
			Endpoint: func(name string, w http.ResponseWriter, _ *http.Request) bool {
				if name == "userinfo" {
					w.Header()["Content-Type"] = []string{media}
					_, _ = w.Write([]byte(`{"sub":"ada","name":"Ada L."}`))
				}
				return name == "userinfo"
			},
		})
		id, err := r.signIn()
		require.NoError(t, err, media)
		require.Equal(t, "Ada L.", id.Name)
	}
}

// TestSignedUserinfoAlgorithm: one that the configuration does not accept is none, whatever
// the key could verify.
func TestSignedUserinfoAlgorithm(t *testing.T) { // UI-05, ID-05
	for algorithm, want := range map[jose.SignatureAlgorithm]error{jose.RS256: nil, jose.RS512: auth.ErrMisconfigured} {
		r := newRelying(t, func(c *oidc.Config) { c.AlwaysUserinfo, c.Algorithms = true, []string{"RS256"} })
		r.idp.SetFaults(providertest.Faults{Endpoint: func(name string, w http.ResponseWriter, _ *http.Request) bool {
			switch name {
			case "keys": // without an algorithm of theirs
				providertest.WriteJSON(w, 200, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: r.idp.SigningKey().Public(), KeyID: r.idp.SigningKeyID()}}})
			case "userinfo":
				signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: r.idp.SigningKey()}, nil)
				require.NoError(t, err)
				signed, err := signer.Sign([]byte(`{"iss":"` + r.idp.Issuer() + `","aud":"app","sub":"ada"}`))
				require.NoError(t, err)
				text, err := signed.CompactSerialize()
				require.NoError(t, err)
				w.Header().Set("Content-Type", "application/jwt")
				_, _ = w.Write([]byte(text))
			default:
				return false
			}
			return true
		}})
		_, err := r.signIn()
		require.ErrorIs(t, err, want)
	}
}

// What is missing in a session for no fault of anybody here, the log says.
func TestUserinfoThatDoesNotAnswerIsToldOf(t *testing.T) { // UI-04
	var log bytes.Buffer
	r := newRelying(t, func(c *oidc.Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	r.idp.SetFaults(providertest.Faults{
		IDToken: func(m map[string]any) { delete(m, "email"); delete(m, "name") },
		Endpoint: func(name string, w http.ResponseWriter, _ *http.Request) bool {
			if name == "userinfo" {
				w.WriteHeader(503)
			}
			return name == "userinfo"
		},
	})
	id, err := r.signIn()
	require.NoError(t, err)
	require.Empty(t, id.Email)
	require.Contains(t, log.String(), "userinfo does not answer")
	require.Contains(t, log.String(), "503")
	log.Reset()
	r.idp.SetFaults(providertest.Faults{})
	_, err = r.signIn()
	require.NoError(t, err)
	require.Empty(t, log.String())
}
