package auth_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/session"
)

// arrival is how an identity becomes a session. It returns nil where that is refused.
type arrival func(t *testing.T, id *auth.Identity) *session.Session

// arrivals are all of them, each with the fields of an identity that it takes.
var arrivals = []struct {
	name, fields string
	arrive       arrival
}{
	{"provider", "name username email picture groups", byProvider},
	{"access code", "name groups", byCode},
	{"backend", "name username email picture groups", byBackend},
	{"access token", "name username email picture groups", byToken},
}

func byProvider(t *testing.T, id *auth.Identity) *session.Session {
	stub := &stubProvider{name: "stub", identity: id}
	a, err := auth.New(newConfig(stub))
	require.NoError(t, err)
	return whoIn(t, signIn(t, a, stub))
}

// tokenProvider knows whose every token is.
type tokenProvider struct{ *stubProvider }

func (tokenProvider) TakesTokens() (string, []string, bool) {
	return "https://idp.example", []string{"api"}, true
}

func (p tokenProvider) VerifyToken(context.Context, string) (*auth.AccessToken, error) {
	return &auth.AccessToken{Identity: p.identity}, p.err
}

func byToken(t *testing.T, id *auth.Identity) (who *session.Session) {
	a, err := auth.New(newConfig(tokenProvider{&stubProvider{name: "stub", identity: id}}))
	require.NoError(t, err)
	r := httptest.NewRequest("GET", "https://app.example/", nil)
	r.Header.Set("Authorization", "Bearer x")
	a.Require(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { who, _ = auth.FromContext(r.Context()) })).ServeHTTP(httptest.NewRecorder(), r)
	return who
}

// whoIn is whose session cookie answer brings, or nil.
func whoIn(t *testing.T, answer *http.Response) *session.Session {
	for _, c := range answer.Cookies() {
		if strings.HasSuffix(c.Name, "session-token") {
			return sessionOf(t, c)
		}
	}
	return nil
}

// stubVerifier lets everybody in as identity.
type stubVerifier struct {
	identity *auth.Identity
	err      error
}

func (v stubVerifier) Verify(context.Context, netip.Addr, string) (*auth.Identity, error) {
	return v.identity, v.err
}
func (v stubVerifier) Valid(string) bool { return true }

