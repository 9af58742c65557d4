package stores_test

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/oidc"
	"github.com/sallyport/auth/providers/providertest"
	"github.com/sallyport/auth/session"
	"github.com/sallyport/auth/session/authjsdb"
)

const authjsSecret = "the-same-secret-on-both-sides-0123456789"

// adapterTables are those that @auth/pg-adapter documents.
const adapterTables = `
CREATE TABLE accounts (id SERIAL, "userId" INTEGER NOT NULL, type VARCHAR(255) NOT NULL, provider VARCHAR(255) NOT NULL, "providerAccountId" VARCHAR(255) NOT NULL,
	refresh_token TEXT, access_token TEXT, expires_at BIGINT, id_token TEXT, scope TEXT, session_state TEXT, token_type TEXT, PRIMARY KEY (id));
CREATE TABLE sessions (id SERIAL, "userId" INTEGER NOT NULL, expires TIMESTAMPTZ NOT NULL, "sessionToken" VARCHAR(255) NOT NULL, PRIMARY KEY (id));
CREATE TABLE users (id SERIAL, name VARCHAR(255), email VARCHAR(255), "emailVerified" TIMESTAMPTZ, image TEXT, PRIMARY KEY (id));`

var schemas atomic.Int64

// tablesOf are tables in a schema of their own.
type tablesOf struct {
	t      *testing.T
	schema string
	db     *sql.DB
}

func newTables(t *testing.T, db *sql.DB, tables string) *tablesOf {
	s := &tablesOf{t, fmt.Sprintf("authjs_%d", schemas.Add(1)), db}
	s.exec(`CREATE SCHEMA ` + s.schema)
	t.Cleanup(func() { _, _ = db.Exec(`DROP SCHEMA ` + s.schema + ` CASCADE`) })
	s.exec(strings.ReplaceAll(tables, "CREATE TABLE ", "CREATE TABLE {schema}."))
	return s
}

// exec runs statements, each alone: with parameters a driver takes one.
func (s *tablesOf) exec(statements string) {
	for text := range strings.SplitSeq(statements, ";") {
		if strings.TrimSpace(text) != "" {
			_, err := s.db.Exec(strings.ReplaceAll(text, "{schema}", s.schema))
			require.NoError(s.t, err)
		}
	}
}

// rows are those of table, by their columns, the oldest first.
func (s *tablesOf) rows(table string) (list []map[string]any) {
	found, err := s.db.Query(`SELECT to_jsonb(x) FROM ` + s.schema + `.` + table + ` x ORDER BY x.ctid`)
	require.NoError(s.t, err)
	defer found.Close()
	for found.Next() {
		var raw []byte
		require.NoError(s.t, found.Scan(&raw))
		row := map[string]any{}
		require.NoError(s.t, json.Unmarshal(raw, &row))
		list = append(list, row)
	}
	require.NoError(s.t, found.Err())
	return list
}

// config is the library's for them.
func (s *tablesOf) config(c authjsdb.Config) authjsdb.Config {
	names := map[string]string{"users": "users", "accounts": "accounts", "sessions": "sessions"}
	for name, own := range c.Names {
		names[name] = own
	}
	for name, own := range names {
		if !strings.Contains(name, ".") {
			names[name] = s.schema + "." + own
		}
	}
	c.Names = names
	return c
}

// newPeople is an identity provider at which a login_hint signs in.
func newPeople(t *testing.T) *providertest.Server {
	idp := providertest.NewServer(providertest.Config{
		Clients: []providertest.Client{{ID: "app", Secret: "app"}},
		People: []providertest.Person{
			{Subject: "ada", Name: "Ada Lovelace", Email: "Ada@Example.com", EmailVerified: true, Picture: "https://example.com/ada.png"},
			{Subject: "lin", Name: "林晓"},
			{Subject: "ada-too", Name: "Ada at work", Email: "ada@example.com", EmailVerified: true},
		},
	})
	t.Cleanup(idp.Close)
	return idp
}

