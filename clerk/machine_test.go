package clerk_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/clerk"
	"github.com/sallyport/auth/clerk/clerktest"
)

var everyToken = []clerk.TokenType{clerk.SessionToken, clerk.APIKey, clerk.M2MToken, clerk.OAuthToken}

// machineJWT makes a JWT of a machine, or an OAuth access token.
func machineJWT(i *clerktest.Instance, kind clerk.TokenType, change func(header, claims map[string]any)) string {
	return i.Token(func(header, claims map[string]any) {
		delete(claims, "sid")
		if kind == clerk.M2MToken {
			header["cat"], claims["sub"], claims["jti"] = "cl_B7d4PD333AAA", "mch_1", "mt_1"
		} else {
			delete(header, "cat")
			header["typ"], claims["client_id"], claims["scope"] = "at+jwt", "client_1", "read write"
		}
		if change != nil {
			change(header, claims)
		}
	})
}

func TestMachineTokens(t *testing.T) { // GHSA: M2M and OAuth tokens as a session
	instance, b, at := setup(t, true, func(c *clerk.Config) { c.AcceptTokens, c.Audiences = everyToken, nil })
	_, people, _ := setup(t, true, nil)
	accept := func(token string) (string, *clerk.Machine) {
		t.Helper()
		s, err := b.Decide(bearer(token), origin)
		require.NoError(t, err)
		if s.Status == clerk.SignedIn && s.Machine != nil {
			require.Nil(t, s.Claims)
			require.False(t, s.Claims.Has(clerk.Ask{Role: "admin"}))
			return "signed-in " + string(s.Type) + " " + s.Machine.Subject, s.Machine
		}
		return string(s.Status) + " " + s.Reason, nil
	}
	expired := at.Now().Unix() - 60
	for name, test := range map[string]struct{ token, want string }{
		"API key":            {instance.Opaque("ak_", "user_1", nil), "signed-in api_key user_1"},
		"machine":            {instance.Opaque("mt_", "mch_1", nil), "signed-in m2m_token mch_1"},
		"OAuth":              {instance.Opaque("oat_", "user_1", nil), "signed-in oauth_token user_1"},
		"unknown":            {"ak_nobody", "signed-out token-invalid"},
		"revoked":            {instance.Opaque("ak_", "user_1", func(a map[string]any) { a["revoked"] = true }), "signed-out token-invalid"},
		"expired":            {instance.Opaque("mt_", "mch_1", func(a map[string]any) { a["expired"] = true }), "signed-out token-invalid"},
		"nobody's":           {instance.Opaque("ak_", "", nil), "signed-out unexpected-error"},
		"machine JWT":        {machineJWT(instance, clerk.M2MToken, nil), "signed-in m2m_token mch_1"},
		"OAuth JWT":          {machineJWT(instance, clerk.OAuthToken, nil), "signed-in oauth_token user_1"},
		"session's category": {machineJWT(instance, clerk.M2MToken, setHeader("cat", "cl_B7d4PD111AAA")), "signed-out token-invalid"},
		"expired JWT":        {machineJWT(instance, clerk.M2MToken, set("exp", expired)), "signed-out token-verification-failed"},
		"no subject":         {machineJWT(instance, clerk.OAuthToken, set("sub", nil)), "signed-out token-verification-failed"},
		"no exp":             {machineJWT(instance, clerk.OAuthToken, set("exp", nil)), "signed-out token-verification-failed"},
		"other issuer":       {machineJWT(instance, clerk.OAuthToken, set("iss", "https://clerk.other.example")), "signed-out token-verification-failed"},
		"forged":             {machineJWT(clerktest.New(clerktest.Config{Production: true}), clerk.M2MToken, nil), "signed-out token-verification-failed"},
	} {
		got, m := accept(test.token)
		require.Equal(t, test.want, got, name)
		if m != nil && name == "OAuth JWT" {
			require.Equal(t, []string{"read", "write"}, m.Scopes)
			require.Equal(t, "client_1", m.ClientID)
		}
		require.Contains(t, []string{"signed-out token-type-mismatch", "signed-out token-invalid"}, decide(t, people, bearer(test.token)), "%s: not unless it is accepted", name)
		s, err := b.Decide(page("/", "Cookie", "__client_uat=1; __session="+test.token), origin)
		require.NoError(t, err)
		require.NotEqual(t, clerk.SignedIn, s.Status, "%s: not as a cookie", name)
	}
	require.Equal(t, "signed-in user_1", decide(t, b, bearer(instance.Token(nil))))
	asked := instance.Hits("/api_keys/verify")
	require.Equal(t, "signed-out token-invalid", decide(t, b, bearer("ak_"+strings.Repeat("a", 17<<10))))
	require.Equal(t, asked, instance.Hits("/api_keys/verify"), "not a question for Clerk")
	instance.SetDown(true)
	_, err := b.Decide(bearer(instance.Opaque("ak_", "user_1", nil)), origin)
	require.Error(t, err, "nobody can tell")
	fresh, without, _ := setup(t, true, func(c *clerk.Config) { c.AcceptTokens = everyToken })
	fresh.SetDown(true)
	_, err = without.Decide(bearer(machineJWT(fresh, clerk.M2MToken, nil)), origin)
	require.Error(t, err, "nor without keys")
	_, b, _ = setup(t, true, func(c *clerk.Config) {
		c.AcceptTokens, c.SecretKey = everyToken, auth.NewSecret("sk_live_wrong")
	})
	_, err = b.Decide(bearer("ak_1"), origin)
	require.ErrorContains(t, err, "status 401", "our key is wrong, not theirs")
}

