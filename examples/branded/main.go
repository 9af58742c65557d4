// Command branded is a site whose sign-in looks like the rest of it: a name, a logo and
// colours for the pages of package auth, and templates of its own for those that people
// see most. It brings an identity provider, where nobody has a password.
package main

import (
	"context"
	"crypto/rand"
	"embed"
	"fmt"
	"html/template"
	"io"
	"log"
	"net"
	"net/http"
	"os"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/examples/internal/serve"
	"github.com/sallyport/auth/providers/oidc"
	"github.com/sallyport/auth/providers/providertest"
)

//go:embed pages/*.html static
var files embed.FS

func main() {
	log.SetFlags(0)
	if err := run(serve.UntilInterrupt(), os.Getenv, os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, env auth.Env, out io.Writer) error {
	providers, err := embedded(ctx)
	if err != nil {
		return err
	}
	templates, err := template.ParseFS(files, "pages/*.html")
	if err != nil {
		return err
	}
	logo, err := files.ReadFile("static/logo.svg")
	if err != nil {
		return err
	}
	a, err := auth.New(auth.Config{
		Secrets:   []auth.Secret{auth.NewSecret(rand.Text() + rand.Text())},
		Providers: providers,
		// Templates defines "signin" and "error"; the pages for signing out stay those of
		// package auth, in the site's colours.
		Templates: templates,
		Brand: auth.Brand{
			Name: "Harbour Books", Logo: logo,
			Color: "#0b5351", DarkColor: "#7fd1c7",
			TermsURL: "/terms", HelpURL: "/help",
		},
	})
	if err != nil {
		return err
	}
	listener, err := serve.Listen(env)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Open %s\n", serve.Origin(listener))
	return serve.HTTP(ctx, listener, site(a, templates.Lookup("home")))
}

// embedded starts an identity provider on a loopback port, at which there are two ways in.
func embedded(ctx context.Context) (list []auth.Provider, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	idp := providertest.New(providertest.Config{
		Issuer:  serve.Origin(listener),
		Clients: []providertest.Client{{ID: "reader", Secret: "reader"}, {ID: "library", Secret: "library"}},
		Ask:     true,
		People: []providertest.Person{
			{Subject: "ada", Username: "ada", Name: "Ada Lovelace", Email: "ada@example.com", EmailVerified: true},
			{Subject: "linxiao", Username: "linxiao", Name: "林晓", Email: "lin@example.com", EmailVerified: true},
		},
	})
	go func() { _ = serve.HTTP(ctx, listener, idp) }()
	for _, way := range []struct{ id, label string }{{"reader", "Reader account"}, {"library", "Library card"}} {
		p, err := oidc.New(oidc.Config{
			Name: way.id, Issuer: serve.Origin(listener), ClientID: way.id, ClientSecret: auth.NewSecret(way.id),
			Presentation: auth.Presentation{Label: way.label},
		})
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}

// site is the application. What the sign-in page loads has to be outside Require.
func site(a *auth.Authenticator, home *template.Template) http.Handler {
	show := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, _ := auth.FromContext(r.Context())
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if err := home.Execute(w, map[string]any{"Who": who, "Path": r.URL.Path}); err != nil {
			log.Print(err)
		}
	})
	mux := http.NewServeMux()
	mux.Handle("GET /static/", http.FileServerFS(files))
	mux.Handle("GET /{$}", show)
	mux.Handle("GET /terms", show)
	mux.Handle("GET /help", show)
	mux.Handle("/", a.Require(show))
	return a.Identify(mux)
}
