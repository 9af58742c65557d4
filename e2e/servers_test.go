// Package e2e_test signs people in at real identity providers, by HTTP and in a
// real browser.
package e2e_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/accesscode"
	"github.com/sallyport/auth/providers"
	"github.com/sallyport/auth/providers/oidc"
)

const (
	codeAddress = "127.0.0.1:9011"
	clerkPort   = "9012"
	accessCode  = "harbour-tulip-0123456789"
	appAddress  = "127.0.0.1:3999"
	app         = "http://" + appAddress
	opSecret    = "a-secret-for-tests-only-0123456789"
	consumers   = "9188040d-6c67-4c5b-b112-36a304b66dad" // the tenant that emulate's people are in
)

var trusting *http.Client // trusts the Auth0 simulator's certificate

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		code = 1
	}
	os.Exit(code)
}

// run starts everything. A server that is missing fails; nothing is skipped.
func run(m *testing.M) (code int, err error) {
	dir, err := os.MkdirTemp("", "sallyport-e2e")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	env := map[string]string{
		"NEXT_AUTH_SECRET": "kY3nC0p9V1xJm5Q8sT2wZ7bL4hF6gD0aR3eU9iOqXyE=", "ACCESS_CODE": accessCode,
		"NEXT_AUTH_SSO_PROVIDERS": "auth0, microsoft-entra-id，authentik,github,zitadel,generic-oidc",
	}
	for _, start := range []func(context.Context, string, map[string]string) error{startOP, startEmulate, startAuth0, startZitadel, startDex, startApp, startCodeApp, startClerk, startBriefClerk, startNextjs, startChat} {
		if err := start(ctx, dir, env); err != nil {
			return 1, err
		}
	}
	return m.Run(), nil
}

// start runs a program until ctx ends and waits until ready answers.
func start(ctx context.Context, dir, ready string, environment []string, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.Env = append(os.Environ(), environment...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("%s: %w (run e2e/setup)", name, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}, Timeout: time.Second}
	for range 300 {
		if resp, err := client.Get(ready); err == nil {
			resp.Body.Close()
			if resp.StatusCode == 200 {
				return nil
			}
		}
		select {
		case err := <-ended:
			return fmt.Errorf("%s ended: %v\n%s", name, err, output.String())
		case <-time.After(100 * time.Millisecond):
		}
	}
	return fmt.Errorf("%s does not answer at %s\n%s", name, ready, output.String())
}

const discovery = "/.well-known/openid-configuration"

// startOP runs the certified provider twice: as authentik, whose issuer ends with
// a slash, and for the browser.
func startOP(ctx context.Context, dir string, env map[string]string) error {
	for port, issuer := range map[string]string{"9001": "http://127.0.0.1:9001/", "9002": "http://127.0.0.1:9002"} {
		err := start(ctx, dir, "http://127.0.0.1:"+port+discovery, []string{
			"ISSUER=" + issuer, "PORT=" + port,
			"REDIRECT_URIS=" + app + "/api/auth/callback/authentik " + app + "/api/auth/callback/certified",
		}, "node", "servers/op.mjs")
		if err != nil {
			return err
		}
	}
	env["AUTHENTIK_CLIENT_ID"], env["AUTHENTIK_CLIENT_SECRET"], env["AUTHENTIK_ISSUER"] = "app", opSecret, "http://127.0.0.1:9001"
	return nil
}

func startEmulate(ctx context.Context, dir string, env map[string]string) error {
	seed := filepath.Join(dir, "emulate.yaml")
	err := os.WriteFile(seed, []byte(`github:
  users: [{login: octocat, name: The Octocat, email: octocat@github.com}]
  oauth_apps: [{client_id: gh-id, client_secret: gh-secret, name: app, redirect_uris: ["`+app+`/api/auth/callback/github"]}]
microsoft:
  oauth_clients: [{client_id: ms-id, client_secret: ms-secret, name: app, redirect_uris: ["`+app+`/api/auth/callback/microsoft-entra-id", "`+local(chat)+`/api/auth/callback/microsoft-entra-id"]}]
`), 0o600)
	if err != nil {
		return err
	}
	err = start(ctx, dir, "http://localhost:4101/common/v2.0"+discovery, nil,
		"node_modules/.bin/emulate", "start", "--seed", seed, "--service", "github,microsoft", "--port", "4100")
	if err != nil {
		return err
	}
	env["AUTH_MICROSOFT_ENTRA_ID_ID"], env["AUTH_MICROSOFT_ENTRA_ID_SECRET"] = "ms-id", "ms-secret"
	env["AUTH_MICROSOFT_ENTRA_ID_ISSUER"] = "http://localhost:4101/" + consumers + "/v2.0"

	// emulate speaks as github.com does, where the API has a host of its own; an
	// Enterprise Server has it under /api/v3.
	target, _ := url.Parse("http://localhost:4100")
	server := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) {
		p.SetURL(target)
		p.Out.URL.Path = strings.TrimPrefix(p.Out.URL.Path, "/api/v3")
		p.Out.Host = p.In.Host
	}})
	go func() { <-ctx.Done(); server.Close() }()
	env["GITHUB_CLIENT_ID"], env["GITHUB_CLIENT_SECRET"], env["AUTH_GITHUB_BASE_URL"] = "gh-id", "gh-secret", server.URL
	return nil
}

