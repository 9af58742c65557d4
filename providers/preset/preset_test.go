package preset_test

import (
	"context"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/preset"
	"github.com/sallyport/auth/providers/providertest"
)

// inMemory is an identity provider at whatever address it says it has.
type inMemory struct {
	*providertest.IdP
	basic int // requests with the client's secret in a header
}

func (s *inMemory) RoundTrip(r *http.Request) (*http.Response, error) {
	if _, _, ok := r.BasicAuth(); ok {
		s.basic++
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Result(), nil
}

const secret = "a+b/c=d+e/f=g+h/i=j+k/l="

func newIdP(issuer string, people ...providertest.Person) *inMemory {
	if people == nil {
		people = []providertest.Person{{Subject: "1", Name: "Ada Lovelace", Username: "ada", Email: "ada@corp.example", EmailVerified: true}}
	}
	return &inMemory{IdP: providertest.New(providertest.Config{Issuer: issuer, Clients: []providertest.Client{{ID: "app", Secret: secret, NoPKCE: issuer == "https://slack.com"}}, People: people})}
}

func (s *inMemory) provider(t *testing.T, id string, more map[string]string) auth.Provider {
	name := "AUTH_" + strings.ToUpper(strings.ReplaceAll(id, "-", "_"))
	env := map[string]string{name + "_ID": "app", name + "_SECRET": secret, name + "_ISSUER": issuers[id]}
	maps.Copy(env, more)
	p, err := preset.Factories()[id](func(name string) string { return env[name] }, id, &http.Client{Transport: s})
	require.NoError(t, err)
	return p
}

// signIn returns what the provider says, and what it was asked for.
func (s *inMemory) signIn(t *testing.T, p auth.Provider) (id *auth.Identity, scope string, err error) {
	tx := auth.Transaction{
		Provider: p.Name(), State: "state", Nonce: "nonce", Verifier: strings.Repeat("v", 43),
		RedirectURI: "https://app.example/api/auth/callback/" + p.Name(), ReturnTo: "/", Expires: time.Now().Add(time.Minute),
	}
	address, err := p.AuthCodeURL(context.Background(), tx)
	if err != nil {
		return nil, "", err
	}
	r := httptest.NewRequest("GET", address, nil)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	back, err := w.Result().Location()
	require.NoError(t, err, w.Body)
	id, err = p.Exchange(context.Background(), tx, back.Query())
	return id, r.URL.Query().Get("scope"), err
}

// issuers have those that name one as their own documentation has them.
var issuers = map[string]string{
	"authelia":              "https://auth.example.com",
	"casdoor":               "https://casdoor.example.com",
	"cloudflare-zero-trust": "https://team.cloudflareaccess.com/cdn-cgi/access/sso/oidc/0123456789abcdef",
	"cognito":               "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEf012",
	"keycloak":              "https://keycloak.example.com/realms/corp",
	"logto":                 "https://tenant.logto.app/oidc",
	"okta":                  "https://org.okta.com/oauth2/default",
}

func TestEverybodySignsIn(t *testing.T) {
	own := map[string]string{"google": "https://accounts.google.com", "gitlab": "https://gitlab.com", "slack": "https://slack.com"}
	for _, id := range slices.Sorted(maps.Keys(preset.Factories())) {
		t.Run(id, func(t *testing.T) {
			issuer := own[id]
			if issuer == "" {
				issuer = issuers[id]
			}
			require.NotEmpty(t, issuer)
			s := newIdP(issuer)
			p := s.provider(t, id, nil)
			who, scope, err := s.signIn(t, p)
			require.NoError(t, err)
			require.Equal(t, "1 Ada Lovelace ada ada@corp.example "+issuer, who.Subject+" "+who.Name+" "+who.Username+" "+who.Email+" "+who.Issuer)
			require.True(t, who.EmailVerified)
			require.Equal(t, "openid profile email", scope)
			require.Equal(t, id, p.Name())
			require.Equal(t, own[id] != "", p.(auth.OpenDoor).AnyoneMayEnter())

			s.SetFaults(providertest.Faults{IDToken: func(c map[string]any) { c["iss"] = issuer + ".example" }})
			_, _, err = s.signIn(t, p)
			require.ErrorIs(t, err, auth.ErrInvalidResponse, "TV-01")
		})
	}
}

func TestGitLabOfOnesOwn(t *testing.T) {
	s := newIdP("https://gitlab.example.com")
	p := s.provider(t, "gitlab", map[string]string{"AUTH_GITLAB_ISSUER": "https://gitlab.example.com"})
	_, _, err := s.signIn(t, p)
	require.NoError(t, err)
	require.False(t, p.(auth.OpenDoor).AnyoneMayEnter())
}

func TestGoogleAsLobeChatSpellsIt(t *testing.T) {
	s := newIdP("https://accounts.google.com")
	p, err := preset.Factories()["google"](func(name string) string {
		return map[string]string{"AUTH_GOOGLE_CLIENT_ID": "app", "AUTH_GOOGLE_CLIENT_SECRET": secret, "GOOGLE_CLIENT_ID": "another"}[name]
	}, "google", &http.Client{Transport: s})
	require.NoError(t, err)
	_, _, err = s.signIn(t, p)
	require.NoError(t, err)
}

// TestGoogleHasTwoSpellings: Google documents both of them for ID tokens, and for nothing
// else.
func TestGoogleHasTwoSpellings(t *testing.T) { // ID-09, MX-01, DI-01
	const short, issuer = "accounts.google.com", "https://accounts.google.com"
	says := func(iss string) func(map[string]any) { return func(m map[string]any) { m["iss"] = iss } }
	names := func(issuer string) func(map[string]any) { return func(m map[string]any) { m["issuer"] = issuer } }
	for name, test := range map[string]struct {
		faults providertest.Faults
		want   error
	}{
		"with https":            {providertest.Faults{}, nil},
		"without":               {providertest.Faults{IDToken: says(short)}, nil},
		"with http":             {providertest.Faults{IDToken: says("http://" + short)}, auth.ErrInvalidResponse},
		"with a slash":          {providertest.Faults{IDToken: says(short + "/")}, auth.ErrInvalidResponse},
		"in capitals":           {providertest.Faults{IDToken: says("Accounts.google.com")}, auth.ErrInvalidResponse},
		"another host":          {providertest.Faults{IDToken: says("accounts.google.com.example")}, auth.ErrInvalidResponse},
		"a callback without":    {providertest.Faults{Callback: func(q url.Values) { q.Set("iss", short) }}, auth.ErrInvalidResponse},
		"metadata without":      {providertest.Faults{Metadata: names(short)}, auth.ErrMisconfigured},
		"without, and no nonce": {providertest.Faults{IDToken: func(m map[string]any) { m["iss"] = short; delete(m, "nonce") }}, auth.ErrInvalidResponse},
		"without, for another":  {providertest.Faults{IDToken: func(m map[string]any) { m["iss"], m["aud"] = short, "another" }}, auth.ErrMisconfigured},
		"without, and not signed": {providertest.Faults{IDToken: says(short), Sign: func(_, claims map[string]any) string {
			return providertest.Sign(newIdP(issuer).SigningKey(), map[string]any{"alg": "RS256"}, claims)
		}}, auth.ErrInvalidResponse},
	} {
		t.Run(name, func(t *testing.T) {
			s := newIdP(issuer)
			p := s.provider(t, "google", nil)
			s.SetFaults(test.faults)
			who, _, err := s.signIn(t, p)
			require.ErrorIs(t, err, test.want)
			if err == nil {
				require.Equal(t, issuer, who.Issuer, "one person has one issuer")
			}
		})
	}
	for id, own := range issuers {
		s := newIdP(own)
		s.SetFaults(providertest.Faults{IDToken: says(strings.TrimPrefix(own, "https://"))})
		_, _, err := s.signIn(t, s.provider(t, id, nil))
		require.ErrorIs(t, err, auth.ErrInvalidResponse, "it is Google's own")
	}
}

// TestGoogleWorkspace: the group of an account is its Workspace's domain, whatever else
// the account's address is.
func TestGoogleWorkspace(t *testing.T) { // PV-02
	policy, err := auth.AllowGroups("corp.example")
	require.NoError(t, err)
	for name, test := range map[string]struct {
		hd   any // of the ID token
		info any // of userinfo
		more map[string]string
		want string
	}{
		"of the Workspace":      {hd: "corp.example", want: "corp.example"},
		"of another":            {hd: "other.example", want: "other.example"},
		"of one below":          {hd: "evil.corp.example", want: "evil.corp.example"},
		"of none":               {},
		"of none, said as null": {hd: nil, info: nil},
		"of a list with a null": {hd: []any{"corp.example", nil}},
		"said at userinfo":      {info: "corp.example", want: "corp.example"},
		"another claim":         {hd: "corp.example", more: map[string]string{"AUTH_GOOGLE_GROUPS_CLAIM": "teams"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newIdP("https://accounts.google.com")
			s.SetFaults(providertest.Faults{
				IDToken:  func(m map[string]any) { m["hd"], m["groups"] = test.hd, []string{"corp.example"} },
				Userinfo: func(m map[string]any) { m["hd"] = test.info },
			})
			more := map[string]string{"AUTH_ALLOWED_GROUPS": "corp.example"}
			maps.Copy(more, test.more)
			p := s.provider(t, "google", more)
			who, _, err := s.signIn(t, p)
			require.NoError(t, err)
			require.Equal(t, test.want, strings.Join(who.Groups, " "))
			require.Equal(t, test.want == "corp.example", policy(context.Background(), "google", who) == nil)
		})
	}
}

// TestGitLab: an ID token has the groups that somebody is in directly, userinfo those too
// that they are in by a group above.
func TestGitLab(t *testing.T) { // PV-02, UI-04
	policy, err := auth.AllowGroups("corp/team")
	require.NoError(t, err)
	for name, test := range map[string]struct {
		direct, all any
		policy      bool // whether one looks at groups
		want        string
		asked       int
		admitted    bool
	}{
		"by a group above":                 {[]string{"corp"}, []string{"corp", "corp/team"}, true, "corp corp/team", 1, true},
		"directly":                         {[]string{"corp/team"}, []string{"corp/team"}, true, "corp/team", 1, true},
		"in another group below the same":  {[]string{"corp/other"}, []string{"corp/other"}, true, "corp/other", 1, false},
		"in a group of such a name":        {[]string{"corp/team-2"}, []string{"corp/team-2"}, true, "corp/team-2", 1, false},
		"in none":                          {[]string{}, []string{}, true, "", 1, false},
		"in it, and userinfo says no":      {[]string{"corp/team"}, []string{}, true, "", 1, false},
		"in it, and userinfo says nothing": {[]string{"corp/team"}, nil, true, "corp/team", 1, true},
		"no policy looks":                  {[]string{"corp"}, []string{"corp", "corp/team"}, false, "corp", 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newIdP("https://gitlab.com")
			s.SetFaults(providertest.Faults{
				IDToken:  func(m map[string]any) { m["groups_direct"] = test.direct },
				Userinfo: func(m map[string]any) { m["groups"] = test.all },
			})
			more := map[string]string{}
			if test.policy {
				more["AUTH_ALLOWED_GROUPS"] = "corp/team"
			}
			who, _, err := s.signIn(t, s.provider(t, "gitlab", more))
			require.NoError(t, err)
			require.Equal(t, test.want, strings.Join(who.Groups, " "))
			require.Equal(t, test.asked, s.Hits("userinfo"))
			require.Equal(t, test.admitted, policy(context.Background(), "gitlab", who) == nil)
		})
	}
	t.Run("userinfo is down", func(t *testing.T) {
		s := newIdP("https://gitlab.com")
		s.SetFaults(providertest.Faults{
			IDToken: func(m map[string]any) { m["groups_direct"] = []string{"corp/team"} },
			Endpoint: func(name string, w http.ResponseWriter, _ *http.Request) bool {
				if name == "userinfo" {
					w.WriteHeader(503)
				}
				return name == "userinfo"
			},
		})
		_, _, err := s.signIn(t, s.provider(t, "gitlab", map[string]string{"AUTH_ALLOWED_GROUPS": "corp/team"}))
		require.ErrorIs(t, err, auth.ErrUnavailable, "nobody is judged by half of their groups")
	})
}

