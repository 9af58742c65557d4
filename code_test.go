package auth_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/accesscode"
	"github.com/sallyport/auth/session"
)

const goodCode = "tulip-anvil/harbour+17 é"

func gate(t testing.TB, now func() time.Time, codes ...string) auth.CodeVerifier {
	c := accesscode.Config{Secrets: []auth.Secret{auth.NewSecret(testSecret)}, Now: now}
	for _, text := range codes {
		c.Codes = append(c.Codes, accesscode.Code{Text: auth.NewSecret(text), Label: "board"})
	}
	g, err := accesscode.New(c)
	require.NoError(t, err)
	return g
}

// newGated is a site with an access code; without says that there are no
// providers beside it.
func newGated(t *testing.T, change func(*auth.Config)) *site {
	return newSite(t, func(c *auth.Config) {
		c.AccessCode = gate(t, c.Now, goodCode)
		if change != nil {
			change(c)
		}
	})
}

func (b *browser) sendCode(code string, headers ...string) answer {
	return b.do("POST", "/api/auth/signin/access-code", url.Values{"csrfToken": {b.csrf()}, "callbackUrl": {"/a?b=c"}, "code": {code}}, headers...)
}

func TestAccessCodeAlone(t *testing.T) { // AC-09, AC-11, AC-13
	s := newGated(t, func(c *auth.Config) { c.Providers = nil; c.StraightToProvider = true })
	b := s.browser()
	to := b.get("/a?b=c").Header.Get("Location")
	require.Equal(t, s.server.URL+"/api/auth/signin?callbackUrl=%2Fa%3Fb%3Dc", to)
	page := b.get(to)
	require.Equal(t, 200, page.StatusCode)
	require.Contains(t, page.text, `<input type="password" id="code" name="code" autocomplete="current-password"`)
	require.Contains(t, page.text, `<label for="code">`)
	require.NotContains(t, page.text, "onpaste")
	require.NotContains(t, page.text, "Continue with")
	wrong := b.sendCode("wrong-wrong")
	require.Equal(t, 403, wrong.StatusCode)
	require.Contains(t, wrong.text, "That code is not right")
	require.Contains(t, wrong.text, `name="callbackUrl" value="/a?b=c"`)
	require.NotContains(t, wrong.text, "wrong-wrong", "AC-09: never echoed")
	right := b.sendCode(goodCode)
	require.Equal(t, 303, right.StatusCode)
	require.Equal(t, s.server.URL+"/a?b=c", right.Header.Get("Location"))
	require.True(t, strings.HasPrefix(b.who(), "code_"))
	require.Equal(t, 200, b.get("/a?b=c").StatusCode)
	require.Equal(t, 303, b.do("POST", "/api/auth/signout", url.Values{"csrfToken": {b.csrf()}}).StatusCode)
	require.Empty(t, b.who())
	s.mu.Lock()
	defer s.mu.Unlock()
	var kinds []auth.EventKind
	for _, e := range s.events {
		kinds = append(kinds, e.Kind)
		if e.Kind == auth.EventSignedIn {
			require.Equal(t, "board", e.Label)
		}
		if e.Kind != auth.EventSignedOut {
			require.Equal(t, "access-code", e.Provider)
			require.Equal(t, "127.0.0.1", e.Client.String())
		}
	}
	require.Equal(t, []auth.EventKind{auth.EventSignInFailed, auth.EventSignedIn, auth.EventSignedOut}, kinds)
}

func TestAccessCodeBesideProviders(t *testing.T) {
	s := newGated(t, nil)
	b := s.browser()
	page := b.get("/api/auth/signin").text
	require.Less(t, strings.Index(page, "Continue with stub"), strings.Index(page, `name="code"`))
	b.signIn("ada")
	require.Equal(t, 303, b.sendCode(goodCode).StatusCode)
	require.True(t, strings.HasPrefix(b.who(), "code_"))
	require.Contains(t, b.get("/api/auth/providers").text, `"access-code":{"id":"access-code","name":"Access code","type":"credentials"`)
	got := b.sendCode("wrong-wrong", "X-Auth-Return-Redirect", "1")
	require.Contains(t, got.text, "error=CredentialsSignin")
	got = b.do("POST", "/api/auth/callback/access-code", url.Values{"csrfToken": {b.csrf()}, "callbackUrl": {"/x"}, "code": {goodCode}}, "X-Auth-Return-Redirect", "1")
	require.JSONEq(t, `{"url":"`+s.server.URL+`/x"}`, got.text)
}

