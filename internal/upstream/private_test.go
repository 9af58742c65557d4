package upstream_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/internal/upstream"
)

// at is a connection to a loopback server that says it is to another address.
type at struct {
	net.Conn
	address string
	sent    *atomic.Int32
}

func (c at) RemoteAddr() net.Addr {
	a, err := net.ResolveTCPAddr("tcp", c.address)
	if err != nil {
		panic(err)
	}
	return a
}

func (c at) Write(b []byte) (int, error) { c.sent.Add(1); return c.Conn.Write(b) }

// leads is a transport for which every name leads to address, at the server.
func leads(server *httptest.Server, address string, sent *atomic.Int32) *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, server.Listener.Addr().String())
		if err != nil {
			return nil, err
		}
		return at{conn, address, sent}, nil
	}}}
}

func TestPrivateHTTP(t *testing.T) { // DI-07, DI-08
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("hello")) }))
	defer server.Close()
	for address, want := range map[string]error{
		"127.0.0.1:80":                nil,
		"[::1]:80":                    nil,
		"10.1.2.3:80":                 nil,
		"172.16.0.1:80":               nil,
		"172.31.255.255:80":           nil,
		"192.168.1.10:8000":           nil,
		"[fd12::1]:80":                nil,
		"[::ffff:192.168.1.10]:80":    nil,
		"93.184.216.34:80":            upstream.ErrPublic,
		"172.32.0.1:80":               upstream.ErrPublic,
		"192.169.0.1:80":              upstream.ErrPublic,
		"100.64.0.1:80":               upstream.ErrPublic,
		"100.100.100.200:80":          upstream.ErrPublic, // Alibaba's metadata
		"[2001:db8::1]:80":            upstream.ErrPublic,
		"[64:ff9b::c0a8:10a]:80":      upstream.ErrPublic, // NAT64 of 192.168.1.10
		"[2002:c0a8:10a::1]:80":       upstream.ErrPublic, // 6to4 of it
		"[::ffff:93.184.216.34]:80":   upstream.ErrPublic,
		"169.254.169.254:80":          upstream.ErrAddress,
		"[::ffff:169.254.169.254]:80": upstream.ErrAddress,
		"[fe80::1]:80":                upstream.ErrAddress,
		"[fd00:ec2::254]:80":          upstream.ErrAddress, // Amazon's metadata
		"[fd20:ce::254]:80":           upstream.ErrAddress, // Google's
		"0.0.0.0:80":                  upstream.ErrAddress,
		"224.0.0.1:80":                upstream.ErrAddress,
	} {
		t.Run(address, func(t *testing.T) {
			var sent atomic.Int32
			c := upstream.New(leads(server, address, &sent))
			_, err := get(t, c, "http://idp.lan/")
			require.ErrorIs(t, err, upstream.ErrInsecure, "only where it was asked for")
			_, err = get(t, c.PrivateHTTP(), "http://idp.lan/")
			require.ErrorIs(t, err, want)
			require.Equal(t, want == nil, sent.Load() > 0, "nothing is sent to an address that is not private")
			_, err = get(t, c, "http://idp.lan/")
			require.ErrorIs(t, err, upstream.ErrInsecure, "the other client is left alone")
		})
	}
	t.Run("before the connection", func(t *testing.T) {
		c := upstream.New(nil).PrivateHTTP()
		for address, want := range map[string]error{
			"http://93.184.216.34/":   upstream.ErrPublic,
			"http://169.254.169.254/": upstream.ErrAddress,
			"http://[fd00:ec2::254]/": upstream.ErrAddress,
			"https://[fe80::1]/":      upstream.ErrAddress,
			"ftp://192.168.1.10/":     upstream.ErrInsecure,
		} {
			_, err := get(t, c, address)
			require.ErrorIs(t, err, want, address)
		}
		got, err := get(t, c, server.URL)
		require.NoError(t, err)
		require.Equal(t, "hello", string(got.Body))
	})
	t.Run("no proxy", func(t *testing.T) {
		proxy, _ := url.Parse(server.URL)
		c := upstream.New(&http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(proxy)}}).PrivateHTTP()
		_, err := get(t, c, "http://93.184.216.34/")
		require.ErrorIs(t, err, upstream.ErrPublic, "a proxy would go there")
	})
	t.Run("a transport that cannot be looked into", func(t *testing.T) {
		c := upstream.New(&http.Client{Transport: opaque{server.URL}}).PrivateHTTP()
		for address, want := range map[string]error{
			"http://192.168.1.10:8000/": nil, "http://[fd12::1]/": nil,
			"http://idp.lan/": upstream.ErrPublic, "http://93.184.216.34/": upstream.ErrPublic, "http://169.254.169.254/": upstream.ErrPublic,
		} {
			_, err := get(t, c, address)
			require.ErrorIs(t, err, want, address)
		}
	})
}

