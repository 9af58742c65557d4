package forwarded_test

import (
	"crypto/tls"
	"net/http"
	"net/url"
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
		"a Unix socket":               {request("@", "x", false, "X-Forwarded-For", "9.9.9.9"), "invalid IP"},
	} {
		require.Equal(t, test.want, forwarded.Default().Client(test.r).String(), name)
	}
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
	require.False(t, p.Trusted("@"), "a Unix socket has no address")
	_, err = forwarded.ParseProxies([]string{"x", "10.0.0.0/8", "y/3"})
	require.ErrorContains(t, err, `"x"`)
	require.ErrorContains(t, err, `"y/3"`)
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