func TestAccessCodeFormsAreRead(t *testing.T) { // AC-07, AC-11, AC-12, CS-02
	s := newGated(t, nil)
	b := s.browser()
	path, token := "/api/auth/signin/access-code", b.csrf()
	for name, test := range map[string]struct {
		form    url.Values
		headers []string
		want    int
	}{
		"too large":               {url.Values{"csrfToken": {token}, "code": {strings.Repeat("x", 5<<10)}}, nil, 413},
		"no JSON":                 {url.Values{"csrfToken": {token}, "code": {goodCode}}, []string{"Content-Type", "application/json"}, 400},
		"multipart":               {url.Values{"csrfToken": {token}, "code": {goodCode}}, []string{"Content-Type", "multipart/form-data; boundary=x"}, 415},
		"two codes":               {url.Values{"csrfToken": {token}, "code": {goodCode, "x"}}, nil, 400},
		"no token":                {url.Values{"code": {goodCode}}, nil, 403},
		"another site":            {url.Values{"csrfToken": {token}, "code": {goodCode}}, []string{"Sec-Fetch-Site", "cross-site"}, 403},
		"no code":                 {url.Values{"csrfToken": {token}}, nil, 403},
		"an empty code":           {url.Values{"csrfToken": {token}, "code": {""}}, nil, 403},
		"another site's way back": {url.Values{"csrfToken": {token}, "code": {goodCode}, "callbackUrl": {"https://evil.example/"}}, nil, 303},
	} {
		got := b.do("POST", path, test.form, test.headers...)
		require.Equal(t, test.want, got.StatusCode, name)
		if test.want == 303 {
			require.Equal(t, s.server.URL+"/", got.Header.Get("Location"))
		}
	}
	b = s.browser()
	require.Equal(t, 303, b.get(path+"?code="+url.QueryEscape(goodCode)).StatusCode, "AC-09")
	require.Equal(t, 303, b.get("/?code="+url.QueryEscape(goodCode)+"&access_code="+url.QueryEscape(goodCode)).StatusCode)
	got := b.do("POST", path+"?code="+url.QueryEscape(goodCode), url.Values{"csrfToken": {b.csrf()}})
	require.Equal(t, 403, got.StatusCode, "AC-09: a code in a query is none")
	require.Empty(t, b.who())
}

func TestWithdrawnCodeEndsItsSessions(t *testing.T) { // AC-10
	var current auth.CodeVerifier
	s := newSite(t, func(c *auth.Config) {
		current = gate(t, c.Now, goodCode)
		c.AccessCode = verifierFunc{func() auth.CodeVerifier { return current }}
	})
	b, ada := s.browser(), s.browser()
	ada.signIn("ada")
	require.Equal(t, 303, b.sendCode(goodCode).StatusCode)
	who := b.who()
	current = gate(t, s.clock, "another-code-in-front", goodCode) // a restart, or another node
	require.Equal(t, who, b.who(), "a code that is added touches nobody")
	current = gate(t, s.clock, "another-code-in-front")
	require.Empty(t, b.who())
	require.Equal(t, "ada", ada.who())
	s2 := newSite(t, nil)
	other := s2.browser()
	u, _ := url.Parse(s2.server.URL)
	other.Jar.SetCookies(u, b.cookies())
	require.Empty(t, other.who(), "nor does a server without codes know it")
}

func TestBrowserThatKnewACodePassesBesideAnAttacker(t *testing.T) { // AC-03
	s := newGated(t, nil)
	b, fresh := s.browser(), s.browser()
	got := b.sendCode(goodCode)
	require.Equal(t, 303, got.StatusCode)
	var device *http.Cookie
	for _, c := range got.Cookies() {
		if c.Name == "__Host-authjs.code-device" {
			device = c
		}
	}
	require.NotNil(t, device)
	require.True(t, device.HttpOnly && device.Secure)
	require.Equal(t, http.SameSiteLaxMode, device.SameSite)
	require.Equal(t, 90*24*3600, device.MaxAge)
	require.NotContains(t, device.Value, goodCode)
	require.Equal(t, 303, b.do("POST", "/api/auth/signout", url.Values{"csrfToken": {b.csrf()}}).StatusCode)
	require.Empty(t, b.who())
	for range 5 {
		got := fresh.sendCode("wrong-wrong")
		require.Equal(t, 403, got.StatusCode)
		require.NotContains(t, strings.Join(got.Header.Values("Set-Cookie"), "\n"), "code-device")
	}
	require.Equal(t, 429, fresh.sendCode(goodCode).StatusCode, "one address")
	require.Equal(t, 303, b.sendCode(goodCode).StatusCode, "and yet another browser")
	require.NotEmpty(t, b.who())
}

// verifierFunc is a gate that a test replaces.
type verifierFunc struct{ now func() auth.CodeVerifier }

func (v verifierFunc) Verify(ctx context.Context, client netip.Addr, code string) (*auth.Identity, error) {
	return v.now().Verify(ctx, client, code)
}
func (v verifierFunc) Valid(subject string) bool { return v.now().Valid(subject) }