func startAuth0(ctx context.Context, dir string, env map[string]string) error {
	certs := filepath.Join(dir, ".simulacrum", "certs")
	if err := os.MkdirAll(certs, 0o700); err != nil {
		return err
	}
	mkcert := exec.Command("mkcert", "-cert-file", certs+"/localhost.pem", "-key-file", certs+"/localhost-key.pem", "localhost")
	mkcert.Env = append(os.Environ(), "CAROOT="+dir)
	if out, err := mkcert.CombinedOutput(); err != nil {
		return fmt.Errorf("mkcert: %w (run e2e/setup)\n%s", err, out)
	}
	ca, err := os.ReadFile(dir + "/rootCA.pem")
	if err != nil {
		return err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	trusting = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	env["AUTH0_CLIENT_ID"], env["AUTH0_CLIENT_SECRET"], env["AUTH0_ISSUER"] = strings.Repeat("0", 32), "unchecked", "https://localhost:4400"
	return start(ctx, dir, "https://localhost:4400"+discovery, []string{"HOME=" + dir}, "node_modules/.bin/auth0-simulator")
}

func startZitadel(ctx context.Context, _ string, env map[string]string) error {
	listener, err := net.Listen("tcp", "127.0.0.1:9998")
	if err != nil {
		return err
	}
	const issuer = "http://localhost:9998/"
	storage.RegisterClients(storage.WebClient("web", "secret", app+"/api/auth/callback/zitadel"))
	handler := exampleop.SetupServer(issuer, storage.NewStorage(storage.NewUserStore(issuer)), slog.New(slog.DiscardHandler), false)
	server := &http.Server{Handler: handler}
	go func() { _ = server.Serve(listener) }()
	go func() { <-ctx.Done(); server.Close() }()
	env["ZITADEL_CLIENT_ID"], env["ZITADEL_CLIENT_SECRET"], env["ZITADEL_ISSUER"] = "web", "secret", issuer
	return nil
}

func startDex(ctx context.Context, dir string, env map[string]string) error {
	config := filepath.Join(dir, "dex.yaml")
	err := os.WriteFile(config, []byte(`issuer: http://127.0.0.1:5556/dex
storage: {type: memory}
web: {http: 127.0.0.1:5556}
oauth2: {skipApprovalScreen: true}
staticClients:
- {id: app, secret: dex-secret, name: app, redirectURIs: ["`+app+`/api/auth/callback/generic-oidc"]}
connectors: [{type: mockCallback, id: mock, name: Mock}]
`), 0o600)
	if err != nil {
		return err
	}
	env["GENERIC_OIDC_CLIENT_ID"], env["GENERIC_OIDC_CLIENT_SECRET"], env["GENERIC_OIDC_ISSUER"] = "app", "dex-secret", "http://127.0.0.1:5556/dex"
	return start(ctx, dir, "http://127.0.0.1:5556/dex"+discovery, nil, "dex/bin/dex", "serve", config)
}

// startApp runs an application that is configured by the environment alone, but
// for one more provider: the certified one under a name of its own.
func startApp(ctx context.Context, _ string, env map[string]string) error {
	config, err := auth.ConfigFromEnv(func(name string) string { return env[name] }, auth.Parts{Providers: providers.All(), AccessCode: accesscode.FromEnv, HTTPClient: trusting})
	if err != nil {
		return err
	}
	certified, err := oidc.New(oidc.Config{Name: "certified", Issuer: "http://127.0.0.1:9002", ClientID: "app", ClientSecret: auth.NewSecret(opSecret),
		Presentation: auth.Presentation{Label: "Certified"}})
	if err != nil {
		return err
	}
	config.Providers = append(config.Providers, certified)
	return serveApp(ctx, config, appAddress)
}

// startClerk runs the example as a newcomer would.
func startClerk(ctx context.Context, dir string, _ map[string]string) error {
	binary := filepath.Join(dir, "clerk")
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, "./examples/clerk")
	build.Dir = ".."
	if output, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, output)
	}
	return start(ctx, dir, "http://127.0.0.1:"+clerkPort+"/", []string{"PORT=" + clerkPort}, binary)
}

// startCodeApp runs the same application with nothing but an access code.
func startCodeApp(ctx context.Context, _ string, env map[string]string) error {
	alone := map[string]string{"ACCESS_CODE": env["ACCESS_CODE"]}
	config, err := auth.ConfigFromEnv(func(name string) string { return alone[name] }, auth.Parts{Providers: providers.All(), AccessCode: accesscode.FromEnv})
	if err != nil {
		return err
	}
	config.TrustedProxies = []string{"127.0.0.1"} // which says who the clients are
	return serveApp(ctx, config, codeAddress)
}

func serveApp(ctx context.Context, config auth.Config, address string) error {
	handler, err := application(config)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler}
	go func() { _ = server.Serve(listener) }()
	go func() { <-ctx.Done(); server.Close() }()
	return nil
}

// application shows who is signed in.
func application(config auth.Config) (http.Handler, error) {
	a, err := auth.New(config)
	if err != nil {
		return nil, err
	}
	return a.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, _ := auth.FromContext(r.Context())
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, `<!DOCTYPE html><html lang="en"><title>App</title><main><h1>Hello %s</h1><p id="who">%s %s</p><p id="at">%s</p><a href="/api/auth/signout">Sign out</a></main></html>`,
			who.Name, who.Provider, who.Subject, r.URL.RequestURI())
	})), nil
}
