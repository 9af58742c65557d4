package oidc_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/oidc"
	"github.com/sallyport/auth/providers/providertest"
)

// inside is an identity provider with a public issuer, at a loopback port.
type inside struct {
	*providertest.IdP
	server *httptest.Server

	mu    sync.Mutex
	asked []*http.Request
}

func newInside(t *testing.T, issuer string) *inside {
	in := &inside{}
	in.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		in.mu.Lock()
		in.asked = append(in.asked, r)
		in.mu.Unlock()
		in.IdP.ServeHTTP(w, r)
	}))
	t.Cleanup(in.server.Close)
	in.IdP = providertest.New(providertest.Config{Issuer: issuer,
		Clients: []providertest.Client{{ID: "app", Secret: "s"}}, People: []providertest.Person{{Subject: "ada", Name: "Ada"}}})
	return in
}

// dials is a transport for which the named hosts are at the server, and no others are.
func (in *inside) dials(hosts ...string) *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		for _, h := range hosts {
			if address == h {
				return (&net.Dialer{}).DialContext(ctx, network, in.server.Listener.Addr().String())
			}
		}
		return nil, net.UnknownNetworkError("no route to " + address)
	}}}
}

// signIn is a sign-in whose browser alone knows the public name.
func (in *inside) signIn(t *testing.T, p *oidc.Provider) (*auth.Identity, string, error) {
	tx := auth.Transaction{State: "s", Nonce: "n", Verifier: strings.Repeat("v", 43), RedirectURI: "https://app.example/cb"}
	target, err := p.AuthCodeURL(context.Background(), tx)
	if err != nil {
		return nil, "", err
	}
	to, err := url.Parse(in.server.URL)
	require.NoError(t, err)
	response := follow(t, atGoogle{to}, target)
	in.mu.Lock()
	in.asked = nil // the browser's own
	in.mu.Unlock()
	id, err := p.Exchange(context.Background(), tx, response)
	return id, target, err
}

