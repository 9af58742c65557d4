package web_test

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
)

func TestPolicyRefuses(t *testing.T) {
	policy, err := auth.AllowEmails("example.org")
	require.NoError(t, err)
	s := newSite(t, func(c *auth.Config) { c.Policy = policy })
	b := s.browser()
	got := b.back("stub", b.start("stub", "/x").Get("state"), "ada")
	require.Equal(t, 403, got.StatusCode)
	require.Equal(t, []string{"AccessDenied"}, s.reasons())
	s.mu.Lock()
	id := s.events[0].RequestID
	s.mu.Unlock()
	require.Contains(t, got.text, id)
	require.Contains(t, s.log.String(), id)
	require.Empty(t, b.who())
	require.Empty(t, b.cookiesNamed("__Host-authjs.txn."))
}

func TestFailureKeepsTheSessionThereIs(t *testing.T) {
	s := newSite(t, nil)
	b := s.browser()
	b.signIn("ada")
	before := b.cookiesNamed("__Secure-authjs.session-token")[0].Value
	b.get("/api/auth/callback/stub?error=access_denied&state=" + b.start("stub", "/x").Get("state"))
	require.Equal(t, before, b.cookiesNamed("__Secure-authjs.session-token")[0].Value)
}

func TestProviderIsDown(t *testing.T) {
	s := newSite(t, nil)
	b := s.browser()
	s.stub.identity = func(string) (*auth.Identity, error) { return nil, fmt.Errorf("dial: %w", auth.ErrUnavailable) }
	got := b.back("stub", b.start("stub", "/x").Get("state"), "ada")
	require.Equal(t, 503, got.StatusCode)
	require.NotEmpty(t, got.Header.Get("Retry-After"))
}

// TestErrorsForPagesMadeForAuthjs: those of a sign-in are shown where a person can begin
// again, and an error page made for Auth.js knows the rest.
func TestErrorsForPagesMadeForAuthjs(t *testing.T) {
	causes := map[string]error{"declined": auth.ErrDeclined, "invalid": auth.ErrInvalidResponse, "refused": auth.ErrNotAllowed, "wrong": auth.ErrMisconfigured, "down": auth.ErrUnavailable}
	for pages, want := range map[string]map[string]string{
		"/login /oops": {
			"declined": "/login OAuthCallbackError Declined", "invalid": "/login OAuthCallbackError InvalidResponse",
			"refused": "/oops AccessDenied ", "wrong": "/oops Configuration ", "down": "/oops Configuration Unavailable",
		},
		"/login ": {"declined": "/login OAuthCallbackError Declined", "refused": "", "down": ""},
		" /oops":  {"declined": "/api/auth/signin OAuthCallbackError Declined", "refused": "/oops AccessDenied "},
	} {
		s := newSite(t, func(c *auth.Config) { c.SignInURL, c.ErrorURL, _ = strings.Cut(pages, " ") })
		s.stub.identity = func(code string) (*auth.Identity, error) { return nil, causes[code] }
		for code, want := range want {
			b := s.browser()
			got := b.back("stub", b.start("stub", "/wanted?x").Get("state"), code)
			if want == "" {
				require.Contains(t, got.text, "<h1>", "our own page")
				require.GreaterOrEqual(t, got.StatusCode, 400)
				continue
			}
			u, err := got.Location()
			require.NoError(t, err)
			require.Equal(t, want, u.Path+" "+u.Query().Get("error")+" "+u.Query().Get("detail"))
			require.Equal(t, "/wanted?x", u.Query().Get("callbackUrl"))
			require.NotEmpty(t, u.Query().Get("request_id"))
			got = b.get("/api/auth/error?" + u.RawQuery)
			require.Equal(t, map[string]int{"declined": 200, "invalid": 200, "refused": 403, "wrong": 500, "down": 500}[code], got.StatusCode)
		}
	}
	page := newSite(t, nil).browser().get("/api/auth/error?error=Configuration&detail=Unavailable")
	require.Contains(t, page.text, "does not answer")
	page = newSite(t, nil).browser().get("/api/auth/error?error=Configuration&detail=%3Cscript%3E")
	require.Contains(t, page.text, "not set up correctly")
}

func TestForgedFormsForPagesMadeForAuthjs(t *testing.T) { // CS-02
	s := newSite(t, func(c *auth.Config) {
		c.SignInURL, c.ErrorURL, c.AccessCode = "/login", "/oops", &fixedVerifier{err: auth.ErrWrongCode}
	})
	for _, path := range []string{"/api/auth/signin/stub", "/api/auth/signin/access-code"} {
		b := s.browser()
		form := url.Values{"csrfToken": {"x"}, "callbackUrl": {"/a"}}
		u, err := b.do("POST", path, form).Location()
		require.NoError(t, err)
		require.Equal(t, "/oops Configuration CookiesBlocked /a", u.Path+" "+u.Query().Get("error")+" "+u.Query().Get("detail")+" "+u.Query().Get("callbackUrl"))
		b.csrf()
		u, err = b.do("POST", path, form).Location()
		require.NoError(t, err)
		require.Equal(t, "/login MissingCSRF  /a", u.Path+" "+u.Query().Get("error")+" "+u.Query().Get("detail")+" "+u.Query().Get("callbackUrl"))
		require.Equal(t, s.last().RequestID, u.Query().Get("request_id"))
	}
	b := s.browser()
	b.csrf()
	require.Equal(t, 403, b.do("POST", "/api/auth/signout", url.Values{"csrfToken": {"x"}}).StatusCode, "who signs out does not want to sign in")
}