func TestCodeIsLimited(t *testing.T) { // AC-01, AC-02
	s := newGated(t, func(c *auth.Config) { c.TrustedProxies = []string{} })
	b := s.browser()
	for i := range 5 {
		require.Equal(t, 403, b.sendCode("wrong-wrong", "X-Forwarded-For", "203.0.113."+string(rune('1'+i))).StatusCode)
	}
	for lang, want := range map[string]string{"en": "Try again in 15 seconds", "zh": "请在 15 秒后重试"} {
		got := b.sendCode(goodCode, "X-Forwarded-For", "203.0.113.99", "Accept-Language", lang)
		require.Equal(t, 429, got.StatusCode, "a header that anybody can send is no other client")
		require.Equal(t, "15", got.Header.Get("Retry-After"))
		require.Contains(t, got.text, want)
		require.Contains(t, got.text, "callbackUrl=%2fa%3fb%3dc")
	}
	s.advance(15 * time.Second)
	require.Equal(t, 303, b.sendCode(goodCode).StatusCode)
}

func TestClientsBehindAProxyAreTold(t *testing.T) { // AC-02
	s := newGated(t, nil) // loopback is trusted
	b := s.browser()
	for range 6 {
		b.sendCode("wrong-wrong", "X-Forwarded-For", "198.51.100.1, 203.0.113.7")
	}
	require.Equal(t, 429, b.sendCode(goodCode, "X-Forwarded-For", "198.51.100.2, 203.0.113.7").StatusCode, "what stands left of the client may be made up")
	require.Equal(t, 303, b.sendCode(goodCode, "X-Forwarded-For", "203.0.113.8").StatusCode)
}

func TestAPIClientsSendTheCode(t *testing.T) { // AC-09, AC-13
	off := newGated(t, nil)
	require.Equal(t, 401, off.browser().get("/", "Accept", "*/*", "Authorization", "Bearer "+goodCode).StatusCode, "off unless asked for")
	s := newGated(t, func(c *auth.Config) { c.AccessCodeHeaders = []string{"authorization", "X-Access-Code"} })
	for _, header := range [][]string{{"Authorization", "Bearer " + goodCode}, {"Authorization", "bearer " + goodCode}, {"X-Access-Code", goodCode}} {
		b := s.browser()
		got := b.get("/data", append(header, "Accept", "*/*")...)
		require.Equal(t, 200, got.StatusCode, header)
		require.Contains(t, got.text, "hello code_")
		require.Empty(t, got.Cookies(), "no session is made")
		require.Contains(t, got.Header.Get("Cache-Control"), "no-store")
	}
	b := s.browser()
	b.signIn("ada")
	require.Contains(t, b.get("/", "X-Access-Code", "wrong-wrong").text, "hello ada", "a session counts before a header")
	for _, header := range [][]string{{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte("x:"+goodCode))}, {"Authorization", goodCode}} {
		require.Equal(t, 401, s.browser().get("/", append(header, "Accept", "*/*")...).StatusCode, header)
	}
	for range 5 {
		got := s.browser().get("/", "X-Access-Code", "wrong-wrong", "Accept", "*/*")
		require.Equal(t, 401, got.StatusCode)
		require.Contains(t, got.Header.Get("WWW-Authenticate"), "Bearer")
	}
	got := s.browser().get("/", "X-Access-Code", goodCode, "Accept", "*/*")
	require.Equal(t, 429, got.StatusCode, "the same limiter")
	require.NotEmpty(t, got.Header.Get("Retry-After"))
	for _, bad := range []auth.Config{{AccessCodeHeaders: []string{"X-Access-Code"}}, {AccessCodeHeaders: []string{"Cookie"}, AccessCode: gate(t, nil, goodCode)}, {AccessCodeHeaders: []string{""}, AccessCode: gate(t, nil, goodCode)}} {
		bad.Secrets, bad.Providers = []auth.Secret{auth.NewSecret(testSecret)}, []auth.Provider{s.stub}
		_, err := auth.New(bad)
		require.ErrorContains(t, err, "AccessCodeHeaders")
	}
}