// sendCode is the answer to a form with an access code.
func sendCode(t *testing.T, v auth.CodeVerifier, change func(*auth.Config)) *http.Response {
	c := newConfig()
	c.AccessCode = v
	if change != nil {
		change(&c)
	}
	a, err := auth.New(c)
	require.NoError(t, err)
	w := httptest.NewRecorder()
	a.ServeHTTP(w, httptest.NewRequest("GET", "https://app.example/api/auth/csrf", nil))
	csrf := w.Result().Cookies()[0]
	token, _, _ := strings.Cut(csrf.Value, "%7C")
	r := httptest.NewRequest("POST", "https://app.example/api/auth/signin/access-code", strings.NewReader("csrfToken="+token+"&code=x"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.AddCookie(csrf)
	w = httptest.NewRecorder()
	a.ServeHTTP(w, r)
	return w.Result()
}

func byCode(t *testing.T, id *auth.Identity) *session.Session {
	return whoIn(t, sendCode(t, stubVerifier{identity: id}, nil))
}

// stubBackend decides the same about every request.
type stubBackend struct {
	decision *auth.Decision
	err      error
}

func (b stubBackend) Authenticate(*http.Request, *url.URL) (*auth.Decision, error) {
	return b.decision, b.err
}
func (stubBackend) SignInURL(d *auth.Decision, returnTo string) string {
	return fmt.Sprintf("https://backend.example/?d=%t&to=%s", d != nil, url.QueryEscape(returnTo))
}
func (stubBackend) SignOut(http.ResponseWriter, *http.Request, *session.Session, bool) error {
	return nil
}

// behind asks for a page behind b, and returns the context in which it was shown,
// or nil.
func behind(t *testing.T, b auth.Backend) (ctx context.Context, w *httptest.ResponseRecorder) {
	c := newConfig()
	c.Backend = b
	a, err := auth.New(c)
	require.NoError(t, err)
	w = httptest.NewRecorder()
	r := httptest.NewRequest("GET", "https://app.example/page", nil)
	a.Require(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { ctx = r.Context() })).ServeHTTP(w, r)
	return ctx, w
}

func byBackend(t *testing.T, id *auth.Identity) *session.Session {
	given := &session.Session{
		Issuer: id.Issuer, Subject: id.Subject, Name: id.Name, Username: id.Username, Email: id.Email,
		EmailVerified: id.EmailVerified, Picture: id.Picture, Groups: id.Groups,
	}
	before := fmt.Sprintf("%+v", given)
	ctx, _ := behind(t, stubBackend{decision: &auth.Decision{Session: given, Value: "kept"}})
	require.Equal(t, before, fmt.Sprintf("%+v", given), "what the backend decided is not changed")
	if ctx == nil {
		return nil
	}
	require.Equal(t, "kept", auth.BackendValue(ctx))
	who, ok := auth.FromContext(ctx)
	require.True(t, ok)
	return who
}

// controls has one of each kind of control character, and bytes that are no text.
func controls() (list []string) {
	for c := rune(0); c < 0x20; c++ {
		list = append(list, string(c))
	}
	for c := rune(0x7f); c <= 0x9f; c++ {
		list = append(list, string(c))
	}
	for _, c := range "\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069" {
		list = append(list, string(c))
	}
	return append(list, "\xff", "\xc3", "\xed\xa0\x80")
}

func TestControlCharactersOfAnIdentity(t *testing.T) { // LG-02, MW-06, EN-03
	for _, way := range arrivals {
		t.Run(way.name, func(t *testing.T) {
			has := func(field string) bool { return slices.Contains(strings.Fields(way.fields), field) }
			for _, c := range controls() {
				bad := "a" + c + "b"
				fresh := func() *auth.Identity {
					return &auth.Identity{
						Issuer: "https://idp.example", Subject: "ada", Name: "Ada", Username: "countess", Email: "ada@example.com",
						EmailVerified: true, Picture: "https://idp.example/ada.png", Groups: []string{"staff", "admins"},
					}
				}
				id := fresh()
				id.Subject = bad
				require.Nil(t, way.arrive(t, id), "sub with %q", c)
				id = fresh()
				id.Issuer = "https://idp.example/" + bad
				require.Nil(t, way.arrive(t, id), "iss with %q", c)

				id = fresh()
				id.Name, id.Username, id.Email, id.Picture = bad, bad, bad+"@example.com", "https://idp.example/"+bad
				id.Groups = []string{"staff", bad, "admins", c}
				before, groups := *id, slices.Clone(id.Groups)
				who := way.arrive(t, id)
				require.NotNil(t, who, "%q", c)
				require.Equal(t, "ada", who.Subject)
				require.Equal(t, "ab", who.Name, "a name loses %q", c)
				require.Empty(t, who.Username, "%q", c)
				require.Empty(t, who.Email, "%q", c)
				require.False(t, who.EmailVerified, "of no address")
				require.Empty(t, who.Picture, "%q", c)
				require.Equal(t, []string{"staff", "admins"}, who.Groups, "%q", c)
				require.Equal(t, groups, id.Groups, "what was given is not changed")
				id.Groups = before.Groups
				require.Equal(t, before, *id, "what was given is not changed")
			}
			who := way.arrive(t, &auth.Identity{
				Issuer: "https://idp.example", Subject: "林晓", Name: "مريم 👩‍💻", Username: "林", Email: "é@example.com",
				EmailVerified: true, Picture: "https://idp.example/é.png", Groups: []string{"Ünal"},
			})
			require.Equal(t, "林晓", who.Subject)
			require.Equal(t, "مريم 👩‍💻", who.Name)
			require.Equal(t, []string{"Ünal"}, who.Groups)
			require.Equal(t, has("username"), who.Username == "林")
			require.Equal(t, has("email"), who.Email == "é@example.com" && who.EmailVerified)
			require.Equal(t, has("picture"), who.Picture == "https://idp.example/é.png")
		})
	}
}

func TestOneFieldWithAControlCharacterTouchesNoOther(t *testing.T) {
	const bad = "a\nb"
	for _, way := range arrivals {
		if way.name == "access code" {
			continue // has a name and groups only
		}
		for field, spoil := range map[string]func(*auth.Identity){
			"name":     func(id *auth.Identity) { id.Name = bad },
			"username": func(id *auth.Identity) { id.Username = bad },
			"email":    func(id *auth.Identity) { id.Email = bad },
			"picture":  func(id *auth.Identity) { id.Picture = "https://" + bad },
			"groups":   func(id *auth.Identity) { id.Groups = []string{bad} },
		} {
			id := &auth.Identity{
				Issuer: "https://idp.example", Subject: "ada", Name: "Ada", Username: "countess", Email: "ada@example.com",
				EmailVerified: true, Picture: "https://idp.example/ada.png", Groups: []string{"staff"},
			}
			spoil(id)
			who := way.arrive(t, id)
			require.NotNil(t, who, way.name+" "+field)
			want := map[string]any{"name": "Ada", "username": "countess", "email": "ada@example.com", "verified": true, "picture": "https://idp.example/ada.png", "groups": 1}
			switch field {
			case "name":
				want["name"] = "ab"
			case "groups":
				want["groups"] = 0
			case "email":
				want["email"], want["verified"] = "", false
			default:
				want[field] = ""
			}
			require.Equal(t, want, map[string]any{"name": who.Name, "username": who.Username, "email": who.Email, "verified": who.EmailVerified, "picture": who.Picture, "groups": len(who.Groups)}, way.name+" "+field)
		}
	}
}

// refused signs in with id and c, and returns why that was refused.
func refused(t *testing.T, id *auth.Identity, change func(*auth.Config)) auth.Event {
	t.Helper()
	var events []auth.Event
	stub := &stubProvider{name: "stub", identity: id}
	if id == nil {
		stub.err = errors.New("the least that a provider can say")
	}
	c := newConfig(stub)
	c.OnEvent = func(_ context.Context, e auth.Event) { events = append(events, e) }
	if change != nil {
		change(&c)
	}
	a, err := auth.New(c)
	require.NoError(t, err)
	answer := signIn(t, a, stub)
	require.Nil(t, whoIn(t, answer))
	require.GreaterOrEqual(t, answer.StatusCode, 400)
	require.Len(t, events, 1)
	require.Equal(t, auth.EventSignInFailed, events[0].Kind)
	require.Equal(t, "stub", events[0].Provider)
	require.NotEmpty(t, events[0].RequestID)
	return events[0]
}

func TestIdentityHasToNameSomebody(t *testing.T) { // ID-14
	for name, id := range map[string]*auth.Identity{
		"no issuer":  {Subject: "ada"},
		"no subject": {Issuer: "https://idp.example"},
		"256 bytes":  {Issuer: "https://idp.example", Subject: strings.Repeat("a", 256)},
		"128 of two": {Issuer: "https://idp.example", Subject: strings.Repeat("é", 128)},
	} {
		e := refused(t, id, nil)
		require.Equal(t, "InvalidResponse", e.Reason, name)
		require.ErrorIs(t, e.Err, auth.ErrInvalidResponse, name)
		require.Nil(t, byCode(t, id), name)
	}
	for _, subject := range []string{"a", strings.Repeat("a", 255), strings.Repeat("é", 127) + "a"} {
		id := &auth.Identity{Issuer: "https://idp.example", Subject: subject}
		require.Equal(t, subject, byProvider(t, id).Subject)
		require.Equal(t, subject, byCode(t, id).Subject)
	}
}

// nobody is a provider that gives neither an identity nor an error.
type nobody struct{ stubProvider }

func (*nobody) Exchange(context.Context, auth.Transaction, url.Values) (*auth.Identity, error) {
	return nil, nil
}

func TestNoIdentityIsNobody(t *testing.T) { // MW-10
	p := &nobody{stubProvider{name: "stub"}}
	a, err := auth.New(newConfig(p))
	require.NoError(t, err)
	answer := signIn(t, a, p)
	require.Equal(t, 400, answer.StatusCode)
	require.Nil(t, whoIn(t, answer))
	require.Equal(t, 503, sendCode(t, stubVerifier{}, nil).StatusCode)
}

func TestProvidersOwnErrorRefuses(t *testing.T) { // MW-10
	e := refused(t, nil, nil)
	require.Equal(t, "Unavailable", e.Reason)
	require.EqualError(t, e.Err, "the least that a provider can say")
}

func TestPictures(t *testing.T) { // UI-08
	for picture, kept := range map[string]bool{
		"https://idp.example/a.png":                     true,
		"http://idp.example/a.png":                      false,
		"javascript:alert(1)":                           false,
		"HTTPS://idp.example/a.png":                     false,
		" https://idp.example/a.png":                    false,
		"data:image/png;base64,x":                       false,
		"https://" + strings.Repeat("a", 2<<10-8):       true,
		"https://" + strings.Repeat("a", 2<<10-8) + "a": false,
		"": false,
	} {
		who := byProvider(t, &auth.Identity{Issuer: "https://idp.example", Subject: "ada", Picture: picture})
		require.Equal(t, kept, who.Picture == picture && picture != "", "%.40s", picture)
		if !kept {
			require.Empty(t, who.Picture)
		}
	}
}

func TestClaims(t *testing.T) {
	id := &auth.Identity{Issuer: "https://idp.example", Subject: "ada"}
	id.Claims = map[string]any{"plan": "pro", "seats": 3}
	require.Equal(t, map[string]any{"plan": "pro", "seats": float64(3)}, byProvider(t, id).Claims())
	for name, value := range map[string]any{"sub": "eve", "exp": 1, "email": "eve@example.com", "x": make(chan int)} {
		id.Claims = map[string]any{name: value}
		e := refused(t, id, nil)
		require.ErrorIs(t, e.Err, auth.ErrInvalidResponse, name)
		require.Equal(t, "InvalidResponse", e.Reason)
		require.ErrorContains(t, e.Err, fmt.Sprintf("claim %q", name))
	}
}

func TestPolicySeesWhatTheSessionGets(t *testing.T) { // PV-02
	given := &auth.Identity{
		Issuer: "https://idp.example", Subject: "ada", Name: "A\ndä", Username: "x\x00", Email: "ada@corp.example\u202e",
		EmailVerified: true, Picture: "http://x", Groups: []string{"staff", "adm\x7fins"}, Claims: map[string]any{"plan": "pro"},
	}
	var seen, enriched *auth.Identity
	stub := &stubProvider{name: "stub", identity: given}
	c := newConfig(stub)
	c.Policy = func(_ context.Context, provider string, id *auth.Identity) error {
		require.Equal(t, "stub", provider)
		seen = id
		return nil
	}
	c.Enrich = func(_ context.Context, s *session.Session, id *auth.Identity) error {
		enriched = id
		require.Equal(t, "Adä", s.Name)
		return s.SetClaim("role", "admin")
	}
	a, err := auth.New(c)
	require.NoError(t, err)
	who := sessionOf(t, sealedCookie(t, a, stub))
	require.Equal(t, &auth.Identity{Issuer: "https://idp.example", Subject: "ada", Name: "Adä", Groups: []string{"staff"}, Claims: given.Claims}, seen)
	require.Equal(t, seen, enriched)
	require.Equal(t, []any{who.Issuer, who.Subject, who.Name, who.Username, who.Email, who.EmailVerified, who.Picture, who.Groups, who.Provider},
		[]any{seen.Issuer, seen.Subject, seen.Name, seen.Username, seen.Email, seen.EmailVerified, seen.Picture, seen.Groups, "stub"})
	require.Equal(t, map[string]any{"plan": "pro", "role": "admin"}, who.Claims())

	emails, err := auth.AllowEmails("corp.example")
	require.NoError(t, err)
	e := refused(t, given, func(c *auth.Config) { c.Policy = emails })
	require.ErrorIs(t, e.Err, auth.ErrNotAllowed, "an address that is dropped admits nobody")
}

// TestPolicyAndEnrichSeeTheToken: what the token endpoint said beside the identity.
func TestPolicyAndEnrichSeeTheToken(t *testing.T) { // PV-02
	token := (&oauth2.Token{AccessToken: "at"}).WithExtra(map[string]any{"id_token": "a.b.c", "scope": "openid email"})
	stub := &stubProvider{name: "stub", identity: &auth.Identity{Issuer: "https://idp.example", Subject: "ada", Token: token}}
	asked := 0
	look := func(id *auth.Identity) error {
		asked++
		require.Equal(t, []any{"at", "a.b.c", "openid email"}, []any{id.Token.AccessToken, id.Token.Extra("id_token"), id.Token.Extra("scope")})
		return nil
	}
	c := newConfig(stub)
	c.Policy = func(_ context.Context, _ string, id *auth.Identity) error { return look(id) }
	c.Enrich = func(_ context.Context, _ *session.Session, id *auth.Identity) error { return look(id) }
	a, err := auth.New(c)
	require.NoError(t, err)
	cookie := sealedCookie(t, a, stub)
	require.Equal(t, 2, asked)
	for _, secret := range []string{"a.b.c", "openid email"} {
		require.NotContains(t, fmt.Sprintf("%+v", sessionOf(t, cookie).Claims()), secret, "no session has it by itself")
	}
}

func TestPolicyAndEnrichRefuse(t *testing.T) { // MW-10, PV-02
	id := &auth.Identity{Issuer: "https://idp.example", Subject: "ada"}
	down := errors.New("the directory is down")
	for name, test := range map[string]struct {
		change func(*auth.Config)
		text   string
	}{
		"the policy says no": {func(c *auth.Config) {
			c.Policy = func(context.Context, string, *auth.Identity) error {
				return fmt.Errorf("%w: not today", auth.ErrNotAllowed)
			}
		}, "auth: this person may not sign in: not today"},
		"the policy cannot say": {func(c *auth.Config) {
			c.Policy = func(context.Context, string, *auth.Identity) error { return down }
		}, "auth: this person may not sign in: the policy could not decide: the directory is down"},
		"the policy wraps another cause": {func(c *auth.Config) {
			c.Policy = func(context.Context, string, *auth.Identity) error { return auth.ErrUnavailable }
		}, "auth: this person may not sign in: the policy could not decide: auth: identity provider unavailable"},
		"Enrich fails": {func(c *auth.Config) {
			c.Enrich = func(context.Context, *session.Session, *auth.Identity) error { return down }
		}, "auth: this person may not sign in: Config.Enrich: the directory is down"},
	} {
		e := refused(t, id, test.change)
		require.EqualError(t, e.Err, test.text, name)
		require.ErrorIs(t, e.Err, auth.ErrNotAllowed, name)
		require.Equal(t, "AccessDenied", e.Reason, name)
	}
}

func TestEnrichIsAskedAfterThePolicy(t *testing.T) {
	asked := false
	refused(t, &auth.Identity{Issuer: "https://idp.example", Subject: "ada"}, func(c *auth.Config) {
		c.Policy = func(context.Context, string, *auth.Identity) error { return auth.ErrNotAllowed }
		c.Enrich = func(context.Context, *session.Session, *auth.Identity) error { asked = true; return nil }
	})
	require.False(t, asked)
}

func TestAttemptIsTheProviders(t *testing.T) { // PK-01, ST-17
	var begun, finished auth.Transaction
	p := &watched{stubProvider{name: "stub"}, &begun, &finished}
	a, err := auth.New(newConfig(p))
	require.NoError(t, err)
	require.NotNil(t, whoIn(t, signIn(t, a, p)))
	require.Equal(t, "stub", begun.Provider)
	require.Equal(t, "https://app.example/api/auth/callback/stub", begun.RedirectURI)
	require.NotEmpty(t, begun.Nonce)
	require.NotEmpty(t, begun.Verifier)
	require.Equal(t, begun.Expires.Unix(), finished.Expires.Unix())
	require.Equal(t, begun.Begun.Unix(), finished.Begun.Unix())
	finished.Begun, finished.Expires = begun.Begun, begun.Expires
	require.Equal(t, begun, finished, "the same at the callback")
}

type watched struct {
	stubProvider
	begun, finished *auth.Transaction
}

func (p *watched) AuthCodeURL(ctx context.Context, tx auth.Transaction) (string, error) {
	*p.begun = tx
	return p.stubProvider.AuthCodeURL(ctx, tx)
}

func (p *watched) Exchange(ctx context.Context, tx auth.Transaction, q url.Values) (*auth.Identity, error) {
	*p.finished = tx
	return p.stubProvider.Exchange(ctx, tx, q)
}

// shown says what its button looks like.
type shown struct {
	stubProvider
	look auth.Presentation
}

func (p *shown) Presentation() auth.Presentation { return p.look }

// typed is a plain OAuth provider.
type typed struct{ stubProvider }

func (*typed) Type() string { return "oauth" }

func TestWhatAProviderLooksLike(t *testing.T) {
	a, err := auth.New(newConfig(
		&shown{stubProvider{name: "one"}, auth.Presentation{Label: "Number One", Mark: auth.Mark{ViewBox: "0 0 1 1", Paths: []auth.Path{{D: "M0 0h1"}}}}},
		&shown{stubProvider{name: "two"}, auth.Presentation{}},
		&typed{stubProvider{name: "three"}},
	))
	require.NoError(t, err)
	get := func(path string) string {
		w := httptest.NewRecorder()
		a.ServeHTTP(w, httptest.NewRequest("GET", "https://app.example/api/auth/"+path, nil))
		return w.Body.String()
	}
	var list map[string]struct{ Name, Type string }
	require.NoError(t, json.Unmarshal([]byte(get("providers")), &list))
	require.Equal(t, map[string]struct{ Name, Type string }{
		"one": {"Number One", "oidc"}, "two": {"two", "oidc"}, "three": {"three", "oauth"},
	}, list)
	page := get("signin")
	require.Contains(t, page, "Continue with Number One")
	require.Contains(t, page, `d="M0 0h1"`)
}

// departments are so many groups as directories name them.
func departments(n int) (groups []string) {
	for i := range n {
		groups = append(groups, fmt.Sprintf("SG-Department-%04d-Application-Owners-ReadWrite", i))
	}
	return groups
}

// TestPolicySeesAllGroups: the last may be the one that is allowed. The session keeps as
// many as fit, those first that the configuration names, and the log says so once.
func TestPolicySeesAllGroups(t *testing.T) { // ID-35, CK-12
	last := departments(2000)[1999]
	allowed, err := auth.AllowGroups("nobody", last)
	require.NoError(t, err)
	inside := func(ctx context.Context, provider string, id *auth.Identity) error { return allowed(ctx, provider, id) }
	for name, x := range map[string]struct {
		groups int
		policy auth.Policy
		keep   []string
		first  []string
		cut    bool
	}{
		"none":                        {0, nil, nil, nil, false},
		"few":                         {20, nil, nil, departments(20), false},
		"few, one of them named":      {20, nil, []string{departments(20)[7], "nobody"}, departments(20)[7:8], false},
		"many":                        {2000, nil, nil, departments(10), true},
		"many, one named by a policy": {2000, allowed, nil, []string{last}, true},
		"by a policy inside another":  {2000, inside, nil, []string{last}, true},
		"many, some named for rules":  {2000, allowed, departments(2000)[1990:1992], []string{departments(2000)[1990], departments(2000)[1991], last, departments(1)[0]}, true},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			var seen int
			stub := &stubProvider{name: "stub", identity: &auth.Identity{Issuer: "https://idp.example", Subject: "ada", Groups: departments(x.groups)}}
			c := newConfig(stub)
			c.Logger, c.KeepGroups = slog.New(slog.NewTextHandler(&log, nil)), x.keep
			c.Policy = func(ctx context.Context, provider string, id *auth.Identity) error {
				if seen = len(id.Groups); x.policy == nil {
					return nil
				}
				return x.policy(ctx, provider, id)
			}
			a, err := auth.New(c)
			require.NoError(t, err)
			who := sessionOf(t, sealedCookie(t, a, stub))
			require.Equal(t, x.groups, seen)
			require.Equal(t, x.first, append([]string(nil), who.Groups[:min(len(x.first), len(who.Groups))]...))
			require.Equal(t, x.cut, len(who.Groups) < x.groups)
			var truncated bool
			_, err = who.Claim("groups_truncated", &truncated)
			require.NoError(t, err)
			require.Equal(t, x.cut, truncated)
			want := 0
			if x.cut {
				want = 1
				require.Contains(t, log.String(), fmt.Sprintf("kept=%d dropped=%d", len(who.Groups), 2000-len(who.Groups)))
			}
			require.Equal(t, want, strings.Count(log.String(), "level=WARN"))
		})
	}
}