// TestCasdoor has the answers that a real one sends.
func TestCasdoor(t *testing.T) {
	for name, test := range map[string]struct {
		claims             map[string]any
		who, picture, want string
		missing            []string
	}{
		"default": {
			claims: map[string]any{"name": "ada", "displayName": "Ada Lovelace", "avatar": "https://cdn.example/ada.png", "groups": []any{"corp/staff"}, "emailVerified": true, "passwordSalt": "s"},
			who:    "Ada Lovelace, ada", picture: "https://cdn.example/ada.png", want: "corp/staff", missing: []string{"preferred_username", "email_verified"},
		},
		"default, without a display name": {
			claims: map[string]any{"name": "ada", "displayName": "", "groups": []any{}}, who: "ada, ada", missing: []string{"preferred_username", "email_verified"},
		},
		"JWT-Standard": {
			claims: map[string]any{"name": "Ada Lovelace"}, who: "Ada Lovelace, ", missing: []string{"preferred_username", "groups", "email_verified"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newIdP(issuers["casdoor"])
			s.SetFaults(providertest.Faults{
				Metadata: func(m map[string]any) { delete(m, "token_endpoint_auth_methods_supported") },
				IDToken: func(c map[string]any) {
					maps.Copy(c, test.claims)
					for _, claim := range test.missing {
						delete(c, claim)
					}
				},
			})
			p := s.provider(t, "casdoor", nil)
			who, _, err := s.signIn(t, p)
			require.NoError(t, err)
			require.Equal(t, test.who, who.Name+", "+who.Username)
			require.Equal(t, test.picture, who.Picture)
			require.Equal(t, test.want, strings.Join(who.Groups, " "))
			require.False(t, who.EmailVerified, "emailVerified is Casdoor's own word, and not OpenID Connect's")
			require.Zero(t, s.basic, "Casdoor does not decode a secret in the header")

			who, _, err = s.signIn(t, s.provider(t, "casdoor", map[string]string{"AUTH_CASDOOR_TRUST_EMAIL": "1"}))
			require.NoError(t, err)
			require.True(t, who.EmailVerified)
		})
	}
}

