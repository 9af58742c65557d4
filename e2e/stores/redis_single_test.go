package stores_test

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/session"
	"github.com/sallyport/auth/session/redisstore"
	"github.com/sallyport/auth/session/sessiontest"
)

const redisPassword = "a-password-of-redis-4711"

// redisACL is the line for a configuration that docs/stores.md has.
func redisACL(t *testing.T) string {
	t.Helper()
	guide, err := os.ReadFile("../../docs/stores.md")
	require.NoError(t, err)
	line := regexp.MustCompile(`(?m)^    (user sallyport .*)$`).FindSubmatch(guide)
	require.NotNil(t, line)
	return strings.Replace(string(line[1]), "PASSWORD", redisPassword, 1)
}

// tlsRedis is a server that speaks TLS alone and knows two users: the one of
// docs/stores.md, and one who may do anything. It writes all to its disk at once.
func tlsRedis(t *testing.T) (s *redisServer, as func(user string) *redis.Client) {
	t.Helper()
	site := httptest.NewTLSServer(http.NotFoundHandler()) // for its certificate, of 127.0.0.1
	site.Close()
	dir := t.TempDir()
	cert := site.TLS.Certificates[0]
	private, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	require.NoError(t, err)
	for name, block := range map[string]*pem.Block{
		"crt": {Type: "CERTIFICATE", Bytes: cert.Certificate[0]},
		"key": {Type: "PRIVATE KEY", Bytes: private},
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600))
	}
	s = startRedis(t, "redis-server", strings.Join([]string{
		"port 0", "tls-port %s", "tls-auth-clients no",
		"tls-cert-file " + filepath.Join(dir, "crt"), "tls-key-file " + filepath.Join(dir, "key"), "tls-ca-cert-file " + filepath.Join(dir, "crt"),
		"user default off", "user admin on >" + redisPassword + " ~* &* +@all",
		"user unable on >" + redisPassword + " ~* +set +eval +evalsha",
		redisACL(t),
		"appendonly yes", "appendfsync always", "rdbcompression no",
	}, "\n"))
	roots := x509.NewCertPool()
	roots.AddCert(site.Certificate())
	return s, func(user string) *redis.Client {
		c := redis.NewClient(&redis.Options{Addr: s.addr, Username: user, Password: redisPassword, TLSConfig: &tls.Config{RootCAs: roots}, ContextTimeoutEnabled: true})
		t.Cleanup(func() { c.Close() })
		return c
	}
}

func TestRedisHasNoViolations(t *testing.T) {
	_, as := tlsRedis(t)
	store := redisStore(t, as("sallyport"))
	sessiontest.Kit{MaxData: 1 << 20}.TestStore(t, func() (session.Store, error) { return store, nil })
}

