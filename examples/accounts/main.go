// Command accounts is a small site with users of its own, in SQLite: whoever signs in for the
// first time becomes one. It brings two identity providers, and with
// LINK_VERIFIED_EMAILS=1 somebody with one verified address at both is one user.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"html/template"
	"io"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/examples/internal/serve"
	"github.com/sallyport/auth/providers/oidc"
	"github.com/sallyport/auth/providers/providertest"
	"github.com/sallyport/auth/session"
	"github.com/sallyport/auth/session/sqlstore"
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
	dir, err := os.MkdirTemp("", "accounts-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "accounts.db")
	db, err := openDatabase(ctx, file)
	if err != nil {
		return err
	}
	defer db.Close()
	store, err := sqlstore.New(db, sqlstore.Config{Dialect: sqlstore.SQLite, Sweep: time.Hour})
	if err != nil {
		return err
	}
	defer store.Close()
	if err := store.Migrate(ctx); err != nil {
		return err
	}
	mux, origin := http.NewServeMux(), serve.Origin(listener)
	work, err1 := embedded(mux, origin, "work",
		providertest.Person{Subject: "ada", Name: "Ada Lovelace", Email: "ada@example.com", EmailVerified: true},
		providertest.Person{Subject: "linxiao", Name: "林晓", Email: "lin@example.com", EmailVerified: true})
	home, err2 := embedded(mux, origin, "home",
		providertest.Person{Subject: "1815", Name: "Ada", Email: "Ada@Example.com", EmailVerified: true},
		providertest.Person{Subject: "666", Name: "Mallory", Email: "lin@example.com"}) // which is not hers
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	people := users{db: db, link: env("LINK_VERIFIED_EMAILS") == "1"}
	a, err := auth.New(config(people, store, origin, work, home))
	if err != nil {
		return err
	}
	mux.Handle("/", a.Require(site{people, a}))
	fmt.Fprintf(out, "Open %s\nUsers and accounts are in %s until the end. Keep one out:\n"+
		"  sqlite3 %s \"UPDATE users SET disabled = 1 WHERE name = 'Mallory'\"\n", origin, file, file)
	return serve.HTTP(ctx, listener, mux)
}

// config has the session of everybody who signs in be a user's. Sessions are in the
// database too, so that disabling a user ends them all.
func config(people users, store session.Store, origin string, providers ...auth.Provider) auth.Config {
	return auth.Config{
		Secrets:   []auth.Secret{auth.NewSecret(rand.Text() + rand.Text())},
		URL:       origin,
		Providers: providers,
		Enrich:    people.enrich,
		UserID:    auth.SubjectID, // which is the id of a user, from either provider
		Session:   session.Config{Store: store, Revalidate: people.mayStay, RevalidateEvery: time.Minute},
	}
}

// embedded is an identity provider below a path of the site.
func embedded(mux *http.ServeMux, origin, name string, people ...providertest.Person) (auth.Provider, error) {
	idp := providertest.New(providertest.Config{
		Issuer: origin + "/" + name, Clients: []providertest.Client{{ID: "accounts", Secret: "accounts"}}, Ask: true, People: people,
	})
	mux.Handle("/"+name+"/", idp)
	return oidc.New(oidc.Config{Name: name, Issuer: idp.Issuer(), ClientID: "accounts", ClientSecret: auth.NewSecret("accounts")})
}

var page = template.Must(template.New("page").Parse(`<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sallyport accounts</title>
<h1>Hello, {{.Name}}</h1>
<p>You are user <code>{{.User}}</code>{{if .First}}, and sign in with this account for the first time{{end}}. Your accounts:</p>
<ul>
{{range .Accounts}}<li>{{.}}</li>
{{end}}</ul>
<p><a href="/api/auth/sessions">Where you are signed in</a> · <a href="/api/auth/signout">Sign out</a></p>
</html>
`))

// site is the application, for people who are signed in.
type site struct {
	users users
	auth  *auth.Authenticator
}

func (s site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	who, _ := auth.FromContext(r.Context())
	user := s.auth.UserID(who)
	accounts, err := s.users.accounts(r.Context(), user)
	if err != nil {
		log.Print(err)
		http.Error(w, "The database does not answer.", http.StatusServiceUnavailable)
		return
	}
	var first bool
	_, _ = who.Claim("first_time", &first)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if err := page.Execute(w, map[string]any{"Name": who.Name, "User": user, "Accounts": accounts, "First": first}); err != nil {
		log.Print(err)
	}
}
