package web_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
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
	sent := b.sendCode("wrong-wrong")
	require.Equal(t, s.server.URL+"/api/auth/signin?callbackUrl=%2Fa%3Fb%3Dc&code=credentials&error=CredentialsSignin", sent.Header.Get("Location"))
	wrong := b.get(sent.Header.Get("Location"))
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
		"too large":               {url.Values{"csrfToken": {token}, "code": {strings.Repeat("x", 17<<10)}}, nil, 413},
		"no JSON":                 {url.Values{"csrfToken": {token}, "code": {goodCode}}, []string{"Content-Type", "application/json"}, 400},
		"multipart":               {url.Values{"csrfToken": {token}, "code": {goodCode}}, []string{"Content-Type", "multipart/form-data; boundary=x"}, 415},
		"two codes":               {url.Values{"csrfToken": {token}, "code": {goodCode, "x"}}, nil, 400},
		"no token":                {url.Values{"code": {goodCode}}, nil, 403},
		"another site":            {url.Values{"csrfToken": {token}, "code": {goodCode}}, []string{"Sec-Fetch-Site", "cross-site"}, 403},
		"no code":                 {url.Values{"csrfToken": {token}}, nil, 303},
		"an empty code":           {url.Values{"csrfToken": {token}, "code": {""}}, nil, 303},
		"another site's way back": {url.Values{"csrfToken": {token}, "code": {goodCode}, "callbackUrl": {"https://evil.example/"}}, nil, 303},
	} {
		got := b.do("POST", path, test.form, test.headers...)
		require.Equal(t, test.want, got.StatusCode, name)
		if test.want == 303 {
			wrong := test.form.Get("code") == ""
			require.Equal(t, wrong, strings.HasPrefix(got.Header.Get("Location"), s.server.URL+"/api/auth/signin?"), name)
			require.Equal(t, !wrong, got.Header.Get("Location") == s.server.URL+"/", name)
			signedIn := slices.ContainsFunc(got.Cookies(), func(c *http.Cookie) bool { return c.Name == sessionCookie })
			require.Equal(t, !wrong, signedIn, name)
		}
	}
	b = s.browser()
	form := b.get(path + "?code=" + url.QueryEscape(goodCode))
	require.Equal(t, 200, form.StatusCode, "AC-09")
	require.NotContains(t, form.text, goodCode)
	require.Equal(t, 303, b.get("/?code="+url.QueryEscape(goodCode)+"&access_code="+url.QueryEscape(goodCode)).StatusCode)
	got := b.do("POST", path+"?code="+url.QueryEscape(goodCode), url.Values{"csrfToken": {b.csrf()}})
	require.Contains(t, got.Header.Get("Location"), "error=CredentialsSignin", "AC-09: a code in a query is none")
	require.NotContains(t, got.Header.Get("Location"), url.QueryEscape(goodCode))
	require.Empty(t, b.who())
}

