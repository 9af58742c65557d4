package returnto_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/internal/returnto"
)

var hostile = []string{"//evil.com", "///evil.com", "////evil.com", `/\evil.com`, `\\evil.com`, `\/evil.com`, `/\/evil.com`, "/%09/evil.com", "/\t/evil.com", "/\n/evil.com", "/\v\\evil.com",
	"/%5cevil.com", "/%2f%2fevil.com", "%2f%2fevil.com", "/.//evil.com", "/..//evil.com", `/./\evil.com`, `/a/../../\evil.com`, "https:evil.com", "https:/evil.com", "http:///evil.com",
	"https://app.example@evil.com", `https://app.example\@evil.com`, "https://app.example:443@evil.com", "https://evil.com#app.example", "https://evil.com?app.example", "https://app.example.evil.com",
	"https://app.example%00.evil.com", "https://app.example%2eevil.com", "javascript:alert(1)", "JaVaScRiPt:", "\x01javascript:", "data:text/html,x", "vbscript:", "／／evil.com", "/\u2028/evil.com",
	"//[::1]/", "//2130706433/", `http:\\evil.com`, "?x", "", "#", ".", "..", "evil.com", "/%0d%0aLocation:%20//evil.com", "/\t\\evil.com", "/a/..", "/..;/x", "http://[::1", "%", "/%", "/\x00", "/ x", "/" + strings.Repeat("a", 4096), "/" + strings.Repeat("|", 1400)}

func TestHostile(t *testing.T) { // RD-01, RD-04, RD-07, RD-08
	for _, raw := range hostile {
		for range 3 {
			if clean, ok := returnto.Clean(raw); ok {
				stays(t, clean)
			}
			raw = url.PathEscape(raw)
		}
	}
	for _, raw := range hostile {
		_, ok := returnto.Clean(raw)
		require.False(t, ok, "%q", raw)
		_, ok = returnto.SameOrigin(raw, "https://app.example")
		require.False(t, ok, "%q", raw)
	}
}

