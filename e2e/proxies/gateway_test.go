package proxies_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/providers/providertest"
)

// startGateway runs the gateway, and returns where it listens.
func startGateway(t *testing.T, binary string, env ...string) string {
	cmd := exec.Command(binary)
	cmd.Env = append(env, "PORT=0", "HOST=127.0.0.1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	log, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := bufio.NewScanner(log)
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		for lines.Scan() {
		}
		require.NoError(t, cmd.Wait())
	})
	for lines.Scan() {
		var line struct{ Msg string }
		_ = json.Unmarshal(lines.Bytes(), &line)
		if at, ok := strings.CutPrefix(line.Msg, "gateway: open http://"); ok {
			go func() {
				for lines.Scan() {
				}
			}()
			return at
		}
		t.Log(lines.Text())
	}
	require.Fail(t, "the gateway does not start")
	return ""
}

// TestForwardAuth: with the configurations of the guide, the proxy asks the gateway who may
// go on to an application that knows of neither, and what a client makes up reaches nobody.
func TestForwardAuth(t *testing.T) { // MW-02, MW-06, HO-02, RD-09
	binary := filepath.Join(t.TempDir(), "gateway")
	out, err := exec.Command("go", "build", "-C", "../../examples/gateway", "-o", binary, ".").CombinedOutput()
	require.NoError(t, err, string(out))
	text, err := os.ReadFile("../../docs/gateway.md")
	require.NoError(t, err)
	files, cert := maps.Clone(guide(t)), certificate(t)
	for _, m := range block.FindAllStringSubmatch(string(text), -1) {
		files[m[1]+" "+m[2]] = m[3]
	}
	application := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s for [%s]", r.Method, r.RequestURI, r.Header.Get("X-Forwarded-User"))
		for name := range r.Header {
			if strings.Contains(fmt.Sprint(r.Header[name]), "mallory") {
				fmt.Fprintf(w, ", %s is mallory's", name)
			}
		}
	}))
	t.Cleanup(application.Close)
	idp := providertest.NewServer(providertest.Config{
		Clients: []providertest.Client{{ID: "app", Secret: "secret", RedirectURIs: []string{site + "/api/auth/callback/generic-oidc"}}},
		People:  []providertest.Person{{Subject: "ada", Name: "Ada", Groups: []string{"staff"}}},
	})
	t.Cleanup(idp.Close)
	rules := filepath.Join(t.TempDir(), "rules")
	require.NoError(t, os.WriteFile(rules, []byte("/ signed-in\nGET /icons/ open\n/admin/ groups: admins\n/staff/ groups: staff\n"), 0o600))
	gateway := startGateway(t, binary, "UPSTREAM_URL=http://127.0.0.1:1", "NEXTAUTH_URL="+site+"/api/auth", "GATEWAY_RULES="+rules,
		"NEXT_AUTH_SECRET=kY3nC0p9V1xJm5Q8sT2wZ7bL4hF6gD0aR3eU9iOqXyE=", "ACCESS_CODE=0123456789abcdef", "NEXT_AUTH_SSO_PROVIDERS=generic-oidc",
		"GENERIC_OIDC_ISSUER="+idp.Issuer(), "GENERIC_OIDC_CLIENT_ID=app", "GENERIC_OIDC_CLIENT_SECRET=secret")

	for kind, start := range map[string]func(*testing.T, *certified, map[string]string, string, string) *front{"nginx": startNginx, "caddy": startCaddy} {
		t.Run(kind, func(t *testing.T) {
			mine := maps.Clone(files)
			for _, one := range []string{"nginx verify", "caddyfile verify"} {
				mine[one] = replaced(t, mine[one], "127.0.0.1:8080", strings.TrimPrefix(application.URL, "http://"))
			}
			f := start(t, cert, mine, "verify", gateway)
			twoReadings := map[string]int{"nginx": 500, "caddy": 400}[kind]
			lies := []string{
				"X-Forwarded-User", "mallory", "X_forwarded_user", "mallory", "X-Forwarded-Groups", "mallory", "X-Identity-Token", "mallory",
				"X-Forwarded-Method", "GET", "X-Forwarded-Host", "evil.example",
			}
			stranger := &browser{t: t, Client: f.browse()}
			require.Equal(t, 200, stranger.ask("GET", site+"/icons/a.png", nil, lies...), stranger.text)
			require.Equal(t, "GET /icons/a.png for []", stranger.text)
			require.Equal(t, 401, stranger.ask("POST", site+"/icons/a.png", url.Values{}), "nobody posts")
			require.Equal(t, twoReadings, stranger.ask("GET", site+"/icons/..%2fadmin/x", nil))
			require.Equal(t, twoReadings, stranger.ask("GET", site+"/ADMIN/x", nil))

			b := &browser{t: t, Client: f.browse()}
			require.Equal(t, 200, b.ask("GET", site+"/reports?q=1", nil, lies...), b.text)
			require.Equal(t, site+"/api/auth/signin?callbackUrl="+url.QueryEscape("/reports?q=1"), b.at.String())
			require.Equal(t, 200, b.submit(), b.text)
			require.Equal(t, site+"/reports?q=1", b.at.String())
			require.Equal(t, "GET /reports?q=1 for [generic-oidc|ada]", b.text)
			require.Equal(t, 200, b.ask("POST", site+"/reports", url.Values{}, lies...))
			require.Equal(t, "POST /reports for [generic-oidc|ada]", b.text)
			require.Equal(t, 200, b.ask("GET", site+"/staff/x", nil, lies...))
			require.Equal(t, 403, b.ask("GET", site+"/admin/x", nil, lies...))
			require.Equal(t, 403, b.ask("GET", site+"/%61dmin/x", nil))
			require.Equal(t, 403, b.ask("POST", site+"/reports", url.Values{}, "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"))

			socket := []string{"Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}
			require.Equal(t, 403, b.ask("GET", site+"/reports", nil, append(socket, "Origin", "https://evil.example")...))

			// What would be another kind of telling, or about another path.
			for _, more := range [][]string{{"X-Original-URL", site + "/icons/x", "X-Original-Method", "GET"}, {"X-Forwarded-Uri", "/icons/x"}} {
				require.Equal(t, 403, b.ask("GET", site+"/admin/x", nil, more...), more)
			}
		})
	}
}