func TestOnlyMachines(t *testing.T) {
	instance, b, _ := setup(t, true, func(c *clerk.Config) { c.AcceptTokens = []clerk.TokenType{clerk.APIKey} })
	require.Equal(t, "signed-out token-type-mismatch", decide(t, b, bearer(instance.Token(nil))))
	require.Equal(t, "signed-out token-type-mismatch", decide(t, b, page("/", "Cookie", "__client_uat=1; __session="+instance.Token(nil))))
}

// TestAudiences: a token of each kind, with what its claim, or Clerk's answer about
// it, says.
func TestAudiences(t *testing.T) { // CL-01
	const api, other = "https://api.example.com", "https://other.example"
	instance, b, at := setup(t, true, func(c *clerk.Config) {
		c.AcceptTokens, c.Audiences = everyToken, []string{"https://admin.example.com", api}
	})
	anybody, err := clerk.New(clerk.Config{PublishableKey: instance.PublishableKey, SecretKey: auth.NewSecret(instance.SecretKey), JWTKey: instance.PEM(),
		AcceptTokens: everyToken, APIURL: serve(t, instance), Now: at.Now})
	require.NoError(t, err)
	answers := func(prefix, subject, member string) func(any) string {
		return func(aud any) string {
			return instance.Opaque(prefix, subject, func(answer map[string]any) {
				if aud != nil {
					answer[member] = aud
				}
			})
		}
	}
	kinds := map[string]func(aud any) string{
		"session":          func(aud any) string { return instance.Token(set("aud", aud)) },
		"OAuth JWT":        func(aud any) string { return machineJWT(instance, clerk.OAuthToken, set("aud", aud)) },
		"M2M JWT":          func(aud any) string { return machineJWT(instance, clerk.M2MToken, set("aud", aud)) },
		"opaque OAuth":     answers("oat_", "user_1", "aud"),
		"opaque M2M":       answers("mt_", "mch_1", "aud"),
		"opaque, audience": answers("oat_", "user_1", "audience"),
		"API key":          answers("ak_", "user_1", "aud"),
		"opaque M2M, claim": func(aud any) string {
			return answers("mt_", "mch_1", "claims")(map[string]any{"aud": aud})
		},
	}
	oauth := map[string]bool{"OAuth JWT": true, "opaque OAuth": true, "opaque, audience": true}
	for name, test := range map[string]struct {
		aud  any
		ours bool // whether it names one of ours
	}{
		"none":                    {nil, false},
		"ours":                    {api, true},
		"the first of ours":       {"https://admin.example.com", true},
		"ours among others":       {[]string{other, api}, true},
		"another":                 {other, false},
		"others":                  {[]string{other, "https://third.example"}, false},
		"nobody":                  {[]string{}, false},
		"empty":                   {"", false},
		"part of ours":            {"https://api.example", false},
		"ours with a slash":       {api + "/", false},
		"ours in capitals":        {"HTTPS://API.EXAMPLE.COM", false},
		"ours beside a number":    {[]any{api, 1}, false},
		"ours beside null":        {[]any{api, nil}, false},
		"ours beside nothing":     {[]any{api, ""}, false},
		"an object that has ours": {map[string]any{api: api}, false},
		"a number":                {1, false},
	} {
		at.advance(time.Minute) // for what the client has sent that does not count
		for kind, token := range kinds {
			s := mustDecide(t, anybody, bearer(token(test.aud)))
			require.Equal(t, clerk.SignedIn, s.Status, "%s, %s: nobody asks", kind, name)
			s = mustDecide(t, b, bearer(token(test.aud)))
			nobody := name == "none" || name == "nobody" || name == "empty"
			ours := test.ours || (nobody || name == "ours beside nothing") && !oauth[kind]
			if ours {
				require.Equal(t, clerk.SignedIn, s.Status, "%s, %s", kind, name)
				continue
			}
			require.Equal(t, clerk.SignedOut, s.Status, "%s, %s", kind, name)
			require.Equal(t, "token-verification-failed", s.Reason, "%s, %s", kind, name)
			require.NotEmpty(t, s.Message)
		}
	}
	s := mustDecide(t, b, bearer(instance.Opaque("oat_", "user_1", func(answer map[string]any) { answer["aud"], answer["audience"] = nil, api })))
	require.Equal(t, clerk.SignedIn, s.Status, "null is no audience")
	s = mustDecide(t, b, bearer(instance.Opaque("oat_", "user_1", func(answer map[string]any) { answer["aud"], answer["audience"] = other, api })))
	require.Equal(t, clerk.SignedOut, s.Status, "aud counts before audience")
}