// SE-02, SE-04, SE-06, SE-09: three nodes, with the permissions that the guide names. What the
// server counts is one command for a request that reads.
func TestRedisThreeNodes(t *testing.T) {
	server, as := tlsRedis(t)
	admin := as("admin")
	now := time.Now()
	secrets := []session.Secret{session.NewSecret("Hq2cY7Nn0wVtE4rXbS9uKd6LfJmZ1gPa")}
	var nodes []*session.Manager
	for range 3 {
		m, err := session.NewManager(session.Config{Store: redisStore(t, as("sallyport")), UpdateAge: time.Minute}, secrets, func() time.Time { return now })
		require.NoError(t, err)
		nodes = append(nodes, m)
	}
	request := httptest.NewRequest(http.MethodGet, "https://app.example/", nil)
	for _, m := range nodes { // has connections made
		_, err := m.Load(request, true)
		require.NoError(t, err)
	}
	answer := httptest.NewRecorder()
	require.NoError(t, nodes[0].Start(answer, request, &session.Session{Subject: "subject-4711", Name: "Ada Lovelace", Email: "ada@example.com"}, true))
	cookie := answer.Result().Cookies()[0]
	request.AddCookie(cookie)

	commands := func() map[string]string {
		info, err := admin.Info(t.Context(), "commandstats").Result()
		require.NoError(t, err)
		counts := map[string]string{}
		for _, m := range regexp.MustCompile(`cmdstat_(\S+):calls=(\d+)`).FindAllStringSubmatch(info, -1) {
			if m[1] != "info" && m[1] != "config|resetstat" {
				counts[m[1]] = m[2]
			}
		}
		require.NoError(t, admin.ConfigResetStat(t.Context()).Err())
		return counts
	}
	load := func(m *session.Manager) *session.Session {
		s, err := m.Load(request, true)
		require.NoError(t, err)
		return s
	}
	load(nodes[1]) // and now it has
	load(nodes[2])
	commands()
	for range 30 {
		for _, m := range nodes {
			require.Equal(t, "Ada Lovelace", load(m).Name)
		}
	}
	require.Equal(t, map[string]string{"get": "90"}, commands())

	now = now.Add(2 * time.Minute)
	require.NoError(t, nodes[1].Renew(httptest.NewRecorder(), request, load(nodes[1]), true))
	commands() // the script is loaded from here on
	now = now.Add(2 * time.Minute)
	require.NoError(t, nodes[2].Renew(httptest.NewRecorder(), request, load(nodes[2]), true))
	require.Equal(t, map[string]string{
		"evalsha": "1", "get": "3", "set": "1", // Load, and a renewal's Find and Replace
		"zadd": "1", "zremrangebyscore": "1", "eval": "1", "zrange": "1", "pexpireat": "1", // its Add
	}, commands())

	// What is on the disk names nobody.
	require.NoError(t, admin.Save(t.Context()).Err())
	dump, err := os.ReadFile(filepath.Join(server.dir, "dump.rdb"))
	require.NoError(t, err)
	sum := sha256.Sum256([]byte(cookie.Value))
	require.Contains(t, string(dump), hex.EncodeToString(sum[:]))
	for _, secret := range []string{"subject-4711", "Lovelace", cookie.Value} {
		require.NotContains(t, string(dump), secret)
	}

	// A server that is away is an error, in time; when it is there again, so is the session.
	server.kill()
	began := time.Now()
	_, err = nodes[0].Load(request, true)
	require.ErrorIs(t, err, session.ErrStore)
	require.NotContains(t, err.Error(), redisPassword)
	require.Less(t, time.Since(began), 3500*time.Millisecond)
	t.Logf("a server that is away: an error after %v: %v", time.Since(began).Round(time.Millisecond), err)
	server.start(t)
	require.Eventually(t, func() bool { s, err := nodes[0].Load(request, true); return err == nil && s != nil }, 5*time.Second, 10*time.Millisecond)

	require.NoError(t, nodes[2].End(httptest.NewRecorder(), request, true))
	for _, m := range nodes {
		require.Nil(t, load(m))
	}
}

// SE-09: what the user may not do is an error, also within the script, and it shows no password.
func TestRedisPermissions(t *testing.T) {
	_, as := tlsRedis(t)
	foreign, err := redisstore.New(as("sallyport"), redisstore.Config{Prefix: "other:"})
	require.NoError(t, err)
	unable := redisStore(t, as("unable"))
	nobody := redisStore(t, as("nobody"))
	for name, test := range map[string]struct {
		store         *redisstore.Store
		find, replace string
	}{
		"another prefix": {foreign, "NOPERM", "NOPERM"},
		"no GET":         {unable, "NOPERM", "The user executing the script can't run this command"},
		"unknown":        {nobody, "WRONGPASS", "WRONGPASS"},
	} {
		err := test.store.Add(t.Context(), redisKey(), redisKey(), time.Now().Add(time.Hour))
		require.ErrorContains(t, err, test.find, name)
		require.NotContains(t, err.Error(), redisPassword)
		_, err = test.store.Replace(t.Context(), redisKey(), []byte("old"), []byte("data"), time.Now().Add(time.Hour))
		require.ErrorContains(t, err, test.replace, name)
		require.NotContains(t, err.Error(), redisPassword)
		_, _, err = test.store.Find(t.Context(), redisKey())
		require.ErrorContains(t, err, test.find, name)
		require.NotContains(t, err.Error(), redisPassword)
	}
}

// SE-14: Redis removes what has expired, to the millisecond, whether or not anybody asks for it.
func TestRedisRemovesWhatHasExpired(t *testing.T) {
	_, as := tlsRedis(t)
	store, admin := redisStore(t, as("sallyport")), as("admin")
	var expired time.Time
	for n := range 100 {
		expired = time.Now().Add(time.Duration(100+n) * time.Millisecond)
		require.NoError(t, store.Commit(t.Context(), redisKey(), []byte("data"), expired))
	}
	key := redisKey()
	for range 200 {
		expiry := time.Now().Add(3 * time.Millisecond)
		require.NoError(t, store.Commit(t.Context(), key, []byte("data"), expiry))
		for {
			asked := time.Now()
			_, found, err := store.Find(t.Context(), key)
			require.NoError(t, err)
			if !found {
				require.False(t, time.Now().Before(expiry.Add(-2*time.Millisecond)), "gone too early")
				break
			}
			require.True(t, asked.Before(expiry), "found after its end")
		}
	}
	require.Eventually(t, func() bool { return admin.DBSize(context.Background()).Val() == 0 }, 5*time.Second, 20*time.Millisecond)
}
