package stores_test

import (
	"bufio"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/e2e/internal/visit"
)

// gatewayCode is the access code of all gateways.
const gatewayCode = "0123456789abcdef"

// startGateway runs binary with store as its SESSION_STORE_URL until the test ends.
func startGateway(t *testing.T, binary, upstream, store string) (address string, log *visit.Journal) {
	t.Helper()
	cmd := exec.Command(binary)
	cmd.Env = []string{
		"NEXT_AUTH_SECRET=kY3nC0p9V1xJm5Q8sT2wZ7bL4hF6gD0aR3eU9iOqXyE=", "ACCESS_CODE=" + gatewayCode,
		"NEXT_AUTH_SSO_PROVIDERS=generic-oidc", "GENERIC_OIDC_ISSUER=http://localhost:1", "GENERIC_OIDC_CLIENT_ID=x", "GENERIC_OIDC_CLIENT_SECRET=x",
		"UPSTREAM_URL=" + upstream, "PORT=0", "SESSION_STORE_URL=" + store,
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	output, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	log = &visit.Journal{}
	addresses, ended := make(chan string, 1), make(chan error, 1)
	go func() {
		for lines := bufio.NewScanner(output); lines.Scan(); {
			_, _ = log.Write(append(lines.Bytes(), '\n'))
			var line struct{ Msg string }
			if json.Unmarshal(lines.Bytes(), &line) == nil {
				if at, ok := strings.CutPrefix(line.Msg, "gateway: open "); ok {
					addresses <- at
				}
			}
		}
		ended <- cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		require.NoError(t, <-ended)
	})
	select {
	case address = <-addresses:
	case err := <-ended:
		ended <- err
		require.FailNow(t, "the gateway ended", log.Read())
	}
	return address, log
}

// ask sends a request, with form as its body if there is one.
func ask(t *testing.T, client *http.Client, method, address string, form url.Values) (status int, body string) {
	t.Helper()
	req, err := http.NewRequest(method, address, strings.NewReader(form.Encode()))
	require.NoError(t, err)
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := client.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(text)
}

// press sends the form of page that has part in its address, with more in it.
func press(t *testing.T, client *http.Client, page, part string, more url.Values) {
	t.Helper()
	_, text := ask(t, client, "GET", page, nil)
	action, values, ok := visit.Form(text, part)
	require.True(t, ok, text)
	for name := range more {
		values.Set(name, more.Get(name))
	}
	at, err := url.Parse(page)
	require.NoError(t, err)
	to, err := at.Parse(action)
	require.NoError(t, err)
	ask(t, client, "POST", to.String(), values)
}

// TestGateways: who signs in at one gateway is signed in at another with the same store, and
// who signs out there is signed out of both, copies of the cookie included.
func TestGateways(t *testing.T) { // SE-04, SE-05, LG-01
	binary := filepath.Join(t.TempDir(), "gateway")
	out, err := exec.Command("go", "build", "-C", "../../examples/gateway", "-o", binary, ".").CombinedOutput()
	require.NoError(t, err, "%s", out)
	application := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Header.Get("X-Forwarded-User"))
	}))
	t.Cleanup(application.Close)

	user := "sallyport:" + redisPassword + "@"
	single := startRedis(t, "redis-server", "port %s\nsave ''\n"+redisACL(t)+"\n")
	sentinel := startRedis(t, "redis-sentinel", "port %s\nsentinel monitor mymaster 127.0.0.1 "+single.port+" 1\n")
	nodes, _ := startCluster(t)
	node := slices.Sorted(maps.Keys(nodes))[0]
	for name, store := range map[string]string{
		"Redis":      "redis://" + user + single.addr,
		"Sentinel":   "redis://" + sentinel.addr + "?master_name=mymaster&username=sallyport&password=" + redisPassword,
		"Cluster":    "redis://" + user + node + "?addr=" + node,
		"PostgreSQL": "postgres://postgres:hunter2@127.0.0.1:" + postgres.port + "/postgres?sslmode=disable",
		"PgBouncer":  "postgres://postgres:hunter2@127.0.0.1:" + pgbouncer.port + "/postgres?sslmode=disable",
		"SQLite":     "sqlite:" + filepath.Join(t.TempDir(), "sessions.db"),
	} {
		t.Run(name, func(t *testing.T) {
			a, logA := startGateway(t, binary, application.URL, store)
			b, logB := startGateway(t, binary, application.URL, store)
			for _, at := range []string{a, b} {
				require.Eventually(t, func() bool {
					status, _ := ask(t, http.DefaultClient, "GET", at+"/readyz", nil)
					return status == 200
				}, 10*time.Second, 10*time.Millisecond)
			}
			jar, err := cookiejar.New(nil)
			require.NoError(t, err)
			person := &http.Client{Jar: jar} // cookies know no ports
			press(t, person, a+"/api/auth/signin", "access-code", url.Values{"code": {gatewayCode}})
			for range 8 { // more often than PgBouncer has connections
				for _, at := range []string{a, b} {
					status, user := ask(t, person, "GET", at+"/x", nil)
					require.Equal(t, 200, status)
					require.NotEmpty(t, user)
				}
			}
			at, err := url.Parse(a)
			require.NoError(t, err)
			copied, err := cookiejar.New(nil)
			require.NoError(t, err)
			copied.SetCookies(at, jar.Cookies(at))

			press(t, person, b+"/api/auth/signout", "signout", nil)
			for _, client := range []*http.Client{person, {Jar: copied}} {
				for _, at := range []string{a, b} {
					status, _ := ask(t, client, "GET", at+"/x", nil)
					require.Equal(t, 401, status)
				}
			}
			checkLog(t, logA.Read()+logB.Read())
		})
	}
	t.Run("away", func(t *testing.T) { // SE-06
		at, log := startGateway(t, binary, application.URL, "redis://"+user+"127.0.0.1:1")
		status, _ := ask(t, http.DefaultClient, "GET", at+"/readyz", nil)
		require.Equal(t, 503, status)
		checkLog(t, log.Read())
	})
}

// checkLog holds that all lines of log are the gateway's, and that none has a password.
func checkLog(t *testing.T, log string) {
	t.Helper()
	require.NotEmpty(t, log)
	for line := range strings.Lines(log) {
		require.True(t, json.Valid([]byte(line)), line)
	}
	require.NotContains(t, log, redisPassword)
	require.NotContains(t, log, "hunter2")
}
