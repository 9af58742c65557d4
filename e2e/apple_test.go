package e2e_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/accesscode"
	"github.com/sallyport/auth/providers"
	"github.com/sallyport/auth/providers/oidc"
)

const formSecret = "kY3nC0p9V1xJm5Q8sT2wZ7bL4hF6gD0aR3eU9iOqXyE="

// freePort is a port that nothing listens at.
func freePort(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)
	return port
}

// TestAnswerByForm is Chromium at two identity providers whose pages post the answer
// from another site: at Apple's own address, by https, where emulate stands in for it;
// and by http on this machine, at the certified one.
func TestAnswerByForm(t *testing.T) { // CB-04, CB-06
	dir := t.TempDir()
	appleID := startAppleID(t, dir, "https://app.example/api/auth/callback/apple")
	secure, err := application(appleConfig(t, appleID.Client()))
	require.NoError(t, err)
	tls := httptest.NewTLSServer(secure)
	t.Cleanup(tls.Close)

	port, opPort := freePort(t), freePort(t)
	local := "http://localhost:" + port // another site than 127.0.0.1 to browsers
	ctx, stop := context.WithCancel(context.Background())
	t.Cleanup(stop)
	issuer := "http://127.0.0.1:" + opPort
	require.NoError(t, start(ctx, dir, issuer+discovery, []string{"ISSUER=" + issuer, "PORT=" + opPort, "REDIRECT_URIS=" + local + "/api/auth/callback/certified"}, "node", "servers/op.mjs"))
	certified, err := oidc.New(oidc.Config{Name: "certified", Issuer: issuer, ClientID: "app", ClientSecret: auth.NewSecret(opSecret), FormPost: true,
		Presentation: auth.Presentation{Label: "Certified"}})
	require.NoError(t, err)
	require.NoError(t, serveApp(ctx, auth.Config{
		Secrets: []auth.Secret{auth.NewSecret(formSecret)}, URL: local, Providers: []auth.Provider{certified},
	}, "localhost:"+port))

	rules := fmt.Sprintf("MAP appleid.apple.com %s, MAP app.example %s", appleID.Listener.Addr(), tls.Listener.Addr())
	browse(t, "browser/form-post.mjs", rules, "https://app.example", local)
}

// appleConfig is by the environment, at https://app.example.
func appleConfig(t *testing.T, client *http.Client) auth.Config {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	env := map[string]string{
		"NEXT_AUTH_SECRET": formSecret, "NEXTAUTH_URL": "https://app.example/api/auth", "NEXT_AUTH_SSO_PROVIDERS": "apple",
		"ACCESS_CODE": accessCode, "AUTH_APPLE_ID": "com.example.web", "AUTH_APPLE_TEAM_ID": "TEAM123456", "AUTH_APPLE_KEY_ID": "KEY1234567",
		"AUTH_APPLE_PRIVATE_KEY": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
	}
	config, err := auth.ConfigFromEnv(func(name string) string { return env[name] }, auth.Parts{Providers: providers.All(), AccessCode: accesscode.FromEnv, HTTPClient: client})
	require.NoError(t, err)
	return config
}

// startAppleID is emulate's Apple behind TLS, as https://appleid.apple.com: the client
// of the server that is returned finds it there.
func startAppleID(t *testing.T, dir, redirectURI string) *httptest.Server {
	port := freePort(t)
	seed := filepath.Join(dir, "apple.yaml")
	require.NoError(t, os.WriteFile(seed, []byte(`apple:
  baseUrl: https://appleid.apple.com
  users: [{email: ada@example.com, name: Ada Lovelace}]
  oauth_clients: [{client_id: com.example.web, team_id: TEAM123456, name: app, redirect_uris: ["`+redirectURI+`"]}]
`), 0o600))
	ctx, stop := context.WithCancel(context.Background())
	t.Cleanup(stop)
	require.NoError(t, start(ctx, dir, "http://127.0.0.1:"+port+discovery, nil, "node_modules/.bin/emulate", "start", "--seed", seed, "--service", "apple", "--port", port))
	server := httptest.NewTLSServer(httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: "127.0.0.1:" + port}))
	t.Cleanup(server.Close)
	transport := server.Client().Transport.(*http.Transport)
	transport.TLSClientConfig.ServerName = "example.com" // of httptest's certificate
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		require.Equal(t, "appleid.apple.com:443", address)
		return (&net.Dialer{}).DialContext(ctx, network, server.Listener.Addr().String())
	}
	return server
}
