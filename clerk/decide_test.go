package clerk_test

import (
	"crypto/rand"
	"crypto/rsa"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/clerk"
	"github.com/sallyport/auth/clerk/clerktest"
	"github.com/sallyport/auth/providers/providertest"
)

func TestDecisions(t *testing.T) {
	for _, production := range []bool{true, false} {
		instance, b, at := setup(t, production, nil)
		now := at.Now().Unix()
		good := instance.Token(nil)
		expired := instance.Token(set("exp", now-30))
		suffix := instance.CookieSuffix
		dev := ""
		if !production {
			dev = "__clerk_db_jwt=dvb_1; __clerk_db_jwt" + suffix + "=dvb_1; "
		}
		for name, test := range map[string]struct {
			path, cookies string
			headers       []string
			want          string
		}{
			"nobody":                       {"/", "", nil, "signed-out session-token-and-uat-missing"},
			"signed in":                    {"/", "__client_uat=1; __session=" + good, nil, "signed-in user_1"},
			"no client":                    {"/", "__session=" + good, nil, "handshake session-token-but-no-client-uat"},
			"signed out elsewhere":         {"/", "__client_uat=0; __session=" + good, nil, "handshake session-token-but-no-client-uat"},
			"no session":                   {"/", "__client_uat=1", nil, "handshake client-uat-but-no-session-token"},
			"a newer client":               {"/", "__client_uat=9999999999; __session=" + good, nil, "handshake session-token-iat-before-client-uat"},
			"expired":                      {"/", "__client_uat=1; __session=" + expired, nil, "handshake session-token-expired-refresh-non-eligible-no-refresh-cookie"},
			"nonsense":                     {"/", "__client_uat=1; __session=nonsense", nil, "signed-out token-invalid"},
			"a fetch is not sent anywhere": {"/", "__client_uat=1", []string{"Sec-Fetch-Dest", "empty"}, "signed-out client-uat-but-no-session-token"},
			"nor by Accept":                {"/", "__client_uat=1", []string{"Sec-Fetch-Dest", "", "Accept", "application/json, text/html"}, "signed-out client-uat-but-no-session-token"},
			"an old browser is":            {"/", "__client_uat=1", []string{"Sec-Fetch-Dest", "", "Accept", "text/html"}, "handshake client-uat-but-no-session-token"},
			"three times is enough":        {"/", "__client_uat=1; __clerk_redirect_count=3", nil, "signed-out client-uat-but-no-session-token"},
			"and so are four":              {"/", "__client_uat=1; __clerk_redirect_count=4", nil, "signed-out client-uat-but-no-session-token"},
			"another instance's cookie":    {"/", "__client_uat=1; __session=" + clerktest.New(clerktest.Config{FrontendAPI: "clerk.other.example"}).Token(nil) + "; __client_uat" + suffix + "=1; __session" + suffix + "=" + good, nil, "signed-in user_1"},
			"the first of two":             {"/", "__client_uat=1; __session=" + good + "; __session=nonsense; __client_uat=0", nil, "signed-in user_1"},
			"of its own names too":         {"/", "__client_uat" + suffix + "=1; __session" + suffix + "=" + good + "; __session" + suffix + "=nonsense", nil, "signed-in user_1"},
			"from another site":            {"/", "__client_uat=1; __session=" + good, []string{"Referer", "https://elsewhere.example/"}, "handshake primary-domain-cross-origin-sync"},
			"from Clerk's pages":           {"/", "__client_uat=1; __session=" + good, []string{"Referer", "https://" + instance.FrontendAPI + "/"}, "signed-in user_1"},
		} {
			r := page(test.path, "Cookie", dev+test.cookies)
			for i := 0; i+1 < len(test.headers); i += 2 {
				r.Header.Set(test.headers[i], test.headers[i+1])
				if test.headers[i+1] == "" {
					r.Header.Del(test.headers[i])
				}
			}
			require.Equal(t, test.want, decide(t, b, r), "%s, production %v", name, production)
			r.Method = "POST"
			require.NotContains(t, decide(t, b, r), "handshake", "%s: a form's data would be lost", name)
		}
	}
	_, b, _ := setup(t, false, nil)
	require.Equal(t, "handshake dev-browser-missing", decide(t, b, page("/")))
	require.Equal(t, "handshake dev-browser-sync", decide(t, b, page("/?__clerk_db_jwt=x")))
}