// TestAudienceOfASession: wherever a session token comes from.
func TestAudienceOfASession(t *testing.T) { // CL-01
	instance, b, at := setup(t, true, func(c *clerk.Config) { c.Audiences = []string{"https://api.example.com"} })
	suffix, expired := instance.CookieSuffix, at.Now().Unix()-30
	for aud, want := range map[any]string{"https://api.example.com": "signed-in user_1", "https://other.example": "signed-out token-verification-failed", nil: "signed-in user_1"} {
		token := instance.Token(set("aud", aud))
		require.Equal(t, want, decide(t, b, bearer(token)), "the header")
		require.Equal(t, want, decide(t, b, page("/", "Cookie", "__client_uat=1; __session="+token)), "a cookie")
		session := "__session=" + token + "; Path=/"
		if want != "signed-in user_1" {
			want = "handshake session-token-expired-refresh-invalid-session-token"
		}
		old := instance.Token(func(_, claims map[string]any) { claims["exp"], claims["aud"] = expired, "https://api.example.com" })
		require.Equal(t, want, decide(t, b, page("/", "Cookie", "__client_uat=1; __session="+old+"; __refresh"+suffix+"="+instance.RefreshToken(session))), "a refresh")
		if want != "signed-in user_1" {
			want = "signed-out session-token-and-uat-missing"
		}
		require.Equal(t, want, decide(t, b, page("/?__clerk_handshake="+instance.HandshakeToken(session))), "a handshake")
	}
}

