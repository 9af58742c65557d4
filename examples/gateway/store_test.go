package main

import (
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/envvar"
	"github.com/sallyport/auth/examples/internal/visit"
	"github.com/sallyport/auth/session"
	"github.com/sallyport/auth/session/redisstore"
	"github.com/sallyport/auth/session/sqlstore"
)

func TestStoreURL(t *testing.T) {
	for raw, want := range map[string]session.Replacer{
		"redis://app:p%40ss@redis.internal:6379/2":          &redisstore.Store{},
		"rediss://redis.internal":                           &redisstore.Store{},
		"redis://a:26379?addr=b:26379&master_name=main":     &redisstore.Store{},
		"redis://a?addr=b:6379":                             &redisstore.Store{},
		"postgres://app:p%40ss@db.internal:5432/app":        &sqlstore.Store{},
		"postgresql://app@db.internal/app?sslmode=disable":  &sqlstore.Store{},
		"sqlite:/var/lib/gateway/nobody made this/a@b#c.db": &sqlstore.Store{},
		"sqlite:sessions.db":                                &sqlstore.Store{},
		"memory:":                                           &session.MemoryStore{},
	} {
		store, err := openStore(raw, slog.New(slog.DiscardHandler))
		require.NoError(t, err, raw)
		require.IsType(t, want, store.Replacer, raw)
		_, tables := want.(*sqlstore.Store)
		require.Equal(t, tables, store.migrate != nil, raw)
		store.close()
	}
	store, err := openStore("", slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	require.Nil(t, store.Replacer)
}

// Whatever is wrong with it, nothing of it is shown.
func TestStoreURLThatIsNone(t *testing.T) { // LG-01
	for name, raw := range map[string]string{
		"no scheme":                            "hunter2",
		"another scheme":                       "mysql://app:hunter2@h/db",
		"a scheme alone":                       "redis",
		"in capitals":                          "REDIS://app:hunter2@h",
		"in quotes":                            `"redis://app:hunter2@h"`,
		"white space":                          "sqlite:/hunter2.db\n",
		"memory and more":                      "memory:hunter2",
		"Redis, no host":                       "redis://app:hunter2@",
		"Redis, no slashes":                    "redis:hunter2",
		"Redis, no port":                       "redis://app:hunter2@h:port",
		"Redis, no database":                   "redis://app:hunter2@h/hunter2",
		"Redis, two databases":                 "redis://app:hunter2@h/1/2",
		"Redis, no such option":                "redis://app:hunter2@h?hunter2=1",
		"Redis, no such encoding":              "redis://app:hunter%2@h",
		"Redis, a space":                       "redis://app:hunter 2@h",
		"Redis, a password with @":             "redis://app:p@hunter2@h",
		"Redis, a password with #":             "redis://app:1#hunter2@h",
		"Redis, a password with # at its end":  "redis://app:1#hunter2",
		"Redis, a password with /":             "redis://app:1/hunter2@h",
		"Redis, a password with ?":             "redis://app:1?hunter2@h",
		"Sentinel, no name":                    "redis://h?master_name=&addr=hunter2",
		"Sentinel, no address":                 "redis://h?master_name=m&addr=hunter2",
		"Sentinel, replicas":                   "redis://h?master_name=m&replica_only=1&client_name=hunter2",
		"Sentinel, replicas by latency":        "redis://h?master_name=m&route_by_latency=1&client_name=hunter2",
		"Sentinel, replicas at random":         "redis://h?master_name=m&route_randomly=1&client_name=hunter2",
		"Cluster, no address":                  "redis://h?addr=hunter2",
		"Cluster, a database":                  "redis://app:hunter2@h/1?addr=b:6379",
		"Cluster, a database as an option":     "redis://app:hunter2@h?addr=b:6379&db=1",
		"Cluster, replicas":                    "redis://app:hunter2@h?addr=b:6379&read_only=1",
		"Cluster, replicas by latency":         "redis://app:hunter2@h?addr=b:6379&route_by_latency=1",
		"Cluster, replicas at random":          "redis://app:hunter2@h?addr=b:6379&route_randomly=1",
		"PostgreSQL, no slashes":               "postgres:hunter2",
		"PostgreSQL, no port":                  "postgres://app:hunter2@h:port/db",
		"PostgreSQL, no such encoding":         "postgres://app:hunter%2@h/db",
		"PostgreSQL, no such mode":             "postgres://app:hunter2@h/db?sslmode=hunter2",
		"PostgreSQL, no such file":             "postgres://app:hunter2@h/db?sslmode=verify-full&sslrootcert=/hunter2/ca.pem",
		"PostgreSQL, a password with @":        "postgres://app:p@hunter2@h/db",
		"PostgreSQL, a password with #":        "postgres://app:hunter#2@h/db",
		"PostgreSQL, a password with /":        "postgres://app:1/hunter2@h/db",
		"PostgreSQL, a password with ?":        "postgres://app:1?hunter2@h/db",
		"SQLite, no path":                      "sqlite:",
		"SQLite, a path as in other notations": "sqlite:///hunter2.db",
		"SQLite, a URL":                        "sqlite:file:/hunter2.db",
		"SQLite, options":                      "sqlite:/hunter2.db?mode=ro",
		"SQLite in memory":                     "sqlite::memory:",
	} {
		store, err := openStore(raw, slog.New(slog.DiscardHandler))
		require.Nil(t, store.Replacer, name)
		var problem *envvar.Error
		require.ErrorAs(t, err, &problem, name)
		require.Equal(t, "SESSION_STORE_URL", problem.Variable, name)
		require.NotContains(t, err.Error(), "hunter", name)
	}
}

// withStore is the environment of a gateway that takes a code, in front of an application.
func withStore(t *testing.T, store string) map[string]string {
	return map[string]string{
		"NEXT_AUTH_SECRET": secret, "ACCESS_CODE": "0123456789abcdef", "NEXT_AUTH_SSO_PROVIDERS": "generic-oidc",
		"GENERIC_OIDC_ISSUER": "http://localhost:1", "GENERIC_OIDC_CLIENT_ID": "gateway", "GENERIC_OIDC_CLIENT_SECRET": "gateway-secret",
		"UPSTREAM_URL": application(t).String(), "PORT": "0", "SESSION_STORE_URL": store,
	}
}

// enter signs somebody in with the code.
func enter(v *visit.Visitor, address string) visit.Page {
	return v.Press(v.Get(address+"/"), address+"/api/auth/signin/access-code", url.Values{"code": {"0123456789abcdef"}})
}

func signedIn(v *visit.Visitor, address string) bool {
	return strings.Contains(v.Do("GET", address+"/", nil, nil).Body, "X-Forwarded-User:")
}

// cookie is the value of v's session.
func cookie(t *testing.T, v *visit.Visitor, address string) string {
	at, err := url.Parse(address)
	require.NoError(t, err)
	for _, c := range v.Jar.Cookies(at) {
		if c.Name == "authjs.session-token" {
			return c.Value
		}
	}
	return ""
}

// TestSessionsInAFile: they are there after a restart, and a sign-out ends a copy of the
// cookie too.
func TestSessionsInAFile(t *testing.T) { // SE-02, SE-04
	file := filepath.Join(t.TempDir(), "sessions.db")
	env := withStore(t, "sqlite:"+file)
	ada, copied := visit.New(t), visit.New(t)
	t.Run("before", func(t *testing.T) {
		address, _ := start(t, env)
		require.Eventually(t, func() bool { return ada.Get(address+"/readyz").Status == 200 }, 10*time.Second, 10*time.Millisecond)
		enter(ada, address)
		require.True(t, signedIn(ada, address))
		require.Len(t, cookie(t, ada, address), 43, "a key, not a token")
		require.FileExists(t, file+"-wal", "who reads and who writes do not wait for each other")
	})
	require.NoFileExists(t, file+"-wal", "the file is closed")
	t.Run("after", func(t *testing.T) {
		address, _ := start(t, env)
		require.True(t, signedIn(ada, address))
		at, err := url.Parse(address)
		require.NoError(t, err)
		copied.Jar = visit.New(t).Jar
		copied.Jar.SetCookies(at, ada.Jar.Cookies(at))
		require.True(t, signedIn(copied, address))
		ada.Press(ada.Get(address+"/api/auth/signout"), address+"/api/auth/signout", nil)
		require.False(t, signedIn(ada, address))
		require.False(t, signedIn(copied, address))
	})
}

func TestSessionsInMemory(t *testing.T) {
	for _, strategy := range []string{"", "database"} {
		env := withStore(t, "memory:")
		env["NEXT_AUTH_SSO_SESSION_STRATEGY"] = strategy
		address, _ := start(t, env)
		ada := visit.New(t)
		enter(ada, address)
		require.True(t, signedIn(ada, address))
		require.Len(t, cookie(t, ada, address), 43)
	}
}

// TestWrongCodesAreCountedTogether: by all that have the same store.
func TestWrongCodesAreCountedTogether(t *testing.T) { // AC-01
	env := withStore(t, "sqlite:"+filepath.Join(t.TempDir(), "sessions.db"))
	mallory, guesses := visit.New(t), 0
	for range 2 {
		address, _ := start(t, env)
		require.Eventually(t, func() bool { return mallory.Get(address+"/readyz").Status == 200 }, 10*time.Second, 10*time.Millisecond)
		for range 3 {
			page := mallory.Press(mallory.Get(address+"/api/auth/signin"), address+"/api/auth/signin/access-code", url.Values{"code": {"wrong-wrong-wrong"}})
			if page.Status != 429 {
				guesses++
			}
		}
	}
	require.Equal(t, 5, guesses)
}

// TestStoreDownAtStart: the gateway runs, lets nobody in, and makes the tables once the
// store is there.
func TestStoreDownAtStart(t *testing.T) { // SE-06
	dir := filepath.Join(t.TempDir(), "volume")
	address, log := start(t, withStore(t, "sqlite:"+filepath.Join(dir, "sessions.db")))
	ada := visit.New(t)
	require.Equal(t, 200, ada.Get(address+"/healthz").Status)
	ready := ada.Get(address + "/readyz")
	require.Equal(t, 503, ready.Status)
	require.Equal(t, "The session store does not answer.\n", ready.Body)
	require.Equal(t, 503, enter(ada, address).Status)
	require.Equal(t, 503, ada.Do("GET", address+"/", nil, map[string][]string{"Cookie": {"authjs.session-token=" + strings.Repeat("A", 43)}}).Status)
	require.Contains(t, log.String(), "the session store is not there yet")

	require.NoError(t, os.Mkdir(dir, 0o700))
	require.Eventually(t, func() bool { return ada.Get(address+"/readyz").Status == 200 }, 10*time.Second, 10*time.Millisecond)
	enter(ada, address)
	require.True(t, signedIn(ada, address))
	require.Contains(t, log.String(), "the session store is there")
}

// TestPasswordOfAStoreIsNotLogged: not by the gateway, nor in what it answers.
func TestPasswordOfAStoreIsNotLogged(t *testing.T) { // LG-01
	for _, store := range []string{"redis://app:hunter2@127.0.0.1:1", "postgres://app:hunter2@127.0.0.1:1/app"} {
		address, log := start(t, withStore(t, store))
		ready := visit.New(t).Get(address + "/readyz")
		require.Equal(t, 503, ready.Status, store)
		require.Contains(t, log.String(), "gateway: not ready")
		require.NotContains(t, log.String()+ready.Body, "hunter")
	}
}