func TestInternalURL(t *testing.T) {
	for name, test := range map[string]struct {
		issuer, internal string // internal's path
	}{
		"another host":            {"https://auth.example.com", ""},
		"an issuer with a path":   {"https://auth.example.com/application/o/app/", ""},
		"the path written out":    {"https://auth.example.com/realms/main", "/realms/main"},
		"the document":            {"https://auth.example.com/realms/main", "/realms/main/.well-known/openid-configuration"},
		"a port at the outside":   {"https://auth.example.com:8443/realms/main", ""},
		"http, which is loopback": {"http://127.0.0.9:1/realms/main", ""},
	} {
		t.Run(name, func(t *testing.T) {
			in := newInside(t, test.issuer)
			p, err := oidc.New(oidc.Config{Name: "idp", Issuer: test.issuer, InternalURL: in.server.URL + test.internal,
				ClientID: "app", ClientSecret: auth.NewSecret("s"), AlwaysUserinfo: true})
			require.NoError(t, err)
			id, target, err := in.signIn(t, p)
			require.NoError(t, err)
			require.Equal(t, test.issuer, id.Issuer)
			require.True(t, strings.HasPrefix(target, strings.TrimSuffix(test.issuer, "/")+"/authorize?"), "browsers go to the public address")
			public, err := url.Parse(test.issuer)
			require.NoError(t, err)
			require.Len(t, in.asked, 3, "token, keys, userinfo")
			for _, r := range in.asked {
				require.Equal(t, []string{public.Host, public.Host, public.Scheme}, []string{r.Host, r.Header.Get("X-Forwarded-Host"), r.Header.Get("X-Forwarded-Proto")})
			}
		})
	}
	t.Run("endpoints by how they were asked", func(t *testing.T) {
		in := newInside(t, "https://auth.example.com")
		in.SetFaults(providertest.Faults{Metadata: func(m map[string]any) {
			m["token_endpoint"], m["jwks_uri"] = in.server.URL+"/token", in.server.URL+"/keys"
		}})
		p, err := oidc.New(oidc.Config{Name: "idp", Issuer: "https://auth.example.com", InternalURL: in.server.URL, ClientID: "app", ClientSecret: auth.NewSecret("s")})
		require.NoError(t, err)
		_, _, err = in.signIn(t, p)
		require.NoError(t, err)
	})
	for name, change := range map[string]func(in *inside, m map[string]any){
		"the issuer's internal name":             func(in *inside, m map[string]any) { m["issuer"] = in.server.URL },
		"a browser's page inside":                func(in *inside, m map[string]any) { m["authorization_endpoint"] = in.server.URL + "/authorize" },
		"another server inside":                  func(_ *inside, m map[string]any) { m["token_endpoint"] = "http://127.0.0.1:1/token" },
		"http outside":                           func(_ *inside, m map[string]any) { m["token_endpoint"] = "http://auth.example.com/token" },
		"the issuer's slash, and another issuer": func(_ *inside, m map[string]any) { m["issuer"] = "https://evil.example/" },
	} {
		t.Run(name, func(t *testing.T) {
			in := newInside(t, "https://auth.example.com")
			in.SetFaults(providertest.Faults{Metadata: func(m map[string]any) { change(in, m) }})
			p, err := oidc.New(oidc.Config{Name: "idp", Issuer: "https://auth.example.com", InternalURL: in.server.URL, ClientID: "app", ClientSecret: auth.NewSecret("s"), InsecureHTTP: true})
			require.NoError(t, err)
			_, err = p.AuthCodeURL(context.Background(), auth.Transaction{})
			require.ErrorIs(t, err, auth.ErrMisconfigured)
			require.Zero(t, in.Hits("token"))
		})
	}
	t.Run("nothing there", func(t *testing.T) {
		in := newInside(t, "https://auth.example.com/realms/main")
		p, err := oidc.New(oidc.Config{Name: "idp", Issuer: "https://auth.example.com/realms/main", InternalURL: in.server.URL + "/other", ClientID: "app", ClientSecret: auth.NewSecret("s")})
		require.NoError(t, err)
		_, err = p.AuthCodeURL(context.Background(), auth.Transaction{})
		require.ErrorIs(t, err, auth.ErrMisconfigured)
		require.ErrorContains(t, err, "InternalURL "+in.server.URL+"/other")
	})
	t.Run("a name inside, by http", func(t *testing.T) {
		in := newInside(t, "https://auth.example.com")
		p, err := oidc.New(oidc.Config{Name: "idp", Issuer: "https://auth.example.com", InternalURL: "http://authentik-server:9000", InsecureHTTP: true,
			ClientID: "app", ClientSecret: auth.NewSecret("s"), HTTPClient: in.dials("authentik-server:9000")})
		require.NoError(t, err)
		_, _, err = in.signIn(t, p)
		require.NoError(t, err)
	})
}

