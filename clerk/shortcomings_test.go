package clerk_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/clerk"
	"github.com/sallyport/auth/clerk/clerktest"
)

const sealing = "kY3nC0p9V1xJm5Q8sT2wZ7bL4hF6gD0aR3eU9iOqXyE="

// TestWhereTheGoSDKErrs has a line for everything that clerk-sdk-go v2.7.0's
// middleware takes, or does not see, where @clerk/backend knows better.
func TestWhereTheGoSDKErrs(t *testing.T) {
	instance, b, at := setup(t, true, func(c *clerk.Config) { c.AuthorizedParties = []string{"https://www.example.com"} })
	now := at.Now().Unix()
	made := func(changes ...func(header, claims map[string]any)) string {
		return instance.Token(func(header, claims map[string]any) {
			claims["azp"] = "https://www.example.com"
			for _, change := range changes {
				change(header, claims)
			}
		})
	}
	good, suffix := made(), instance.CookieSuffix
	second := made(set("sub", "user_2"))
	other := clerktest.New(clerktest.Config{Production: true, FrontendAPI: "clerk.other.example"}).Token(nil)
	cookies := func(text string) *http.Request { return page("/", "Cookie", text) }
	parts := strings.Split(good, ".")
	for name, test := range map[string]struct {
		request *http.Request
		want    string
	}{
		"cookies are not read":                       {cookies("__client_uat=1; __session=" + good), "signed-in user_1"},
		"suffixed cookies are not read":              {cookies("__client_uat" + suffix + "=1; __session" + suffix + "=" + good), "signed-in user_1"},
		"no handshake":                               {cookies("__client_uat=1"), "handshake client-uat-but-no-session-token"},
		"no refresh, no redirect":                    {cookies("__client_uat=1; __session=" + made(set("exp", now-60))), "handshake session-token-expired-refresh-non-eligible-no-refresh-cookie"},
		"own extractor: no client":                   {cookies("__session=" + good), "handshake session-token-but-no-client-uat"},
		"own extractor: signed out elsewhere":        {cookies("__client_uat=0; __session=" + good), "handshake session-token-but-no-client-uat"},
		"own extractor: a newer client":              {cookies("__client_uat=9999999999; __session=" + good), "handshake session-token-iat-before-client-uat"},
		"own extractor: another instance's cookie":   {cookies("__client_uat=1; __session=" + other + "; __client_uat" + suffix + "=1; __session" + suffix + "=" + good), "signed-in user_1"},
		"own extractor: the wrong of two people":     {cookies("__client_uat=1; __session=" + other + "; __client_uat" + suffix + "=1; __session" + suffix + "=" + second), "signed-in user_2"},
		"takes a token without exp":                  {bearer(made(set("exp", nil))), "signed-out token-verification-failed"},
		"takes a token without sub":                  {bearer(made(set("sub", nil))), "signed-out token-verification-failed"},
		"takes a token without azp":                  {bearer(made(set("azp", nil))), "signed-out token-invalid-authorized-parties"},
		"takes an empty azp":                         {bearer(made(set("azp", ""))), "signed-out token-invalid-authorized-parties"},
		"takes a machine's token":                    {bearer(made(set("sub", "mch_1"))), "signed-out token-type-mismatch"},
		"takes an OAuth access token":                {bearer(made(setHeader("typ", "at+jwt"))), "signed-out token-type-mismatch"},
		"takes a template's token":                   {bearer(made(setHeader("cat", "cl_B7d4PD222AAA"))), "signed-out token-type-mismatch"},
		"takes any typ":                              {bearer(made(setHeader("typ", "secevent+jwt"))), "signed-out token-invalid"},
		"takes an issuer that looks like Clerk's":    {bearer(made(set("iss", "https://clerk.evil.example"))), "signed-out token-invalid-issuer"},
		"takes one that has Clerk's name inside":     {bearer(made(set("iss", "https://x.clerk.accounts.evil.example"))), "signed-out token-invalid-issuer"},
		"takes padded base64":                        {bearer(parts[0] + "==." + parts[1] + "." + parts[2]), "signed-out token-invalid"},
		"leaves no room for clocks":                  {bearer(made(set("exp", now-1))), "signed-in user_1"},
		"takes whatever is undecodable for no token": {cookies("__client_uat=1; __session=nonsense"), "signed-out token-invalid"},
	} {
		require.Equal(t, test.want, decide(t, b, test.request), name)
	}
	d, err := b.Authenticate(bearer(made(set("sts", "pending"))), origin)
	require.NoError(t, err)
	require.Nil(t, d.Session, "takes a pending session")
	require.Empty(t, d.Header.Values("X-Clerk-Auth-Reason"), "there is none")
	_, err = clerk.New(clerk.Config{PublishableKey: instance.PublishableKey, SecretKey: auth.NewSecret(instance.SecretKey), JWTKey: "nonsense"})
	require.Error(t, err, "a bad PEM is an error at start, not 401 for everybody")
	development, dev, _ := setup(t, false, nil)
	require.Equal(t, "handshake dev-browser-missing", decide(t, dev, cookies("__client_uat=1; __session="+development.Token(nil))), "no development browser")
}

