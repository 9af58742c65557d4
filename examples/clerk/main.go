// Command clerk is a small site behind Clerk. Without keys it brings a stand-in
// for Clerk, with two people to sign in as; with NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY
// and CLERK_SECRET_KEY it uses the instance that they belong to.
package main

import (
	"context"
	"fmt"
	"html/template"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/clerk"
	"github.com/sallyport/auth/clerk/clerktest"
	"github.com/sallyport/auth/examples/internal/serve"
)

func main() {
	log.SetFlags(0)
	if err := run(serve.UntilInterrupt(), os.Getenv, os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, env auth.Env, out io.Writer) error {
	listener, err := serve.Listen(env)
	if err != nil {
		return err
	}
	defer listener.Close()
	origin := serve.Origin(listener)
	mux := http.NewServeMux()
	config, site, err := configure(env, origin, mux)
	if err != nil {
		return err
	}
	a, err := auth.New(config)
	if err != nil {
		return err
	}
	mux.Handle("GET /{$}", a.Identify(site))
	mux.Handle("/", a.Require(site))
	fmt.Fprintf(out, "Open %s\n", origin)
	return serve.HTTP(ctx, listener, mux)
}

// configure takes the environment if Clerk's keys are there, and else a stand-in
// below /__clerk.
func configure(env auth.Env, origin string, mux *http.ServeMux) (auth.Config, site, error) {
	if key, _ := env.First("NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY", "CLERK_PUBLISHABLE_KEY"); key != "" {
		s := site{PublishableKey: key}
		config, err := auth.ConfigFromEnv(env, auth.Parts{Backend: func(env auth.Env, client *http.Client) (auth.Backend, error) {
			c, err := clerk.ConfigFromEnv(env)
			if err != nil {
				return nil, err
			}
			c.Profiles, c.HTTPClient = true, client
			backend, err := clerk.New(c)
			if err != nil {
				return nil, err
			}
			s.FrontendAPI = backend.FrontendAPI()
			return backend, nil
		}})
		return config, s, err
	}
	log.Print("No keys are configured: using a stand-in for Clerk, where nobody has a password.\n" +
		"Set NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY and CLERK_SECRET_KEY to use your instance.")
	proxy := origin + "/__clerk"
	instance := clerktest.New(clerktest.Config{Production: true, Issuer: proxy, People: []clerktest.Person{
		{ID: "user_ada", Name: "Ada Lovelace", Email: "ada@example.com"}, {ID: "user_lin", Name: "林晓", Email: "lin@example.com"},
	}})
	mux.Handle("/__clerk/", instance.Frontend())
	api := httptest.NewServer(instance) // ends with the process
	backend, err := clerk.New(clerk.Config{
		PublishableKey: instance.PublishableKey, SecretKey: auth.NewSecret(instance.SecretKey),
		ProxyURL: proxy, SignInURL: proxy + "/sign-in", APIURL: api.URL, Profiles: true,
	})
	if err != nil {
		return auth.Config{}, site{}, err
	}
	return auth.Config{Secrets: []auth.Secret{auth.NewSecret(instance.SecretKey + instance.SecretKey)}, Backend: backend}, site{}, nil
}

var page = template.Must(template.New("page").Parse(`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Sallyport with Clerk</title>
<style>
body{max-width:36rem;margin:3rem auto;padding:0 1rem;font:1rem/1.6 system-ui,sans-serif}
dl{display:grid;grid-template-columns:auto 1fr;gap:.25rem 1rem}
dt{font-weight:600}
dd{margin:0;overflow-wrap:anywhere}
a{color:inherit}
code{overflow-wrap:anywhere}
</style>
</head>
<body>
<main>
<h1>Sallyport with Clerk</h1>
{{with .Who}}<p>You are at <code>{{$.Path}}</code>.</p>
<dl>
<dt>Name</dt><dd id="name">{{.Name}}</dd>
<dt>E-mail</dt><dd id="email">{{.Email}}</dd>
<dt>User</dt><dd id="who">{{.Subject}}</dd>
<dt>Session</dt><dd>{{.ID}}</dd>
<dt>Token until</dt><dd>{{.ExpiresAt.Format "15:04:05"}}</dd>
</dl>
<p><a href="/api/auth/signout">Sign out</a></p>
{{else}}<p>Everybody may see this page. You are not signed in.</p>
{{end}}<p><a href="/">Public page</a> · <a href="/account?tab=profile">A page for people who are signed in</a></p>
{{with .Site.FrontendAPI}}<div id="user-button"></div>
<script async crossorigin="anonymous" data-clerk-publishable-key="{{$.Site.PublishableKey}}" src="{{.}}/npm/@clerk/clerk-js@5/dist/clerk.browser.js"></script>
<script>
addEventListener('load', async () => {
  await Clerk.load()
  if (Clerk.user) Clerk.mountUserButton(document.getElementById('user-button'))
})
</script>
{{end}}</main>
</body>
</html>
`))

// site is what the pages need for Clerk's components. It is zero where a stand-in
// has none.
type site struct{ PublishableKey, FrontendAPI string }

func (s site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	who, _ := auth.FromContext(r.Context())
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if err := page.Execute(w, map[string]any{"Who": who, "Path": r.URL.Path, "Site": s}); err != nil {
		log.Print(err)
	}
}
