// Package proxies_test signs people in through real nginx and Caddy, with the
// configurations that docs/behind-a-proxy.md has.
package proxies_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/oidc"
	"github.com/sallyport/auth/providers/providertest"
)

const site = "https://app.example.com"

var block = regexp.MustCompile("(?s)```(nginx|caddyfile)\n# ([a-z.]+)\n(.*?)```")

// guide returns the configurations of the guide, by "nginx root" and the like.
func guide(t *testing.T) map[string]string {
	text, err := os.ReadFile("../../docs/behind-a-proxy.md")
	require.NoError(t, err)
	found := map[string]string{}
	for _, m := range block.FindAllStringSubmatch(string(text), -1) {
		found[m[1]+" "+m[2]] = m[3]
	}
	require.Len(t, found, 7, "the guide has other configurations")
	require.Equal(t, strings.Count(string(text), "```nginx")+strings.Count(string(text), "```caddyfile"), len(found), "one has no name, or another's")
	return found
}

// replaced is text with each old by its new, which has to be there.
func replaced(t *testing.T, text string, pairs ...string) string {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		require.Contains(t, text, pairs[i])
		text = strings.ReplaceAll(text, pairs[i], pairs[i+1])
	}
	return text
}

// front is a proxy that runs, and what it knows.
type front struct {
	t    *testing.T
	site *certified
	at   string // where it listens
}

// browse makes a browser, for which the site is at the proxy.
func (f *front) browse() *http.Client {
	jar, err := cookiejar.New(nil)
	require.NoError(f.t, err)
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		if address == "app.example.com:443" {
			address = f.at
		}
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}
	transport := &http.Transport{DialContext: dial, TLSClientConfig: &tls.Config{RootCAs: f.site.pool}, DisableKeepAlives: true}
	return &http.Client{Jar: jar, Transport: transport, Timeout: 20 * time.Second}
}

func freePort(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

// certified are the files of the site's certificate, and who trusts it.
type certified struct {
	files string // without .pem and .key
	pool  *x509.CertPool
}

// certificate has mkcert make one.
func certificate(t *testing.T) *certified {
	dir := t.TempDir()
	cmd := exec.Command("mkcert", "-cert-file", dir+"/site.pem", "-key-file", dir+"/site.key", "app.example.com")
	cmd.Env = append(os.Environ(), "CAROOT="+dir)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "run e2e/setup: %s", out)
	ca, err := os.ReadFile(dir + "/rootCA.pem")
	require.NoError(t, err)
	pool := x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM(ca))
	return &certified{dir + "/site", pool}
}

func program(t *testing.T, name string) string {
	path, err := exec.LookPath(name)
	if err != nil {
		path, err = exec.LookPath("/usr/sbin/" + name)
	}
	require.NoError(t, err, "run e2e/setup")
	return path
}

// run starts a proxy until the test ends, and waits for it.
func (f *front) run(dir, name string, args ...string) {
	var output bytes.Buffer
	ctx, stop := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, program(f.t, name), args...)
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	require.NoError(f.t, cmd.Start())
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	f.t.Cleanup(func() { stop(); <-ended })
	for range 200 {
		if conn, err := net.Dial("tcp", f.at); err == nil {
			conn.Close()
			return
		}
		select {
		case <-ended:
			f.t.Fatalf("%s ended\n%s", name, output.String())
		case <-time.After(50 * time.Millisecond):
		}
	}
	f.t.Fatalf("%s does not listen", name)
}

