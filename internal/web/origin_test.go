package web_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/internal/web"
)

// TestInternationalNames: those that browsers encode as they stand, in lower case, are
// encoded; for others the error shows what to write.
func TestInternationalNames(t *testing.T) { // RD-02, HO-01
	for name, want := range map[string]string{ // as Python's encoder has them
		"bücher.example": "xn--bcher-kva.example", "Bücher.Example": "xn--bcher-kva.example", "例え.jp": "xn--r8jz45g.jp", "faß.de": "xn--fa-hia.de", "mañana.com": "xn--maana-pta.com", "пример.рф": "xn--e1afmkfd.xn--p1ai",
		"παράδειγμα.gr": "xn--hxajbheg2az3al.gr", "한국.kr": "xn--3e0b707e.kr", "中国.cn": "xn--fiqs8s.cn", "דוגמה.il": "xn--6dbbec0c.il", "スーパー.jp": "xn--zck5b0gb.jp", "a.bücher.example": "a.xn--bcher-kva.example", "ÅŁ.example": "xn--5ca0q.example",
	} {
		u, _, err := web.ParseURL("https://" + name)
		require.NoError(t, err, name)
		require.Equal(t, want, u.Host, name)
	}
	for _, name := range []string{"☃.net", "ａｐｐ.example", "a＠b.example", "b\u0075\u0308cher.example", "\u200bx.example", "ĳs.example", "ŀ.example", "ŉ.example", "ſ.example", "ı.example", "\u212b.example", "STRAẞE.example", "ﬁ.example", "½.example", "日本。jp", "x²ü.example", "٣.example", "हिन्दी.example", "ü÷.example"} {
		_, _, err := web.ParseURL("https://" + name)
		require.ErrorContains(t, err, "Config.URL", "%q", name)
		require.ErrorContains(t, err, "xn--", "%q", name)
	}
	for _, name := range []string{"\u212aelvin.example", "İ.example"} { // lower case makes ASCII of them
		_, _, err := web.ParseURL("https://" + name)
		require.ErrorContains(t, err, "address bar", "%q", name)
		require.NotContains(t, err.Error(), "perhaps")
	}
	for _, name := range []string{"ü..example", "ü%2f.example", "\xff.example", "ü\xff.example", strings.Repeat("ü", 200) + ".example"} {
		_, _, err := web.ParseURL("https://" + name)
		require.Error(t, err, "%q", name)
	}
}

