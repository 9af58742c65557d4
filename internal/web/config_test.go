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
		"app.example", "//app.example", "///x", "/a?x", "/a#x", "/a//b", "/../a", "/a%20b", "a/b", "?x", "https://app.example?", "ftp://app.example", "javascript:alert(1)", "https:app.example", "https://", "https:///x",
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