func TestKeycloak(t *testing.T) { // TV-02
	roles := func(list ...any) map[string]any { return map[string]any{"roles": list} }
	for name, test := range map[string]struct {
		claims map[string]any
		groups string
		err    error
	}{
		"groups, and nothing else": {claims: map[string]any{"groups": []any{"staff"}, "resource_access": map[string]any{"app": roles("admin")}}, groups: "staff"},
		"the realm's roles and the client's": {
			claims: map[string]any{"realm_access": roles("user", "both"), "resource_access": map[string]any{"app": roles("editor", "both"), "account": roles("admin")}},
			groups: "user both editor",
		},
		"the client's alone":       {claims: map[string]any{"resource_access": map[string]any{"app": roles("editor")}}, groups: "editor"},
		"another client's":         {claims: map[string]any{"resource_access": map[string]any{"account": roles("admin")}}},
		"roles of another shape":   {claims: map[string]any{"resource_access": map[string]any{"app": "admin"}}},
		"no roles":                 {},
		"an audience mapper":       {claims: map[string]any{"aud": []any{"app", "account"}, "azp": "app"}},
		"one without azp":          {claims: map[string]any{"aud": []any{"app", "account"}, "azp": nil}, err: auth.ErrMisconfigured},
		"one for another client":   {claims: map[string]any{"aud": []any{"app", "account"}, "azp": "account"}, err: auth.ErrMisconfigured},
		"an audience without ours": {claims: map[string]any{"aud": []any{"account"}, "azp": "app"}, err: auth.ErrMisconfigured},
	} {
		t.Run(name, func(t *testing.T) {
			s := newIdP(issuers["keycloak"])
			s.SetFaults(providertest.Faults{IDToken: func(c map[string]any) {
				delete(c, "groups")
				maps.Copy(c, test.claims)
				if azp, ok := test.claims["azp"]; ok && azp == nil {
					delete(c, "azp")
				}
			}})
			who, _, err := s.signIn(t, s.provider(t, "keycloak", nil))
			if test.err != nil {
				require.ErrorIs(t, err, test.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, test.groups, strings.Join(who.Groups, " "))
		})
	}
	t.Run("the twin at another provider", func(t *testing.T) {
		s := newIdP(issuers["okta"])
		s.SetFaults(providertest.Faults{IDToken: func(c map[string]any) { c["aud"], c["azp"] = []any{"app", "account"}, "app" }})
		_, _, err := s.signIn(t, s.provider(t, "okta", nil))
		require.ErrorIs(t, err, auth.ErrMisconfigured)
	})
}

func TestCognito(t *testing.T) {
	s := newIdP(issuers["cognito"])
	s.SetFaults(providertest.Faults{IDToken: func(c map[string]any) {
		for _, claim := range []string{"name", "nickname", "preferred_username", "groups"} {
			delete(c, claim)
		}
		c["cognito:username"], c["cognito:groups"] = "ada", []any{"staff"}
	}, Userinfo: func(c map[string]any) { delete(c, "name"); delete(c, "preferred_username"); delete(c, "groups") }})
	who, _, err := s.signIn(t, s.provider(t, "cognito", nil))
	require.NoError(t, err)
	require.Equal(t, "ada, ada, staff", who.Name+", "+who.Username+", "+strings.Join(who.Groups, " "))
}

// TestTextThatVerifies: an address is verified by the boolean, and by Cognito's userinfo
// as text.
func TestTextThatVerifies(t *testing.T) { // ID-35
	for id, wants := range map[string]map[any]bool{
		"cognito": {"true": true, true: true, "false": false, "TRUE": false, "1": false, false: false, nil: false},
		"okta":    {"true": false, true: true},
	} {
		for said, want := range wants {
			s := newIdP(issuers[id])
			s.SetFaults(providertest.Faults{
				IDToken:  func(c map[string]any) { delete(c, "email"); delete(c, "email_verified") },
				Userinfo: func(c map[string]any) { c["email_verified"] = said },
			})
			who, _, err := s.signIn(t, s.provider(t, id, map[string]string{"AUTH_ALLOWED_EMAILS": "corp.example"}))
			require.NoError(t, err)
			require.Equal(t, "ada@corp.example", who.Email)
			require.Equal(t, want, who.EmailVerified, "%s says %v", id, said)
		}
	}
}

// TestAuthelia: nothing of the person is in its ID token, and the groups are another
// scope, which a client may not be registered for.
func TestAuthelia(t *testing.T) {
	s := newIdP(issuers["authelia"], providertest.Person{Subject: "1", Name: "Ada", Email: "ada@corp.example", EmailVerified: true, Groups: []string{"staff"}})
	s.SetFaults(providertest.Faults{IDToken: func(c map[string]any) {
		for _, claim := range []string{"name", "preferred_username", "email", "email_verified", "groups", "picture"} {
			delete(c, claim)
		}
		c["amr"] = []any{"pwd"}
	}})
	who, scope, err := s.signIn(t, s.provider(t, "authelia", map[string]string{"AUTH_ALLOWED_GROUPS": "staff"}))
	require.NoError(t, err)
	require.Equal(t, "openid profile email groups", scope)
	require.Equal(t, "Ada, ada@corp.example, staff", who.Name+", "+who.Email+", "+strings.Join(who.Groups, " "))
	require.True(t, who.EmailVerified)
}

// TestSlack has the ID token of Slack's documentation: the workspace is the group.
func TestSlack(t *testing.T) { // NO-01, NO-02, PV-02, TK-03
	s := newIdP("https://slack.com", providertest.Person{Subject: "U0R7MFMJM", Name: "brent", Email: "bront@slack-corp.com", EmailVerified: true})
	asked := map[string]*http.Request{}
	verifier := func(name string, _ http.ResponseWriter, r *http.Request) bool {
		asked[name] = r
		if name == "token" {
			require.NoError(t, r.ParseForm())
			require.False(t, r.PostForm.Has("code_verifier"), "beside the secret Slack answers internal_error to it")
		}
		return false
	}
	slack := func(nonce any, team any) providertest.Faults {
		return providertest.Faults{Endpoint: verifier, IDToken: func(c map[string]any) {
			delete(c, "groups")
			c["https://slack.com/user_id"], c["https://slack.com/team_id"] = "U0R7MFMJM", team
			if nonce != nil {
				c["nonce"] = nonce
			}
		}}
	}
	p := s.provider(t, "slack", map[string]string{"AUTH_ALLOWED_GROUPS": "T0RR"})
	s.SetFaults(slack(nil, "T0RR"))
	who, _, err := s.signIn(t, p)
	require.NoError(t, err)
	require.Equal(t, "U0R7MFMJM T0RR", who.Subject+" "+strings.Join(who.Groups, " "))
	require.False(t, asked["authorize"].URL.Query().Has("code_challenge"))
	require.Equal(t, "nonce", asked["authorize"].URL.Query().Get("nonce"), "which has to do instead")
	for _, nonce := range []any{"", "another", 7} {
		s.SetFaults(slack(nonce, "T0RR"))
		_, _, err = s.signIn(t, p)
		require.ErrorIs(t, err, auth.ErrInvalidResponse, nonce)
	}
	s.SetFaults(slack(nil, 7))
	who, _, err = s.signIn(t, p)
	require.NoError(t, err)
	require.Empty(t, who.Groups)
	for code, want := range map[string]error{"invalid_code": auth.ErrExpired, "code_already_used": auth.ErrExpired, "bad_client_secret": auth.ErrMisconfigured, "invalid_client_id": auth.ErrMisconfigured, "bad_redirect_uri": auth.ErrRedirectURI} {
		s.SetFaults(providertest.Faults{Endpoint: func(name string, w http.ResponseWriter, _ *http.Request) bool {
			if name == "token" {
				_, _ = w.Write([]byte(`{"ok":false,"error":"` + code + `"}`))
			}
			return name == "token"
		}})
		_, _, err = s.signIn(t, p)
		require.ErrorIs(t, err, want, code)
	}
}

// TestOnlySlackGoesWithoutPKCE.
func TestOnlySlackGoesWithoutPKCE(t *testing.T) { // PK-01
	own := map[string]string{"google": "https://accounts.google.com", "gitlab": "https://gitlab.com", "slack": "https://slack.com"}
	for id := range preset.Factories() {
		issuer := own[id]
		if issuer == "" {
			issuer = issuers[id]
		}
		s := newIdP(issuer)
		address, err := s.provider(t, id, nil).AuthCodeURL(context.Background(), auth.Transaction{State: "s", Nonce: "n", Verifier: strings.Repeat("v", 43)})
		require.NoError(t, err)
		require.Equal(t, id != "slack", strings.Contains(address, "code_challenge_method=S256"), id)
	}
}