// TestRemovedKeyUnderTraffic: the Go SDK renews a key each time that it is used,
// so that one that Clerk removes never ends.
func TestRemovedKeyUnderTraffic(t *testing.T) { // JW-11
	instance, b, at := setup(t, true, nil)
	token := instance.Token(set("exp", at.Now().Unix()+3600))
	require.Equal(t, "signed-in user_1", decide(t, b, bearer(token)))
	instance.RotateKeys()
	for range 9 {
		at.advance(30 * time.Second)
		require.Equal(t, "signed-in user_1", decide(t, b, bearer(token)))
	}
	at.advance(31 * time.Second)
	require.Equal(t, "signed-out jwk-kid-mismatch", decide(t, b, bearer(token)))
}

// TestAdvisories has a line for each of Clerk's advisories, and for what its
// changelog calls a fix, that are not tested by name elsewhere.
func TestAdvisories(t *testing.T) {
	instance, b, at := setup(t, true, nil)
	good := instance.Token(nil)
	old := instance.Token(set("exp", at.Now().Unix()-60))
	forged := clerktest.New(clerktest.Config{Production: true}).Token(set("exp", at.Now().Unix()-60))
	for name, test := range map[string]struct {
		request *http.Request
		want    string
	}{
		"CVE-2024-22206: one code path says who it is": {page("/", "Cookie", "__client_uat=1; __session="+good, "Authorization", "Bearer "+instance.Token(set("sub", "user_2"))), "signed-in user_2"},
		"#8332: the signature before the claims":       {bearer(old[:len(old)-8] + "AAAAAAAA"), "signed-out token-invalid-signature"},
		"#8332: no hint about another's token":         {bearer(forged), "signed-out jwk-kid-mismatch"},
		"#9168: a machine's JWT in __session":          {page("/", "Cookie", "__client_uat=1; __session="+machineJWT(instance, clerk.M2MToken, nil)), "signed-out token-type-mismatch"},
		"#9168: an OAuth JWT in __session":             {page("/", "Cookie", "__client_uat=1; __session="+machineJWT(instance, clerk.OAuthToken, nil)), "signed-out token-type-mismatch"},
		"#9145: a referrer named accounts":             {page("/", "Cookie", "__client_uat=1; __session="+good, "Referer", "https://accounts.evil.example/"), "handshake primary-domain-cross-origin-sync"},
		"#9466: a cookie inside of a cookie":           {page("/", "Cookie", "x=1%3B __session="+good+"%3B; __client_uat=1%3B%20__session%3D"+good), "handshake client-uat-but-no-session-token"},
		"#9466: an issuer that is no string":           {page("/", "Cookie", "__client_uat=1; __session="+instance.Token(set("iss", 5))), "signed-out token-invalid-issuer"},
		"#9469: a template's token as a session":       {page("/", "Cookie", "__client_uat=1; __session="+instance.Token(setHeader("cat", "cl_B7d4PD222AAA"))), "signed-out token-type-mismatch"},
		"#8045: a form is not redirected":              {posted(page("/", "Cookie", "__client_uat=1")), "signed-out client-uat-but-no-session-token"},
	} {
		require.Equal(t, test.want, decide(t, b, test.request), name)
	}
	tokens, a, _ := setup(t, true, func(c *clerk.Config) { c.AcceptTokens = everyToken })
	require.Equal(t, "signed-out token-type-mismatch", decide(t, a, bearer(tokens.Token(setHeader("cat", "cl_B7d4PD222AAA")))), "#9511: a template's token where any counts")
}