// startNginx runs nginx with a configuration of the guide, in front of app.
func startNginx(t *testing.T, site *certified, files map[string]string, name, app string) *front {
	dir := t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o755)) // its workers are somebody else
	f := &front{t, site, freePort(t)}
	snippet := filepath.Join(dir, "forwarded.conf")
	require.NoError(t, os.WriteFile(snippet, []byte(files["nginx forwarded.conf"]), 0o600))
	server := replaced(t, files["nginx "+name],
		"listen 443 ", "listen "+f.at+" ", "/etc/ssl/app.example.com", site.files,
		"snippets/forwarded.conf", snippet, "http://127.0.0.1:3000", "http://"+app)
	var temp string
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		temp += fmt.Sprintf("%s_temp_path %s/%s;\n", kind, dir, kind)
	}
	config := fmt.Sprintf("daemon off; pid %[1]s/pid; error_log %[1]s/error.log;\nevents {}\nhttp {\naccess_log off;\n%[2]s%[3]s}\n", dir, temp, server)
	require.NoError(t, os.WriteFile(dir+"/nginx.conf", []byte(config), 0o600))
	f.run(dir, "nginx", "-c", dir+"/nginx.conf", "-e", dir+"/error.log")
	return f
}

// startCaddy runs Caddy likewise. In the guide it gets its certificates by itself.
func startCaddy(t *testing.T, site *certified, files map[string]string, name, app string) *front {
	dir := t.TempDir()
	f := &front{t, site, freePort(t)}
	_, port, _ := net.SplitHostPort(f.at)
	server := replaced(t, files["caddyfile "+name],
		"app.example.com {\n", fmt.Sprintf("app.example.com:%s {\n\tbind 127.0.0.1\n\ttls %[2]s.pem %[2]s.key\n", port, site.files),
		"127.0.0.1:3000", app)
	config := fmt.Sprintf("{\n\tadmin off\n\tauto_https disable_redirects\n\tskip_install_trust\n\tstorage file_system %s\n}\n%s", dir, server)
	require.NoError(t, os.WriteFile(dir+"/Caddyfile", []byte(config), 0o600))
	f.run(dir, "caddy", "run", "--config", dir+"/Caddyfile", "--adapter", "caddyfile")
	return f
}

// application is a small site whose provider knows one callback URL. Its pages say
// what they were asked for.
func application(t *testing.T, configured, callback string) string {
	idp := providertest.NewServer(providertest.Config{
		Clients: []providertest.Client{{ID: "app", Secret: "secret", RedirectURIs: []string{callback}}},
		People:  []providertest.Person{{Subject: "ada", Name: "Ada"}},
	})
	t.Cleanup(idp.Close)
	provider, err := oidc.New(oidc.Config{Name: "demo", Issuer: idp.Issuer(), ClientID: "app", ClientSecret: auth.NewSecret("secret")})
	require.NoError(t, err)
	a, err := auth.New(auth.Config{
		Secrets: []auth.Secret{auth.NewSecret("kY3nC0p9V1xJm5Q8sT2wZ7bL4hF6gD0aR3eU9iOqXyE=")}, URL: configured, Providers: []auth.Provider{provider},
		Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	require.NoError(t, err)
	server := httptest.NewServer(a.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, _ := auth.FromContext(r.Context())
		fmt.Fprintf(w, "hello %s at %s, from %s", who.Name, r.URL.RequestURI(), a.Client(r))
	})))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

var (
	action = regexp.MustCompile(`action="([^"]+)"`)
	field  = regexp.MustCompile(`name="(csrfToken|callbackUrl)" value="([^"]*)"`)
)

type browser struct {
	t *testing.T
	*http.Client
	origin string   // of the site, if another than site
	at     *url.URL // the page that is shown
	text   string
}

// ask asks as a browser does without Sec-Fetch, and lies where it can.
func (b *browser) ask(method, target string, form url.Values, lies ...string) int {
	b.t.Helper()
	r, err := http.NewRequest(method, target, strings.NewReader(form.Encode()))
	require.NoError(b.t, err)
	r.Header.Set("Accept", "text/html")
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", cmp.Or(b.origin, site))
	}
	for i := 0; i < len(lies); i += 2 {
		r.Header.Set(lies[i], lies[i+1])
	}
	resp, err := b.Do(r)
	require.NoError(b.t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(b.t, err)
	b.at, b.text = resp.Request.URL, string(text)
	return resp.StatusCode
}

