package stores_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/alexedwards/scs/goredisstore"
	"github.com/alexedwards/scs/postgresstore"
	"github.com/alexedwards/scs/sqlite3store"
	"github.com/alexedwards/scs/v2"
	"github.com/alexedwards/scs/v2/memstore"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/github"
	"github.com/sallyport/auth/session"
	"github.com/sallyport/auth/session/sqlstore"
)

// place is where both keep their sessions: the same server, by the same client.
type place struct {
	name string
	ours session.Store
	scs  scs.Store
}

// places are all of them, empty. A server is at the address that at makes of its own.
func places(b testing.TB, at func(name, addr string) string) []place {
	memory := session.NewMemoryStore(0, nil)
	b.Cleanup(func() { memory.Close() })
	all := []place{{"memory", memory, memstore.NewWithCleanupInterval(0)}}
	for _, name := range []string{"SQLite", "pgx", "pgx PgBouncer"} {
		d := databases(b)[name]
		if u, err := url.Parse(d.source); err == nil && u.Host != "" {
			d.source = strings.Replace(d.source, u.Host, at(name, u.Host), 1)
		}
		db, table := d.open(b), newTable()
		var theirs scs.Store
		if d.dialect == sqlstore.SQLite {
			_, err := db.Exec("CREATE TABLE " + table + " (token TEXT PRIMARY KEY, data BLOB NOT NULL, expiry REAL NOT NULL)")
			require.NoError(b, err)
			theirs = sqlite3store.NewWithConfig(db, sqlite3store.Config{TableName: table})
		} else {
			_, err := db.Exec("CREATE TABLE " + table + " (token TEXT PRIMARY KEY, data BYTEA NOT NULL, expiry TIMESTAMPTZ NOT NULL)")
			require.NoError(b, err)
			theirs = postgresstore.NewWithConfig(db, postgresstore.Config{TableName: table})
		}
		all = append(all, place{name, d.store(b, db, sqlstore.Config{}), theirs})
	}
	server := startRedis(b, "redis-server", "port %s\nsave \"\"")
	client := redis.NewClient(&redis.Options{Addr: at("Redis", server.addr), ContextTimeoutEnabled: true})
	return append(all, place{"Redis", redisStore(b, client), goredisstore.New(client)})
}

// somebody is a session of some 500 bytes of JSON.
func somebody(n int) *session.Session {
	return &session.Session{
		Subject: fmt.Sprintf("auth0|65f1c0ffee0123456789%06d", n), Name: "Ada Lovelace", Email: "ada.lovelace@example.com", EmailVerified: true,
		Picture: "https://avatars.example.com/u/4711?v=4&size=96", Provider: "github", Issuer: "https://github.com/login/oauth", Username: "ada",
		Groups: []string{"engineering", "analytical-engine", "operators", "reviewers", "administrators"},
	}
}

// ourSites are Require and Manager.Load for people who have a session each in store.
func ourSites(b testing.TB, store session.Store, people int) (ours, load *site) {
	return configuredSites(b, session.Config{Store: store}, people)
}

