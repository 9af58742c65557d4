package forwarded_test

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/internal/forwarded"
)

func request(remote, host string, secure bool, headers ...string) *http.Request {
	r := &http.Request{RemoteAddr: remote, Host: host, Header: http.Header{}}
	if secure {
		r.TLS = &tls.ConnectionState{}
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

func TestClient(t *testing.T) { // AC-02, HO-02
	const near, far = "127.0.0.1:1", "203.0.113.9:1"
	for name, test := range map[string]struct {
		r    *http.Request
		want string
	}{
		"direct":                      {request(far, "x", false), "203.0.113.9"},
		"made up":                     {request(far, "x", false, "X-Forwarded-For", "1.2.3.4"), "203.0.113.9"},
		"one proxy":                   {request(near, "x", false, "X-Forwarded-For", "1.2.3.4"), "1.2.3.4"},
		"made up before a proxy":      {request(near, "x", false, "X-Forwarded-For", "9.9.9.9, 1.2.3.4"), "1.2.3.4"},
		"two lines":                   {request(near, "x", false, "X-Forwarded-For", "9.9.9.9", "X-Forwarded-For", "1.2.3.4"), "1.2.3.4"},
		"two proxies":                 {request(near, "x", false, "X-Forwarded-For", "9.9.9.9, 1.2.3.4, 10.0.0.7"), "1.2.3.4"},
		"only proxies":                {request(near, "x", false, "X-Forwarded-For", "10.0.0.8, 10.0.0.7"), "10.0.0.8"},
		"nothing":                     {request(near, "x", false), "127.0.0.1"},
		"nonsense next to us":         {request(near, "x", false, "X-Forwarded-For", "1.2.3.4, unknown"), "127.0.0.1"},
		"nonsense behind a proxy":     {request(near, "x", false, "X-Forwarded-For", "evil, 10.0.0.7"), "10.0.0.7"},
		"a port":                      {request(near, "x", false, "X-Forwarded-For", "1.2.3.4:5678"), "1.2.3.4"},
		"IPv6":                        {request(near, "x", false, "X-Forwarded-For", "2001:db8::1"), "2001:db8::1"},
		"IPv6 in brackets, with port": {request(near, "x", false, "X-Forwarded-For", "[2001:db8::1]:5678"), "2001:db8::1"},
		"v4 in v6":                    {request("[::ffff:127.0.0.1]:1", "x", false, "X-Forwarded-For", "::ffff:1.2.3.4"), "1.2.3.4"},
		"Forwarded":                   {request(near, "x", false, "Forwarded", `for=9.9.9.9, For="[2001:db8::1]:80";proto=https`, "X-Forwarded-For", "9.9.9.9"), "2001:db8::1"},
		"Forwarded for nobody":        {request(near, "x", false, "Forwarded", "proto=https", "X-Forwarded-For", "9.9.9.9"), "127.0.0.1"},
		"a proxy without a port":      {request("127.0.0.1", "x", false, "X-Forwarded-For", "1.2.3.4"), "invalid IP"},
		"a zone":                      {request("[fc00::1%eth0]:1", "x", false, "X-Forwarded-For", "fe80::2%eth1"), "fe80::2"},
		"Forwarded behind a proxy":    {request(near, "x", false, "Forwarded", "for=1.2.3.4, for=10.0.0.7"), "1.2.3.4"},
		"Forwarded in two lines":      {request(near, "x", false, "Forwarded", "for=9.9.9.9", "Forwarded", "for=1.2.3.4"), "1.2.3.4"},
		"Forwarded, hidden":           {request(near, "x", false, "Forwarded", "for=9.9.9.9, for=_hidden"), "127.0.0.1"},
		"Forwarded, in quotes":        {request(near, "x", false, "Forwarded", `for="1.2.3.4"`), "1.2.3.4"},
		"Forwarded, empty parameters": {request(near, "x", false, "Forwarded", "; by=10.0.0.1 ;; for=1.2.3.4;"), "1.2.3.4"},
		"Forwarded, twice":            {request(near, "x", false, "Forwarded", "for=1.2.3.4;for=9.9.9.9"), "127.0.0.1"},
		"Forwarded, no parameter":     {request(near, "x", false, "Forwarded", "for=1.2.3.4;nonsense"), "127.0.0.1"},
		"a Unix socket":               {request("@", "x", false, "X-Forwarded-For", "9.9.9.9"), "invalid IP"},
	} {
		require.Equal(t, test.want, forwarded.Default().Client(test.r).String(), name)
	}
}

func TestClientAddsNothingToTheChain(t *testing.T) { // AC-02, HO-02
	for name, header := range map[string]string{
		"a comma in a host":            `for=203.0.113.9;host="x,for=9.9.9.9"`,
		"a comma, and a parameter":     `for=203.0.113.9;host="x,for=9.9.9.9;a="`,
		"a semicolon in a host":        `for=203.0.113.9;host="x;for=9.9.9.9"`,
		"a semicolon, and a parameter": `for=203.0.113.9;host="x;for=9.9.9.9;a="`,
		"an escaped quote":             `for=203.0.113.9;host="x\";for=9.9.9.9;a="`,
		"half a quoted string":         `for="9.9.9.9`,
		"the other half":               `for=9.9.9.9"`,
		"a cut address":                `for=11.2.3.4"`,
		"another":                      `for="1.2.3.44`,
		"one quote":                    `for=203.0.113.9;host=";for=9.9.9.9`,
	} {
		require.Equal(t, "127.0.0.1", forwarded.Default().Client(request("127.0.0.1:1", "x", false, "Forwarded", header)).String(), name)
	}
	// A quote that the client left open swallows nothing that a proxy adds.
	for _, header := range []string{`for="x, for=203.0.113.9`, `for=9.9.9.9;a=", for="203.0.113.9"`, `", for=203.0.113.9;host="app.example"`} {
		require.Equal(t, "203.0.113.9", forwarded.Default().Client(request("127.0.0.1:1", "x", false, "Forwarded", header)).String(), header)
	}
}

func TestLongChains(t *testing.T) { // AC-02
	hops := func(n int) (list string) {
		for i := n; i > 0; i-- {
			list += fmt.Sprintf("10.0.0.%d", i)
			if i > 1 {
				list += ", "
			}
		}
		return list
	}
	for n, want := range map[int]string{1: "10.0.0.1", 31: "10.0.0.31", 32: "10.0.0.32", 33: "10.0.0.32", 200: "10.0.0.32"} {
		require.Equal(t, want, forwarded.Default().Client(request("127.0.0.1:1", "x", false, "X-Forwarded-For", hops(n))).String(), n)
	}
}

func TestHosts(t *testing.T) { // HO-01, HO-03
	label := strings.Repeat("a", 255)
	for host, ok := range map[string]bool{
		"a": true, "1": true, "z9": true, "192.0.2.1": true, "app.example": true, "app.example.": true, "my_service": true, "a-b.c-d": true, "A.Z": true, "xn--bcher-kva.example": true,
		"a:0": true, "a:9": true, "a:12345": true, label + ":65535": true, "[::1]": true, "[2001:db8::1]:3000": true, "[::ffff:1.2.3.4]:9": true,
		"": false, ".": false, ".a": false, "-a": false, "a..b": false, ":80": false, "a:": false, "a:123456": false, "a:1x": false, "a:/1": false, "a::1": false, "a:1:2": false, label + ":655350": false, label + "bcdefgh": false,
		"[": false, "]": false, "[]": false, "[::1": false, "::1": false, "[1.2.3.4]": false, "[::1%eth0]": false, "[::1]3000": false, "[::1]x3000": false, "[::1]:": false, "[::1]:x": false, "[::1].evil.example": false, "[::1]@evil": false,
		"a/b": false, "a@b": false, "a:1@b": false, "a\\b": false, "a?b": false, "a#b": false, "a,b": false, "a%2eb": false, "a b": false, "a\tb": false, "a\x00": false, "a\x7f": false, "bücher.example": false, "a`": false, "a{": false, "a[": false,
	} {
		_, got, err := forwarded.Default().Origin(request("203.0.113.9:1", host, false))
		require.Equal(t, ok, err == nil, "%q", host)
		if ok {
			require.Equal(t, strings.ToLower(host), got)
		} else {
			require.NotContains(t, err.Error(), "evil")
		}
	}
}

func TestDefault(t *testing.T) { // AC-02
	for ip, want := range map[string]bool{
		"127.0.0.1": true, "127.255.255.255": true, "10.0.0.0": true, "10.255.255.255": true, "172.16.0.0": true, "172.31.255.255": true, "192.168.0.0": true, "192.168.255.255": true, "[::1]": true, "[fc00::]": true, "[fdff::1]": true,
		"126.255.255.255": false, "128.0.0.0": false, "9.255.255.255": false, "11.0.0.0": false, "172.15.255.255": false, "172.32.0.0": false, "192.167.255.255": false, "192.169.0.0": false, "[::2]": false, "[fbff::]": false, "[fe00::]": false,
		"169.254.1.1": false, "100.64.0.1": false, "[fe80::1]": false, "0.0.0.0": false,
	} {
		require.Equal(t, want, forwarded.Default().Trusted(ip+":1"), ip)
	}
	require.False(t, forwarded.Proxies(nil).Trusted("127.0.0.1:1"))
}

func TestOrigin(t *testing.T) { // HO-01, HO-02, HO-03
	const near, far = "127.0.0.1:1", "203.0.113.9:1"
	cases := []struct {
		name string
		r    *http.Request
		want string // empty: an error
	}{
		{"plain", request(far, "app.example", false), "http://app.example"},
		{"TLS", request(far, "app.example", true), "https://app.example"},
		{"port", request(far, "app.example:8080", false), "http://app.example:8080"},
		{"default port", request(far, "app.example:443", true), "https://app.example"},
		{"upper case", request(far, "App.Example", true), "https://app.example"},
		{"IPv6", request(far, "[::1]:3000", false), "http://[::1]:3000"},
		{"not trusted", request(far, "app.example", false, "X-Forwarded-Host", "evil.example", "X-Forwarded-Proto", "https"), "http://app.example"},
		{"trusted", request(near, "internal", false, "X-Forwarded-Host", "app.example", "X-Forwarded-Proto", "https"), "https://app.example"},
		{"private", request("192.168.1.2:9", "internal", false, "X-Forwarded-Host", "app.example"), "http://app.example"},
		{"v4 in v6", request("[::ffff:10.0.0.1]:9", "internal", false, "X-Forwarded-Host", "app.example"), "http://app.example"},
		{"list", request(near, "internal", false, "X-Forwarded-Host", "evil.example, app.example"), "http://app.example"},
		{"two lines", request(near, "internal", false, "X-Forwarded-Host", "evil.example", "X-Forwarded-Host", "app.example"), "http://app.example"},
		{"Forwarded", request(near, "internal", false, "Forwarded", `for=1.2.3.4;host=evil, for=5.6.7.8;proto=https;host="app.example:8443"`), "https://app.example:8443"},
		{"default port of http", request(far, "app.example:80", false), "http://app.example"},
		{"default port of the other scheme", request(far, "app.example:80", true), "https://app.example:80"},
		{"default port behind a proxy", request(near, "internal", false, "X-Forwarded-Host", "app.example:443", "X-Forwarded-Proto", "HTTPS"), "https://app.example"},
		{"http in front of TLS", request(near, "app.example", true, "X-Forwarded-Proto", "http"), "http://app.example"},
		{"X-Forwarded before Forwarded", request(near, "internal", false, "Forwarded", "proto=http;host=b.example", "X-Forwarded-Host", "a.example", "X-Forwarded-Proto", "https"), "https://a.example"},
		{"Forwarded for a scheme alone", request(near, "app.example", false, "Forwarded", "Proto=https;secret=x"), "https://app.example"},
		{"Forwarded for a host alone", request(near, "internal", true, "Forwarded", "HOST=app.example"), "https://app.example"},
		{"Forwarded, empty parameters", request(near, "app.example", false, "Forwarded", "for=1.2.3.4; proto=https;"), "https://app.example"},
		{"empty headers", request(near, "app.example", false, "Forwarded", "", "X-Forwarded-Host", "", "X-Forwarded-Proto", ""), "http://app.example"},
		{"Forwarded, an empty string", request(near, "app.example", false, "Forwarded", `proto="https";host=""`), "https://app.example"},
		{"Forwarded, host twice", request(near, "internal", false, "Forwarded", "host=app.example;host=evil.example"), ""},
		{"Forwarded, proto twice", request(near, "internal", false, "Forwarded", "proto=https;proto=http"), ""},
		{"Forwarded, half a quoted string", request(near, "internal", false, "Forwarded", `host="x;host=evil.example;a="`), ""},
		{"Forwarded, a quote", request(near, "internal", false, "Forwarded", `host="`), ""},
		{"malformed Forwarded", request(near, "internal", false, "Forwarded", "nonsense"), ""},
		{"scheme", request(near, "internal", false, "X-Forwarded-Proto", "javascript"), ""},
		{"path", request(near, "internal", false, "X-Forwarded-Host", "app.example/x"), ""},
		{"user", request(near, "internal", false, "X-Forwarded-Host", "a@app.example"), ""},
		{"CRLF", request(near, "internal", false, "X-Forwarded-Host", "app.example\r\nx"), ""},
		{"space", request(near, "a b", false), ""},
		{"empty", request(far, "", false), ""},
		{"port text", request(far, "app.example:http", false), ""},
		{"dots", request(far, "app..example", false), ""},
		{"zone", request(far, "[fe80::1%25eth0]", false), ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			scheme, host, err := forwarded.Default().Origin(c.r)
			if c.want == "" {
				require.Error(t, err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.want, scheme+"://"+host)
		})
	}
}

func TestParseProxies(t *testing.T) {
	p, err := forwarded.ParseProxies([]string{"203.0.113.0/24", "2001:db8::1"})
	require.NoError(t, err)
	require.True(t, p.Trusted("203.0.113.7:1"))
	require.True(t, p.Trusted("[2001:db8::1]:1"))
	require.False(t, p.Trusted("127.0.0.1:1"))
	require.False(t, p.Trusted("203.0.114.0:1"))
	require.False(t, p.Trusted("[2001:db8::2]:1"), "an address is itself alone")
	require.False(t, p.Trusted("@"), "a Unix socket has no address")
	p, err = forwarded.ParseProxies([]string{"x", "10.0.0.0/8", "y/3"})
	require.ErrorContains(t, err, `"x"`)
	require.ErrorContains(t, err, `"y/3"`)
	require.NotContains(t, err.Error(), `"10.0.0.0/8"`)
	require.True(t, p.Trusted("10.1.2.3:1"), "the rest is returned")
	p, err = forwarded.ParseProxies(nil)
	require.NoError(t, err)
	require.NotNil(t, p)
	require.False(t, p.Trusted("127.0.0.1:1"))
	p, err = forwarded.ParseProxies([]string{"203.0.113.9/24", "::ffff:198.51.100.1", "::ffff:192.0.2.0/120", "::ffff:0:0/95"}) // AC-02
	require.NoError(t, err)
	require.True(t, p.Trusted("203.0.113.200:1"), "the bits behind the length are ignored")
	require.True(t, p.Trusted("198.51.100.1:1"), "an IPv4 address in IPv6 clothes is the same")
	require.False(t, p.Trusted("198.51.100.2:1"))
	require.True(t, p.Trusted("192.0.2.255:1"))
	require.False(t, p.Trusted("192.0.3.0:1"))
	p, err = forwarded.ParseProxies([]string{"::ffff:0:0/96"})
	require.NoError(t, err)
	require.True(t, p.Trusted("8.8.8.8:1"))
	require.False(t, p.Trusted("[2001:db8::1]:1"))
}

func FuzzOrigin(f *testing.F) {
	f.Add("app.example", "https", "for=1;host=x", "evil.example, app.example")
	f.Add("[::1]:80", "", `host="a"`, "")
	f.Fuzz(func(t *testing.T, host, proto, fwd, xfh string) {
		scheme, got, err := forwarded.Default().Origin(request("127.0.0.1:1", host, false, "X-Forwarded-Proto", proto, "Forwarded", fwd, "X-Forwarded-Host", xfh))
		if err != nil {
			return
		}
		u, err := url.Parse(scheme + "://" + got + "/x")
		require.NoError(t, err)
		require.Equal(t, got, u.Host)
		require.Equal(t, "/x", u.Path)
		require.Nil(t, u.User)
	})
}