// TestEnrichLeavesWhoVouches: a session that names another provider or issuer than the
// one that signed somebody in is nobody's.
func TestEnrichLeavesWhoVouches(t *testing.T) { // ID-39
	for name, change := range map[string]func(*session.Session){
		"issuer":   func(s *session.Session) { s.Issuer = "https://app.example" },
		"provider": func(s *session.Session) { s.Provider = "other" },
	} {
		stub := &stubProvider{name: "stub"}
		c := newConfig(stub)
		c.Enrich = func(_ context.Context, s *session.Session, _ *auth.Identity) error { change(s); return nil }
		a, err := auth.New(c)
		require.NoError(t, err)
		answer := signIn(t, a, stub)
		require.Equal(t, http.StatusBadGateway, answer.StatusCode, name)
		require.Nil(t, whoIn(t, answer), name)
	}
}

// TestSessionFitsNginxAsInstalled: 4 kB of an answer's header, 8 kB of a request's.
func TestSessionFitsNginxAsInstalled(t *testing.T) { // CK-12
	for _, n := range []int{0, 60, 200, 2000} {
		stub := &stubProvider{name: "stub", identity: &auth.Identity{Issuer: "https://idp.example", Subject: "ada", Name: "Ada Lovelace", Email: "ada@example.com", Groups: departments(n)}}
		a, err := auth.New(newConfig(stub))
		require.NoError(t, err)
		w := signIn(t, a, stub)
		answer, set := 0, 0
		for name, values := range w.Header {
			for _, value := range values {
				answer += len(name) + len(value) + len(": \r\n")
				if name == "Set-Cookie" {
					set += len("Set-Cookie: \r\n") + len(value)
				}
			}
		}
		require.LessOrEqual(t, set, 3500, "%d groups", n)
		require.Less(t, answer+len("HTTP/1.1 303 See Other\r\nDate: Mon, 02 Jan 2006 15:04:05 GMT\r\nContent-Length: 0\r\n\r\n"), 4096, "%d groups", n)
	}
}