func posted(r *http.Request) *http.Request { r.Method = "POST"; return r }

// TestNoHeaderOpensADoor: CVE-2025-29927, GHSA-f82v-jwr5-mffw, GHSA-26hh-7cqf-hhc6,
// CVE-2026-44574 skipped Next.js's middleware, and with it Clerk's; CVE-2026-41248
// wrote paths so that a matcher did not know them.
func TestNoHeaderOpensADoor(t *testing.T) { // CL-04, MW-02, MW-06
	_, b, at := setup(t, true, nil)
	a, err := auth.New(auth.Config{Secrets: []auth.Secret{auth.NewSecret(sealing)}, URL: origin.String(), Backend: b, Now: at.Now})
	require.NoError(t, err)
	site := a.Require(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("reached") }))
	for _, header := range []string{"X-Middleware-Subrequest", "X-Clerk-Auth-Status", "X-Clerk-Auth-Token", "X-Clerk-Clerk-Url", "X-Clerk-Debug", "X-Middleware-Rewrite", "X-Nextjs-Data", "Next-Action"} {
		r := httptest.NewRequest("GET", "/admin", nil)
		r.Header.Set(header, "signed-in")
		site.ServeHTTP(httptest.NewRecorder(), r)
	}
	for _, target := range []string{"//admin", "/%61dmin", "/admin%2f", "/./admin", "/pub/..%2fadmin", "/admin;x", "/_next/../admin", "/api/auth/../../admin", "/ADMIN"} {
		for _, method := range []string{"GET", "HEAD", "POST", "OPTIONS", "PROPFIND"} {
			site.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(method, target, nil))
		}
	}
}