func TestCodeIsNoPerson(t *testing.T) { // AC-13
	s := newGated(t, nil)
	var events []auth.Event
	config := auth.Config{Secrets: []auth.Secret{auth.NewSecret(testSecret)}, URL: s.server.URL, Providers: []auth.Provider{s.stub}, AccessCode: gate(t, nil, goodCode),
		OnEvent: func(_ context.Context, e auth.Event) { events = append(events, e) }}
	a, err := auth.New(config)
	require.NoError(t, err)
	reached := 0
	people := a.RequireRule(auth.Identified, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached++ }))
	ask := func(b *browser, accept string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", "/admin?x=1", nil)
		r.Header.Set("Accept", accept)
		for _, c := range b.cookies() {
			r.AddCookie(c)
		}
		w := httptest.NewRecorder()
		people.ServeHTTP(w, r)
		return w
	}
	anon, ada, coded := s.browser(), s.browser(), s.browser()
	ada.signIn("ada")
	require.Equal(t, 303, coded.sendCode(goodCode).StatusCode)
	require.Equal(t, 303, ask(anon, "text/html").Code)
	require.Equal(t, 200, ask(ada, "text/html").Code)
	refused := ask(coded, "text/html")
	require.Equal(t, 403, refused.Code)
	require.Contains(t, refused.Body.String(), "another way of signing in")
	require.Contains(t, refused.Body.String(), "callbackUrl=%2fadmin%3fx%3d1")
	refused = ask(coded, "application/json")
	require.Equal(t, 403, refused.Code)
	require.JSONEq(t, `{"error":"forbidden","message":"Signed in, but not in a way that this asks for."}`, refused.Body.String())
	require.Equal(t, 1, reached)
	require.Len(t, events, 2)
	require.Equal(t, auth.EventRefused, events[1].Kind)
	require.Equal(t, "access-code", events[1].Provider)
	require.ErrorIs(t, events[1].Err, auth.ErrNotAllowed)
	require.NoError(t, auth.Identified(&session.Session{}), "whom Auth.js signed in")
	_, err = auth.New(auth.Config{Secrets: config.Secrets, Providers: []auth.Provider{&stubProvider{name: "access-code"}}})
	require.ErrorContains(t, err, "taken")
}

func TestCodeShowsNowhere(t *testing.T) { // AC-09, LG-01
	s := newGated(t, func(c *auth.Config) { c.AccessCodeHeaders = []string{"X-Access-Code"} })
	var shown strings.Builder
	for _, code := range []string{goodCode, goodCode + "x"} {
		b := s.browser()
		for _, got := range []answer{b.sendCode(code), b.get("/", "X-Access-Code", code), b.get("/api/auth/session"), b.get("/api/auth/error?error=" + url.QueryEscape(code)), b.get("/")} {
			shown.WriteString(got.text)
			_ = got.Header.Write(&shown)
		}
		for _, c := range b.cookies() {
			shown.WriteString(c.Value)
			if raw, err := session.NewCodec(c.Name, []auth.Secret{auth.NewSecret(testSecret)}).Open(c.Value); err == nil {
				shown.Write(raw)
			}
		}
	}
	s.mu.Lock()
	for _, e := range s.events {
		shown.WriteString(e.Reason + e.Label + e.Subject)
		if e.Err != nil {
			shown.WriteString(e.Err.Error())
		}
	}
	s.mu.Unlock()
	all := shown.String() + s.log.String()
	raw := []byte(goodCode)
	for _, form := range []string{goodCode, url.QueryEscape(goodCode), url.PathEscape(goodCode), hex.EncodeToString(raw),
		base64.StdEncoding.EncodeToString(raw)[:24], base64.RawURLEncoding.EncodeToString(raw)[:24], strings.ToUpper(goodCode), "tulip-anvil", "tulip&#"} {
		require.NotContains(t, all, form)
	}
}

func TestCodeLimiterIsDown(t *testing.T) { // SE-06
	s := newSite(t, func(c *auth.Config) {
		c.AccessCode = verifierFunc{func() auth.CodeVerifier { return brokenVerifier{} }}
		c.AccessCodeHeaders = []string{"X-Access-Code"}
	})
	b := s.browser()
	got := b.sendCode(goodCode)
	require.Equal(t, 503, got.StatusCode)
	require.NotEmpty(t, got.Header.Get("Retry-After"))
	require.NotContains(t, got.text, "10.0.0.3")
	require.Equal(t, 503, b.get("/", "X-Access-Code", goodCode, "Accept", "*/*").StatusCode)
}

type brokenVerifier struct{}

func (brokenVerifier) Verify(context.Context, netip.Addr, string) (*auth.Identity, error) {
	return nil, errors.Join(auth.ErrStore, errors.New("dial 10.0.0.3:6379"))
}
func (brokenVerifier) Valid(string) bool { return false }

func TestAccessCodeOfNextAuthV4sClient(t *testing.T) { // it goes by the status
	s := newGated(t, nil)
	b := s.browser()
	ask := func(code string) answer {
		return b.do("POST", "/api/auth/callback/access-code", url.Values{"csrfToken": {b.csrf()}, "code": {code}, "callbackUrl": {"/in"}, "json": {"true"}, "redirect": {"false"}})
	}
	got := ask("wrong")
	require.Equal(t, 401, got.StatusCode)
	require.Contains(t, got.text, "error=CredentialsSignin")
	got = ask(goodCode)
	require.Equal(t, 200, got.StatusCode)
	require.JSONEq(t, `{"url":"`+s.server.URL+`/in"}`, got.text)
	require.NotEmpty(t, b.who())
}