// nextSite is next-auth with its adapter, at its address. Next.js calls this machine
// localhost, whatever it was asked by.
func nextSite(t *testing.T, idp *providertest.Server, s *tablesOf) string {
	node := exec.Command("node", "../authjs/database.mjs")
	node.Env = append(os.Environ(), "ISSUER="+idp.Issuer(), "SECRET="+authjsSecret,
		"DATABASE_URL=postgres://postgres@127.0.0.1:"+postgres.port+"/postgres?options=-c%20search_path%3D"+s.schema)
	node.Stderr = os.Stderr
	node.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := node.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, node.Start())
	t.Cleanup(func() { _ = node.Process.Kill(); _ = node.Wait() })
	port, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err, "run e2e/setup")
	return "http://localhost:" + strings.TrimSpace(port)
}

// goSite is the library in its place, at its address.
func goSite(t *testing.T, idp *providertest.Server, db *authjsdb.Database, change func(*auth.Config)) string {
	var providers []auth.Provider
	for _, name := range []string{"one", "two"} {
		p, err := oidc.New(oidc.Config{Name: name, Issuer: idp.Issuer(), ClientID: "app", ClientSecret: auth.NewSecret("app")})
		require.NoError(t, err)
		providers = append(providers, p)
	}
	c := auth.Config{
		Secrets: []auth.Secret{auth.NewSecret(authjsSecret)}, Providers: providers, Session: session.Config{Database: db},
		SignInURL: "/hello", Logger: slog.New(slog.DiscardHandler),
		Update: func(_ context.Context, s *session.Session, data json.RawMessage) error {
			return json.Unmarshal(data, &s.Name)
		},
	}
	if change != nil {
		change(&c)
	}
	a, err := auth.New(c)
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.Handle("/api/auth/", a)
	mux.Handle("/hello", http.NotFoundHandler())
	mux.Handle("/", a.Identify(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, ok := auth.FromContext(r.Context())
		if !ok {
			_, _ = io.WriteString(w, "null")
			return
		}
		_ = json.NewEncoder(w).Encode(who.Name)
	})))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
}

// enrolled has people be users there, whose sessions are elsewhere.
func enrolled(users *authjsdb.Database) func(context.Context, *session.Session, *auth.Identity) error {
	return func(ctx context.Context, s *session.Session, _ *auth.Identity) error {
		return users.Enroll(ctx, s, session.Account{Type: "oidc"})
	}
}

// browser has one set of cookies for both sites, as it has for one host.
type browser struct {
	t *testing.T
	*http.Client
}

func newBrowser(t *testing.T) *browser {
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return &browser{t, &http.Client{Jar: jar, Timeout: 30 * time.Second}}
}

func (b *browser) get(address string) string {
	answer, err := b.Get(address)
	require.NoError(b.t, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	require.NoError(b.t, err)
	return strings.TrimSpace(string(body))
}

// send sends one of the site's forms, and returns where that leads.
func (b *browser) send(site, path string, more url.Values) *url.URL {
	var csrf struct{ CSRFToken string }
	require.NoError(b.t, json.Unmarshal([]byte(b.get(site+"/api/auth/csrf")), &csrf))
	form := url.Values{"csrfToken": {csrf.CSRFToken}, "callbackUrl": {site + "/who"}}
	for name, values := range more {
		form[name] = values
	}
	answer, err := b.PostForm(site+"/api/auth/"+path, form)
	require.NoError(b.t, err)
	answer.Body.Close()
	return answer.Request.URL
}

// signIn signs somebody in at site with a provider.
func (b *browser) signIn(site, provider, person string) {
	b.t.Helper()
	require.Equal(b.t, "/who", b.send(site, "signin/"+provider+"?login_hint="+person, nil).RequestURI())
}

// session is what site says of who is signed in; nil is nobody.
func (b *browser) session(site string) (said map[string]any) {
	require.NoError(b.t, json.Unmarshal([]byte(b.get(site+"/api/auth/session")), &said))
	return said
}

// token is the cookie's.
func (b *browser) token(site string) string {
	at, err := url.Parse(site)
	require.NoError(b.t, err)
	for _, c := range b.Jar.Cookies(at) {
		if c.Name == "authjs.session-token" {
			return c.Value
		}
	}
	return ""
}