// stays resolves as browsers do: WHATWG URL 4.4.
func stays(t *testing.T, clean string) {
	t.Helper()
	s := strings.Trim(clean, "\x00\x01\x02 ")
	s = strings.NewReplacer("\t", "", "\n", "", "\r", "", `\`, "/").Replace(s)
	base, _ := url.Parse("https://app.example/x")
	u, err := base.Parse(s)
	require.NoError(t, err)
	require.Equal(t, "https://app.example", u.Scheme+"://"+u.Host, "%q", clean)
	require.True(t, strings.HasPrefix(s, "/") && !strings.HasPrefix(s, "//"), "%q", clean)
}

func TestAllowed(t *testing.T) { // RD-09
	for raw, want := range map[string]string{
		"/": "/", "/a/b?x=1&y=%20": "/a/b?x=1&y=%20", "/http://evil.com": "/http://evil.com", "/ok?next=//evil": "/ok?next=//evil",
		"/a?": "/a?", "/a#b": "/a#b", "/a?b#/c?d": "/a?b#/c?d", "/#": "/", "/%E6%9E%97": "/%E6%9E%97", "/a%20b": "/a%20b", "/a;b": "/a;b", "/a...b": "/a...b",
		"/100%25": "/100%25", "/100%25/x": "/100%25/x", "/a//b": "/a//b", "/a//": "/a//", "/;/evil.com": "/;/evil.com", "/.well-known/x": "/.well-known/x", "/..a": "/..a", "/a..;b": "/a..;b", "/~": "/~", "/a?b=%5c%00": "/a?b=%5c%00", "/a?b#%5c": "/a?b#%5c",
	} {
		got, ok := returnto.Clean(raw)
		require.True(t, ok, raw)
		require.Equal(t, want, got)
	}
	for _, raw := range []string{"/api/auth", "/api/auth/signout", "/api/auth/../auth/x", "/api//auth/x", "/api%2fauth/x", "/%61pi/auth/x"} {
		_, ok := returnto.Clean(raw, "/api/auth")
		require.False(t, ok, raw)
	}
	_, ok := returnto.Clean("/api/authors", "/api/auth")
	require.True(t, ok)
	for raw, want := range map[string]string{"https://app.example": "/", "https://app.example/x?y": "/x?y", "https://app.example?y": "/?y", "https://app.example#/y": "/#/y"} {
		got, ok := returnto.SameOrigin(raw, "https://app.example")
		require.True(t, ok)
		require.Equal(t, want, got)
	}
}

func TestRefusedInEachEncoding(t *testing.T) { // RD-01
	for _, bad := range []string{"\\", "\x00", "\x1f", "\x7f", "\n", "\t", "/", "./", "../", "a/./b", "a/../b", "a/..", "..;x/", ".;x", "a/..;x/b"} {
		raw := ""
		for i := range len(bad) {
			raw += fmt.Sprintf("%%%02x", bad[i])
		}
		for range 3 { // encoded so many times
			_, ok := returnto.Clean("/" + raw)
			require.False(t, ok, "/%s for %q", raw, bad)
			raw = strings.ReplaceAll(raw, "%", "%25")
		}
	}
	_, ok := returnto.Clean("/%2525255c")
	require.True(t, ok, "nobody decodes four times")
}

func TestRefusedAnywhere(t *testing.T) { // RD-01, RD-04
	for _, c := range []string{"\\", " ", "\t", "\r\n", "\x00", "\x1f", "\x7f", "\u0080", "\u0085", "\u2028", "\u2029", "\xff", "\xc0\xaf", "\xed\xa0\x80"} {
		for _, raw := range []string{"/" + c, "/a" + c + "b", "/a?b=" + c, "/a#" + c} {
			_, ok := returnto.Clean(raw)
			require.False(t, ok, "%q", raw)
		}
	}
	for _, raw := range []string{"//user@/x", "//user:password@/x", "///x", "/%zz", "/a%", "/a%2"} {
		_, ok := returnto.Clean(raw)
		require.False(t, ok, "%q", raw)
	}
}

func TestLength(t *testing.T) { // RD-07
	long := "/" + strings.Repeat("a", 4095)
	for raw, want := range map[string]bool{
		long: true, long + "a": false, long + "#": false, long[:4000] + "?" + strings.Repeat("q", 95): true, long[:4000] + "?" + strings.Repeat("q", 96): false,
		"/" + strings.Repeat("|", 1365): true, "/" + strings.Repeat("|", 1366): false, // each becomes three bytes
		"/" + strings.Repeat("天", 455): true, "/" + strings.Repeat("天", 456): false, // nine
	} {
		clean, ok := returnto.Clean(raw)
		require.Equal(t, want, ok, "%d bytes", len(raw))
		require.LessOrEqual(t, len(clean), 1<<13)
	}
}

func TestTooLong(t *testing.T) {
	for raw, want := range map[string]bool{
		"": false, "/": false, "//evil.example": false, "/" + strings.Repeat("a", 4095): false, "/" + strings.Repeat("a", 4096): true,
		"/" + strings.Repeat("天", 455): false, "/" + strings.Repeat("天", 456): true,
	} {
		require.Equal(t, want, returnto.TooLong(raw), "%d bytes", len(raw))
	}
}

// TestOutsideASCII: what people type, and applications write, is what browsers send.
func TestOutsideASCII(t *testing.T) {
	for raw, want := range map[string]string{
		"/chat/聊天":         "/chat/%E8%81%8A%E5%A4%A9",
		"/é?q=你好#é":        "/%C3%A9?q=%E4%BD%A0%E5%A5%BD#%C3%A9",
		"/👨\u200d👩\u200d👧": "/%F0%9F%91%A8%E2%80%8D%F0%9F%91%A9%E2%80%8D%F0%9F%91%A7",
		"/／／evil.example":  "/%EF%BC%8F%EF%BC%8Fevil.example", // full-width slashes are letters of a path
		"/聊%20天":           "/%E8%81%8A%20%E5%A4%A9",
		"/?q=你好\u3000世界":   "/?q=%E4%BD%A0%E5%A5%BD%E3%80%80%E4%B8%96%E7%95%8C",
	} {
		got, ok := returnto.Clean(raw)
		require.True(t, ok, raw)
		require.Equal(t, want, got)
		again, ok := returnto.Clean(got)
		require.True(t, ok)
		require.Equal(t, got, again)
	}
	for _, raw := range []string{"聊天", "／evil.example", "//聊天", `/\聊天`, "/聊天/..", "/聊天\t", "https://聊天.example/"} {
		_, ok := returnto.Clean(raw)
		require.False(t, ok, raw)
	}
	_, ok := returnto.Clean("/登录/x", "/登录")
	require.False(t, ok, "a page of ours, in letters")
}

func TestOwnPages(t *testing.T) { // RD-06
	own := []string{"", "/api/auth", "/sign-in"}
	for raw, want := range map[string]bool{
		"/api/auth": false, "/api/auth/": false, "/api/auth?x": false, "/api/auth#x": false, "/api/auth/signout": false, "/api//auth": false, "/api%2fauth": false, "/api%252fauth": false, "/api/%61uth/x": false,
		"/sign-in": false, "/sign-in/x": false,
		"/": true, "/api": true, "/api/authors": true, "/x/api/auth": true, "/API/auth": true, "/sign-inn": true, "/?x=/api/auth": true,
	} {
		_, ok := returnto.Clean(raw, own...)
		require.Equal(t, want, ok, raw)
		_, ok = returnto.Clean(raw)
		require.True(t, ok, "%s, where nothing is the library's", raw)
	}
}

func TestSameOrigin(t *testing.T) { // RD-02
	const origin = "https://app.example"
	for raw, want := range map[string]string{origin: "/", origin + "/": "/", origin + "/x?y#z": "/x?y#z", origin + "?y": "/?y", origin + "#/y": "/#/y", origin + "//evil.com": "//evil.com"} {
		got, ok := returnto.SameOrigin(raw, origin)
		require.True(t, ok, raw)
		require.Equal(t, want, got)
	}
	for _, raw := range []string{"", "/", "/x", "http://app.example/x", "https://app.example:443/x", "https://app.example.", "https://app.examples", "https://app.example@evil.com", "https://app.example\\x", "https://app.example\t/x", "HTTPS://app.example/x", "https://APP.example/x", "https://app.exampl"} {
		got, ok := returnto.SameOrigin(raw, origin)
		require.False(t, ok, raw)
		require.Empty(t, got, raw)
	}
}

func FuzzClean(f *testing.F) {
	for _, raw := range hostile {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		clean, ok := returnto.Clean(raw, "/api/auth")
		if !ok {
			return
		}
		stays(t, clean)
		again, ok := returnto.Clean(clean, "/api/auth")
		require.True(t, ok)
		require.Equal(t, clean, again)
	})
}
