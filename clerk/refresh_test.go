package clerk_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/clerk"
	"github.com/sallyport/auth/clerk/clerktest"
)

// scripted is Clerk's API with one answer for everything, and what it was sent.
type scripted struct {
	status int
	answer string
	sent   []*http.Request
}

func (s *scripted) RoundTrip(r *http.Request) (*http.Response, error) {
	s.sent = append(s.sent, r)
	return &http.Response{StatusCode: s.status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(s.answer)), Request: r}, nil
}

// withScript is a backend that has its keys and asks a script about everything else.
func withScript(t *testing.T, status int, answer string) (*clerktest.Instance, *clerk.Backend, *scripted) {
	i, api := clerktest.New(clerktest.Config{Production: true}), &scripted{status: status, answer: answer}
	b, err := clerk.New(clerk.Config{PublishableKey: i.PublishableKey, SecretKey: auth.NewSecret(i.SecretKey), JWTKey: i.PEM(),
		AcceptTokens: everyToken, HTTPClient: &http.Client{Transport: api}})
	require.NoError(t, err)
	return i, b, api
}

func expiredToken(i *clerktest.Instance, change func(claims map[string]any)) string {
	return i.Token(func(_, claims map[string]any) {
		claims["iat"], claims["nbf"], claims["exp"] = 1, 1, 2
		if change != nil {
			change(claims)
		}
	})
}

// TestRefreshIsOfTheCookiesThatCount: Clerk answers with cookies of the names that
// the browser has.
func TestRefreshIsOfTheCookiesThatCount(t *testing.T) {
	i, b, api := withScript(t, 400, "{}")
	refresh := "; __refresh" + i.CookieSuffix + "=r_1"
	token := expiredToken(i, func(claims map[string]any) { claims["sid"] = "sess/../1" })
	decide(t, b, page("/", "Cookie", "__client_uat=1; __session="+token+refresh))
	decide(t, b, page("/", "Cookie", "__client_uat"+i.CookieSuffix+"=1; __session"+i.CookieSuffix+"="+token+refresh))
	require.Len(t, api.sent, 2)
	require.Equal(t, "https://api.clerk.com/v1/sessions/sess%2F..%2F1/refresh", api.sent[0].URL.String())
	require.Equal(t, "suffixed_cookies=true", api.sent[1].URL.RawQuery)
	for _, r := range api.sent {
		require.Equal(t, "POST", r.Method)
		require.Equal(t, "Bearer "+i.SecretKey, r.Header.Get("Authorization"))
		require.Equal(t, "2026-05-12", r.Header.Get("Clerk-Api-Version"))
	}
}

// TestWhyThereIsNoRefresh: the reason becomes part of an address, and so only plain
// words of Clerk's do.
func TestWhyThereIsNoRefresh(t *testing.T) {
	code := func(c string) string { return `{"errors":[{"code":"` + c + `"},{"code":"second"}]}` }
	long := strings.Repeat("a", 64)
	i, b, api := withScript(t, 200, "{}")
	cookies := func(token string) string {
		return "__client_uat=1; __session=" + token + "; __refresh" + i.CookieSuffix + "=r_1"
	}
	expired := expiredToken(i, nil)
	for name, test := range map[string]struct {
		status       int
		answer, want string
	}{
		"a code":             {422, code("session_revoked_2"), "session_revoked_2"},
		"all that may be":    {422, code("az09_"), "az09_"},
		"just short enough":  {422, code(long), long},
		"too long":           {422, code(long + "a"), "unexpected-bapi-error"},
		"in capitals":        {422, code("Session"), "unexpected-bapi-error"},
		"more of an address": {422, code("a&format=token"), "unexpected-bapi-error"},
		"before a":           {422, code("a`"), "unexpected-bapi-error"},
		"after z":            {422, code("a{"), "unexpected-bapi-error"},
		"before 0":           {422, code("a/"), "unexpected-bapi-error"},
		"after 9":            {422, code("a:"), "unexpected-bapi-error"},
		"empty":              {422, code(""), "unexpected-bapi-error"},
		"no errors":          {422, `{"errors":[]}`, "unexpected-bapi-error"},
		"no JSON":            {502, "Bad Gateway", "unexpected-bapi-error"},
		"Clerk's own":        {500, code("unexpected_error"), "fetch-error"},
		"no JSON, but 200":   {200, "hello", "unexpected-bapi-error"},
		"too many cookies":   {200, `{"cookies":["x=1"` + strings.Repeat(`,"x=1"`, 32) + `]}`, "unexpected-bapi-error"},
		"too large a cookie": {200, `{"cookies":["x=` + strings.Repeat("x", 8<<10) + `"]}`, "unexpected-bapi-error"},
		"no session":         {200, `{"cookies":["x=1"]}`, "invalid-session-token"},
	} {
		api.status, api.answer = test.status, test.answer
		require.Equal(t, "handshake session-token-expired-refresh-"+test.want, decide(t, b, page("/", "Cookie", cookies(expired))), name)
	}
	api.sent = nil
	require.Equal(t, "signed-out session-token-expired-refresh-non-eligible-non-get", decide(t, b, posted(page("/", "Cookie", cookies(expired)))))
	nameless := expiredToken(i, func(claims map[string]any) { delete(claims, "sid") })
	require.Equal(t, "handshake session-token-expired-refresh-expired-session-token-missing-sid-claim", decide(t, b, page("/", "Cookie", cookies(nameless))))
	plain := strings.Replace(cookies(expired), "__refresh"+i.CookieSuffix, "__refresh", 1)
	require.Equal(t, "handshake session-token-expired-refresh-non-eligible-no-refresh-cookie", decide(t, b, page("/", "Cookie", plain)), "any instance's")
	require.Empty(t, api.sent)
}