// TestOriginsAsBrowsersWriteThem: whatever way they are configured.
func TestOriginsAsBrowsersWriteThem(t *testing.T) { // CS-02, MW-08, RD-02, HO-01
	for configured, origin := range map[string]string{
		"https://app.example:443/api/auth": "https://app.example", "https://APP.example": "https://app.example", "HTTPS://app.example:8443": "https://app.example:8443",
		"https://bücher.example:443": "https://xn--bcher-kva.example", "https://[::0001]:443/": "https://[::1]",
	} {
		stub := &stubProvider{name: "stub"}
		a := newAuth(t, func(c *auth.Config) {
			c.URL, c.Providers, c.ReturnOrigins = configured, []auth.Provider{stub}, []string{"https://WWW.example:443", "https://例え.jp"}
		})
		cookie := cookieHeader(sealedCookie(t, a, stub))
		app := a.Require(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		sign := func(from, to string) *httptest.ResponseRecorder {
			w := serve(a, "GET", "https://x/api/auth/csrf", "")
			token := strings.Split(strings.Split(w.Body.String(), `":"`)[1], `"`)[0]
			return serve(a, "POST", "https://x/api/auth/signout", url.Values{"csrfToken": {token}, "callbackUrl": {to}}.Encode(),
				"Content-Type", "application/x-www-form-urlencoded", "Origin", from, "Cookie", cookieHeader(w.Result().Cookies()...))
		}
		// A form without Sec-Fetch, and a WebSocket.
		require.Equal(t, 303, sign(origin, "/").Code, configured)
		require.Equal(t, 200, serve(app, "GET", "https://x/ws", "", "Upgrade", "websocket", "Origin", origin, "Cookie", cookie).Code, configured)
		for _, other := range []string{"https://evil.example", origin + ".evil.example", "http" + strings.TrimPrefix(origin, "https"), origin + ":444", "null", ""} {
			require.Equal(t, 403, sign(other, "/").Code, "%s %s", configured, other)
			require.Equal(t, 403, serve(app, "GET", "https://x/ws", "", "Upgrade", "websocket", "Origin", other, "Cookie", cookie).Code, "%s %s", configured, other)
		}
		// Where one may go, as browsers and as people write it.
		raw, _, _ := strings.Cut(configured, "/api")
		for to, want := range map[string]string{
			origin + "/x?y": origin + "/x?y", strings.TrimSuffix(raw, "/") + "/x": origin + "/x", strings.ToUpper(origin) + "/X": origin + "/X",
			"https://www.example/x": "https://www.example/x", "https://WWW.example:443/x": "https://www.example/x", "https://xn--r8jz45g.jp/x": "https://xn--r8jz45g.jp/x", "https://例え.jp/x": "https://xn--r8jz45g.jp/x",
			"https://evil.example/x": origin + "/", origin + "@evil.example/x": origin + "/", origin + ".evil.example/": origin + "/", origin + "\\@evil.example/": origin + "/", origin + "//evil.example": origin + "/", "https://www.example:444/x": origin + "/", "http://www.example/x": origin + "/",
			"//app.example/x": origin + "/", "x://app.example/x": origin + "/", "/x?https://evil.example/": origin + "/x?https://evil.example/", "https://": origin + "/", "://": origin + "/",
		} {
			require.Equal(t, want, sign(origin, to).Header().Get("Location"), "%s to %q", configured, to)
		}
		w := serve(app, "GET", "https://x/p", "", "Accept", "text/html")
		require.True(t, strings.HasPrefix(w.Header().Get("Location"), origin+"/api/auth/signin?"), w.Header().Get("Location"))
	}
}

func TestReturnOriginsAreOrigins(t *testing.T) { // RD-02
	for _, o := range []string{"https://www.example/", "https://www.example/x", "https://u@www.example", "https://www.example?", "https://www.example#", "http://www.example", "www.example", "https://", "https://☃.net", "https://127.1", "https://a..example", "https://www.example:x"} {
		_, err := auth.New(auth.Config{Secrets: []auth.Secret{auth.NewSecret(testSecret)}, Providers: []auth.Provider{&stubProvider{name: "a"}}, ReturnOrigins: []string{o}, Logger: slog.New(slog.DiscardHandler)})
		require.ErrorContains(t, err, "Config.ReturnOrigins", o)
	}
}

func TestAllowedHostsOfInternationalNames(t *testing.T) { // HO-01
	a := newAuth(t, func(c *auth.Config) { c.URL, c.AllowedHosts = "", []string{"bücher.example", "*.例え.jp:8443"} })
	for host, want := range map[string]int{"xn--bcher-kva.example": 200, "pr.xn--r8jz45g.jp:8443": 200, "bcher.example": 400, "xn--r8jz45g.jp:8443": 400, "pr.xn--r8jz45g.jp": 400} {
		require.Equal(t, want, serve(a, "GET", "https://"+host+"/api/auth/csrf", "").Code, host)
	}
	_, err := auth.New(auth.Config{Secrets: []auth.Secret{auth.NewSecret(testSecret)}, Providers: []auth.Provider{&stubProvider{name: "a"}}, AllowedHosts: []string{"☃.net", "a b"}, Logger: slog.New(slog.DiscardHandler)})
	require.ErrorContains(t, err, "xn--n3h.net")
	require.ErrorContains(t, err, `"a b"`)
}