// submit sends the form of the page that is shown.
func (b *browser) submit() int {
	b.t.Helper()
	m := action.FindStringSubmatch(b.text)
	require.NotNil(b.t, m, b.text)
	to, err := b.at.Parse(html.UnescapeString(m[1]))
	require.NoError(b.t, err)
	form := url.Values{}
	for _, m := range field.FindAllStringSubmatch(b.text, -1) {
		form.Set(m[1], html.UnescapeString(m[2]))
	}
	return b.ask("POST", to.String(), form)
}

// TestThroughProxies: at the root and below a path, which the proxy takes off or
// leaves on, with an address that is configured and without.
func TestThroughProxies(t *testing.T) { // HO-01, HO-02, RD-09
	files, cert := guide(t), certificate(t)
	for kind, start := range map[string]func(*testing.T, *certified, map[string]string, string, string) *front{"nginx": startNginx, "caddy": startCaddy} {
		for _, test := range []struct{ name, prefix, url, sees string }{
			{"root", "", "", "/reports?q=1"},
			{"root", "", site + ":443/api/auth", "/reports?q=1"},
			{"strip", "/app", site + "/app/api/auth", "/reports?q=1"},
			{"strip", "/app", "/app/api/auth", "/reports?q=1"},
			{"strip", "/app", "", "/reports?q=1"},
			{"keep", "/app", site + "/app/api/auth", "/app/reports?q=1"},
			{"keep", "/app", "/app/api/auth", "/app/reports?q=1"},
		} {
			t.Run(fmt.Sprintf("%s %s, URL %q", kind, test.name, test.url), func(t *testing.T) {
				routes := site + test.prefix + "/api/auth"
				f := start(t, cert, files, test.name, application(t, test.url, routes+"/callback/demo"))
				b := &browser{t: t, Client: f.browse()}

				require.Equal(t, 200, b.ask("GET", site+test.prefix+"/reports?q=1", nil))
				require.Equal(t, routes+"/signin?callbackUrl="+url.QueryEscape(test.prefix+"/reports?q=1"), b.at.String())
				require.Equal(t, 200, b.submit(), b.text)
				require.Equal(t, site+test.prefix+"/reports?q=1", b.at.String(), b.text)
				require.Equal(t, "hello Ada at "+test.sees+", from 127.0.0.1", b.text)

				// What a client makes up changes nothing.
				lies := []string{
					"X-Forwarded-Host", "evil.example", "X-Forwarded-Proto", "http", "X-Forwarded-Prefix", "/evil", "X-Forwarded-Port", "666", "X-Forwarded-Ssl", "off",
					"Forwarded", "for=9.9.9.9;host=evil.example;proto=http", "X-Forwarded-For", "9.9.9.9", "CloudFront-Forwarded-Proto", "http",
				}
				require.Equal(t, 200, b.ask("GET", site+test.prefix+"/reports?q=1", nil, lies...))
				require.Equal(t, "hello Ada at "+test.sees+", from 127.0.0.1", b.text)
				stranger := &browser{t: t, Client: f.browse()}
				require.Equal(t, 200, stranger.ask("GET", site+test.prefix+"/reports?q=1", nil, lies...))
				require.Equal(t, routes+"/signin?callbackUrl="+url.QueryEscape(test.prefix+"/reports?q=1"), stranger.at.String())
				require.Equal(t, test.prefix+"/api/auth/signin/demo", action.FindStringSubmatch(stranger.text)[1])

				require.Equal(t, 200, b.ask("GET", routes+"/signout", nil))
				require.Equal(t, 200, b.submit(), b.text)
				require.Equal(t, routes+"/signout?provider=demo", b.at.String())
				require.Contains(t, b.text, "You are signed out")
				require.Equal(t, 200, b.ask("GET", site+test.prefix+"/", nil))
				require.Equal(t, routes+"/signin?callbackUrl="+url.QueryEscape(test.prefix+"/"), b.at.String(), "signed out, home asks to sign in")
			})
		}
	}
}