func TestEachFailureHasItsStatusAndPage(t *testing.T) { // LG-04, HD-03, HD-09
	for cause, want := range map[error]struct {
		status     int
		code, text string
		retry      string
	}{
		auth.ErrDeclined:          {403, "Declined", "You did not sign in", ""},
		auth.ErrNotAllowed:        {403, "AccessDenied", "You may not sign in here", ""},
		auth.ErrRedirectURI:       {400, "RedirectURI", "not registered", ""},
		auth.ErrClock:             {400, "Clock", "A clock is wrong", ""},
		auth.ErrExpired:           {400, "Expired", "That took too long", ""},
		auth.ErrInvalidResponse:   {400, "InvalidResponse", "The answer was not valid", ""},
		auth.ErrMisconfigured:     {502, "Configuration", "not set up correctly", ""},
		auth.ErrUnavailable:       {503, "Unavailable", "does not answer", "5"},
		errors.New("at 10.0.0.3"): {503, "Unavailable", "does not answer", "5"},
	} {
		s := newSite(t, nil)
		s.stub.identity = func(string) (*auth.Identity, error) { return nil, fmt.Errorf("stub: %w", cause) }
		b := s.browser()
		got := b.back("stub", b.start("stub", "/wanted").Get("state"), "ada")
		require.Equal(t, want.status, got.StatusCode, want.code)
		require.Equal(t, want.retry, got.Header.Get("Retry-After"), want.code)
		require.Equal(t, []string{want.code}, s.reasons())
		require.Contains(t, got.text, want.text)
		require.NotContains(t, got.text, "10.0.0.3")
		require.Contains(t, got.text, s.last().RequestID)
		require.Contains(t, got.text, `action="/api/auth/signin/stub"`, "try again")
		require.Contains(t, got.text, `name="callbackUrl" value="/wanted"`)
		require.Contains(t, got.text, `<p class="quiet">You were signing in with stub.</p>`, "whose sign-in it was")
		require.Equal(t, want.code == "RedirectURI", strings.Contains(got.text, s.server.URL+"/api/auth/callback/stub"), "what has to be registered")
		require.Contains(t, got.Header.Get("Content-Security-Policy"), "form-action 'self' https:;")
		retry := b.do("POST", "/api/auth/signin/stub", url.Values{"csrfToken": {b.csrf()}})
		require.Equal(t, 303, retry.StatusCode, "its form works")
	}
}

func TestFailureWithoutAnAttemptGoesHome(t *testing.T) { // ST-02
	s := newSite(t, nil)
	got := s.browser().get("/api/auth/callback/stub?code=x")
	require.Contains(t, got.text, `name="callbackUrl" value="/"`)
}

func TestFailureForAScript(t *testing.T) {
	s := newSite(t, nil)
	s.stub.identity = func(string) (*auth.Identity, error) { return nil, auth.ErrUnavailable }
	b := s.browser()
	got := b.back("stub", b.start("stub", "/").Get("state"), "ada", "X-Auth-Return-Redirect", "1")
	require.Equal(t, 200, got.StatusCode)
	require.Equal(t, "5", got.Header.Get("Retry-After"))
	require.JSONEq(t, `{"url":"`+s.server.URL+`/api/auth/error?callbackUrl=%2F&detail=Unavailable&error=Configuration&request_id=`+s.last().RequestID+`"}`, got.text)
}

func TestForgedFormsAnswer(t *testing.T) { // CS-02, CS-04
	s := newSite(t, nil)
	b := s.browser()
	got := b.do("POST", "/api/auth/signin/stub", url.Values{"csrfToken": {"x"}})
	require.Equal(t, 403, got.StatusCode)
	require.Contains(t, got.text, "Cookies are blocked", "it brings none")
	require.Equal(t, []string{"CookiesBlocked"}, s.reasons())
	require.Contains(t, got.text, s.last().RequestID)
	require.Contains(t, got.Header.Get("Content-Security-Policy"), "form-action 'self';")
	b.csrf()
	got = b.do("POST", "/api/auth/signin/stub", url.Values{"csrfToken": {"x"}})
	require.Equal(t, 403, got.StatusCode)
	require.Contains(t, got.text, "The form was out of date")
	require.Equal(t, []string{"CookiesBlocked", "MissingCSRF"}, s.reasons())
	got = b.do("POST", "/api/auth/signout", url.Values{"csrfToken": {"x"}}, "X-Auth-Return-Redirect", "1")
	require.Equal(t, 200, got.StatusCode)
	require.JSONEq(t, `{"url":"`+s.server.URL+`/api/auth/signin?error=MissingCSRF"}`, got.text)
}
