// Package certified_test has people of the certified provider sign in again, and programs bring
// its access tokens.
package certified_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/oidc"
	"github.com/sallyport/auth/session"
)

const clientSecret = "a-secret-for-tests-only-0123456789"

// startOP runs the provider for one test, and returns its issuer.
func startOP(t *testing.T, redirectURI string) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := l.Addr().String()
	require.NoError(t, l.Close())
	_, port, err := net.SplitHostPort(address)
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), "node", "../servers/op.mjs")
	cmd.Env = append(os.Environ(), "ISSUER=http://"+address, "PORT="+port, "REDIRECT_URIS="+redirectURI)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Wait() })
	require.Eventually(t, func() bool {
		resp, err := http.Get("http://" + address + "/.well-known/openid-configuration")
		if err != nil {
			return false
		}
		return resp.Body.Close() == nil && resp.StatusCode == 200
	}, time.Minute, 100*time.Millisecond, "run e2e/setup")
	return "http://" + address
}

// visitor is somebody with cookies, who follows redirects.
type visitor struct {
	*testing.T
	http.Client
	site string
	last string // the session that was seen last
	old  string // the one that counts as begun long ago
}

// newSite has /fresh, /mfa and /phr, of which the provider knows no class phr.
func newSite(t *testing.T) *visitor {
	var handler http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	p, err := oidc.New(oidc.Config{Name: "op", Issuer: startOP(t, server.URL+"/api/auth/callback/op"), ClientID: "app", ClientSecret: auth.NewSecret(clientSecret)})
	require.NoError(t, err)
	a, err := auth.New(auth.Config{Secrets: []auth.Secret{auth.NewSecret("kY3nC0p9V1xJm5Q8sT2wZ7bL4hF6gD0aR3eU9iOqXyE=")}, URL: server.URL, Providers: []auth.Provider{p}, StraightToProvider: true})
	require.NoError(t, err)
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	v := &visitor{T: t, Client: http.Client{Jar: jar}, site: server.URL}
	page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, _ := auth.FromContext(r.Context())
		v.last = who.ID
		fmt.Fprintf(w, "%s at %s: %v", who.Subject, r.URL.RequestURI(), who.Claims()["acr"])
	})
	fresh := func(s *session.Session) error {
		if s.ID == v.old {
			s = &session.Session{}
		}
		return auth.RequireFresh(time.Minute)(s)
	}
	mux := http.NewServeMux()
	mux.Handle("/", page)
	mux.Handle("/fresh", a.RequireRule(fresh)(page))
	mux.Handle("/mfa", a.RequireRule(auth.RequireACR("phr", "mfa"))(page))
	mux.Handle("/phr", a.RequireRule(auth.RequireACR("phr"))(page))
	handler = a.Require(mux)
	return v
}

func (v *visitor) get(address string) (resp *http.Response, text string) {
	req, err := http.NewRequestWithContext(context.Background(), "GET", address, nil)
	require.NoError(v, err)
	req.Header.Set("Accept", "text/html")
	resp, err = v.Do(req)
	require.NoError(v, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(v, err)
	return resp, string(body)
}

var ada = regexp.MustCompile(`href="(/choose/[^"]*as=ada)"`)

// signIn opens path, is asked by the provider who it is, and comes back.
func (v *visitor) signIn(path string) (resp *http.Response, text string) {
	resp, text = v.get(v.site + path)
	link := ada.FindStringSubmatch(text)
	require.NotNil(v, link, "%s: %s", resp.Request.URL, text)
	to, err := resp.Request.URL.Parse(link[1])
	require.NoError(v, err)
	return v.get(to.String())
}

func TestStepUp(t *testing.T) { // ID-21
	v := newSite(t)
	_, text := v.signIn("/")
	require.Equal(t, "ada at /: <nil>", text)

	resp, text := v.signIn("/mfa?x=1")
	require.Equal(t, 200, resp.StatusCode, text)
	require.Equal(t, "ada at /mfa?x=1: mfa", text)
	_, text = v.get(v.site + "/mfa")
	require.Equal(t, "ada at /mfa: mfa", text, "and is not asked again")

	resp, text = v.signIn("/phr")
	require.Equal(t, v.site+"/phr", resp.Request.URL.String())
	require.Equal(t, 403, resp.StatusCode, text)

	_, text = v.get(v.site + "/fresh")
	require.Equal(t, "ada at /fresh: pwd", text)
	v.old = v.last
	_, text = v.signIn("/fresh")
	require.Equal(t, "ada at /fresh: <nil>", text, "she is asked, and not for more than that")
	_, text = v.get(v.site + "/fresh")
	require.Equal(t, "ada at /fresh: <nil>", text)
}
