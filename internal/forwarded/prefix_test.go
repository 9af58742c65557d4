package forwarded_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/internal/forwarded"
)

func TestPrefix(t *testing.T) { // HO-02
	const header = "X-Forwarded-Prefix"
	for name, test := range map[string]struct {
		c    forwarded.Config
		peer string
		h    []string
		want string
	}{
		"none":                 {byDefault, near, nil, ""},
		"a proxy's":            {byDefault, near, []string{header, "/app"}, "/app"},
		"on a private network": {byDefault, private, []string{header, "/app"}, "/app"},
		"over a Unix socket":   {byDefault, socket, []string{header, "/app"}, "/app"},
		"two segments":         {byDefault, near, []string{header, "/app-1/v2.0_~x"}, "/app-1/v2.0_~x"},
		"a slash at the end":   {byDefault, near, []string{header, " /app/ "}, "/app"},
		"the root":             {byDefault, near, []string{header, "/"}, ""},
		"empty":                {byDefault, near, []string{header, ""}, ""},
		"as long as may be":    {byDefault, near, []string{header, "/" + strings.Repeat("a", 127)}, "/" + strings.Repeat("a", 127)},
		"beside Forwarded":     {byDefault, near, []string{header, "/app", "Forwarded", "for=1.2.3.4"}, "/app"},

		"a stranger's":           {byDefault, far, []string{header, "/app"}, ""},
		"nobody is trusted":      {nobody, near, []string{header, "/app"}, ""},
		"a peer that is not":     {listed, "192.168.1.7:1", []string{header, "/app"}, ""},
		"Forwarded counts":       {standard, near, []string{header, "/app"}, ""},
		"a contradicted address": {byDefault, near, []string{header, "/app", "X-Forwarded-Host", "a.example", "Forwarded", "host=b.example"}, ""},
		"a malformed address":    {byDefault, near, []string{header, "/app", "X-Forwarded-Host", "a/b"}, ""},
		"twice":                  {byDefault, near, []string{header, "/app", header, "/app"}, ""},
		"too long":               {byDefault, near, []string{header, "/" + strings.Repeat("a", 128)}, ""},
	} {
		require.Equal(t, test.want, proxies(t, test.c).Prefix(request(test.peer, "x", false, test.h...)), name)
	}
	for _, odd := range []string{"app", "app/", "//", "///", "//evil.example", "/a//b", "/app//", "/.", "/..", "/../x", "/a/..", "/a/../b", "/./a", "/.a", "/a/.b", "/a, /b", "/a,/b", "/a b", "/a\tb", "/a\\b", "\\evil", "/\\evil.example", "/a%2fb", "/%2e%2e", "/a;b",
		"/a?b", "/a#b", "/é", "/a\x00", "/a\r\nX: y", "https://evil.example", "https:/x", "/a@b", "/a:b", "/a\"", "/<a>", "/a&b", "/*"} {
		var log bytes.Buffer
		p := proxies(t, forwarded.Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
		r := request(near, "x", false, header, odd)
		require.Empty(t, p.Prefix(r), "%q", odd)
		require.Empty(t, p.Prefix(r))
		require.Equal(t, 1, strings.Count(log.String(), "\n"), "once")
		require.Contains(t, log.String(), "not one plain path")
		require.Contains(t, log.String(), "Config.URL (NEXTAUTH_URL)")
		require.NotContains(t, log.String(), "evil", "strangers write headers")
	}
	for want, c := range map[string]forwarded.Config{"no trusted proxy": {Trusted: []string{}}, "Forwarded counts": {Forwarded: true}} {
		var log bytes.Buffer
		c.Logger = slog.New(slog.NewTextHandler(&log, nil))
		proxies(t, c).Prefix(request(near, "x", false, header, "/app"))
		require.Contains(t, log.String(), want)
	}
}