func TestHandshakes(t *testing.T) {
	for _, production := range []bool{true, false} {
		instance, b, _ := setup(t, production, nil)
		session := "__session=" + instance.Token(nil) + "; Path=/; Secure"
		cookies := "__client_uat=1; __clerk_db_jwt=x"
		brought := func(query string) *clerk.State { return mustDecide(t, b, page("/a?q=1&"+query, "Cookie", cookies)) }
		for name, query := range map[string]string{
			"token": "__clerk_handshake=" + instance.HandshakeToken("__client_uat=7; Path=/", session),
			"nonce": "__clerk_handshake_nonce=" + instance.Nonce("__client_uat=7; Path=/", session),
		} {
			s := brought(query)
			require.Equal(t, clerk.SignedIn, s.Status, name)
			require.Equal(t, []string{"__client_uat=7; Path=/", session}, s.Header.Values("Set-Cookie"))
			if production {
				require.Empty(t, s.Header.Get("Location"))
			} else {
				require.Equal(t, "https://www.example.com/a?q=1", s.Header.Get("Location"), "back to the clean URL")
			}
		}
		most := append(slices.Repeat([]string{"x=" + strings.Repeat("y", 8<<10-2)}, 31), session)
		s := brought("__clerk_handshake_nonce=" + instance.Nonce(most...))
		require.Equal(t, clerk.SignedIn, s.Status, "as many and as large as there may be")
		require.Len(t, s.Header.Values("Set-Cookie"), 32)
		s = brought("__clerk_handshake_nonce=" + instance.Nonce("x=1\r\nSet-Cookie: y=1", "x=1\x00", session))
		require.Equal(t, []string{session}, s.Header.Values("Set-Cookie"), "of one line each")
		require.Equal(t, "session-token-missing", brought("__clerk_handshake="+instance.HandshakeToken("__client_uat=0; Path=/")).Reason)
		forged := clerktest.New(clerktest.Config{Production: production}).HandshakeToken(session)
		template := instance.Token(func(header, claims map[string]any) {
			header["cat"], claims["handshake"] = "cl_B7d4PD222AAA", []string{"__evil=1"}
		})
		for name, query := range map[string]string{
			"forged": "__clerk_handshake=" + forged, "another signature": "__clerk_handshake=" + instance.HandshakeToken(session)[:200] + "AAAA",
			"a template's": "__clerk_handshake=" + template, "unknown nonce": "__clerk_handshake_nonce=nope", "nonsense": "__clerk_handshake=x",
			"too many cookies":      "__clerk_handshake=" + instance.HandshakeToken(append(slices.Repeat([]string{"__evil=1"}, 32), session)...),
			"too large a cookie":    "__clerk_handshake=" + instance.HandshakeToken("__evil="+strings.Repeat("x", 9<<10), session),
			"a session's own token": "__clerk_handshake=" + instance.Token(nil),
			"a template inside":     "__clerk_handshake=" + instance.HandshakeToken("__session="+instance.Token(setHeader("cat", "cl_B7d4PD222AAA"))),
		} {
			s := brought(query)
			require.NotEqual(t, clerk.SignedIn, s.Status, name)
			require.NotContains(t, strings.Join(s.Header.Values("Set-Cookie"), " "), "__evil", name)
			require.NotContains(t, strings.Join(s.Header.Values("Set-Cookie"), " "), "__session=", name)
			require.NotContains(t, s.Header.Get("Location"), "__clerk_handshake%3D", "%s: the next one begins without what failed", name)
		}
	}
}

