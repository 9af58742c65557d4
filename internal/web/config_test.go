package web_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/internal/web"
)

func TestParseURL(t *testing.T) { // HO-01, LG-06
	for raw, want := range map[string][2]string{
		"":                                 {"", "/api/auth"},
		"https://app.example":              {"https://app.example", "/api/auth"},
		"https://app.example/":             {"https://app.example", "/api/auth"},
		"https://App.Example:8443/a/b//":   {"https://app.example:8443", "/a/b"},
		"http://localhost:3000/api/auth/":  {"http://localhost:3000", "/api/auth"},
		"https://[::1]/auth":               {"https://[::1]", "/auth"},
		"HTTPS://app.example/x.y/~z_-.txt": {"https://app.example", "/x.y/~z_-.txt"},
		"https://App.Example:443":          {"https://app.example", "/api/auth"}, // as browsers write origins
		"http://app.example:80/auth":       {"http://app.example", "/auth"},
		"https://app.example:0443":         {"https://app.example", "/api/auth"},
		"https://app.example:":             {"https://app.example", "/api/auth"},
		"https://app.example:80":           {"https://app.example:80", "/api/auth"},
		"http://app.example:443":           {"http://app.example:443", "/api/auth"},
		"https://bücher.example/api/auth":  {"https://xn--bcher-kva.example", "/api/auth"},
		"https://BÜCHER.example:8443":      {"https://xn--bcher-kva.example:8443", "/api/auth"},
		"https://b%C3%BCcher.example:443":  {"https://xn--bcher-kva.example", "/api/auth"},
		"https://XN--bcher-KVA.example":    {"https://xn--bcher-kva.example", "/api/auth"},
		"https://例え.jp:443/app/api/auth":   {"https://xn--r8jz45g.jp", "/app/api/auth"},
		"https://[0:0:0:0:0:0:0:1]:443":    {"https://[::1]", "/api/auth"},
		"https://[::FFFF:127.0.0.1]":       {"https://[::ffff:7f00:1]", "/api/auth"},
		"http://192.168.1.10:8000":         {"http://192.168.1.10:8000", "/api/auth"},
		"/app/api/auth":                    {"", "/app/api/auth"}, // the origin is each request's
		"/api/auth/":                       {"", "/api/auth"},
		"/":                                {"", "/api/auth"},
	} {
		origin, base, err := web.ParseURL(raw)
		require.NoError(t, err, raw)
		require.Equal(t, want[1], base, raw)
		if want[0] == "" {
			require.Nil(t, origin, "from each request")
			continue
		}
		require.Equal(t, want[0], origin.String(), raw)
	}
	for _, raw := range []string{
		"app.example", "//app.example", "///x", "/a?x", "/a#x", "/a//b", "/../a", "/a%20b", "a/b", "?x",
		"https://a_ü..example", "https://-x.example", "https://.example", "https://app.example:65536", "https://a%2fb.example", "https://a%20b.example", "https://[::1%25eth0]", "https://127.1", "https://2130706433", "https://0x7f.1", "https://1.2.3.4.5", "https://x.0x7F", "https://a＠b.example", "https://ａｐｐ.example", "https://日本。jp",
		"https://app.example?", "ftp://app.example", "javascript:alert(1)", "https:app.example", "https://", "https:///x",
		"https://u@app.example", "https://u:p@app.example", "https://app.example?x", "https://app.example#x", "https://app.example/%zz", " https://app.example",
		"https://app.example/a%20b", "https://app.example/a b", "https://app.example/é", "https://app.example//a", "https://app.example/./a", "https://app.example/../a", "https://app.example/.well-known",
	} {
		origin, base, err := web.ParseURL(raw)
		require.ErrorContains(t, err, "Config.URL", raw)
		require.Nil(t, origin, raw)
		require.Empty(t, base, raw)
	}
}

func TestTwoProvidersOfOneName(t *testing.T) { // MX-05
	_, err := auth.New(auth.Config{
		Secrets:   []auth.Secret{auth.NewSecret(testSecret)},
		Providers: []auth.Provider{&stubProvider{name: "a"}, &stubProvider{name: "b"}, &stubProvider{name: "a"}},
	})
	require.EqualError(t, err, `auth: two providers have the name "a": give one another`)
}

func TestProxiesThatAreNone(t *testing.T) { // HO-02
	for _, list := range [][]string{{"proxy.example"}, {"10.0.0.0/8", "x"}, {""}, {"10.0.0.0/33"}} {
		_, err := auth.New(auth.Config{
			Secrets: []auth.Secret{auth.NewSecret(testSecret)}, Providers: []auth.Provider{&stubProvider{name: "a"}}, TrustedProxies: list,
		})
		require.ErrorContains(t, err, "Config.TrustedProxies", "%q", list)
	}
}