func TestInsecureHTTP(t *testing.T) { // DI-07, DI-08, DI-14
	for _, issuer := range []string{"http://192.168.1.10:8000", "http://idp.lan:8000/realms/main", "http://[fd12::1]:8000", "http://casdoor:8000"} {
		t.Run(issuer, func(t *testing.T) {
			in := newInside(t, issuer)
			u, err := url.Parse(issuer)
			require.NoError(t, err)
			c := oidc.Config{Name: "idp", Issuer: issuer, ClientID: "app", ClientSecret: auth.NewSecret("s"), HTTPClient: in.dials(u.Host)}
			_, err = oidc.New(c)
			require.ErrorContains(t, err, "AUTH_INSECURE_HTTP")
			c.InsecureHTTP = true
			p, err := oidc.New(c)
			require.NoError(t, err)
			_, _, err = in.signIn(t, p)
			require.NoError(t, err)
		})
	}
	for _, issuer := range []string{"http://93.184.216.34", "http://169.254.169.254", "http://[fe80::1]", "http://[fd00:ec2::254]", "http://0.0.0.0"} {
		for _, c := range []oidc.Config{{Issuer: issuer}, {Issuer: "https://auth.example.com", InternalURL: issuer}} {
			c.Name, c.ClientID, c.ClientSecret, c.InsecureHTTP = "idp", "app", auth.NewSecret("s"), true
			_, err := oidc.New(c)
			require.ErrorContains(t, err, "private addresses", issuer)
		}
	}
	_, err := oidc.New(oidc.Config{Name: "idp", Issuer: "https://auth.example.com", InternalURL: "http://authentik-server:9000", ClientID: "app", ClientSecret: auth.NewSecret("s")})
	require.ErrorContains(t, err, "InternalURL")
	require.ErrorContains(t, err, "AUTH_INSECURE_HTTP")

	for name, test := range map[string]struct {
		issuer   string
		metadata map[string]any
		err      error
	}{
		"a browser's page at a private number":   {"http://192.168.1.10:8000", map[string]any{"authorization_endpoint": "http://192.168.1.11/a"}, nil},
		"a browser's page at another port":       {"http://192.168.1.10:8000", map[string]any{"authorization_endpoint": "http://192.168.1.10/a"}, nil},
		"a browser's page at another name":       {"http://192.168.1.10:8000", map[string]any{"authorization_endpoint": "http://idp.lan/a"}, auth.ErrMisconfigured},
		"a browser's page at a public number":    {"http://192.168.1.10:8000", map[string]any{"authorization_endpoint": "http://93.184.216.34/a"}, auth.ErrMisconfigured},
		"a token endpoint at a public number":    {"http://192.168.1.10:8000", map[string]any{"token_endpoint": "http://93.184.216.34/t"}, auth.ErrMisconfigured},
		"a token endpoint at a cloud's metadata": {"http://192.168.1.10:8000", map[string]any{"token_endpoint": "http://169.254.169.254/t"}, auth.ErrMisconfigured},
	} {
		t.Run(name, func(t *testing.T) {
			in := newInside(t, test.issuer)
			in.SetFaults(providertest.Faults{Metadata: func(m map[string]any) {
				for name, value := range test.metadata {
					m[name] = value
				}
			}})
			p, err := oidc.New(oidc.Config{Name: "idp", Issuer: test.issuer, ClientID: "app", ClientSecret: auth.NewSecret("s"), InsecureHTTP: true, HTTPClient: in.dials("192.168.1.10:8000")})
			require.NoError(t, err)
			_, err = p.AuthCodeURL(context.Background(), auth.Transaction{})
			require.ErrorIs(t, err, test.err)
		})
	}
	t.Run("https stays https", func(t *testing.T) {
		r := newRelying(t, nil)
		for _, endpoint := range []string{"authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"} {
			in := newInside(t, "https://auth.example.com")
			in.SetFaults(providertest.Faults{Metadata: func(m map[string]any) { m[endpoint] = "http://192.168.1.10/x" }})
			to, err := url.Parse(in.server.URL)
			require.NoError(t, err)
			p, err := oidc.New(oidc.Config{Name: "idp", Issuer: "https://auth.example.com", ClientID: "app", ClientSecret: auth.NewSecret("s"), InsecureHTTP: true, HTTPClient: &http.Client{Transport: atGoogle{to}}})
			require.NoError(t, err)
			_, err = p.AuthCodeURL(context.Background(), r.transaction())
			require.ErrorIs(t, err, auth.ErrMisconfigured, endpoint)
		}
	})
}

// TestInsecureHTTPLooksWhereANameLeads: at the connection, and the code is not sent.
func TestInsecureHTTPLooksWhereANameLeads(t *testing.T) { // DI-08
	in := newInside(t, "http://idp.lan")
	in.SetFaults(providertest.Faults{Metadata: func(m map[string]any) { m["token_endpoint"] = "http://rebound.lan/token" }})
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, in.server.Listener.Addr().String())
		if err == nil && address == "rebound.lan:80" {
			return public{conn}, nil
		}
		return conn, err
	}}}
	p, err := oidc.New(oidc.Config{Name: "idp", Issuer: "http://idp.lan", ClientID: "app", ClientSecret: auth.NewSecret("s"), InsecureHTTP: true, HTTPClient: client})
	require.NoError(t, err)
	_, _, err = in.signIn(t, p)
	require.ErrorIs(t, err, auth.ErrUnavailable)
	require.ErrorContains(t, err, "private addresses")
	require.Zero(t, in.Hits("token"))
}

// public is a connection to a public address.
type public struct{ net.Conn }

func (public) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(93, 184, 216, 34), Port: 80} }