// configuredSites are those with any configuration of sessions.
func configuredSites(b testing.TB, config session.Config, people int) (ours, load *site) {
	secrets := []session.Secret{session.NewSecret("Hq2cY7Nn0wVtE4rXbS9uKd6LfJmZ1gPa")}
	m, err := session.NewManager(config, secrets, time.Now)
	require.NoError(b, err)
	provider, err := github.New(github.Config{ClientID: "id", ClientSecret: auth.NewSecret("a-client-secret-4711")})
	require.NoError(b, err)
	a, err := auth.New(auth.Config{Secrets: secrets, URL: "https://app.example", Providers: []auth.Provider{provider}, Session: config, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(b, err)
	handler := a.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, _ := auth.FromContext(r.Context())
		if s.Subject == "" || s.Name == "" || s.Email == "" || len(s.Groups) != 5 {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	var requests []*http.Request
	for n := range people {
		w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "https://app.example/page", nil)
		require.NoError(b, m.Start(w, r, somebody(n), true))
		r.AddCookie(w.Result().Cookies()[0])
		requests = append(requests, r)
	}
	return &site{answer: headerOnly{header: http.Header{}}, handler: handler, requests: requests}, &site{answer: headerOnly{header: http.Header{}}, requests: requests, handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s, err := m.Load(r, true); s == nil || err != nil {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})}
}

// scsSite is the same with scs.
func scsSite(b testing.TB, store scs.Store, people int) *site {
	m := scs.New()
	m.Store = store
	var requests []*http.Request
	for n := range people {
		r := httptest.NewRequest("GET", "https://app.example/page", nil)
		ctx, err := m.Load(r.Context(), "")
		require.NoError(b, err)
		s := somebody(n)
		for key, value := range map[string]any{
			"sub": s.Subject, "name": s.Name, "email": s.Email, "email_verified": s.EmailVerified, "picture": s.Picture,
			"provider": s.Provider, "issuer": s.Issuer, "username": s.Username, "groups": s.Groups,
		} {
			m.Put(ctx, key, value)
		}
		token, _, err := m.Commit(ctx)
		require.NoError(b, err)
		r.AddCookie(&http.Cookie{Name: m.Cookie.Name, Value: token})
		requests = append(requests, r)
	}
	return &site{answer: headerOnly{header: http.Header{}}, requests: requests, handler: m.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		groups, _ := m.Get(ctx, "groups").([]string)
		if m.GetString(ctx, "sub") == "" || m.GetString(ctx, "name") == "" || m.GetString(ctx, "email") == "" || len(groups) != 5 {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))}
}

// BenchmarkStores is a request that reads its session, through scs's LoadAndSave and
// through Require, and Manager.Load alone. What is needed of one
// person is in the processor's caches; of 20,000, who come in turn, it is not. "ratio" is the processor's time in scs's: that of
// this process, and so without that of a server.
func BenchmarkStores(b *testing.B) {
	for _, p := range places(b, func(_, addr string) string { return addr }) {
		for _, people := range []int{1, 20_000} {
			if people > 1 && p.name != "memory" {
				continue
			}
			name := fmt.Sprintf("%s/%d", p.name, people)
			scs := scsSite(b, p.scs, people)
			ours, load := ourSites(b, p.ours, people)
			var in float64
			b.Run(name+"/scs", func(b *testing.B) { in = scs.serve(b) })
			b.Run(name+"/Require", func(b *testing.B) { b.ReportMetric(ours.serve(b)/in, "ratio") })
			b.Run(name+"/Load", func(b *testing.B) { b.ReportMetric(load.serve(b)/in, "ratio") })
		}
	}
}

// site is asked for a page by its people in turn.
type site struct {
	handler  http.Handler
	requests []*http.Request
	n        int
	answer   headerOnly
}

// next sends one request.
func (s *site) next(b testing.TB) {
	clear(s.answer.header)
	s.handler.ServeHTTP(&s.answer, s.requests[s.n%len(s.requests)])
	if s.answer.status != 0 {
		b.Fatal(s.answer.status)
	}
	s.n++
}

// serve returns how many nanoseconds of the processor a request takes.
func (s *site) serve(b *testing.B) float64 {
	b.ReportAllocs()
	runtime.GC()
	before := processor(b)
	for b.Loop() {
		s.next(b)
	}
	each := float64(processor(b)-before) / float64(b.N)
	b.ReportMetric(each, "cpu-ns/op")
	return each
}

// processor is the time that this process has had of it.
func processor(b *testing.B) time.Duration {
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// headerOnly costs nothing by itself.
type headerOnly struct {
	header http.Header
	status int
}

func (w *headerOnly) Header() http.Header         { return w.header }
func (w *headerOnly) Write(p []byte) (int, error) { return len(p), nil }
func (w *headerOnly) WriteHeader(status int)      { w.status = status }