func TestRefresh(t *testing.T) {
	instance, b, at := setup(t, true, nil)
	suffix := instance.CookieSuffix
	expired := instance.Token(set("exp", at.Now().Unix()-30))
	fresh := "__session=" + instance.Token(set("sub", "user_2")) + "; Path=/"
	for name, test := range map[string]struct{ refresh, want string }{
		"good":             {instance.RefreshToken(fresh), "signed-in user_2"},
		"unknown":          {"nope", "handshake session-token-expired-refresh-refresh_token_invalid"},
		"brings nothing":   {instance.RefreshToken(), "handshake session-token-expired-refresh-invalid-session-token"},
		"brings another's": {instance.RefreshToken("__session=" + clerktest.New(clerktest.Config{Production: true}).Token(nil)), "handshake session-token-expired-refresh-invalid-session-token"},
	} {
		r := page("/", "Cookie", "__client_uat=1; __session="+expired+"; __refresh"+suffix+"="+test.refresh)
		require.Equal(t, test.want, decide(t, b, r), name)
	}
	r := bearer(expired)
	r.Header.Set("Cookie", "__refresh"+suffix+"="+instance.RefreshToken(fresh))
	require.Equal(t, "handshake session-token-expired-refresh-non-eligible-no-refresh-cookie", decide(t, b, r), "a token in the header is not refreshed into a cookie's session")
	instance.SetDown(true)
	r = page("/", "Cookie", "__client_uat=1; __session="+expired+"; __refresh"+suffix+"=x")
	require.Equal(t, "handshake session-token-expired-refresh-service_unavailable", decide(t, b, r))
}

// TestRefreshTellsNoSecret: Clerk learns what the browser is, and not what else it
// keeps here.
func TestRefreshTellsNoSecret(t *testing.T) {
	at := time.Now()
	i := clerktest.New(clerktest.Config{Production: true})
	var sent string
	b, err := clerk.New(clerk.Config{PublishableKey: i.PublishableKey, SecretKey: auth.NewSecret(i.SecretKey), JWTKey: i.PEM(),
		HTTPClient: &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			raw, err := io.ReadAll(r.Body)
			sent = string(raw)
			return &http.Response{StatusCode: 400, Header: http.Header{}, Body: http.NoBody, Request: r}, err
		})}})
	require.NoError(t, err)
	expired := i.Token(set("exp", at.Unix()-60))
	r := page("/", "Cookie", "__Secure-authjs.session-token=ours; __client_uat=1; __session="+expired+"; __refresh"+i.CookieSuffix+"=r_1", "User-Agent", "a browser", "Authorization", "Basic b3Vycw==")
	require.Equal(t, "handshake session-token-expired-refresh-unexpected-bapi-error", decide(t, b, r))
	require.Contains(t, sent, expired)
	require.Contains(t, sent, "a browser")
	require.Contains(t, sent, `"refresh_token":"r_1"`)
	for _, secret := range []string{"ours", "b3Vycw", i.SecretKey} {
		require.NotContains(t, sent, secret)
	}
}

func TestCookiesOfClerkAreNotCached(t *testing.T) {
	instance, b, at := setup(t, true, nil)
	a, err := auth.New(auth.Config{Secrets: []auth.Secret{auth.NewSecret("kY3nC0p9V1xJm5Q8sT2wZ7bL4hF6gD0aR3eU9iOqXyE=")}, URL: origin.String(), Backend: b, Now: at.Now})
	require.NoError(t, err)
	w := httptest.NewRecorder()
	r := page("/?__clerk_handshake=" + instance.HandshakeToken("__client_uat=0; Path=/"))
	a.Identify(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {})).ServeHTTP(w, r)
	require.Equal(t, "__client_uat=0; Path=/", w.Header().Get("Set-Cookie"))
	require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
}