// TestNoTokenOfAProgramIsAPersons: whosever it is, and whoever made it.
func TestNoTokenOfAProgramIsAPersons(t *testing.T) { // MW-01
	instance, b, at := setup(t, true, func(c *clerk.Config) { c.AcceptTokens = everyToken })
	a, err := auth.New(auth.Config{Secrets: []auth.Secret{auth.NewSecret(sealing)}, URL: origin.String(), Backend: b, Now: at.Now})
	require.NoError(t, err)
	for name, test := range map[string]struct {
		token   string
		machine bool
	}{
		"a person's":                {instance.Token(nil), false},
		"a person's API key":        {instance.Opaque("ak_", "user_1", nil), true},
		"an organization's API key": {instance.Opaque("ak_", "org_1", nil), true},
		"a machine's":               {instance.Opaque("mt_", "mch_1", nil), true},
		"a machine's JWT":           {machineJWT(instance, clerk.M2MToken, nil), true},
		"an OAuth client's":         {instance.Opaque("oat_", "user_1", nil), true},
		"an OAuth client's JWT":     {machineJWT(instance, clerk.OAuthToken, nil), true},
	} {
		reached := map[bool]bool{}
		for _, people := range []bool{false, true} {
			handler := http.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				s, ok := auth.FromContext(r.Context())
				reached[people] = ok
				require.Equal(t, test.machine, s.Machine, name)
			}))
			if people {
				handler = a.RequireRule(auth.Identified)(handler)
			}
			w := httptest.NewRecorder()
			r := bearer(test.token)
			r.Header.Del("Sec-Fetch-Dest")
			a.Require(handler).ServeHTTP(w, r)
			require.Equal(t, map[bool]int{true: 403, false: 200}[people && test.machine], w.Code, name)
		}
		require.True(t, reached[false], name)
		require.Equal(t, !test.machine, reached[true], name)
	}
}

func TestMachinesInTheAuthenticator(t *testing.T) {
	instance, b, at := setup(t, true, func(c *clerk.Config) { c.AcceptTokens = everyToken })
	a, err := auth.New(auth.Config{Secrets: []auth.Secret{auth.NewSecret("kY3nC0p9V1xJm5Q8sT2wZ7bL4hF6gD0aR3eU9iOqXyE=")}, URL: origin.String(), Backend: b, Now: at.Now})
	require.NoError(t, err)
	reached := ""
	handler := a.Require(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		s, _ := auth.FromContext(r.Context())
		var kind string
		_, _ = s.Claim("token_type", &kind)
		reached = s.Provider + " " + s.Subject + " " + kind
	}))
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, bearer(instance.Opaque("mt_", "mch_7", nil)))
	require.Equal(t, "clerk-machine mch_7 m2m_token", reached)
	w = httptest.NewRecorder()
	r := bearer("mt_unknown")
	r.Header.Set("Sec-Fetch-Dest", "empty")
	handler.ServeHTTP(w, r)
	require.Equal(t, 401, w.Code)
	require.Equal(t, "token-invalid", w.Header().Get("X-Clerk-Auth-Reason"))
	require.NotEmpty(t, w.Header().Get("X-Clerk-Auth-Message"))
}

// TestTypeOfMachineTokens: an OAuth access token's "typ" goes with no other kind.
func TestTypeOfMachineTokens(t *testing.T) {
	instance, b, _ := setup(t, true, func(c *clerk.Config) { c.AcceptTokens = everyToken })
	for typ, want := range map[any]string{
		"JWT": "signed-in m2m_token", nil: "signed-in m2m_token",
		"at+jwt": "signed-out token-verification-failed", "application/at+jwt": "signed-out token-verification-failed", "JOSE": "signed-out token-verification-failed", "jwt": "signed-out token-verification-failed",
	} {
		s := mustDecide(t, b, bearer(machineJWT(instance, clerk.M2MToken, setHeader("typ", typ))))
		got := string(s.Status) + " " + s.Reason + string(s.Type)
		require.Equal(t, want, got, "%v", typ)
	}
	s := mustDecide(t, b, bearer(machineJWT(instance, clerk.OAuthToken, setHeader("typ", "JWT"))))
	require.Equal(t, clerk.SessionToken, s.Type, "it is what it says it is")
}

