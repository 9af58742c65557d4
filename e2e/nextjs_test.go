package e2e_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/oidc"
	"github.com/sallyport/auth/providers/providertest"
	"github.com/sallyport/auth/session"
)

const (
	sharedSecret = "the-same-secret-on-both-sides-0123456789"

	// The example's Next.js application, and Go in front of it: Next.js signs in
	// at the one, Go at the other.
	exampleNext    = "9022"
	nextSignsIn    = "9021"
	nextSignsInIDP = "9020"
	goSignsIn      = "9023"
	goSignsInIDP   = "9024"

	// The application of e2e/nextjs: next-auth v4 signs in, then Go in its place.
	clientsNext  = "9025"
	v4SignsIn    = "9026"
	v4SignsInIDP = "9027"
	replacedV5   = "9028"
	replacedV4   = "9029"
	clientsIDP   = "9031"

	// The example again, behind a proxy that speaks TLS.
	secureNext           = "9032"
	secureNextSignsIn    = "9033"
	secureGoSignsIn      = "9034"
	secureNextSignsInIDP = "9035"
	secureGoSignsInIDP   = "9036"
	behindNextSignsIn    = "9037"
	behindGoSignsIn      = "9038"
)

func local(port string) string  { return "http://localhost:" + port }
func secure(port string) string { return "https://localhost:" + port }

// TestNextjs is the example, whichever side signs in, and from one to the other.
func TestNextjs(t *testing.T) {
	browse(t, "browser/nextjs.mjs", local(nextSignsIn), "nextjs", sharedSecret, local(goSignsIn))
	browse(t, "browser/nextjs.mjs", local(goSignsIn), "go", sharedSecret, local(nextSignsIn))
}

// TestNextjsTLS is the same with the cookies that https has: other names, and so
// other keys.
func TestNextjsTLS(t *testing.T) {
	browse(t, "browser/nextjs.mjs", secure(secureNextSignsIn), "nextjs", sharedSecret, secure(secureGoSignsIn))
	browse(t, "browser/nextjs.mjs", secure(secureGoSignsIn), "go", sharedSecret, secure(secureNextSignsIn))
}

// TestNextAuthV4 signs in with next-auth v4, and Go reads.
func TestNextAuthV4(t *testing.T) {
	browse(t, "browser/client.mjs", local(v4SignsIn), "/v4", "nextjs", sharedSecret)
}

// TestReplaced is next-auth/react of both versions with Go's routes alone.
func TestReplaced(t *testing.T) {
	browse(t, "browser/client.mjs", local(replacedV5), "/v5", "go", sharedSecret)
	browse(t, "browser/client.mjs", local(replacedV4), "/v4", "go", sharedSecret)
}

func startNextjs(ctx context.Context, dir string, _ map[string]string) error {
	for _, next := range []struct{ port, app, public, issuer string }{
		{exampleNext, "../examples/nextjs", local(nextSignsIn), local(nextSignsInIDP)},
		{secureNext, "../examples/nextjs", secure(secureNextSignsIn), local(secureNextSignsInIDP)},
		{clientsNext, "nextjs", local(v4SignsIn), local(v4SignsInIDP)},
	} {
		if err := startNext(ctx, next.port, next.app, next.public, next.issuer); err != nil {
			return err
		}
	}
	binary := filepath.Join(dir, "nextjs")
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, "./examples/nextjs")
	build.Dir = ".."
	if output, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, output)
	}
	for _, front := range []struct{ side, port, next, idp string }{
		{"nextjs", nextSignsIn, exampleNext, nextSignsInIDP},
		{"go", goSignsIn, exampleNext, goSignsInIDP},
		{"nextjs", behindNextSignsIn, secureNext, secureNextSignsInIDP},
		{"go", behindGoSignsIn, secureNext, secureGoSignsInIDP},
		{"nextjs", v4SignsIn, clientsNext, v4SignsInIDP},
	} {
		err := start(ctx, dir, local(front.port)+"/api/auth/csrf", []string{"SIGN_IN=" + front.side, "PORT=" + front.port,
			"NEXT_URL=http://127.0.0.1:" + front.next, "AUTH_DEMO_ISSUER=" + local(front.idp), "AUTH_SECRET=" + sharedSecret}, binary)
		if err != nil {
			return err
		}
	}
	if err := terminateTLS(ctx, dir, secureNextSignsIn, behindNextSignsIn); err != nil {
		return err
	}
	if err := terminateTLS(ctx, dir, secureGoSignsIn, behindGoSignsIn); err != nil {
		return err
	}
	return startReplaced(ctx)
}