func TestKeyOfTheSameNameIsAnother(t *testing.T) {
	at := &clock{now: time.Now()}
	one, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	two, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	current := one
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		providertest.WriteJSON(w, 200, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: current.Public(), KeyID: "k", Algorithm: "RS256", Use: "sig"}}})
	}))
	t.Cleanup(api.Close)
	i := clerktest.New(clerktest.Config{Production: true})
	b, err := clerk.New(clerk.Config{PublishableKey: i.PublishableKey, SecretKey: auth.NewSecret(i.SecretKey), APIURL: api.URL, Now: at.Now})
	require.NoError(t, err)
	token := providertest.Sign(one, map[string]any{"alg": "RS256", "kid": "k"}, map[string]any{"iss": "https://" + i.FrontendAPI, "sub": "user_1", "exp": at.Now().Unix() + 3600})
	require.Equal(t, "signed-in user_1", decide(t, b, bearer(token)))
	require.Equal(t, "signed-in user_1", decide(t, b, bearer(token)))
	current = two
	at.advance(6 * time.Minute)
	require.Equal(t, "signed-out token-invalid-signature", decide(t, b, bearer(token)), "what was verified with the old key counts no more")
}

func TestSatellite(t *testing.T) {
	instance, b, _ := setup(t, true, func(c *clerk.Config) {
		c.Satellite, c.Domain, c.SignInURL = true, "sat.example.net", "https://primary.example.org/in"
	})
	require.Equal(t, "signed-out session-token-and-uat-missing", decide(t, b, page("/")))
	s := mustDecide(t, b, page("/?__clerk_synced=false"))
	require.Equal(t, "satellite-needs-syncing", s.Reason)
	to, err := url.Parse(s.Header.Get("Location"))
	require.NoError(t, err)
	require.Equal(t, "clerk.sat.example.net", to.Host)
	require.Equal(t, "signed-out session-token-and-uat-missing", decide(t, b, page("/?__clerk_synced=true")))
	here := instance.Token(set("iss", "https://clerk.sat.example.net"))
	require.Equal(t, "signed-in user_1", decide(t, b, page("/", "Cookie", "__client_uat=1; __session="+here, "Referer", "https://elsewhere.example/")))
	suffix := instance.CookieSuffix
	require.Equal(t, "signed-in user_1", decide(t, b, page("/", "Cookie", "__client_uat"+suffix+"=1; __session"+suffix+"="+instance.Token(nil))))
	require.Equal(t, "signed-out token-invalid-issuer", decide(t, b, bearer(instance.Token(set("iss", "https://clerk.other.example.net")))))
	primary, d, _ := setup(t, false, func(c *clerk.Config) { c.RedirectOrigins = []string{"https://sat.example.net"} })
	_ = primary
	s = mustDecide(t, d, page("/?__clerk_redirect_url=https%3A%2F%2Fsat.example.net%2Fx", "Cookie", "__clerk_db_jwt=dvb_1"))
	require.Equal(t, "https://sat.example.net/x?__clerk_db_jwt=dvb_1&__clerk_synced=true", s.Header.Get("Location"))
}

// TestWhereAPersonComesFromWithAProxy: the proxy is what is Clerk's, on its host, and
// neither the host of the key nor the portal that goes with that.
func TestWhereAPersonComesFromWithAProxy(t *testing.T) {
	for proxy, known := range map[string][]string{
		"https://auth.example.org/__clerk": {"https://auth.example.org/anything", "https://AUTH.example.org:8443/"},
		"http://localhost:3000/__clerk":    {"http://localhost:3000/in", "http://localhost:4000/in"},
		"/__clerk":                         {"https://www.example.com:8443/in"},
	} {
		instance, b, _ := setup(t, true, func(c *clerk.Config) { c.ProxyURL = proxy })
		issuer := proxy
		if proxy[0] == '/' {
			issuer = origin.String() + proxy
		}
		cookies := "__client_uat" + instance.CookieSuffix + "=1; __session" + instance.CookieSuffix + "=" + instance.Token(set("iss", issuer))
		for _, referrer := range known {
			require.Equal(t, "signed-in user_1", decide(t, b, page("/", "Cookie", cookies, "Referer", referrer)), "%s: %s", proxy, referrer)
		}
		for _, referrer := range []string{
			"https://" + instance.FrontendAPI + "/", "https://accounts.example.com/sign-in", "https://elsewhere.example/",
			"http://auth.example.org/__clerk", "https://localhost:3000/", "http://www.example.com:8443/in",
		} {
			require.Equal(t, "handshake primary-domain-cross-origin-sync", decide(t, b, page("/", "Cookie", cookies, "Referer", referrer)), "%s: %s", proxy, referrer)
		}
	}
}