// opaque takes everything to one server.
type opaque struct{ to string }

func (o opaque) RoundTrip(r *http.Request) (*http.Response, error) {
	to, err := url.Parse(o.to)
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.URL.Host = to.Host
	return http.DefaultTransport.RoundTrip(r)
}

func TestCheckPrivateURL(t *testing.T) { // DI-07, DI-14
	for _, good := range []string{"https://x.example", "http://x.example", "http://192.168.1.10:8000", "http://[fd12::1]:80/a", "http://localhost:1", "http://authentik-server:9000"} {
		_, err := upstream.CheckPrivateURL(good)
		require.NoError(t, err, good)
	}
	for _, bad := range []string{"http://93.184.216.34", "http://169.254.169.254", "http://[fe80::1]", "http://[fd00:ec2::254]", "http://0.0.0.0", "ftp://192.168.1.10", "http://a@x.example", "http://x.example/#", "192.168.1.10:8000", "javascript:alert(1)"} {
		_, err := upstream.CheckPrivateURL(bad)
		require.Error(t, err, bad)
	}
}

func TestVia(t *testing.T) {
	for name, test := range map[string]struct{ public, internal, asked, path string }{
		"the host":                   {"https://auth.example.com", "", "https://auth.example.com/a?b=c", "/a?b=c"},
		"the path is the issuer's":   {"https://auth.example.com/application/o/app/", "", "https://auth.example.com/application/o/app/.well-known/x", "/application/o/app/.well-known/x"},
		"beside the issuer":          {"https://auth.example.com/application/o/app/", "", "https://auth.example.com/application/o/token/", "/application/o/token/"},
		"the path, in full":          {"https://auth.example.com/application/o/app/", "/application/o/app/", "https://auth.example.com/application/o/token/", "/application/o/token/"},
		"a prefix less":              {"https://example.com/sso/realms/a", "/realms/a", "https://example.com/sso/realms/a/token", "/realms/a/token"},
		"a prefix less, beside":      {"https://example.com/sso/realms/a", "/realms/a", "https://example.com/sso/other", "/other"},
		"a prefix less, elsewhere":   {"https://example.com/sso/realms/a", "/realms/a", "https://example.com/other", ""},
		"a prefix less, almost":      {"https://example.com/sso/realms/a", "/realms/a", "https://example.com/ssother", ""},
		"a prefix more":              {"https://example.com/realms/a", "/auth/realms/a", "https://example.com/realms/a/token", "/auth/realms/a/token"},
		"another path":               {"https://example.com/sso", "/idp", "https://example.com/sso/token", "/idp/token"},
		"another path, itself":       {"https://example.com/sso", "/idp", "https://example.com/sso", "/idp"},
		"another path, beside":       {"https://example.com/sso", "/idp", "https://example.com/token", ""},
		"the port that goes without": {"https://auth.example.com", "", "https://auth.example.com:443/a", "/a"},
		"the host in capitals":       {"https://auth.example.com", "", "https://AUTH.example.com/a", "/a"},
		"escapes stay":               {"https://auth.example.com/a%2Fb", "", "https://auth.example.com/a%2Fb/%2e%2e/c", "/a%2Fb/%2e%2e/c"},
		"another port":               {"https://auth.example.com", "", "https://auth.example.com:8443/a", ""},
		"another host":               {"https://auth.example.com", "", "https://auth.example.com.evil.example/a", ""},
		"another scheme":             {"https://auth.example.com", "", "http://auth.example.com/a", ""},
	} {
		t.Run(name, func(t *testing.T) {
			var got atomic.Pointer[http.Request]
			server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got.Store(r) }))
			defer server.Close()
			public, err := url.Parse(test.public)
			require.NoError(t, err)
			internal, err := url.Parse(server.URL + test.internal)
			require.NoError(t, err)
			asked, err := http.NewRequest("GET", test.asked, nil)
			require.NoError(t, err)
			dead := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				if address != server.Listener.Addr().String() {
					return nil, net.ErrClosed
				}
				return (&net.Dialer{}).DialContext(ctx, network, address)
			}}
			_, err = upstream.New(&http.Client{Transport: dead}).Via(public, internal).Do(asked, 100)
			require.Empty(t, asked.Header, "the caller's request is left alone")
			require.Equal(t, test.asked, asked.URL.String())
			if test.path == "" {
				require.Error(t, err)
				require.Nil(t, got.Load(), "it goes where it says")
				return
			}
			require.NoError(t, err)
			require.Equal(t, test.path, got.Load().RequestURI)
			require.Equal(t, asked.URL.Host, got.Load().Host)
			require.Equal(t, asked.URL.Host, got.Load().Header.Get("X-Forwarded-Host"))
			require.Equal(t, "https", got.Load().Header.Get("X-Forwarded-Proto"))
		})
	}
}