// terminateTLS is the proxy that most servers have in front of them.
func terminateTLS(ctx context.Context, dir, port, behind string) error {
	certs := filepath.Join(dir, ".simulacrum", "certs") // those that startAuth0 makes
	certificate, err := tls.LoadX509KeyPair(filepath.Join(certs, "localhost.pem"), filepath.Join(certs, "localhost-key.pem"))
	if err != nil {
		return err
	}
	listener, err := tls.Listen("tcp", "127.0.0.1:"+port, &tls.Config{Certificates: []tls.Certificate{certificate}})
	if err != nil {
		return err
	}
	serve(ctx, listener, &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) {
		p.SetURL(&url.URL{Scheme: "http", Host: "127.0.0.1:" + behind})
		p.Out.Host = p.In.Host
		p.SetXForwarded()
	}})
	return nil
}

// startNext serves an application that is built. Auth.js takes the address that a
// browser sees from AUTH_URL, next-auth v4 from NEXTAUTH_URL.
func startNext(ctx context.Context, port, app, public, issuer string) error {
	return start(ctx, "", "http://127.0.0.1:"+port+"/api/auth/csrf", []string{
		"AUTH_SECRET=" + sharedSecret, "AUTH_TRUST_HOST=true", "AUTH_URL=" + public, "NEXTAUTH_URL=" + public,
		"AUTH_DEMO_ISSUER=" + issuer, "NEXT_TELEMETRY_DISABLED=1",
	}, "node", "node_modules/next/dist/bin/next", "start", app, "-H", "127.0.0.1", "-p", port)
}

// startReplaced serves the pages of e2e/nextjs with Go's routes under /api/auth.
func startReplaced(ctx context.Context) error {
	if err := startPeople(ctx); err != nil {
		return err
	}
	demo, err := oidc.New(oidc.Config{Name: "demo", Issuer: local(clientsIDP), ClientID: "nextjs", ClientSecret: auth.NewSecret("nextjs"),
		Presentation: auth.Presentation{Label: "Demo"}})
	if err != nil {
		return err
	}
	config := auth.Config{Secrets: []auth.Secret{auth.NewSecret(sharedSecret)}, Providers: []auth.Provider{demo}, Update: rename}
	if err := serveFront(ctx, config, replacedV5); err != nil {
		return err
	}
	config.NextAuthV4 = true
	return serveFront(ctx, config, replacedV4)
}

// rename lets people choose the name that they are called by.
func rename(_ context.Context, s *session.Session, data json.RawMessage) error {
	var wish struct{ Name string }
	if err := json.Unmarshal(data, &wish); err != nil {
		return err
	}
	s.Name = wish.Name
	return nil
}

// startPeople runs the identity provider of the servers here.
func startPeople(ctx context.Context) error {
	return listen(ctx, clientsIDP, providertest.New(providertest.Config{
		Issuer: local(clientsIDP), Clients: []providertest.Client{{ID: "nextjs", Secret: "nextjs"}}, Ask: true,
		People: []providertest.Person{
			{Subject: "ada", Name: "Ada Lovelace", Email: "ada@example.com", EmailVerified: true, Claims: map[string]any{"id": 1815}},
			{Subject: "linxiao", Name: "林晓", Email: "lin@example.com", EmailVerified: true},
			{Subject: "mallory", Name: "Mallory", Email: "mallory@elsewhere.example", EmailVerified: true},
		},
	}))
}

// serveFront is Go in front of e2e/nextjs.
func serveFront(ctx context.Context, config auth.Config, port string) error {
	a, err := auth.New(config)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/", httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: "127.0.0.1:" + clientsNext}))
	mux.Handle("/api/auth/", a)
	mux.Handle("/api/go/hello", a.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, _ := auth.FromContext(r.Context())
		_ = json.NewEncoder(w).Encode(map[string]string{"hello": "Hello, " + who.Name})
	})))
	return listen(ctx, port, mux)
}

func listen(ctx context.Context, port string, handler http.Handler) error {
	listener, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		return err
	}
	serve(ctx, listener, handler)
	return nil
}

func serve(ctx context.Context, listener net.Listener, handler http.Handler) {
	server := &http.Server{Handler: handler}
	go func() { _ = server.Serve(listener) }()
	go func() { <-ctx.Done(); server.Close() }()
}