// TestProxyAtAPath: its address, and with it the issuer of tokens, is the one of the site
// that is asked. That is configured, or the host that the request names; the key is this
// instance's in any case.
func TestProxyAtAPath(t *testing.T) { // CL-01, CL-05
	instance, b, at := setup(t, true, func(c *clerk.Config) { c.ProxyURL, c.AcceptTokens = "/__clerk/", everyToken })
	require.Equal(t, "/__clerk", b.FrontendAPI())
	of := func(issuer string) string { return instance.Token(set("iss", issuer)) }
	const www = "https://www.example.com"
	require.Equal(t, "signed-in user_1", decide(t, b, bearer(of(www+"/__clerk"))))
	for _, issuer := range []string{www, www + "/__clerk/", "/__clerk", "http://www.example.com/__clerk", "https://other.example/__clerk", "https://" + instance.FrontendAPI, ""} {
		require.Equal(t, "signed-out token-invalid-issuer", decide(t, b, bearer(of(issuer))), issuer)
		machine := machineJWT(instance, clerk.M2MToken, set("iss", issuer))
		require.Equal(t, "signed-out token-verification-failed", decide(t, b, bearer(machine)), issuer)
	}
	stranger := clerktest.New(clerktest.Config{Production: true})
	require.Equal(t, "signed-out jwk-kid-mismatch", decide(t, b, bearer(stranger.Token(set("iss", www+"/__clerk")))))
	s := mustDecide(t, b, page("/", "Cookie", "__client_uat=1"))
	require.True(t, strings.HasPrefix(s.Header.Get("Location"), www+"/__clerk/v1/client/handshake?"), s.Header.Get("Location"))
	below := *origin
	below.Path = "/app"
	s, err := b.Decide(bearer(of(www+"/__clerk")), &below)
	require.NoError(t, err)
	require.Equal(t, clerk.SignedIn, s.Status, "a path is one of the host, whatever prefix the site has")
	d, err := b.Authenticate(bearer(machineJWT(instance, clerk.M2MToken, set("iss", www+"/__clerk"))), origin)
	require.NoError(t, err)
	require.Equal(t, www+"/__clerk", d.Session.Issuer)

	// Where the site's address is configured, nobody else chooses it.
	a, err := auth.New(auth.Config{Secrets: []auth.Secret{auth.NewSecret(sealing)}, URL: www, Backend: b, Now: at.Now})
	require.NoError(t, err)
	for host, status := range map[string]int{www: 200, "https://other.example": 401} {
		r := bearer(of(host + "/__clerk"))
		r.Header.Del("Sec-Fetch-Dest")
		r.Host = "other.example"
		w := httptest.NewRecorder()
		a.Require(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(w, r)
		require.Equal(t, status, w.Code, host)
	}
	_, err = b.FrontendProxy()
	require.ErrorContains(t, err, "https://example.com/__clerk", "it has to know its address")
}

// TestSyncKeepsTheQuery: of the satellite's page, which may have signed it, and of the
// primary domain's.
func TestSyncKeepsTheQuery(t *testing.T) {
	const odd = "z=1&b=2;c=3&%zz&a=%20+&a"
	_, b, _ := setup(t, false, func(c *clerk.Config) {
		c.Satellite, c.Domain, c.SignInURL = true, "sat.example.net", "https://primary.example.org/in?"+odd
	})
	s := mustDecide(t, b, page("/x?"+odd+"&__clerk_synced=false"))
	require.Equal(t, "https://primary.example.org/in?"+odd+"&__clerk_redirect_url="+url.QueryEscape("https://www.example.com/x?"+odd+"&__clerk_synced=false"), s.Header.Get("Location"))
	_, b, _ = setup(t, false, func(c *clerk.Config) { c.RedirectOrigins = []string{"https://sat.example.net"} })
	back := url.QueryEscape("https://sat.example.net/x?" + odd + "&__clerk_synced=false&y#part")
	s = mustDecide(t, b, page("/?__clerk_redirect_url="+back, "Cookie", "__clerk_db_jwt=dvb_1"))
	require.Equal(t, "https://sat.example.net/x?"+odd+"&y&__clerk_db_jwt=dvb_1&__clerk_synced=true#part", s.Header.Get("Location"))
}

// TestWhereAPersonComesFrom: from another site, a person may have signed in or out
// there.
func TestWhereAPersonComesFrom(t *testing.T) {
	for _, production := range []bool{true, false} {
		instance, b, _ := setup(t, production, nil)
		cookies := "__client_uat=1; __clerk_db_jwt=dvb_1; __session=" + instance.Token(nil)
		accounts := map[bool]string{true: "https://accounts.example.com", false: "https://example.accounts.dev"}[production]
		for referrer, foreign := range map[string]bool{
			"": false, "nonsense": false, "%zz": false, "/page": false,
			"https://www.example.com/page":                             false,
			"https://WWW.EXAMPLE.COM/page":                             false,
			"http://www.example.com/page":                              true,
			"https://www.example.com:8443/":                            true,
			"https://example.com/":                                     true,
			"https://" + instance.FrontendAPI + "/v1":                  false,
			strings.ToUpper(accounts) + "/sign-in":                     false,
			accounts + "/sign-in":                                      false,
			accounts + ":8443/sign-in":                                 production,
			strings.Replace(accounts, "https", "http", 1) + "/sign-in": true,
			"http://" + instance.FrontendAPI + "/v1":                   true,
			"https://another.accounts.dev/sign-in":                     production,
			"http://another.accounts.dev/sign-in":                      true,
			"https://another.accountsstage.dev/sign-in":                production,
			"https://x.accounts.lclclerk.com/sign-in":                  production,
			"https://another.clerk.accounts.dev/v1":                    true,
			"https://accounts.another.lcl.dev/sign-in":                 production,
			"https://accounts.x.lclstage.dev/sign-in":                  production,
			"https://accounts.x.dev.lclclerk.com/in":                   production,
			"http://accounts.another.lcl.dev/sign-in":                  true,
			"https://another.lcl.dev/sign-in":                          true,
			"https://accounts.evillcl.dev/":                            true,
			"https://accounts.dev.evil.example/":                       true,
			"https://evilaccounts.dev/":                                true,
			"android-app://com.google.android.gm/":                     true,
		} {
			want := "signed-in user_1"
			if foreign {
				want = "handshake primary-domain-cross-origin-sync"
			}
			require.Equal(t, want, decide(t, b, page("/", "Cookie", cookies, "Referer", referrer)), "%s, production %v", referrer, production)
			r := page("/", "Cookie", cookies, "Referer", referrer)
			r.Header.Set("Sec-Fetch-Dest", "iframe")
			require.Equal(t, "signed-in user_1", decide(t, b, r), "%s: not for a part of a page", referrer)
			require.Equal(t, "signed-in user_1", decide(t, b, page("/", "Cookie", cookies+"; __clerk_redirect_count=1", "Referer", referrer)), "%s: once", referrer)
		}
	}
}

// TestOwnCookiesWithoutIssueTime: that a token does not say when it was made is no
// reason to take another's.
func TestOwnCookiesWithoutIssueTime(t *testing.T) {
	instance, b, _ := setup(t, true, nil)
	suffix := instance.CookieSuffix
	own := "__client_uat" + suffix + "=1; __session" + suffix + "=" + instance.Token(set("iat", nil))
	require.Equal(t, "signed-in user_1", decide(t, b, page("/", "Cookie", own)))
	require.Equal(t, "signed-in user_1", decide(t, b, page("/", "Cookie", own+"; __client_uat=1")))
}
