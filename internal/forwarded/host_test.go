package forwarded_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/internal/forwarded"
)

func TestHosts(t *testing.T) { // HO-01, HO-03
	label := strings.Repeat("a", 255)
	for host, want := range map[string]string{
		"a": "a", "1": "1", "z9": "z9", "192.0.2.1": "192.0.2.1", "app.example": "app.example", "my_service": "my_service", "a-b.c-d": "a-b.c-d", "A.Z": "a.z", "xn--bcher-kva.example": "xn--bcher-kva.example",
		"a:0": "a:0", "a:9": "a:9", "a:12345": "a:12345", "a:65535": "a:65535", label + ":65535": label + ":65535", "[::1]": "[::1]", "[2001:DB8::1]:3000": "[2001:db8::1]:3000", "[::ffff:1.2.3.4]:9": "[::ffff:102:304]:9", "[0:0:0::1]:9": "[::1]:9",
		"app.example.": "app.example", "a.:8080": "a:8080", "a:080": "a", "a:00081": "a:81", "[::1]:80": "[::1]",
		"": "", ".": "", ".:1": "", ".a": "", "-a": "", "a..b": "", "a..": "", "..": "", ":80": "", "a:": "", "a.:": "", "a:65536": "", "a:99999": "", "a:123456": "", "a:1x": "", "a:/1": "", "a:+1": "", "a:-1": "", "a:1_0": "", "a::1": "", "a:1:2": "", label + ":655350": "", label + "bcdefgh": "",
		"[": "", "]": "", "[]": "", "[::1": "", "::1": "", "[1.2.3.4]": "", "[::1%eth0]": "", "[::1]3000": "", "[::1]x3000": "", "[::1]:": "", "[::1]:x": "", "[::1]:65536": "", "[::1].": "", "[::1].evil.example": "", "[::1]@evil": "",
		"a/b": "", "a@b": "", "a:1@b": "", "a\\b": "", "a?b": "", "a#b": "", "a,b": "", "a%2eb": "", "a b": "", "a\tb": "", "a\x00": "", "a\x7f": "", "bücher.example": "", "a`": "", "a{": "", "a[": "", "a@": "", "aA[": "", "\u212aelvin": "",
	} {
		_, got, err := proxies(t, byDefault).Origin(request(far, host, false))
		require.Equal(t, want, got, "%q", host)
		require.Equal(t, want == "", err != nil, "%q", host)
		if err != nil {
			require.NotContains(t, err.Error(), "evil")
		}
	}
}

func TestAllowedHosts(t *testing.T) { // HO-01, HO-03
	hosts, err := forwarded.ParseHosts([]string{"App.Example.com.", "localhost:3000", "*.example.org", "*.example.net:8443", "[2001:db8::1]", "tls.example:443"})
	require.NoError(t, err)
	for address, want := range map[string]bool{
		"https://app.example.com": true, "http://app.example.com": true, "http://localhost:3000": true, "https://localhost:3000": true,
		"https://a.example.org": true, "https://a.example.net:8443": true, "http://[2001:db8::1]": true, "https://tls.example": true, "http://tls.example:443": true,
		"https://app.example.com:8443": false, "https://app.example.com:80": false, "http://app.example.com:443": false, "http://localhost": false, "http://localhost:3001": false,
		"https://xapp.example.com": false, "https://app.example.com.evil.example": false, "https://example.com": false, "https://x.app.example.com": false,
		"https://example.org": false, "https://a.b.example.org": false, "https://.example.org": false, "https://aexample.org": false, "https://a.example.org:8443": false,
		"https://a.example.net": false, "http://[2001:db8::2]": false, "http://tls.example": false, "https://": false, "https://evil.example": false,
	} {
		scheme, host, _ := strings.Cut(address, "://")
		require.Equal(t, want, hosts.Contain(scheme, host), address)
	}
	bad := []string{"", "*", "*.", "*.*.example.com", "a.*.example.com", "*example.com", "https://app.example", "app.example/x", "app.example:x", "app.example:*", "app.example:65536", "*.[::1]", "a b", " app.example", "bücher.example", "10.0.0.0/8"}
	for _, entry := range bad {
		_, err := forwarded.ParseHosts([]string{"app.example", entry})
		require.Error(t, err, "%q", entry)
		require.NotContains(t, err.Error(), `"app.example":`)
	}
	_, err = forwarded.ParseHosts(bad)
	require.ErrorContains(t, err, `"*"`)
	require.ErrorContains(t, err, `"10.0.0.0/8"`, "all of them are told")
}