// TestWhatATokenOfAProgramSays: its name, scopes and claims, each where its kind has it.
func TestWhatATokenOfAProgramSays(t *testing.T) {
	instance, b, _ := setup(t, true, func(c *clerk.Config) { c.AcceptTokens = everyToken })
	say := func(answer map[string]any) func(map[string]any) {
		return func(a map[string]any) {
			for name, value := range answer {
				a[name] = value
			}
		}
	}
	all := say(map[string]any{"name": "CI", "scopes": []string{"a"}, "claims": map[string]any{"tier": 2, "aud": "x"}, "client_id": "client_1"})
	for name, test := range map[string]struct {
		token string
		want  clerk.Machine // without its id and its end
		tier  string
	}{
		"an API key":         {instance.Opaque("ak_", "user_1", all), clerk.Machine{Name: "CI", Scopes: []string{"a"}}, "2"},
		"a machine's":        {instance.Opaque("mt_", "mch_1", all), clerk.Machine{Scopes: []string{"a"}}, "2"},
		"an OAuth client's":  {instance.Opaque("oat_", "user_1", all), clerk.Machine{ClientID: "client_1", Scopes: []string{"a"}}, ""},
		"one without claims": {instance.Opaque("mt_", "mch_1", say(map[string]any{"claims": nil})), clerk.Machine{Scopes: []string{"read"}}, ""},
		"a machine's JWT": {machineJWT(instance, clerk.M2MToken, func(_, c map[string]any) {
			c["scopes"], c["tier"], c["client_id"], c["scp"] = "a b", 3, "x", []string{"x"}
		}), clerk.Machine{Scopes: []string{"a", "b"}}, "3"},
		"its audience":          {machineJWT(instance, clerk.M2MToken, func(_, c map[string]any) { c["aud"] = []string{"mch_2"} }), clerk.Machine{Scopes: []string{"mch_2"}}, ""},
		"no scopes, no more":    {machineJWT(instance, clerk.M2MToken, func(_, c map[string]any) { c["aud"], c["scopes"] = []string{"mch_2"}, "" }), clerk.Machine{Scopes: []string{}}, ""},
		"an OAuth client's JWT": {machineJWT(instance, clerk.OAuthToken, func(_, c map[string]any) { c["scopes"], c["tier"], c["aud"] = "x", 3, "y" }), clerk.Machine{ClientID: "client_1", Scopes: []string{"read", "write"}}, ""},
		"its list":              {machineJWT(instance, clerk.OAuthToken, func(_, c map[string]any) { c["scp"] = []string{"a"} }), clerk.Machine{ClientID: "client_1", Scopes: []string{"a"}}, ""},
	} {
		s := mustDecide(t, b, bearer(test.token))
		require.Equal(t, clerk.SignedIn, s.Status, name)
		m := s.Machine
		require.Equal(t, test.want.Name, m.Name, name)
		require.Equal(t, test.want.ClientID, m.ClientID, name)
		require.Equal(t, test.want.Scopes, m.Scopes, name)
		require.Equal(t, test.tier, string(m.Claims["tier"]), name)
		for _, reserved := range []string{"iss", "sub", "exp", "nbf", "iat", "jti"} {
			require.NotContains(t, m.Claims, reserved, name)
		}
	}
	plain := mustDecide(t, b, bearer(instance.Token(func(header, c map[string]any) {
		clear(c)
		header["cat"], c["iss"], c["sub"], c["exp"] = "cl_B7d4PD333AAA", "https://"+instance.FrontendAPI, "mch_1", time.Now().Unix()+60
	})))
	require.Equal(t, clerk.SignedIn, plain.Status)
	require.Nil(t, plain.Machine.Claims)
	require.Empty(t, plain.Machine.Scopes)
}

