package proxies_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/oidc"
	"github.com/sallyport/auth/providers/providertest"
)

// TestGroupsBehindNginxAsInstalled: 4 kB of an answer's headers and 8 kB of a request's
// are what nginx passes on if nobody tells it otherwise.
func TestGroupsBehindNginxAsInstalled(t *testing.T) {
	for _, n := range []int{0, 60, 200, 2000} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			var groups []string
			for i := range n {
				name := "SG-%04d-Application-Owners"
				if n == 2000 { // for an ID token has 64 kB at most
					name = "SG-%04d-Owners"
				}
				groups = append(groups, fmt.Sprintf(name, i))
			}
			at := freePort(t)
			address := "http://" + at
			app, log := membersOnly(t, address, groups)

			dir := t.TempDir()
			require.NoError(t, os.Chmod(dir, 0o755))
			var temp string
			for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
				temp += fmt.Sprintf("%s_temp_path %s/%s;\n", kind, dir, kind)
			}
			config := fmt.Sprintf("daemon off; pid %[1]s/pid; error_log %[1]s/error.log;\nevents {}\nhttp {\naccess_log off;\n%[2]sserver { listen %[3]s; location / { proxy_pass http://%[4]s; proxy_set_header Host $http_host; } }\n}\n", dir, temp, at, app)
			require.NoError(t, os.WriteFile(dir+"/nginx.conf", []byte(config), 0o600))
			f := &front{t, nil, at}
			f.run(dir, "nginx", "-c", dir+"/nginx.conf", "-e", dir+"/error.log")

			jar, err := cookiejar.New(nil)
			require.NoError(t, err)
			b := &browser{t: t, Client: &http.Client{Jar: jar, Timeout: 20 * time.Second}, origin: address}
			for _, step := range []string{"/reports", "/reports?again"} { // a second sign-in, with what the first has left
				require.Equal(t, 200, b.ask("GET", address+step, nil))
				if strings.Contains(b.text, "action=") {
					require.Equal(t, 200, b.submit(), "%s", log)
				}
				require.Contains(t, b.text, "hello Ada", step)
				require.Equal(t, 200, b.ask("GET", address+"/api/auth/signin?callbackUrl="+step, nil))
				require.Equal(t, 200, b.submit(), b.text)
				require.Contains(t, b.text, "hello Ada", "signed in again")
			}
			if n > 0 {
				require.Contains(t, b.text, groups[n-1], "the group that the policy names is kept")
			}
			require.Equal(t, n >= 200, strings.Contains(log.String(), "more groups than a session has room for"), log.String())
			require.Equal(t, 200, b.ask("GET", address+"/api/auth/signout", nil))
			require.Equal(t, 200, b.submit(), b.text)
			require.Contains(t, b.text, "You are signed out")
			require.Equal(t, 200, b.ask("GET", address+"/reports", nil))
			require.Equal(t, "/api/auth/signin", b.at.Path)
		})
	}
}

// membersOnly is a site for the members of the last of groups, of which Ada is in all.
func membersOnly(t *testing.T, address string, groups []string) (app string, log *bytes.Buffer) {
	idp := providertest.NewServer(providertest.Config{
		Clients: []providertest.Client{{ID: "app", Secret: "secret", RedirectURIs: []string{address + "/api/auth/callback/demo"}}},
		People:  []providertest.Person{{Subject: "ada", Name: "Ada", Email: "ada@example.com", EmailVerified: true, Groups: groups}},
	})
	t.Cleanup(idp.Close)
	provider, err := oidc.New(oidc.Config{Name: "demo", Issuer: idp.Issuer(), ClientID: "app", ClientSecret: auth.NewSecret("secret")})
	require.NoError(t, err)
	log = &bytes.Buffer{}
	c := auth.Config{
		Secrets: []auth.Secret{auth.NewSecret("kY3nC0p9V1xJm5Q8sT2wZ7bL4hF6gD0aR3eU9iOqXyE=")}, URL: address, Providers: []auth.Provider{provider},
		Logger: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
	if len(groups) > 0 {
		c.Policy, err = auth.AllowGroups(groups[len(groups)-1])
		require.NoError(t, err)
	}
	a, err := auth.New(c)
	require.NoError(t, err)
	server := httptest.NewServer(a.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, _ := auth.FromContext(r.Context())
		fmt.Fprintf(w, "hello %s of %s", who.Name, who.Groups)
	})))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://"), log
}
