// Package guides_test runs in a browser what docs has for one.
package guides_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/oidc"
	"github.com/sallyport/auth/providers/providertest"
)

// TestScriptsOfSinglePageApps: the scripts of docs/single-page-apps.md, in a page of their
// own site, sign somebody in and out, and what they call without a session leads there.
func TestScriptsOfSinglePageApps(t *testing.T) {
	text, err := os.ReadFile("../../docs/single-page-apps.md")
	require.NoError(t, err)
	var functions, calls strings.Builder
	for _, m := range regexp.MustCompile("(?ms)^```js\n(.*?)^```").FindAllSubmatch(text, -1) {
		for line := range strings.Lines(string(m[1])) {
			if strings.HasPrefix(line, "post(") {
				calls.WriteString(line)
			} else {
				functions.WriteString(line)
			}
		}
	}
	idp := providertest.NewServer(providertest.Config{
		Clients: []providertest.Client{{ID: "app", Secret: "app-secret"}},
		People:  []providertest.Person{{Subject: "ada", Name: "Ada"}},
	})
	t.Cleanup(idp.Close)
	p, err := oidc.New(oidc.Config{Name: "github", Issuer: idp.Issuer(), ClientID: "app", ClientSecret: auth.NewSecret("app-secret")})
	require.NoError(t, err)
	a, err := auth.New(auth.Config{Secrets: []auth.Secret{auth.NewSecret("kY3nC0p9V1xJm5Q8sT2wZ7bL4hF6gD0a")}, Providers: []auth.Provider{p}})
	require.NoError(t, err)

	site := http.NewServeMux()
	site.Handle("/api/", a.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, _ := auth.FromContext(r.Context())
		fmt.Fprint(w, "reports of ", who.Subject)
	})))
	site.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "<!doctype html><title>A page</title><script>", functions.String(), "</script>")
	})
	server := httptest.NewServer(a.Identify(site))
	t.Cleanup(server.Close)

	out, err := exec.Command("node", "../browser/script.mjs", server.URL, calls.String()).CombinedOutput()
	require.NoError(t, err, "%s", out)
}
