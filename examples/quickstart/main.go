// Command quickstart is a small site behind sign-in. Without configuration it
// brings an identity provider of its own, with two people to sign in as; with the
// environment of a LobeChat deployment it uses the providers that that names, or
// Clerk.
package main

import (
	"context"
	"crypto/rand"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/accesscode"
	"github.com/sallyport/auth/clerk"
	"github.com/sallyport/auth/envvar"
	"github.com/sallyport/auth/examples/internal/serve"
	"github.com/sallyport/auth/providers"
	"github.com/sallyport/auth/providers/oidc"
	"github.com/sallyport/auth/providers/providertest"
	"github.com/sallyport/auth/session"
)

func main() {
	log.SetFlags(0)
	if err := run(serve.UntilInterrupt(), os.Getenv, os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, env auth.Env, out io.Writer) error {
	config, code, err := configure(ctx, env)
	if err != nil {
		return err
	}
	a, err := auth.New(config)
	if err != nil {
		return err
	}
	listener, err := serve.Listen(env)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Open %s\n", serve.Origin(listener))
	if !strings.Contains(config.URL, "://") && serve.BeyondThisMachine(listener) {
		fmt.Fprintln(out, "Warning: any Host that a request names is believed to be this site's. Set NEXTAUTH_URL, as https://app.example.com/api/auth")
	}
	if code != "" {
		fmt.Fprintf(out, "Sign in as one of two people, or with the access code %s\n", code)
	}
	return serve.HTTP(ctx, listener, site(a, code != ""))
}

// configure takes the environment if it says anything about sign-in, and else
// the embedded identity provider and an access code that it makes up.
func configure(ctx context.Context, env auth.Env) (config auth.Config, code string, err error) {
	if _, name := env.First("NEXT_AUTH_SECRET", "AUTH_SECRET", "NEXTAUTH_SECRET", "ACCESS_CODE",
		"NEXT_AUTH_SSO_PROVIDERS", "SSO_PROVIDERS", "AUTH_SSO_PROVIDERS",
		"NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY", "CLERK_PUBLISHABLE_KEY"); name != "" {
		config, err = auth.ConfigFromEnv(env, auth.Parts{Providers: providers.All(), Backend: withProfiles, AccessCode: accesscode.FromEnv, Names: names})
		return config, "", err
	}
	log.Print("No provider is configured: using an embedded one, where nobody has a password.\n" +
		"Set NEXT_AUTH_SECRET, ACCESS_CODE, NEXT_AUTH_SSO_PROVIDERS and the providers' variables to use real ones.")
	issuer, err := embedded(ctx)
	if err != nil {
		return auth.Config{}, "", err
	}
	demo, err := oidc.New(oidc.Config{
		Name: "demo", Issuer: issuer, ClientID: "quickstart", ClientSecret: auth.NewSecret("quickstart"),
		Presentation: auth.Presentation{Label: "Demo"},
	})
	if err != nil {
		return auth.Config{}, "", err
	}
	secrets := []auth.Secret{auth.NewSecret(rand.Text() + rand.Text())}
	code = strings.ToLower(rand.Text()[:16])
	codes, err := accesscode.New(accesscode.Config{
		Secrets: secrets,
		Codes:   []accesscode.Code{{Text: auth.NewSecret(code), Label: "quickstart"}},
	})
	if err != nil {
		return auth.Config{}, "", err
	}
	return auth.Config{
		Secrets: secrets, Providers: []auth.Provider{demo}, AccessCode: codes,
		Session: session.Config{Store: session.NewMemoryStore(0, nil)}, // so that people see, and end, where they are signed in
	}, code, nil
}

func names() []string { return envvar.Names(os.Environ()) }

// withProfiles is [clerk.FromEnv] for a page that shows names and addresses, which a
// token of Clerk's does not have.
func withProfiles(env auth.Env, client *http.Client) (auth.Backend, error) {
	c, err := clerk.ConfigFromEnv(env)
	if err != nil {
		return nil, err
	}
	c.Profiles, c.HTTPClient = true, client
	return clerk.New(c)
}

// embedded starts an identity provider on a loopback port.
func embedded(ctx context.Context) (issuer string, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	issuer = serve.Origin(listener)
	idp := providertest.New(providertest.Config{
		Issuer:  issuer,
		Clients: []providertest.Client{{ID: "quickstart", Secret: "quickstart"}},
		Ask:     true,
		People: []providertest.Person{
			{Subject: "ada", Username: "ada", Name: "Ada Lovelace", Email: "ada@example.com", EmailVerified: true, Groups: []string{"engineers"}},
			{Subject: "linxiao", Username: "linxiao", Name: "林晓", Email: "lin@example.com", EmailVerified: true},
		},
	})
	go func() { _ = serve.HTTP(ctx, listener, idp) }()
	return issuer, nil
}

// site is the application: a page for everybody, and all others for people who
// are signed in. demo says that the identity provider is the embedded one.
func site(a *auth.Authenticator, demo bool) http.Handler {
	show := func(w http.ResponseWriter, r *http.Request) {
		data := map[string]any{"Path": r.URL.RequestURI(), "Demo": demo}
		if who, ok := auth.FromContext(r.Context()); ok {
			initial, _ := utf8.DecodeRuneInString(who.Name)
			data["Who"], data["Initial"] = who, string(unicode.ToUpper(initial))
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if err := page.Execute(w, data); err != nil {
			log.Print(err)
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", show)
	mux.Handle("/", a.Require(http.HandlerFunc(show)))
	return a.Identify(mux)
}

//go:embed home.html
var home string

var page = template.Must(template.New("home").Parse(home))