func TestCodeIsLimited(t *testing.T) { // AC-01, AC-02
	s := newGated(t, func(c *auth.Config) { c.TrustedProxies = []string{} })
	b := s.browser()
	for i := range 5 {
		require.Equal(t, 303, b.sendCode("wrong-wrong", "X-Forwarded-For", "203.0.113."+string(rune('1'+i))).StatusCode)
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

func TestBrowserThatKnewACodePassesBesideAnAttacker(t *testing.T) { // AC-03
	s := newGated(t, nil)
	b, fresh := s.browser(), s.browser()
	require.Equal(t, 303, b.sendCode(goodCode).StatusCode)
	var kept *http.Cookie
	require.Equal(t, 303, b.do("POST", "/api/auth/signout", url.Values{"csrfToken": {b.csrf()}}).StatusCode)
	require.Empty(t, b.who())
	for _, c := range b.sendCode(goodCode).Cookies() {
		if c.Name == "__Host-authjs.code-device" {
			kept = c
		}
	}
	require.NotNil(t, kept)
	require.True(t, kept.HttpOnly && kept.Secure)
	require.Equal(t, http.SameSiteLaxMode, kept.SameSite)
	require.Equal(t, 90*24*3600, kept.MaxAge)
	require.NotContains(t, kept.Value, "tulip")
	require.Equal(t, 303, b.do("POST", "/api/auth/signout", url.Values{"csrfToken": {b.csrf()}}).StatusCode)
	for range 5 {
		got := fresh.sendCode("wrong-wrong")
		require.Equal(t, 303, got.StatusCode)
		require.Empty(t, fresh.who())
		require.NotContains(t, strings.Join(got.Header.Values("Set-Cookie"), " "), "code-device")
	}
	require.Equal(t, 429, fresh.sendCode(goodCode).StatusCode, "one address")
	require.Equal(t, 303, b.sendCode(goodCode).StatusCode, "and yet another browser")
	require.NotEmpty(t, b.who())
}

func TestGateThatKnowsNoBrowsers(t *testing.T) {
	s := newGated(t, func(c *auth.Config) { c.AccessCode = struct{ auth.CodeVerifier }{c.AccessCode} })
	b := s.browser()
	require.Equal(t, 303, b.sendCode(goodCode).StatusCode)
	require.NotEmpty(t, b.who())
	require.Empty(t, b.cookiesNamed("__Host-authjs.code-device"))
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

// TestAMadeUpForwardedIsNoOtherClient: the proxy on this host writes X-Forwarded-For,
// and lets the client's own Forwarded through.
func TestAMadeUpForwardedIsNoOtherClient(t *testing.T) { // AC-02, HO-02
	s := newGated(t, nil)
	b := s.browser()
	for i := range 6 {
		b.sendCode("wrong-wrong", "X-Forwarded-For", "203.0.113.7", "Forwarded", fmt.Sprintf("for=198.51.100.%d", i))
	}
	require.Equal(t, 429, b.sendCode(goodCode, "X-Forwarded-For", "203.0.113.7", "Forwarded", "for=198.51.100.99").StatusCode)
	require.Equal(t, 303, b.sendCode(goodCode, "X-Forwarded-For", "203.0.113.8").StatusCode, "honest clients have their own")
	require.Contains(t, s.log.String(), "setting=Config.Forwarded")
}

// TestClientsOnPrivateNetworksAreThemselves: whoever connects from one counts by
// that address, unless it is named as a proxy's.
func TestClientsOnPrivateNetworksAreThemselves(t *testing.T) { // AC-02
	for name, test := range map[string]struct {
		trusted []string
		want    int
	}{
		"by default": {nil, 429},
		"named":      {[]string{"10.0.0.0/8"}, 303},
	} {
		s := newGated(t, func(c *auth.Config) { c.TrustedProxies = test.trusted })
		handler := s.server.Config.Handler
		s.server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.RemoteAddr = "10.0.0.2:1"
			handler.ServeHTTP(w, r)
		})
		b := s.browser()
		for i := range 6 {
			b.sendCode("wrong-wrong", "X-Forwarded-For", fmt.Sprintf("203.0.113.%d", i))
		}
		require.Equal(t, test.want, b.sendCode(goodCode, "X-Forwarded-For", "203.0.113.99").StatusCode, name)
		require.Equal(t, test.trusted == nil, strings.Contains(s.log.String(), "TRUSTED_PROXIES"), name)
	}
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

func TestNoCodeRoutesWithoutACode(t *testing.T) { // AC-07, CB-07
	s := newSite(t, nil)
	b := s.browser()
	for _, path := range []string{"/api/auth/signin/access-code", "/api/auth/callback/access-code"} {
		require.Equal(t, 404, b.get(path).StatusCode)
		require.Equal(t, 404, b.do("POST", path, url.Values{"csrfToken": {b.csrf()}, "code": {goodCode}}).StatusCode)
	}
	require.Empty(t, b.who())
	require.NotContains(t, b.get("/api/auth/providers").text, "access-code")
	require.NotContains(t, b.get("/api/auth/signin").text, `name="code"`)
	require.Equal(t, 401, s.browser().get("/", "Accept", "*/*", "Authorization", "Bearer "+goodCode).StatusCode)
	gated := newGated(t, nil)
	for _, path := range []string{"/api/auth/signout/access-code", "/api/auth/error/access-code", "/api/auth/access-code"} {
		require.Equal(t, 404, gated.browser().get(path).StatusCode)
	}
}

func TestOpeningTheAddressOfACodesForm(t *testing.T) { // AC-09, CB-04
	s := newGated(t, nil)
	got := s.browser().get("/api/auth/callback/access-code?callbackUrl=/x&code=" + url.QueryEscape(goodCode))
	require.Equal(t, s.server.URL+"/api/auth/signin?callbackUrl=%2Fx", got.Header.Get("Location"))
	got = s.browser().do("HEAD", "/api/auth/callback/access-code", nil)
	require.Equal(t, 405, got.StatusCode)
	require.Equal(t, "GET, POST", got.Header.Get("Allow"))
}

// TestTheCodesFormIsAlwaysThere: an application's own sign-in page may have no field for
// a code.
func TestTheCodesFormIsAlwaysThere(t *testing.T) { // AC-01, RD-04
	const path = "/api/auth/signin/access-code"
	for _, page := range []string{"", "/login"} {
		s := newGated(t, func(c *auth.Config) { c.SignInURL = page })
		b := s.browser()
		b.plant(sessionCookie, "broken")
		got := b.get(path + "?callbackUrl=/x%3Fy")
		require.Equal(t, 200, got.StatusCode)
		require.Empty(t, b.cookiesNamed(sessionCookie), "as on every sign-in page")
		require.Contains(t, got.text, `name="callbackUrl" value="/x?y"`)
		require.Contains(t, got.text, `action="`+path+`"`)
		require.NotContains(t, got.text, "/api/auth/signin/stub", "the code alone")
		to := map[string]string{"": "/api/auth/signin", "/login": "/login"}[page]
		require.Contains(t, got.text, `<a href="`+s.server.URL+to+`?callbackUrl=%2Fx%3Fy">Other ways to sign in</a>`)
		require.NotContains(t, got.text, `role="alert"`)
		require.Contains(t, b.get(path+"?callbackUrl=//evil.example").text, `name="callbackUrl" value="/"`)
		require.Contains(t, b.get(path+"?error=SessionRequired").text, `role="alert"`)

		form := url.Values{"csrfToken": {b.csrf()}, "callbackUrl": {"/x?y"}, "form": {"code"}, "code": {"wrong"}}
		got = b.do("POST", path, form)
		require.Equal(t, 303, got.StatusCode, "so that a reload does not send it again")
		require.Equal(t, s.server.URL+path+"?callbackUrl=%2Fx%3Fy&code=credentials&error=CredentialsSignin", got.Header.Get("Location"), "where it was typed")
		got = b.get(got.Header.Get("Location"))
		require.Contains(t, got.text, `role="alert"`)
		require.Contains(t, got.text, `name="callbackUrl" value="/x?y"`)
		form.Set("csrfToken", "forged")
		got = b.do("POST", path, form)
		require.Equal(t, 403, got.StatusCode)
		require.Contains(t, got.text, "The form was out of date")
		form.Set("csrfToken", b.csrf())
		form.Set("code", goodCode)
		require.Equal(t, s.server.URL+"/x?y", b.do("POST", path, form).Header.Get("Location"))
		require.NotEmpty(t, b.who())
	}
	s := newGated(t, nil)
	b := s.browser()
	page := b.get("/api/auth/signin").text
	require.Contains(t, page, `<input type="hidden" name="form" value="signin">`)
	require.Contains(t, page, "<details>\n<summary>Use an access code</summary>", "folded beside providers")
	got := b.do("POST", path, url.Values{"csrfToken": {b.csrf()}, "form": {"signin"}, "code": {"wrong"}})
	require.Equal(t, s.server.URL+"/api/auth/signin?callbackUrl=%2F&code=credentials&error=CredentialsSignin", got.Header.Get("Location"))
	page = b.get(got.Header.Get("Location")).text
	require.Contains(t, page, "<details open>", "where the code was just wrong")
	require.Contains(t, page, "/api/auth/signin/stub")
	require.NotContains(t, newGated(t, func(c *auth.Config) { c.Providers = nil }).browser().get("/api/auth/signin").text, "<details")
}

func TestProvidersOfACodeAlone(t *testing.T) {
	s := newGated(t, func(c *auth.Config) { c.Providers = nil })
	require.JSONEq(t, `{"access-code":{"id":"access-code","name":"Access code","type":"credentials","signinUrl":"`+s.server.URL+
		`/api/auth/signin/access-code","callbackUrl":"`+s.server.URL+`/api/auth/callback/access-code"}}`, s.browser().get("/api/auth/providers").text)
}

// fixedVerifier answers every code with id or err, and remembers the codes.
type fixedVerifier struct {
	id    *auth.Identity
	err   error
	codes []string
}

func (f *fixedVerifier) Verify(_ context.Context, _ netip.Addr, code string) (*auth.Identity, error) {
	f.codes = append(f.codes, code)
	return f.id, f.err
}
func (f *fixedVerifier) Valid(string) bool { return true }

func TestAPIClientsThatAreLimited(t *testing.T) { // AC-01, LG-03
	v := &fixedVerifier{err: &auth.LimitError{RetryAfter: 90*time.Second + 1}}
	s := newSite(t, func(c *auth.Config) { c.AccessCode, c.AccessCodeHeaders = v, []string{"X-Access-Code"} })
	for _, accept := range []string{"*/*", "text/html"} {
		got := s.browser().get("/data", "X-Access-Code", "x", "Accept", accept)
		require.Equal(t, 429, got.StatusCode)
		require.Equal(t, "91", got.Header.Get("Retry-After"))
		require.JSONEq(t, `{"error":"rate_limited","message":"Too many wrong access codes. Try again later."}`, got.text)
		require.Contains(t, got.Header.Get("Cache-Control"), "no-store")
		require.Empty(t, got.Header.Get("WWW-Authenticate"))
	}
	require.Equal(t, []string{"RateLimited", "RateLimited"}, s.reasons(), "one event each")
	require.Equal(t, "127.0.0.1", s.last().Client.String())
	require.Equal(t, "access-code", s.last().Provider)
	var limit *auth.LimitError
	require.ErrorAs(t, s.last().Err, &limit)
}

func TestAPIClientsThatAreWrong(t *testing.T) { // LG-03
	v := &fixedVerifier{err: fmt.Errorf("gate: %w", auth.ErrWrongCode)}
	s := newSite(t, func(c *auth.Config) { c.AccessCode, c.AccessCodeHeaders = v, []string{"X-Access-Code"} })
	got := s.browser().get("/data", "X-Access-Code", "x", "Accept", "text/html")
	require.Equal(t, 401, got.StatusCode)
	require.Equal(t, `Bearer realm="`+strings.TrimPrefix(s.server.URL, "https://")+`", error="invalid_token"`, got.Header.Get("WWW-Authenticate"))
	require.JSONEq(t, `{"error":"unauthorized","message":"The access code is wrong."}`, got.text)
	require.Equal(t, []string{"CredentialsSignin"}, s.reasons())
	require.Equal(t, "127.0.0.1", s.last().Client.String())
	require.ErrorIs(t, s.last().Err, auth.ErrWrongCode)
	require.Regexp(t, requestIDs, s.last().RequestID)

	v.err = &auth.LimitError{RetryAfter: time.Minute}
	got = s.browser().get("/data", "X-Access-Code", "x", "Accept", "*/*")
	require.Equal(t, 429, got.StatusCode)
	require.Regexp(t, requestIDs, s.last().RequestID)

	v.err = auth.ErrStore
	got = s.browser().get("/data", "X-Access-Code", "x", "Accept", "*/*")
	require.Equal(t, 503, got.StatusCode)
	require.Equal(t, []string{"CredentialsSignin", "RateLimited", "StoreUnavailable"}, s.reasons(), "said once")
	require.Equal(t, auth.EventSessionFailed, s.last().Kind)
}

func TestCodesInHeaders(t *testing.T) { // AC-09, AC-12
	v := &fixedVerifier{id: &auth.Identity{Issuer: "access-code", Subject: "code_1", Name: "board", Groups: []string{"g"}}}
	var who *session.Session
	a := newAuth(t, func(c *auth.Config) {
		c.AccessCode, c.AccessCodeHeaders = v, []string{"authorization", "x-access-code"}
		c.Now = func() time.Time { return time.Unix(1_800_000_000, 0) }
	})
	h := a.Require(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { who, _ = auth.FromContext(r.Context()) }))
	for name, test := range map[string]struct {
		headers []string
		want    []string // codes that the verifier was asked about
	}{
		"none":                 {nil, nil},
		"bearer":               {[]string{"Authorization", "Bearer abc"}, []string{"abc"}},
		"bearer and blanks":    {[]string{"Authorization", "bEARER   abc "}, []string{"abc "}},
		"a code with a blank":  {[]string{"Authorization", "Bearer a b"}, []string{"a b"}},
		"bearer of nothing":    {[]string{"Authorization", "Bearer"}, []string{""}},
		"basic":                {[]string{"Authorization", "Basic abc"}, nil},
		"the code alone":       {[]string{"Authorization", "abc"}, nil},
		"own header":           {[]string{"X-Access-Code", "abc"}, []string{"abc"}},
		"own header, bearer":   {[]string{"X-Access-Code", "Bearer abc"}, []string{"Bearer abc"}},
		"basic and own header": {[]string{"Authorization", "Basic abc", "X-Access-Code", "def"}, []string{"def"}},
		"both":                 {[]string{"X-Access-Code", "def", "Authorization", "Bearer abc"}, []string{"abc"}},
		"twice":                {[]string{"X-Access-Code", "abc", "X-Access-Code", "abc"}, []string{""}},
		"empty":                {[]string{"X-Access-Code", ""}, []string{""}},
		"1024 bytes":           {[]string{"X-Access-Code", strings.Repeat("a", 1024)}, []string{strings.Repeat("a", 1024)}},
		"1025 bytes":           {[]string{"X-Access-Code", strings.Repeat("a", 1025)}, []string{""}},
		"another header":       {[]string{"X-Access-Codes", "abc"}, nil},
	} {
		v.codes, who = nil, nil
		w := serve(h, "GET", "https://app.example/", "", test.headers...)
		require.Equal(t, test.want, v.codes, name)
		require.Equal(t, test.want != nil, who != nil, name)
		require.Equal(t, map[bool]int{true: 200, false: 401}[who != nil], w.Code, name)
		require.Empty(t, w.Header()["Set-Cookie"], name)
		if who != nil {
			require.Equal(t, []any{"code_1", "access-code", "board", "access-code"}, []any{who.Subject, who.Issuer, who.Name, who.Provider})
			require.Equal(t, []string{"g"}, who.Groups)
			require.EqualValues(t, 1_800_000_000, who.IssuedAt.Unix())
			require.Equal(t, who.IssuedAt, who.ExpiresAt, "it is for one request")
		}
	}
	w := serve(a, "GET", "https://app.example/api/auth/session", "", "X-Access-Code", "abc")
	require.JSONEq(t, `{"user":{"id":"access-code|code_1","name":"board"},"expires":"2027-01-15T08:00:00.000Z"}`, w.Body.String())
	require.Empty(t, w.Header()["Set-Cookie"])
}

func TestRefusedCodesElsewhere(t *testing.T) { // AC-01, HD-08
	const v5, v4 = "X-Auth-Return-Redirect", "json"
	for name, test := range map[string]struct {
		err    error
		client string
		page   string // of the application
		status int
		query  string
		retry  string
	}{
		"wrong, own page":     {auth.ErrWrongCode, "", "/login", 303, "callbackUrl=%2Fa&code=credentials&error=CredentialsSignin", ""},
		"limited, own page":   {&auth.LimitError{RetryAfter: time.Second}, "", "/login", 303, "callbackUrl=%2Fa&code=rate_limited&detail=RateLimited&error=CredentialsSignin", "1"},
		"down, own page":      {auth.ErrStore, "", "/login", 303, "callbackUrl=%2Fa&detail=StoreUnavailable&error=Configuration", "5"},
		"wrong, v5":           {auth.ErrWrongCode, v5, "", 200, "callbackUrl=%2Fa&code=credentials&error=CredentialsSignin", ""},
		"limited, v5":         {&auth.LimitError{RetryAfter: time.Minute}, v5, "", 200, "callbackUrl=%2Fa&code=rate_limited&detail=RateLimited&error=CredentialsSignin", "60"},
		"wrong, v4":           {auth.ErrWrongCode, v4, "", 401, "callbackUrl=%2Fa&code=credentials&error=CredentialsSignin", ""},
		"limited, v4":         {&auth.LimitError{RetryAfter: time.Minute}, v4, "", 429, "callbackUrl=%2Fa&code=rate_limited&detail=RateLimited&error=CredentialsSignin", "60"},
		"down, v4, own page":  {auth.ErrStore, v4, "/login", 503, "callbackUrl=%2Fa&detail=StoreUnavailable&error=Configuration", "5"},
		"down, error page":    {auth.ErrStore, "", "/login /oops", 303, "callbackUrl=%2Fa&detail=StoreUnavailable&error=Configuration", "5"},
		"wrong, error page":   {auth.ErrWrongCode, "", "/login /oops", 303, "callbackUrl=%2Fa&code=credentials&error=CredentialsSignin", ""},
		"other error, own pg": {errors.New("x"), "", "/login", 303, "callbackUrl=%2Fa&detail=StoreUnavailable&error=Configuration", "5"},
	} {
		signIn, failure, _ := strings.Cut(test.page, " ")
		s := newSite(t, func(c *auth.Config) {
			c.AccessCode, c.SignInURL, c.ErrorURL = &fixedVerifier{err: test.err}, signIn, failure
		})
		b := s.browser()
		form := url.Values{"csrfToken": {b.csrf()}, "callbackUrl": {"/a"}, "code": {"x"}}
		var headers []string
		switch test.client {
		case v5:
			headers = []string{v5, "1"}
		case v4:
			form.Set("json", "true")
		}
		got := b.do("POST", "/api/auth/callback/access-code", form, headers...)
		require.Equal(t, test.status, got.StatusCode, name)
		require.Equal(t, test.retry, got.Header.Get("Retry-After"), name)
		to := got.Header.Get("Location")
		if test.client != "" {
			var v struct{ URL string }
			require.NoError(t, json.Unmarshal([]byte(got.text), &v), name)
			to = v.URL
		}
		page := "/api/auth/signin"
		if signIn != "" {
			page = signIn
		}
		if failure != "" && test.err == auth.ErrStore {
			page = failure
		}
		require.Equal(t, s.server.URL+page+"?"+test.query, to, name)
		require.Len(t, s.reasons(), 1)
	}
}

func TestRefusedCodesHere(t *testing.T) { // AC-01
	for name, test := range map[string]struct {
		err           error
		status        int
		reason, retry string
	}{
		"wrong":   {auth.ErrWrongCode, 303, "CredentialsSignin", ""},
		"limited": {&auth.LimitError{RetryAfter: 2 * time.Minute}, 429, "RateLimited", "120"},
		"down":    {auth.ErrStore, 503, "StoreUnavailable", "5"},
		"other":   {errors.New("x"), 503, "StoreUnavailable", "5"},
	} {
		s := newSite(t, func(c *auth.Config) { c.AccessCode = &fixedVerifier{err: test.err} })
		got := s.browser().sendCode("x")
		require.Equal(t, test.status, got.StatusCode, name)
		require.Equal(t, test.retry, got.Header.Get("Retry-After"), name)
		require.Equal(t, []string{test.reason}, s.reasons(), name)
		require.Equal(t, test.reason == "CredentialsSignin", !strings.Contains(got.text, s.last().RequestID), name)
		require.Equal(t, test.reason == "RateLimited", strings.Contains(got.text, "in 2 minutes"), name)
		require.Regexp(t, `/a\?b=c|%2[fF]a%3[fF]b%3[dD]c`, got.text+got.Header.Get("Location"), name)
		require.Equal(t, "127.0.0.1", s.last().Client.String())
	}
}

func TestCodesSessionThatCannotBeKept(t *testing.T) { // SE-06
	down := false
	v := &fixedVerifier{id: &auth.Identity{Issuer: "access-code", Subject: "code_1"}}
	s := newSite(t, func(c *auth.Config) {
		c.AccessCode, c.Session.Store = v, downStore{session.NewMemoryStore(0, nil), &down}
	})
	b := s.browser()
	token := b.csrf()
	down = true
	got := b.do("POST", "/api/auth/signin/access-code", url.Values{"csrfToken": {token}, "code": {"x"}})
	require.Equal(t, 503, got.StatusCode)
	require.Equal(t, []string{"StoreUnavailable"}, s.reasons())
	require.NotEqual(t, auth.EventSignedIn, s.last().Kind)
}

func TestLandingOfACode(t *testing.T) {
	s := newGated(t, func(c *auth.Config) {
		c.ReturnTo = func(_ context.Context, s *session.Session, to string) string {
			return "/welcome?p=" + s.Provider + "&to=" + to
		}
	})
	require.Equal(t, s.server.URL+"/welcome?p=access-code&to=/a?b=c", s.browser().sendCode(goodCode).Header.Get("Location"))
}

// TestStaleSessionTokenIsNoCode: a server with an old bearer token does not use up its
// network's attempts.
func TestStaleSessionTokenIsNoCode(t *testing.T) { // AC-01
	stub := &stubProvider{name: "stub"}
	now := time.Now()
	a := newAuth(t, func(c *auth.Config) {
		c.Providers, c.AccessCode, c.AccessCodeHeaders = []auth.Provider{stub}, gate(t, nil, goodCode), []string{"Authorization", "X-Access-Code"}
		c.Now = func() time.Time { return now }
	})
	token := sealedCookie(t, a, stub).Value
	now = now.Add(40 * 24 * time.Hour)
	h := a.Require(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for range 20 {
		require.Equal(t, 401, serve(h, "GET", "https://app.example/", "", "Authorization", "Bearer "+token).Code)
	}
	got := serve(h, "GET", "https://app.example/", "", "Authorization", "Bearer "+goodCode)
	require.Equal(t, 200, got.Code)
	require.Equal(t, "Cookie, Authorization, X-Access-Code", got.Header().Get("Vary"), "HD-02: caches tell the callers apart")
}
