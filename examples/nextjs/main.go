// Command nextjs is a Go API and a Next.js application behind one origin, with one
// sign-in. By SIGN_IN, Next.js signs people in and Go reads who they are, or the
// other way round.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/examples/internal/serve"
	"github.com/sallyport/auth/providers/oidc"
	"github.com/sallyport/auth/providers/providertest"
)

func main() {
	log.SetFlags(0)
	if err := run(serve.UntilInterrupt(), os.Getenv); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, env auth.Env) error {
	next, err := url.Parse(cmp.Or(env("NEXT_URL"), "http://127.0.0.1:3001"))
	if err != nil {
		return fmt.Errorf("NEXT_URL: %w", err)
	}
	issuer := cmp.Or(env("AUTH_DEMO_ISSUER"), "http://localhost:3002")
	handler, err := front(env("SIGN_IN"), auth.NewSecret(env("AUTH_SECRET")), issuer, next)
	if err != nil {
		return err
	}
	if err := identityProvider(ctx, issuer); err != nil {
		return err
	}
	listener, err := serve.Listen(env)
	if err != nil {
		return err
	}
	log.Print("Open " + serve.Origin(listener))
	return serve.HTTP(ctx, listener, handler)
}

// front is the one origin: the API is Go's, the pages are Next.js's, and the
// sign-in is whose signIn says.
func front(signIn string, secret auth.Secret, issuer string, next *url.URL) (http.Handler, error) {
	config := auth.Config{Secrets: []auth.Secret{secret}}
	switch signIn {
	case "nextjs":
		config.ReadOnly = true
	case "go":
		demo, err := oidc.New(oidc.Config{
			Name: "demo", Issuer: issuer, ClientID: "nextjs", ClientSecret: auth.NewSecret("nextjs"),
			Presentation: auth.Presentation{Label: "Demo"},
		})
		if err != nil {
			return nil, err
		}
		config.Providers = []auth.Provider{demo}
	default:
		return nil, fmt.Errorf("SIGN_IN is %q: set it to nextjs or go", signIn)
	}
	a, err := auth.New(config)
	if err != nil {
		return nil, fmt.Errorf("%w\nset AUTH_SECRET to the same as for Next.js", err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", proxy(next))
	mux.Handle("/api/go/", a.Require(api()))
	if signIn == "go" {
		mux.Handle("/api/auth"+"/", a)
	}
	return mux, nil
}

// api is for people who are signed in.
func api() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/go/hello", func(w http.ResponseWriter, r *http.Request) {
		who, _ := auth.FromContext(r.Context())
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]string{"hello": "Hello, " + who.Name, "email": who.Email, "subject": who.Subject})
	})
	return mux
}

func proxy(next *url.URL) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(next)
			p.Out.Host = p.In.Host
			p.SetXForwarded()
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			log.Print(err)
			http.Error(w, "Next.js does not answer. Is it started?", http.StatusBadGateway)
		},
	}
}

// identityProvider is one with two people and no passwords, for both sides.
func identityProvider(ctx context.Context, issuer string) error {
	u, err := url.Parse(issuer)
	if err != nil {
		return fmt.Errorf("AUTH_DEMO_ISSUER: %w", err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:"+u.Port())
	if err != nil {
		return err
	}
	idp := providertest.New(providertest.Config{
		Issuer:  issuer,
		Clients: []providertest.Client{{ID: "nextjs", Secret: "nextjs"}},
		Ask:     true,
		People: []providertest.Person{
			{Subject: "ada", Name: "Ada Lovelace", Email: "ada@example.com", EmailVerified: true},
			{Subject: "linxiao", Name: "林晓", Email: "lin@example.com", EmailVerified: true},
		},
	})
	go func() { _ = serve.HTTP(ctx, listener, idp) }()
	return nil
}