// TestMachineSecretKey is what Clerk is asked with about machines' tokens, and about
// nothing else. A service that takes no others needs no key to the instance.
func TestMachineSecretKey(t *testing.T) { // CL-06
	instance := clerktest.New(clerktest.Config{Production: true})
	api := serve(t, instance)
	made := func(change func(*clerk.Config)) (*clerk.Backend, error) {
		c := clerk.Config{PublishableKey: instance.PublishableKey, APIURL: api, MachineSecretKey: auth.NewSecret(instance.MachineSecretKey), AcceptTokens: []clerk.TokenType{clerk.M2MToken}}
		if change != nil {
			change(&c)
		}
		return clerk.New(c)
	}
	opaque, jwt := instance.Opaque("mt_", "mch_1", nil), machineJWT(instance, clerk.M2MToken, nil)
	b, err := made(nil)
	require.NoError(t, err)
	require.Equal(t, clerk.SignedIn, mustDecide(t, b, bearer(opaque)).Status)
	require.Equal(t, "signed-out token-invalid", decide(t, b, bearer("mt_unknown")))
	require.Equal(t, "signed-out token-verification-failed", decide(t, b, bearer(jwt)), "there is no key to verify it with")
	require.Equal(t, "signed-out token-type-mismatch", decide(t, b, bearer(instance.Token(nil))))
	require.Equal(t, "signed-out token-type-mismatch", decide(t, b, page("/?__clerk_handshake_nonce=x", "Cookie", "__client_uat=1; __session="+instance.Token(nil))))
	require.Zero(t, instance.Hits("/v1/jwks"))
	b, err = made(func(c *clerk.Config) { c.JWTKey = instance.PEM() })
	require.NoError(t, err)
	require.Equal(t, clerk.SignedIn, mustDecide(t, b, bearer(jwt)).Status)

	b, err = made(func(c *clerk.Config) { c.SecretKey, c.AcceptTokens = auth.NewSecret("sk_live_wrong"), everyToken })
	require.NoError(t, err)
	require.Equal(t, clerk.SignedIn, mustDecide(t, b, bearer(opaque)).Status, "not with the other key")
	_, err = b.Decide(bearer(instance.Opaque("ak_", "user_1", nil)), origin)
	require.ErrorContains(t, err, "status 401", "and others with that one")
	b, err = made(func(c *clerk.Config) { c.MachineSecretKey = auth.NewSecret("ak_wrong") })
	require.NoError(t, err)
	_, err = b.Decide(bearer(opaque), origin)
	require.ErrorContains(t, err, "status 401")

	for name, change := range map[string]func(*clerk.Config){
		"other kinds too": func(c *clerk.Config) { c.AcceptTokens = everyToken },
		"people beside":   func(c *clerk.Config) { c.AcceptTokens = []clerk.TokenType{clerk.M2MToken, clerk.SessionToken} },
		"API keys":        func(c *clerk.Config) { c.AcceptTokens = []clerk.TokenType{clerk.APIKey} },
		"people":          func(c *clerk.Config) { c.AcceptTokens = nil },
		"profiles":        func(c *clerk.Config) { c.Profiles = true },
		"needed profiles": func(c *clerk.Config) { c.RequireProfiles = true },
		"no key":          func(c *clerk.Config) { c.MachineSecretKey = auth.Secret{} },
		"a wrong one too": func(c *clerk.Config) { c.SecretKey = auth.NewSecret("hunter2") },
	} {
		_, err := made(change)
		require.ErrorContains(t, err, "clerk: SecretKey is none", name)
		require.NotContains(t, err.Error(), "hunter2")
	}
	_, err = made(func(c *clerk.Config) { c.MachineSecretKey = auth.NewSecret("sk_live_hunter2") })
	require.ErrorContains(t, err, "clerk: MachineSecretKey is none")
	require.NotContains(t, err.Error(), "hunter2")
	b, err = made(func(c *clerk.Config) { c.ProxyURL = "https://example.com/__clerk" })
	require.NoError(t, err)
	_, err = b.FrontendProxy()
	require.ErrorContains(t, err, "SecretKey")
}