// TestNoTokenIsLogged: Clerk's #8744.
func TestNoTokenIsLogged(t *testing.T) {
	var out bytes.Buffer
	instance, b, _ := setup(t, false, func(c *clerk.Config) {
		c.Logger = slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	other := clerktest.New(clerktest.Config{})
	for _, r := range []*http.Request{
		page("/?__clerk_handshake=" + other.HandshakeToken("__session=x")),
		page("/?__clerk_handshake=" + instance.HandshakeToken("__session="+other.Token(nil))),
		page("/?__clerk_handshake_nonce=nonce_eyJ"),
		page("/", "Cookie", "__clerk_redirect_count=3; __clerk_db_jwt=eyJdev; __client_uat=1"),
		bearer(other.Token(nil)),
	} {
		s := mustDecide(t, b, r)
		require.NotContains(t, s.Message, "eyJ")
	}
	require.NotEmpty(t, out.String())
	require.NotContains(t, out.String(), "eyJ")
	require.NotContains(t, out.String(), instance.SecretKey)
}

// TestOutage: who has a token that can be verified stays signed in; what nobody
// can tell is 503, and never a circle of sign-ins.
func TestOutage(t *testing.T) {
	instance, b, at := setup(t, true, nil)
	a, err := auth.New(auth.Config{Secrets: []auth.Secret{auth.NewSecret(sealing)}, URL: origin.String(), Backend: b, Now: at.Now, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	site := a.Require(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	send := func(query string, headers ...string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		site.ServeHTTP(w, page("/"+query, append(headers, "Sec-Fetch-Mode", "navigate")...))
		return w
	}
	signedIn := func() string { return "__client_uat=1; __session=" + instance.Token(nil) }
	instance.SetDown(true)
	require.Equal(t, 503, send("", "Cookie", signedIn()).Code, "no keys yet")
	at.advance(3 * time.Second)
	instance.SetDown(false)
	require.Equal(t, 200, send("", "Cookie", signedIn()).Code)
	instance.SetDown(true)
	at.advance(4 * time.Minute)
	require.Equal(t, 200, send("", "Cookie", signedIn()).Code, "the keys are there")
	require.Equal(t, 503, send("?__clerk_handshake_nonce=x", "Cookie", signedIn()).Code)
	require.Equal(t, 303, send("").Code, "nobody is signed in: that needs no API")
	at.advance(2 * time.Minute)
	w := send("", "Cookie", signedIn())
	require.Equal(t, 503, w.Code, "the keys are too old")
	require.NotEmpty(t, w.Header().Get("Retry-After"))
	require.Contains(t, w.Header().Get("Content-Type"), "text/html")
	require.Empty(t, w.Header().Values("Set-Cookie"))
}

// TestNoServerError: whatever is in headers, cookies and the query.
func TestNoServerError(t *testing.T) {
	for _, production := range []bool{true, false} {
		_, b, at := setup(t, production, func(c *clerk.Config) {
			c.AcceptTokens, c.OrganizationPaths, c.Logger = everyToken, []string{"/orgs/{slug}"}, slog.New(slog.DiscardHandler)
		})
		a, err := auth.New(auth.Config{Secrets: []auth.Secret{auth.NewSecret(sealing)}, Backend: b, Now: at.Now, Logger: slog.New(slog.DiscardHandler)})
		require.NoError(t, err)
		site := a.Require(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("reached") }))
		odd := []string{"", "\x00", "%", "%00", "%ff", "a.b.c", "..", strings.Repeat(".", 9000), "eyJ.eyJ.x", "e30.e30.", "bnVsbA.bnVsbA.", "W10.W10.W10", "-1", "99999999999999999999", "ak_", "mt_\xff", "\xff\xfe"}
		for _, value := range odd {
			for _, name := range []string{"__session", "__client_uat", "__refresh", "__clerk_db_jwt", "__clerk_handshake", "__clerk_handshake_nonce", "__clerk_redirect_count", "__clerk_redirect_url", "__clerk_synced"} {
				query := page("/orgs/x?" + name + "=" + url.QueryEscape(value))
				for _, r := range []*http.Request{query, page("/", "Cookie", name+"="+value+"; __client_uat=1; __session="+value), bearer(value), page("/", "Authorization", value, "Referer", value)} {
					w := httptest.NewRecorder()
					site.ServeHTTP(w, r.WithContext(context.Background()))
					require.Less(t, w.Code, 500, "%s %q", name, value)
				}
			}
		}
	}
}

// TestHostOfTheRequest: neither an absolute-form target nor a header of somebody
// who is no trusted proxy says where a handshake comes back to.
func TestHostOfTheRequest(t *testing.T) { // CL-05
	for _, production := range []bool{true, false} {
		instance, b, at := setup(t, production, nil)
		a, err := auth.New(auth.Config{Secrets: []auth.Secret{auth.NewSecret(sealing)}, Backend: b, Now: at.Now})
		require.NoError(t, err)
		site := a.Require(http.NotFoundHandler())
		bring := "__clerk_handshake=" + instance.HandshakeToken("__session="+instance.Token(nil))
		for _, target := range []string{"/", "//evil.test/", "/\\evil.test", "/%5cevil.test", "http://evil.test/x", "/.evil.test"} {
			for _, query := range []string{"", bring} {
				r := page("/")
				u, err := url.ParseRequestURI(target)
				require.NoError(t, err)
				u.RawQuery = query
				r.URL, r.RequestURI, r.Host, r.RemoteAddr = u, target, "www.example.com", "203.0.113.9:1"
				for _, name := range []string{"X-Forwarded-Host", "X-Forwarded-Server", "X-Original-Host", "X-Host", "Forwarded"} {
					r.Header.Set(name, "host=evil.test")
				}
				r.Header.Set("Cookie", "__client_uat=1")
				w := httptest.NewRecorder()
				site.ServeHTTP(w, r)
				to, err := url.Parse(w.Header().Get("Location"))
				require.NoError(t, err)
				if query == "" {
					require.Equal(t, 307, w.Code, target)
					require.Equal(t, instance.FrontendAPI, to.Host)
					to, err = url.Parse(to.Query().Get("redirect_url"))
					require.NoError(t, err)
				} else if production {
					require.Empty(t, w.Header().Get("Location"))
					continue
				}
				require.Equal(t, "www.example.com", to.Host, target)
				require.Contains(t, []string{"http", "https"}, to.Scheme)
			}
		}
	}
}
